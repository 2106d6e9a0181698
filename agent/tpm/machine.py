"""What this machine says of itself: the facts a registration id's template may name."""

import os

from agent.host import files
from agent.host.root import Root
from agent.tpm.registration import MachineFacts

_SERIALS = (
    "/sys/class/dmi/id/product_serial",  # SMBIOS type 1; readable by root only
    "/sys/firmware/devicetree/base/serial-number",  # boards without SMBIOS; ends with a NUL
)


def facts(root: Root) -> MachineFacts:
    """Read the facts; what is missing or can't be read is empty."""
    serials = (_text(root, path) for path in _SERIALS)
    return MachineFacts(
        machine_id=_text(root, "/etc/machine-id"),
        hostname=os.uname().nodename if root.is_host else _text(root, "/etc/hostname"),
        serial=next((serial for serial in serials if serial), ""),
    )


def _text(root: Root, path: str) -> str:
    try:
        data = files.read(root.path(path), limit=4096)
    except OSError:
        return ""
    return (data or b"").decode("utf-8", "replace").strip("\0 \n\t")
