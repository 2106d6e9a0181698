"""From what was observed to why the runtime does not work: one table, read from the top. Pure.

The runtime's own words lie in both directions (Running with the identity lost, Ready when masked), so units,
journal, identity service, files and the TPM are witnesses together. What is told is the true cause, not its
last echo. Each text that is matched was seen on runtime 1.6.
"""

from collections.abc import Callable

from agent.codes import Finding, runtime
from agent.edge import causes_at_identityd, causes_at_tpmd, causes_in_units
from agent.edge.engine import EngineState
from agent.edge.evidence import EDGED, Evidence


def diagnose(seen: Evidence) -> Finding | None:
    """Give the cause that explains most, or None where the runtime works and knows its device."""
    return next(filter(None, (rule(seen) for rule in _RULES)), None)


def _engine_of_edged(seen: Evidence) -> Finding | None:
    """Find that aziot-edged fails for want of the engine, without which it ends as it starts."""
    return _engine(seen) if seen.answered and EDGED in seen.troubled else None


def _engine(seen: Evidence) -> Finding | None:
    return runtime.ENGINE_DOWN() if seen.engine is EngineState.DOWN else None


_RULES: tuple[Callable[[Evidence], Finding | None], ...] = (
    causes_in_units.masked,
    causes_in_units.bad_settings,
    causes_in_units.socket_failed,
    causes_in_units.stopped,
    causes_at_identityd.backup_lost,
    causes_at_tpmd.tpmd,
    causes_at_identityd.identityd,
    causes_at_identityd.silent,
    _engine_of_edged,
    causes_in_units.crash_loop,
    causes_at_identityd.not_known,
    _engine,
)
