"""The table of causes: from what the witnesses say to the one code that explains it."""

import pytest

from agent.codes import Code, Finding, cloud, identity, runtime
from agent.edge.causes import diagnose
from agent.edge.engine import EngineState
from agent.edge.evidence import CERTD, EDGED, IDENTITYD, KEYD, TPMD
from agent.edge.identity_service import AnswerKind, DeviceAnswer
from agent.values import replace
from tests.unit.journals import journal, said
from tests.unit.witnesses import (
    ASKS,
    FACTS,
    NOW_S,
    SILENT,
    STARTED,
    code,
    evidence,
    failed_with,
    looping,
    unit,
)

TPMD_SOCKET = "aziot-tpmd.socket"


def test_a_healthy_device_has_no_cause() -> None:
    assert diagnose(evidence()) is None
    assert diagnose(evidence(engine=EngineState.UNKNOWN)) is None


def test_an_x509_device_whose_tpmd_was_never_needed_has_none_either() -> None:
    assert diagnose(evidence(unit(TPMD, active="inactive"))) is None


# Units


@pytest.mark.parametrize("how", [{"load": "masked"}, {"enabled": "masked"}])
def test_a_masked_unit_is_told_before_all_else(how: dict[str, str]) -> None:
    seen = evidence(unit(TPMD, active="inactive", **how), looping(IDENTITYD), answer=SILENT)

    assert diagnose(seen) == runtime.UNIT_MASKED(unit="aziot-tpmd")


def test_a_masked_socket_keeps_its_own_name() -> None:
    assert diagnose(evidence(unit(TPMD_SOCKET, load="masked"))) == runtime.UNIT_MASKED(unit=TPMD_SOCKET)


def test_edged_stopped_by_hand() -> None:
    assert diagnose(evidence(unit(EDGED, active="inactive"))) == runtime.STOPPED(unit="aziot-edged")


def test_a_daemon_is_stopped_by_hand_if_its_socket_is_down_too() -> None:
    down = unit(TPMD, active="inactive"), unit(TPMD_SOCKET, active="inactive", active_since_s=0.0)

    assert diagnose(evidence(*down)) == runtime.STOPPED(unit="aziot-tpmd")


@pytest.mark.parametrize("load", ["not-found", ""])
def test_a_unit_that_is_not_installed_is_not_stopped(load: str) -> None:
    assert diagnose(evidence(unit(TPMD, active="inactive", load=load))) is None


def test_a_daemon_without_a_socket_unit_is_only_idle() -> None:
    assert diagnose(evidence(unit(TPMD, active="inactive"), unit(TPMD_SOCKET, load="not-found"))) is None


def test_a_machine_that_starts_is_not_stopped() -> None:
    soon = unit(EDGED, active="inactive", enabled="enabled", active_since_s=0.0)

    assert code(evidence(soon)) is runtime.STARTING


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((), "exit status 153"),
        (failed_with("caused by: missing field `hostname`"), "missing field `hostname`"),
    ],
)
def test_bad_settings_of_edged(lines: tuple[str, ...], reason: str) -> None:
    failed = unit(EDGED, active="failed", sub="failed", result="exit-code", exit_status=153)
    seen = evidence(failed, journal=journal(EDGED, lines))

    assert diagnose(seen) == runtime.SETTINGS_BAD(unit="aziot-edged", reason=reason)


def test_a_unit_that_failed_for_good() -> None:
    failed = unit(KEYD, active="failed", sub="failed", result="exit-code", exit_status=1)
    seen = evidence(failed, journal=journal(KEYD, failed_with("caused by: no slots")))

    assert diagnose(seen) == runtime.UNIT_FAILED(unit="aziot-keyd", reason="no slots")


@pytest.mark.parametrize(
    ("socket", "service"),
    [
        ("aziot-keyd.socket", "aziot-keyd"),
        ("aziot-edged.mgmt.socket", "aziot-edged"),
        ("aziot-edged.workload.socket", "aziot-edged"),
    ],
)
@pytest.mark.parametrize(
    "result", ["trigger-limit-hit", "service-start-limit-hit", "start-limit-hit", "resources"]
)
def test_a_socket_that_systemd_gave_up(socket: str, service: str, result: str) -> None:
    """Its service looks idle and well, or failed with it; whoever asks it is refused."""
    given_up = unit(socket, active="failed", sub="failed", result=result)
    wanted = runtime.SOCKET_FAILED(socket=socket, result=result, unit=service)
    idle = unit(f"{service}.service", active="inactive", sub="dead")
    failed = unit(f"{service}.service", active="failed", sub="failed", result="start-limit-hit")

    assert diagnose(evidence(given_up)) == wanted
    assert diagnose(evidence(given_up, idle, answer=SILENT)) == wanted
    assert diagnose(evidence(given_up, failed, looping(IDENTITYD), answer=SILENT)) == wanted


def test_settings_that_are_bad_come_before_the_socket_that_went_with_them() -> None:
    failed = unit(EDGED, active="failed", sub="failed", result="exit-code", exit_status=153)
    socket = unit("aziot-edged.mgmt.socket", active="failed", result="service-start-limit-hit")

    assert code(evidence(failed, socket)) is runtime.SETTINGS_BAD


def test_a_crash_loop_without_a_word_is_told_by_numbers() -> None:
    seen = evidence(looping(CERTD), answer=SILENT)
    seen = replace(seen, units={**seen.units, IDENTITYD: unit(IDENTITYD, active="inactive")})

    assert diagnose(seen) == runtime.CRASH_LOOP(unit="aziot-certd", reason="result exit-code, status 1")


def test_a_daemon_that_was_restarted_and_is_well_again_is_told_once() -> None:
    again = unit(IDENTITYD, restarts=1, active_since_s=NOW_S - 20)

    assert diagnose(evidence(again, restarted=frozenset({IDENTITYD}))) == runtime.RESTARTED(
        unit="aziot-identityd"
    )
    assert diagnose(evidence(again)) is None


def test_what_a_daemon_said_before_it_was_well_again_is_history() -> None:
    again = unit(TPMD, restarts=1), unit(IDENTITYD, restarts=1)
    seen = evidence(
        *again, restarted=frozenset({TPMD, IDENTITYD}), journal=journal(TPMD, failed_with("caused by: x"))
    )

    assert code(seen) is runtime.RESTARTED


def test_a_container_engine_that_is_down_is_told_if_all_else_is_well() -> None:
    assert code(evidence(engine=EngineState.DOWN)) is runtime.ENGINE_DOWN
    assert code(evidence(engine=EngineState.DOWN, answer=DeviceAnswer(AnswerKind.NOBODY))) is runtime.STARTING


def test_an_edged_that_ends_for_want_of_the_engine_is_not_the_cause() -> None:
    loop = looping(EDGED)

    assert code(evidence(loop, engine=EngineState.DOWN)) is runtime.ENGINE_DOWN
    assert code(evidence(loop)) is runtime.CRASH_LOOP
    nobody = DeviceAnswer(AnswerKind.NOBODY)
    assert code(evidence(loop, engine=EngineState.DOWN, answer=nobody)) is runtime.CRASH_LOOP


# The identity service


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (AnswerKind.NO_DEVICE, identity.NOT_KNOWN),
        (AnswerKind.REFUSED, identity.NOT_ASKED),
        (AnswerKind.NOBODY, runtime.STARTING),
        (AnswerKind.NOT_ASKED, runtime.STARTING),
    ],
)
def test_what_the_identity_service_says_without_a_device(kind: AnswerKind, wanted: Code) -> None:
    assert code(evidence(answer=DeviceAnswer(kind))) is wanted


def test_a_daemon_that_comes_up_behind_its_socket_is_starting() -> None:
    assert code(evidence(unit(IDENTITYD, active="inactive"), answer=SILENT)) is runtime.STARTING


def test_a_lost_backup_is_told_while_everything_runs() -> None:
    had = {**FACTS, "device_id": "dev-tpm-1"}
    no_device = DeviceAnswer(AnswerKind.NO_DEVICE)

    assert code(evidence(backup=False)) is identity.BACKUP_LOST
    assert code(evidence(backup=False, answer=no_device, facts=had)) is identity.BACKUP_LOST
    assert code(evidence(backup=False, answer=no_device)) is identity.NOT_KNOWN
    assert code(evidence(backup=False, answer=SILENT, facts=had)) is not identity.BACKUP_LOST


@pytest.mark.parametrize(
    ("since_s", "wanted"),
    [
        (1.0, runtime.STARTING()),
        (20.0, runtime.STARTING()),
        (21.0, cloud.SILENT(seconds=21)),
        (75.0, cloud.SILENT(seconds=75)),
        (90.0, cloud.THROTTLED(seconds=90)),
    ],
)
def test_starting_silent_and_throttled_differ_by_time_alone(since_s: float, wanted: Finding) -> None:
    up = unit(IDENTITYD, active_since_s=NOW_S - since_s)

    assert diagnose(evidence(up, answer=SILENT)) == wanted


def test_the_time_counts_from_the_last_attempt() -> None:
    asked = journal(IDENTITYD, (*STARTED, *ASKS), began_s=NOW_S - 30)

    assert diagnose(evidence(answer=SILENT, journal=asked)) == cloud.SILENT(seconds=30)


def test_a_silent_daemon_that_said_why_is_believed() -> None:
    hub = said("Could not reconcile Identities with current device data. Reprovisioning.", level="INFO")

    assert code(evidence(answer=SILENT, journal=journal(IDENTITYD, (*STARTED, *hub)))) is cloud.HUB_REFUSES
