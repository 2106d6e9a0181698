"""Look at the machine: every witness fills its part of one Snapshot. Changes nothing, starts no daemon."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from agent.codes import AgentError
from agent.facts.history import History
from agent.facts.request import Request
from agent.facts.snapshot import AccessFacts, Because, ConfigFacts, Part, RuntimeFacts, Snapshot, TpmFacts
from agent.facts.status import Status
from agent.host import sights
from agent.host.root import Root
from agent.look import access, config, machine, runtime, settings, tpm
from agent.settings import Settings
from agent.tpm.keys import Authorisations, authorisations
from agent.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class _Witness:
    """Fills a part of the snapshot, and names the files that it goes by."""

    look: Callable[[Request, Settings, Snapshot, Status | None], Snapshot]
    places: Callable[[Settings], tuple[str, ...]]


_TPM, _ACCESS, _CONFIG, _RUNTIME, _MACHINE = (
    _Witness(one.look, one.places) for one in (tpm, access, config, runtime, machine)
)
_WITNESSES = (_CONFIG, _TPM, _ACCESS, _RUNTIME, _MACHINE)  # the later go by what the earlier found
_OF_PART: Mapping[Part, tuple[_Witness, ...]] = MappingProxyType({
    Part.TPM: (),  # the step that changes it hands back what it made
    Part.ACCESS: (_ACCESS,),
    Part.CONFIG: (_CONFIG,),
    Part.RUNTIME: (_CONFIG, _RUNTIME, _MACHINE),
})  # fmt: skip


def observe(request: Request, history: History, before: Status | None) -> Snapshot:
    """Look at everything once."""
    return ask(request, blank(request, history), before)


def blank(request: Request, history: History) -> Snapshot:
    """Begin a look with what no witness tells: the time, the settings, what a person wants."""
    root = request.root
    loaded = settings.load(root, request.settings_file)
    return Snapshot(
        moment=machine.moment(root),
        settings=loaded.settings,
        settings_trouble=loaded.finding,
        tpm=TpmFacts(),
        access=AccessFacts(),
        config=ConfigFacts(""),
        runtime=RuntimeFacts(),
        history=history,
        authorisations=_authorisations(root),
        named_settings=loaded.named,
        judged=_judged(root, settings.places(loaded)),
        adopt=request.adopt,
        insist=request.because is Because.COMMAND,
    )


def ask(request: Request, snapshot: Snapshot, before: Status | None) -> Snapshot:
    """Ask every witness.

    Raises:
        OSError: one met what it has no answer to.
    """
    return _asked(_WITNESSES, request, snapshot, before)


def look_again(request: Request, snapshot: Snapshot, part: Part, before: Status | None) -> Snapshot:
    """Look at one part again, after a step has changed it."""
    return _asked(_OF_PART[part], request, snapshot, before)


def _asked(
    witnesses: tuple[_Witness, ...], request: Request, snapshot: Snapshot, before: Status | None
) -> Snapshot:
    """Ask one after the other; without settings nobody knows what to look for.

    What lies at a witness's files is noted before it reads them: what changes later is another look's matter.
    """
    if snapshot.settings is None:
        return snapshot
    for witness in witnesses:
        now = _judged(request.root, witness.places(snapshot.settings))
        seen = witness.look(request, snapshot.settings, snapshot, before)
        snapshot = replace(seen, judged=MappingProxyType({**seen.judged, **now}))
    return snapshot


def _judged(root: Root, places: tuple[str, ...]) -> Mapping[str, str]:
    return MappingProxyType(sights.at(root.path(place) for place in places))


def _authorisations(root: Root) -> Authorisations:
    """Read the TPM's passwords; one that can't be read is the TPM's trouble."""
    try:
        return authorisations(root)
    except AgentError as error:
        return Authorisations(trouble=error.finding)
