"""The pages in docs/ that are made from the code say what the code says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(name="generate")
def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_page_is_out_of_date(generate: ModuleType) -> None:
    assert generate.drifted(str(DOCS.parent)) == (), "run docs/generate.py"


def test_writing_makes_the_check_content(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "_PROJECT", str(tmp_path))
    (tmp_path / "changes").mkdir()
    (tmp_path / "docs").mkdir()

    assert generate.main(["--check"]) == 1
    assert "docs/settings.md is out of date" in capsys.readouterr().err
    assert list((tmp_path / "docs").iterdir()) == []

    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    pages = {str(page.relative_to(tmp_path)) for page in tmp_path.rglob("*") if page.is_file()}
    assert pages == set(generate.pages())


def test_what_a_person_types_stands_in_a_block(generate: ModuleType) -> None:
    assert '```\n  [dps]\n  id_scope = "0ne00112233"\n```\n' in generate.pages()["docs/codes.md"]
