"""`reprovision`: give up the identity and ask the cloud for a new one; only with a person's --yes."""

import argparse

from agent.codes import AgentError, ExitCode, identity, runtime
from agent.converge import lock, store
from agent.converge.observe import observe
from agent.converge.one_pass import require_root
from agent.converge.plan import plan
from agent.converge.request import Request
from agent.converge.snapshot import Snapshot
from agent.edge import iotedge
from agent.edge.identity_service import AnswerKind


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `reprovision`."""
    parser.add_argument("--yes", action="store_true", help="do it; without this, only say what it costs")


def run(options: argparse.Namespace) -> int:
    """Reprovision by the runtime's own command; exits 4 with the cost where --yes is missing."""
    request = Request(options.root, options.settings)
    require_root(request, "`edge-provisioner reprovision`")
    with lock.hold(options.root, "reprovision"):
        record, _ = store.open_record(options.root)
        snapshot = observe(request, record.history, store.load_status(options.root))
        program = _ready(snapshot)
        if not options.yes:
            raise AgentError(identity.WILL_BE_GIVEN_UP(**_device(snapshot)))
        print("-> run `iotedge system reprovision`", flush=True)
        record.update(identity=None)
        ended = iotedge.reprovision(options.root, program)
        if not ended.succeeded:
            reason = ended.err.strip().partition("\n")[0] or f"status {ended.status}"
            raise AgentError(identity.REPROVISION_FAILED(reason=reason))
    print("The cloud was asked and answered; `edge-provisioner status` shows what came of it.")
    return int(ExitCode.DONE)


def _ready(snapshot: Snapshot) -> str:
    """Make sure that what is applied is what the settings want: it is what will be registered."""
    program = snapshot.runtime.program
    if program is None:
        raise AgentError(runtime.NOT_INSTALLED(missing=snapshot.runtime.missing))
    found = plan(snapshot)
    if found.holds and found.finding and found.finding.code is not identity.CACHED:
        raise AgentError(found.finding)
    if found.steps or snapshot.runtime.answer.kind is AnswerKind.NOT_ASKED:
        raise AgentError(identity.NOT_READY())
    return program


def _device(snapshot: Snapshot) -> dict[str, str]:
    answer, had = snapshot.runtime.answer, snapshot.history.identity
    if answer.device_id:
        return {"device_id": answer.device_id, "hub": answer.hub}
    if had:
        return {"device_id": had.device_id, "hub": had.hub}
    return {"device_id": "of this device (not known at the moment)", "hub": "its hub"}
