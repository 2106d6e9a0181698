"""A key's public half as the TPM tells it: ReadPublic's bytes, the fields of a public area, Names.

Pure. ReadPublic is built and read here because its answer carries the qualified Name, which proves
in the same command that a key is a primary key of one hierarchy (TPM 2.0 part 1, "Names").
"""

import hashlib
import struct

from agent.values import dataclass

_NO_SESSIONS = 0x8001
_READ_PUBLIC = 0x00000173
_HEADER_SIZE = 10
_FIXED_FIELDS_SIZE = 8  # type, nameAlg, objectAttributes
_HASHES = {0x000B: "sha256", 0x000C: "sha384", 0x000D: "sha512"}
_RSA, _NULL, _RSAES, _ECC = 0x0001, 0x0010, 0x0015, 0x0023


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What a TPM answered to ReadPublic: its response code and, where that is 0, the three parts."""

    rc: int
    public: bytes = b""  # TPM2B_PUBLIC, size field included
    name: bytes = b""
    qualified_name: bytes = b""


@dataclass(frozen=True, slots=True)
class PublicArea:
    """The fields of a TPMT_PUBLIC that decide what a key is.

    `key_bits` is 0 unless it is an RSA key, `curve` (TPM_ECC_CURVE) 0 unless it is an ECC key.
    """

    kind: int
    name_algorithm: int
    attributes: int
    policy: bytes
    key_bits: int = 0
    curve: int = 0


def read_public_command(handle: int) -> bytes:
    """Give the command that reads the object at a handle; it needs no authorisation (TPM 2.0 part 3)."""
    return struct.pack(">HIII", _NO_SESSIONS, _HEADER_SIZE + 4, _READ_PUBLIC, handle)


def parse_read_answer(response: bytes) -> ReadAnswer:
    """Read a TPM's response to ReadPublic.

    Raises:
        ValueError: that is no such response.

    """
    if len(response) < _HEADER_SIZE or int.from_bytes(response[2:6], "big") != len(response):
        raise ValueError("a response of the wrong size")
    rc = int.from_bytes(response[6:10], "big")
    if rc:
        return ReadAnswer(rc)
    public, rest = _sized(response[_HEADER_SIZE:])
    name, rest = _sized(rest)
    qualified_name, rest = _sized(rest)
    if rest or not public:
        raise ValueError("a response with missing or surplus bytes")
    return ReadAnswer(0, len(public).to_bytes(2, "big") + public, name, qualified_name)


def parse_public(public: bytes) -> PublicArea:
    """Read a TPM2B_PUBLIC.

    Raises:
        ValueError: that is no public area.

    """
    area, surplus = _sized(public)
    if surplus or len(area) < _FIXED_FIELDS_SIZE:
        raise ValueError("a public area of the wrong size")
    kind, name_algorithm, attributes = struct.unpack_from(">HHI", area)
    policy, parameters = _sized(area[_FIXED_FIELDS_SIZE:])
    key_bits = _rsa_key_bits(parameters) if kind == _RSA else 0
    curve = _curve(parameters) if kind == _ECC else 0
    return PublicArea(kind, name_algorithm, attributes, policy, key_bits, curve)


def name_of(public: bytes) -> bytes:
    """Compute the Name of a TPM2B_PUBLIC: its name algorithm and the digest of the area (TPM 2.0 part 1).

    Raises:
        ValueError: that is no public area, or its name algorithm is not of the SHA-2 family.

    """
    algorithm = parse_public(public).name_algorithm
    return _digest_with_algorithm(algorithm, public[2:])


def primary_qualified_name(name: bytes, hierarchy: int) -> bytes:
    """Compute the qualified Name that a key of this Name has if it is a primary key of the hierarchy.

    Raises:
        ValueError: the Name's algorithm is not of the SHA-2 family.

    """
    return _digest_with_algorithm(int.from_bytes(name[:2], "big"), hierarchy.to_bytes(4, "big") + name)


def _digest_with_algorithm(algorithm: int, data: bytes) -> bytes:
    if algorithm not in _HASHES:
        raise ValueError(f"name algorithm {algorithm:#06x}")
    return algorithm.to_bytes(2, "big") + hashlib.new(_HASHES[algorithm], data).digest()


def _rsa_key_bits(parameters: bytes) -> int:
    """Give keyBits of TPMS_RSA_PARMS; symmetric is one field if it is NULL, most schemes bring a hash."""
    words = [int.from_bytes(parameters[at : at + 2], "big") for at in range(0, len(parameters) - 1, 2)]
    scheme_at = 1 if words[:1] == [_NULL] else 3
    if len(words) <= scheme_at + 2:
        raise ValueError("RSA parameters cut short")
    return words[scheme_at + (1 if words[scheme_at] in (_NULL, _RSAES) else 2)]


def _curve(parameters: bytes) -> int:
    """Give curveID of TPMS_ECC_PARMS, 0 where it is cut short: an ECC key is none that we could use."""
    words = [int.from_bytes(parameters[at : at + 2], "big") for at in range(0, len(parameters) - 1, 2)]
    scheme_at = 1 if words[:1] == [_NULL] else 3
    curve_at = scheme_at + (1 if words[scheme_at : scheme_at + 1] == [_NULL] else 2)
    return words[curve_at] if len(words) > curve_at else 0


def _sized(data: bytes) -> tuple[bytes, bytes]:
    """Split off a TPM2B: its content, and what follows it."""
    size = int.from_bytes(data[:2], "big")
    if len(data) < 2 + size:
        raise ValueError("a field longer than its buffer")
    return data[2 : 2 + size], data[2 + size :]
