"""The payload and the TPM's passwords: written where the runtime reads them, and shown nowhere else."""

from agent.edge import config_text
from agent.facts.snapshot import Snapshot
from agent.facts.steps import WriteConfig, WritePayload
from agent.host.systemd import Secret
from agent.plan.plan import plan
from tests.unit.snapshots import OURS, after, carried_out, changed, healthy, names, with_config

PAYLOAD = {"modelId": "dtmi:com:example:Line;1"}


def test_the_payload_is_written_before_config_toml_names_it() -> None:
    device = changed(healthy(), settings={"dps": {"payload": PAYLOAD}})
    found = plan(device)

    assert names(found) == ["write-payload", "write-config", "apply-config"]
    assert isinstance(found.steps[0], WritePayload)
    assert found.steps[0].data == b'{\n "modelId": "dtmi:com:example:Line;1"\n}\n'
    assert config_text.parse(_written(device).text)["provisioning"]["payload"] == {
        "uri": "file:///etc/aziot/edge-provisioner-payload.json"
    }


def test_another_payload_is_written_and_nothing_else() -> None:
    device, _ = carried_out(changed(healthy(), settings={"dps": {"payload": PAYLOAD}}))
    other = changed(device, settings={"dps": {"payload": {"modelId": "dtmi:x;2"}}})

    assert names(plan(other)) == ["write-payload"]
    assert plan(after(other, plan(other).steps[0])).steps == ()


def test_a_payload_of_ours_is_removed_when_the_settings_have_none() -> None:
    device, _ = carried_out(changed(healthy(), settings={"dps": {"payload": PAYLOAD}}))
    without = changed(device, settings={"dps": {"payload": None}})

    assert names(plan(without)) == ["write-config", "apply-config"]
    assert "payload" not in _written(without).text


def test_a_payload_of_a_person_stays() -> None:
    below = "\n\n[provisioning.attestation]"
    text = OURS.replace(below, f'\npayload = {{ uri = "file:///srv/p.json" }}{below}')
    device = with_config(healthy(), text)

    assert "payload" in config_text.parse(text)["provisioning"]
    assert plan(device).steps == ()


def test_a_password_reaches_config_toml_and_is_seen_nowhere_else() -> None:
    given = {"owner": Secret("open sesame"), "endorsement": Secret("swordfish")}
    device = changed(healthy(), authorisations=given)
    step = _written(device)
    end, _ = carried_out(device)

    assert config_text.parse(step.text)["tpm"]["hierarchy_authorization"] == {
        "owner": "open sesame",
        "endorsement": "swordfish",
    }
    for shown in (step.diff, step.effect, end.history.dumps()):
        assert "sesame" not in shown
        assert "swordfish" not in shown
    assert dict(end.history.written)["tpm.hierarchy_authorization.owner"].startswith("sha256:")
    assert plan(end).steps == ()


def test_a_new_password_is_written_and_the_old_one_is_no_manual_edit() -> None:
    device, _ = carried_out(changed(healthy(), authorisations={"owner": Secret("open sesame")}))
    found = plan(changed(device, authorisations={"owner": Secret("close sesame")}))

    assert names(found) == ["write-config", "apply-config"]
    assert "sesame" not in _diff(found.steps[0])


def _written(device: Snapshot) -> WriteConfig:
    (step,) = (step for step in plan(device).steps if isinstance(step, WriteConfig))
    return step


def _diff(step: object) -> str:
    assert isinstance(step, WriteConfig)
    return step.diff
