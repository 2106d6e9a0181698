"""`plan` says what `once` does: the same steps in the same order, or the same finding and no step."""

import json
from collections.abc import Callable

import pytest

from tests import sample
from tests.scenario.causes_table import NEW, ROWS, Row
from tests.scenario.stage import CONFIG, Stage, set_owner_password
from tests.scenario.test_field import FIELD, content
from tests.scenario.test_others_decisions import CONNECTION_STRING
from tests.standins.software_tpm import SoftwareTpm

OFF = "tpm.hierarchy-disabled"
# Of these the next moment is another one: a node that settles, daemons that are being proven or start.
PASSES_BY_ITSELF = ("apply.settling", "runtime.proving", "runtime.starting", "cloud.silent")
EVICT_EK = "40000001 81010001 00000009 40000009 0000 00 0000 81010001"


def once_is_as_planned(stage: Stage) -> None:
    """Ask for the plan, and do it."""
    planned = json.loads(stage.run("plan", "--json").out)
    while planned["finding"] and planned["finding"]["code"] in PASSES_BY_ITSELF:
        planned = json.loads(stage.run("plan", "--json").out)
    steps = [step["effect"] for step in planned["steps"]]
    stage.did.clear()

    looked = stage.once()

    assert stage.did == steps[: len(stage.did)]
    if not steps or (len(stage.did) < len(steps) and planned["finding"]):
        assert looked["code"] == planned["finding"]["code"]


@pytest.mark.parametrize("row", sample.cases("plan", {row.fault: (row,) for row in ROWS}, of=3))
def test_whatever_is_wrong(row: Row, stage: Stage) -> None:
    if row.begin is not NEW:
        stage.provision()
    row.make(stage)

    once_is_as_planned(stage)


@pytest.mark.parametrize("name", sample.cases("plan of a file", {name: (name,) for name in FIELD}, of=3))
def test_whatever_stands_in_config_toml(name: str, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_INSIDE", "1")
    stage.write(CONFIG, content(name), 0o600)

    once_is_as_planned(stage)


def evict_ek(stage: Stage) -> None:
    """Take the endorsement key out of the TPM: TPM2_EvictControl by the owner, without a password."""
    body = bytes.fromhex(EVICT_EK)
    head = bytes.fromhex("8002") + (10 + len(body)).to_bytes(4, "big") + bytes.fromhex("00000120")
    assert stage.tpm.wire.transact(head + body)[6:10] == bytes(4)


def clear(stage: Stage) -> None:
    """Give the TPM another endorsement seed: TPM2_ChangeEPS by the platform."""
    body = bytes.fromhex("4000000c 00000009 40000009 0000 00 0000")
    head = bytes.fromhex("8002") + (10 + len(body)).to_bytes(4, "big") + bytes.fromhex("00000124")
    assert stage.tpm.wire.transact(head + body)[6:10] == bytes(4)


def switch_off(hierarchy: str) -> Callable[[Stage], None]:
    """Give what switches a hierarchy off: TPM2_HierarchyControl by the platform."""

    def control(stage: Stage) -> None:
        body = bytes.fromhex(f"4000000c 00000009 40000009 0000 00 0000 {hierarchy} 00")
        head = bytes.fromhex("8002") + (10 + len(body)).to_bytes(4, "big") + bytes.fromhex("00000121")
        assert stage.tpm.wire.transact(head + body)[6:10] == bytes(4)

    return control


def password(stage: Stage) -> None:
    set_owner_password(stage.tpm, "correct horse")


def nothing(_stage: Stage) -> None:
    """Leave it as it is."""


MADE = {
    "nothing": (nothing, "runtime.provisioned", "ensure-keys"),
    "the endorsement key taken out": (evict_ek, "runtime.provisioned", "ensure-keys"),
    "another endorsement seed": (clear, "tpm.cleared", "ensure-keys"),
    "the endorsement hierarchy off": (
        switch_off("4000000b"),
        "tpm.hierarchy-disabled",
        "tpm.hierarchy-disabled",
    ),
    "the owner hierarchy off": (switch_off("40000001"), OFF, OFF),
    "an owner password": (password, None, "tpm.owner-password"),
}
EVERY = pytest.mark.parametrize("what", MADE)


@EVERY
def test_a_provisioned_device_whose_tpm_was_changed(stage: Stage, what: str) -> None:
    make, code, _ = MADE[what]
    stage.provision()
    made = stage.read(CONFIG)

    make(stage)
    once_is_as_planned(stage)

    if code:
        assert stage.once()["code"] == code
    assert stage.read(CONFIG) == made


@EVERY
def test_a_new_device_whose_tpm_is_odd(stage: Stage, what: str) -> None:
    make, _, first = MADE[what]
    if what == "the endorsement key taken out":
        assert stage.run("tpm", "ensure").status == 0
    make(stage)

    planned = json.loads(stage.run("plan", "--json").out)
    said = planned["steps"][0]["name"] if planned["steps"] else planned["finding"]["code"]
    assert said == first
    once_is_as_planned(stage)


def test_the_plan_for_an_empty_tpm_has_the_registration_id_and_leaves_it_empty(stage: Stage) -> None:
    planned = stage.run("plan").out
    identity = json.loads(stage.run("identity", "--json").out)

    assert f'registration_id = "{identity["registration_id"]}"' in planned
    assert identity["persistent"] is False
    assert "EvictControl" not in stage.tpm.commands()


def test_an_id_of_another_key_is_held_before_anything_is_made(stage: Stage) -> None:
    stage.write(CONFIG, content("real-connection-string"), 0o600)
    once_is_as_planned(stage)
    stage.write(CONFIG, CONNECTION_STRING, 0o600)
    once_is_as_planned(stage)

    assert "EvictControl" not in stage.tpm.commands()


def test_a_device_with_the_tpm_of_another_is_held_as_planned(stage: Stage, base: str) -> None:
    stage.provision()
    stage.unplug()
    with SoftwareTpm(f"{base}/other") as other:
        chip = other.bridge(f"{base}/other-chip")
        chip.plug()
        stage.machine.plug("tpmrm0", chip.node)

        once_is_as_planned(stage)
        assert stage.status()["phase"] == "held"
        stage.machine.unplug("tpmrm0")
        chip.unplug()
