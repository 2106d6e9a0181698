"""Machines for cases: copies of saved ones, switched off at the end; a failed case shows the journal."""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.vm.container import Container
from tests.vm.machine import Machine
from tests.vm.parts import Parts, build_parts
from tests.vm.shell import Shell
from tests.vm.stages import Stages, deliver, locked

SUITE = os.environ.get("EDGE_PROVISIONER_SUITE", "bookworm")
_KEPT = os.environ.get("EDGE_PROVISIONER_MACHINES")  # while cases are written: a folder to keep machines in
_LAST_WORDS = "journalctl -b -n 200 --no-pager -o short-monotonic; cat /run/edge-provisioner/status.json"
_RETRIED, _WAITED, _MEASURED = "retried-boots", "long-waits", "measured"
_FAILED = pytest.StashKey[bool]()


# While one worker makes the first saved machines, the others play what needs none.
_MAKE_MACHINES = 2
# Of the cases from this length on a run plays one of so many.
_LONG_S, _OF = 40, 3


@pytest.hookimpl(tryfirst=True)  # before those that are not in the sample are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is still busy long after the others.

    Long cases are sampled, those of like length together, so that a run takes about as long as any other.
    """
    timed = [item for item in items if item.get_closest_marker("takes")]
    timed.sort(key=_seconds, reverse=True)
    for number, item in enumerate(item for item in timed if _is_left_to_us(item)):
        item.add_marker(pytest.mark.sampled("machines", number, _OF))
    untimed = [item for item in items if not item.get_closest_marker("takes")]
    items[:] = [*timed[:_MAKE_MACHINES], *untimed, *timed[_MAKE_MACHINES:]]


def _is_left_to_us(item: pytest.Item) -> bool:
    """Whether a case is long, and nobody said when it is to be played."""
    said = item.get_closest_marker("always") or item.get_closest_marker("sampled")
    return _seconds(item) >= _LONG_S and not said


def _seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("takes")
    return float(mark.args[0]) if mark else 0.0


class Bench:
    """Where a case's machines stand."""

    def __init__(self, stages: Stages, folder: Path) -> None:
        self.stages = stages
        self.machines: list[Machine] = []
        self.measured: list[str] = []  # a line each, for the end of the run
        self._folder = folder

    def copy(self, stage: str) -> Machine:
        """Give a machine that goes on from a stage."""
        machine = self.copy_of(self.stages.saved(stage))
        machine.resume()
        return machine

    def copy_of(self, saved: Machine) -> Machine:
        """Give a copy of a saved machine, not running yet."""
        machine = Machine.copy(self._folder / f"machine-{len(self.machines)}", saved)
        self.machines.append(machine)
        return machine


@pytest.fixture(scope="session", name="shared")
def folder_of_all_workers(pytestconfig: pytest.Config) -> Path:
    """Give the folder that this run's workers have in common."""
    folder = _shared(pytestconfig)
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", name="parts")
def what_machines_are_made_from(shared: Path) -> Parts:
    """Give image and packages, built by the first who asks."""
    with locked(shared / "parts.lock"):
        return build_parts(SUITE, shared / "parts")


@pytest.fixture(scope="session", name="stages")
def saved_machines(shared: Path, parts: Parts) -> Stages:
    """Give the machines that cases begin with."""
    return Stages(shared, parts)


@pytest.fixture
def bench(stages: Stages, shared: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Give a place for a case's machines."""
    bench = Bench(stages, tmp_path)
    yield bench
    failed = request.node.stash.get(_FAILED, False)
    _keep(shared / _MEASURED, bench.measured)
    for machine in bench.machines:
        if failed:
            print(_last_words(machine))
        machine.cut()
        boots = [f"see {machine.folder}"] * machine.retried_boots
        _remember(shared / _RETRIED, request, boots)
        _remember(shared / _WAITED, request, machine.long_waits)
        if not failed and not boots:
            shutil.rmtree(machine.folder)


def _remember(place: Path, request: pytest.FixtureRequest, remarks: list[str]) -> None:
    _keep(place, [f"{request.node.nodeid}: {remark}" for remark in remarks])


def _keep(place: Path, lines: list[str]) -> None:
    with place.open("a") as kept:
        kept.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def container(
    parts: Parts, shared: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Container]:
    """Give a container with the packages at hand, and none of them installed."""
    container = Container(tmp_path / "container", parts.image)
    container.boot()
    try:
        deliver(container, parts)
        yield container
        if request.node.stash.get(_FAILED, False):
            print(_last_words(container))
    finally:
        container.cut()
        _remember(shared / _WAITED, request, container.long_waits)


def _last_words(machine: Shell) -> str:
    try:
        return machine.run(_LAST_WORDS, status=None, timeout_s=60)
    except Exception as gone:  # noqa: BLE001 - whatever is wrong with it, the case has failed already
        return f"the machine says nothing more: {gone}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


def _shared(config: pytest.Config) -> Path:
    if _KEPT:
        return Path(_KEPT)
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001 - no public way
    return (base.parent if hasattr(config, "workerinput") else base) / "machines"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("boots and waits")
    boots, waits = (_remembered(_shared(config) / name) for name in (_RETRIED, _WAITED))
    count = len(boots.splitlines())
    terminalreporter.line(f"{count} boots tried once more because the machine's kernel died\n{boots}")
    terminalreporter.line(f"waits of minutes:\n{waits or 'none'}")
    if measured := _remembered(_shared(config) / _MEASURED):
        terminalreporter.section("from a fault until it is told")
        terminalreporter.line("".join(sorted(measured.splitlines(keepends=True))))


def _remembered(place: Path) -> str:
    return place.read_text() if place.exists() else ""


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
    """After the summary, remove what the machines left: some gigabytes. A failed run keeps them."""
    yield
    if exitstatus == pytest.ExitCode.OK and not hasattr(session.config, "workerinput") and not _KEPT:
        shutil.rmtree(_shared(session.config), ignore_errors=True)
