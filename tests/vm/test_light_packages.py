"""dpkg and systemd without a TPM, in containers: installed, started, upgraded, removed, purged.

What a container can't show is in the other modules: TPM, udev, power, the sandbox under a kernel of its own.
"""

import pytest

from agent import __version__
from tests.vm import witness
from tests.vm.container import Container
from tests.vm.our_package import (
    DAEMONS,
    INSTALL,
    NO_TPM,
    PATH,
    SERVICE,
    is_whole,
    nothing_failed,
    process,
    put_rule,
    started_with_settings,
    states,
    status,
)
from tests.vm.parts import OLDER_VERSION
from tests.vm.stages import NEWER, OLDER, SETTINGS, settings

pytestmark = pytest.mark.timeout(300)

_UNITS = "/usr/lib/systemd/system"
_STATE = "/var/lib/edge-provisioner/kept"
_AZIOTTPM = "useradd --system --no-create-home aziottpm"


def test_installed_alone_it_waits_for_settings(container: Container) -> None:
    container.run(INSTALL)

    assert states(container) == ["inactive", "active"]
    assert witness.show(container, SERVICE, "ConditionResult") == "no"
    assert container.run(f"systemctl is-enabled {SERVICE} {PATH}") == "enabled\nenabled\n"
    assert container.run(f"ls {witness.RULE} /etc/aziot", status=2)
    is_whole(container)

    container.reboot()
    assert states(container) == ["inactive", "active"]
    nothing_failed(container)


@pytest.mark.parametrize(
    "place",
    [
        SETTINGS,
        "/etc/edge-provisioner/agent.toml.d/10-site.toml",
        "/run/edge-provisioner/agent.toml.d/10-boot.toml",
        "/usr/lib/edge-provisioner/agent.toml.d/50-fleet.toml",
    ],
)
def test_settings_start_it_wherever_they_appear(container: Container, place: str) -> None:
    container.run(INSTALL)

    container.write(place, settings())
    container.wait(NO_TPM)

    assert states(container) == ["active", "active"]
    assert "no TPM" in container.run("edge-provisioner status", status=3)
    assert len(witness.ours(container, "-u", SERVICE, "EDGE_PROVISIONER_CODE=tpm.absent")) == 1
    assert witness.show(container, SERVICE, "NRestarts") == "0"
    is_whole(container)


def test_stopped_by_hand_it_stays_so_until_settings_change(container: Container) -> None:
    started_with_settings(container)

    container.run(f"systemctl stop {SERVICE}")
    # Whatever makes the path unit look again, but for a change of settings.
    container.run(f"cat {SETTINGS}; systemctl daemon-reload && systemctl restart {PATH}")
    assert states(container) == ["inactive", "active"]

    container.write(SETTINGS, settings(more="# changed\n"))
    container.wait(f"systemctl is-active --quiet {SERVICE}")
    nothing_failed(container)


def test_installed_where_settings_lie_already_it_runs(container: Container) -> None:
    """As an image builder does it, or whoever installs it again."""
    container.write(SETTINGS, settings())

    container.run(INSTALL)

    assert states(container) == ["active", "active"]
    is_whole(container)
    before = process(container)
    container.reboot()
    assert states(container) == ["active", "active"]
    assert process(container) != before
    nothing_failed(container)


def test_presets_that_disable_everything_else_leave_it_enabled(container: Container) -> None:
    container.write("/etc/systemd/system-preset/90-nothing.preset", "disable *\n")
    container.write(SETTINGS, settings())
    container.run(INSTALL)

    container.run("systemctl preset-all")

    assert container.run("systemctl is-enabled ssh.service", status=1) == "disabled\n"
    assert container.run(f"systemctl is-enabled {SERVICE} {PATH}") == "enabled\nenabled\n"
    container.reboot()
    assert states(container) == ["active", "active"]
    nothing_failed(container)


@pytest.mark.parametrize(
    ("first", "second", "version"),
    [
        pytest.param(OLDER, NEWER, __version__, id="upgrade"),
        pytest.param(NEWER, OLDER, OLDER_VERSION, id="downgrade"),
        pytest.param(NEWER, NEWER, __version__, id="again"),
    ],
)
def test_another_version_takes_over_from_the_running_one(
    container: Container, first: str, second: str, version: str
) -> None:
    before = started_with_settings(container, first)
    # Units that differ from those that follow, so that systemd has something to notice.
    container.run(f"sed -i 's/^Description=/&Other /' {_UNITS}/edge-provisioner.* && systemctl daemon-reload")
    assert witness.show(container, SERVICE, "Description").startswith("Other ")
    assert container.run(DAEMONS) == "1\n"

    said = container.run(f"dpkg -i {second} && systemctl status {SERVICE} {PATH}")

    assert "changed on disk" not in said
    assert not witness.show(container, SERVICE, "Description").startswith("Other ")
    assert status(container) == f"ii {version}"
    assert container.run("edge-provisioner --version") == f"edge-provisioner {version}\n"
    assert container.run("dpkg --verify edge-provisioner") == ""
    assert states(container) == ["active", "active"]
    assert process(container) not in {before, "0"}
    assert container.run(DAEMONS) == "1\n"
    container.run(f"kill -0 {before}", status=1)
    assert witness.show(container, SERVICE, "Result") == "success"
    container.wait(NO_TPM)
    nothing_failed(container)


def test_what_an_administrator_disabled_stays_so_over_an_upgrade(container: Container) -> None:
    started_with_settings(container, OLDER)
    container.run(f"systemctl disable --now {SERVICE} {PATH}")

    container.run(INSTALL)

    assert container.run(f"systemctl is-enabled {SERVICE} {PATH}", status=1) == "disabled\ndisabled\n"
    assert states(container) == ["inactive", "inactive"]
    is_whole(container)


def test_removed_its_units_go_and_its_state_stays(container: Container) -> None:
    daemon = started_with_settings(container)
    container.write(_STATE, "{}")
    put_rule(container)

    said = container.run("apt-get remove -y edge-provisioner")

    assert "warning" not in said.lower()
    assert states(container) == ["inactive", "inactive"]
    assert witness.show(container, SERVICE, "LoadState") == "not-found"
    container.run(f"kill -0 {daemon}", status=1)
    assert status(container) == f"rc {__version__}"
    container.run(f"ls {_STATE} {SETTINGS} {witness.RULE}")
    container.run("ls -d /usr/lib/edge-provisioner", status=2)
    container.reboot()
    nothing_failed(container)

    container.run(INSTALL)
    assert states(container) == ["active", "active"]
    assert container.read(_STATE) == "{}"
    is_whole(container)


@pytest.mark.parametrize("user", [True, False])
def test_purged_it_takes_its_state_and_a_rule_that_nobody_needs(container: Container, user: bool) -> None:
    started_with_settings(container)
    container.write(witness.CONFIG, "# mine\n", 0o600)
    container.write(_STATE, "{}")
    put_rule(container)
    if user:
        container.run(_AZIOTTPM)
    before = witness.stamps(container, witness.CONFIG)

    said = container.run("apt-get purge -y edge-provisioner")

    stays = f"edge-provisioner: {witness.RULE} stays: user aziottpm needs it to open the TPM"
    assert (stays in said) is user
    container.run(f"ls {witness.RULE}", status=0 if user else 2)
    assert witness.stamps(container, witness.CONFIG) == before
    assert container.run("ls -d /var/lib/edge-provisioner /run/edge-provisioner", status=2)
    assert (
        container.run("find /etc/systemd /var/lib/systemd/deb-systemd-helper-enabled -name 'edge-prov*'")
        == ""
    )
    assert container.read(SETTINGS) == settings(), "what a person wrote"
    container.reboot()
    nothing_failed(container)
