"""Tables of ours that are written as inline tables or dotted keys, written out as plain tables. Pure.

It is done where a person has let the agent take config.toml over: the keys of another way of provisioning
have to go in whatever notation they stand. The comment of a line that is written out stays where that was.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import reduce
from operator import getitem
from typing import Any

from agent.edge.config_shape import is_folded
from agent.edge.config_splice import with_key
from agent.edge.config_statements import KeyPath, Source, Statement, scan, value_span


def unfolded(text: str, tables: Collection[KeyPath]) -> str:
    """Give a text of the same meaning in which these tables are plain; the very same one if they are.

    Raises:
        AgentError: config.invalid-toml.
    """
    source = scan(text)
    folded = [statement for statement in source.statements if is_folded(statement, tables)]
    if not folded:
        return text
    document = tomllib.loads(text)
    leaves = [
        leaf for one in folded for leaf in _leaves(one.path, reduce(getitem, one.path, document), tables)
    ]
    plain = _without(source, folded)
    for path, value in leaves:
        plain = with_key(plain, path, value)
    return plain if _meaning(plain) == _meaning(text) else text


def _leaves(path: KeyPath, value: Any, tables: Collection[KeyPath]) -> Iterator[tuple[KeyPath, Any]]:
    """Give the keys of an inline table of ours, and of those in it; anything else is one value."""
    if not isinstance(value, Mapping) or path not in tables:
        yield path, value
        return
    for name, inner in value.items():
        yield from _leaves((*path, name), inner, tables)


def _without(source: Source, statements: list[Statement]) -> str:
    """Take lines out, but for their comments."""
    lines = list(source.lines)
    for one in reversed(statements):
        written = source.text_of(one)
        rest = written[value_span(written).stop :].lstrip(" \t")
        lines[one.lines.start : one.lines.stop] = [rest] if rest.startswith("#") else []
    return "".join(lines)


def _meaning(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=repr)  # a NaN equals nothing
