"""What lies at paths, and the wake-up when that changes, asked of the kernel itself."""

import os
import select
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.host import sights
from agent.host.wake import Signals

_DEADLINE_S = 10.0
Change = Callable[[Path], object]


@pytest.fixture(name="signals")
def _signals() -> Iterator[Signals]:
    before, wakeup = signal.getsignal(signal.SIGIO), signal.set_wakeup_fd(-1)
    taken = Signals(signal.SIGIO)
    yield taken
    os.close(taken.fileno())
    os.close(signal.set_wakeup_fd(wakeup))
    signal.signal(signal.SIGIO, before)


@pytest.fixture(name="folders")
def _folders(signals: Signals) -> Iterator[sights.Folders]:
    """Folders that are let go while SIGIO still has a handler."""
    assert signals
    with closing(sights.Folders()) as held:
        yield held


def _heard(signals: Signals, *, wait_s: float = _DEADLINE_S) -> bool:
    return bool(select.select([signals], [], [], wait_s)[0]) and signal.SIGIO in signals.take()


def _replace(path: Path) -> None:
    (path.parent / "new").write_text("other")
    (path.parent / "new").rename(path)


def _write_in_place(path: Path) -> None:
    with path.open("r+") as there:
        there.write("other")


CHANGES: dict[str, Change] = {
    "written in place": _write_in_place,
    "replaced by the same": _replace,
    "removed": Path.unlink,
    "made readable": lambda path: path.chmod(0o644),
    "moved away": lambda path: path.rename(path.parent / "moved"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_change_of_a_file_is_heard_and_seen(
    tmp_path: Path, signals: Signals, change: Change, folders: sights.Folders
) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    path.chmod(0o600)
    words = sights.at([str(path)])
    folders.arm(words)
    assert sights.changes(words) == ()

    change(path)

    assert _heard(signals)
    assert [one.path for one in sights.changes(words)] == [str(path)]


def test_reading_is_no_change(tmp_path: Path, signals: Signals, folders: sights.Folders) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    words = sights.at([str(path), f"{tmp_path}/"])
    folders.arm(words)

    path.read_text()
    os.listdir(tmp_path)

    assert not _heard(signals, wait_s=0)
    assert sights.changes(words) == ()


def test_a_storm_makes_one_signal_until_armed_again(
    tmp_path: Path, signals: Signals, folders: sights.Folders
) -> None:
    path = tmp_path / "file"
    folders.arm([str(path)])
    for number in range(50):
        path.write_text(f"{number}")

    assert _heard(signals)
    path.write_text("more")
    assert not _heard(signals, wait_s=0)
    folders.arm([str(path)])
    path.write_text("again")
    assert _heard(signals)


def test_a_folder_that_comes_later_is_waited_for(
    tmp_path: Path, signals: Signals, folders: sights.Folders
) -> None:
    path = tmp_path / "etc" / "aziot" / "config.toml"
    words = sights.at([str(path)])
    assert words == {str(path): ""}
    for make in (path.parent.parent.mkdir, path.parent.mkdir, path.touch):
        folders.arm(words)
        make()
        assert _heard(signals)

    assert [(one.path, one.before) for one in sights.changes(words)] == [(str(path), "")]


def test_a_folder_that_goes_and_comes_back_is_heard_of(
    tmp_path: Path, signals: Signals, folders: sights.Folders
) -> None:
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    folders.arm([str(path)])
    path.parent.rmdir()
    assert _heard(signals)
    path.parent.mkdir()
    folders.arm([str(path)])
    path.touch()

    assert _heard(signals)


def test_folders_are_let_go(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    folders = sights.Folders()
    folders.arm([str(tmp_path / "file")])
    assert set(os.listdir("/proc/self/fd")) > before
    folders.arm([])
    assert set(os.listdir("/proc/self/fd")) == before
    folders.arm([str(tmp_path / "file")])
    folders.close()

    assert set(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_nobody_may_open_is_passed_over(tmp_path: Path, folders: sights.Folders) -> None:
    path = tmp_path / "file"
    path.write_text("")

    folders.arm([str(path / "below a file")])


def test_let_go_it_hears_nothing(tmp_path: Path, signals: Signals, folders: sights.Folders) -> None:
    folders.arm([str(tmp_path / "file")])
    folders.close()
    (tmp_path / "file").touch()

    assert not _heard(signals, wait_s=0)


def test_a_socket_is_there_while_somebody_listens() -> None:
    folder = Path(os.path.realpath("/tmp")) / f"ep-sights-{os.getpid()}"
    folder.mkdir()
    try:
        path = str(folder / "socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            assert sights.at([path]) == {path: ""}
            listener.listen()
            words = sights.at([path])
            assert words[path]
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                assert sights.changes(words) == ()

        assert [(one.path, one.now) for one in sights.changes(words)] == [(path, "")]
    finally:
        shutil.rmtree(folder)


def test_a_link_is_told_by_itself(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("id of one start")
    words = sights.at([str(link)])
    link.unlink()
    link.symlink_to("id of the next")

    assert [one.path for one in sights.changes(words)] == [str(link)]


def test_a_name_more_or_less_is_a_change_of_its_folder(
    tmp_path: Path, signals: Signals, folders: sights.Folders
) -> None:
    folder = tmp_path / "agent.toml.d"
    words = sights.at([f"{folder}/"])
    for change in (folder.mkdir, (folder / "50-line.toml").touch, (folder / "50-line.toml").unlink):
        folders.arm(words)
        change()
        assert _heard(signals)
        assert [one.path for one in sights.changes(words)] == [f"{folder}/"]
        words = sights.at(words)
