"""What other units wrote, as journalctl gives it."""

import json
from pathlib import Path

import pytest

from agent.host import journal
from agent.host.journal import Entry
from agent.host.root import Root


def journalctl(root: Path, *entries: object, status: int = 0) -> Root:
    """Put a journalctl of our own below a root, that prints these entries."""
    (root / "entries").write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    program = root / "usr" / "bin" / "journalctl"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$@" >{root}/asked\n/bin/cat {root}/entries\nexit {status}\n')
    program.chmod(0o755)
    return Root(str(root))


def test_entries_are_read_as_journalctl_gives_them(tmp_path: Path) -> None:
    line = {
        "_SYSTEMD_UNIT": "aziot-tpmd.service",
        "MESSAGE": "Starting service...",
        "_SYSTEMD_INVOCATION_ID": "6be7",
        "__REALTIME_TIMESTAMP": "1795325509564626",
        "__MONOTONIC_TIMESTAMP": "2893959935",
        "_BOOT_ID": "b8aa",
        "_PID": "31207",
    }
    of_systemd = {"_SYSTEMD_UNIT": "init.scope", "_PID": "1", "UNIT": "aziot-tpmd.service"}
    root = journalctl(tmp_path, line, {**of_systemd, "INVOCATION_ID": "6be7", "MESSAGE": "Started."})

    found = journal.read(root, ("aziot-tpmd.service", "x.service"), newest=7)

    assert found == (
        Entry(
            "aziot-tpmd.service", "Starting service...", "6be7", 1795325509.564626, 2893.959935, "b8aa", 31207
        ),
        Entry("aziot-tpmd.service", "Started.", "6be7", pid=1),
    )
    asked = (tmp_path / "asked").read_text()
    assert "-o json -b -n 7 -u aziot-tpmd.service -u x.service" in asked


def test_nobody_but_systemd_speaks_for_another_unit(tmp_path: Path) -> None:
    """Fields without an underscore are the sender's own; journalctl -u gives what the sender's unit wrote."""
    forged = {"UNIT": "aziot-identityd.service", "INVOCATION_ID": "0bad", "MESSAGE": "unauthorized"}
    sender = {"_SYSTEMD_UNIT": "aziot-tpmd.service", "_SYSTEMD_INVOCATION_ID": "6be7", "_PID": "31207"}
    root = journalctl(tmp_path, forged | sender)

    found = journal.read(root, ("aziot-tpmd.service",), newest=1)

    assert found == (Entry("aziot-tpmd.service", "unauthorized", "6be7", pid=31207),)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (list(b"caf\xc3\xa9 \xff"), "caf\u00e9 \ufffd"),
        (None, ""),
        (["one", "two"], ""),
        ([], ""),
    ],
    ids=["bytes that are no text", "too large to show", "a field given twice", "empty"],
)
def test_a_message_that_is_no_string(message: object, text: str, tmp_path: Path) -> None:
    root = journalctl(tmp_path, {"_SYSTEMD_UNIT": "x.service", "MESSAGE": message})

    assert journal.read(root, ("x.service",), newest=1) == (Entry("x.service", text),)


def test_a_line_that_is_no_entry_is_passed_over(tmp_path: Path) -> None:
    root = journalctl(tmp_path, {"MESSAGE": "good"})
    with open(tmp_path / "entries", "a", encoding="ascii") as entries:
        entries.write('{"MESSAGE": "cut o\n17\n')

    assert journal.read(root, ("x",), newest=3) == (Entry("", "good"),)


def test_no_journalctl_is_no_answer_and_a_failing_one_has_nothing(tmp_path: Path) -> None:
    assert journal.read(Root(str(tmp_path)), ("x",), newest=1) is None
    assert journal.read(journalctl(tmp_path, {"MESSAGE": "x"}, status=1), ("x",), newest=1) == ()
