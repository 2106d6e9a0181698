"""What holds of every plan, whatever the device: tried on generated devices."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.codes import Phase
from agent.edge import config_text, generated
from agent.edge.engine import EngineState
from agent.facts.history import Attempt, Intent
from agent.facts.snapshot import Snapshot
from agent.facts.steps import ApplyConfig, RecordConfig, Step, WriteConfig
from agent.host.systemd import Secret
from agent.plan.plan import plan
from agent.tpm.access import Access, Rule, RuleState
from agent.values import replace
from tests.unit.snapshots import (
    BOOT,
    BY_HAND,
    ENDPOINT,
    NOW_S,
    OURS,
    REGISTRATION_ID,
    SCOPE,
    by_hand,
    carried_out,
    changed,
    fresh,
    generated_from,
    healthy,
    settings_of,
    with_config,
)
from tests.unit.tpm_publics import EK

ORDER = (
    "ensure-keys", "install-rule", "grant-access", "write-payload", "write-config", "record-config",
    "apply-config", "restart-runtime",
)  # fmt: skip
PROFILE = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
NEVER_WITH_STEPS = ("config.", "settings.", "registration.", "tpm.")

_TEXTS = st.sampled_from(
    [
        None,
        "",
        OURS,
        BY_HAND,
        OURS.replace(SCOPE, "0ne00999999"),
        OURS.replace('hostname = "e2e"\n', ""),
        OURS.replace('"Dynamic"', '"OnErrorOnly"'),
        OURS + '\n[tpm]\ntcti = "device:/dev/tpmrm1"\n',
        OURS + '\n[tpm]\ntcti = "swtpm:"\n[tpm.hierarchy_authorization]\nowner = "x"\n',
        BY_HAND.replace(REGISTRATION_ID, "line-4"),
        BY_HAND.replace(ENDPOINT, "https://dps.test:8443"),
        'provisioning = { source = "manual" }\n',
        'hostname = "localhost"\n[agent]\nhostname = "x"\n',
    ]
)
_SETTINGS = st.fixed_dictionaries(
    {
        "dps": st.fixed_dictionaries(
            {
                "id_scope": st.sampled_from([SCOPE, SCOPE, "0ne00999999", ""]),
                "registration_id": st.sampled_from(["auto", "ek-base32", "line-{hostname}", "line-4"]),
                "payload": st.sampled_from([None, {"modelId": "dtmi:x;1"}]),
            }
        ),
        "runtime": st.fixed_dictionaries(
            {
                "hostname": st.sampled_from(["pin", "pin", "follow", "line4"]),
                "on_manual_edit": st.sampled_from(["hold", "restore"]),
                "auto_reprovisioning_mode": st.sampled_from(["Dynamic", "OnErrorOnly"]),
            }
        ),
    }
)
_TPM = st.sampled_from(
    [
        {"missing_keys": (), "ek_public": EK},
        {"missing_keys": (), "ek_public": EK, "node": "/dev/tpmrm1", "runtime_tcti": "device:/dev/tpmrm1"},
        {"missing_keys": (), "ek_public": EK, "settles_in_s": 3.0},
        {"missing_keys": ("the storage root key",), "ek_public": EK},
        {"missing_keys": ("the endorsement key", "the storage root key"), "ek_public": b""},
    ]
)
_ACCESS = st.fixed_dictionaries(
    {
        "user_exists": st.sampled_from([True, True, False]),
        "access": st.sampled_from(Access),
        "rule": st.builds(Rule, st.sampled_from(RuleState)),
    }
)
_RUNTIME = st.fixed_dictionaries(
    {
        "program": st.sampled_from(["/usr/bin/iotedge", "/usr/bin/iotedge", None]),
        "engine": st.sampled_from(EngineState),
        "change_pid": st.sampled_from([None, None, 4711]),
        "installer_pid": st.sampled_from([None, None, 4712]),
    }
)
_ATTEMPTS = st.builds(
    Attempt,
    config_digest=st.just("to be set"),
    code=st.sampled_from(["apply.failed", "apply.engine-down"]),
    facts=st.just((("reason", "x"), ("status", "1"))),
    failures=st.integers(1, 9),
    boot_id=st.sampled_from([BOOT, "boot-0"]),
    retry_at_s=st.sampled_from([NOW_S - 1, NOW_S + 1, 1e15]),
)
_INTENTS = st.builds(Intent, st.sampled_from(ORDER), st.just("t-1"), st.sampled_from([BOOT, "boot-0"]))


@st.composite
def devices(draw: st.DrawFn) -> Snapshot:
    """Any device: how it was set up, what was changed since, and what stands in the way now."""
    device = draw(st.sampled_from([fresh(), by_hand(), healthy()]))
    if draw(st.booleans()):
        device = with_config(device, draw(_TEXTS), applied=draw(st.booleans()))
    for name, part in (("tpm", _TPM), ("access", _ACCESS), ("runtime", _RUNTIME), ("settings", _SETTINGS)):
        if draw(st.booleans()):
            device = changed(device, **{name: draw(part)})
    attempt = draw(st.none() | _ATTEMPTS.map(lambda one: replace(one, config_digest=device.config.digest)))
    remembered: dict[str, Any] = {"failed_apply": attempt, "intent": draw(st.none() | _INTENTS)}
    given = Secret("open sesame") if draw(st.booleans()) else None
    return changed(
        device,
        history=remembered,
        authorisations={"owner": given},
        adopt=draw(st.booleans()),
        insist=draw(st.booleans()),
    )


@PROFILE
@given(devices())
def test_the_same_snapshot_gives_the_same_plan(device: Snapshot) -> None:
    assert plan(device) == plan(device)


@PROFILE
@given(devices())
def test_a_plan_has_steps_or_says_how_the_device_is(device: Snapshot) -> None:
    found = plan(device)

    assert found.steps or found.finding


@PROFILE
@given(devices())
def test_steps_come_in_their_order_and_once(device: Snapshot) -> None:
    places = [ORDER.index(step.name) for step in plan(device).steps]

    assert places == sorted(set(places))


@PROFILE
@given(devices())
def test_nothing_is_left_to_do_when_the_steps_are_done(device: Snapshot) -> None:
    end, done = carried_out(device)

    assert plan(end).steps == ()
    assert len({step.name for step in done}) == len(done)


@PROFILE
@given(devices())
def test_what_is_done_is_what_the_plan_showed(device: Snapshot) -> None:
    """Save for the registration id, which is known only when the key is made."""
    shown = plan(device).steps
    _, done = carried_out(device)

    assert [step.name for step in done][: len(shown)] == [step.name for step in shown] or _waits_for_key(
        shown
    )


@PROFILE
@given(devices())
def test_a_device_that_is_held_for_a_decision_is_not_touched(device: Snapshot) -> None:
    found = plan(device)

    if found.finding and found.finding.code.phase in (Phase.HELD, Phase.UNCONFIGURED):
        assert found.steps == () or not found.finding.code.name.startswith(NEVER_WITH_STEPS)


@PROFILE
@given(devices())
def test_no_step_gives_an_identity_up(device: Snapshot) -> None:
    for step in plan(device).steps:
        assert step.name in ORDER
        assert "iotedge system reprovision" not in step.effect


@PROFILE
@given(devices())
def test_an_apply_has_its_reason_and_nothing_against_it(device: Snapshot) -> None:
    steps = plan(device).steps
    if not any(isinstance(step, ApplyConfig) for step in steps):
        return
    written = [step.text for step in steps if isinstance(step, WriteConfig)]
    document = config_text.parse((written or [device.config.text or ""])[0])
    failed = device.history.failed_apply
    was_applied = device.config.generated.get("identityd") is not None

    assert generated.disagreements(document, device.config.generated)
    assert device.tpm.settles_in_s == 0
    assert device.runtime.change_pid is None
    assert device.runtime.installer_pid is None
    assert not (was_applied and device.runtime.engine is EngineState.DOWN)
    if failed and not device.insist and not written:
        assert failed.boot_id != BOOT or failed.retry_at_s <= NOW_S


@PROFILE
@given(devices())
def test_what_the_daemons_were_told_is_never_applied_again(device: Snapshot) -> None:
    told = changed(device, config={"generated": generated_from(device)})
    kinds = {type(step) for step in plan(told).steps}

    assert ApplyConfig not in kinds or WriteConfig in kinds


@PROFILE
@given(devices())
def test_what_is_written_means_what_was_meant_and_keeps_every_foreign_line(device: Snapshot) -> None:
    for step in plan(device).steps:
        if isinstance(step, WriteConfig):
            document = config_text.parse(step.text)
            assert document["provisioning"]["source"] == "dps"
            assert document["provisioning"]["id_scope"] == settings_of(device).dps.id_scope
            assert all(
                line in step.text for line in ("# set up by hand",) if line in (device.config.text or "")
            )


@PROFILE
@given(devices())
def test_a_file_that_is_only_remembered_is_not_written(device: Snapshot) -> None:
    kinds = {type(step) for step in plan(device).steps}

    assert not {RecordConfig, WriteConfig} <= kinds


@PROFILE
@given(devices())
def test_a_password_is_seen_in_no_effect_no_difference_and_no_record(device: Snapshot) -> None:
    end, done = carried_out(device)
    shown = [end.history.dumps(), repr(plan(device).finding)]
    shown += [step.effect for step in done] + [step.diff for step in done if isinstance(step, WriteConfig)]

    assert not any("sesame" in text for text in shown)


@pytest.mark.parametrize("device", [fresh(), by_hand(), healthy()])
def test_the_model_devices_come_to_rest_without_a_hold(device: Snapshot) -> None:
    end, _ = carried_out(device)

    assert not plan(end).holds


def _waits_for_key(shown: tuple[Step, ...]) -> bool:
    return any(step.name == "ensure-keys" for step in shown)
