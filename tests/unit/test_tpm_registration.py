"""Registration ids: the known answer, and what a template may and may not come to."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.codes import AgentError, ExitCode
from agent.tpm import registration
from agent.tpm.registration import MachineFacts
from tests.unit.tpm_publics import EK

HEX = "c76c8a944842848256ad905ea3e4403d99c11e99bfabc3b60d5c0b2d9525f46e"
BASE32 = "y5wivfciikcievvnsbpkhzcahwm4chuzx6v4hnqnlqfs3fjf6rxa"
FACTS = MachineFacts(machine_id="0af3d2c4e5b64718a9b0c1d2e3f40516", hostname="Line-4", serial="SN.778:1")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        pytest.param("auto", HEX, id="auto"),
        pytest.param("ek-sha256", HEX, id="hex SHA-256"),
        pytest.param("ek-base32", BASE32, id="the older SDK tool's form"),
        pytest.param("line4-device7", "line4-device7", id="literal"),
        pytest.param("line4-{machine_id}", f"line4-{FACTS.machine_id}", id="machine id"),
        pytest.param("{hostname}", "line-4", id="host name in lower case"),
        pytest.param("{hostname}-{serial}", "line-4-sn.778:1", id="two facts"),
        pytest.param("a" * 128, "a" * 128, id="the longest"),
    ],
)
def test_a_setting_comes_to_an_id(setting: str, expected: str) -> None:
    assert registration.resolve(setting, EK, FACTS) == expected


def test_the_endorsement_key_is_the_whole_structure() -> None:
    assert registration.endorsement_key(EK).startswith("AToAAQALAAMAsgAgg3GXZ0SEs")


@pytest.mark.parametrize("setting", ["auto", "ek-sha256", "ek-base32"])
def test_an_id_from_the_key_needs_the_key(setting: str) -> None:
    assert registration.needs_endorsement_key(setting)


def test_a_template_needs_no_key() -> None:
    assert not registration.needs_endorsement_key("{serial}")
    assert registration.resolve("{serial}", b"", FACTS) == "sn.778:1"


def held(setting: str, facts: MachineFacts) -> str:
    with pytest.raises(AgentError) as caught:
        registration.resolve(setting, EK, facts)
    assert caught.value.finding.code.exit_code == ExitCode.HELD
    return f"{caught.value.finding.code.name}: {caught.value.finding.summary} {caught.value.finding.remedy}"


@pytest.mark.parametrize(
    "serial",
    [
        "To be filled by O.E.M.", "to be filled by o.e.m.", "Default string", "None", "0123456789",
        "Not Specified", "System Serial Number", "0", "00000000", "XXXXXXXX", "  Default string  ", "N/A",
        "unknown", "........",
    ],
)  # fmt: skip
def test_a_vendors_placeholder_is_held(serial: str) -> None:
    assert held("x-{serial}", MachineFacts(serial=serial)).startswith("registration.placeholder: ")


@pytest.mark.parametrize("hostname", ["localhost", "localhost.localdomain", "(none)"])
def test_an_images_host_name_is_held(hostname: str) -> None:
    assert held("{hostname}", MachineFacts(hostname=hostname)).startswith("registration.placeholder: ")


def test_a_machine_id_that_is_not_set_yet_is_held() -> None:
    assert held("{machine_id}", MachineFacts(machine_id="uninitialized")).startswith(
        "registration.placeholder: "
    )


@pytest.mark.parametrize("field", ["machine_id", "hostname", "serial"])
@pytest.mark.parametrize("value", ["", "  "])
def test_a_missing_value_is_held(field: str, value: str) -> None:
    text = held(f"x-{{{field}}}", MachineFacts(**{field: value}))

    assert text.startswith("registration.empty-value: ")
    assert f"{{{field}}}" in text


def test_an_unknown_field_is_held_with_the_known_ones() -> None:
    text = held("{mac}", FACTS)

    assert text.startswith("registration.unknown-field: ")
    assert "{machine_id}, {hostname}, {serial}" in text


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        pytest.param("Line4", "contains 'L';", id="upper case"),
        pytest.param("line 4/7", "contains ' ' '/';", id="strange characters"),
        pytest.param("line4.", "must end in", id="dot at the end"),
        pytest.param("line4_", "must end in", id="underscore at the end"),
        pytest.param("line4:", "must end in", id="colon at the end"),
        pytest.param("a" * 129, "129 characters", id="too long"),
        pytest.param("", "it is empty", id="empty"),
        pytest.param("{serial", "contains '{';", id="an open brace"),
    ],
)
def test_an_id_the_service_would_refuse_is_held(setting: str, fault: str) -> None:
    text = held(setting, FACTS)

    assert text.startswith("registration.invalid: ")
    assert fault in text


@given(st.text(max_size=140), st.text(max_size=20))
def test_whatever_is_given_an_id_is_valid_or_held(setting: str, serial: str) -> None:
    identifier = "held"
    with suppress(AgentError):
        identifier = registration.resolve(setting + "{serial}", EK, MachineFacts(serial=serial))

    assert 1 <= len(identifier) <= 128
    assert set(identifier) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._:")
    assert identifier[-1] not in "._:"
