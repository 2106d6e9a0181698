"""Causes that the units themselves show, as systemd has them. Pure."""

from agent.codes import Finding, runtime
from agent.edge import journal_text
from agent.edge.evidence import DAEMONS, EDGED, SOCKETS, Evidence, fails, service_of, short
from agent.host.systemd import Unit

_EXIT_SETTINGS = 153  # edged's "bad settings", which systemd does not restart
_SHORT_LIFE_S = 60.0  # crash loops were seen with 5 to 16 s
_ONCE = 1


def masked(seen: Evidence) -> Finding | None:
    """Find a unit that somebody forbade to start."""
    masked = [name for name, unit in seen.units.items() if "masked" in (unit.load, unit.enabled)]
    return runtime.UNIT_MASKED(unit=short(masked[0])) if masked else None


def bad_settings(seen: Evidence) -> Finding | None:
    """Find edged ended for good over its settings."""
    unit = seen.unit(EDGED)
    if unit.active != "failed" or unit.exit_status != _EXIT_SETTINGS:
        return None
    reason = journal_text.innermost_cause(seen.failure(EDGED))
    return runtime.SETTINGS_BAD(unit=short(EDGED), reason=reason or "exit status 153")


def stopped(seen: Evidence) -> Finding | None:
    """Find a daemon that somebody stopped: edged must always run, others may be idle behind a socket.

    A service and its socket are down together only by hand, or while the machine starts.
    """
    for name in DAEMONS:
        unit, socket = seen.unit(name), seen.unit(name.replace(".service", ".socket"))
        if unit.active != "inactive" or unit.load != "loaded":
            continue
        asked = unit if name == EDGED else socket
        if asked.load == "loaded" and asked.active == "inactive":
            comes_up = asked.enabled == "enabled" and not asked.active_since_s  # not up yet in this boot
            return runtime.STARTING() if comes_up else runtime.STOPPED(unit=short(name))
    return None


def socket_failed(seen: Evidence) -> Finding | None:
    """Find a socket that systemd does not listen on any more; its service may look idle and well."""
    failed = (name for name in SOCKETS if seen.unit(name).active == "failed")
    name = next(failed, None)
    if name is None:
        return None
    return runtime.SOCKET_FAILED(socket=name, result=seen.unit(name).result, unit=short(service_of(name)))


def crash_loop(seen: Evidence) -> Finding | None:
    """Find a daemon that failed, fails again and again, or failed once."""
    for name in seen.troubled:
        unit = seen.unit(name)
        reason = journal_text.innermost_cause(seen.failure(name))
        facts = {"unit": short(name), "reason": reason or f"result {unit.result}, status {unit.exit_status}"}
        if unit.active == "failed":
            return runtime.UNIT_FAILED(**facts)
        if _loops(seen, unit):
            return runtime.CRASH_LOOP(**facts)
    return runtime.RESTARTED(unit=short(seen.troubled[0])) if seen.troubled else None


def _loops(seen: Evidence, unit: Unit) -> bool:
    """Say whether a unit failed more than once and did not live long in between."""
    failures = unit.restarts + fails(unit)
    return not seen.calm and failures > _ONCE and seen.now_s - unit.active_since_s < _SHORT_LIFE_S
