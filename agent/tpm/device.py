"""What a TPM is called: by people, by the agent that opens it, by the runtime that has to open the same one.

Pure.
"""

from agent.values import dataclass

_DEFAULTS_OF_RUNTIME = ("/dev/tpmrm0", "/dev/tpm0")  # observed on runtime 1.6: its TCTI "device" tries these
_SOFTWARE_TCTIS = ("swtpm", "mssim", "libtpms")


@dataclass(frozen=True, slots=True)
class Device:
    """A TPM that can be spoken to: by its node, or by a TCTI string, when `path` is empty.

    `name` is what people and the runtime call it, `path` where its node lies below the agent's root,
    `tcti` how the agent opens it, `number` the kernel's index, -1 where there is none.
    `inode` and `changed_s` (wall clock) tell a node from its successor of the same name.
    """

    name: str
    tcti: str
    path: str = ""
    number: int = -1
    inode: int = 0
    changed_s: float = 0.0

    @property
    def is_software(self) -> bool:
        """Whether a TCTI string says that this is an emulator."""
        return not self.path and self.tcti.partition(":")[0] in _SOFTWARE_TCTIS

    @property
    def tcti_for_tools(self) -> str:
        """What a person gives tpm2-tools behind -T."""
        return f"device:{self.name}" if self.path else self.tcti


def tcti_for_runtime(device: Device, nodes: tuple[Device, ...]) -> str | None:
    """Give the `[tpm] tcti` that makes aziot-tpmd use this TPM; None where it finds it by itself."""
    if not device.path:
        return device.tcti
    present = {each.name for each in nodes}
    found_by_itself = next((name for name in _DEFAULTS_OF_RUNTIME if name in present), None)
    return None if device.name == found_by_itself else f"device:{device.name}"
