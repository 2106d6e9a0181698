"""Where the machine begins: paths, programs and users below a directory; and the clock of the machine."""

import os
import pwd
import signal
import socket
import time
from pathlib import Path
from types import FrameType

import pytest

from agent.host import clock
from agent.host.root import Root, User, short_socket_path


def test_the_machine_itself() -> None:
    root = Root()

    assert root.is_host
    assert root.path("/etc/hostname") == "/etc/hostname"
    assert root.shown("/etc/hostname") == "/etc/hostname"
    assert root.program("/bin/sh") == "/bin/sh"


def test_below_a_directory_everything_is_below_it(tmp_path: Path) -> None:
    root = Root(str(tmp_path))

    assert not root.is_host
    assert root.path("/etc/hostname") == f"{tmp_path}/etc/hostname"
    assert root.shown(f"{tmp_path}/etc/hostname") == "/etc/hostname"
    assert root.shown("/etc/hostname") == "/etc/hostname", "a path from a command line stands as it is"
    assert root.program("/bin/sh") is None, "the host's programs are never run"


@pytest.mark.parametrize("written", ["machine", "./machine/", "elsewhere/../machine", "link"])
def test_however_the_directory_is_written(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Children run in another directory, so a relative one would lead them astray."""
    (tmp_path / "machine").mkdir()
    (tmp_path / "link").symlink_to("machine")
    monkeypatch.chdir(tmp_path)

    assert Root(written) == Root(str(tmp_path / "machine"))
    assert Root(written).path("/x") == str(tmp_path / "machine" / "x")


@pytest.mark.parametrize("written", ["//", "/.", "/tmp/.."])
def test_the_machine_itself_is_known_by_any_name(written: str) -> None:
    assert Root(written).is_host


def test_a_program_can_be_executed(tmp_path: Path) -> None:
    folder = tmp_path / "usr" / "bin"
    (folder / "folder").mkdir(parents=True)
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    (folder / "text").write_text("no program")
    root = Root(str(tmp_path))

    assert root.program("/usr/bin/tool") == str(folder / "tool")
    assert root.program("/usr/bin/text") is None
    assert root.program("/usr/bin/folder") is None
    assert root.program("/usr/bin/nothing") is None


def test_users_are_those_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("short:x\naziotid:x:995:995::/var/lib/aziot:/usr/sbin/nologin\n")
    groups = "short:x\naziotcs:x:996:aziotid\naziotks:x:997:other,aziotid\nother:x:1:\n"
    (tmp_path / "etc/group").write_text(groups)
    root = Root(str(tmp_path))

    assert root.user("aziotid") == User("aziotid", 995, 995, (996, 997))
    assert root.user("short") is None
    assert root.user("root") is None, "the host's users are not this machine's"


def test_a_directory_without_users(tmp_path: Path) -> None:
    assert Root(str(tmp_path)).user("root") is None


def test_users_of_the_machine_itself() -> None:
    entry = pwd.getpwuid(0)
    found = Root().user(entry.pw_name)

    assert found is not None
    assert (found.uid, found.gid) == (entry.pw_uid, entry.pw_gid)
    assert Root().user("no such user") is None


def test_a_short_path_stands_as_it_is(tmp_path: Path) -> None:
    assert short_socket_path("/run/x.sock") == ("/run/x.sock", None)
    assert short_socket_path("/" + "x" * 106) == ("/" + "x" * 106, None), "the longest that fits"


def test_a_long_path_leads_to_the_same_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    monkeypatch.chdir(folder)

    place, descriptor = short_socket_path(str(folder / "x.sock"))

    assert descriptor is not None
    assert len(place) <= 107
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind("x.sock")
        listener.listen()
        client.connect(place)
    os.close(descriptor)


def test_a_long_path_through_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        short_socket_path(str(tmp_path / ("long" * 30) / "x.sock"))


def test_the_boot_is_that_of_the_root_or_else_of_the_host(tmp_path: Path) -> None:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as source:
        host = source.read().strip()
    assert clock.boot_id(Root()) == host
    assert clock.boot_id(Root(str(tmp_path))) == host

    place = tmp_path / "proc/sys/kernel/random"
    place.mkdir(parents=True)
    (place / "boot_id").write_text("another\n")
    assert clock.boot_id(Root(str(tmp_path))) == "another"


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    ticks = clock.process_start_ticks(os.getpid())

    assert ticks is not None
    started_s = ticks / os.sysconf("SC_CLK_TCK")
    assert 0 < started_s <= time.clock_gettime(time.CLOCK_BOOTTIME)
    assert clock.process_start_ticks(2**22 + 1) is None, "beyond the largest number there is"


def test_times_and_chances_are_what_they_say() -> None:
    assert clock.wall_s() <= time.time()
    assert clock.monotonic_s() <= time.monotonic()
    assert 0.0 <= clock.jitter() < 1.0
    assert len({clock.random_id() for _ in range(100)}) == 100
    assert len(clock.random_id()) == 16


class _WokenError(Exception):
    """The signal came."""


def test_a_signal_can_end_a_rest() -> None:
    def wake(number: int, frame: FrameType | None) -> None:
        raise _WokenError

    before = signal.signal(signal.SIGALRM, wake)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        with pytest.raises(_WokenError):
            clock.rest(60)
    finally:
        signal.signal(signal.SIGALRM, before)
