"""Which keys of config.toml are ours, with which values, and how they are remembered."""

from typing import Any

import pytest

from agent.edge import config_text
from agent.edge.config_paths import HOSTNAME, TCTI
from agent.facts.history import History
from agent.facts.snapshot import Snapshot
from agent.host.systemd import Secret
from agent.plan.by_tpm import FROM_KEY
from agent.plan.config_keys import intended_keys, payload_bytes
from agent.plan.takeover import edited_by_hand, foreign_tcti, provisions_otherwise
from agent.plan.written import record_of, was_ours
from tests.unit.snapshots import (
    BY_HAND,
    ENDPOINT,
    OURS,
    REGISTRATION_ID,
    SCOPE,
    by_hand,
    changed,
    fresh,
    healthy,
    record,
    settings_of,
    with_config,
)

PLAIN = {
    "auto_reprovisioning_mode": "Dynamic",
    "hostname": "e2e",
    "provisioning.source": "dps",
    "provisioning.global_endpoint": ENDPOINT,
    "provisioning.id_scope": SCOPE,
    "provisioning.attestation.method": "tpm",
    "provisioning.attestation.registration_id": REGISTRATION_ID,
}


def intended(device: Snapshot, text: str | None = None) -> dict[str, Any]:
    """Give our keys by their dotted names."""
    document = config_text.parse(device.config.text or "" if text is None else text)
    keys = intended_keys(device, settings_of(device), document, REGISTRATION_ID)
    return {".".join(path): value for path, value in keys.items()}


def test_a_new_device_gets_seven_keys() -> None:
    assert intended(fresh()) == PLAIN


def test_everything_that_is_asked_for_has_its_key() -> None:
    asked = changed(
        fresh(),
        settings={
            "dps": {"payload": {"modelId": "dtmi:x;1"}},
            "runtime": {"auto_reprovisioning_mode": "OnErrorOnly", "hostname": "line4"},
        },
        tpm={"runtime_tcti": "device:/dev/tpmrm1"},
        authorisations={"owner": Secret("one"), "endorsement": Secret("two")},
    )

    assert intended(asked) == PLAIN | {
        "auto_reprovisioning_mode": "OnErrorOnly",
        "hostname": "line4",
        "provisioning.payload": {"uri": "file:///etc/aziot/edge-provisioner-payload.json"},
        "tpm.tcti": "device:/dev/tpmrm1",
        "tpm.hierarchy_authorization.owner": "one",
        "tpm.hierarchy_authorization.endorsement": "two",
    }


def test_what_is_not_asked_for_any_more_goes_if_it_is_ours() -> None:
    names = ("hostname", "provisioning.payload", "tpm.tcti")
    device = changed(healthy(), history={"written": tuple((name, "x") for name in names)})
    device = changed(device, settings={"runtime": {"hostname": "follow"}})

    assert {name: intended(device)[name] for name in names} == dict.fromkeys(names)
    assert not set(names) & intended(changed(device, history={"written": ()})).keys()


# The endpoint


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (f'"{ENDPOINT}"', ENDPOINT),
        (f'"{ENDPOINT}/"', f"{ENDPOINT}/"),
        ("5", ENDPOINT),
    ],
)
def test_the_endpoint_keeps_its_spelling_where_it_means_the_same(there: str, wanted: str) -> None:
    text = f"[provisioning]\nglobal_endpoint = {there}\n"

    assert intended(fresh(), text)["provisioning.global_endpoint"] == wanted


# The host name


@pytest.mark.parametrize(
    ("written", "there", "applied", "wanted"),
    [
        ("ours", "theirs", "applied", "ours"),
        ("", "theirs", "applied", "theirs"),
        ("", "", "applied", "applied"),
        ("", "", "", "e2e"),
    ],
)
def test_the_first_name_that_the_runtime_was_given_is_pinned(
    written: str, there: str, applied: str, wanted: str
) -> None:
    device = changed(
        fresh(),
        settings={"runtime": {"hostname": "pin"}},
        history={"written": (("hostname", written),) if written else ()},
        config={"generated": {"identityd": f'hostname = "{applied}"\n' if applied else "torn = "}},
    )

    assert intended(device, f'hostname = "{there}"\n')["hostname"] == wanted


def test_a_machine_without_a_name_has_none_to_pin() -> None:
    assert intended(changed(fresh(), moment={"machine": {"hostname": ""}}))["hostname"] == ""


@pytest.mark.parametrize("text", ["hostname = 5\n", 'hostname = ""\n'])
def test_what_is_no_name_is_not_pinned(text: str) -> None:
    assert intended(fresh(), text)["hostname"] == "e2e"


# What somebody else's file need not say


def test_what_the_runtime_assumes_may_be_left_out_where_the_rest_is_right() -> None:
    assert intended(by_hand()).keys() == PLAIN.keys() - {"auto_reprovisioning_mode", "hostname"}


@pytest.mark.parametrize(
    "device",
    [
        changed(by_hand(), settings={"dps": {"id_scope": "0ne9"}}),
        changed(by_hand(), settings={"runtime": {"auto_reprovisioning_mode": "OnErrorOnly"}}),
        changed(by_hand(), history={"written": (("hostname", "e2e"),)}),
        changed(by_hand(), settings={"runtime": {"hostname": "line4"}}),
    ],
)
def test_a_file_that_is_written_anyway_says_it_all(device: Snapshot) -> None:
    assert intended(device).keys() == PLAIN.keys()


# The payload


def test_the_payload_is_json_that_does_not_depend_on_the_order() -> None:
    one = changed(fresh(), settings={"dps": {"payload": {"b": 1, "a": {"c": [True, None]}}}})
    other = changed(fresh(), settings={"dps": {"payload": {"a": {"c": [True, None]}, "b": 1}}})

    assert payload_bytes(settings_of(one)) == payload_bytes(settings_of(other))
    assert payload_bytes(settings_of(fresh())) is None


# The record


def test_the_record_has_values_and_of_passwords_only_digests() -> None:
    device = changed(fresh(), authorisations={"owner": Secret("open sesame")})
    keys = intended_keys(device, settings_of(device), {}, REGISTRATION_ID)
    kept = dict(record_of({**keys, TCTI: None}))

    assert kept.keys() == {*PLAIN, "tpm.hierarchy_authorization.owner"}
    assert kept["tpm.hierarchy_authorization.owner"] == (
        "sha256:41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb"  # by sha256sum(1)
    )


def test_the_record_is_the_same_when_it_was_read_back() -> None:
    device = changed(
        healthy(),
        settings={"dps": {"payload": {"modelId": "x"}}},
        authorisations={"endorsement": Secret("two")},
    )
    history = History(written=record(device))

    assert History.loads(history.dumps()).written == record(device)


def test_a_key_is_ours_if_it_was_written_last() -> None:
    assert was_ours(healthy(), HOSTNAME)
    assert not was_ours(healthy(), TCTI)
    assert not was_ours(by_hand(), HOSTNAME)


# What stands against it


def test_nothing_stands_against_what_already_means_the_same() -> None:
    for device in (healthy(), by_hand(), with_config(fresh(), None)):
        document = config_text.parse(device.config.text or "")
        keys = intended_keys(device, settings_of(device), document, REGISTRATION_ID)

        assert provisions_otherwise(device, document, keys) == ""
        assert foreign_tcti(device, document, keys) == ""
        assert edited_by_hand(device, document, keys) == ()


def test_what_provisions_otherwise_is_told_key_by_key() -> None:
    text = BY_HAND.replace(SCOPE, "0ne9").replace('method = "tpm"\n', "")
    device = by_hand(text)
    document = config_text.parse(text)
    keys = intended_keys(device, settings_of(device), document, REGISTRATION_ID)

    assert provisions_otherwise(device, document, keys) == (
        'provisioning.attestation.method = absent, provisioning.id_scope = "0ne9"'
    )


def test_a_registration_id_that_waits_for_its_key_is_no_contradiction() -> None:
    device = by_hand(BY_HAND.replace(REGISTRATION_ID, "line-4"))
    document = config_text.parse(device.config.text or "")
    keys = intended_keys(device, settings_of(device), document, FROM_KEY)

    assert provisions_otherwise(device, document, keys) == ""


def test_edits_by_hand_are_named_by_their_keys() -> None:
    text = OURS.replace(SCOPE, "0ne9").replace('method = "tpm"\n', "")
    device = with_config(healthy(), text)
    document = config_text.parse(text)
    keys = intended_keys(device, settings_of(device), document, REGISTRATION_ID)

    assert edited_by_hand(device, document, keys) == (
        "provisioning.id_scope",
        "provisioning.attestation.method",
    )
