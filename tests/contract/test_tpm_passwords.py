"""Hierarchies with passwords, and a TPM in lockout: what is told, and what works all the same."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agent.codes import Code, Phase
from agent.codes import tpm as codes
from agent.host.systemd import Secret
from agent.tpm import keys
from agent.tpm.keys import Authorisations
from tests.contract.tpm_asking import (
    HOST,
    ensure,
    persistent_handles,
    refusal,
    request,
    settle,
    tools,
    transient_handles,
)
from tests.standins.software_tpm import SoftwareTpm

RIGHT, WRONG, TOO_LONG = Secret("right"), Secret("wrong"), Secret("x" * 65)


CASES = [
    pytest.param("o", Authorisations(), codes.OWNER_AUTH, id="owner, none given"),
    pytest.param("o", Authorisations(owner=WRONG), codes.WRONG_OWNER_AUTH, id="owner, wrong"),
    pytest.param("o", Authorisations(owner=TOO_LONG), codes.WRONG_OWNER_AUTH, id="owner, too long"),
    pytest.param(
        "o", Authorisations(endorsement=RIGHT), codes.WRONG_ENDORSEMENT_AUTH, id="the wrong one given"
    ),
    pytest.param("e", Authorisations(), codes.ENDORSEMENT_AUTH, id="endorsement, none given"),
    pytest.param(
        "e", Authorisations(endorsement=WRONG), codes.WRONG_ENDORSEMENT_AUTH, id="endorsement, wrong"
    ),
]


@pytest.mark.parametrize(("hierarchy", "given", "code"), CASES)
def test_a_password_that_is_missing_or_wrong_is_held(
    software_tpm: SoftwareTpm, hierarchy: str, given: Authorisations, code: Code
) -> None:
    tools(software_tpm, "tpm2_changeauth", "-c", hierarchy, "right")
    finding = refusal(keys.ensure, request(software_tpm, authorisations=given))

    assert finding.code == code
    assert finding.code.phase is Phase.HELD
    assert persistent_handles(software_tpm) == transient_handles(software_tpm) == []


@pytest.mark.parametrize("hierarchies", ["o", "e", "oe"])
def test_the_right_passwords_make_the_keys(software_tpm: SoftwareTpm, hierarchies: str) -> None:
    for hierarchy in hierarchies:
        tools(software_tpm, "tpm2_changeauth", "-c", hierarchy, "right")
    given = Authorisations(RIGHT if "o" in hierarchies else None, RIGHT if "e" in hierarchies else None)

    assert keys.ensure(HOST, request(software_tpm, authorisations=given)).complete


def test_keys_that_are_there_need_no_password(software_tpm: SoftwareTpm) -> None:
    ensure(software_tpm)
    for hierarchy in "oe":
        tools(software_tpm, "tpm2_changeauth", "-c", hierarchy, "right")

    assert ensure(software_tpm).complete


def test_a_password_is_seen_by_no_other_process(software_tpm: SoftwareTpm) -> None:
    """It is in nobody's arguments and in nobody's environment while the TPM is being asked."""
    tools(software_tpm, "tpm2_changeauth", "-c", "e", "right")
    seen: list[bytes] = []
    software_tpm.wire.watch = lambda _: seen.extend(_children())
    keys.ensure(HOST, request(software_tpm, authorisations=Authorisations(endorsement=RIGHT)))

    assert seen
    assert all(b"right" not in words for words in seen)


def _children() -> list[bytes]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with (
                open(f"/proc/{pid}/cmdline", "rb") as argv,
                open(f"/proc/{pid}/environ", "rb") as environment,
            ):
                words = argv.read()
                if b"agent.tpm.esapi" in words:
                    found.append(words + environment.read())
        except OSError:
            continue
    return found


def test_a_lockout_does_not_keep_keys_from_being_made(software_tpm: SoftwareTpm) -> None:
    """Both are exempt; this is why the SRK is made with noDA."""
    tools(software_tpm, "tpm2_dictionarylockout", "-s", "-n", "1", "-t", "1000", "-l", "1000")
    tools(software_tpm, "tpm2_createprimary", "-Q", "-C", "o", "-p", "right", "-c", "made.ctx")
    settle(software_tpm)
    with pytest.raises(AssertionError, match="0x0000098e"):
        tools(
            software_tpm, "tpm2_create", "-Q", "-C", "made.ctx", "-P", "wrong", "-u", "x.pub", "-r", "x.priv"
        )
    assert "inLockout:                 1" in tools(software_tpm, "tpm2_getcap", "properties-variable")
    settle(software_tpm)

    assert ensure(software_tpm).complete


NOBODY = 65534
ASK = (
    "import sys; sys.path.insert(1, sys.argv[1]); from agent.host.root import Root; "
    "from agent.tpm import keys; given = keys.authorisations(Root(sys.argv[2])); "
    "print(given.hidden, given.owner)"
)


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "told"),
    [
        pytest.param(0o700, 0o600, "True None", id="a closed folder"),
        pytest.param(0o755, 0o600, "True None", id="a closed file"),
        pytest.param(0o755, None, "False None", id="an open folder without one"),
        pytest.param(None, None, "False None", id="no folder"),
    ],
)
def test_an_ordinary_user_knows_that_there_may_be_passwords(
    folder_mode: int | None, file_mode: int | None, told: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)  # noqa: S103  # the other user goes through it
        store = Path(root, "etc/credstore")
        if folder_mode is not None:
            store.mkdir(parents=True)
        if file_mode is not None:
            (store / "tpm-owner-auth").write_text("secret")
            (store / "tpm-owner-auth").chmod(file_mode)
        if folder_mode is not None:
            store.chmod(folder_mode)
        argv = (sys.executable, "-I", "-c", ASK, str(Path(__file__).parents[2]), root)
        done = subprocess.run(argv, user=NOBODY, capture_output=True, text=True, check=False, cwd="/")

    assert done.stdout.strip() == told, done.stderr
