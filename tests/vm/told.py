"""How long it takes until a fault is told, by the machine's own clock: from the fault to our event.

An emulated machine's clock goes on while it waits for a processor of the one it runs on, which on a busy one
is most of the time. The kernel counts that (schedstat), and it is taken off.
"""

import json
import shlex
from dataclasses import dataclass
from typing import Any, Self

from agent.codes import Code
from tests.scenario.causes_table import Row
from tests.vm.faults_in_machine import WAYS, Sign
from tests.vm.machine import Machine

_LONGEST_S = 900  # what is not told by then never is, however busy this machine is
_OURS = "SYSLOG_IDENTIFIER=edge-provisioner"
_STATUS = "/run/edge-provisioner/status.json"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a machine: its monotonic clock, its journal's end, and how long it had been starved."""

    at_s: float
    cursor: str
    starved_s: float

    @classmethod
    def now(cls, machine: Machine) -> Self:
        """Read all three, the clock last."""
        starved_s = machine.emulator.starved_s()
        said = machine.run("journalctl -q -n 1 -o json --output-fields=_PID; cat /proc/uptime").splitlines()
        return cls(float(said[-1].split()[0]), json.loads(said[0])["__CURSOR"], starved_s)

    def of_next(self, machine: Machine, match: str, sign: str = "^") -> tuple[Self, str]:
        """Give the moment of the next journal entry that fits, as soon as there is one, and our status then.

        Raises: CommandError where none comes
        """
        place = f"--after-cursor={shlex.quote(self.cursor)}"
        follow = f"timeout {_LONGEST_S} journalctl -q -f -n all -o json {place} {match} | grep -m 1 '{sign}'"
        said = machine.run(f"{follow} && cat {_STATUS}", timeout_s=_LONGEST_S + 60)
        entry, status = said.split("\n", 1)
        starved_s, found = machine.emulator.starved_s(), json.loads(entry)
        return type(self)(int(found["__MONOTONIC_TIMESTAMP"]) / 1e6, found["__CURSOR"], starved_s), status


@dataclass(frozen=True, slots=True)
class Told:
    """A fault that was told: how long after it could be seen, and how long the machine starved meanwhile."""

    row: Row
    seconds: float
    starved_s: float

    @property
    def allowed_s(self) -> float:
        """The seconds that belong to the code."""
        return code_of(self.row).visible_within_s

    @property
    def is_late(self) -> bool:
        """Whether it took longer, what the machine was starved not counted: that is no time of a device."""
        return self.seconds - self.starved_s > self.allowed_s

    def __str__(self) -> str:
        took = f"{self.seconds - self.starved_s:6.1f} s of {self.allowed_s:.0f}"
        return f"{took} ({self.seconds:.1f} by the clock): {self.row.fault}: {code_of(self.row).name}"


def code_of(row: Row) -> Code:
    """Give the code by which a row's fault is told."""
    return row.notice or row.code


def wait_until_told(machine: Machine, row: Row, since: Moment) -> Told:
    """Come back when our event tells the fault, and our status has it.

    Raises: CommandError where it is not told at all
    """
    way, seen, code = WAYS[row.fault], since, code_of(row).name
    if way.seen:
        seen, _ = since.of_next(machine, way.seen.match, way.seen.text)
    if way.sign is Sign.DEED:
        told, _ = since.of_next(machine, _OURS, "EDGE_PROVISIONER_STEPS")
    else:
        told, status = since.of_next(machine, f"{_OURS} EDGE_PROVISIONER_CODE={code}")
        assert code in _codes(json.loads(status)), status
    return Told(row, told.at_s - seen.at_s, max(0.0, told.starved_s - seen.starved_s))


def _codes(status: dict[str, Any]) -> set[str]:
    return {status["code"], *(notice["code"] for notice in status["notices"])}
