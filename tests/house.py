"""The house as it stands: its rooms, which of them may import which, and its modules, found on the disk.

`python -m tests.house` draws it; `python -m tests.house pure` names the files that have no effects.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[1] / "agent"
DOMAIN = ("est", "dps", "edge", "tpm", "host", "settings", "codes", "values")

# Room: rooms it may import from. Arrows only go down this table. A room that is not here may not be built.
BELOW = {
    "values": (),
    "codes": ("values",),
    "settings": ("codes", "values"),
    "host": ("codes", "values"),
    "tpm": ("host", "codes", "values"),
    "edge": ("host", "codes", "values"),
    "dps": ("host", "codes", "values"),
    "est": ("host", "codes", "values"),
    "facts": DOMAIN,
    "plan": ("facts", *DOMAIN),
    "look": ("facts", *DOMAIN),
    "act": ("look", "plan", "facts", *DOMAIN),
    "passes": ("act", "look", "plan", "facts", *DOMAIN),
    "doctor": ("passes", "act", "look", "plan", "facts", *DOMAIN),
    "fleet": ("passes", "act", "look", "plan", "facts", *DOMAIN),
    "watch": ("values",),
    "running_pass": ("watch", "host", "codes", "values"),
    "daemon": ("running_pass", "watch", "host", "codes", "values"),
    "cli": (
        "daemon", "running_pass", "watch", "fleet", "doctor",
        "passes", "act", "look", "plan", "facts", *DOMAIN,
    ),
    "__main__": ("cli",),
    "__init__": (),
}  # fmt: skip

# Rooms of which every module is pure; elsewhere a module says "Pure." in its docstring.
PURE_ROOMS = ("values", "codes", "settings", "facts", "plan", "watch", "__init__")


@dataclass(frozen=True)
class Module:
    """A module of the agent, parsed; `name` is its dotted name below agent."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def lines(self) -> int:
        return len(self.path.read_text().splitlines())

    @property
    def says_pure(self) -> bool:
        return self.room in PURE_ROOMS or bool(re.search(r"\bPure\b", ast.get_docstring(self.tree) or ""))


def read_house() -> dict[str, Module]:
    modules = {}
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        modules[name] = Module(name, path, ast.parse(path.read_text()))
    return modules


MODULES = read_house()


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Give every import below a node as (module, name); the name is empty for `import module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where an arrow goes"
            yield from ((str(node.module), alias.name) for alias in node.names)


def libraries(tree: ast.AST) -> set[str]:
    """Name everything imported from outside: `urllib.request` as `urllib`, `urllib.request`."""
    found = set()
    for name, item in imported(tree):
        parts = [*name.split("."), *([item] if item else [])]
        found |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return {name for name in found if name.partition(".")[0] != "agent"}


def own_modules(tree: ast.AST) -> set[str]:
    """Name the agent's modules that are imported; what `from agent.room import name` names may be one too."""
    found = set()
    for name, item in imported(tree):
        first, _, rest = name.partition(".")
        whole = f"{rest}.{item}".strip(".")
        if first == "agent":
            found.add(whole if whole in MODULES else rest or "__init__")
    return found


def draw() -> str:
    """Give the table of rooms, the lowest first: size, how much of it is pure, and what it does import."""
    rows = [("room", "files", "lines", "pure", "imports")]
    for room in BELOW:
        inside = [module for module in MODULES.values() if module.room == room]
        used = {name.partition(".")[0] for module in inside for name in own_modules(module.tree)}
        pure = sum(module.lines for module in inside if module.says_pure)
        lines = sum(module.lines for module in inside)
        if inside and room != "__init__":
            imports = " ".join(other for other in BELOW if other in used - {room, "__init__"})
            rows.append((room, str(len(inside)), str(lines), f"{100 * pure // lines} %", imports))
    return "\n".join(f"{a:<10} {b:>5} {c:>6} {d:>6}  {e}".rstrip() for a, b, c, d, e in rows)


def main(arguments: list[str]) -> int:
    """Draw the house, or list what is pure."""
    if arguments == ["pure"]:
        print(",".join(str(module.path) for module in MODULES.values() if module.says_pure))
    else:
        print(draw())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
