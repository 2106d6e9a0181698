"""The templates and Names against bytes that a TPM, the tools and aziot-tpmd were seen to use."""

import pytest

from agent.tpm.templates import EK_POLICY, EK_TEMPLATE, SRK_TEMPLATE, PersistentHandle

EK_HEAD = "013a 0001 000b 000300b2 0020"
PARAMETERS = "0006 0080 0043 0010 0800 00000000 0100"


@pytest.mark.parametrize(
    ("template", "written"),
    [
        pytest.param(EK_TEMPLATE, EK_HEAD + EK_POLICY.hex() + PARAMETERS, id="EK L-1"),
        pytest.param(
            SRK_TEMPLATE, "011a 0001 000b 00030472 0000" + PARAMETERS, id="SRK as aziot-tpmd makes it"
        ),
    ],
)
def test_a_template_is_the_published_one(template: bytes, written: str) -> None:
    assert template == bytes.fromhex(written) + bytes(256)


def test_the_keys_live_where_the_runtime_looks() -> None:
    assert [f"{handle:#x}" for handle in PersistentHandle] == ["0x81010001", "0x81000001"]
