"""dpkg in a tree without a running system: installed, removed and purged, and what stays behind."""

from pathlib import Path

import pytest

from agent import __version__
from agent.codes import agent, settings
from tests.package.debian_tree import PROJECT, Machine

RULE = (PROJECT / "udev/tpmaccess.rules").read_bytes()
PLACE = "/etc/udev/rules.d/tpmaccess.rules"
CONFIG = "/etc/aziot/config.toml"
STATE = "/var/lib/edge-provisioner/history.json"
IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path.insert(1, "/usr/lib/edge-provisioner")
import agent
for found in pkgutil.walk_packages(agent.__path__, "agent."):
    if found.name != "agent.__main__":
        importlib.import_module(found.name)
"""


def purge(machine: Machine) -> str:
    return machine.run("dpkg", "--purge", "edge-provisioner")


def add_runtime_user(machine: Machine) -> None:
    with machine.path("/etc/passwd").open("a") as users:
        users.write("aziottpm:x:990:990::/var/lib/aziot/tpmd:/usr/sbin/nologin\n")


def test_both_units_are_enabled(installed: Machine) -> None:
    enabled = installed.path("/etc/systemd/system")

    assert (enabled / "multi-user.target.wants/edge-provisioner.service").is_symlink()
    assert (enabled / "paths.target.wants/edge-provisioner.path").is_symlink()


def test_in_an_image_nobody_is_asked_to_start_anything(installed: Machine) -> None:
    assert not installed.path("/policy-rc.d.asked").exists()


def test_where_systemd_seems_to_run_policy_rc_d_has_the_last_word(machine: Machine, package: Path) -> None:
    """An image builder's tree may have the /run of its builder, and no systemd that answers."""
    machine.path("/run/systemd/system").mkdir(parents=True)

    machine.install(package)
    machine.run("dpkg", "--purge", "edge-provisioner")

    assert "edge-provisioner.path start" in machine.path("/policy-rc.d.asked").read_text()


def test_a_preset_enables_both_where_all_else_is_disabled(installed: Machine) -> None:
    installed.run("systemctl", "disable", "edge-provisioner.path", "edge-provisioner.service")
    installed.write("/etc/systemd/system-preset/90-nothing.preset", "disable *\n")

    installed.run("systemctl", "preset-all")

    states = installed.run("systemctl", "is-enabled", "edge-provisioner.path", "edge-provisioner.service")
    assert states.split() == ["enabled", "enabled"]


def test_installing_changes_nothing_of_the_runtime_and_of_udev(installed: Machine) -> None:
    assert not installed.path(PLACE).exists()
    assert not installed.path("/etc/aziot").exists()
    assert installed.path("/run/edge-provisioner").is_dir()
    assert list(installed.path("/var/lib/edge-provisioner").iterdir()) == []


def test_every_module_finds_its_libraries(installed: Machine) -> None:
    assert installed.run("python3", "-I", "-W", "error", "-c", IMPORT_ALL) == ""


def test_the_library_that_opens_a_tpm_node_came_along(installed: Machine) -> None:
    """libtss2-tctildr loads it by name, so no dependency of a library says it."""
    load = "import ctypes; ctypes.CDLL('libtss2-tcti-device.so.0')"

    assert installed.run("python3", "-I", "-c", load) == ""


def test_the_command_works(installed: Machine) -> None:
    assert installed.run("edge-provisioner", "--version") == f"edge-provisioner {__version__}\n"
    assert settings.MISSING.summary in installed.run("edge-provisioner", "explain", "settings.missing")
    assert agent.NO_STATUS.name in installed.run("edge-provisioner", "status", "--json", status=3)


def test_nothing_around_it_decides_what_is_imported(installed: Machine) -> None:
    """What root runs takes no code from the caller's directory or environment."""
    installed.write("/tmp/agent/__init__.py", "raise SystemExit('imported from the caller')\n")

    installed.run("env", "-C", "/tmp", "PYTHONPATH=/tmp", "edge-provisioner", "--version")


def test_the_sample_is_a_settings_file_without_problems(installed: Machine) -> None:
    sample = "/usr/share/doc/edge-provisioner/examples/agent.toml"

    installed.run("edge-provisioner", "--settings", sample, "config", "check")


def test_removing_leaves_state_rule_and_config(installed: Machine) -> None:
    kept = {PLACE: RULE, CONFIG: b"# mine\n", STATE: b"{}\n", "/etc/edge-provisioner/agent.toml": b"# mine\n"}
    for place, text in kept.items():
        installed.write(place, text)

    installed.run("dpkg", "--remove", "edge-provisioner")

    assert {place: installed.path(place).read_bytes() for place in kept} == kept
    assert not installed.path("/usr/lib/edge-provisioner").exists(), "byte code stayed behind"


def test_removed_and_installed_again_the_units_are_enabled(installed: Machine, package: Path) -> None:
    installed.run("dpkg", "--remove", "edge-provisioner")
    installed.install(package)

    assert installed.run("systemctl", "is-enabled", "edge-provisioner.path", "edge-provisioner.service")


def test_purging_takes_our_state_and_nothing_of_the_runtime(installed: Machine) -> None:
    installed.write(STATE, b"{}\n")
    installed.write(CONFIG, b"# mine\n")

    purge(installed)

    assert not installed.path("/var/lib/edge-provisioner").exists()
    assert not installed.path("/run/edge-provisioner").exists()
    assert not installed.path("/etc/edge-provisioner").exists()
    assert not list(installed.path("/etc/systemd/system").rglob("edge-provisioner*"))
    assert installed.path(CONFIG).read_bytes() == b"# mine\n"


def test_purging_leaves_settings_that_a_person_wrote(installed: Machine) -> None:
    settings = installed.write("/etc/edge-provisioner/agent.toml", "# mine\n")

    assert "not empty so not removed" in purge(installed)

    assert settings.read_text() == "# mine\n"


@pytest.mark.parametrize("place", [PLACE, "/run/udev/rules.d/tpmaccess.rules"])
def test_purging_takes_our_rule_where_nobody_needs_it(installed: Machine, place: str) -> None:
    installed.write(place, RULE)

    said = purge(installed)

    assert not installed.path(place).exists()
    assert "stays" not in said


def test_purging_leaves_our_rule_while_the_runtimes_user_is_there(installed: Machine) -> None:
    add_runtime_user(installed)
    installed.write(PLACE, RULE)

    said = purge(installed)

    assert installed.path(PLACE).read_bytes() == RULE
    assert f"edge-provisioner: {PLACE} stays: user aziottpm needs it to open the TPM\n" in said


@pytest.mark.parametrize("text", [RULE + b"\n", RULE[:-1], b"", b'KERNEL=="tpm0", OWNER="aziottpm"\n'])
def test_purging_leaves_a_rule_that_differs_by_a_byte(installed: Machine, text: bytes) -> None:
    installed.write(PLACE, text)

    said = purge(installed)

    assert installed.path(PLACE).read_bytes() == text
    assert f"edge-provisioner: {PLACE} stays: it is not the one that edge-provisioner wrote\n" in said


@pytest.mark.parametrize("target", ["/dev/null", "/usr/local/share/tpmaccess.rules"])
def test_purging_leaves_a_link(installed: Machine, target: str) -> None:
    installed.write("/usr/local/share/tpmaccess.rules", RULE)
    link = installed.path(PLACE)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)

    assert f"{PLACE} stays" in purge(installed)

    assert link.is_symlink()
