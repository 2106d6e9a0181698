"""A stage for the watcher: a scratch root, its manager, its journal and its passes, all listened to."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEADLINE_S = 30.0
_PASS = os.path.join(PROJECT, "tests", "contract", "watched_pass.py")
_KEPT = ("COVERAGE_PROCESS_START", "TZ")
_WELL = {"phase": "provisioned", "summary": "all is well", "remedy": "", "look_again_s": 3600, "units": {}}


class Mailbox:
    """A datagram socket with a deadline; everything that came is kept in `seen`, in order."""

    def __init__(self, path: str) -> None:
        self.seen: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._read = 0

    def expect(self, text: str) -> str:
        """Give the next message, not yet looked at, that contains the text."""
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            while self._read < len(self.seen):
                self._read += 1
                if text in self.seen[self._read - 1]:
                    return self.seen[self._read - 1]
            if not self._receive(max(0.001, deadline_s - time.monotonic())):
                raise AssertionError(f"no {text!r} in {self.seen}")

    def all(self) -> list[str]:
        """Give everything that came up to now; complete once the senders have ended."""
        while self._receive(0.001):
            pass
        return self.seen

    def _receive(self, timeout_s: float) -> bool:
        self._socket.settimeout(timeout_s)
        try:
            self.seen.append(self._socket.recv(65536).decode())
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


class Stage:
    """One scratch root and what happens in it."""

    def __init__(self, root: str) -> None:
        self.root = root
        for folder in ("pass", "run/systemd/journal"):
            os.makedirs(f"{root}/{folder}")
        self.manager = Mailbox(f"{root}/notify")
        self.passes = Mailbox(f"{root}/pass/events")
        self.journal = Mailbox(f"{root}/run/systemd/journal/socket")
        self._children: list[subprocess.Popen[bytes]] = []
        self.result()

    def result(self, **fields: object) -> None:
        """Set what the next passes leave in status.json."""
        with open(f"{self.root}/pass/new", "w", encoding="utf-8") as target:
            json.dump(_WELL | fields, target)
        os.replace(f"{self.root}/pass/new", f"{self.root}/pass/result.json")

    def switch(self, name: str, value: str | None = "") -> None:
        """Set one of the pass's switches, or take it back with None."""
        path = f"{self.root}/pass/{name}"
        if value is None:
            os.unlink(path)
            return
        with open(path, "w", encoding="ascii") as target:
            target.write(value)

    def shut_gate(self) -> None:
        """Make passes wait."""
        os.mkfifo(f"{self.root}/pass/gate")

    def open_gate(self) -> None:
        """Let the waiting pass go on, and later ones not wait."""
        with open(f"{self.root}/pass/gate", "wb") as gate:
            os.unlink(f"{self.root}/pass/gate")
            gate.write(b"x")

    def watch(
        self,
        *,
        patch: str = "",
        environment: Mapping[str, str] | None = None,
        under: tuple[str, ...] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a watcher whose passes are ours; `patch` is Python run first, `under` a wrapper."""
        pass_argv = (sys.executable, "-I", "-S", _PASS, self.root)
        start = (
            f"import sys; sys.path.insert(1, {PROJECT!r})\n"
            "from agent import daemon, running_pass\nfrom agent.host.root import Root\n"
            f"{patch}\n"
            f"sys.exit(daemon.Watcher(Root({self.root!r}), pass_argv={pass_argv!r}).run())"
        )
        return self.run(*under, sys.executable, "-I", "-c", start, environment=environment)

    def run(self, *argv: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a process that ends with the stage."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "NOTIFY_SOCKET": f"{self.root}/notify"}
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=kept | own | dict(environment or {}),
        )
        self._children.append(child)
        return child

    def stop(self, watcher: subprocess.Popen[bytes]) -> None:
        """Stop a watcher as systemd does, and see that it ended well."""
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(DEADLINE_S) == 0

    def reasons(self) -> list[str]:
        """Give the reasons of all passes that were started; complete once the watcher has ended."""
        return [message.split()[1] for message in self.passes.all() if message.startswith("begin ")]

    def close(self) -> None:
        for child in self._children:
            child.kill()
            child.communicate()
        for mailbox in (self.manager, self.passes, self.journal):
            mailbox.close()


@contextmanager
def stage() -> Iterator[Stage]:
    """Give a stage, and clear it away; its path is short because it holds sockets."""
    root = tempfile.mkdtemp(prefix="ep-")
    made = Stage(root)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(root)
