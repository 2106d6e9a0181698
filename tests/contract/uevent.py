"""Events as systemd-udevd multicasts them to libudev's monitors (its own format behind a 40-byte header)."""

import struct

_WORD = 0xFFFFFFFF


def message(action: str, subsystem: str, name: str, sequence: int) -> bytes:
    """Give one event of source "udev"."""
    fields = {
        "ACTION": action,
        "DEVPATH": f"/devices/{name}",
        "SUBSYSTEM": subsystem,
        "DEVNAME": f"/dev/{name}",
        "MAJOR": "253",
        "MINOR": "65536",
        "SEQNUM": str(sequence),
    }
    properties = b"".join(f"{key}={value}".encode() + b"\0" for key, value in fields.items())
    header = b"libudev\0" + struct.pack(">I", 0xFEEDCAFE) + struct.pack("=III", 40, 40, len(properties))
    return header + struct.pack(">II", murmur2(subsystem.encode()), 0) + bytes(8) + properties


def murmur2(data: bytes) -> int:
    """Hash as libudev's kernel-side filter does (MurmurHash2 by Austin Appleby, seed 0)."""
    value = len(data)
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        mixed = word * 0x5BD1E995 & _WORD
        mixed = (mixed ^ mixed >> 24) * 0x5BD1E995 & _WORD
        value = (value * 0x5BD1E995 & _WORD) ^ mixed
    if tail := data[whole:]:
        value = (value ^ int.from_bytes(tail, "little")) * 0x5BD1E995 & _WORD
    value = (value ^ value >> 13) * 0x5BD1E995 & _WORD
    return value ^ value >> 15
