"""The table of causes: what the daemons wrote, of the TPM and of the cloud, to the code that it means."""

import pytest

from agent.codes import Code, cloud, runtime
from agent.edge.causes import diagnose
from agent.edge.evidence import CERTD, DAEMONS, IDENTITYD, TPMD
from agent.edge.identity_service import AnswerKind, DeviceAnswer
from agent.host.journal import Entry
from agent.values import replace
from tests.unit.journals import journal, processes_of, recorded, said
from tests.unit.witnesses import (
    ASKS,
    FACTS,
    NOW_S,
    SILENT,
    STARTED,
    code,
    evidence,
    failed_with,
    loop_of,
    looping,
    refused,
    unit,
)

# The TPM


def _denied() -> tuple[Entry, ...]:
    lines = recorded("journal-tpm-denied.txt")
    return (*journal(IDENTITYD, lines[:4]), *journal(TPMD, lines[4:]))


def test_a_tpm_that_may_not_be_opened_as_it_was_recorded() -> None:
    seen = evidence(looping(TPMD), answer=SILENT, journal=_denied())

    assert diagnose(seen) == runtime.TPM_DENIED(node="/dev/tpmrm0")


def test_a_crash_loop_is_told_also_while_the_daemon_is_up_for_a_moment() -> None:
    up = unit(TPMD, restarts=7, active_since_s=NOW_S - 0.2)
    entries = (*_denied(), *journal(TPMD, STARTED, began_s=NOW_S))
    entries = tuple(replace(entry, invocation=f"{entry.invocation}{entry.monotonic_s}") for entry in entries)

    assert code(evidence(up, answer=SILENT, journal=entries)) is runtime.TPM_DENIED


def test_after_the_repair_the_old_failure_is_history() -> None:
    """An apply starts the daemons by hand: systemd counts from zero, and only the new process counts."""
    fresh = (unit(name, active_since_s=NOW_S - 2) for name in DAEMONS)

    assert code(evidence(*fresh, answer=SILENT, journal=_after_restart())) is runtime.STARTING
    idle = unit(TPMD, active="inactive"), unit(IDENTITYD, active_since_s=NOW_S - 2)
    assert code(evidence(*idle, answer=SILENT, journal=_after_restart())) is runtime.STARTING


def _after_restart() -> tuple[Entry, ...]:
    lines = recorded("journal-tpm-denied.txt")
    return (
        *journal(TPMD, lines[4:], STARTED),
        *journal(IDENTITYD, refused("caused by: Unauthorized"), (*STARTED, *ASKS)),
    )


@pytest.mark.parametrize(
    ("lines", "looked"),
    [
        (
            (
                "... Failed to open default TCTI device file /dev/tpmrm0: No such file or directory",
                "... Failed to open default TCTI device file /dev/tpm0: No such file or directory",
                "... Could not open any default TCTI device file",
            ),
            "/dev/tpmrm0 and /dev/tpm0",
        ),
        (
            ("... Failed to open specified TCTI device file /dev/tpmrm0: No such file or directory",),
            "/dev/tpmrm0",
        ),
    ],
)
def test_a_tpm_at_another_number(lines: tuple[str, ...], looked: str) -> None:
    seen = replace(
        loop_of(TPMD, *lines, *failed_with("caused by: could not initialize TPM")), node="/dev/tpmrm1"
    )

    assert diagnose(seen) == runtime.TPM_ELSEWHERE(looked=looked, node="/dev/tpmrm1")


@pytest.mark.parametrize(
    "text",
    ["authorization failure without DA implications", "could not import auth key: TPM error 0x9a2"],
)
def test_a_password_that_is_needed_is_told_by_a_tpmd_that_runs_on(text: str) -> None:
    lines = (*STARTED, *said("!!! internal error", f"!!! caused by: {text}"))
    failing = refused("caused by: internal error")
    entries = (*journal(TPMD, lines), *journal(IDENTITYD, failing, failing))

    assert code(evidence(looping(IDENTITYD), answer=SILENT, journal=entries)) is runtime.TPM_PASSWORD


def test_other_trouble_with_the_tpm_in_the_librarys_own_words() -> None:
    found = diagnose(
        loop_of(TPMD, *failed_with("caused by: could not initialize TPM", "caused by: tpm:rc 0x101"))
    )

    assert found == runtime.TPM_TROUBLE(reason="tpm:rc 0x101")


def test_a_tpmd_that_loops_without_a_word() -> None:
    seen = evidence(looping(TPMD), answer=DeviceAnswer(AnswerKind.NOBODY))

    assert diagnose(seen) == runtime.CRASH_LOOP(unit="aziot-tpmd", reason="result exit-code, status 1")


def test_a_connection_that_was_reset_is_an_echo_of_tpmd() -> None:
    seen = loop_of(IDENTITYD, *refused("caused by: Connection reset by peer (os error 104)"))

    assert diagnose(seen) == runtime.TPM_TROUBLE(reason="aziot-tpmd ends before it answers")


# The cloud


def test_a_device_that_is_not_enrolled_as_it_was_recorded() -> None:
    lines = processes_of(recorded("journal-401.txt"), "aziot-identityd.service")
    seen = evidence(looping(IDENTITYD), answer=SILENT, journal=journal(IDENTITYD, *lines))

    assert diagnose(seen) == cloud.NOT_ENROLLED(**FACTS)


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["unknown variant `disabled`, expected one of `assigned`, `failed`"], "cloud.disabled"),
        (["Unauthorized"], "cloud.clock-behind"),
        (["error trying to connect: the certificate is not yet valid"], "cloud.clock-wrong"),
        (["certificate has expired"], "cloud.clock-wrong"),
        (["client error (SendRequest)", "request timed out"], "cloud.hanging"),
        (["client error (Connect)", "dns error", "failed to lookup address"], "cloud.unreachable"),
        (["error trying to connect: Network is unreachable (os error 101)"], "cloud.unreachable"),
        (["InternalServerError: try later"], "cloud.server-error"),
        (["503 Service Unavailable"], "cloud.server-error"),
        (["quota exceeded"], "cloud.rejected"),
    ],
)
def test_what_the_cloud_answers(texts: list[str], wanted: str) -> None:
    found = diagnose(loop_of(IDENTITYD, *refused(*(f"caused by: {text}" for text in texts))))

    assert found is not None
    assert found.code.name == wanted


def test_the_innermost_reason_is_told() -> None:
    lines = refused(
        "caused by: client error (Connect)", "caused by: dns error", "caused by: failed to lookup"
    )

    assert diagnose(loop_of(IDENTITYD, *lines)) == cloud.UNREACHABLE(reason="failed to lookup")
    assert diagnose(loop_of(IDENTITYD, *refused("caused by: quota"))) == cloud.REJECTED(reason="quota")


def test_the_clock_is_told_with_its_time() -> None:
    found = diagnose(loop_of(IDENTITYD, *refused("caused by: Unauthorized")))

    assert found == cloud.CLOCK_BEHIND(now="2026-11-22 03:32")


def test_a_fact_that_nobody_knows_is_said_to_be_unknown() -> None:
    lines = refused("caused by: missing field `authenticationKey` at line 1 column 142")
    found = diagnose(replace(loop_of(IDENTITYD, *lines), facts={}))

    assert found == cloud.NOT_ENROLLED(id_scope="unknown", registration_id="unknown")


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        ("Permission denied (os error 13)", runtime.PAYLOAD_UNREADABLE),
        ("key must be a string at line 1 column 2", runtime.PAYLOAD_INVALID),
    ],
)
def test_a_payload_that_cant_be_used(reason: str, wanted: Code) -> None:
    lines = failed_with(
        'caused by: parameter "provisioning.payload" has an invalid value', f"caused by: {reason}"
    )

    assert diagnose(loop_of(IDENTITYD, *lines)) == wanted(reason=reason)


def test_another_failure_of_identityd_is_told_as_its_crash_loop() -> None:
    found = diagnose(loop_of(IDENTITYD, *failed_with("caused by: address in use")))

    assert found == runtime.CRASH_LOOP(unit="aziot-identityd", reason="address in use")


def test_words_without_sense_are_no_reason_of_the_clouds() -> None:
    found = diagnose(loop_of(IDENTITYD, *refused()))

    assert found == runtime.CRASH_LOOP(unit="aziot-identityd", reason="DPS client error")


def test_what_identityd_said_is_no_matter_while_only_another_daemon_fails() -> None:
    entries = journal(IDENTITYD, refused("caused by: quota exceeded"))
    failed = unit(CERTD, active="failed", sub="failed", result="signal", exit_status=9)

    assert diagnose(evidence(failed, journal=entries)) == runtime.UNIT_FAILED(
        unit="aziot-certd", reason="result signal, status 9"
    )
