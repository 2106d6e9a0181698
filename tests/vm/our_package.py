"""Our package on a machine: its units, what brings it there, and what dpkg and systemd say of it."""

from agent import __version__
from tests.package.debian_tree import PROJECT
from tests.vm import witness
from tests.vm.shell import Shell
from tests.vm.stages import NEWER, SETTINGS, settings

SERVICE, PATH = "edge-provisioner.service", "edge-provisioner.path"
INSTALL = f"dpkg -i {NEWER}"
# systemd has heard of it from the daemon, so its first look is over.
NO_TPM = f"systemctl show -P StatusText {SERVICE} | grep 'no TPM'"
DAEMONS = "pgrep -fc '^/usr/bin/python3 -I /usr/bin/edge-provisioner run$'"


def states(machine: Shell) -> list[str]:
    """Give systemd's word on service and path unit."""
    return witness.active(machine, SERVICE, PATH)


def process(machine: Shell) -> str:
    """Give the daemon's process, 0 if there is none."""
    return witness.show(machine, SERVICE, "MainPID")


def status(machine: Shell, package: str = "edge-provisioner") -> str:
    """Give dpkg's word on a package."""
    return machine.run(f"dpkg-query -W -f '${{db:Status-Abbrev}}${{Version}}' {package}", status=None)


def nothing_failed(machine: Shell) -> None:
    """Assert that all units are up, and no package is half installed."""
    assert machine.run("systemctl is-system-running --wait", status=None) == "running\n"
    assert machine.run("systemctl --failed --no-legend; dpkg --audit") == ""


def is_whole(machine: Shell) -> None:
    """Assert that the package is installed as it was shipped."""
    assert status(machine) == f"ii {__version__}"
    assert machine.run("dpkg --verify edge-provisioner") == ""
    nothing_failed(machine)


def put_rule(machine: Shell) -> None:
    """Put the TPM's rule where the daemon would have."""
    machine.write(witness.RULE, (PROJECT / "udev/tpmaccess.rules").read_text())


def started_with_settings(machine: Shell, package: str = NEWER) -> str:
    """Install with settings at hand; gives the daemon's process."""
    machine.write(SETTINGS, settings())
    machine.run(f"dpkg -i {package}")
    machine.wait(NO_TPM)
    return process(machine)
