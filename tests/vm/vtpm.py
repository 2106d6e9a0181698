"""TPMs that come and go while the machine runs: swtpm in the machine, behind the kernel's vtpm_proxy."""

from tests.vm.machine import Machine


def plug(machine: Machine, name: str) -> str:
    """Make a TPM appear; gives its number in /dev."""
    state, pid = f"/var/lib/vtpm/{name}", f"/run/vtpm-{name}.pid"
    before = _numbers(machine)
    machine.run(
        f"modprobe tpm_vtpm_proxy && mkdir -p {state} && "
        f"swtpm chardev --vtpm-proxy --tpm2 --tpmstate dir={state} --pid file={pid} --daemon"
    )
    machine.wait(f"[ $(ls -d /dev/tpmrm* | wc -l) -gt {len(before)} ]")
    machine.run("udevadm settle")
    (number,) = _numbers(machine) - before
    return number


def unplug(machine: Machine, name: str) -> None:
    """Make a TPM go."""
    count = len(_numbers(machine))
    machine.run(f"kill $(cat /run/vtpm-{name}.pid)")
    machine.wait(f"[ $(ls -d /dev/tpmrm* | wc -l) -lt {count} ]")
    machine.run("udevadm settle")


def tcti(number: str) -> str:
    """Give the environment that leads tpm2-tools to a TPM."""
    return f"TPM2TOOLS_TCTI=device:/dev/tpmrm{number}"


def _numbers(machine: Machine) -> set[str]:
    return set(machine.run("ls /dev | sed -n 's/^tpmrm//p'").split())
