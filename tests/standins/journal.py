"""The machine's journal: JSON lines with journald's field names, appended one write a line."""

import json
import os
import time
from collections.abc import Iterator

from .layout import JOURNAL, ServiceSpec, hostname

Entry = dict[str, str]


def _boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as source:
        return source.read().strip().replace("-", "")


class Journal:
    """Writes to and reads from one machine's journal."""

    def __init__(self, root: str) -> None:
        self._path = os.path.join(root, JOURNAL)
        self._boot = _boot_id()
        self._hostname = hostname(root)

    def unit_said(self, spec: ServiceSpec, pid: int, invocation: str, line: str) -> None:
        """Store a line that a unit's process wrote; a priority may stand in front; empty ones are dropped."""
        if not line:
            return
        priority, text = (line[1], line[3:]) if line[:1] == "<" and line[2:3] == ">" else ("6", line)
        self._append(
            {
                "PRIORITY": priority,
                "SYSLOG_IDENTIFIER": spec.process,
                "_COMM": spec.process,
                "_PID": str(pid),
                "_SYSTEMD_UNIT": spec.name,
                "_SYSTEMD_INVOCATION_ID": invocation,
                "_TRANSPORT": "stdout",
                "MESSAGE": text,
            }
        )

    def systemd_said(self, unit: str, invocation: str, message: str, priority: int = 6) -> None:
        """Store what the service manager says about a unit."""
        fields = {
            "PRIORITY": str(priority),
            "SYSLOG_IDENTIFIER": "systemd",
            "_COMM": "systemd",
            "_PID": "1",
            "_SYSTEMD_UNIT": "init.scope",
            "_TRANSPORT": "journal",
            "UNIT": unit,
            "MESSAGE": message,
        }
        self._append(fields | ({"INVOCATION_ID": invocation} if invocation else {}))

    def _append(self, fields: Entry) -> None:
        now_us, mono_us = time.time_ns() // 1000, time.monotonic_ns() // 1000
        entry = {
            "__CURSOR": f"s={self._boot};i={mono_us:x};b={self._boot};m={mono_us:x};t={now_us:x};x=0",
            "__REALTIME_TIMESTAMP": str(now_us),
            "__MONOTONIC_TIMESTAMP": str(mono_us),
            "_BOOT_ID": self._boot,
            "_HOSTNAME": self._hostname,
            "_UID": "0",
        } | fields
        line = (json.dumps(entry) + "\n").encode()
        target = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            os.write(target, line)
        finally:
            os.close(target)

    def entries(self) -> Iterator[Entry]:
        """Give everything stored, oldest first."""
        try:
            with open(self._path, encoding="utf-8") as source:
                for line in source:
                    if line.endswith("\n"):
                        yield json.loads(line)
        except FileNotFoundError:
            return
