"""Old secrets in comments are told of where config.toml is to be changed, or was; never their values."""

import pytest

from agent.edge import config_shown
from agent.facts.snapshot import Snapshot
from agent.plan.plan import plan
from tests.unit.snapshots import OURS, SCOPE, changed, healthy, names, with_config

WITH_OLD_KEY = OURS + "# old key c2VjcmV0LW9mLXRoZS1odWI=\n"


def told(snapshot: Snapshot) -> list[str]:
    return [one.summary for one in plan(snapshot).notices if one.code.name == "config.old-secrets"]


def test_a_write_tells_of_them_with_their_lines_and_without_their_values() -> None:
    snapshot = with_config(healthy(), WITH_OLD_KEY.replace(SCOPE, "0ne9"))
    found = plan(changed(snapshot, adopt=True))

    assert "write-config" in names(found)
    assert told(changed(snapshot, adopt=True)) == [
        f"Old keys or passwords seem to stand in comments of config.toml, lines {WITH_OLD_KEY.count(chr(10))}"
    ]
    assert "c2VjcmV0" not in repr([(step.effect, getattr(step, "diff", "")) for step in found.steps])
    assert told(changed(with_config(healthy(), OURS), adopt=True)) == []


def test_an_adoption_that_has_nothing_to_write_tells_of_them_too() -> None:
    assert told(changed(with_config(healthy(), WITH_OLD_KEY), adopt=True))


def test_a_quiet_look_reads_no_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_shown, "secrets_in_comments", lambda *_: pytest.fail("a look for nothing"))

    assert told(with_config(healthy(), WITH_OLD_KEY)) == []
