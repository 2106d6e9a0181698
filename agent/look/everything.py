"""Look at the machine: every witness fills its part of one Snapshot. Changes nothing, starts no daemon."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from agent.codes import AgentError
from agent.facts.history import History
from agent.facts.request import Request
from agent.facts.snapshot import (
    AccessFacts,
    Because,
    ConfigFacts,
    Part,
    RuntimeFacts,
    Snapshot,
    TpmFacts,
)
from agent.facts.status import Status
from agent.host.root import Root
from agent.look import access, config, machine, runtime, settings, tpm
from agent.settings import Settings
from agent.tpm.keys import Authorisations, authorisations

_Witness = Callable[[Request, Settings, Snapshot, Status | None], Snapshot]
# In this order: the later go by what the earlier found; the time is that of the last.
_WITNESSES: tuple[_Witness, ...] = (tpm.look, access.look, config.look, runtime.look, machine.look)
_OF_PART: Mapping[Part, tuple[_Witness, ...]] = MappingProxyType({
    Part.TPM: (),  # the step that changes it hands back what it made
    Part.ACCESS: (access.look,),
    Part.CONFIG: (config.look,),
    Part.RUNTIME: (config.look, runtime.look, machine.look),
})  # fmt: skip


def observe(request: Request, history: History, before: Status | None) -> Snapshot:
    """Look at everything once."""
    root = request.root
    loaded = settings.load(root, request.settings_file)
    blank = Snapshot(
        moment=machine.moment(root),
        settings=loaded.settings,
        settings_trouble=loaded.finding,
        tpm=TpmFacts(),
        access=AccessFacts(),
        config=ConfigFacts(""),
        runtime=RuntimeFacts(),
        history=history,
        authorisations=_authorisations(root),
        adopt=request.adopt,
        insist=request.because is Because.COMMAND,
    )
    return _asked(_WITNESSES, request, blank, before)


def look_again(request: Request, snapshot: Snapshot, part: Part, before: Status | None) -> Snapshot:
    """Look at one part again, after a step has changed it."""
    return _asked(_OF_PART[part], request, snapshot, before)


def _asked(
    witnesses: tuple[_Witness, ...], request: Request, snapshot: Snapshot, before: Status | None
) -> Snapshot:
    """Ask one after the other; without settings nobody knows what to look for."""
    if snapshot.settings is None:
        return snapshot
    for look in witnesses:
        snapshot = look(request, snapshot.settings, snapshot, before)
    return snapshot


def _authorisations(root: Root) -> Authorisations:
    """Read the TPM's passwords; one that can't be read is the TPM's trouble, told when it is asked."""
    try:
        return authorisations(root)
    except AgentError:
        return Authorisations()
