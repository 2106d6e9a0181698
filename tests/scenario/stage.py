"""A stage for whole passes: a scratch machine with the stand-in runtime, a software TPM, the real command.

Nothing here sleeps to get in step: what is waited for is looked at again and again, up to a deadline.
"""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from unittest import mock

import tomlkit

from agent.cli import main
from agent.codes.catalogue import by_name
from agent.host import clock
from agent.host.process import module_argv
from tests.standins.machine import build_machine
from tests.standins.software_tpm import SoftwareTpm
from tests.standins.unixhttp import ask

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEADLINE_S = 30.0
CONFIG = "/etc/aziot/config.toml"
SETTINGS = "/etc/edge-provisioner/agent.toml"
STATUS = "/run/edge-provisioner/status.json"
HISTORY = "/var/lib/edge-provisioner/history.json"
RULE = "/etc/udev/rules.d/tpmaccess.rules"
JOURNAL = "/run/systemd/journal/socket"
SCOPE = "0ne00000001"
# The stand-in's waits are a twentieth of the runtime's; so are ours that stand against them.
_SETTINGS: dict[str, dict[str, Any]] = {
    "dps": {"id_scope": SCOPE},
    "tpm": {"settle_s": 0.2},
    "runtime": {"prove_s": 0.5},
}
_KINDS = ("tpm", "tpmrm")
INSIDE = "SCENARIO_INSIDE"  # set: the command is called, not started, for a debugger or for coverage

Status = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended."""

    status: int
    out: str
    err: str


class Journal:
    """A journal that hears events in its native protocol."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def expect(self, code: str) -> bytes:
        """Give the next event with this code of ours."""
        wanted = f"EDGE_PROVISIONER_CODE={code}\n".encode()
        while wanted not in (event := self._listener.recv(65536)):
            pass
        return event

    def rest(self) -> list[bytes]:
        """Give the events that have come by now."""
        events = []
        self._listener.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                events.append(self._listener.recv(65536))
        self._listener.settimeout(DEADLINE_S)
        return events


class Stage:
    """One machine, its TPM, and the agent's command."""

    def __init__(self, base: str, *, runtime: bool = True, folder: str = "machine") -> None:
        self.machine = build_machine(os.path.join(base, folder), runtime=runtime)
        self.tpm = SoftwareTpm(os.path.join(base, "tpm"))
        self._chips = {kind: self.tpm.bridge(f"{base}/chip-{kind}") for kind in _KINDS}
        self._settings: dict[str, dict[str, Any]] = {}
        self.heard = ""  # all that the command said to the journal, which here is its standard error
        self.did: list[str] = []  # the effects that it named
        os.makedirs(self.path("/etc/edge-provisioner"))
        self.settings(_SETTINGS)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.tpm)
            stack.enter_context(self.machine)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # The machine

    def path(self, absolute: str) -> str:
        """Give the place of a path of the machine."""
        return self.machine.path(absolute)

    def read(self, absolute: str) -> str:
        with open(self.path(absolute), encoding="utf-8") as source:
            return source.read()

    def write(self, absolute: str, data: str | bytes, mode: int = 0o644) -> None:
        """Write a file as a person or another program would."""
        place = self.path(absolute)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as target:
            target.write(data.encode() if isinstance(data, str) else data)
        os.chmod(place, mode)

    def edit(self, absolute: str, old: str, new: str) -> None:
        """Replace a text that is there, as a person would."""
        text = self.read(absolute)
        assert old in text
        self.write(absolute, text.replace(old, new), os.stat(self.path(absolute)).st_mode & 0o7777)

    def settings(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Change settings of the agent; None takes one away."""
        for table, values in changes.items():
            there = {**self._settings.get(table, {}), **values}
            self._settings[table] = {name: value for name, value in there.items() if value is not None}
        self.write(SETTINGS, tomlkit.dumps(self._settings))

    def plug(self, number: int = 0) -> None:
        """Make the TPM appear as the kernel's tpmN and tpmrmN; udev's loaded rules apply."""
        for kind, chip in self._chips.items():
            chip.plug()
            self.machine.plug(f"{kind}{number}", os.path.realpath(chip.node))

    def unplug(self, number: int = 0) -> None:
        """Take the TPM away."""
        for kind, chip in self._chips.items():
            with suppress(FileNotFoundError):
                self.machine.unplug(f"{kind}{number}")
            chip.unplug()

    @contextmanager
    def journal(self) -> Iterator["Journal"]:
        """Give the machine a journal that hears our events, for the block."""
        place = self.path(JOURNAL)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(place)
            listener.settimeout(DEADLINE_S)
            yield Journal(listener)
        os.unlink(place)

    def systemctl(self, *words: str) -> str:
        """Ask the machine's systemctl; gives what it prints."""
        return str(self.machine.systemctl(*words)["out"]).strip()

    def iotedge(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the machine's iotedge, as a person at the device does."""
        return self.machine.run("iotedge", *words)

    def runtime_says(self) -> dict[str, str]:
        """Give the table of the runtime's own `system status`: daemon and word."""
        rows = self.iotedge("system", "status").stdout.partition("\n\n")[0].splitlines()[1:]
        return {name: word.strip() for name, word in (row.split(maxsplit=1) for row in rows)}

    # The command

    def argv(self, *words: str) -> tuple[str, ...]:
        """Give its command line, to be run in the checkout."""
        return (sys.executable, "-m", "agent", "--root", self.machine.root, *words)

    def run(self, *words: str, ahead_s: float = 0.0) -> Ended:
        """Run the command below the machine's root; `ahead_s` has it see the clock that much later."""
        argv = self.argv(*words)
        return self._kept(
            _call(argv[3:], ahead_s) if ahead_s or os.environ.get(INSIDE) else run_command(argv)
        )

    def _kept(self, ended: Ended) -> Ended:
        self.heard += ended.err
        self.did += [line.removeprefix("-> ") for line in ended.out.splitlines() if line.startswith("-> ")]
        assert "Traceback" not in ended.err, ended.err
        return ended

    def once(self, *words: str, ahead_s: float = 0.0) -> Status:
        """Look once; gives the status that this left, which must fit the exit status."""
        return self._found(self.run("once", *words, ahead_s=ahead_s))

    def watched_look(self) -> Status:
        """Look as the watcher does when its timer ends; gives what `once` does."""
        return self._found(
            self._kept(run_command(module_argv("agent.passes.watched", self.machine.root, "", "timer")))
        )

    def _found(self, ended: Ended) -> Status:
        status = self.status()
        assert ended.status == by_name(status["code"]).exit_code
        return status

    def status(self) -> Status:
        """Give what `status --json` says: called, not started, for this is asked after every look."""
        told: Status = json.loads(_call(self.argv("status", "--json")[3:]).out)
        return told

    def look_until(self, code: str, *words: str, ahead_s: float = 0.0) -> list[Status]:
        """Look again and again until a code is found; gives every look, that one last."""
        looks: list[Status] = []
        deadline_s = time.monotonic() + DEADLINE_S
        while not looks or looks[-1]["code"] != code:
            assert time.monotonic() < deadline_s, f"no {code}, but {[look['code'] for look in looks]}"
            looks.append(self.once(*words, ahead_s=ahead_s))
        return looks

    def edged(self) -> str:
        """Name edged's present run: a restart, and so an apply, makes it another one."""
        return self.systemctl("show", "-P", "InvocationID", "aziot-edged.service")

    def provision(self) -> Status:
        """Bring the device to provisioned, and edgeAgent up.

        A case is about what comes then: up to there the command is called, which is quicker than started.
        """
        with mock.patch.dict(os.environ, {INSIDE: "1"}):
            self.look_until("runtime.provisioned")
            wait(self.edge_agent_runs)
            return self.once()

    def edge_agent_runs(self) -> bool:
        """Ask the engine, as `docker ps` does."""
        answer = ask(self.path("/run/docker.sock"), ("GET", "/containers/edgeAgent/json"))
        return answer.status == HTTPStatus.OK and answer.document["State"]["Status"] == "running"


def wait(what: Callable[[], bool]) -> None:
    """Look again and again until something is so; fails after the deadline."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not what():
        assert time.monotonic() < deadline_s, "it did not come to that"
        time.sleep(0.005)  # a processor to those who are waited for


def set_owner_password(tpm: SoftwareTpm, new: str, old: str = "") -> None:
    """Change the password of the TPM's owner hierarchy: TPM2_HierarchyChangeAuth with a password session."""
    session = bytes.fromhex("40000009 0000 00") + _sized(old)
    body = bytes.fromhex("40000001") + len(session).to_bytes(4, "big") + session + _sized(new)
    size = (10 + len(body)).to_bytes(4, "big")
    response = tpm.wire.transact(bytes.fromhex("8002") + size + bytes.fromhex("00000129") + body)
    assert response[6:10] == bytes(4), response.hex()


def _sized(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def run_command(argv: tuple[str, ...]) -> Ended:
    """Run a command line in the checkout to its end."""
    done = subprocess.run(
        argv, cwd=CHECKOUT, capture_output=True, text=True, timeout=2 * DEADLINE_S, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def _call(argv: tuple[str, ...], ahead_s: float = 0.0) -> Ended:
    """Call the command in this process, its signal handlers put back afterwards."""
    out, err = io.StringIO(), io.StringIO()
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with (
            mock.patch.object(clock, "monotonic_s", _later(clock.monotonic_s, ahead_s)),
            mock.patch.object(clock, "wall_s", _later(clock.wall_s, ahead_s)),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            status = _status_of(argv)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    return Ended(status, out.getvalue(), err.getvalue())


def _later(ask: Callable[[], float], ahead_s: float) -> Callable[[], float]:
    return lambda: ask() + ahead_s


def _status_of(argv: tuple[str, ...]) -> int:
    try:
        return main(argv)
    except SystemExit as end:
        return int(end.code or 0)


def tree(folder: str, *, but: tuple[str, ...] = ()) -> dict[str, tuple[Any, ...]]:
    """Give everything below a folder, save what `but` names: mode, owner, content, inode, last change."""
    return {path: _entry(path) for path in _paths(folder) if not path.startswith(but or "\0")}


def _paths(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        yield from (os.path.join(place, name) for name in (*folders, *names))


def _entry(path: str) -> tuple[Any, ...]:
    found = os.lstat(path)
    if os.path.islink(path):
        content: str | bytes = os.readlink(path)
    elif os.path.isfile(path):
        with open(path, "rb") as source:
            content = source.read()
    else:
        content = b""
    return found.st_mode, found.st_uid, found.st_gid, content, found.st_ino, found.st_mtime_ns
