"""The longest waits that the settings allow: refused beyond, and together within the watcher's patience."""

import pytest

from agent import running_pass
from agent.codes.settings import INVALID
from agent.settings.table import LONGEST_APPLY_S, LONGEST_KEY_S
from tests.unit.test_settings import said, settings_of

_KEYS_MADE = 2
_THE_REST_S = 300  # looks, udevadm, a restart of aziot-tpmd


@pytest.mark.parametrize(
    ("table", "name", "most"),
    [("runtime", "apply_timeout_s", LONGEST_APPLY_S), ("tpm", "timeout_s", LONGEST_KEY_S)],
)
def test_a_wait_beyond_the_limit_is_refused_where_it_stands(table: str, name: str, most: int) -> None:
    text = f"[{table}]\n{name} = "

    assert said(f"{text}{most + 1}") == [
        f"1.toml:2: {table}.{name}: expected a number of seconds above 0 and up to {most}"
    ]
    assert getattr(getattr(settings_of(f"{text}{most}"), table), name) == most


def test_the_watcher_lets_the_longest_pass_end() -> None:
    assert running_pass.PASS_DEADLINE_S >= _KEYS_MADE * LONGEST_KEY_S + LONGEST_APPLY_S + _THE_REST_S


def test_who_got_settings_wrong_is_sent_to_a_page_that_is_installed() -> None:
    assert "edge-provisioner.toml(5)" in INVALID(count=1, problems="x").remedy
