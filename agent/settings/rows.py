"""The table of settings by dotted name, and `Settings` made from values by dotted name. Pure."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from agent.settings.table import Row, Settings
from agent.values import dataclass, fields, replace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group:
    """A table of settings: its dotted name, empty for the top level, and what it is about."""

    name: str
    about: str


def _walk(kind: type, name: str) -> Iterator[Row | Group]:
    """Give a group, its own settings, then the groups inside it: the order of a TOML file."""
    yield Group(name, str(kind.__doc__))
    prefix = f"{name}." if name else ""
    inner = []
    for item in fields(kind):
        if "row" in item.metadata:
            yield replace(item.metadata["row"], name=prefix + item.name)
        else:
            inner.append(item)
    for item in inner:
        yield from _walk(item.type, prefix + item.name)  # type: ignore[arg-type]  # a class: nothing is postponed


TABLE: tuple[Row | Group, ...] = tuple(_walk(Settings, ""))
ROWS: Mapping[str, Row] = MappingProxyType({row.name: row for row in TABLE if isinstance(row, Row)})
GROUPS: Mapping[str, Group] = MappingProxyType({row.name: row for row in TABLE if isinstance(row, Group)})


def build(values: Mapping[str, object]) -> Settings:
    """Make the settings from values by dotted name; those that are not given have their defaults."""
    return _build(Settings, "", values)


def _build(kind: type[T], prefix: str, values: Mapping[str, object]) -> T:
    arguments: dict[str, Any] = {}
    for item in fields(kind):  # type: ignore[arg-type]  # every kind here is a dataclass
        dotted = prefix + item.name
        if "row" not in item.metadata:
            arguments[item.name] = _build(item.type, f"{dotted}.", values)  # type: ignore[arg-type]  # as above
        elif dotted in values:
            arguments[item.name] = values[dotted]
    return kind(**arguments)


def value_of(settings: Settings, dotted: str) -> object:
    """Give one setting's value by its dotted name."""
    value: object = settings
    for name in dotted.split("."):
        value = getattr(value, name)
    return value
