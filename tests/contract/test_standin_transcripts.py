"""The stand-in runtime does what the real one did: every transcript is played against it.

`SETUP` says how a machine gets into the state that the transcript's first line describes; what may
not be played is in `NOT_PLAYED` with its reason. Nothing may be missing from the two.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest

from agent.values import replace
from tests.contract import states, transcripts
from tests.contract.transcripts import Played, Transcript, active, comparable, read, shell, wait
from tests.standins.machine import Machine

NOT_PLAYED = {"README.md": "says what the folder holds; no command"}


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    # Its name is short: a client such as curl can use no socket path beyond 107 bytes.
    with states.new(str(tmp_path_factory.mktemp("m"))) as made:
        yield made


SETUP: dict[str, Callable[[Machine], None]] = {
    "apply-again.txt": states.applied,
    "apply-attestation-unknown.txt": states.installed,
    "apply-auth-index-string.txt": states.installed,
    "apply-bad-endpoint.txt": states.installed,
    "apply-dead-unit.txt": states.provisioned,
    "apply-docker-down.txt": states.applied,
    "apply-duplicate-key.txt": states.installed,
    "apply-first.txt": states.installed,
    "apply-hostname-changed.txt": states.pinned,
    "apply-mode-unknown.txt": states.installed,
    "apply-mode-unquoted.txt": states.installed,
    "apply-no-file.txt": states.installed,
    "apply-no-id-scope.txt": states.installed,
    "apply-not-root.txt": states.asked_not_as_root,
    "apply-not-utf8.txt": states.installed,
    "apply-template.txt": states.installed,
    "apply-timeout-low.txt": states.installed,
    "check-list.txt": states.installed,
    "check.txt": states.provisioned,
    "generated-est-bootstrap.txt": states.est_by_certificate,
    "generated-est-password.txt": states.est_by_password,
    "generated-tpm.txt": states.applied,
    "generated-tpmd-custom.txt": states.installed,
    "identity-device.txt": states.provisioned,
    "identity-device-x509.txt": states.est_provisioned,
    "identity-forbidden.txt": states.provisioned,
    "identity-provisioning-x509.txt": states.est_provisioned,
    "identity-provisioning.txt": states.provisioned,
    "identity-unconfigured.txt": states.unconfigured,
    "journal-401.txt": states.third_refusal,
    "journal-est-401.txt": states.est_refused,
    "journal-est-ok.txt": states.est_provisioned,
    "journal-reprovision-ok.txt": states.provisioned,
    "journal-tpm-denied.txt": states.denied,
    "list-running.txt": states.with_edge_agent,
    "list-stopped.txt": states.stopped,
    "list-unconfigured.txt": states.unconfigured,
    "reprovision-401.txt": states.provisioned,
    "reprovision-ok.txt": states.provisioned,
    "set-log-level.txt": states.installed,
    "state-after-401.txt": states.refused,
    "state-files-x509.txt": states.est_provisioned,
    "state-files.txt": states.provisioned,
    "status-after-401.txt": states.refused_and_restarted,
    "status-identityd-restarting.txt": states.provisioned,
    "status-installed.txt": states.installed,
    "status-masked-tpmd.txt": states.tpmd_masked,
    "status-running.txt": states.provisioned,
    "status-stopped.txt": states.stopped,
    "status-tpm-denied.txt": states.denied,
    "status-tpm-gone.txt": states.unplugged,
    "status-tpmd-socket-stopped.txt": states.provisioned,
    "status-x509-running.txt": states.est_provisioned,
    "system-restart.txt": states.provisioned,
    "system-stop.txt": states.provisioned,
    "unit-properties.txt": states.provisioned,
    "usage-unknown.txt": states.installed,
    "version.txt": states.installed,
}


def _identityd_killed(machine: Machine, transcript: Transcript) -> Played:
    """A second passed on the real machine; here the manager has noticed the end."""
    kill, status = transcript.command.split("; sleep 1; ")
    machine.fault(time_scale=states.FROZEN / 100)
    assert shell(machine, kill).status == 0
    wait(lambda: active(machine, "aziot-identityd") == "activating")
    return shell(machine, status)


def _driver_unbound(machine: Machine, transcript: Transcript) -> Played:
    """The nodes are gone by the set-up: a scratch root has no driver to unbind, nothing to wait for."""
    return shell(machine, transcript.command.partition("sleep 3; ")[2])


def _by_another_user(machine: Machine, transcript: Transcript) -> Played:
    """A scratch root's other users are no users of this machine; a fault says who asks."""
    prefix = "setpriv --reuid=iotedge --regid=iotedge --init-groups "
    return shell(machine, transcript.command.replace(prefix, ""))


def _forbidden(machine: Machine, transcript: Transcript) -> Played:
    """The socket by its relative path: user nobody may not search what lies above the scratch root."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv, to ask as user nobody")
    relative = transcript.command.replace("--unix-socket /run", "--unix-socket run")
    return shell(machine, relative)


def _times_out(machine: Machine, transcript: Transcript) -> Played:
    """Curl's own patience is shortened; nothing comes in either time."""
    return shell(machine, transcript.command.replace("-m 5 ", "-m 0.3 "))


def _reprovisioned(machine: Machine, transcript: Transcript) -> Played:
    """The window that the twelve seconds before the look showed: from the modules' end on."""
    machine.fault(time_scale=0.01)
    assert shell(machine, "iotedge system reprovision").status == 0
    everything = transcript.command.replace("--since -12s ", "")
    last = transcript.result.out.splitlines()[-1].partition(" - ")[2]
    wait(lambda: shell(machine, everything).out.count(last) == 2)
    played = shell(machine, everything)
    shown = len(transcript.result.out.splitlines())
    lines = played.out.splitlines(keepends=True)
    end = max(number for number, line in enumerate(lines) if "watchdog finished" in line)
    start = end - 1  # "All modules stopped"; aziot-edged says that at its start too
    return replace(played, out="".join(lines[start : start + shown]))


def _whole_journal(machine: Machine, transcript: Transcript) -> Played:
    """The look back by seconds reached to the first start, which is where this journal begins."""
    return shell(machine, re.sub(r"--since -\d+s ", "", transcript.command))


def _refused_reprovision(machine: Machine, transcript: Transcript) -> Played:
    machine.fault(cloud="401")
    return shell(machine, transcript.command)


PLAY: dict[str, Callable[[Machine, Transcript], Played]] = {
    "apply-not-root.txt": _by_another_user,
    "identity-forbidden.txt": _forbidden,
    "identity-unconfigured.txt": _times_out,
    "journal-est-401.txt": _whole_journal,
    "journal-est-ok.txt": _whole_journal,
    "journal-reprovision-ok.txt": _reprovisioned,
    "reprovision-401.txt": _refused_reprovision,
    "status-identityd-restarting.txt": _identityd_killed,
    "status-tpm-gone.txt": _driver_unbound,
}


def test_every_transcript_is_played_or_says_why_not() -> None:
    assert SETUP.keys() | NOT_PLAYED.keys() == transcripts.names()
    assert not SETUP.keys() & NOT_PLAYED.keys()
    assert PLAY.keys() <= SETUP.keys()


@pytest.mark.parametrize("name", sorted(SETUP))
def test_the_stand_in_does_what_the_runtime_did(name: str, machine: Machine) -> None:
    transcript = read(name)
    if re.search(r"\bcurl\b", transcript.command) and not shutil.which("curl"):
        pytest.skip("curl is not installed")
    SETUP[name](machine)
    play = PLAY.get(name)
    played = play(machine, transcript) if play else shell(machine, transcript.command)
    assert comparable(played) == comparable(transcript.result)
