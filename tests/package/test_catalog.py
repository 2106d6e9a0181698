"""The message catalog, as journalctl itself reads it."""

import re
from pathlib import Path

import pytest

from agent.codes import Code
from agent.codes.catalogue import all_codes
from tests.package.debian_tree import run

CATALOG = "usr/lib/systemd/catalog/edge-provisioner.catalog"


@pytest.fixture(scope="module", name="entries")
def read_back(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Have journalctl compile the installed catalog alone, and give what it then shows, by id."""
    root = tmp_path_factory.mktemp("catalog")
    (root / CATALOG).parent.mkdir(parents=True)
    (root / CATALOG).write_bytes((tree / CATALOG).read_bytes())
    (root / "var/lib/systemd/catalog").mkdir(parents=True)
    run("journalctl", f"--root={root}", "--update-catalog")
    dumped = run("journalctl", f"--root={root}", "--dump-catalog")
    parts = re.split(r"^-- ([0-9a-f]{32})$", dumped, flags=re.MULTILINE)
    return {ident.replace("-", ""): text for ident, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_every_code_is_there_once(tree: Path, entries: dict[str, str]) -> None:
    written = re.findall(r"^-- (\w+)$", (tree / CATALOG).read_text(), re.MULTILINE)

    assert sorted(written) == sorted(code.message_id for code in all_codes())
    assert entries.keys() == set(written)


@pytest.mark.parametrize("code", [pytest.param(code, id=code.name) for code in all_codes()])
def test_it_says_what_the_code_says(code: Code, entries: dict[str, str]) -> None:
    """Up to where lines end. Facts are the fields that the journal's events carry."""
    fields = {name: f"@EDGE_PROVISIONER_{name.upper()}@" for name in code.fact_names}
    said = " ".join(entries[code.message_id].split())

    assert f"Subject: {code.summary.format_map(fields)} Defined-By: edge-provisioner" in said
    assert " ".join(code.explanation.format_map(fields).split()) in said
    assert " ".join(f"What to do: {code.remedy.format_map(fields)}".split()) in said
    assert f"edge-provisioner explain {code.name}" in said
