"""systemd: what state units are in, credentials, and the conversation of a service with its manager."""

import os
import re

from agent.host import files, guarded, process
from agent.host.root import Root
from agent.values import dataclass

_SYSTEMCTL = "/usr/bin/systemctl"
_TIMEOUT_S = 20.0
_PROPERTIES = (
    "Id", "LoadState", "ActiveState", "SubState", "Result", "NRestarts", "ExecMainStatus", "MainPID",
    "UnitFileState", "InvocationID", "ActiveEnterTimestampMonotonic",
    "Environment",
)  # fmt: skip
_RESTARTING = ("auto-restart", "auto-restart-queued")  # the latter since systemd 254
_CREDENTIAL_FOLDERS = ("/etc/credstore", "/run/credstore")  # systemd.exec(5), LoadCredential=


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as `systemctl show` tells it; `restarts` counts systemd's own since the last start by hand."""

    name: str
    load: str = ""
    active: str = ""
    sub: str = ""
    result: str = ""
    restarts: int = 0
    exit_status: int = 0
    pid: int = 0
    enabled: str = ""
    invocation: str = ""
    active_since_s: float = 0.0  # monotonic
    proxy_scheme: str = ""  # of its https_proxy; the rest of that may be a secret

    @property
    def runs(self) -> bool:
        """Whether the unit is up at this moment."""
        return self.active == "active"

    @property
    def restarting(self) -> bool:
        """Whether systemd waits to start it again after it failed."""
        return self.sub in _RESTARTING or (self.active == "activating" and self.restarts > 0)


def show(root: Root, names: tuple[str, ...]) -> tuple[Unit, ...] | None:
    """Ask systemd for units by name; None where there is no systemctl, or no systemd behind it.

    A unit that is not installed comes back with load "not-found".

    Raises:
        AgentError: agent.unguarded: systemctl is not root's alone.
    """
    program = guarded.program(root, _SYSTEMCTL)
    if program is None:
        return None
    argv = (program, "show", "-p", ",".join(_PROPERTIES), *names)
    answer = process.run(argv, process.Child(_TIMEOUT_S, environment=process.environment_for(root)))
    if not answer.succeeded:
        return None
    blocks = [block for block in answer.out.strip().split("\n\n") if block]
    return tuple(_unit(dict(_pairs(block))) for block in blocks)


def _pairs(block: str) -> list[tuple[str, str]]:
    return [
        (name, value) for name, found, value in (line.partition("=") for line in block.splitlines()) if found
    ]


def _unit(fields: dict[str, str]) -> Unit:
    return Unit(
        name=fields.get("Id", ""),
        load=fields.get("LoadState", ""),
        active=fields.get("ActiveState", ""),
        sub=fields.get("SubState", ""),
        result=fields.get("Result", ""),
        restarts=_number(fields, "NRestarts"),
        exit_status=_number(fields, "ExecMainStatus"),
        pid=_number(fields, "MainPID"),
        enabled=fields.get("UnitFileState", ""),
        invocation=fields.get("InvocationID", ""),
        active_since_s=_number(fields, "ActiveEnterTimestampMonotonic") / 1e6,
        proxy_scheme=_proxy_scheme(fields.get("Environment", "")),
    )


def _proxy_scheme(environment: str) -> str:
    found = re.search(r'(?i)(?:^|[ "])https_proxy=(\w+)://', environment)
    return found[1].lower() if found else ""


def _number(fields: dict[str, str], name: str) -> int:
    text = fields.get(name, "")
    return int(text) if text.isdecimal() else 0


class Secret:
    """A text that must not be seen: every rendering of it is stars, only `reveal` gives it.

    It is no str: those are joined, encoded and written as JSON without anybody asking for a rendering.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep a text."""
        self._text = text

    def __repr__(self) -> str:
        return "********"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def reveal(self) -> str:
        """Give the text itself, to hand it on to the one who needs it."""
        return self._text


def credential_places(*names: str) -> tuple[str, ...]:
    """Give the files that commands run by root, and services without a credential of their own, read."""
    return tuple(f"{folder}/{name}" for folder in _CREDENTIAL_FOLDERS for name in names)


def invocation_place(unit: str) -> str:
    """Give the link that systemd keeps while a service is not stopped or failed, one for each start of it."""
    return f"/run/systemd/units/invocation:{unit}"


def credential(root: Root, name: str) -> Secret | None:
    """Give a systemd credential: the service's own, else, for commands run by root, the credential stores'.

    A final newline is not part of it. None where there is none. What lies in a store is looked at even where
    the service has its own: systemd made that of it, root's and closed, whoever it belongs to (as seen on
    systemd 252 and 257).

    Raises:
        OSError: it is there and can't be read.
        guarded.UnguardedError: others could change or read it.

    """
    own = os.environ.get("CREDENTIALS_DIRECTORY")
    folders = (*((own,) if own else ()), *map(root.path, _CREDENTIAL_FOLDERS))
    places = [os.path.join(folder, name) for folder in folders]
    there = [place for place in places if files.look(place).kind != "missing"]
    for place in there:
        guarded.require_secret(root, place)
    data = files.read(there[0], limit=65536) if there else None
    return None if data is None else Secret(data.decode("utf-8").removesuffix("\n"))
