"""`reprovision`: give up the identity and ask the cloud for a new one; only with a person's --yes."""

import argparse

from agent.act.record import open_record, require_own
from agent.act.work import program_of
from agent.cli.once import show, tell
from agent.codes import AgentError, Code, ExitCode, identity
from agent.edge import iotedge
from agent.edge.identity_service import AnswerKind
from agent.facts.request import Request
from agent.facts.snapshot import Snapshot
from agent.facts.steps import Begun, Reprovision
from agent.host import clock, process
from agent.look.everything import observe
from agent.look.remembered import load_status
from agent.passes import lock
from agent.passes.one_pass import pass_under_lock, require_root
from agent.passes.publish import Publisher
from agent.plan.plan import plan


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `reprovision`."""
    parser.add_argument("--yes", action="store_true", help="do it; without this, only say what it costs")


def run(options: argparse.Namespace) -> int:
    """Reprovision by the runtime's own command; exits 4 with the cost where --yes is missing.

    Whatever comes of it is looked at and published at once: a refusal costs the stored identity, and nothing
    else shows that while the daemons run (as seen on runtime 1.6).
    """
    request = Request(options.root, options.settings)
    require_root(request, "`edge-provisioner reprovision`")
    with lock.hold(request.root, "reprovision"):
        ended = _reprovision(request, allowed=options.yes)
        status = pass_under_lock(request, tell, lambda: False)
    if not ended.succeeded:
        reason = ended.err.strip().partition("\n")[0] or f"status {ended.status}"
        raise AgentError(identity.REPROVISION_FAILED(reason=reason))
    show(status)
    return int(ExitCode.DONE)


def _reprovision(request: Request, *, allowed: bool) -> process.Finished:
    require_own(request.root)
    record, _ = open_record(request.root)
    publisher = Publisher(request, load_status(request.root), clock.random_id())
    snapshot = observe(request, record.history, publisher.before)
    program = _ready(snapshot)
    if not allowed:
        raise AgentError(identity.WILL_BE_GIVEN_UP(**_device(snapshot)))
    publisher.begun(snapshot, Begun(Reprovision(), 1, 1))
    tell(Reprovision().effect)
    ended = iotedge.reprovision(request.root, program)
    if ended.succeeded:  # else it is still what this device was, and its loss can be told
        record.update(identity=None)
    return ended


def _ready(snapshot: Snapshot) -> str:
    """Make sure that what is applied is what the settings want: it is what will be registered.

    What the cloud said last is no obstacle: after a reprovisioning that was refused, aziot-identityd does not
    ask again by itself (as seen on runtime 1.6).
    """
    if snapshot.runtime.trouble is not None:
        raise AgentError(snapshot.runtime.trouble)
    found = plan(snapshot)
    if found.holds and found.finding and not _asking_may_help(found.finding.code):
        raise AgentError(found.finding)
    if found.steps or snapshot.runtime.answer.kind is AnswerKind.NOT_ASKED:
        raise AgentError(identity.NOT_READY())
    return program_of(snapshot)


def _asking_may_help(code: Code) -> bool:
    return code is identity.CACHED or code.name.startswith("cloud.")


def _device(snapshot: Snapshot) -> dict[str, str]:
    answer, had = snapshot.runtime.answer, snapshot.history.identity
    if answer.device_id:
        return {"device_id": answer.device_id, "hub": answer.hub}
    if had:
        return {"device_id": had.device_id, "hub": had.hub}
    return {"device_id": "of this device (not known at the moment)", "hub": "its hub"}
