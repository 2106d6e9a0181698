"""The journal: events written by its native protocol, or as text on stderr; entries read by journalctl."""

import errno
import json
import os
import socket
import sys
from collections.abc import Mapping

from agent.host import guarded, process
from agent.host.root import Root, short_socket_path
from agent.values import dataclass

_SOCKET = "/run/systemd/journal/socket"
_JOURNALCTL = "/usr/bin/journalctl"
_TIMEOUT_S = 30.0
_SHOWN = ("code", "transaction", "steps")  # enough of an event to find the rest by `status` and `explain`
_FIELD_PREFIX = "EDGE_PROVISIONER_"
# journald asks /proc which unit a sender is of: too late for a pass that says its last word and ends. What
# root says of a unit is listed by journalctl -u and systemctl status too, and so is what was done by hand.
_ABOUT = {
    "SYSLOG_IDENTIFIER": "edge-provisioner",
    "OBJECT_SYSTEMD_UNIT": "edge-provisioner.service",
}
_OWN = ("_SYSTEMD_UNIT", "_SYSTEMD_INVOCATION_ID")
_COLOURS = {3: "\x1b[31m", 4: "\x1b[33m", 5: "\x1b[1m"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of another unit's journal."""

    unit: str
    message: str
    invocation: str = ""
    realtime_s: float = 0.0
    monotonic_s: float = 0.0
    boot_id: str = ""
    pid: int = 0


def read(root: Root, units: tuple[str, ...], *, newest: int) -> tuple[Entry, ...] | None:
    """Give the newest entries of units of this boot, oldest first; None where there is no journalctl.

    Raises:
        AgentError: agent.unguarded: journalctl is not root's alone.
    """
    program = guarded.program(root, _JOURNALCTL)
    if program is None:
        return None
    wanted = [word for unit in units for word in ("-u", unit)]
    argv = (program, "--no-pager", "-q", "-o", "json", "-b", "-n", str(newest), *wanted)
    answer = process.run(argv, process.Child(_TIMEOUT_S, environment=process.environment_for(root)))
    lines = answer.stdout.splitlines() if answer.succeeded else []
    return tuple(entry for entry in map(_entry, lines) if entry)


def _entry(line: bytes) -> Entry | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    if not isinstance(fields, dict):
        return None
    # Any process may send any field without an underscore; of units in the third person only systemd speaks.
    unit, invocation = ("UNIT", "INVOCATION_ID") if _text(fields.get("_PID")) == "1" else _OWN
    return Entry(
        unit=_text(fields.get(unit)),
        message=_text(fields.get("MESSAGE")),
        invocation=_text(fields.get(invocation)),
        realtime_s=int(_text(fields.get("__REALTIME_TIMESTAMP")) or 0) / 1e6,
        monotonic_s=int(_text(fields.get("__MONOTONIC_TIMESTAMP")) or 0) / 1e6,
        boot_id=_text(fields.get("_BOOT_ID")),
        pid=int(_text(fields.get("_PID")) or 0),
    )


def _text(value: object) -> str:
    """Give a field as text: journald has a list of bytes for what is no UTF-8, null for what is too large."""
    if isinstance(value, list) and all(isinstance(byte, int) for byte in value):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def send(root: Root, message: str, priority: int, fields: Mapping[str, str]) -> None:
    """Write one event: to the journal's socket where there is one, else as a line on stderr.

    `fields` have lower-case names and get our prefix, save those already in upper case.
    """
    native = {_native_name(name): value for name, value in fields.items()}
    native |= {"MESSAGE": message, "PRIORITY": str(priority), **_ABOUT}
    if not _send_native(root, native):
        _print(message, priority, fields)


def serialise(fields: Mapping[str, str]) -> bytes:
    """Give an event in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""
    event = bytearray()
    for name, value in fields.items():
        data = value.encode("utf-8", "replace")
        if b"\n" in data:
            event += name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
        else:
            event += name.encode() + b"=" + data + b"\n"
    return bytes(event)


def _native_name(name: str) -> str:
    return name if name.isupper() else _FIELD_PREFIX + name.upper()


def _send_native(root: Root, fields: Mapping[str, str]) -> bool:
    try:
        place, folder = short_socket_path(root.path(_SOCKET))
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(2.0)
            _send_datagram(sender, place, serialise(fields))
    except OSError:
        return False
    finally:
        if folder is not None:
            os.close(folder)
    return True


def _send_datagram(sender: socket.socket, place: str, event: bytes) -> None:
    try:
        sender.sendto(event, place)
    except OSError as error:
        if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
            raise
        _send_as_file(sender, place, event)


def _send_as_file(sender: socket.socket, place: str, event: bytes) -> None:
    import fcntl

    memory = os.memfd_create("journal-event", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    try:
        os.write(memory, event)
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
        sender.connect(place)
        socket.send_fds(sender, [b""], [memory])
    finally:
        os.close(memory)


def _stderr_is_journal() -> bool:
    """Say whether stderr is the journal's stream (systemd.exec(5), $JOURNAL_STREAM), not only inherited."""
    found = os.fstat(2)
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _print(message: str, priority: int, fields: Mapping[str, str]) -> None:
    shown = " ".join(f"{name}={value}" for name, value in fields.items() if name in _SHOWN)
    line = f"{message}  [{shown}]" if shown else message
    if _stderr_is_journal():
        line = "\n".join(f"<{priority}>{part}" for part in line.split("\n"))
    elif sys.stderr.isatty() and not os.environ.get("NO_COLOR") and priority in _COLOURS:
        line = f"{_COLOURS[priority]}{line}\x1b[0m"
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
