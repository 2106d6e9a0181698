"""Say how the device is when nothing is left to do: provisioned, on its way, or not working and why. Pure."""

import datetime as dt
import math
from collections.abc import Mapping
from types import MappingProxyType

from agent.codes import Code, Finding, Phase, apply, cloud, identity, modules, runtime, tpm
from agent.codes.catalogue import by_name
from agent.edge import causes, causes_at_modules, generated
from agent.edge.evidence import EDGED, IDENTITYD, TPMD, Evidence
from agent.edge.generated import as_url
from agent.facts.history import Attempt
from agent.facts.snapshot import Snapshot
from agent.plan import written
from agent.settings import Settings

_SHORTEST_LOOK_S = 10.0  # what ends a trouble or a start mostly wakes the watcher: a file, a device, a daemon
_OBTAIN_IDENTITY = (EDGED, IDENTITYD, TPMD)
_RARELY_S = 3600.0  # every try counts towards the TPM's lockout
_SHARE_OF_ELAPSED = 0.25


def judge(snapshot: Snapshot, settings: Settings) -> Finding:
    """Give the one finding that says how the device is."""
    if snapshot.runtime.units is None:
        return runtime.UNKNOWN()
    seen = evidence(snapshot, settings)
    cause = causes.diagnose(seen)
    if cause is not None:
        return cause
    answer = snapshot.runtime.answer
    device = {"device_id": answer.device_id, "hub": answer.hub}
    if stale := _cached(snapshot, settings):
        return stale
    left_s = settings.runtime.prove_s - _up_for_s(snapshot)
    if left_s > 0:
        return runtime.PROVING(seconds=math.ceil(left_s), **device)
    return causes_at_modules.fault(seen) or runtime.PROVISIONED(**device)


def progress(snapshot: Snapshot, settings: Settings) -> tuple[Finding, ...]:
    """Say what is under way on a device that is provisioned."""
    found = causes_at_modules.progress(evidence(snapshot, settings))
    return (found,) if found else ()


def evidence(snapshot: Snapshot, settings: Settings) -> Evidence:
    """Gather what the witnesses say."""
    seen, moment = snapshot.runtime, snapshot.moment
    now = dt.datetime.fromtimestamp(moment.wall_s, dt.UTC)
    recorded = snapshot.history.identity
    return Evidence(
        units=MappingProxyType({unit.name: unit for unit in seen.units or ()}),
        answer=seen.answer,
        now_s=moment.monotonic_s,
        now_utc=f"{now:%Y-%m-%d %H:%M}",
        restarted=frozenset(_restarted(snapshot)),
        backup=seen.backup,
        journal=seen.journal,
        node=snapshot.tpm.node or settings.tpm.device,
        looked="/dev/tpmrm0 and /dev/tpm0",
        engine=seen.engine,
        edge_agent=seen.edge_agent,
        wall_s=moment.wall_s,
        facts=MappingProxyType({
            "id_scope": settings.dps.id_scope,
            "registration_id": written.registration(snapshot, settings).registration_id or "unknown",
            "device_id": recorded.device_id if recorded else "",
            "image": "" if seen.edge_agent.runs else generated.agent_image(snapshot.config.generated),
        }),
    )  # fmt: skip


def _restarted(snapshot: Snapshot) -> list[str]:
    before = snapshot.runtime.restarts_before
    units = snapshot.runtime.units or ()
    return [unit.name for unit in units if unit.restarts > before.get(unit.name, unit.restarts)]


def _cached(snapshot: Snapshot, settings: Settings) -> Finding | None:
    """Notice an identity that was obtained with other settings than those in force."""
    had, answer = snapshot.history.identity, snapshot.runtime.answer
    if had is None or (had.hub, had.device_id) != (answer.hub, answer.device_id):
        return None
    now = written.registration(snapshot, settings)
    pairs = (
        ("id scope", had.id_scope, settings.dps.id_scope),
        ("registration id", had.registration_id, now.registration_id or "unknown"),
        ("endpoint", _bare(had.global_endpoint), _bare(now.global_endpoint)),
    )
    changed = [(name, before, now) for name, before, now in pairs if before != now]
    if not changed:
        return None
    return identity.CACHED(
        wanted=", ".join(f"{name} {now}" for name, _, now in changed),
        had=", ".join(f"{name} {before}" for name, before, _ in changed),
        device_id=had.device_id,
    )


def _bare(endpoint: str) -> str:
    return str(as_url(endpoint)).rstrip("/")


def _up_for_s(snapshot: Snapshot) -> float:
    """Say how long the youngest of those has been up that obtain the identity.

    aziot-keyd and aziot-certd start when they are first asked for, which may be later: a device that was
    called provisioned is not on its way again because of that.
    """
    obtain_it = (unit for unit in snapshot.runtime.units or () if unit.name in _OBTAIN_IDENTITY)
    since = [unit.active_since_s for unit in obtain_it if unit.runs]
    return snapshot.moment.monotonic_s - max(since, default=snapshot.moment.monotonic_s)


def proves_identity(finding: Finding) -> bool:
    """Say whether the device was found to have its identity, and its daemons up: modules come after that."""
    return finding.code is runtime.PROVISIONED or finding.code.name.startswith("modules.")


def finding_of(attempt: Attempt) -> Finding:
    """Give back the finding that a failed apply was recorded with."""
    try:
        return by_name(attempt.code)(**dict(attempt.facts))
    except (KeyError, TypeError):  # another version of the agent wrote it
        return apply.FAILED(status="unknown", reason=attempt.code)


def look_again_s(
    finding: Finding, *, since_s: float, interval_s: float, notices: tuple[Finding, ...] = ()
) -> float:
    """Say when to look again: at the interval when all is well, sooner while things are young.

    `since_s` is how long the finding has been the same. What may follow from it, or from one of the notices,
    is looked for so often that it is told within the time that its code has.
    """
    if finding.code in (apply.SETTLING, runtime.PROVING):
        return float(dict(finding.facts)["seconds"])
    if finding.code is tpm.AUTH_FAILED:
        return _RARELY_S
    follow = (code for one in (finding, *notices) for code in _followers(one.code))
    in_time_s = min((code.slack_s for code in follow), default=interval_s)
    return min(interval_s, in_time_s, _by_age_s(finding, since_s, interval_s))


def _by_age_s(finding: Finding, since_s: float, interval_s: float) -> float:
    settled = finding.code.phase is Phase.PROVISIONED
    return interval_s if settled else max(_SHORTEST_LOOK_S, since_s * _SHARE_OF_ELAPSED)


def _followers(code: Code) -> tuple[Code, ...]:
    """Give the codes that may follow from one without anything that wakes the watcher."""
    mends_unheard = code.phase is Phase.DEGRADED and code.name.startswith("modules.")
    return (runtime.PROVISIONED,) if mends_unheard else _FOLLOWERS.get(code, ())


_OF_MODULES = (modules.PULL_FAILED, modules.NOT_STARTED, modules.CRASH_LOOP)
_FOLLOWERS: Mapping[Code, tuple[Code, ...]] = MappingProxyType({
    runtime.STARTING: (cloud.SILENT, cloud.THROTTLED, cloud.HANGING),
    cloud.SILENT: (cloud.THROTTLED, cloud.HANGING),
    runtime.RESTARTED: (runtime.CRASH_LOOP,),
    modules.STARTING: _OF_MODULES,
    modules.PULLING: _OF_MODULES,
    modules.RESTARTED: _OF_MODULES,
})  # fmt: skip
