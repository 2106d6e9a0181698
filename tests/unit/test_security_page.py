"""The page about security against what it speaks of: its codes and its tests are there."""

import re
from pathlib import Path

from agent.codes.catalogue import by_name

_PROJECT = Path(__file__).parents[2]
_PAGE = (_PROJECT / "docs/security.md").read_text(encoding="utf-8")


def test_every_test_that_it_names_is_there() -> None:
    named = re.findall(r"`((?:unit|contract|scenario|crash|vm)/\w+\.py)`", _PAGE)

    assert named
    assert [path for path in named if not (_PROJECT / "tests" / path).is_file()] == []


def test_every_code_that_it_names_is_one() -> None:
    for name in re.findall(r"`((?:settings|agent|config|tpm|apply|runtime)\.[a-z-]+)`", _PAGE):
        if name != "config.toml":
            assert by_name(name).name == name
