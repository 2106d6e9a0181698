"""TPMs that come and go while the machine runs: swtpm in the machine, behind the kernel's vtpm_proxy."""

from tests.vm.machine import Machine

# The kernel gives a TPM up that does not answer its first commands in time, as one in a starved machine
# may not, and never asks again: then it is plugged in once more.
_PLUG = """
modprobe tpm_vtpm_proxy && mkdir -p {state} || exit
for attempt in 1 2 3 4 5; do
    swtpm chardev --vtpm-proxy --tpm2 --tpmstate dir={state} --pid file={pid} --daemon || exit
    for second in $(seq 30); do
        [ $(ls /dev | grep -c '^tpmrm') -gt {count} ] && exit
        sleep 1
    done
    dmesg | grep -i tpm | tail -n 3
    kill $(cat {pid}) || :
done
exit 1
"""


def plug(machine: Machine, name: str) -> str:
    """Make a TPM appear; gives its number in /dev."""
    before = _numbers(machine)
    state, pid = f"/var/lib/vtpm/{name}", f"/run/vtpm-{name}.pid"
    machine.run(_PLUG.format(state=state, pid=pid, count=len(before)), timeout_s=300)
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
