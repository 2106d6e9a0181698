"""`status`: say what the last look found, and whether anybody is still looking."""

import argparse
import datetime as dt
import json
from dataclasses import asdict

from agent.codes import AgentError, Phase
from agent.codes.agent import NO_STATUS
from agent.codes.catalogue import by_name
from agent.facts.status import Status
from agent.host import clock, files
from agent.look.remembered import load_status

_DAEMON_LOCK = "/run/edge-provisioner/daemon.lock"
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
    status = _wait(options) if options.wait else load_status(options.root)
    watched = files.lock_note(options.root.path(_DAEMON_LOCK)) is not None
    if status is None:
        hint = "its first look is under way" if watched else "the agent is not running"
        raise AgentError(NO_STATUS(hint=hint))
    if options.json:
        print(json.dumps({**asdict(status), "running": watched}, indent=1))
    else:
        print(_as_text(status, watched=watched))
    return int(by_name(status.code).exit_code)


def _wait(options: argparse.Namespace) -> Status | None:
    deadline = clock.monotonic_s() + options.timeout
    while True:
        status = load_status(options.root)
        if (status and status.phase == options.wait) or clock.monotonic_s() >= deadline:
            return status
        clock.rest(_PAUSE_S)


def _as_text(status: Status, *, watched: bool) -> str:
    lines = [f"{status.phase}: {status.summary}"]
    if status.phase != Phase.PROVISIONED:
        lines.append(f"  what to do: {status.remedy}")
    lines += [f"  note: {notice.summary}" for notice in status.notices]
    rows = [
        ("code", f"{status.code} (more: `edge-provisioner explain {status.code}`)"),
        ("since", _time(status.since)),
        ("last look", _time(status.seen_at)),
        ("device", f"{status.device_id} on {status.hub}" if status.device_id else "not known"),
        ("registration id", status.registration_id or "not known"),
        ("TPM", _tpm(status)),
        ("daemons", ", ".join(f"{name} {unit.state}" for name, unit in status.units.items()) or "not known"),
    ]
    if status.runtime_says:
        says = ", ".join(f"{name} {word}" for name, word in status.runtime_says.items())
        rows.append(("its own status", f"{says} (what the runtime says; it can be wrong)"))
    lines += [f"  {name + ':':17}{value}" for name, value in rows]
    if not watched:
        lines.append(f"  The agent is not running: it looked last at {_time(status.seen_at)}.")
    return "\n".join(lines)


def _time(wall_s: float) -> str:
    return f"{dt.datetime.fromtimestamp(wall_s, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _tpm(status: Status) -> str:
    if not status.tpm.ek_name:
        return status.tpm.node or "none"
    return f"{status.tpm.node or 'by TCTI'}, EK Name {status.tpm.ek_name[:16]}..."
