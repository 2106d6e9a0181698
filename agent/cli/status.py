"""`status`: say what the last look found, and whether anybody is still looking."""

import argparse
import datetime as dt
import json

from agent.codes import AgentError, Phase
from agent.codes.agent import NO_STATUS
from agent.codes.catalogue import by_name
from agent.facts.duration import in_words
from agent.facts.status import Status, StepStatus
from agent.host import clock, locks
from agent.host.root import Root
from agent.look.remembered import load_status
from agent.passes import lock
from agent.values import asdict

_WATCHER_LOCK = "/run/edge-provisioner/watcher.lock"
_HINTS = {
    True: "its first look is under way",
    False: "the agent is not running",
    None: "whether the agent runs does not show to a user who sees no processes of others (try `sudo`)",
}
_PAUSE_S = 0.2
_PATIENCE_S = 300.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `status`."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--wait", choices=[one.value for one in Phase], metavar="PHASE",
        help=f"wait for this phase first: {', '.join(one.value for one in Phase)}",
    )  # fmt: skip
    parser.add_argument(
        "--timeout", type=float, default=_PATIENCE_S, metavar="SECONDS",
        help="how long --wait waits (default: %(default)s)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Print the status; the exit code is that of its code."""
    root, busy_with = options.root, lock.holder(options.root)
    status = _wait(root, options.wait, options.timeout) if options.wait else load_status(root)
    watched = locks.lock_note(root.path(_WATCHER_LOCK)) is not None if clock.sees_processes() else None
    if status is None:
        raise AgentError(NO_STATUS(hint=_HINTS[watched]))
    if options.json:
        print(json.dumps({**asdict(status), "running": watched, "looking": busy_with}, indent=1))
    else:
        print(_as_text(status, busy_with, watched=watched))
    return int(by_name(status.code).exit_code)


def _wait(root: Root, phase: str, timeout_s: float) -> Status | None:
    deadline_s = clock.monotonic_s() + timeout_s
    while True:
        busy = lock.is_held(root)
        status = load_status(root)
        if status and status.phase == phase and _is_true_now(status, busy=busy):
            return status
        if clock.monotonic_s() >= deadline_s:
            return status
        clock.rest(_PAUSE_S)


def _is_true_now(status: Status, *, busy: bool) -> bool:
    """Say whether that is how the device is: not what a look under way is to replace, nor a step cut off."""
    return not busy if status.step is None else _goes_on(status.step)


def _goes_on(step: StepStatus) -> bool:
    return clock.process_start_ticks(step.pid) == step.start_time


def _next_look(status: Status, busy_with: str, *, watched: bool | None) -> str:
    if busy_with:
        return f"under way, by {busy_with}"
    if not watched:
        return "not known" if watched is None else "none"
    left_s = status.look_again_s - (clock.monotonic_s() - status.monotonic_s)
    return f"in {in_words(left_s)}, or when something changes" if left_s > 0 else "due now"


def _as_text(status: Status, busy_with: str, *, watched: bool | None) -> str:
    lines = [f"{status.phase}: {status.summary}"]
    if status.phase != Phase.PROVISIONED:
        lines.append(f"  what to do: {status.remedy}")
    lines += [f"  note: {notice.summary}" for notice in status.notices]
    rows = [
        ("code", f"{status.code} (more: `edge-provisioner explain {status.code}`)"),
        ("since", f"{_time(status.since)} ({in_words(clock.wall_s() - status.since)} ago)"),
        ("last look", f"{_time(status.seen_at)} ({in_words(clock.monotonic_s() - status.monotonic_s)} ago)"),
        ("next look", _next_look(status, busy_with, watched=watched)),
        ("device", f"{status.device_id} on {status.hub}" if status.device_id else "not known"),
        ("registration id", status.registration_id or "not known"),
        ("TPM", _tpm(status)),
        ("daemons", ", ".join(f"{name} {unit.state}" for name, unit in status.units.items()) or "not known"),
    ]
    if status.modules:
        rows.append(("modules", ", ".join(f"{name} {one.state}" for name, one in status.modules.items())))
    if status.runtime_says:
        says = ", ".join(f"{name} {word}" for name, word in status.runtime_says.items())
        rows.append(("its own status", f"{says} (what the runtime says; it can be wrong)"))
    lines += [f"  {name + ':':17}{value}" for name, value in rows]
    if watched is None:
        lines.append(f"  {_HINTS[None].capitalize()}.")
    elif not watched:
        lines.append(f"  The agent is not running: it looked last at {_time(status.seen_at)}.")
    if status.step and watched is not None and not _goes_on(status.step):
        lines.append("  That step was cut off: its process is gone. The next look finds out what came of it.")
    return "\n".join(lines)


def _time(wall_s: float) -> str:
    return f"{dt.datetime.fromtimestamp(wall_s, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _tpm(status: Status) -> str:
    if not status.tpm.ek_name:
        return status.tpm.node or "none"
    return f"{status.tpm.node or 'by TCTI'}, EK Name {status.tpm.ek_name[:16]}..."
