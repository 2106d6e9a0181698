"""The line of a key: right for every way to write one, and none rather than a wrong one."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings.kinds import toml_key, toml_value
from agent.settings.problems import line_of

TEXT = '''\
# dps.id_scope = "in a comment"
note = """
[dps]
id_scope = "in a string"
"""
[dps] # id_scope
"id_scope" = "0ne" # id_scope
payload = { id_scope = [1,
  { deep = "id_scope" }] }
[est.auto_renew]
retry = "4%"
[[array]]
x = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("note",), 2),
        (("dps",), 6),
        (("dps", "id_scope"), 7),
        (("dps", "payload"), 8),
        (("dps", "payload", "id_scope"), 8),
        (("est",), 10),
        (("est", "auto_renew"), 10),
        (("est", "auto_renew", "retry"), 11),
        (("array",), 12),
        (("array", "x"), None),
        (("id_scope",), None),
        (("absent",), None),
    ],
)
def test_known_places(path: tuple[str, ...], line: int | None) -> None:
    assert line_of(TEXT, path) == line


def test_a_key_that_is_spelt_with_escapes_has_no_line() -> None:
    text = '"id\\u005fscope" = 1'

    assert tomllib.loads(text) == {"id_scope": 1}
    assert line_of(text, ("id_scope",)) is None


KEYS = st.sampled_from(["a", "b", "id_scope", "a-b", "a.b", "", "x y", "\u00fc", '"', "[a]", "edge"])
DOCUMENTS = st.dictionaries(
    KEYS,
    st.sampled_from([1, "a = 1", "\n[a]\nb = 1", "id_scope"])
    | st.dictionaries(KEYS, st.integers(0, 9), max_size=3),
    max_size=5,
)


def lines_of_document(document: dict[str, object]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Write a document line by line; with each line, the path of the key on it."""
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    for key in document.keys() - tables.keys():
        yield f"{toml_key(key)} = {toml_value(document[key])} # a = 1, [a], id_scope", (key,)
    for key, table in tables.items():
        yield f"[{toml_key(key)}]", (key,)
        for inner, value in table.items():
            yield f"  {toml_key(inner)} = {value}", (key, inner)


@given(document=DOCUMENTS)
def test_a_line_is_never_wrong(document: dict[str, object]) -> None:
    """Keys that are written without escapes are found; the others are found rightly or not at all."""
    lines = list(lines_of_document(document))
    text = "\n".join(line for line, _ in lines)

    for number, (_, path) in enumerate(lines, 1):
        plain = toml_key(path[-1]) in (path[-1], f'"{path[-1]}"')
        assert line_of(text, path) in ((number,) if plain else (number, None))
