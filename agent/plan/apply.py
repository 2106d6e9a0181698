"""Have the runtime take config.toml over: when that is needed, and what keeps us from it now. Pure."""

import math
from collections.abc import Iterator

from agent.codes import Finding, apply
from agent.edge import generated
from agent.edge.engine import EngineState
from agent.edge.evidence import EDGED
from agent.edge.generated import Disagreement
from agent.facts.history import Intent, may_retry
from agent.facts.snapshot import Snapshot
from agent.facts.steps import APPLY, RESTART, ApplyConfig, RestartRuntime
from agent.plan import verdict
from agent.plan.case import Case, Found
from agent.plan.engine import engine_too_new
from agent.plan.stop import StopError


def apply_config(case: Case) -> Iterator[Found]:
    """Apply where the generated files don't say what config.toml says, and where that can be done now."""
    snapshot = case.snapshot
    if snapshot.runtime.change_pid is not None:
        raise StopError(apply.RUNNING(pid=snapshot.runtime.change_pid))
    wrong = generated.disagreements(case.wish.document, snapshot.config.generated, case.wish.of_others)
    cut_off = was_cut_off(snapshot.history.intent, snapshot)
    if (wrong or cut_off) and snapshot.runtime.installer_pid is not None:
        raise StopError(apply.PACKAGES_BUSY(pid=snapshot.runtime.installer_pid))
    hindrance = _hindrance(case) or _undone(case, wrong[0]) if wrong else None
    if wrong and hindrance is None:
        reason = f"{wrong[0].about} is not applied yet" if _was_applied(snapshot) else "never applied"
        yield ApplyConfig(reason)
    elif cut_off:
        yield RestartRuntime()
    if hindrance is not None:
        raise StopError(hindrance)


def _was_applied(snapshot: Snapshot) -> bool:
    return snapshot.config.generated.get("identityd") is not None


def was_cut_off(intent: Intent | None, snapshot: Snapshot) -> bool:
    """Say whether an apply was killed in this boot before its services were back.

    aziot-edged is stopped first and started last, so one that was started since then says that the apply came
    to its end without us. After a reboot systemd has started the daemons itself.
    """
    if intent is None or intent.step not in (APPLY, RESTART) or intent.boot_id != snapshot.moment.boot_id:
        return False
    edged = [unit for unit in snapshot.runtime.units or () if unit.name == EDGED and unit.runs]
    return not any(unit.active_since_s > intent.since_s for unit in edged)


def _undone(case: Case, wrong: Disagreement) -> Finding | None:
    """Say that what was applied again is undone again, and for how long that is not answered by an apply."""
    snapshot, again, moment = case.snapshot, case.snapshot.history.reapplied, case.snapshot.moment
    if again is None or snapshot.insist or case.wish.changed or again.config_digest != snapshot.config.digest:
        return None
    if may_retry(again, boot_id=moment.boot_id, now_s=moment.monotonic_s):
        return None
    return apply.UNDONE(service=f"aziot-{wrong.service}", about=wrong.about)


def _hindrance(case: Case) -> Finding | None:
    """Say what keeps us from applying now."""
    snapshot = case.snapshot
    if snapshot.tpm.settles_in_s > 0:
        seconds = math.ceil(snapshot.tpm.settles_in_s)
        return apply.SETTLING(node=snapshot.tpm.node, seconds=seconds)
    if _was_applied(snapshot) and snapshot.runtime.engine is EngineState.DOWN:
        return apply.ENGINE_DOWN()
    return engine_too_new(snapshot.runtime) or _failed_already(case)


def _failed_already(case: Case) -> Finding | None:
    """Give the last failure of this very config.toml, while it is not worth another try."""
    snapshot, failed, moment = case.snapshot, case.snapshot.history.failed_apply, case.snapshot.moment
    if failed is None or snapshot.insist:
        return None
    if case.wish.changed or failed.config_digest != snapshot.config.digest:
        return None
    if may_retry(failed, boot_id=moment.boot_id, now_s=moment.monotonic_s):
        return None
    return verdict.finding_of(failed)
