"""Whether the runtime's user may open the TPM's node, and the udev rule that lets it."""

from agent.codes import AgentError
from agent.facts.request import Request
from agent.facts.snapshot import AccessFacts, Snapshot
from agent.facts.status import Status
from agent.settings import Settings
from agent.tpm import access
from agent.values import replace


def places(_settings: Settings) -> tuple[str, ...]:
    """Name the files that this look goes by."""
    return (access.RULE_PLACE, access.RULE_PLACE_IN_RUN)


def look(request: Request, _settings: Settings, snapshot: Snapshot, _before: Status | None) -> Snapshot:
    """See whether the runtime's user may open the TPM that was chosen."""
    return replace(snapshot, access=_access(request, snapshot.tpm.node))


def _access(request: Request, node: str) -> AccessFacts:
    """Try it as that user; a timer's look believes a mode that says yes."""
    root = request.root
    user = root.user(access.RUNTIME_USER)
    try:
        rule = access.look_at_rule(root)
    except AgentError as error:
        return AccessFacts(user_exists=user is not None, trouble=error.finding)
    if user is None:
        return AccessFacts(user_exists=False, rule=rule)
    if not node:
        return AccessFacts(user_exists=True, rule=rule)
    path = root.path(node)
    shared = access.is_shared(path, user)
    if not request.wakes_tpm and access.permits(path, user):
        return AccessFacts(user_exists=True, rule=rule, access=access.Access.GRANTED, shared=shared)
    found, reason = access.try_open(path, user)
    return AccessFacts(user_exists=True, rule=rule, access=found, reason=reason, shared=shared)
