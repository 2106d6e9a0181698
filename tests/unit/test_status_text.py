"""What `iotedge system status` says, typed: every recorded text, and those known from the source."""

import pytest

from agent.edge.status_text import ServiceLine, ServiceState, parse
from tests.contract import transcripts

DAEMONS = ("aziot-edged", "aziot-identityd", "aziot-keyd", "aziot-certd", "aziot-tpmd")
RUNNING, READY, DOWN = ServiceState.RUNNING, ServiceState.READY, ServiceState.DOWN
STATES: dict[str, dict[str, ServiceState | str]] = {
    "status-after-401.txt": {
        "aziot-identityd": "activating",
        "aziot-keyd": READY,
        "aziot-certd": READY,
    },
    "status-identityd-restarting.txt": {"aziot-identityd": "activating"},
    "status-installed.txt": dict.fromkeys(DAEMONS, READY),
    "status-masked-tpmd.txt": {"aziot-keyd": READY, "aziot-certd": READY, "aziot-tpmd": READY},
    "status-running.txt": {},
    "status-stopped.txt": dict.fromkeys(DAEMONS, READY),
    "status-tpm-denied.txt": {
        "aziot-keyd": READY,
        "aziot-certd": READY,
        "aziot-tpmd": "activating",
    },
    "status-tpm-gone.txt": {},
    "status-tpmd-socket-stopped.txt": {"aziot-tpmd": READY},
    "status-x509-running.txt": {"aziot-tpmd": READY},
}

HINTS = """
Use 'iotedge system logs' to check for non-fatal errors.
Use 'iotedge check' to diagnose connectivity and configuration issues.
"""
HEALTHY = f"""\
System services:
    aziot-edged             Running
    aziot-identityd         Running
    aziot-keyd              Running
    aziot-certd             Running
    aziot-tpmd              Running
{HINTS}"""
HEALTHY_X509 = f"""\
System services:
    aziot-edged             Running
    aziot-identityd         Running
    aziot-keyd              Running
    aziot-certd             Running
    aziot-tpmd              Ready
{HINTS}"""
TPMD_LOOPS = f"""\
System services:
    aziot-edged             Running
    aziot-identityd         Running
    aziot-keyd              Ready
    aziot-certd             Ready
    aziot-tpmd              Down - activating\x20

aziot-tpmd is in a bad state because:
aziot-tpmd.service: Down - activating : Printing the last 10 log lines.
Nov 22 03:27:00 e2e aziot-tpmd[2163]:    7: <unknown>
Nov 22 03:27:00 e2e aziot-tpmd[2163]:   13: __libc_start_main
Nov 22 03:27:00 e2e systemd[1]: aziot-tpmd.service: Main process exited, code=exited, status=1/FAILURE
Nov 22 03:27:00 e2e systemd[1]: aziot-tpmd.service: Failed with result 'exit-code'.
{HINTS}"""
EDGED_FAILED = f"""\
System services:
    aziot-edged             Down - failed\x20
    aziot-identityd         Ready
    aziot-keyd              Ready
    aziot-certd             Ready
    aziot-tpmd              Ready

aziot-edged is in a bad state because:
aziot-edged.service: Down - failed : Printing the last 10 log lines.
Jul 14 10:02:11 dev aziot-edged[901]: 2026-07-14T10:02:11Z [ERR!] - Failed to load settings
Jul 14 10:02:11 dev systemd[1]: aziot-edged.service: Failed with result 'exit-code'.
{HINTS}"""
STOPPED = f"""\
System services:
    aziot-edged             Ready
    aziot-identityd         Ready
    aziot-keyd              Ready
    aziot-certd             Ready
    aziot-tpmd              Ready
{HINTS}"""
_COMPLAINT = "System has not been booted with systemd as init system (PID 1). Can't operate."
NO_SYSTEMD = (
    "System services:\n"
    + "".join(
        f"    {name:<24}Down -  {_COMPLAINT}\nFailed to connect to bus: Host is down\n" for name in DAEMONS
    )
    + HINTS
)
SOCKET_ERROR = f"""\
System services:
    aziot-edged             Running
    aziot-identityd         Running
    aziot-keyd              Down - socket error
    aziot-certd             Running
    aziot-tpmd              Ready

aziot-keyd is in a bad state because:
aziot-keyd.service: Running: Printing the last 10 log lines.
-- No entries --

aziot-keyd.socket: Down - inactive: Printing the last 10 log lines.
-- No entries --
{HINTS}"""


def services(other: dict[str, ServiceState | str]) -> tuple[ServiceLine, ...]:
    """Give all five, running but for some others: a state, or why one is down."""
    states = (other.get(name, RUNNING) for name in DAEMONS)
    return tuple(
        ServiceLine(name, state) if isinstance(state, ServiceState) else ServiceLine(name, DOWN, state)
        for name, state in zip(DAEMONS, states, strict=True)
    )


def test_every_transcript_is_read() -> None:
    assert {name for name in transcripts.names() if name.startswith("status-")} == STATES.keys()


@pytest.mark.parametrize(("name", "other"), STATES.items())
def test_a_transcript_of_the_real_runtime(name: str, other: dict[str, ServiceState | str]) -> None:
    assert parse(transcripts.read(name).result.out) == services(other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        pytest.param(HEALTHY, {}, id="healthy with a TPM"),
        pytest.param(HEALTHY_X509, {"aziot-tpmd": READY}, id="healthy with X.509"),
        pytest.param(
            TPMD_LOOPS,
            {"aziot-keyd": READY, "aziot-certd": READY, "aziot-tpmd": "activating"},
            id="no permission on the TPM",
        ),
        pytest.param(
            EDGED_FAILED, {**dict.fromkeys(DAEMONS, READY), "aziot-edged": "failed"}, id="bad settings"
        ),
        pytest.param(STOPPED, dict.fromkeys(DAEMONS, READY), id="stopped or not installed"),
        pytest.param(NO_SYSTEMD, dict.fromkeys(DAEMONS, _COMPLAINT), id="no systemd"),
        pytest.param(SOCKET_ERROR, {"aziot-keyd": "socket error"} | {"aziot-tpmd": READY}, id="socket down"),
    ],
)
def test_a_text_known_from_the_source(text: str, other: dict[str, ServiceState | str]) -> None:
    assert parse(text) == services(other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Error running system command\n",
        "System services",
        "System services:\n",
        "    aziot-edged Running",
    ],
)
def test_a_text_without_the_table_says_nothing(text: str) -> None:
    assert parse(text) == ()


def test_a_service_of_the_future_and_a_table_cut_off_are_read_as_far_as_they_go() -> None:
    text = "System services:\n    aziot-newd              Running\n    aziot-tpmd              Down -"

    assert parse(text) == (ServiceLine("aziot-newd", RUNNING), ServiceLine("aziot-tpmd", DOWN))
