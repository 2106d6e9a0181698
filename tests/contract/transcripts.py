"""Transcripts of the real runtime: reading them, playing their commands below a scratch root.

A command is played by a shell as it stands, except that its absolute paths lead below the root and
that users' names come from the machine's own passwd. What is replaced before the comparison is what
no two machines share: times, process ids, and owners where the test may not hand files to others.
"""

import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.standins.machine import Machine

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "transcripts")
_ABSOLUTE = re.compile(r"(?<![\w.:/])/(?=(?:etc|root|run|var|dev)/)")
_NO_END = "\n\\ no newline at end\n"
_OWNERS = re.compile(r"(?<= )(\d+):(\d+)(?= |$)", re.MULTILINE)
_OWNED = re.compile(r"(?<= )(?:root|iotedge|aziot\w+|edgeagentuser):[\w-]+(?= |$)", re.MULTILINE)
_VARIABLE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|\+00:00)"), "<time>"),
    (re.compile(r'(?<="keyHandle":"sr=)[^"]+'), "<handle>"),
    (re.compile(r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ", re.MULTILINE), "<stamp> "),
    (re.compile(r"(?<=\w\[)\d+(?=\]: )"), "<pid>"),
    (re.compile(r"(?<=^MainPID=)[1-9]\d*", re.MULTILINE), "<pid>"),
    (re.compile(r"(?<=to main process )\d+|(?<=to process )\d+"), "<pid>"),
    (re.compile(r"(?<=timed out after )\d+(?= milliseconds)"), "<ms>"),
)


@dataclass(frozen=True, slots=True)
class Played:
    """What a command did: its exit status and both streams."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A command that was run on the real machine, and what it did."""

    command: str
    result: Played


def names() -> set[str]:
    """List the transcripts."""
    return set(os.listdir(FOLDER))


def read(name: str) -> Transcript:
    """Read one transcript."""
    with open(os.path.join(FOLDER, name), encoding="utf-8") as source:
        _comment, command, status, rest = source.read().split("\n", 3)
    out, _, err = rest.removeprefix("--- stdout\n").partition("--- stderr\n")
    result = Played(int(status.removeprefix("exit ")), _ended(out), _ended(err))
    return Transcript(command.removeprefix("$ "), result)


def _ended(stream: str) -> str:
    return stream.removesuffix(_NO_END) if stream.endswith(_NO_END) else stream


def shell(machine: Machine, command: str) -> Played:
    """Run a command line on the machine."""
    below = _ABSOLUTE.sub(f"{machine.root}/", command)
    numeric = below.replace("%n %a %U:%G", "%n %a %u:%g").replace("%M %u:%g %p", "%M %U:%G %p")
    done = subprocess.run(
        ["/bin/bash", "-c", numeric],
        env={"PATH": f"{machine.root}/usr/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        cwd=machine.root,
        capture_output=True,
        timeout=50,
        check=False,
    )
    owners = _owners(machine)
    streams = [
        _OWNERS.sub(lambda found: owners.get((int(found[1]), int(found[2])), found[0]), text.decode())
        for text in (done.stdout, done.stderr)
    ]
    out, err = (text.replace(f"{machine.root}/", "/") for text in streams)
    return Played(done.returncode, out, err)


def _owners(machine: Machine) -> dict[tuple[int, int], str]:
    with open(machine.path("/etc/passwd"), encoding="utf-8") as source:
        rows = [line.split(":") for line in source]
    return {(int(row[2]), int(row[3])): f"{row[0]}:{row[0]}" for row in rows}


def comparable(played: Played) -> Played:
    """Replace what no two machines share."""
    return Played(played.status, _normal(played.out), _normal(played.err))


def _normal(text: str) -> str:
    for pattern, word in _VARIABLE:
        text = pattern.sub(word, text)
    if os.geteuid() != 0:
        text = _OWNED.sub("<owner>", text)
        text = re.sub(r"(?<=^uid = )\d+", "<uid>", text, flags=re.MULTILINE)
    return text


def wait(what: Callable[[], bool], deadline_s: float = 20) -> None:
    """Look again and again until something is so; fails after the deadline."""
    end = time.monotonic() + deadline_s
    while not what():
        assert time.monotonic() < end, "the machine did not get there"
        time.sleep(0.005)  # a processor to those who are waited for


def active(machine: Machine, unit: str) -> str:
    """Give a unit's state."""
    return str(machine.systemctl("is-active", unit)["out"]).strip()
