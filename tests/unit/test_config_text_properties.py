"""config.toml edits on generated documents: what is meant comes out, and nothing else moves."""

import contextlib
import copy
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.codes import AgentError
from agent.edge.config_diff import unified_diff
from agent.edge.config_schema import misplaced
from agent.edge.config_text import (
    KeyPath,
    differences,
    edit,
    line_of,
    parse,
    read,
    value_at,
)
from tests.unit.config_documents import (
    AUTHORIZATION,
    FRAGMENTS,
    INTENTIONS,
    OWN,
    REMARKS,
    TEXTS,
    Chunk,
    Intended,
    texts,
)

PROFILE = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


NO_TOML = tuple(
    f"config.{mistake}"
    for mistake in (
        "invalid-toml", "yaml", "yaml-file", "character", "bare-word", "backslash", "twice", "nul",
    )
)  # fmt: skip


def intended_document(text: str, intended: Intended) -> dict[str, Any]:
    document = copy.deepcopy(parse(text))
    for path, value in intended.items():
        table = document
        for name in path[:-1]:
            table = table.setdefault(name, {})
        table.pop(path[-1], None)
        if value is not None:
            table[path[-1]] = value
    return without_empty(document)


def without_empty(document: dict[str, Any]) -> dict[str, Any]:
    """Drop empty tables of ours: a header without keys says nothing."""
    for path in (
        ("tpm", "hierarchy_authorization"),
        ("tpm",),
        ("provisioning", "attestation"),
        ("provisioning",),
    ):
        table = value_at(document, path[:-1])
        if table is not None and table.get(path[-1]) == {}:
            del table[path[-1]]
    return document


def spelled_out(document: dict[str, Any]) -> str:
    """A form in which true is not 1 and a NaN equals itself."""
    if not isinstance(document, dict):
        return repr(document)
    return repr(sorted((name, spelled_out(inner)) for name, inner in document.items()))


@contextlib.contextmanager
def suppressed(*codes: str) -> Iterator[None]:
    try:
        yield
    except AgentError as error:
        if error.finding.code.name not in codes:
            raise


def stand_in_order(kept: Collection[str], text: str) -> bool:
    rest = iter(lines_of(text))
    return all(line in rest for line in kept)


def lines_of(text: str) -> list[str]:
    """Split after line feeds only; str.splitlines knows more line ends than TOML."""
    return [f"{line}\n" for line in text.removesuffix("\n").split("\n")]


@PROFILE
@given(texts(), INTENTIONS)
def test_edit_means_the_intended_document(written: tuple[str, list[Chunk]], intended: Intended) -> None:
    text, _ = written

    edited = edit(text, intended)

    assert spelled_out(without_empty(parse(edited))) == spelled_out(intended_document(text, intended))


@PROFILE
@given(texts(), INTENTIONS)
def test_second_edit_gives_the_very_same_string(written: tuple[str, list[Chunk]], intended: Intended) -> None:
    edited = edit(written[0], intended)

    assert edit(edited, intended) is edited


@PROFILE
@given(texts(), INTENTIONS)
def test_every_line_of_others_stays_in_its_order(
    written: tuple[str, list[Chunk]], intended: Intended
) -> None:
    text, chunks = written
    changed = differences(parse(text), intended)
    removed = {path[:-1] for path in changed if intended[path] is None}
    kept = [chunk for chunk, own in chunks if own is None or own not in {*changed, *removed}]

    edited = edit(text, intended)

    whole = (
        edited
        if edited.endswith("\n")
        else edited + ("\r\n" if any("\r" in chunk for chunk, _ in chunks) else "\n")
    )
    assert stand_in_order([line for chunk in kept for line in lines_of(chunk)], whole)
    assert "\r\n" not in text or "\n" not in edited.replace("\r\n", "")


@PROFILE
@given(texts(), INTENTIONS)
def test_what_is_added_can_be_changed_and_removed_again(
    written: tuple[str, list[Chunk]], intended: Intended
) -> None:
    edited = edit(written[0], intended)

    for value in ("another value", None):
        other: Intended = dict.fromkeys(intended, value)
        edited = edit(edited, other)
        assert differences(parse(edited), other) == ()


@PROFILE
@given(texts(), INTENTIONS)
def test_lines_found_are_the_lines_of_the_keys(written: tuple[str, list[Chunk]], intended: Intended) -> None:
    edited = edit(written[0], intended)

    for path, value in intended.items():
        number = line_of(edited, path)
        assert (number is None) == (value is None)
        if number is not None:
            assert path[-1] in edited.split("\n")[number - 1]


@PROFILE
@given(texts(), TEXTS.map("hush-{}".format), st.sampled_from(AUTHORIZATION))
def test_diff_never_shows_a_secret(written: tuple[str, list[Chunk]], secret: str, path: KeyPath) -> None:
    text, _ = written
    edited = edit(text, {path: secret})

    diff = unified_diff(text, edited, "config.toml", [("tpm", "hierarchy_authorization")])

    assert "hush" not in diff
    assert f'+{path[-1]} = "********"' in diff or '"********"' in diff


@PROFILE
@given(FRAGMENTS | st.text(max_size=30), INTENTIONS)
def test_odd_text_raises_nothing_but_the_agents_error(text: str, intended: Intended) -> None:
    for look in (misplaced, lambda odd: line_of(odd, OWN[0]), lambda odd: unified_diff(odd, "", "", OWN)):
        with contextlib.suppress(AgentError):
            look(text)
    with suppressed(*NO_TOML, "config.shape-refused"):
        assert differences(parse(edit(text, intended)), intended) == ()


@PROFILE
@given(st.binary(max_size=30))
def test_odd_bytes_raise_nothing_but_the_agents_error(data: bytes) -> None:
    with suppressed("config.not-utf8", "config.utf16", "config.nul"):
        assert read(data).encode() == data


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@PROFILE
@given(blocks=st.lists(st.lists(REMARKS | st.just("# [a.b]\n")), max_size=8), intended=INTENTIONS)
def test_text_of_comments_only_stays_whole(end: str, blocks: list[list[str]], intended: Intended) -> None:
    """The shape of the template that the runtime ships."""
    text = "".join(line for block in blocks for line in block).replace("\n", end)

    edited = edit(text, intended)

    assert text == "" or stand_in_order(lines_of(text), edited)
    assert spelled_out(without_empty(parse(edited))) == spelled_out(intended_document("", intended))
