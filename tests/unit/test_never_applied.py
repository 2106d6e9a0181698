"""A config.toml that somebody wrote and nobody applied: the runtime shows Ready, nothing is configured."""

from types import MappingProxyType

import pytest

from agent.facts.snapshot import Snapshot
from agent.plan.plan import plan
from tests.unit.snapshots import OURS, by_hand, changed, code, fresh, names, with_config

NOTHING = MappingProxyType(dict.fromkeys(("keyd", "certd", "identityd", "tpmd", "edged")))
OTHER = OURS.replace("0ne00112233", "0ne00009999")


def never(text: str, **changes: object) -> Snapshot:
    device = changed(fresh(), config={"generated": NOTHING})
    return changed(with_config(device, text, applied=False), **changes)


def without_settings(device: Snapshot) -> Snapshot:
    return changed(device, settings={"dps": {"id_scope": ""}})


def test_it_is_what_an_agent_without_settings_says_first() -> None:
    found = plan(without_settings(never(OURS)))

    assert (names(found), code(found)) == ([], "config.never-applied")
    assert found.finding
    assert found.finding.summary.startswith("/etc/aziot/config.toml is written, but was never applied")


@pytest.mark.parametrize(
    "device",
    [
        never("# nothing but comments\n"),
        never(OURS, runtime={"program": None}),
        with_config(fresh(), OURS),
        by_hand(),
    ],
    ids=["no provisioning", "no runtime", "applied", "applied by hand"],
)
def test_without_settings_nothing_else_is_taken_for_it(device: Snapshot) -> None:
    assert code(plan(without_settings(device))) == "settings.missing"


def test_our_own_values_are_applied_and_that_is_said() -> None:
    assert "apply-config" in names(plan(never(OURS)))
    assert any("(never applied)" in step.effect for step in plan(never(OURS)).steps)


def test_what_is_held_because_it_is_of_others_says_whether_it_was_applied() -> None:
    waits, works = plan(never(OTHER)), plan(with_config(fresh(), OTHER))

    for found, said in ((waits, True), (works, False)):
        assert code(found) == "config.other-provisioning"
        assert found.finding
        assert found.finding.summary.endswith('"0ne00009999" (written, never applied)') is said


@pytest.mark.parametrize("name", ["", "localhost", "edge host"])
def test_the_first_apply_waits_for_a_name_where_the_file_leaves_it_to_the_machine(name: str) -> None:
    later = changed(by_hand(), moment={"machine": {"hostname": name}})
    first = changed(later, config={"generated": NOTHING})

    assert code(plan(first)).startswith("apply.hostname-")
    assert "apply-config" not in names(plan(first))
    assert not code(plan(later)).startswith("apply.hostname-")


def test_a_name_of_somebody_elses_is_told_while_it_can_be_changed_and_taken() -> None:
    text = OURS.replace('"e2e"', '"localhost"')
    first = plan(never(text))

    assert "apply-config" in names(first)
    assert [notice.code.name for notice in first.notices] == ["config.hostname-doubted"]
    assert plan(with_config(fresh(), text)).notices == ()
