"""What the firmware says of a TPM, whether or not a driver has taken it.

A look at files of the kernel's: no TPM is woken, and nothing is asked while a node is there.
"""

import os
import re
from collections.abc import Iterator

from agent.host import files
from agent.host.root import Root

_TABLE = "/sys/firmware/acpi/tables/TPM2"  # TCG ACPI Specification
_DEVICES = "/sys/bus/acpi/devices"
_DEVICE = re.compile(r"MSFT0101:[0-9a-f]+")
_TREE = "/sys/firmware/devicetree/base"
# Of the bindings tcg,tpm-tis-spi, tcg,tpm-tis-i2c and tcg,tpm_tis-mmio, and of the Raspberry Pi's overlay.
_NODE = re.compile(r"(tpm|tpm_tis|slb967[0-9])@[0-9a-f]+")
_DEEPEST = 6  # below a bus below a bus; a whole tree has thousands of nodes
_OFF = (b"disabled", b"fail")


def announces(root: Root) -> str:
    """Name the kernel's file by which the firmware announces a TPM 2.0 that is switched on; empty if none."""
    if files.look(root.path(_TABLE)).kind == "file":
        return _TABLE
    return next(_acpi_devices(root), "") or next(_tree_nodes(root, _TREE, _DEEPEST), "")


def _acpi_devices(root: Root) -> Iterator[str]:
    for name in files.names(root.path(_DEVICES)):
        place = f"{_DEVICES}/{name}"
        if _DEVICE.fullmatch(name) and _word(root, f"{place}/status") != b"0":  # _STA: not present
            yield place


def _tree_nodes(root: Root, folder: str, depth: int) -> Iterator[str]:
    for name in _folders(root.path(folder)):
        place = f"{folder}/{name}"
        if _NODE.fullmatch(name):
            if _word(root, f"{place}/status") not in _OFF:
                yield place
        elif depth:
            yield from _tree_nodes(root, place, depth - 1)


def _folders(path: str) -> tuple[str, ...]:
    """Give the names of a folder's folders; by their kind alone, for a tree has thousands of properties."""
    try:
        with os.scandir(path) as found:
            return tuple(sorted(one.name for one in found if one.is_dir(follow_symlinks=False)))
    except OSError:
        return ()


def _word(root: Root, place: str) -> bytes:
    try:
        return (files.read(root.path(place)) or b"").strip(b"\0\n ")
    except OSError:
        return b""
