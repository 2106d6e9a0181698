"""The house's rules: which room imports which, who is pure, who alone may do what, how large things are.

Rooms and modules are found on the disk, so a new one is under these rules from its first line.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2] / "agent"

# Room: rooms it may import from. Arrows only go down this table. A room that is not here may not be built.
BELOW = {
    "codes": (),
    "settings": ("codes",),
    "host": ("codes",),
    "tpm": ("host", "codes"),
    "edge": ("host", "codes"),
    "dps": ("host", "codes"),
    "est": ("host", "codes"),
    "converge": ("est", "dps", "edge", "tpm", "host", "settings", "codes"),
    "doctor": ("converge", "est", "dps", "edge", "tpm", "host", "settings", "codes"),
    "fleet": ("converge", "est", "dps", "edge", "tpm", "host", "settings", "codes"),
    "watch": (),
    "daemon": ("watch", "host", "codes"),
    "cli": (
        "daemon", "watch", "fleet", "doctor",
        "converge", "est", "dps", "edge", "tpm", "host", "settings", "codes",
    ),
    "__main__": ("cli",),
    "__init__": (),
}  # fmt: skip

# Rooms of which every module is pure; elsewhere a module says "Pure." in its docstring, or opens a door.
PURE_ROOMS = ("codes", "settings", "watch", "__init__")
MUST_BE_PURE = (
    "converge.history",
    "converge.intend",
    "converge.plan",
    "converge.snapshot",
    "converge.status_file",
    "converge.steps",
    "converge.verdict",
    "edge.apply_text",
    "edge.causes",
    "edge.config_text",
    "edge.generated",
    "edge.journal_text",
    "edge.status_text",
    "tpm.fitness",
)
EFFECTS = frozenset({
    "asyncio", "ctypes", "fcntl", "glob", "grp", "http", "io", "logging", "multiprocessing", "os", "pathlib",
    "pwd", "pyudev", "random", "sdnotify", "secrets", "select", "selectors", "shutil", "signal", "socket",
    "ssl", "structlog", "subprocess", "sys", "tempfile", "threading", "time", "tpm2_pytss", "urllib.request",
    "uuid",
})  # fmt: skip

# Library: the only modules that import it.
ONLY_IN = {
    "subprocess": {"host.process"},
    "ssl": {"host.network"},
    "http": {"host.network"},
    "urllib.request": {"host.network"},
    "time": {"host.clock", "host.network", "host.process"},
    "random": {"host.clock"},
    "tempfile": {"host.files"},
    "pyudev": {"host.udev"},
    "sdnotify": {"host.notify"},
    "structlog": {"host.log"},
    "tpm2_pytss": {"tpm.esapi"},
    "shutil": set(),
    "pathlib": set(),
    "multiprocessing": set(),
    "threading": set(),
    "asyncio": set(),
}
CHANGES = frozenset({
    "chmod", "chown", "link", "makedirs", "mkdir", "mknod", "remove", "removedirs", "rename", "renames",
    "replace", "rmdir", "symlink", "truncate", "unlink", "utime",
})  # fmt: skip
HEAVY = frozenset(
    {"argparse", "cryptography", "http", "ssl", "structlog", "tomlkit", "tomllib", "tpm2_pytss"}
)
NAMES_THAT_SAY_NOTHING = frozenset(
    {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
)


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
each_module = pytest.mark.parametrize("module", [pytest.param(one, id=name) for name, one in MODULES.items()])


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


def functions(module: Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef))


def test_every_room_is_in_the_table() -> None:
    assert {module.room for module in MODULES.values()} <= BELOW.keys()


def test_arrows_only_go_down() -> None:
    for room, below in BELOW.items():
        if room == "__main__":  # it only starts the command
            continue
        for other in below:
            assert set(BELOW[other]) <= set(below), f"{room} may import {other} but not what {other} imports"


@each_module
def test_a_module_imports_only_from_rooms_below_its_own(module: Module) -> None:
    allowed = {module.room, "__init__", *BELOW[module.room]}

    assert {name.partition(".")[0] for name in own_modules(module.tree)} <= allowed


@each_module
def test_a_pure_module_has_no_effects(module: Module) -> None:
    if not module.says_pure:
        pytest.skip("has effects")

    assert libraries(module.tree) & EFFECTS == set()
    for name, item in imported(module.tree):
        if name.startswith("agent.host"):  # types are values; functions are doors
            assert item[:1].isupper(), f"imports {item} from {name}"


@each_module
def test_a_module_with_effects_opens_a_door(module: Module) -> None:
    """One that does not is pure, and its docstring is to say so: the tests hold it to that promise."""
    if module.says_pure or module.is_package or module.room in ("host", "cli", "__main__"):
        pytest.skip("pure, or a room of effects")

    doors = {name for name in own_modules(module.tree) if name.startswith("host.")}
    assert doors or libraries(module.tree) & EFFECTS


def test_what_must_be_pure_says_so() -> None:
    assert [name for name in MUST_BE_PURE if not MODULES[name].says_pure] == []


@each_module
def test_a_library_of_effects_has_one_home(module: Module) -> None:
    found = libraries(module.tree)

    assert [name for name, homes in ONLY_IN.items() if name in found and module.name not in homes] == []


@each_module
def test_only_the_file_room_changes_files(module: Module) -> None:
    if module.name == "host.files":
        pytest.skip("the only writer")
    offences = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in CHANGES:
                offences.append((node.lineno, f"os.{name}"))
            case ast.Name(id="open") if set(_mode(node)) & set("wax+"):
                offences.append((node.lineno, "open to write"))

    assert offences == []


def _mode(call: ast.Call) -> str:
    given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    return "".join(
        mode.value for mode in given if isinstance(mode, ast.Constant) and isinstance(mode.value, str)
    )


def test_the_watcher_stays_small() -> None:
    """Nothing that it imports when it starts, nor what those import, is heavy."""
    waiting, seen, found = ["daemon"], set(), set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        at_start = ast.Module(
            [node for node in MODULES[name].tree.body if isinstance(node, ast.Import | ast.ImportFrom)], []
        )
        found |= libraries(at_start)
        waiting += [other for other in own_modules(at_start) if other not in seen]

    assert found & HEAVY == set()


@each_module
def test_a_module_fits_its_budget(module: Module) -> None:
    lines = len(module.path.read_text().splitlines())

    assert lines <= 300 or (module.room == "codes" and not list(functions(module)))


@each_module
def test_functions_fit_their_budget(module: Module) -> None:
    for function in functions(module):
        lines = int(function.end_lineno or 0) - function.lineno + 1
        given = function.args
        parameters = [
            each.arg
            for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)
            if each.arg not in ("self", "cls")
        ]
        assert lines <= 40, f"{function.name} has {lines} lines"
        assert len(parameters) <= 5, f"{function.name} takes {len(parameters)} parameters"


@each_module
def test_a_module_says_what_it_is(module: Module) -> None:
    assert ast.get_docstring(module.tree)
    assert NAMES_THAT_SAY_NOTHING.isdisjoint(module.name.split("."))


@each_module
def test_a_module_is_no_empty_stub(module: Module) -> None:
    """Only a package's own file may hold nothing but its docstring."""
    assert module.is_package or len(module.tree.body) > 1
    assert "NotImplementedError" not in ast.dump(module.tree)
