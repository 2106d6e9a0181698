"""Which TPM is the device's, for every combination of setting, record and what is there."""

import pytest

from agent.codes import Code, Finding
from agent.codes import tpm as codes
from agent.tpm.choice import Seen, choose, names_one_device
from agent.tpm.device import Device, tcti_for_runtime


def node(name: str) -> Device:
    return Device(f"/dev/{name}", f"device:/dev/{name}", f"/dev/{name}")


ONE, TWO = node("tpmrm0"), node("tpmrm1")
BUSY = codes.BUSY(device="/dev/tpmrm1")
EK_A, EK_B = "000baaaa", "000babbb"


@pytest.mark.parametrize(
    ("setting", "seen", "stored", "device"),
    [
        pytest.param("auto", (Seen(ONE, EK_A),), "", ONE, id="the only one"),
        pytest.param("auto", (Seen(ONE, EK_A),), EK_A, ONE, id="the only one, known"),
        pytest.param("auto", (Seen(ONE, vacant=True),), EK_A, ONE, id="empty: judged when its EK is made"),
        pytest.param("auto", (Seen(ONE),), EK_A, ONE, id="foreign object: judged when it is asked"),
        pytest.param("auto", (Seen(ONE, EK_A), Seen(TWO, EK_B)), EK_B, TWO, id="the stored of two"),
        pytest.param(
            "auto", (Seen(ONE, failure=BUSY), Seen(TWO, EK_B)), EK_B, TWO, id="the stored beside a busy"
        ),
        pytest.param("ek:000BAB", (Seen(ONE, EK_A), Seen(TWO, EK_B)), "", TWO, id="by prefix"),
        pytest.param("ek:000b", (Seen(ONE, EK_A), Seen(TWO, EK_A)), "", ONE, id="two ways to one TPM"),
        pytest.param("/dev/tpmrm1", (Seen(TWO, EK_B),), EK_B, TWO, id="a node"),
    ],
)
def test_a_tpm_is_chosen(setting: str, seen: tuple[Seen, ...], stored: str, device: Device) -> None:
    choice = choose(setting, seen, stored)

    assert choice.device == device
    assert choice.finding is None


@pytest.mark.parametrize(
    ("setting", "seen", "stored", "code"),
    [
        pytest.param("auto", (), "", codes.ABSENT, id="none"),
        pytest.param("ek:000b", (), "", codes.ABSENT, id="none by prefix"),
        pytest.param("auto", (Seen(ONE, EK_A), Seen(TWO, EK_B)), "", codes.SEVERAL, id="several"),
        pytest.param("auto", (Seen(ONE, EK_A),), EK_B, codes.REPLACED, id="another than stored"),
        pytest.param("/dev/tpmrm0", (Seen(ONE, EK_A),), EK_B, codes.REPLACED, id="another at the node"),
        pytest.param(
            "ek:000baa", (Seen(ONE, EK_A), Seen(TWO, EK_B)), EK_B, codes.REPLACED, id="another by prefix"
        ),
        pytest.param(
            "auto", (Seen(ONE, EK_A), Seen(TWO, vacant=True)), EK_B, codes.NOT_AMONG, id="none of several"
        ),
        pytest.param(
            "auto", (Seen(ONE, EK_A), Seen(TWO, failure=BUSY)), EK_B, codes.BUSY, id="may be the busy one"
        ),
        pytest.param("ek:ffff", (Seen(ONE, EK_A), Seen(TWO)), "", codes.NOT_AMONG, id="no such prefix"),
        pytest.param("ek:", (Seen(ONE, EK_A),), "", codes.NOT_AMONG, id="an empty prefix"),
        pytest.param(
            "ek:000ba", (Seen(ONE, EK_A), Seen(TWO, EK_B)), "", codes.AMBIGUOUS, id="a prefix of two"
        ),
    ],
)
def test_no_tpm_is_chosen(setting: str, seen: tuple[Seen, ...], stored: str, code: Code) -> None:
    choice = choose(setting, seen, stored)

    assert choice.device is None
    assert choice.finding is not None
    assert choice.finding.code == code


def test_the_only_tpm_stays_chosen_while_it_can_not_be_read() -> None:
    choice = choose("auto", (Seen(TWO, failure=BUSY),), EK_A)

    assert (choice.device, choice.finding) == (TWO, BUSY)


def test_all_are_shown_when_a_person_has_to_choose() -> None:
    seen = (Seen(ONE, EK_A), Seen(TWO, failure=BUSY), Seen(node("tpm2"), vacant=True), Seen(node("tpm3")))
    finding = choose("auto", seen).finding

    assert isinstance(finding, Finding)
    assert (
        f"/dev/tpmrm0 (EK Name {EK_A}); /dev/tpmrm1 (tpm.busy); /dev/tpm2 (no EK yet); "
        "/dev/tpm3 (a foreign object in place of its EK)" in finding.remedy
    )


@pytest.mark.parametrize(
    ("setting", "one"), [("auto", False), ("ek:000b", False), ("/dev/tpm1", True), ("swtpm:port=2321", True)]
)
def test_a_node_and_a_tcti_string_name_one_tpm(setting: str, one: bool) -> None:
    assert names_one_device(setting) == one


SOFTWARE = Device("swtpm:port=2321", "swtpm:port=2321")


@pytest.mark.parametrize(
    ("device", "present", "tcti"),
    [
        pytest.param(ONE, (ONE, TWO), None, id="tpmrm0 is found by itself"),
        pytest.param(TWO, (ONE, TWO), "device:/dev/tpmrm1", id="the second is not"),
        pytest.param(TWO, (TWO,), "device:/dev/tpmrm1", id="a renumbered one is not"),
        pytest.param(node("tpm0"), (node("tpm0"), TWO), None, id="tpm0 without resource manager is"),
        pytest.param(node("tpm0"), (ONE,), "device:/dev/tpm0", id="tpm0 beside tpmrm0 is not"),
        pytest.param(SOFTWARE, (ONE,), "swtpm:port=2321", id="a TCTI string is told as it is"),
    ],
)
def test_the_runtime_is_pointed_at_the_same_tpm(
    device: Device, present: tuple[Device, ...], tcti: str | None
) -> None:
    assert tcti_for_runtime(device, present) == tcti


@pytest.mark.parametrize(
    ("device", "software"), [(SOFTWARE, True), (ONE, False), (Device("tabrmd:", "tabrmd:"), False)]
)
def test_an_emulator_is_known_by_its_tcti(device: Device, software: bool) -> None:
    assert device.is_software == software
