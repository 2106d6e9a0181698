"""The few TPM 2.0 commands that the TPM service needs, as bytes on an open node (TPM 2.0 parts 2 and 3)."""

import errno
import os
import select
import time

EK, SRK = 0x81010001, 0x81000001
OWNER, ENDORSEMENT = 0x40000001, 0x4000000B
# The TCG's RSA 2048 templates: EK Credential Profile L-1, Provisioning Guidance 7.5.1; `unique` is 256 zeros.
EK_TEMPLATE = bytes.fromhex(
    "013a0001000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
    "00060080004300100800000000000100"
) + bytes(256)
SRK_TEMPLATE = bytes.fromhex("011a0001000b00030472000000060080004300100800000000000100") + bytes(256)
# An HMAC-SHA256 key that is given from outside: userWithAuth, noDA, sign.
_HMAC_TEMPLATE = bytes.fromhex("00100008000b0004044000000005000b0000")

_SESSIONS, _NO_SESSIONS = 0x8002, 0x8001
_PASSWORD_SESSION = 0x40000009
_EVICT_CONTROL, _CREATE_PRIMARY, _HMAC = 0x120, 0x131, 0x155
_FLUSH_CONTEXT, _READ_PUBLIC = 0x165, 0x173
_HASH_OF_THE_KEY = 0x0010
_HEADER_SIZE = 10
_DEADLINE_S = 180.0
BAD_AUTH = 0x9A2
_TEXTS = {
    0x14C: "tpm:error(2.0): NV Index or persistent object already defined",
    0x18B: "tpm:handle(1):the handle is not correct for the use",
    BAD_AUTH: "tpm:session(1):authorization failure without DA implications",
}


class TpmError(Exception):
    """The TPM refused; the text is what tpm2-tss makes of its response code."""

    def __init__(self, rc: int) -> None:
        super().__init__(_TEXTS.get(rc, f"tpm:error(2.0): {rc:#x}"))


def read_public(fd: int, handle: int) -> bytes:
    """Read an object's TPM2B_PUBLIC.

    Raises: TpmError, OSError
    """
    return _first_sized(_run(fd, _READ_PUBLIC, _word(handle)))


def create_primary(fd: int, hierarchy: int, template: bytes, password: bytes, data: bytes = b"") -> int:
    """Create a primary object, from data where it is a key of somebody else's; gives its handle.

    Raises: TpmError, OSError
    """
    sensitive = _sized(_sized(b"") + _sized(data))
    outside_info_and_pcrs = _sized(b"") + _word(0)
    parameters = sensitive + template + outside_info_and_pcrs
    answer = _run(fd, _CREATE_PRIMARY, _word(hierarchy), parameters, password)
    return int.from_bytes(answer[:4], "big")


def evict_control(fd: int, subject: int, persistent: int, password: bytes) -> None:
    """Make an object persistent, or remove it where it is that already.

    Raises: TpmError, OSError
    """
    _run(fd, _EVICT_CONTROL, _word(OWNER) + _word(subject), _word(persistent), password)


def flush(fd: int, handle: int) -> None:
    """Forget a transient object.

    Raises: TpmError, OSError
    """
    _run(fd, _FLUSH_CONTEXT, _word(handle))


def create_hmac_key(fd: int, hierarchy: int, password: bytes, key: bytes) -> int:
    """Load an HMAC-SHA256 key into a hierarchy; gives its transient handle.

    Raises: TpmError, OSError
    """
    return create_primary(fd, hierarchy, _HMAC_TEMPLATE, password, key)


def hmac(fd: int, key: int, data: bytes) -> bytes:
    """Compute an HMAC with a key without a password.

    Raises: TpmError, OSError
    """
    parameters = _sized(data) + _HASH_OF_THE_KEY.to_bytes(2, "big")
    answer = _run(fd, _HMAC, _word(key), parameters, b"")
    return _first_sized(answer[4:])[2:]


def _word(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _first_sized(data: bytes) -> bytes:
    """Give the leading structure of a response, with its size in front."""
    return data[: 2 + int.from_bytes(data[:2], "big")]


def _run(fd: int, code: int, handles: bytes, parameters: bytes = b"", password: bytes | None = None) -> bytes:
    """Run a command, with a password session where a password is given; gives what follows the header.

    Raises: TpmError, OSError
    """
    tag, area = _NO_SESSIONS, b""
    if password is not None:
        tag = _SESSIONS
        session = _word(_PASSWORD_SESSION) + _sized(b"") + b"\x00" + _sized(password)
        area = _word(len(session)) + session
    body = handles + area + parameters
    os.write(fd, tag.to_bytes(2, "big") + _word(_HEADER_SIZE + len(body)) + _word(code) + body)
    response = _response(fd)
    rc = int.from_bytes(response[6:_HEADER_SIZE], "big")
    if rc:
        raise TpmError(rc)
    return response[_HEADER_SIZE:]


def _response(fd: int) -> bytes:
    """Read a whole response; a TPM that is gone gives end-of-file.

    Raises: OSError
    """
    received, deadline = b"", time.monotonic() + _DEADLINE_S
    while len(received) < max(_HEADER_SIZE, int.from_bytes(received[2:6], "big")):
        if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise OSError(errno.ETIMEDOUT, "TPM")
        part = os.read(fd, 4096)
        if not part:
            raise OSError(errno.EPIPE, "TPM")
        received += part
    return received
