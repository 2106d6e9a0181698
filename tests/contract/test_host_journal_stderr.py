"""Without a journal an event is a line on stderr."""

import os
import pty
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.host import journal
from agent.host.root import Root

_CHECKOUT = str(Path(__file__).parents[2])
_SEND = """
import os, sys
from agent.host import journal
from agent.host.root import Root
if len(sys.argv) > 3:
    found = os.fstat(2)
    os.environ["JOURNAL_STREAM"] = sys.argv[3].format(device=found.st_dev, inode=found.st_ino)
journal.send(Root(sys.argv[1]), sys.argv[2], 3, {"code": "a.b", "transaction": "17", "remedy": "none"})
"""


def said_on_stderr(root: Path, message: str, *more: str, stderr: int, environment: Mapping[str, str]) -> None:
    argv = [sys.executable, "-c", _SEND, str(root), message, *more]
    subprocess.run(argv, env={"PYTHONPATH": _CHECKOUT, **environment}, stderr=stderr, check=True)


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def test_on_stderr_it_is_the_text_and_what_leads_to_the_rest(tmp_path: Path) -> None:
    with pipe() as (reader, writer):
        said_on_stderr(tmp_path, "it broke", stderr=writer, environment={})
        assert os.read(reader, 4096) == b"it broke  [code=a.b transaction=17]\n"


def test_where_stderr_leads_into_the_journal_each_line_has_its_level(tmp_path: Path) -> None:
    with pipe() as (reader, writer):
        said_on_stderr(tmp_path, "it broke\ntwice", "{device}:{inode}", stderr=writer, environment={})
        assert os.read(reader, 4096) == b"<3>it broke\n<3>twice  [code=a.b transaction=17]\n"


def test_where_stderr_leads_elsewhere_an_inherited_variable_means_nothing(tmp_path: Path) -> None:
    with pipe() as (reader, writer):
        said_on_stderr(tmp_path, "it broke", stderr=writer, environment={"JOURNAL_STREAM": "8:1"})
        assert os.read(reader, 4096).startswith(b"it broke")


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)]
)
def test_a_terminal_shows_colour_unless_told_not_to(
    environment: dict[str, str], coloured: bool, tmp_path: Path
) -> None:
    terminal, end = pty.openpty()
    try:
        said_on_stderr(tmp_path, "it broke", stderr=end, environment=environment)
        said = os.read(terminal, 4096)
    finally:
        os.close(terminal)
        os.close(end)

    assert said.startswith(b"\x1b[31m") == coloured
    assert b"it broke" in said
    assert said.endswith(b"\x1b[0m\r\n") == coloured


def test_no_journal_at_the_end_of_a_long_path_costs_no_event(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    journal.send(Root(str(tmp_path / ("long" * 30))), "still heard", 6, {})

    assert capfd.readouterr().err == "still heard\n"


def test_a_journal_that_listens_no_more_costs_no_event(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "run/systemd/journal/socket"
    place.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as closed:
        closed.bind(str(place))

    journal.send(Root(str(tmp_path)), "still heard", 6, {})

    assert "still heard" in capfd.readouterr().err
