"""A default of ours overrules nobody: what config.toml says stays, unless a settings file says otherwise."""

import pytest

from agent.edge.config_paths import ENDPOINT as ENDPOINT_KEY
from agent.edge.config_paths import HOSTNAME, MODE
from agent.edge.config_paths import REGISTRATION_ID as ID_KEY
from agent.edge.config_text import parse, value_at
from agent.facts.snapshot import Snapshot
from agent.plan.left import SETTING_OF, left_to_config, words
from agent.plan.plan import plan
from agent.settings.rows import ROWS
from agent.tpm.registration import ek_base32
from tests.unit.snapshots import (
    BY_HAND,
    ENDPOINT,
    OURS,
    REGISTRATION_ID,
    by_hand,
    carried_out,
    changed,
    code,
    fresh,
    healthy,
    names,
    settings_of,
    with_config,
)
from tests.unit.tpm_publics import EK

PRIVATE = "https://dps.plant.example"
# What a vendor's or a person's config.toml says, and the settings file that would say otherwise.
WORDS = {
    MODE: ("OnErrorOnly", {"runtime": {"auto_reprovisioning_mode": "Dynamic"}}, "Dynamic"),
    HOSTNAME: ("line4", {"runtime": {"hostname": "press-7"}}, "press-7"),
    ENDPOINT_KEY: (PRIVATE, {"dps": {"global_endpoint": ENDPOINT}}, ENDPOINT),
    ID_KEY: ("line-4", {"dps": {"registration_id": "auto"}}, REGISTRATION_ID),
}
each_key = pytest.mark.parametrize("path", WORDS, ids=".".join)


def saying(path: tuple[str, ...], value: str) -> str:
    """Give OURS with another value of one key."""
    there = value_at(parse(OURS), path)
    assert isinstance(there, str)
    return OURS.replace(f'{path[-1]} = "{there}"', f'{path[-1]} = "{value}"')


def left(device: Snapshot) -> dict[tuple[str, ...], str]:
    return dict(left_to_config(words(device, settings_of(device)), parse(device.config.text or "")))


def says(device: Snapshot, path: tuple[str, ...]) -> object:
    return value_at(parse(device.config.text or ""), path)


def test_every_setting_with_a_default_that_goes_into_config_toml_is_covered() -> None:
    assert set(WORDS) == set(SETTING_OF)
    assert all(ROWS[name].default for name in SETTING_OF.values())


@each_key
@pytest.mark.parametrize("adopt", [False, True])
def test_a_vendors_word_stays_and_is_nothing_to_hold(path: tuple[str, ...], adopt: bool) -> None:
    value, *_ = WORDS[path]
    device = changed(by_hand(saying(path, value)), adopt=adopt)
    end, done = carried_out(device)

    assert [step.name for step in done] == ["record-config"]
    assert says(end, path) == value
    assert (names(plan(end)), code(plan(end))) == ([], "runtime.provisioned")


@each_key
def test_a_vendors_word_stays_when_the_rest_is_written(path: tuple[str, ...]) -> None:
    value, *_ = WORDS[path]
    text = saying(path, value).replace('id_scope = "0ne00112233"\n', "")
    end, done = carried_out(changed(by_hand(text), adopt=True))

    assert [step.name for step in done] == ["write-config", "apply-config"]
    assert says(end, path) == value


@each_key
def test_what_a_settings_file_says_goes_before(path: tuple[str, ...]) -> None:
    value, setting, wanted = WORDS[path]
    end, _ = carried_out(changed(by_hand(saying(path, value)), adopt=True, settings=setting))

    assert says(end, path) == wanted


@each_key
def test_a_persons_edit_of_what_nobody_set_stays_and_is_applied_by_that_person(path: tuple[str, ...]) -> None:
    value, *_ = WORDS[path]
    edited = with_config(healthy(), saying(path, value), applied=False)
    device = changed(edited, config={"newer_than_generated": True})
    end, done = carried_out(device)

    assert [step.name for step in done] == ["record-config"]
    assert says(end, path) == value
    found = plan(end)
    assert (names(found), code(found)) == ([], "runtime.provisioned")
    assert [notice.code.name for notice in found.notices] == ["config.unapplied-edit"]


@each_key
def test_what_we_wrote_ourselves_is_no_word_of_somebody_else(path: tuple[str, ...]) -> None:
    """A setting that was taken out of its file goes back to its default in config.toml."""
    value, *_ = WORDS[path]
    written = dict(healthy().history.written) | {".".join(path): value}
    device = changed(with_config(healthy(), saying(path, value)), history={"written": tuple(written.items())})

    assert path not in left(device)


@each_key
def test_restore_puts_back_what_we_wrote_whoever_changed_it(path: tuple[str, ...]) -> None:
    value, *_ = WORDS[path]
    edited = with_config(healthy(), saying(path, value), applied=False)
    end, done = carried_out(changed(edited, settings={"runtime": {"on_manual_edit": "restore"}}))

    assert [step.name for step in done] == ["write-config"]
    assert parse(end.config.text or "") == parse(OURS)


def test_a_left_endpoint_that_a_person_has_applied_is_not_the_identity_that_we_had() -> None:
    found = plan(with_config(healthy(), saying(ENDPOINT_KEY, PRIVATE)))

    assert names(found) == ["record-config"]
    end, _ = carried_out(with_config(healthy(), saying(ENDPOINT_KEY, PRIVATE)))
    assert code(plan(end)) == "identity.cached"
    assert dict(plan(end).finding.facts)["wanted"] == f"endpoint {PRIVATE}"  # type: ignore[union-attr]


# The registration id: one that was computed from another TPM's key is nobody's word for this device


@pytest.mark.parametrize(
    ("registration_id", "stays"),
    [
        ("line-4", True),
        (ek_base32(EK), True),
        ("b" * 64, False),
        ("b" * 52, False),
        ("b" * 63, True),
        ("", False),
    ],
)
def test_an_id_that_was_computed_from_another_key_is_held(registration_id: str, stays: bool) -> None:
    device = by_hand(BY_HAND.replace(REGISTRATION_ID, registration_id))

    assert (ID_KEY in left(device)) is stays
    assert code(plan(device)) == ("" if stays else "config.other-provisioning")


def test_an_id_of_another_way_is_not_taken_for_this_one() -> None:
    device = by_hand(BY_HAND.replace(REGISTRATION_ID, "line-4").replace('"tpm"', '"x509"'))
    end, _ = carried_out(changed(device, adopt=True))

    assert says(end, ID_KEY) == REGISTRATION_ID


def test_before_there_is_a_key_a_computed_id_may_be_its_own() -> None:
    device = with_config(fresh(), BY_HAND, applied=False)

    assert ID_KEY not in left(device)


@pytest.mark.parametrize("text", ['hostname = ""\n', "hostname = 5\n", "auto_reprovisioning_mode = []\n"])
def test_what_is_no_word_is_not_left(text: str) -> None:
    assert left(by_hand(text)) == {}
