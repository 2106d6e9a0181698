"""Events into the journal: the same assertions on a socket of ours and on a real journald."""

import array
import fcntl
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from agent.host import journal, log
from agent.host.root import Root
from tests.contract.real_journal import RealJournal

_CHECKOUT = str(Path(__file__).parents[2])
_MESSAGE_ID = "5f0e4f4a6c0b4f5f9a9d6f0c1b2a3d4e"


class Journal(Protocol):
    """Something that takes events by the native protocol and can say what came."""

    def send(self, message: str, priority: int, fields: Mapping[str, str]) -> dict[str, str]:
        """Have the agent send an event and give it back as it arrived."""


class SocketOfOurs:
    """A datagram socket where journald's would be, and the protocol read back by its own specification."""

    def __init__(self, root: Path) -> None:
        folder = root / "run" / "systemd" / "journal"
        folder.mkdir(parents=True)
        self.root = Root(str(root))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(20)
        self._socket.bind(str(folder / "socket"))

    def send(self, message: str, priority: int, fields: Mapping[str, str]) -> dict[str, str]:
        journal.send(self.root, message, priority, fields)
        return self.receive()

    def receive(self) -> dict[str, str]:
        data, ancillary, _, _ = self._socket.recvmsg(1 << 20, socket.CMSG_SPACE(4))
        if ancillary:
            handles = array.array("i")
            handles.frombytes(ancillary[0][2])
            with os.fdopen(handles[0], "rb") as memory:
                seals = fcntl.fcntl(memory, fcntl.F_GET_SEALS)
                assert seals & fcntl.F_SEAL_WRITE, "journald reads a memory file only if nobody can change it"
                memory.seek(0)
                data = memory.read()
        return dict(_parsed(data))

    def close(self) -> None:
        self._socket.close()


def _parsed(data: bytes) -> Iterator[tuple[str, str]]:
    """Read the native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(data[:8], "little")
            value, data = data[8 : 8 + size], data[8 + size :]
            assert data.startswith(b"\n")
            data = data[1:]
        yield name.decode(), value.decode()


class RealOne:
    """A real journald; what arrived is what journalctl finds."""

    def __init__(self, real: RealJournal) -> None:
        self._real = real

    def send(self, message: str, priority: int, fields: Mapping[str, str]) -> dict[str, str]:
        mark = uuid.uuid4().hex
        event = (message, priority, {**fields, "transaction": mark})
        self._real.run(
            "from agent.host import journal\n"
            "from agent.host.root import Root\n"
            f"journal.send(Root(), *{event!r})\n"
        )
        (entry,) = self._real.entries(f"EDGE_PROVISIONER_TRANSACTION={mark}")
        return {name: str(value) for name, value in entry.items()}


@pytest.fixture(scope="module")
def real_journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealJournal]:
    with RealJournal(tmp_path_factory.mktemp("journal")) as real:
        yield real


@pytest.fixture(params=["a socket of ours", "a real journald"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Give a journal: the same assertions hold for the stand-in and for the real one."""
    if request.param == "a real journald":
        yield RealOne(request.getfixturevalue("real_journal"))
        return
    ours = SocketOfOurs(tmp_path)
    yield ours
    ours.close()


def test_an_event_has_its_text_its_level_its_id_and_our_fields(there: Journal) -> None:
    arrived = there.send("all is well", 6, {"code": "runtime.provisioned", "MESSAGE_ID": _MESSAGE_ID})

    assert arrived["MESSAGE"] == "all is well"
    assert arrived["PRIORITY"] == "6"
    assert arrived["MESSAGE_ID"] == _MESSAGE_ID
    assert arrived["SYSLOG_IDENTIFIER"] == "edge-provisioner"
    assert arrived["EDGE_PROVISIONER_CODE"] == "runtime.provisioned"


@pytest.mark.parametrize(
    "text", ["one\ntwo\n\nfour", "\n", "", "a=b=c", "A\nPRIORITY=0", "w\u00f6rd \u2713", "\ttabs "]
)
def test_a_field_arrives_as_it_is(text: str, there: Journal) -> None:
    arrived = there.send("x", 4, {"detail": text})

    assert arrived["EDGE_PROVISIONER_DETAIL"] == text
    assert arrived["PRIORITY"] == "4"


def test_a_field_that_fits_no_datagram_arrives_whole(there: Journal) -> None:
    text = "\n".join(f"line {number:06}" for number in range(30_000))  # 390 kB; a socket's buffer has 208 kB

    arrived = there.send("x", 3, {"traceback": text})

    assert arrived["EDGE_PROVISIONER_TRACEBACK"] == text
    assert arrived["MESSAGE"] == "x"


def test_text_that_is_no_utf_8_is_sent_all_the_same(there: Journal) -> None:
    """File names come to Python with such bytes as surrogates."""
    assert there.send("x", 6, {"path": "a\udcffb"})["EDGE_PROVISIONER_PATH"] == "a?b"


def test_an_event_is_among_the_service_s_whoever_sent_it(real_journal: RealJournal) -> None:
    """A sender that has ended is of no unit, and neither is one by hand."""
    sent = RealOne(real_journal).send("said and gone", 6, {})

    assert sent.get("_SYSTEMD_UNIT") != "edge-provisioner.service"
    listed = real_journal.entries("-u", "edge-provisioner")
    assert "said and gone" in [entry["MESSAGE"] for entry in listed]


def test_a_logger_sends_its_fields_with_every_event(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = SocketOfOurs(tmp_path)
    speak = log.logger(ours.root, transaction="17")

    speak.info("all is well", priority=5, code="a.b", MESSAGE_ID=_MESSAGE_ID, count=3)
    speak.info("and more")

    first, second = ours.receive(), ours.receive()
    ours.close()
    assert first == {
        "MESSAGE": "all is well",
        "PRIORITY": "5",
        "MESSAGE_ID": _MESSAGE_ID,
        "SYSLOG_IDENTIFIER": "edge-provisioner",
        "OBJECT_SYSTEMD_UNIT": "edge-provisioner.service",
        "EDGE_PROVISIONER_CODE": "a.b",
        "EDGE_PROVISIONER_COUNT": "3",
        "EDGE_PROVISIONER_TRANSACTION": "17",
    }
    assert (second["PRIORITY"], second["EDGE_PROVISIONER_TRANSACTION"]) == ("6", "17")
    assert capfd.readouterr() == ("", "")


def test_a_journal_at_the_end_of_a_long_path_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / ("long" * 25)
    (root / "run/systemd/journal").mkdir(parents=True)
    monkeypatch.chdir(root / "run/systemd/journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(20)
        receiver.bind("socket")
        journal.send(Root(str(root)), "hello", 6, {})
        assert b"MESSAGE=hello\n" in receiver.recv(4096)
