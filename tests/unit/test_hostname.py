"""What a host name is worth: the runtime's own rules, and what comes of it before the first one is pinned."""

import pytest

from agent.edge import hostname
from agent.facts.snapshot import Snapshot
from agent.plan.plan import plan
from tests.unit.snapshots import OURS, changed, code, fresh, healthy, names, with_config

LONG = "a" * 63 + ".b"
# Name: can it stand in a certificate, and does the runtime's check pass it without a warning.
NAMES = {
    "e2e": (True, True),
    "line4.plant.example": (True, True),
    "A-1": (True, True),
    "192.0.2.7": (True, True),
    "fd00::7": (True, True),
    "edge_host": (True, False),
    "1edge": (True, False),
    "edge-": (True, False),
    "999.1.1.1": (True, False),
    LONG: (True, False),
    f"{'a' * 63}.{'b' * 63}": (True, False),
    "edge.example.com.": (False, False),
    "edge..com": (False, False),
    "edge host": (False, False),
    "kälte": (False, False),
    "a" * 64: (False, False),
    "x.y" * 100: (False, False),
    "edge\n": (False, False),
    "::zz": (False, False),
}


def named(name: str, **changes: object) -> Snapshot:
    return changed(fresh(), moment={"machine": {"hostname": name}}, **changes)


def told(device: Snapshot) -> list[str]:
    return [notice.code.name for notice in plan(device).notices]


@pytest.mark.parametrize(("name", "worth"), NAMES.items(), ids=[repr(name[:20]) for name in NAMES])
def test_names_are_judged_as_the_runtime_does(name: str, worth: tuple[bool, bool]) -> None:
    assert (hostname.is_possible(name), hostname.warned_of(name) == "") == worth


@pytest.mark.parametrize("name", [name for name, worth in NAMES.items() if not worth[0]])
def test_a_name_that_no_certificate_can_have_is_waited_out(name: str) -> None:
    found = plan(named(name))

    assert "write-config" not in names(found)
    assert code(found) == "apply.hostname-impossible"


@pytest.mark.parametrize("name", [name for name, worth in NAMES.items() if worth == (True, False)])
def test_a_name_that_is_warned_of_is_told_before_it_is_pinned_and_afterwards(name: str) -> None:
    assert "write-config" in names(plan(named(name)))
    assert told(named(name)) == ["config.hostname-warned"]
    text = OURS.replace('"e2e"', f'"{name}"')
    pinned = changed(with_config(healthy(), text), moment={"machine": {"hostname": name}})
    assert told(pinned) == ["config.hostname-warned"]


@pytest.mark.parametrize("name", ["raspberrypi", "Ubuntu", "iotedgevm"])
def test_a_name_that_comes_from_an_image_is_told_only_while_it_can_be_changed(name: str) -> None:
    assert told(named(name)) == ["config.hostname-doubted"]
    text = OURS.replace('"e2e"', f'"{name}"')
    assert told(changed(with_config(healthy(), text), moment={"machine": {"hostname": name}})) == []


@pytest.mark.parametrize(
    ("wanted", "odd"),
    [("line4", True), ("e2e.plant.example", False), ("E2E", False), ("192.0.2.7", False), ("e2ex", True)],
)
def test_a_name_that_is_not_the_machines_is_told(wanted: str, odd: bool) -> None:
    device = changed(fresh(), settings={"runtime": {"hostname": wanted}})

    assert told(device) == (["config.hostname-doubted"] if odd else [])
