"""The house's rules: which room imports which, who is pure, who alone may do what, how large things are.

Rooms and modules are found on the disk, so a new one is under these rules from its first line.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.house import BELOW, MODULES, Module, imported, libraries, own_modules

ROOMS_OF_EFFECTS = ("host", "look", "act", "passes", "cli", "__main__")  # by doors of the rooms below, too
MUST_BE_PURE = (
    "edge.apply_text",
    "edge.causes",
    "edge.causes_at_identityd",
    "edge.causes_at_modules",
    "edge.causes_at_tpmd",
    "edge.causes_in_units",
    "edge.config_text",
    "edge.container",
    "edge.evidence",
    "edge.generated",
    "edge.journal_text",
    "edge.status_text",
    "edge.watchdog_text",
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
    "dataclasses": {"values"},
    "subprocess": {"host.process"},
    "ssl": set(),
    "http": set(),
    "urllib.request": set(),
    "time": {"host.clock", "host.network", "host.process"},
    "random": set(),
    "tempfile": set(),
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


each_module = pytest.mark.parametrize("module", [pytest.param(one, id=name) for name, one in MODULES.items()])


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


def test_no_room_has_a_cycle_inside() -> None:
    """What two files of a room need has a file of its own; then each can be read before those that use it."""
    left = {
        name: {other for other in own_modules(module.tree) if MODULES[other].room == module.room} - {name}
        for name, module in MODULES.items()
    }
    while ready := {name for name, needed in left.items() if not needed & left.keys()}:
        left = {name: needed for name, needed in left.items() if name not in ready}

    assert left == {}


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
    if module.says_pure or module.is_package or module.room in ROOMS_OF_EFFECTS:
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
    assert module.lines <= 300 or (module.room == "codes" and not list(functions(module)))


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


@each_module
def test_an_error_of_the_system_is_told_by_the_piece_that_always_has_words(module: Module) -> None:
    """`strerror` is None for errors that a library made: "can't write None" is what people read then."""
    attributes = (node for node in ast.walk(module.tree) if isinstance(node, ast.Attribute))
    uses = {ast.unparse(use) for use in attributes if use.attr == "strerror"} - {"os.strerror"}
    assert not uses or module.name == "host.failures"
