"""The machine's own TPM, taken away and brought back while it runs.

With the stock kernel it comes back under another number: IMA holds on to the TPM that it finds at boot, so
its number stays taken. Whoever else has an old node open, as aziot-tpmd has, keeps that number taken too.
"""

from tests.vm.machine import Machine

_DRIVER = "/sys/bus/platform/drivers/tpm_tis"
_DEVICE = "MSFT0101:00"


def unbind(machine: Machine) -> None:
    """Take it away."""
    machine.run(f"echo {_DEVICE} >{_DRIVER}/unbind && udevadm settle")


def bind(machine: Machine) -> None:
    """Bring it back."""
    machine.run(f"echo {_DEVICE} >{_DRIVER}/bind && udevadm settle")
