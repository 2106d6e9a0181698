"""Public areas for the unit tests, built field by field; `EK` is real, published with its registration id."""

import base64
import hashlib

from agent.tpm.templates import EK_POLICY

EK = base64.b64decode(
    "AToAAQALAAMAsgAgg3GXZ0SEs/gakMyNRqXXJP1S124GUgtk8qHaGzMUaaoABgCAAEMAEAgAAAAAAAEAtKEADl/sNRgmYAjP6gXmbccRaJoT"
    "nVixisUaek0OwAzFGN70xt9ZOYp6fhIwfcft3fdVKOrKpXYcTe72CGNkGJGlQz5ti9n2pQ0uJhcX8aefh4Onm7lVlUCQAVp1K0r6zI8vkEXW"
    "sBIvwvxk0eMJbFaq146kbTkJHIGczb89RkFH2TX+CgXeZOG9oXQzUNwktmTUacspamune5Wywc/ce8HsDFYchyUHogFhrZ/LPnzyTDXO8sSC"
    "5z5dvsUBtUME3iRYDyKgZOfBtmRMqQewD+4iH+ZEJjtsyJiWR8hFhyKROnOuqXfNFwjd5IcNU4wtlKO0cLyXmTOfQK6Da1pr5Q=="
)  # azure-iot-sdk-c issue 2286
EK_ATTRIBUTES = 0x000300B2
SRK_ATTRIBUTES = 0x00030472
OWNER, ENDORSEMENT = 0x40000001, 0x4000000B

AES_128_CFB, NO_SYMMETRIC = "000600800043", "0010"
NO_SCHEME, OAEP_SHA256, RSAES = "0010", "0017000b", "0015"


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def rsa(
    attributes: int = SRK_ATTRIBUTES,
    *,
    policy: bytes = b"",
    bits: int = 2048,
    details: str = AES_128_CFB + NO_SCHEME,
    name_algorithm: int = 0x000B,
) -> bytes:
    """Give a TPM2B_PUBLIC of an RSA key; `details` are symmetric and scheme in hex."""
    head = bytes.fromhex(f"0001{name_algorithm:04x}{attributes:08x}") + sized(policy)
    return sized(head + bytes.fromhex(f"{details}{bits:04x}00000000") + sized(bytes(bits // 8)))


def ek(attributes: int = EK_ATTRIBUTES, *, bits: int = 2048) -> bytes:
    return rsa(attributes, policy=EK_POLICY, bits=bits)


def other_kind(kind: int) -> bytes:
    """Give a TPM2B_PUBLIC of another type; what follows the policy does not matter."""
    return sized(bytes.fromhex(f"{kind:04x}000b{SRK_ATTRIBUTES:08x}0000") + bytes(40))


def qualified(public: bytes, hierarchy: int) -> bytes:
    """Give the qualified Name of a primary key, computed without the agent's code."""
    algorithm = public[4:6]
    digest = {b"\0\x0b": "sha256", b"\0\x0c": "sha384", b"\0\x0d": "sha512"}.get(algorithm, "sha256")
    name = algorithm + hashlib.new(digest, public[2:]).digest()
    return algorithm + hashlib.new(digest, hierarchy.to_bytes(4, "big") + name).digest()
