"""Look at the runtime: is it installed, how are its daemons, does it know its device.

The journal is read only where one of the other witnesses has doubts: that takes longer than all the rest.
"""

from collections.abc import Mapping
from types import MappingProxyType

from agent.codes import AgentError
from agent.codes import runtime as codes
from agent.edge import causes_at_modules, evidence, identity_service, iotedge, restarts
from agent.edge.container import Container
from agent.edge.engine import EngineState, ask_edge_agent, ask_engine, last_words
from agent.edge.identity_service import AnswerKind
from agent.facts.request import Request
from agent.facts.snapshot import RuntimeFacts, Snapshot
from agent.facts.status import Status, UnitStatus
from agent.host import clock, files, guarded, journal, locks, sights, systemd
from agent.host.root import Root
from agent.settings import Settings
from agent.settings.table import Runtime
from agent.values import replace

_UNITS = (*evidence.DAEMONS, *evidence.SOCKETS)
_ENGINE = "docker.service"
_SOCKETS = tuple(f"/run/aziot/{name}.sock" for name in ("identityd", "keyd", "certd", "tpmd"))
_UNIT_FILES = "/etc/systemd/system/"  # where units are masked
_BACKUP = "/var/lib/aziot/identityd/device_info"
_PACKAGES_LOCK = "/var/lib/dpkg/lock-frontend"  # apt holds it from first to last, dpkg where it is run alone
_SNAP = "/snap/azure-iot-edge"
_BOOTED = "/run/systemd/system"  # sd_booted(3)
_FRESH_S = 60.0
_JOURNAL_LINES = 600  # a crash loop writes some 40 lines each 5 s, backtrace included

_Before = Mapping[str, UnitStatus]


def places(settings: Settings) -> tuple[str, ...]:
    """Name the files that tell of a change: starts and ends of the daemons are among them."""
    starts = (systemd.invocation_place(unit) for unit in (*evidence.DAEMONS, _ENGINE))
    return (settings.runtime.iotedge, _BACKUP, _UNIT_FILES, *_SOCKETS, *starts)


def look(request: Request, settings: Settings, snapshot: Snapshot, before: Status | None) -> Snapshot:
    """Ask every witness of the runtime's health."""
    try:
        found = _runtime(request, settings.runtime, before)
    except AgentError as error:
        found = RuntimeFacts(trouble=error.finding)
    return replace(snapshot, runtime=found)


def _runtime(request: Request, settings: Runtime, before: Status | None) -> RuntimeFacts:
    """Ask every witness of the runtime's health; its journal only where one of the others has doubts."""
    root = request.root
    program = root.program(settings.iotedge)
    if program is None:
        snap = files.look(root.path(_SNAP)).kind != "missing"
        return RuntimeFacts(trouble=codes.SNAP() if snap else codes.NOT_INSTALLED(missing=settings.iotedge))
    if files.look(root.path(_BOOTED)).kind != "directory":
        return RuntimeFacts(trouble=codes.NO_SYSTEMD())
    if weak := guarded.weak_place(program, root.directory):
        place, how = root.shown(weak[0]), weak[1]
        return RuntimeFacts(trouble=codes.UNGUARDED(program=settings.iotedge, place=place, how=how))
    known = _units_of(before)
    units = _counted(systemd.show(root, _UNITS), known)
    daemons = {unit.name: unit for unit in units or ()}
    identityd = daemons.get(evidence.IDENTITYD)
    answer = identity_service.DeviceAnswer()
    if identityd is not None and identityd.runs:
        answer = identity_service.ask_device(root)
    engine = ask_engine(root)
    facts = RuntimeFacts(
        program=program,
        version=_version(root, program, before),
        units=units,
        restarts_before=MappingProxyType({name: unit.restarts for name, unit in known.items()}),
        answer=answer,
        backup=files.look(root.path(_BACKUP)).kind == "file",
        engine=engine.state,
        engine_version=engine.version,
        engine_oldest_api=engine.oldest_api,
        change_pid=iotedge.running_change(root, program),
        installer_pid=locks.record_lock_holder(root.path(_PACKAGES_LOCK)),
    )
    facts = replace(facts, edge_agent=_edge_agent(root, facts))
    if _is_calm(facts, known):
        return _with_word_of_modules(root, facts)
    return _with_testimony(root, program, facts, known)


def _edge_agent(root: Root, facts: RuntimeFacts) -> Container:
    """Ask for edgeAgent, which the runtime starts once it knows its device."""
    if facts.engine is not EngineState.UP or facts.answer.kind is not AnswerKind.DEVICE:
        return Container()
    found = ask_edge_agent(root)
    ended = found.finished_s and _needs_a_word(found)
    return replace(found, last_words=last_words(root)) if ended else found


def _needs_a_word(container: Container) -> bool:
    return causes_at_modules.needs_a_word(container, clock.wall_s())


def _with_word_of_modules(root: Root, facts: RuntimeFacts) -> RuntimeFacts:
    """Read aziot-edged's journal where edgeAgent alone is in doubt; the daemons are well."""
    if not _needs_a_word(facts.edge_agent):
        return facts
    entries = journal.read(root, (evidence.EDGED,), newest=_JOURNAL_LINES) or ()
    return replace(facts, journal=entries)


def _version(root: Root, program: str, before: Status | None) -> str:
    """Ask the runtime for its version, unless the last look did and the program is still the same file."""
    same = before is not None and before.judged.get(program) == sights.at((program,))[program]
    known = before.runtime_version if before and same else ""
    return known or iotedge.version(root, program)


def _units_of(before: Status | None) -> _Before:
    return {f"{name}.service": unit for name, unit in before.units.items()} if before else {}


def _is_calm(facts: RuntimeFacts, known: _Before) -> bool:
    """Say whether nothing hints at trouble, so that nobody need be asked why."""
    units = facts.units or ()
    calm = all(unit.runs and _is_as_it_was(unit, known) for unit in units)
    return calm and facts.backup and facts.answer.kind is AnswerKind.DEVICE


def _is_as_it_was(unit: systemd.Unit, known: _Before) -> bool:
    """Say whether it is the process of the last look; of one not seen then, whether systemd let it be."""
    last = known.get(unit.name)
    if last is None:
        return unit.restarts == 0
    return unit.pid == last.pid and unit.restarts <= last.restarts


def _with_testimony(root: Root, program: str, facts: RuntimeFacts, known: _Before) -> RuntimeFacts:
    """Read the journal, and the units at the same moment: the identity service may have let us wait."""
    units = systemd.show(root, _UNITS)
    entries = journal.read(root, evidence.DAEMONS, newest=_JOURNAL_LINES) or ()
    status = iotedge.system_status(root, program) if _has_more_to_say(units) else ()
    return replace(facts, units=_counted(units, known, entries), journal=entries, status=status)


def _has_more_to_say(units: tuple[systemd.Unit, ...] | None) -> bool:
    """Say whether the runtime's own table is worth eleven questions to systemd.

    While all of it has only just started, or waits for its first start, the table says nothing new, and the
    start needs the processor.
    """
    now_s = clock.monotonic_s()
    return units is None or any(
        unit.active == "failed" or (unit.runs and now_s - unit.active_since_s > _FRESH_S)
        for unit in units
        if unit.name in evidence.DAEMONS
    )


def _counted(
    units: tuple[systemd.Unit, ...] | None, known: _Before, entries: tuple[journal.Entry, ...] = ()
) -> tuple[systemd.Unit, ...] | None:
    """Give the units with their true count of restarts, which systemd forgets sometimes."""
    if units is None:
        return None
    return tuple(restarts.count(unit, entries, at_least=_of_this_process(unit, known)) for unit in units)


def _of_this_process(unit: systemd.Unit, known: _Before) -> int:
    """Give the restarts that were counted before the process which still runs."""
    last = known.get(unit.name)
    return last.restarts if last and last.pid == unit.pid else 0
