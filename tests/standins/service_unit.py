"""Services as systemd runs them: real processes, restarts after failures, stopping with their sockets.

Delays are scaled by the faults' time_scale.
"""

import asyncio
import contextlib
import glob
import os
import signal
import uuid
from dataclasses import dataclass, field

from . import spawn
from .journal import Journal
from .layout import SERVICES, SOCKETS, ServiceSpec, faults, scaled
from .units import JobError, SocketUnit, Unit


@dataclass(slots=True)
class ServiceUnit(Unit):
    """A service with a real process."""

    spec: ServiceSpec = field(kw_only=True)
    sockets: list[SocketUnit] = field(default_factory=list)
    process: spawn.Process | None = None
    unfinished_line: bytes = b""
    main_pid: int = 0
    exec_pid: int = 0
    exec_code: int = 0
    exec_status: int = 0
    restarts: int = 0
    stopping: bool = False
    timer: asyncio.TimerHandle | None = None
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def masked(self) -> bool:
        """Whether the unit is a link to /dev/null."""
        path = os.path.join(self.root, "etc/systemd/system", self.spec.name)
        return os.path.islink(path) and os.readlink(path) == "/dev/null"

    @property
    def idle(self) -> bool:
        """Whether a connection may start it."""
        return self.process is None and self.timer is None

    @property
    def titled(self) -> str:
        """The unit as systemd names it in its lines."""
        return f"{self.spec.name} - {self.spec.description}."

    def say(self, text: str, priority: int = 6) -> None:
        """Write a line of systemd's about this service, with the unit's name in front."""
        self._note(f"{self.spec.name}: {text}", priority)

    def _note(self, text: str, priority: int = 6) -> None:
        self.journal.systemd_said(self.spec.name, self.invocation, text, priority)

    async def start(self) -> None:
        """Start as a person asks for it: sockets first.

        Raises: JobError
        """
        if self.masked:
            raise JobError(f"Failed to start {self.spec.name}: Unit {self.spec.name} is masked.")
        if self.timer:
            await self.settled.wait()
        if self.process:
            return
        self.restarts = 0
        for unit in self.sockets:
            unit.start()
        self.launch()

    def launch(self) -> None:
        """Fork the process; it is active from then on.

        Raises: JobError where the unit is masked.
        """
        if self.masked or self.process:
            if self.masked:
                raise JobError(f"Unit {self.spec.name} is masked.")
            return
        if unmet := self._unmet_condition():
            self._note(f"{self.titled[:-1]} was skipped because of an unmet condition check ({unmet}).")
            return
        self.invocation, self.result, self.stopping = uuid.uuid4().hex, "success", False
        self.exec_code = self.exec_status = 0
        self.unfinished_line = b""
        self.exited.clear()
        fds = {unit.spec.name: unit.listener.fileno() for unit in self.sockets if unit.listener}
        self.process = spawn.daemon(self.root, self.spec, fds)
        asyncio.get_running_loop().add_reader(self.process.output, self._take_lines, self.process)
        self.main_pid = self.exec_pid = self.process.pid
        for unit in self.sockets:
            unit.unwatch()
            if unit.listener:
                unit.enter("active", "running")
        self.enter("active", "running")
        self._note(f"Started {self.titled}")
        watched = os.pidfd_open(self.main_pid)
        asyncio.get_running_loop().add_reader(watched, self._ended, watched)

    def _unmet_condition(self) -> str:
        """Give a drop-in's ConditionPathExists= that is not met; empty if there is none."""
        pattern = os.path.join(glob.escape(self.root), "etc/systemd/system", f"{self.spec.name}.d/*.conf")
        for path in sorted(glob.glob(pattern)):
            with open(path, encoding="utf-8") as source:
                for name, _, value in (line.strip().partition("=") for line in source):
                    place = os.path.join(self.root, value.lstrip("/"))
                    if name == "ConditionPathExists" and not os.path.exists(place):
                        return f"{name}={value}"
        return ""

    def give_up(self) -> None:
        """Start no more: it was started too often, and ended each time."""
        self.say("Start request repeated too quickly.", 4)
        self.result = "start-limit-hit"
        self.say(f"Failed with result '{self.result}'.", 4)
        self.enter("failed", "failed")

    def _take_lines(self, process: spawn.Process) -> None:
        """Store what the process has written, as journald does."""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(process.output, 65536):
                *lines, self.unfinished_line = (self.unfinished_line + part).split(b"\n")
                for line in lines:
                    text = line.decode("utf-8", "replace")
                    self.journal.unit_said(self.spec, process.pid, self.invocation, text)
            asyncio.get_running_loop().remove_reader(process.output)

    def _ended(self, watched: int) -> None:
        asyncio.get_running_loop().remove_reader(watched)
        os.close(watched)
        if self.process is None:
            return
        status = self.process.wait()
        self._take_lines(self.process)
        asyncio.get_running_loop().remove_reader(self.process.output)
        os.close(self.process.output)
        self.process, self.main_pid = None, 0
        self.exec_code, self.exec_status = (1, status) if status >= 0 else (2, -status)
        clean = status in {0, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGPIPE}
        if clean:
            self._clean_end()
        else:
            self._failed_end(status)
        self.exited.set()

    def _clean_end(self) -> None:
        self.say("Deactivated successfully.")
        self.enter("inactive", "dead")
        if self.stopping:
            self._note(f"Stopped {self.titled}")
        else:
            self._listen_again()

    def _failed_end(self, status: int) -> None:
        killed = status < 0
        code, name = ("killed", signal.Signals(-status).name[3:]) if killed else ("exited", _status(status))
        self.result = "signal" if killed else "exit-code"
        self.say(f"Main process exited, code={code}, status={abs(status)}/{name}", 5)
        self.say(f"Failed with result '{self.result}'.", 4)
        if self.stopping:
            self.enter("failed", "failed")
            self._note(f"Stopped {self.titled}")
        elif status == self.spec.prevent_restart:
            self.enter("failed", "failed")
            self._listen_again()
        else:
            self.enter("activating", "auto-restart")
            self.settled.clear()
            delay_s = scaled(self.root, self.spec.restart_s)
            self.timer = asyncio.get_running_loop().call_later(delay_s, self._restart)

    def _listen_again(self) -> None:
        for unit in self.sockets:
            unit.watch()

    def _restart(self) -> None:
        """Restart after a failure: the sockets are part of the service, so they restart too."""
        self.timer = None
        self.settled.set()
        self.restarts += 1
        self.say(f"Scheduled restart job, restart counter is at {self.restarts}.")
        self._note(f"Stopped {self.titled}")
        for unit in self.sockets if self.spec.socket_is_part else ():
            unit.close()
        try:
            for unit in self.sockets:
                unit.start()
            self.launch()
        except JobError:
            self.enter("failed", "failed")
        if self.sockets and faults(self.root).get("restarts_forgotten"):
            self.restarts = 0

    async def stop(self) -> None:
        """Stop the process, then the sockets, which are part of the service."""
        if self.timer:
            self.timer.cancel()
            self.timer = None
            self.settled.set()
            self.enter("inactive", "dead")
            self._note(f"Stopped {self.titled}")
        if self.process:
            await self._terminate()
        for unit in self.sockets if self.spec.socket_is_part else ():
            unit.close()
        self._listen_again()

    async def _terminate(self) -> None:
        self.stopping = True
        self._note(f"Stopping {self.titled[:-1]}...")
        self.enter("deactivating", "stop-sigterm")
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.exited.wait(), scaled(self.root, self.spec.stop_timeout_s) + 1)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.exited.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.main_pid, number)

    def kill_now(self) -> None:
        """End the process without a word: the machine is switched off."""
        if self.process:
            self._signal(signal.SIGKILL)

    def kill(self, number: int) -> None:
        """Send a signal as `systemctl kill` does, to all of the unit's processes."""
        name = signal.Signals(number).name
        self.say(
            f"Sent signal {name} to main process {self.main_pid} ({self.spec.process}) on client request."
        )
        if number == signal.SIGKILL and self.spec.daemon != "dockerd":
            thread = self.main_pid + 1
            self.say(f"Sending signal {name} to process {thread} (tokio-rt-worker) on client request.")
        self._signal(number)


def _status(status: int) -> str:
    return {1: "FAILURE", 2: "INVALIDARGUMENT"}.get(status, "n/a")


def build(root: str, journal: Journal) -> dict[str, ServiceUnit]:
    """Make all services with their sockets."""
    services = {}
    for spec in SERVICES.values():
        service = ServiceUnit(root, journal, spec=spec)
        service.sockets = [
            SocketUnit(root, journal, spec=SOCKETS[name], service=service) for name in spec.sockets
        ]
        services[spec.name] = service
    return services
