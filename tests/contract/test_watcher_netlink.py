"""The watcher and the kernel's real netlink, in a namespace of its own: overflow, and no udev at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.contract.watcher_stage import DEADLINE_S, PROJECT, Stage, stage

_NAMESPACES = ("/usr/bin/unshare", "--map-root-user", "--net")
_SMALL_BUFFER = "daemon.udev._RECEIVE_BUFFER = 1"
_START = f"import sys; sys.path.insert(1, {PROJECT!r})\n"
_SEND = """
import socket, sys
from tests.contract import uevent
def send(count, subsystem="tpmrm"):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15) as sender:  # NETLINK_KOBJECT_UEVENT
        for number in range(count):
            event = uevent.message("change", subsystem, "tpmrm0", number + 1)
            sender.sendto(event, (0, 2))  # group 2: udevd's
"""
_DRAIN = """
from agent.host import udev
udev._RECEIVE_BUFFER = 1
subscription = udev.Subscription()
for count, subsystem in ((0, "tpmrm"), (2, "tpmrm"), (2, "block"), (1000, "tpmrm"), (0, "tpmrm"), (1, "tpm")):
    send(count, subsystem)
    drained = subscription.drain()
    print(min(drained.events, 2), drained.overflowed)
udev._RECEIVE_BUFFER, udev._MOST_AT_ONCE = 65536, 4
subscription = udev.Subscription()
send(6)
print(subscription.drain().events, subscription.drain().events)
"""


def _unshares() -> bool:
    return subprocess.run([*_NAMESPACES, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0


@pytest.fixture(name="scene")
def _scene() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.fixture(name="namespaces")
def _namespaces() -> tuple[str, ...]:
    if not _unshares():
        pytest.skip("this machine gives out no user and network namespaces")
    return _NAMESPACES


def _send(watcher: subprocess.Popen[bytes], count: int) -> None:
    inside = ("/usr/bin/nsenter", "-t", str(watcher.pid), "-U", "-n", "--preserve-credentials")
    argv = [*inside, sys.executable, "-I", "-c", f"{_START}{_SEND}send({count})"]
    subprocess.run(argv, check=True, timeout=DEADLINE_S)


def _overflow(watcher: subprocess.Popen[bytes]) -> None:
    watcher.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, watcher.pid, os.WSTOPPED)
    _send(watcher, 10_000)
    assert _dropped(watcher) > 9_000
    watcher.send_signal(signal.SIGCONT)


def _dropped(watcher: subprocess.Popen[bytes]) -> int:
    with open(f"/proc/{watcher.pid}/net/netlink", encoding="ascii") as sockets:
        rows = [line.split() for line in sockets]
    return sum(int(row[8]) for row in rows[1:])


def test_events_of_the_real_netlink_are_looked_at(scene: Stage, namespaces: tuple[str, ...]) -> None:
    watcher = scene.watch(under=namespaces)
    scene.manager.expect("STATUS=provisioned")
    _send(watcher, 1)
    scene.passes.expect("begin udev")


def test_drain_counts_the_tpm_s_events_and_tells_of_an_overflow_once(namespaces: tuple[str, ...]) -> None:
    argv = [*namespaces, sys.executable, "-I", "-c", f"{_START}{_SEND}{_DRAIN}"]
    said = subprocess.run(argv, check=True, timeout=DEADLINE_S, stdout=subprocess.PIPE, text=True).stdout

    assert said.splitlines() == ["0 False", "2 False", "0 False", "2 True", "0 False", "1 False", "4 2"]


def test_after_an_overflow_the_devices_are_looked_at_and_the_watch_goes_on(
    scene: Stage, namespaces: tuple[str, ...]
) -> None:
    watcher = scene.watch(under=namespaces, patch=_SMALL_BUFFER)
    scene.manager.expect("STATUS=provisioned")
    _overflow(watcher)
    scene.passes.expect("begin udev")
    scene.passes.expect("end")
    _send(watcher, 1)
    scene.passes.expect("begin udev")
    scene.stop(watcher)

    assert len(scene.reasons()) <= 5
    assert scene.journal.all() == []


@pytest.mark.parametrize(
    ("door", "error", "reason"),
    [
        (
            "Monitor.from_netlink",
            "OSError(97, 'Address family not supported')",
            "Address family not supported",
        ),
        ("Context.__init__", "ImportError('No library named udev')", "No library named udev"),
    ],
)
def test_without_udev_the_watch_lives_on_its_timer_and_says_so_once(
    scene: Stage, door: str, error: str, reason: str
) -> None:
    scene.result(look_again_s=1)
    patch = f"import pyudev\ndef refuse(*_, **__): raise {error}\npyudev.{door} = refuse"
    watcher = scene.watch(patch=patch)
    scene.passes.expect("begin start")
    scene.passes.expect("begin timer")
    scene.passes.expect("begin timer")
    scene.stop(watcher)
    (said,) = scene.journal.all()

    assert "agent.udev-unavailable" in said
    assert reason in said


def test_udev_that_comes_later_is_heard_after_the_next_pass(
    scene: Stage, namespaces: tuple[str, ...]
) -> None:
    patch = (
        "real = daemon.udev.Subscription\n"
        "def refuse():\n    daemon.udev.Subscription = real\n    raise OSError(97, 'not yet')\n"
        "daemon.udev.Subscription = refuse"
    )
    watcher = scene.watch(under=namespaces, patch=patch)
    scene.journal.expect("agent.udev-unavailable")
    scene.manager.expect("STATUS=provisioned")
    watcher.send_signal(signal.SIGHUP)
    scene.passes.expect("begin signal")
    _send(watcher, 1)
    scene.passes.expect("begin udev")


def test_a_broken_subscription_is_made_anew_and_the_devices_looked_at(
    scene: Stage, namespaces: tuple[str, ...]
) -> None:
    incurable = "daemon.udev.clear_error = lambda _: False"
    watcher = scene.watch(under=namespaces, patch=f"{_SMALL_BUFFER}; {incurable}")
    scene.manager.expect("STATUS=provisioned")
    _overflow(watcher)
    for _ in range(2):
        scene.passes.expect("begin udev")
        scene.passes.expect("end")
        _send(watcher, 1)
    scene.passes.expect("begin udev")
    scene.stop(watcher)

    assert scene.journal.all() == []


def test_an_event_that_is_not_there_at_the_first_look_is_not_lost(
    scene: Stage, namespaces: tuple[str, ...]
) -> None:
    """libudev 257 returns nothing, at once, for an event it received before its filter was in place."""
    early = (
        "import pyudev\nreal = pyudev.Monitor.poll\n"
        "def early(self, timeout=None):\n    pyudev.Monitor.poll = real\n"
        "pyudev.Monitor.poll = early"
    )
    watcher = scene.watch(under=namespaces, patch=early)
    scene.manager.expect("STATUS=provisioned")
    _send(watcher, 1)
    scene.passes.expect("begin udev")
    scene.stop(watcher)
