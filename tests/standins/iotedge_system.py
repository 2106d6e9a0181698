"""`iotedge system …`: status, restart, stop, reprovision, logs, set-log-level."""

import os
import sys
from collections.abc import Callable

from .layout import RUNTIME, SERVICES
from .programs import NoProgramError, journalctl, systemctl
from .unixhttp import REASONS, ask

_HINTS = (
    "Use 'iotedge system logs' to check for non-fatal errors.\n"
    "Use 'iotedge check' to diagnose connectivity and configuration issues.\n"
)
_LEVELS = ("error", "warn", "info", "debug", "trace")
_SPAWN_FAILED = """Error {{
    context: "{context}",
    source: Os {{
        code: 2,
        kind: NotFound,
        message: "No such file or directory",
    }},
}}
Error running system command

"""


def _job(root: str, verb: str, unit: str) -> None:
    """Start or stop a unit; a failure is printed and nothing more."""
    words = {"start": ("Starting", "Started!"), "stop": ("Stopping", "Stopped!")}[verb]
    sys.stdout.write(f"{words[0]} {unit}...")
    sys.stdout.flush()
    done = systemctl(root, verb, unit)
    if done["status"] == 0:
        sys.stdout.write(f"{words[1]}\n")
    else:
        sys.stderr.write(
            "systemctl exited with non-zero status code.\nstdout:\n=======\nstderr:\n=======\n\n"
        )
        sys.stdout.write(done["out"] + done["err"])
    sys.stdout.flush()


def stop(root: str) -> None:
    """Stop the five services."""
    for name in RUNTIME:
        _job(root, "stop", name)


def restart(root: str, between: Callable[[], None] = lambda: None) -> None:
    """Stop all, start every socket, start edged; the others come when they are needed."""
    stop(root)
    between()
    for name in RUNTIME:
        for unit in SERVICES[name].sockets:
            _job(root, "start", unit)
    _job(root, "start", RUNTIME[0])


def _state(root: str, unit: str) -> str:
    done = systemctl(root, "is-active", unit)
    said = done["out"].strip()
    known = {"active": "Running", "inactive": "Ready"}
    return known.get(said, f"Down - {said} {done['err'].strip()}")


def status(root: str) -> None:
    """Print the table, and the last lines of what is down."""
    states = {name: _state(root, name) for name in RUNTIME}
    sockets = {unit: _state(root, unit) for name in RUNTIME for unit in SERVICES[name].sockets}
    effective = dict(states)
    for name in RUNTIME:
        closed = any(sockets[unit] != "Running" for unit in SERVICES[name].sockets)
        if states[name] == "Running" and closed:
            effective[name] = "Down - socket error"
    sys.stdout.write("System services:\n")
    for name, state in effective.items():
        sys.stdout.write(f"    {name.removesuffix('.service'):24}{state}\n")
    sys.stdout.write("\n")
    for name, state in effective.items():
        if state.startswith("Down"):
            _details(root, name, states[name], sockets)
    sys.stdout.write(_HINTS)


def _details(root: str, name: str, state: str, sockets: dict[str, str]) -> None:
    sys.stdout.write(f"{name.removesuffix('.service')} is in a bad state because:\n")
    _tail(root, name, state)
    for unit in SERVICES[name].sockets:
        if sockets[unit] != "Running":
            shown = "Down - inactive" if sockets[unit] == "Ready" else sockets[unit]
            _tail(root, unit, shown)


def _tail(root: str, unit: str, state: str) -> None:
    sys.stdout.write(f"{unit}: {state}: Printing the last 10 log lines.\n")
    sys.stdout.flush()
    journalctl(root, "-u", unit, "--no-pager", "-e", "-n", "10")
    sys.stdout.write("\n")


def reprovision(root: str) -> int:
    """Ask identityd to register anew, then restart edged."""
    path = os.path.join(root, "run/aziot/identityd.sock")
    target = "/identities/device/reprovision?api-version=2020-09-01"
    try:
        answer = ask(path, ("POST", target), {"type": "aziot"}, timeout_s=600)
        problem = "" if answer.status == 204 else f"{answer.status} {REASONS[answer.status]}"
        problem = problem and f"unexpected HTTP status code: {problem}"
    except ConnectionResetError:
        problem = "client error (SendRequest)"
    except OSError:
        problem = "client error (Connect)"
    if problem:
        sys.stderr.write(f"Failed to reprovision: {problem}\nError running system command\n\n")
        return 1
    sys.stdout.write("Successfully reprovisioned with IoT Hub.\n")
    edged = SERVICES[RUNTIME[0]]
    _job(root, "stop", edged.name)
    for unit in (*edged.sockets, edged.name):
        _job(root, "start", unit)
    return 0


def _logs(root: str, arguments: list[str]) -> None:
    units = [word for name in RUNTIME for word in ("-u", name)]
    journalctl(root, *units, *(arguments or ["-e", "--no-pager"]))


def _set_log_level(root: str, level: str) -> None:
    for name in RUNTIME:
        folder = os.path.join(root, "etc/systemd/system", f"{name}.d")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "log-level.conf"), "w", encoding="ascii") as target:
            target.write(f"[Service]\nEnvironment=AZIOT_LOG={level.upper()}")
    systemctl(root, "daemon-reload")
    sys.stdout.write(
        f"Set log level to {level.upper()} for all services. "
        "Run the `iotedge system restart` command for the changes to take effect.\n"
    )


def main(root: str, arguments: list[str]) -> int | None:
    """Run `system` with what stands after it; None where that is not its use."""
    try:
        match arguments:
            case ["status"]:
                status(root)
            case ["restart"]:
                restart(root)
            case ["stop"]:
                stop(root)
            case ["reprovision"]:
                return reprovision(root)
            case ["logs", *rest]:
                _logs(root, rest[1:] if rest[:1] == ["--"] else rest)
            case ["set-log-level", level] if level in _LEVELS:
                _set_log_level(root, level)
            case _:
                return None
    except NoProgramError as absent:
        sys.stdout.flush()
        sys.stderr.write(_SPAWN_FAILED.format(context=absent))
        return 1
    return 0
