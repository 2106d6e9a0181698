"""What is missing is done in its order, and what some other has to do first is waited for."""

import pytest

from agent.codes import Finding, Phase, runtime, tpm
from agent.codes import config as config_codes
from agent.codes.settings import INVALID, MISSING
from agent.edge import config_text
from agent.facts.snapshot import Part, Snapshot
from agent.facts.steps import EnsureKeys, InstallRule, WriteConfig
from agent.plan.plan import plan
from agent.settings.table import Dps
from agent.tpm.access import RULE_PLACE_IN_RUN, Access, Rule, RuleState
from tests.unit.snapshots import (
    BY_HAND,
    NOW_S,
    OURS,
    REGISTRATION_ID,
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

TEMPLATE = '# ====\n# the shipped template\n# [provisioning]\n# source = "dps"\n'
FOREIGN_RULE = Rule(RuleState.DIFFERENT, text=b'KERNEL=="tpm0"\n')
PAYLOAD = {"modelId": "dtmi:com:example:Line;1"}
WRITTEN = (
    "auto_reprovisioning_mode",
    "provisioning.source",
    "provisioning.global_endpoint",
    "provisioning.id_scope",
    "provisioning.attestation.method",
    "provisioning.attestation.registration_id",
    "hostname",
    "provisioning.payload",
)
EFFECTS = {
    "ensure-keys": (Part.TPM, "make the endorsement key persistent in the TPM /dev/tpmrm0"),
    "install-rule": (Part.ACCESS, "write the TPM rule to /etc/udev/rules.d/tpmaccess.rules"),
    "grant-access": (
        Part.ACCESS,
        "have udev apply the rule to /dev/tpmrm0 and prove that user aziottpm can open it",
    ),
    "write-payload": (
        Part.CONFIG,
        "write the provisioning payload (42 bytes) to /etc/aziot/edge-provisioner-payload.json",
    ),
    "write-config": (
        Part.CONFIG,
        f"write {', '.join(WRITTEN)} into /etc/aziot/config.toml",
    ),
    "apply-config": (
        Part.RUNTIME,
        "run `iotedge config apply` (never applied); this restarts the runtime and all modules",
    ),
    "record-config": (
        Part.CONFIG,
        "remember that config.toml already says what the settings want (nothing is written or applied)",
    ),
}  # fmt: skip


def test_a_healthy_device_is_left_alone() -> None:
    found = plan(healthy())

    assert (names(found), code(found), found.notices) == ([], "runtime.provisioned", ())
    assert not found.holds


def test_a_new_device_gets_everything_in_order() -> None:
    found = plan(fresh())

    assert names(found) == ["ensure-keys", "install-rule", "write-config", "apply-config"]
    assert found.finding is None


def test_each_step_says_its_effect_and_which_part_it_changes() -> None:
    device = changed(fresh(), settings={"dps": {"payload": PAYLOAD}})
    denied = changed(healthy(), access={"access": Access.DENIED})
    steps = (*plan(device).steps, *plan(by_hand()).steps, *plan(denied).steps)

    assert {step.name: (step.changes, step.effect) for step in steps} == EFFECTS


def test_the_registration_id_is_a_placeholder_until_the_key_is_made() -> None:
    before = _written(fresh())
    made = _written(changed(after(fresh(), EnsureKeys(("it",), "there"))))

    assert 'registration_id = "(from the endorsement key)"' in before.text
    assert f'registration_id = "{REGISTRATION_ID}"' in made.text


def test_a_literal_registration_id_is_known_before_the_key() -> None:
    device = changed(fresh(), settings={"dps": {"registration_id": "line4-{serial}"}})

    assert 'registration_id = "line4-sn-0815"' in _written(device).text


@pytest.mark.parametrize("text", [None, "", TEMPLATE])
def test_config_toml_is_made_from_nothing_or_beside_the_template(text: str | None) -> None:
    device, done = carried_out(with_config(fresh(), text, applied=False))

    assert device.config.text is not None
    assert set((text or "").splitlines()) <= set(device.config.text.splitlines())
    assert config_text.parse(device.config.text) == config_text.parse(OURS)
    assert [step.name for step in done][-2:] == ["write-config", "apply-config"]
    assert plan(device).steps == ()


def test_a_plan_shows_the_difference_and_keeps_what_is_of_others() -> None:
    device = changed(by_hand(), settings={"dps": {"id_scope": "0ne00999999"}}, adopt=True)
    step = _written(device)

    assert '-id_scope = "0ne00112233"\n' in step.diff
    assert '+id_scope = "0ne00999999"\n' in step.diff
    assert set(BY_HAND.splitlines()) - set(step.text.splitlines()) == {'id_scope = "0ne00112233"'}


# Settings


def test_without_a_scope_there_is_nothing_to_do() -> None:
    assert code(plan(changed(healthy(), settings={"dps": {"id_scope": ""}}))) == "settings.missing"
    assert code(plan(changed(healthy(), settings=None))) == "settings.missing"


def test_bad_settings_stop_everything_even_if_some_could_be_used() -> None:
    trouble = INVALID(count=1, problems="[dps] id_scope: ...")
    found = plan(changed(fresh(), settings_trouble=trouble))

    assert found.finding == trouble
    assert found.steps == ()
    assert plan(changed(fresh(), settings=None, settings_trouble=trouble)).finding == trouble


def test_no_scope_is_not_a_hold() -> None:
    found = plan(changed(fresh(), settings={"dps": Dps()}))

    assert found.finding == MISSING()
    assert not found.holds


# The TPM


@pytest.mark.parametrize("trouble", [tpm.ABSENT(), tpm.SEVERAL(found="/dev/tpmrm0, /dev/tpmrm1")])
def test_trouble_with_the_tpm_stops_everything(trouble: Finding) -> None:
    found = plan(changed(fresh(), tpm={"trouble": trouble, "node": ""}))

    assert found.finding == trouble
    assert found.steps == ()
    assert found.holds is (trouble.code.phase is Phase.HELD)


def test_notices_of_the_tpm_are_handed_on() -> None:
    notice = tpm.SOFTWARE_TPM(device="swtpm")

    assert plan(changed(healthy(), tpm={"notices": (notice,)})).notices == (notice,)


def test_keys_are_named_with_where_they_are_made() -> None:
    missing = ("the endorsement key", "the storage root key")
    device = changed(fresh(), settings={"tpm": {"device": "swtpm:port=1"}})
    step = plan(changed(device, tpm={"node": "", "missing_keys": missing})).steps[0]

    assert step.effect == (
        "make the endorsement key and the storage root key persistent in the TPM swtpm:port=1"
    )


# The rule and the right to open the node


def test_the_rule_waits_for_the_runtimes_user() -> None:
    found = plan(changed(fresh(), access={"user_exists": False}))

    assert names(found) == ["ensure-keys"]
    assert code(found) == "runtime.not-installed"


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (Rule(RuleState.LINK, target="/srv/x.rules"), "udev.rule-link"),
        (Rule(RuleState.MASKED, target="/dev/null"), "udev.rule-masked"),
    ],
)
def test_a_linked_or_masked_rule_is_held(rule: Rule, wanted: str) -> None:
    found = plan(changed(healthy(), access={"rule": rule}))

    assert (names(found), code(found), found.holds) == ([], wanted, True)


def test_a_different_rule_is_replaced_and_kept() -> None:
    found = plan(changed(healthy(), access={"rule": FOREIGN_RULE}))

    assert names(found) == ["install-rule"]
    assert isinstance(found.steps[0], InstallRule)
    assert found.steps[0].effect == (
        "replace the rule in /etc/udev/rules.d/tpmaccess.rules by ours and keep the old one beside it"
    )


@pytest.mark.parametrize("state", [state for state in RuleState if state is not RuleState.OURS])
def test_access_that_others_share_is_left_as_it_is(state: RuleState) -> None:
    shared = changed(healthy(), access={"rule": Rule(state), "shared": True})

    assert names(plan(shared)) == []
    assert not plan(shared).holds
    lost = changed(shared, access={"access": Access.DENIED})
    assert plan(lost).holds or names(plan(lost))[0] == "install-rule"


def test_access_of_an_owner_is_made_lasting_by_our_rule() -> None:
    """A node that belongs to the user may do so by hand, until the next start."""
    assert names(plan(changed(healthy(), access={"rule": Rule()}))) == ["install-rule"]


def test_a_rule_in_run_is_noticed() -> None:
    found = plan(changed(healthy(), access={"rule": Rule(RuleState.OURS, RULE_PLACE_IN_RUN)}))

    assert names(found) == []
    assert [notice.code.name for notice in found.notices] == ["udev.rule-in-run"]


@pytest.mark.parametrize(
    ("access", "node", "steps"),
    [
        (Access.DENIED, "/dev/tpmrm0", ["grant-access"]),
        (Access.NOT_PROVEN, "/dev/tpmrm0", []),
        (Access.DENIED, "", []),
    ],
)
def test_access_is_granted_where_it_was_proven_to_be_missing(
    access: Access, node: str, steps: list[str]
) -> None:
    device = changed(healthy(), access={"access": access}, tpm={"node": node})

    assert names(plan(device)) == steps


# The runtime and its configuration


def test_configuring_waits_for_the_runtime() -> None:
    trouble = runtime.NOT_INSTALLED(missing="/usr/bin/iotedge")
    found = plan(changed(fresh(), runtime={"program": None, "trouble": trouble}))

    assert names(found) == ["ensure-keys", "install-rule"]
    assert found.finding == trouble


def test_a_config_toml_that_cant_be_used_stops_everything() -> None:
    refusal = config_codes.DIRECTORY(path="/etc/aziot/config.toml")
    found = plan(changed(fresh(), config={"refusal": refusal}))

    assert found.finding == refusal
    assert found.steps == ()


def test_a_shape_that_cant_be_edited_is_held_before_the_first_step() -> None:
    found = plan(with_config(fresh(), 'provisioning.source = "dps"\n', applied=False))
    adopted = plan(changed(with_config(fresh(), "provisioning = {}\n", applied=False), adopt=True))

    assert (names(found), code(found)) == ([], "config.other-provisioning")
    assert (names(adopted), code(adopted)) == ([], "config.shape-refused")


def test_an_impossible_registration_id_is_held_before_the_first_step() -> None:
    device = changed(fresh(), settings={"dps": {"registration_id": "line-{serial}"}})
    found = plan(changed(device, moment={"machine": {"serial": ""}}))

    assert (names(found), code(found)) == ([], "registration.empty-value")


@pytest.mark.parametrize("name", ["", "localhost", "localhost.localdomain", "(none)"])
def test_a_machine_without_a_name_is_waited_for(name: str) -> None:
    device = changed(fresh(), moment={"machine": {"hostname": name}})
    found = plan(device)

    assert names(found) == ["ensure-keys", "install-rule"]
    assert code(found) == "apply.hostname-unset"
    assert names(plan(changed(device, settings={"runtime": {"hostname": "line4"}})))[-1] == "apply-config"


def test_a_name_that_is_pinned_already_is_not_waited_for() -> None:
    device = by_hand('hostname = "localhost"\n' + BY_HAND)

    assert names(plan(device)) == ["record-config"]


def test_a_misplaced_key_is_named_with_its_line() -> None:
    text = OURS + 'hostname = "nobody hears"\n'
    found = plan(with_config(healthy(), text))

    (notice,) = found.notices
    assert notice.code.name == "config.misplaced-key"
    assert (dict(notice.facts)["key"], dict(notice.facts)["line"]) == (
        "provisioning.attestation.hostname",
        "12",
    )


def _written(device: Snapshot) -> WriteConfig:
    (step,) = (step for step in plan(device).steps if isinstance(step, WriteConfig))
    return step


def test_the_moment_is_no_reason_for_a_step() -> None:
    later = changed(healthy(), moment={"monotonic_s": NOW_S + 3e6, "wall_s": 2_000_000_000.0})

    assert plan(later) == plan(healthy())
