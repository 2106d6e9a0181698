"""ReadPublic's bytes: what is read, and that nothing but a response is taken for one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tpm import public_area
from tests.unit import tpm_publics as publics


def response(
    public: bytes, name: bytes = b"name", qualified_name: bytes = b"qualified", surplus: bytes = b""
) -> bytes:
    body = public + publics.sized(name) + publics.sized(qualified_name) + surplus
    return bytes.fromhex("8001") + (10 + len(body)).to_bytes(4, "big") + bytes(4) + body


def test_the_command_is_the_one_of_the_specification() -> None:
    assert public_area.read_public_command(0x81010001).hex() == "8001" + "0000000e" + "00000173" + "81010001"


def test_an_answer_gives_the_three_parts() -> None:
    answer = public_area.parse_read_answer(response(publics.EK))

    assert answer == public_area.ReadAnswer(0, publics.EK, b"name", b"qualified")


def test_a_refusal_gives_its_code() -> None:
    refusal = bytes.fromhex("8001" + "0000000a" + "0000018b")

    assert public_area.parse_read_answer(refusal) == public_area.ReadAnswer(0x18B)


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff" * 40, id="noise"),
        pytest.param(response(publics.EK)[:200], id="cut short"),
        pytest.param(response(publics.EK) + b"x", id="longer than it says"),
        pytest.param(response(publics.EK, surplus=b"x"), id="bytes after the last field"),
        pytest.param(response(b"\0\0"), id="no public area"),
        pytest.param(response(b"\xff\xff"), id="a field beyond the end"),
    ],
)
def test_what_is_no_answer_is_refused(garbage: bytes) -> None:
    with pytest.raises(ValueError, match=r"size|field|bytes"):
        public_area.parse_read_answer(garbage)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_parsers(noise: bytes) -> None:
    for parse in (public_area.parse_read_answer, public_area.parse_public, public_area.name_of):
        with suppress(ValueError):
            parse(noise)


@given(st.integers(0, len(publics.EK) - 1), st.integers(0, 255))
def test_no_changed_byte_breaks_the_parser(position: int, value: int) -> None:
    changed = bytearray(publics.EK)
    changed[position] = value

    with suppress(ValueError):
        public_area.parse_public(bytes(changed))


def test_the_fields_of_a_real_key() -> None:
    area = public_area.parse_public(publics.EK)

    assert (area.kind, area.name_algorithm, area.attributes, area.key_bits) == (1, 0x000B, 0x000300B2, 2048)
    assert area.policy.hex().startswith("837197674484b3f8")


@pytest.mark.parametrize(
    "details",
    [
        pytest.param(publics.AES_128_CFB + publics.NO_SCHEME, id="storage key"),
        pytest.param(publics.NO_SYMMETRIC + publics.NO_SCHEME, id="plain key"),
        pytest.param(publics.NO_SYMMETRIC + publics.OAEP_SHA256, id="a scheme with a hash"),
        pytest.param(publics.NO_SYMMETRIC + publics.RSAES, id="a scheme without one"),
    ],
)
def test_the_size_of_a_key_is_found_behind_every_scheme(details: str) -> None:
    assert public_area.parse_public(publics.rsa(details=details)).key_bits == 2048


def test_parameters_that_are_cut_short_are_refused() -> None:
    short = publics.sized(bytes.fromhex("0001000b000304720000" + publics.AES_128_CFB))

    with pytest.raises(ValueError, match="cut short"):
        public_area.parse_public(short)


@pytest.mark.parametrize(("algorithm", "size"), [(0x000B, 32), (0x000C, 48), (0x000D, 64)])
def test_a_name_is_its_algorithm_and_the_digest(algorithm: int, size: int) -> None:
    name = public_area.name_of(publics.rsa(name_algorithm=algorithm))

    assert name[:2] == algorithm.to_bytes(2, "big")
    assert len(name) == 2 + size


def test_a_name_by_an_unknown_algorithm_is_not_invented() -> None:
    with pytest.raises(ValueError, match="0x0012"):
        public_area.name_of(publics.rsa(name_algorithm=0x0012))
