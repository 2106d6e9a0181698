"""Run the agent as it is, and die by SIGKILL at one point of it: `doomed.py LOG POINT VERB...`.

A point is a moment of an effect, such as "before write /etc/aziot/config.toml". The effects are met from
outside, where the agent's doors call the system: the product has no hooks. Every point that is passed goes
into LOG.

    before   nothing of the effect has happened; what came before it has, and nothing else
    within   a file is complete under its temporary name, or a process has started and lives on without us
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from agent.act.record import Record
from agent.cli import main
from agent.host import files, process

_LOOKS = (
    ("systemctl", "show"),
    ("journalctl", "--no-pager"),
    ("iotedge", "version"),
    ("iotedge", "system status"),
    ("python", "try to open"),
    ("python", "esapi show"),
)


class Doom:
    """Knows which effect is under way, notes its moments, and ends the process at the point."""

    def __init__(self, log: str, point: str) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._point = point
        self._effect = ""

    def at(self, moment: str) -> None:
        """Note a moment of the effect that is under way, and die if this is the point."""
        if not self._effect:
            return
        point = f"{moment} {self._effect}"
        os.write(self._log, f"{point}\n".encode())
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    def during(self, effect: str, call: Callable[[], Any]) -> Any:
        """Call with the name of the effect set; the outermost name counts."""
        if self._effect:
            return call()
        self._effect = effect
        try:
            return call()
        finally:
            self._effect = ""


def _before(
    doom: Doom, owner: Any, name: str, moment: str, counts: Callable[..., bool] = lambda *_: True
) -> None:
    """Make the call of a function of the system the moment, where its arguments are such that it counts."""
    real = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        if counts(*arguments):
            doom.at(moment)
        return real(*arguments, **options)

    setattr(owner, name, call)


def _after(doom: Doom, owner: Any, name: str, moment: str) -> None:
    """Make the return of a function of the system the moment."""
    real = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        answer = real(*arguments, **options)
        doom.at(moment)
        return answer

    setattr(owner, name, call)


def _name_effects(doom: Doom, root: str) -> None:
    write, run, run_apart = files.write, process.run, process.run_apart
    update = Record.update

    def named_write(path: str, data: bytes, attributes: files.Attributes) -> bool:
        name = re.sub(r"-\d+$", "-STAMP", path.removeprefix(root))
        return bool(doom.during(f"write {name}", lambda: write(path, data, attributes)))

    def named_run(argv: tuple[str, ...], child: process.Child) -> Any:
        return doom.during(_name_process(argv, child), lambda: run(argv, child))

    def named_run_apart(argv: tuple[str, ...], child: process.Child) -> Any:
        return doom.during(_name_process(argv, child), lambda: run_apart(argv, child))

    def named_update(record: Record, **changes: Any) -> None:
        doom.during(_name_record(record, changes), lambda: update(record, **changes))

    files.write, process.run, process.run_apart = named_write, named_run, named_run_apart
    Record.update = named_update  # type: ignore[assignment,method-assign]


def _name_record(record: Record, changes: dict[str, Any]) -> str:
    if set(changes) != {"intent"}:
        return f"record {min(changes)}"
    intent, earlier = changes["intent"], record.history.intent
    return f"begin {intent.step}" if intent else f"end {earlier.step if earlier else ''}"


def _name_process(argv: tuple[str, ...], child: process.Child) -> str:
    """Name a process by what it does; one that only looks has no name, for it changes nothing."""
    if argv[0] == sys.executable:
        operation = json.loads(child.stdin)["operation"] if child.stdin else ""
        program, words = "python", f"esapi {operation}" if operation else "try to open"
    else:
        program, words = os.path.basename(argv[0]), " ".join(argv[1:3])
    looks = any(program == one and words.startswith(beginning) for one, beginning in _LOOKS)
    return "" if looks else f"run {program} {words}"


def run_doomed(log: str, point: str, root: str, *words: str) -> int:
    """Run the agent under `root`; an empty point lets it live."""
    doom = Doom(log, point)
    _name_effects(doom, root)
    _before(doom, os, "open", "before", lambda _path, flags, *_: bool(flags & os.O_EXCL))
    _before(doom, os, "replace", "within")
    _before(doom, subprocess, "Popen", "before")
    _after(doom, subprocess, "Popen", "within")
    return main(["--root", root, *words])


if __name__ == "__main__":
    sys.exit(run_doomed(*sys.argv[1:]))
