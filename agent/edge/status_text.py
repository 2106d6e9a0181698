"""Read what `iotedge system status` prints. Pure; the text is one witness of several, for it lies both ways.

The format is the same from runtime 1.2 to 1.6: five lines of name and state, then details of bad units.
"""

import re
from enum import StrEnum

from agent.values import dataclass

_HEADING = "System services:"
_ROW = re.compile(r"^ {4}(?P<name>\S+) +(?P<state>Running|Ready|Down - ?(?P<detail>.*))$")


class ServiceState(StrEnum):
    """What the text says of a service; READY is systemd's "inactive", no sign of health."""

    RUNNING = "Running"
    READY = "Ready"
    DOWN = "Down"


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """One service of the table; `detail` is systemd's word behind "Down - " (activating, socket error)."""

    name: str
    state: ServiceState
    detail: str = ""


def parse(text: str) -> tuple[ServiceLine, ...]:
    """Give the services in their order; empty where the text has no table.

    A detail may run over several lines (systemctl's own complaint); its first line is kept.
    """
    lines = text.splitlines()
    if _HEADING not in lines:
        return ()
    found = []
    for line in lines[lines.index(_HEADING) + 1 :]:
        if not line:
            break
        row = _ROW.match(line)
        if row:
            found.append(_service(row))
    return tuple(found)


def _service(row: re.Match[str]) -> ServiceLine:
    if row["detail"] is None:
        return ServiceLine(row["name"], ServiceState(row["state"]))
    return ServiceLine(row["name"], ServiceState.DOWN, row["detail"].strip())
