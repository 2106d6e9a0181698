"""Units and sockets as systemd runs them: states, socket activation, PartOf.

What is seen from outside is that of systemd 252.
"""

import asyncio
import os
import socket
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .journal import Journal
from .layout import SocketSpec, give, group_id, ids
from .unixhttp import listen

if TYPE_CHECKING:
    from .service_unit import ServiceUnit

_START_LIMIT = 5


class JobError(Exception):
    """A start or stop that did not succeed; the text is what systemctl prints."""


@dataclass(slots=True)
class Unit:
    """What every unit has: its state, since when, and under which invocation."""

    root: str
    journal: Journal
    active: str = "inactive"
    sub: str = "dead"
    result: str = "success"
    invocation: str = ""
    changed_us: int = 0
    active_us: int = 0

    def enter(self, active: str, sub: str) -> None:
        """Change state."""
        self.changed_us = time.monotonic_ns() // 1000
        if active == "active" and self.active != "active":
            self.active_us = self.changed_us
        self.active, self.sub = active, sub


@dataclass(slots=True)
class SocketUnit(Unit):
    """A listening socket that starts its service when somebody connects."""

    spec: SocketSpec = field(kw_only=True)
    service: "ServiceUnit" = field(kw_only=True)
    listener: socket.socket | None = None
    triggered: int = 0

    def start(self) -> None:
        """Listen.

        Raises: JobError where the service may not be started.
        """
        if self.listener:
            return
        if self.service.masked:
            name = self.service.spec.name
            self.say(f"{self.spec.name}: Socket service {name} not loaded, refusing.", 3)
            self.say(f"Failed to listen on {self.spec.name} - {self.spec.description}.", 3)
            raise JobError('Job failed. See "journalctl -xe" for details.')
        path = os.path.join(self.root, self.spec.path)
        self.listener = listen(path)
        self.listener.setblocking(False)
        uid = (ids(self.root, self.spec.user) or (0, 0))[0]
        give(path, uid, group_id(self.root, self.spec.group) or 0, self.spec.mode)
        self.invocation, self.result = uuid.uuid4().hex, "success"
        self.enter("active", "running" if self.service.active == "active" else "listening")
        self.say(f"Listening on {self.spec.name} - {self.spec.description}.")
        self.watch()

    def close(self, result: str = "success") -> None:
        """Stop listening; clients that wait are reset."""
        if not self.listener:
            return
        self.unwatch()
        self.listener.close()
        self.listener, self.result, self.triggered = None, result, 0
        if result == "success":
            self.enter("inactive", "dead")
            self.say(f"Closed {self.spec.name} - {self.spec.description}.")
        else:
            self.enter("failed", "failed")
            self.say(f"{self.spec.name}: Failed with result '{result}'.", 4)

    def watch(self) -> None:
        """Start the service at the next connection."""
        if self.listener and self.service.idle:
            self.enter("active", "listening")
            asyncio.get_running_loop().add_reader(self.listener, self._trigger)

    def unwatch(self) -> None:
        """Leave connections to the running service."""
        if self.listener:
            asyncio.get_running_loop().remove_reader(self.listener)

    def _trigger(self) -> None:
        self.unwatch()
        self.triggered += 1
        if self.triggered > _START_LIMIT:
            self.service.give_up()
            for unit in self.service.sockets:
                unit.close("service-start-limit-hit")
            return
        self.service.restarts = 0
        try:
            self.service.launch()
        except JobError:
            self.close("resources")
        if self.listener and self.service.idle:  # its condition is not met, and the client waits on
            self.say(f"{self.spec.name}: Trigger limit hit, refusing further activation.", 4)
            self.close("trigger-limit-hit")

    def say(self, text: str, priority: int = 6) -> None:
        """Write a line of systemd's about this socket."""
        self.journal.systemd_said(self.spec.name, self.invocation, text, priority)
