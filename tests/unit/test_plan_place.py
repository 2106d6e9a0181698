"""Which TPM the runtime is led to and which host name it is given, and whose word counts in that."""

from collections.abc import Callable

import pytest

from agent.edge import config_text
from agent.facts.snapshot import Snapshot
from agent.facts.steps import WriteConfig
from agent.plan.plan import plan
from tests.unit.snapshots import (
    BY_HAND,
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


def facts(device: Snapshot) -> dict[str, str]:
    finding = plan(device).finding
    assert finding is not None
    return dict(finding.facts)


def with_tcti(text: str, tcti: str) -> str:
    return f'{text}\n[tpm]\ntcti = "{tcti}"\n'


def moved_to_tpm1(device: Snapshot) -> Snapshot:
    return changed(device, tpm={"node": "/dev/tpmrm1", "runtime_tcti": "device:/dev/tpmrm1"})


def moved_to_tpm0(device: Snapshot) -> Snapshot:
    return changed(device, tpm={"node": "/dev/tpmrm0", "runtime_tcti": None})


# [tpm] tcti


def test_the_runtime_is_led_to_a_tpm_that_it_does_not_find_by_itself() -> None:
    end, done = carried_out(moved_to_tpm1(healthy()))

    assert [step.name for step in done] == ["write-config", "apply-config"]
    assert config_text.parse(end.config.text or "")["tpm"] == {"tcti": "device:/dev/tpmrm1"}


def test_and_left_to_itself_when_it_finds_it_again() -> None:
    there, _ = carried_out(moved_to_tpm1(healthy()))
    back, done = carried_out(moved_to_tpm0(there))

    assert [step.name for step in done] == ["write-config", "apply-config"]
    assert config_text.value_at(config_text.parse(back.config.text or ""), ("tpm", "tcti")) is None
    assert "tpm.tcti" not in dict(back.history.written)


@pytest.mark.parametrize("adopt", [False, True])
def test_a_persons_way_to_another_tpm_is_held_even_from_adoption(adopt: bool) -> None:
    device = changed(by_hand(with_tcti(BY_HAND, "device:/dev/tpmrm7")), adopt=adopt)
    elsewhere = moved_to_tpm1(device)

    for one, node in ((device, "/dev/tpmrm0"), (elsewhere, "/dev/tpmrm1")):
        assert (names(plan(one)), code(plan(one))) == ([], "config.foreign-tcti")
        assert facts(one) == {"tcti": "device:/dev/tpmrm7", "node": node}


def test_a_tpm_without_a_node_is_named_as_the_settings_do() -> None:
    device = changed(by_hand(with_tcti(BY_HAND, "mssim:")), settings={"tpm": {"device": "swtpm:port=1"}})
    device = changed(device, tpm={"node": "", "runtime_tcti": "swtpm:port=1"})

    assert facts(device) == {"tcti": "mssim:", "node": "swtpm:port=1"}


@pytest.mark.parametrize("tcti", ["device", "device:/dev/tpmrm0"])
def test_a_persons_way_to_the_same_tpm_is_kept(tcti: str) -> None:
    device = by_hand(with_tcti(BY_HAND, tcti))
    found = plan(device)

    assert names(found) == ["record-config"]
    assert plan(after(device, found.steps[0])).steps == ()


def test_a_persons_way_to_our_tpm1_becomes_ours() -> None:
    device = moved_to_tpm1(by_hand(with_tcti(BY_HAND, "device:/dev/tpmrm1")))
    end, done = carried_out(device)

    assert [step.name for step in done] == ["record-config"]
    assert names(plan(moved_to_tpm0(end))) == ["write-config", "apply-config"]


@pytest.mark.parametrize("moved", [moved_to_tpm1, moved_to_tpm0])
def test_a_tcti_of_ours_that_a_person_changed_is_a_manual_edit(
    moved: Callable[[Snapshot], Snapshot],
) -> None:
    there, _ = carried_out(moved_to_tpm1(healthy()))
    text = (there.config.text or "").replace("device:/dev/tpmrm1", "swtpm:")
    device = moved(with_config(there, text))
    restoring = changed(device, settings={"runtime": {"on_manual_edit": "restore"}})

    assert (names(plan(device)), code(plan(device))) == ([], "config.manual-edit")
    assert names(plan(restoring)) == ["write-config", "apply-config"]


# The host name


def test_the_machines_name_is_pinned_once_and_for_all() -> None:
    device, _ = carried_out(fresh())
    renamed = changed(device, moment={"machine": {"hostname": "renamed"}})

    assert config_text.parse(device.config.text or "")["hostname"] == "e2e"
    assert plan(renamed).steps == ()


def test_the_name_of_the_last_apply_is_pinned_rather_than_the_machines() -> None:
    lost = with_config(by_hand(), None, applied=False)
    renamed = changed(lost, moment={"machine": {"hostname": "renamed"}})
    (step,) = plan(renamed).steps

    assert isinstance(step, WriteConfig)
    assert config_text.parse(step.text)["hostname"] == "e2e"


def test_a_name_in_the_file_is_kept_and_one_that_is_no_name_is_not() -> None:
    named = changed(by_hand('hostname = "line4"\n' + BY_HAND), settings={"dps": {"id_scope": "0ne1"}})
    odd = with_config(by_hand(), "hostname = 5\n" + BY_HAND, applied=False)

    assert config_text.parse(_text(changed(named, adopt=True)))["hostname"] == "line4"
    assert config_text.parse(_text(odd))["hostname"] == "e2e"


def test_a_name_in_the_settings_is_written_even_to_a_file_that_means_the_rest() -> None:
    device = changed(by_hand(), settings={"runtime": {"hostname": "line4"}})

    assert names(plan(device)) == ["write-config", "apply-config"]
    assert config_text.parse(_text(device))["hostname"] == "line4"


def test_the_applied_name_in_the_settings_is_written_and_not_applied() -> None:
    device = changed(by_hand(), settings={"runtime": {"hostname": "e2e"}})

    assert names(plan(device)) == ["write-config"]


def test_following_takes_the_name_out_if_it_is_ours_and_leaves_a_persons() -> None:
    ours = changed(healthy(), settings={"runtime": {"hostname": "follow"}})
    theirs = changed(by_hand('hostname = "line4"\n' + BY_HAND), settings={"runtime": {"hostname": "follow"}})
    end, done = carried_out(ours)

    assert [step.name for step in done] == ["write-config"]
    assert "hostname" not in config_text.parse(end.config.text or "")
    assert names(plan(theirs)) == ["record-config"]
    assert names(plan(changed(end, moment={"machine": {"hostname": "renamed"}}))) == []


def _text(device: Snapshot) -> str:
    step = plan(device).steps[0]
    assert isinstance(step, WriteConfig)
    return step.text
