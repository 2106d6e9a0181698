"""What somebody else decided is held, restored or taken over as the settings and `--adopt` say."""

import pytest

from agent.edge import config_text
from agent.facts.snapshot import Snapshot
from agent.host.systemd import Secret
from agent.plan.plan import plan
from tests.unit.snapshots import (
    BY_HAND,
    ENDPOINT,
    OURS,
    REGISTRATION_ID,
    SCOPE,
    after,
    by_hand,
    carried_out,
    changed,
    code,
    fresh,
    healthy,
    names,
    with_config,
)

MANUAL = """\
[provisioning]
source = "manual"
connection_string = "HostName=hub.test;DeviceId=x;SharedAccessKey=a2V5"
"""
X509 = f"""\
[provisioning]
source = "dps"
global_endpoint = "{ENDPOINT}"
id_scope = "{SCOPE}"

[provisioning.attestation]
method = "x509"
registration_id = "{REGISTRATION_ID}"

[provisioning.attestation.identity_cert]
method = "est"
common_name = "line4"
"""
OTHERS = {
    "manual": (MANUAL, ("provisioning.source", "provisioning.attestation.method", "absent")),
    "x509": (X509, ('provisioning.attestation.method = "x509"',)),
    "another scope": (BY_HAND.replace(SCOPE, "0ne00999999"), ('provisioning.id_scope = "0ne00999999"',)),
    "another TPM's id": (BY_HAND.replace(REGISTRATION_ID, "b" * 64), (f'registration_id = "{"b" * 64}"',)),
}
each_other_way = pytest.mark.parametrize(
    ("text", "told"), [pytest.param(*case, id=name) for name, case in OTHERS.items()]
)


def adopting(device: Snapshot) -> Snapshot:
    return changed(device, adopt=True)


def restoring(device: Snapshot) -> Snapshot:
    return changed(device, settings={"runtime": {"on_manual_edit": "restore"}})


def facts(device: Snapshot) -> dict[str, str]:
    finding = plan(device).finding
    assert finding is not None
    return dict(finding.facts)


# A device that was provisioned before the agent came


@pytest.mark.parametrize("adopt", [False, True])
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("top", ["", 'hostname = "e2e"\n', 'auto_reprovisioning_mode = "Dynamic"\n'])
def test_a_file_that_already_means_what_we_want_is_remembered_only(top: str, slash: str, adopt: bool) -> None:
    device = by_hand(top + BY_HAND.replace(f'{ENDPOINT}/"', f'{ENDPOINT}{slash}"'))
    device = changed(device, adopt=adopt)
    found = plan(device)

    assert names(found) == ["record-config"]
    assert plan(after(device, found.steps[0])).steps == ()


def test_another_mode_than_the_runtimes_own_is_written_to_a_file_without_one() -> None:
    device = changed(by_hand(), settings={"runtime": {"auto_reprovisioning_mode": "OnErrorOnly"}})

    assert names(plan(device)) == ["write-config", "apply-config"]


@each_other_way
def test_a_device_that_is_provisioned_otherwise_is_held(text: str, told: tuple[str, ...]) -> None:
    found = plan(by_hand(text))

    assert (names(found), code(found), found.holds) == ([], "config.other-provisioning", True)
    for words in told:
        assert words in facts(by_hand(text))["what"]


@each_other_way
def test_a_person_may_have_it_taken_over(text: str, told: tuple[str, ...]) -> None:
    device = adopting(by_hand(text))
    end, done = carried_out(device)
    provisioning = config_text.parse(end.config.text or "")["provisioning"]

    assert [step.name for step in done] == ["write-config", "apply-config"]
    assert provisioning["source"] == "dps"
    assert provisioning["id_scope"] == SCOPE
    assert provisioning["attestation"]["method"] == "tpm"
    assert provisioning["attestation"]["registration_id"] == REGISTRATION_ID
    assert plan(changed(end, adopt=False)).steps == ()


@each_other_way
def test_where_config_toml_is_missing_the_last_apply_tells(text: str, told: tuple[str, ...]) -> None:
    lost = with_config(by_hand(text), None, applied=False)

    assert (names(plan(lost)), code(plan(lost))) == ([], "config.other-provisioning")
    assert names(plan(adopting(lost)))[0] == "write-config"


@pytest.mark.parametrize(
    "identityd",
    [
        None,
        "torn = ",
        '[provisioning]\nsource = "none"\n',
        'provisioning = "odd"\n',
        'hostname = "e2e"\n',
    ],
)
def test_an_apply_that_says_nothing_of_provisioning_holds_nothing(identityd: str | None) -> None:
    device = with_config(fresh(), "# empty\n", applied=False)

    assert "write-config" in names(plan(changed(device, config={"generated": {"identityd": identityd}})))


def test_a_lost_file_that_was_applied_as_we_want_is_written_and_not_applied() -> None:
    lost = with_config(by_hand(OURS), None, applied=False)

    assert names(plan(lost)) == ["write-config"]


# Keys of ours that a person changed

NAMED = {
    "dps": {"id_scope": SCOPE, "global_endpoint": ENDPOINT, "registration_id": "auto"},
    "runtime": {"auto_reprovisioning_mode": "Dynamic", "hostname": "pin"},
}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (f'id_scope = "{SCOPE}"', 'id_scope = "0ne00999999"', "provisioning.id_scope"),
        (f'id_scope = "{SCOPE}"\n', "", "provisioning.id_scope"),
        ('"Dynamic"', '"AlwaysOnStartup"', "auto_reprovisioning_mode"),
        ('hostname = "e2e"', 'hostname = "other"', "hostname"),
        ('hostname = "e2e"\n', "", "hostname"),
        (f'"{ENDPOINT}"', '"https://dps.example"', "provisioning.global_endpoint"),
        (REGISTRATION_ID, "line-4", "provisioning.attestation.registration_id"),
    ],
)
def test_a_manual_edit_of_what_the_settings_name_is_held_restored_or_overruled(
    old: str, new: str, key: str
) -> None:
    edited = with_config(healthy(), OURS.replace(old, new), applied=False)
    device = changed(edited, settings=NAMED)
    found = plan(device)

    assert (names(found), code(found)) == ([], "config.manual-edit")
    assert facts(device)["keys"] == key
    for willing in (restoring(device), adopting(device)):
        end, done = carried_out(willing)

        assert [step.name for step in done] == ["write-config"]
        assert config_text.parse(end.config.text or "") == config_text.parse(OURS)


def test_a_manual_edit_to_what_the_settings_want_now_is_fine() -> None:
    text = OURS.replace(SCOPE, "0ne00999999")
    device = changed(
        with_config(healthy(), text, applied=False), settings={"dps": {"id_scope": "0ne00999999"}}
    )

    assert names(plan(device)) == ["record-config", "apply-config"]


def test_a_slash_more_or_less_is_no_edit_worth_a_word() -> None:
    device = with_config(healthy(), OURS.replace(f'"{ENDPOINT}"', f'"{ENDPOINT}/"'))

    assert names(plan(device)) == ["record-config"]


def test_leaving_out_what_the_runtime_assumes_anyway_is_no_edit() -> None:
    device = with_config(healthy(), OURS.replace('auto_reprovisioning_mode = "Dynamic"\n', ""))

    assert names(plan(device)) == ["record-config"]


def test_a_file_that_was_deleted_is_a_manual_edit() -> None:
    assert code(plan(with_config(healthy(), None, applied=False))) == "config.manual-edit"


def test_a_password_that_was_changed_by_hand_is_noticed_by_its_digest() -> None:
    device, _ = carried_out(changed(healthy(), authorisations={"owner": Secret("open sesame")}))
    text = (device.config.text or "").replace("open sesame", "close sesame")

    assert code(plan(with_config(device, text))) == "config.manual-edit"
    assert facts(with_config(device, text))["keys"] == "tpm.hierarchy_authorization.owner"


def test_an_edit_of_others_that_was_never_applied_is_told_and_left_alone() -> None:
    text = OURS + "\n[watchdog]\nmax_retries = 3\n"
    device = changed(with_config(healthy(), text), config={"newer_than_generated": True})
    found = plan(device)

    assert names(found) == []
    assert [notice.code.name for notice in found.notices] == ["config.unapplied-edit"]
    assert code(found) == "runtime.provisioned"


@pytest.mark.parametrize("newer", [False, True])
def test_a_file_that_is_applied_or_about_to_be_is_not_told_of(newer: bool) -> None:
    touched = changed(healthy(), config={"newer_than_generated": newer})
    pending = changed(touched, config={"generated": {}})

    assert plan(touched).notices == ()
    assert plan(pending).notices == ()
    assert names(plan(pending)) == ["apply-config"]


def test_a_hold_shows_what_it_holds_back() -> None:
    found = plan(by_hand(BY_HAND.replace(SCOPE, "0ne99999999")))

    assert code(found) == "config.other-provisioning"
    assert f'+id_scope = "{SCOPE}"' in found.held_diff.splitlines()


def test_a_hold_on_a_file_of_a_shape_that_is_not_edited_shows_no_change() -> None:
    found = plan(with_config(by_hand(), '[[provisioning]]\nsource = "none"\n', applied=False))

    assert code(found) == "config.other-provisioning"
    assert found.held_diff == ""


def test_another_endpoint_is_another_way_of_provisioning() -> None:
    device = by_hand(BY_HAND.replace(ENDPOINT, "https://dps.other.example"))
    named = changed(device, settings={"dps": {"global_endpoint": ENDPOINT}})

    assert code(plan(named)) == "config.other-provisioning"


@pytest.mark.parametrize("applied", [True, False])
def test_what_was_written_and_never_applied_is_called_so(applied: bool) -> None:
    seen = by_hand(MANUAL) if applied else changed(by_hand(MANUAL), config={"generated": {}})

    assert facts(seen)["what"].endswith(" (written, never applied)") is not applied
