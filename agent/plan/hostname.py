"""The host name that the runtime is given: it keeps the first, and refuses another beside modules. Pure."""

from collections.abc import Iterator

from agent.codes import apply, config
from agent.edge import hostname as names
from agent.edge.config_paths import HOSTNAME
from agent.edge.config_text import value_at
from agent.plan.case import Case, Found
from agent.plan.stop import StopError

_UNNAMED = ("", "localhost", "localhost.localdomain", "(none)")


def hostname(case: Case) -> Iterator[Found]:
    """Wait for a name of the device's own that can stand in a certificate; tell what will be warned of.

    At its first apply the runtime takes the machine's name where config.toml has none.
    """
    machine, written = case.snapshot.moment.machine.hostname, value_at(case.wish.document, HOSTNAME)
    name = written or machine
    is_ours = HOSTNAME in case.wish.changed
    is_first = case.snapshot.config.generated.get("identityd") is None
    if is_ours or (is_first and written is None):
        _is_usable(name)
    if (is_ours or is_first) and (odd := names.doubted(str(name), machine)):
        yield config.HOSTNAME_DOUBTED(hostname=name, fault=odd)
    if fault := names.warned_of(str(name)):
        yield config.HOSTNAME_WARNED(hostname=name, fault=fault)


def _is_usable(name: object) -> None:
    if name in _UNNAMED:
        raise StopError(apply.HOSTNAME_UNSET(hostname=name or "empty"))
    if not names.is_possible(str(name)):
        raise StopError(apply.HOSTNAME_IMPOSSIBLE(hostname=name))
