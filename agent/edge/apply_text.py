"""Read how `iotedge config apply` ended. Pure. The texts are those of runtime 1.6 and older variants."""

import re
from collections.abc import Callable

from agent.codes import Finding, apply
from agent.codes.agent import NOT_ROOT
from agent.host.process import Finished

_PREFIX = "Command failed: "


def judge(ended: Finished, timeout_s: float) -> Finding | None:
    """Say why an apply failed; None for one that ended with status 0, which proves nothing yet."""
    if ended.timed_out:
        return apply.TIMED_OUT(seconds=f"{timeout_s:.0f}")
    if ended.status == 0:
        return None
    text = ended.err.strip().rpartition(_PREFIX)[2]  # warnings may stand before it
    found = ((pattern.search(text), make) for pattern, make in _TEXTS)
    told = next((make(match) for match, make in found if match), None)
    return told or apply.FAILED(status=ended.status, reason=_first_line(text) or "it printed nothing")


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _toml_reason(text: str) -> str:
    """Give the last line of a TOML error with its place, the first; up to runtime 1.4.8 there is one line."""
    first, _, rest = text.partition("\n")
    place = re.sub("^(could not parse config file|error parsing config): ", "", first)
    reason = rest.rpartition("\n")[2]
    return f"{reason} ({place})" if reason else place


# The runtime prints the two host names swapped: the first is the one that was applied before.
_TEXTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Finding]], ...] = (
    (
        re.compile(r"hostname in the config (?P<old>\S+) is different .*? hostname (?P<new>\S+?)\.? "),
        lambda found: apply.HOSTNAME_GUARD(old=found["old"], new=found["new"]),
    ),
    (
        re.compile(r"could not query (?P<user>\S+) user information"),
        lambda found: apply.USER_MISSING(user=found["user"]),
    ),
    (
        re.compile(r"could not parse config file|error parsing config"),
        lambda found: apply.REFUSED(reason=_toml_reason(found.string)),
    ),
    (
        re.compile(r"client error \(Connect\)|error trying to connect|Failed to make docker client"),
        lambda _: apply.ENGINE_DOWN(),
    ),
    (re.compile(r"must be run as root"), lambda _: NOT_ROOT(what="`iotedge config apply`")),
)
