"""`identity` and `tpm` as a person or a production line runs them."""

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.host import process
from tests.contract.tpm_asking import (
    COLD,
    EK,
    FLUSH,
    LOOKED,
    MAKE,
    SRK,
    WARM,
    persistent_handles,
    public_by_tools,
)
from tests.standins.software_tpm import SoftwareTpm
from tests.unit.tpm_publics import EK as EK_OF_ANOTHER

PROJECT = Path(__file__).parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for place in ("dev", "etc/edge-provisioner", "run", "var/lib"):
        (tmp_path / place).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def command(root: Path) -> Command:
    """Run a command below a root of its own."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        argv = (*process.module_argv("agent.cli"), "--root", str(root), *words)
        return subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")

    return run


def tree(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in root.rglob("*")}


def test_identity_is_that_of_the_published_procedure(command: Command, software_tpm: SoftwareTpm) -> None:
    assert command("tpm", "ensure", "--tpm", software_tpm.tcti).returncode == 0
    public = public_by_tools(software_tpm, EK)
    done = command("identity", "--json", "--tpm", software_tpm.tcti)

    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "registration_id": hashlib.sha256(public).hexdigest(),
        "endorsement_key": base64.b64encode(public).decode(),
        "registration_id_ek_base32": base64.b32encode(hashlib.sha256(public).digest())
        .decode()
        .strip("=")
        .lower(),
        "persistent": True,
    }
    assert done.stderr == ""


def test_an_empty_tpm_is_told_what_it_will_be_and_left_empty(
    command: Command, root: Path, software_tpm: SoftwareTpm
) -> None:
    """No settings, no network, no runtime: a production line's bare device."""
    before = tree(root)
    told = command("identity", "--json", "--tpm", software_tpm.tcti)

    assert told.returncode == 0
    assert json.loads(told.stdout)["persistent"] is False
    assert "`edge-provisioner tpm ensure` makes the key with these values" in told.stderr
    assert software_tpm.commands() == [*LOOKED, MAKE, FLUSH]
    assert tree(root) == before
    command("tpm", "ensure", "--tpm", software_tpm.tcti)
    later = command("identity", "--json", "--tpm", software_tpm.tcti)
    assert json.loads(later.stdout) == {**json.loads(told.stdout), "persistent": True}


def test_identity_for_people_has_the_same_values(command: Command, software_tpm: SoftwareTpm) -> None:
    told = json.loads(command("identity", "--json", "--tpm", software_tpm.tcti).stdout)
    shown = dict(
        re.findall(r"^(\S+)  +(\S+)$", command("identity", "--tpm", software_tpm.tcti).stdout, re.MULTILINE)
    )

    assert shown == {**told, "persistent": "false"}


def test_ensure_makes_the_keys_and_nothing_else(
    command: Command, root: Path, software_tpm: SoftwareTpm
) -> None:
    before = set(tree(root))
    first = command("tpm", "ensure", "--tpm", software_tpm.tcti)
    assert software_tpm.commands() == COLD
    second = command("tpm", "ensure", "--json", "--tpm", software_tpm.tcti)
    assert software_tpm.commands() == WARM

    assert (first.returncode, second.returncode) == (0, 0)
    assert re.search(r"EK +created +000b[0-9a-f]{64}\n +SRK +created +000b", first.stdout)
    (report,) = json.loads(second.stdout)
    assert (report["ek"]["state"], report["srk"]["state"], report["code"]) == ("present", "present", None)
    assert persistent_handles(software_tpm) == [SRK, EK]
    run_time_files = {str(root / "run/edge-provisioner"), str(root / "run/edge-provisioner/pass.lock")}
    assert set(tree(root)) - before == run_time_files


def test_a_node_below_the_root_is_found_by_itself(
    command: Command, root: Path, software_tpm: SoftwareTpm
) -> None:
    software_tpm.bridge(str(root / "dev/tpmrm1")).plug()
    done = command("tpm", "ensure")

    assert done.returncode == 0
    assert done.stdout.startswith("/dev/tpmrm1\n")


def test_a_node_on_the_command_line_stands_as_it_is(
    command: Command, tmp_path: Path, software_tpm: SoftwareTpm
) -> None:
    node = str(tmp_path / "elsewhere/tpmrm0")
    software_tpm.bridge(node).plug()

    assert command("identity", "--tpm", node).returncode == 0


def test_without_a_tpm_commands_wait_with_a_word(command: Command) -> None:
    for words in (("identity",), ("tpm", "show"), ("tpm", "ensure")):
        done = command(*words)
        assert done.returncode == 3
        assert done.stderr.startswith("tpm.absent: ")


def test_of_several_tpms_none_is_taken_and_all_are_shown(
    command: Command, root: Path, software_tpm: SoftwareTpm
) -> None:
    for number in (0, 1):
        software_tpm.bridge(str(root / f"dev/tpmrm{number}")).plug()
    done = command("tpm", "ensure")

    assert done.returncode == 4
    assert "tpm.several" in done.stderr
    assert "/dev/tpmrm0 (no EK yet); /dev/tpmrm1 (no EK yet)" in done.stderr
    shown = command("tpm", "show")
    assert shown.returncode == 0
    assert re.findall(r"^/dev/\S+", shown.stdout, re.MULTILINE) == ["/dev/tpmrm0", "/dev/tpmrm1"]
    assert persistent_handles(software_tpm) == []


def test_show_tells_the_trouble_of_each(command: Command, root: Path, software_tpm: SoftwareTpm) -> None:
    software_tpm.bridge(str(root / "dev/tpmrm0")).plug()
    (root / "dev/tpmrm1").touch()
    done = command("tpm", "show", "--json")

    assert done.returncode == 4
    assert [(report["device"], report["code"]) for report in json.loads(done.stdout)] == [
        ("/dev/tpmrm0", None),
        ("/dev/tpmrm1", "tpm.not-a-device"),
    ]
    assert "tpm.not-a-device: /dev/tpmrm1 is no device node" in command("tpm", "show").stdout


def test_settings_decide_the_registration_id(command: Command, root: Path, software_tpm: SoftwareTpm) -> None:
    settings = root / "etc/edge-provisioner/agent.toml"
    settings.write_text(
        f'[dps]\nregistration_id = "line-{{hostname}}"\n[tpm]\ndevice = "{software_tpm.tcti}"\n'
    )
    (root / "etc/hostname").write_text("Press-7\n")
    told = json.loads(command("identity", "--json").stdout)

    assert told["registration_id"] == "line-press-7"
    (root / "etc/hostname").write_text("localhost\n")
    held = command("identity")
    assert held.returncode == 4
    assert "registration.placeholder" in held.stderr


def test_settings_name_the_tpm_that_is_shown(command: Command, root: Path, software_tpm: SoftwareTpm) -> None:
    (root / "dev/tpmrm0").touch()
    software_tpm.bridge(str(root / "dev/tpmrm1")).plug()
    (root / "etc/edge-provisioner/agent.toml").write_text('[tpm]\ndevice = "/dev/tpmrm1"\n')

    assert command("tpm", "show").stdout.startswith("/dev/tpmrm1\n")
    assert command("tpm", "show", "--tpm", "ek:000b").returncode == 4, "all, the file among them"


def test_bad_settings_stop_what_changes_things_and_nothing_else(
    command: Command, root: Path, software_tpm: SoftwareTpm
) -> None:
    (root / "etc/edge-provisioner/agent.toml").write_text("nonsense = 1\n")
    told = command("identity", "--tpm", software_tpm.tcti)
    refused = command("tpm", "ensure", "--tpm", software_tpm.tcti)

    assert told.returncode == 0
    assert "The settings are left out" in told.stderr
    assert refused.returncode == 2
    assert persistent_handles(software_tpm) == []


def test_an_identity_that_would_change_is_held(
    command: Command, root: Path, software_tpm: SoftwareTpm
) -> None:
    place = root / "var/lib/edge-provisioner/history.json"
    place.parent.mkdir()
    place.write_text(json.dumps({"schema": 1, "ek_public": EK_OF_ANOTHER.hex()}))
    done = command("tpm", "ensure", "--tpm", software_tpm.tcti)

    assert done.returncode == 4
    assert done.stderr.startswith("tpm.cleared: ")
    assert persistent_handles(software_tpm) == []


def test_rehearse_is_not_in_this_version(command: Command) -> None:
    done = command("tpm", "rehearse")

    assert (done.returncode, done.stdout) == (2, "")
    assert "not in this version" in done.stderr
