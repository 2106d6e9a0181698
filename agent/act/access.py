"""Give the runtime's user the TPM."""

from agent.act.work import Work
from agent.codes import AgentError, udev
from agent.facts.snapshot import Snapshot
from agent.facts.steps import GrantAccess, InstallRule
from agent.host.root import Root
from agent.tpm import access


def install_rule(work: Work, snapshot: Snapshot, step: InstallRule) -> Snapshot:
    """Put the udev rule in place and have udev apply it; a rule that stood there goes to the journal.

    Raises:
        AgentError: udev.*, and nothing more is done.
    """
    installed = access.install_rule(work.request.root, step.rule)
    access.announce(work.request.root)
    if installed.backup:
        replaced = udev.RULE_REPLACED(place=installed.place, backup=installed.backup)
        work.note(replaced, text=step.rule.text.decode("utf-8", "replace"))
    _prove(work.request.root, step.node)
    return snapshot


def grant_access(work: Work, snapshot: Snapshot, step: GrantAccess) -> Snapshot:
    """Have udev apply the rule to a node, and open it as the runtime's user.

    Raises:
        AgentError: udev.access-denied.
    """
    access.announce(work.request.root)
    _prove(work.request.root, step.node)
    return snapshot


def _prove(root: Root, node: str) -> None:
    user = root.user(access.RUNTIME_USER)
    if user is None or not node:
        return
    result, reason = access.try_open(root.path(node), user)
    if result is access.Access.DENIED:
        raise AgentError(udev.ACCESS_DENIED(node=node, reason=reason))
