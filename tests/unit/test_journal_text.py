"""The reason is in the lines above the backtrace, of the process that failed and of no older one."""

import pytest

from agent.edge.evidence import CERTD, IDENTITYD, TPMD
from agent.edge.journal_text import (
    errors,
    innermost_cause,
    last_failure,
    lines_of,
    present_run,
    telling_cause,
)
from agent.host.journal import Entry
from tests.unit.journals import ENDED, journal, processes_of, recorded, said

STARTED = said("Starting service...", "Version - 1.6.0", level="INFO")
BACKTRACE = ("   7: <unknown>", "  13: __libc_start_main", "      at ./src/main.rs:3")
FIRST = (*STARTED, *said("service encountered an error", "caused by: the first"), *BACKTRACE, *ENDED)
SECOND = (*STARTED, *said("service encountered an error", "caused by: the second"), *BACKTRACE, *ENDED)
STOPPED = (*STARTED, "aziot-identityd.service: Deactivated successfully.")


def reason(*processes: tuple[str, ...], newest_only: bool = False) -> str:
    entries = journal(IDENTITYD, *processes)
    return innermost_cause(last_failure(entries, IDENTITYD, newest_only=newest_only))


# The real runtime's


def test_a_refused_registration() -> None:
    entries = journal(IDENTITYD, *processes_of(recorded("journal-401.txt"), "aziot-identityd.service"))
    lines = last_failure(entries, IDENTITYD)

    assert lines[0].startswith("Started aziot-identityd.service")
    assert errors(lines) == (
        "Failed to provision with IoT Hub, and no valid device backup was found: DPS client error",
        "service encountered an error",
        "caused by: DPS client error",
        "caused by: missing field `authenticationKey` at line 1 column 142",
    )
    assert innermost_cause(lines) == "missing field `authenticationKey` at line 1 column 142"


def test_a_tpm_that_may_not_be_opened() -> None:
    lines = recorded("journal-tpm-denied.txt")
    entries = (*journal(IDENTITYD, lines[:4]), *journal(TPMD, lines[4:]))

    assert last_failure(entries, TPMD) == tuple(lines[4:])
    assert innermost_cause(last_failure(entries, TPMD)) == "tcti:IO failure"
    assert last_failure(entries, IDENTITYD) == ()
    assert [entry.message for entry in present_run(entries, IDENTITYD)] == lines[:4]


def test_an_engine_that_refuses_a_network() -> None:
    """Runtime 1.6 before an engine that may not make bridges; with two reasons they are numbered."""
    texts = (
        "2026-11-22T12:23:20Z [INFO] - Using runtime network id azure-iot-edge",
        "2026-11-22T12:23:21Z [WARN] - container runtime error",
        "Caused by:",
        "    HTTP 500 Internal Server Error: package not installed",
        "2026-11-22T12:23:21Z [ERR!] - Failed to initialize module runtime: initialize module runtime",
        *ENDED,
    )
    numbered = (*texts[:3], "    0: not sent", "    1: refused", *texts[4:])

    assert reason(texts) == ("container runtime error: HTTP 500 Internal Server Error: package not installed")
    assert reason(numbered) == "container runtime error: not sent: refused"


def test_a_certificate_that_could_not_be_made() -> None:
    lines = recorded("journal-est-401.txt")
    certd = [line for line in lines if "!!! " in line]
    identityd = [line for line in lines if line not in certd]
    entries = (
        *journal(CERTD, certd),
        *journal(IDENTITYD, *processes_of(identityd, "aziot-identityd.service")),
    )

    assert innermost_cause(last_failure(entries, IDENTITYD)) == "could not create certificate"
    assert innermost_cause(last_failure(entries, CERTD)).startswith(
        "EST endpoint did not return successful response: 401 Unauthorized"
    )


@pytest.mark.parametrize("name", ["journal-est-ok.txt", "journal-reprovision-ok.txt"])
def test_a_journal_without_trouble_has_no_reason(name: str) -> None:
    assert errors(recorded(name)) == ()
    assert innermost_cause(recorded(name)) == ""


# Which process


@pytest.mark.parametrize(
    ("processes", "wanted"),
    [
        ((), ""),
        ((FIRST,), "the first"),
        ((FIRST, SECOND), "the second"),
        ((FIRST, STARTED), "the first"),
        ((FIRST, SECOND, STARTED), "the second"),
        ((FIRST, STOPPED, STARTED), ""),
        ((FIRST, (*STARTED, *said("Warned", level="WARN"))), "the first"),
        (((*STARTED, *said("Warned", level="WARN")),), "Warned"),
        ((FIRST, (*STARTED, *said("!!! internal error", "!!! caused by: a request"))), "a request"),
    ],
)
def test_the_last_failure_counts_and_nothing_older(
    processes: tuple[tuple[str, ...], ...], wanted: str
) -> None:
    assert reason(*processes) == wanted


def test_the_one_before_does_not_count_for_a_daemon_that_somebody_started() -> None:
    assert reason(FIRST, STARTED, newest_only=True) == ""
    assert reason(FIRST, SECOND, newest_only=True) == "the second"


def test_a_backtrace_is_left_out() -> None:
    assert last_failure(journal(IDENTITYD, FIRST), IDENTITYD) == tuple(
        line for line in FIRST if line not in BACKTRACE
    )


def test_the_present_process_is_the_newest() -> None:
    entries = journal(IDENTITYD, FIRST, STARTED)

    assert tuple(entry.message for entry in present_run(entries, IDENTITYD)) == STARTED
    assert present_run(entries, TPMD) == ()


def test_lines_of_no_process_belong_to_none() -> None:
    entries = (Entry(IDENTITYD, ENDED[0]), *journal(TPMD, FIRST))

    assert last_failure(entries, IDENTITYD) == ()
    assert lines_of(entries, IDENTITYD) == entries[:1]


# Which words


@pytest.mark.parametrize(
    ("lines", "innermost", "telling"),
    [
        (said("it broke"), "it broke", ""),
        (said("it broke", "caused by: outer", "caused by: inner"), "inner", "inner"),
        (said("it broke", "caused by: told", "caused by: internal error"), "told", "told"),
        (said("it broke", "caused by: DPS client error"), "DPS client error", ""),
        (said("!!! it broke", "!!! caused by: a request"), "a request", "a request"),
        (said("caused by: of no weight", level="INFO"), "", ""),
        (
            ("2026-11-22T03:32:00Z [ERR!] [aziot_tpmd] - caused by: with a module",),
            "with a module",
            "with a module",
        ),
        (("no line of a daemon",), "", ""),
    ],
)
def test_the_innermost_cause_that_says_something(
    lines: tuple[str, ...], innermost: str, telling: str
) -> None:
    assert innermost_cause(lines) == innermost
    assert telling_cause(lines) == telling
