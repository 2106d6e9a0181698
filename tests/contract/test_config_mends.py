"""The commands that put a line of config.toml right, run by the shell and sed that are there."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.edge.config_mends import Edit, command, edited


@settings(max_examples=30, deadline=None)
@given(
    line=st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=6, max_size=40),
    text=st.sampled_from(['"', "'", "\\", " = ", "&", "/", "true", ""]),
)
def test_the_command_does_what_the_edits_say(
    tmp_path_factory: pytest.TempPathFactory, line: str, text: str
) -> None:
    place = tmp_path_factory.mktemp("mend") / "config.toml"
    place.write_text(f"first\n{line}\nlast\n", encoding="utf-8")
    edits = (Edit(1, 1, text), Edit(2, 4, text))

    spelt = command(2, line, edits).replace("/etc/aziot/config.toml", str(place))
    subprocess.run(["sh", "-c", spelt], check=True)

    assert place.read_text(encoding="utf-8") == f"first\n{edited(line, edits)}\nlast\n"
