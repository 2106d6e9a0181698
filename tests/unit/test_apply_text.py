"""Why `iotedge config apply` failed: every transcript of the real one, and what other versions print."""

import pytest

from agent.codes import Finding, apply
from agent.codes.agent import NOT_ROOT
from agent.edge.apply_text import judge
from agent.host.process import Finished
from tests.contract import transcripts

LIMIT_S = 600.0
PLACE = "TOML parse error at line {}, column {}"
LINE_1 = PLACE.format(1, 1)

TRANSCRIPTS: dict[str, Finding | None] = {
    "apply-again.txt": None,
    "apply-attestation-unknown.txt": apply.REFUSED(
        reason=f"unknown variant `TPM`, expected one of `symmetric_key`, `x509`, `tpm` ({LINE_1})"
    ),
    "apply-auth-index-string.txt": apply.REFUSED(
        reason=f'invalid type: string "0x00_01_00", expected u32 ({LINE_1})'
    ),
    "apply-bad-endpoint.txt": apply.REFUSED(reason=f'relative URL without a base: "dps.test" ({LINE_1})'),
    "apply-dead-unit.txt": None,
    "apply-docker-down.txt": apply.ENGINE_DOWN(),
    "apply-duplicate-key.txt": apply.REFUSED(reason=f"duplicate key ({PLACE.format(8, 1)})"),
    "apply-first.txt": None,
    "apply-hostname-changed.txt": apply.HOSTNAME_GUARD(old="e2e", new="pinned"),
    "apply-mode-unknown.txt": apply.REFUSED(
        reason="unknown variant `dynamic`, expected one of `Dynamic`, `AlwaysOnStartup`, `OnErrorOnly` "
        f"({PLACE.format(2, 28)})"
    ),
    "apply-mode-unquoted.txt": apply.REFUSED(
        reason=f"string values must be quoted, expected literal string ({PLACE.format(2, 28)})"
    ),
    "apply-no-file.txt": apply.FAILED(
        status=1,
        reason="could not read config file /etc/aziot/config.toml: No such file or directory (os error 2)",
    ),
    "apply-no-id-scope.txt": apply.REFUSED(reason=f"missing field `id_scope` ({LINE_1})"),
    "apply-not-root.txt": NOT_ROOT(what="`iotedge config apply`"),
    "apply-not-utf8.txt": apply.REFUSED(reason="invalid utf-8 sequence of 1 bytes from index 433"),
    "apply-template.txt": apply.REFUSED(reason=f"missing field `provisioning` ({LINE_1})"),
    "apply-timeout-low.txt": apply.REFUSED(
        reason=f"cloud_timeout_sec must be at least 70 seconds ({LINE_1})"
    ),
}


def ended(status: int, err: str = "", *, timed_out: bool = False) -> Finished:
    return Finished(("iotedge", "config", "apply"), status, b"", err.encode(), timed_out)


def test_every_transcript_is_judged() -> None:
    assert {name for name in transcripts.names() if name.startswith("apply-")} == TRANSCRIPTS.keys()


@pytest.mark.parametrize(("name", "finding"), TRANSCRIPTS.items())
def test_a_transcript_of_the_real_runtime(name: str, finding: Finding | None) -> None:
    result = transcripts.read(name).result

    assert judge(ended(result.status, result.err), LIMIT_S) == finding


@pytest.mark.parametrize(
    ("status", "err", "finding"),
    [
        (0, "systemctl exited with non-zero status code.\n", None),
        (1, "", apply.FAILED(status=1, reason="it printed nothing")),
        (-9, "", apply.FAILED(status=-9, reason="it printed nothing")),
        (
            1,
            "Command failed: disk is full\n\nCaused by:\n  x\n",
            apply.FAILED(status=1, reason="disk is full"),
        ),
        (
            1,
            "Warning: plain HTTP\nCommand failed: disk is full\n",
            apply.FAILED(status=1, reason="disk is full"),
        ),
        (1, "Command failed: could not query aziotid user information\n", apply.USER_MISSING(user="aziotid")),
        (
            1,
            "Command failed: could not parse config file: expected an equals at line 3 column 1\n",
            apply.REFUSED(reason="expected an equals at line 3 column 1"),
        ),
        (
            1,
            "Command failed: error trying to connect: No such file or directory (os error 2)\n",
            apply.ENGINE_DOWN(),
        ),
    ],
)
def test_other_ends(status: int, err: str, finding: Finding | None) -> None:
    assert judge(ended(status, err), LIMIT_S) == finding


def test_a_time_limit_that_was_reached_is_told_whatever_else_was_printed() -> None:
    assert judge(ended(-15, "Command failed: x", timed_out=True), LIMIT_S) == apply.TIMED_OUT(seconds=600)
    assert judge(ended(0, timed_out=True), 0.5) == apply.TIMED_OUT(seconds=0)
