"""What the witnesses say, for the table of causes: a healthy device, and daemons in trouble."""

from typing import Any

from agent.codes import Code
from agent.edge.causes import diagnose
from agent.edge.engine import EngineState
from agent.edge.evidence import DAEMONS, Evidence
from agent.edge.identity_service import AnswerKind, DeviceAnswer
from agent.host.systemd import Unit
from agent.values import replace
from tests.unit.journals import ENDED, journal, said

NOW_S = 1000.0
DEVICE = DeviceAnswer(AnswerKind.DEVICE, "hub.test", "dev-tpm-1")
SILENT = DeviceAnswer(AnswerKind.NO_ANSWER)
FACTS = {"id_scope": "0ne1", "registration_id": "line-4"}
STARTED = said("Starting service...", level="INFO")
ASKS = said("Provisioning starting. Reason: Startup", level="INFO")


def unit(name: str, **changes: Any) -> Unit:
    return replace(Unit(name, "loaded", "active", "running", "success", active_since_s=100.0), **changes)


def looping(name: str, **changes: Any) -> Unit:
    """Give a daemon that ended five seconds ago, for the fourth time, and waits to be started again."""
    waits = {"active": "activating", "sub": "auto-restart", "result": "exit-code", "exit_status": 1}
    return unit(name, **{"restarts": 3, "active_since_s": NOW_S - 6, **waits, **changes})


def evidence(*units: Unit, **changes: Any) -> Evidence:
    """Give what the witnesses say of a healthy device, some units and words aside."""
    known = {name: unit(name) for name in DAEMONS}
    sockets = {name.replace(".service", ".socket"): unit("", sub="listening") for name in DAEMONS[1:]}
    made = Evidence(
        units={**known, **sockets, **{one.name: one for one in units}},
        answer=DEVICE,
        now_s=NOW_S,
        now_utc="2026-11-22 03:32",
        node="/dev/tpmrm0",
        looked="/dev/tpmrm0 and /dev/tpm0",
        engine=EngineState.UP,
        facts=FACTS,
    )
    return replace(made, **changes)


def code(seen: Evidence) -> Code | None:
    found = diagnose(seen)
    return found.code if found else None


def failed_with(*texts: str) -> tuple[str, ...]:
    return (*STARTED, *said("service encountered an error", *texts), *ENDED)


def refused(*texts: str) -> tuple[str, ...]:
    """Give the lines of an identityd that ended because of what the provisioning service said."""
    return (*STARTED, *ASKS, *failed_with("caused by: DPS client error", *texts))


def loop_of(name: str, *lines: str) -> Evidence:
    """Give a device on which a daemon ends again and again, with these lines, and nothing answers."""
    return evidence(looping(name), answer=SILENT, journal=journal(name, lines, lines))
