"""apt in containers: together with the runtime and without, where starts are forbidden, two at once."""

import pytest

from agent import __version__
from tests.vm import witness
from tests.vm.container import Container
from tests.vm.our_package import (
    DAEMONS,
    INSTALL,
    NO_TPM,
    is_whole,
    nothing_failed,
    put_rule,
    started_with_settings,
    states,
    status,
)
from tests.vm.parts import OLDER_VERSION
from tests.vm.stages import NEWER, OLDER, SETTINGS, settings

pytestmark = pytest.mark.timeout(300)

_ENGINE = "apt-get install -y moby-engine"
_POLICY = "/usr/sbin/policy-rc.d"
_SOCKETS = tuple(f"aziot-{name}.socket" for name in ("identityd", "keyd", "certd", "tpmd", "edged.mgmt"))


def test_purged_beside_the_runtime_it_leaves_it_alone(container: Container) -> None:
    container.run(f"{_ENGINE} && apt-get install -y aziot-edge")
    started_with_settings(container)
    put_rule(container)
    before = witness.active(container, *_SOCKETS)
    files = container.run("find /etc/aziot -printf '%p %T@ %u %m\\n' | sort")

    said = container.run("apt-get purge -y edge-provisioner")

    assert f"{witness.RULE} stays: user aziottpm needs it" in said
    assert before == witness.active(container, *_SOCKETS) == ["active"] * len(_SOCKETS)
    assert container.run("find /etc/aziot -printf '%p %T@ %u %m\\n' | sort") == files
    assert container.run("dpkg --verify aziot-edge aziot-identity-service moby-engine") == ""
    container.reboot()
    assert witness.active(container, *_SOCKETS) == before
    # Without a config.toml the runtime's own daemon fails at every boot.
    container.run("systemctl --failed --plain --no-legend | grep -v ^aziot-edged", status=1)
    assert status(container, "aziot-edge").startswith("ii ")


@pytest.mark.parametrize("words", [NEWER, f"{NEWER} aziot-edge", f"aziot-edge {NEWER}"])
def test_one_command_installs_the_runtime_too(container: Container, words: str) -> None:
    container.write(SETTINGS, settings())
    container.run(_ENGINE)

    container.run(f"apt-get install -y {words}")

    assert status(container, "aziot-edge").startswith("ii ")
    assert states(container) == ["active", "active"]
    assert witness.active(container, *_SOCKETS) == ["active"] * len(_SOCKETS)
    container.wait(NO_TPM)
    assert status(container) == f"ii {__version__}"


def test_without_an_engine_apt_stops_half_way_and_goes_on_once_there_is_one(container: Container) -> None:
    """The runtime refuses to be unpacked then, though it depends on no engine; apt took it along for us."""
    container.write(SETTINGS, settings())

    said = container.run(f"apt-get install -y {NEWER}", status=100)

    assert "No container runtime detected" in said
    assert status(container) == f"iU {__version__}"
    assert states(container) == ["inactive", "inactive"]
    container.run(f"apt-get -y --fix-broken install && {_ENGINE} && apt-get install -y aziot-edge")
    assert status(container, "aziot-edge").startswith("ii ")
    assert states(container) == ["active", "active"]
    assert status(container) == f"ii {__version__}"
    assert container.run("dpkg --audit; dpkg --verify edge-provisioner") == ""


def test_where_policy_forbids_starts_it_starts_at_the_next_boot(container: Container) -> None:
    container.write(_POLICY, "#!/bin/sh\nexit 101\n", 0o755)
    container.write(SETTINGS, settings())

    container.run(INSTALL)

    assert states(container) == ["inactive", "inactive"]
    is_whole(container)
    container.reboot()
    assert states(container) == ["active", "active"]
    container.run("apt-get purge -y edge-provisioner")
    container.reboot()
    nothing_failed(container)


def test_of_two_installations_at_once_the_second_waits_or_fails_cleanly(container: Container) -> None:
    """The first is held in the middle of its postinst, at the question whether it may start something."""
    container.run("mkfifo /run/asked /run/answer")
    container.write(_POLICY, "#!/bin/sh\necho >/run/asked\nread -r answer </run/answer\n", 0o755)
    container.write(SETTINGS, settings())
    container.run(f"systemd-run --quiet --unit=first {INSTALL} && cat /run/asked")

    said = container.run(f"dpkg -i {OLDER}", status=2)
    container.run(
        f"rm {_POLICY}; systemd-run --quiet --unit=second -p RemainAfterExit=yes "
        f"apt-get -o Debug::Locking=true -o DPkg::Lock::Timeout=120 install -y --allow-downgrades {OLDER}"
    )
    container.wait("journalctl -q -b -u second -o cat | grep 'Lock: /var/lib/dpkg/lock-frontend wait'")
    container.run("echo >/run/answer")
    container.wait("[ $(systemctl show -P SubState second) = exited ]")

    assert "dpkg frontend lock" in said
    assert status(container) == f"ii {OLDER_VERSION}"
    assert container.run("edge-provisioner --version") == f"edge-provisioner {OLDER_VERSION}\n"
    assert container.run("dpkg --verify edge-provisioner") == ""
    assert states(container) == ["active", "active"]
    assert container.run(DAEMONS) == "1\n"
    nothing_failed(container)
