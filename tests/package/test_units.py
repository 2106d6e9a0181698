"""The units: systemd has no objection, they are closed as far as planned, and they agree with the code."""

import re

import pytest

from agent.settings import reference
from agent.settings.table import LONGEST_APPLY_S
from tests.package.debian_tree import PROJECT, Machine

UNITS = PROJECT / "systemd"
WIDEST = 2.9


def settings_of(unit: str) -> dict[str, list[str]]:
    """Read a unit: every key with its values in their order."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


SERVICE = settings_of("edge-provisioner.service")
PATH = settings_of("edge-provisioner.path")


def test_systemd_has_no_objection(installed: Machine) -> None:
    """Unknown keys and values make it warn only, so it must say nothing at all."""
    for unit in ("edge-provisioner.service", "edge-provisioner.path"):
        assert installed.run("systemd-analyze", "verify", "--man=no", unit) == ""


def test_every_service_is_closed_as_far_as_the_job_allows(installed: Machine) -> None:
    services = sorted(UNITS.glob("*.service"))
    assert services
    for service in services:
        said = installed.run("systemd-analyze", "security", "--offline=yes", "--no-pager", service.name)
        overall = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        assert overall is not None
        assert float(overall[1]) <= WIDEST


def test_the_manual_pages_that_the_units_name_are_there(installed: Machine) -> None:
    for unit in ("edge-provisioner.service", "edge-provisioner.path"):
        for name, section in re.findall(r"man:(\S+)\((\d)\)", (UNITS / unit).read_text()):
            assert installed.path(f"/usr/share/man/man{section}/{name}.{section}.gz").is_file()


def test_conditions_and_path_name_every_place_that_settings_are_read_from() -> None:
    """The reference page names them; that the code reads them there is tested with the settings."""
    named = set(re.findall(r"`(/\S+/edge-provisioner/agent\.toml\S*)`", reference.page()))
    conditions = SERVICE["ConditionPathExists"] + SERVICE["ConditionPathExistsGlob"]

    assert len(named) == 4
    assert set(conditions) == {f"|{place}" for place in named}
    assert set(PATH["PathChanged"]) == {place.removesuffix("/*.toml") for place in named}


def test_a_stop_outlasts_the_longest_apply_and_the_last_look() -> None:
    (patience,) = SERVICE["TimeoutStopSec"]
    minutes = re.fullmatch(r"(\d+)min", patience)

    assert minutes is not None
    assert int(minutes[1]) * 60 > LONGEST_APPLY_S + 60


def test_no_unit_waits_for_a_device_or_for_the_runtime() -> None:
    order = SERVICE["After"] + SERVICE.get("Before", []) + SERVICE.get("Requires", [])

    assert order == ["modprobe@tpm.service"]


def test_passwords_come_by_name() -> None:
    assert SERVICE["LoadCredential"] == ["tpm-owner-auth", "tpm-endorsement-auth", "est-password"]


@pytest.mark.parametrize("unit", ["edge-provisioner.service", "edge-provisioner.path"])
def test_the_preset_names_every_unit(unit: str) -> None:
    assert f"enable {unit}\n" in (UNITS / "edge-provisioner.preset").read_text()
