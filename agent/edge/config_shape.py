"""Where keys of ours may not be edited: tables of ours in a shape in which an edit cannot be proven. Pure.

Asked only about top-level names under which something must change; what stands elsewhere has any shape.
"""

from collections.abc import Collection, Iterable, Iterator

from agent.codes import AgentError
from agent.codes.config import SHAPE_REFUSED
from agent.edge.config_statements import KeyPath, Kind, Source, Statement

_INLINE = "is written as a value or an inline table"
_DOTTED = "is written with dotted keys"
_ARRAY = "is an array of tables"
_TABLE_FOR_KEY = "should be one key with a value, and is a table or written with dotted keys"
_LATE = "stands below its own sub-table"
_SPLIT = "is separated by other tables from the tables it belongs to"


def tables_of(intended: Iterable[KeyPath], changed: Iterable[KeyPath]) -> frozenset[KeyPath]:
    """Give the tables of the intended keys, as far as something changes below the same top-level name."""
    roots = {path[0] for path in changed}
    return frozenset(path[:length] for path in intended if path[0] in roots for length in range(1, len(path)))


def is_folded(statement: Statement, tables: Collection[KeyPath]) -> bool:
    """Say whether a key holds or names one of these tables, which should have a line of its own."""
    return statement.kind is Kind.KEY and _table_in_disguise(statement, tables) is not None


def refuse_odd_shape(source: Source, tables: Collection[KeyPath], set_keys: Iterable[KeyPath]) -> None:
    """Refuse a text in which keys of ours cannot be set, or taken out, line by line.

    Raises:
        AgentError: config.shape-refused, naming the first such line.

    """
    odd = (*_odd_statements(source, tables, frozenset(set_keys)), *_odd_order(source, tables))
    if odd:
        statement, path, what = min(odd, key=lambda one: one[0].number)
        raise AgentError(SHAPE_REFUSED(line=statement.number, table=".".join(path), what=what))


_Odd = tuple[Statement, KeyPath, str]


def _odd_statements(
    source: Source, tables: Collection[KeyPath], leaves: frozenset[KeyPath]
) -> Iterator[_Odd]:
    for statement in source.statements:
        table = _table_in_disguise(statement, tables)
        if table is not None:
            yield table
        elif leaf := _leaf_in_disguise(statement, leaves):
            yield statement, leaf, _TABLE_FOR_KEY


def _table_in_disguise(statement: Statement, tables: Collection[KeyPath]) -> _Odd | None:
    path = statement.path
    if path in tables and statement.kind is not Kind.TABLE:
        return statement, path, _INLINE if statement.kind is Kind.KEY else _ARRAY
    for length in range(len(statement.table) + 1, len(path)):
        if path[:length] in tables:
            return statement, path[:length], _DOTTED
    return None


def _leaf_in_disguise(statement: Statement, leaves: frozenset[KeyPath]) -> KeyPath | None:
    longest = len(statement.path) if statement.is_header else len(statement.path) - 1
    prefixes = (statement.path[:length] for length in range(1, longest + 1))
    return next((prefix for prefix in prefixes if prefix in leaves), None)


def _odd_order(source: Source, tables: Collection[KeyPath]) -> Iterator[_Odd]:
    above: list[KeyPath] = []
    for statement in source.statements:
        if not statement.is_header:
            continue
        path = statement.path
        if path in tables:
            if any(other[: len(path)] == path for other in above):
                yield statement, path, _LATE
            elif above and above[-1][0] != path[0] and any(o in tables and o[0] == path[0] for o in above):
                yield statement, path, _SPLIT
        above.append(path)
