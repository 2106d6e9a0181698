"""All rows of the registry together, found by looking through the family modules."""

from collections.abc import Mapping
from importlib import import_module
from itertools import pairwise

from agent import codes
from agent.codes.registry import Code

_NO_FAMILIES = ("catalogue", "registry", "shown")


def families() -> Mapping[str, tuple[Code, ...]]:
    """Give each family module's rows, sorted by name."""
    import pkgutil  # loads `inspect`, which no pass has a use for

    modules = sorted(found.name for found in pkgutil.iter_modules(codes.__path__))
    return {name: _rows(name) for name in modules if name not in _NO_FAMILIES}


def _rows(family: str) -> tuple[Code, ...]:
    module = import_module(f"{codes.__name__}.{family}")
    return tuple(
        sorted((row for row in vars(module).values() if isinstance(row, Code)), key=lambda row: row.name)
    )


def all_codes() -> tuple[Code, ...]:
    """Give every row, sorted by name.

    Raises:
        ValueError: two rows have one name.

    """
    rows = sorted((row for family in families().values() for row in family), key=lambda row: row.name)
    for one, other in pairwise(rows):
        if one.name == other.name:
            raise ValueError(f"two codes are called {one.name}")
    return tuple(rows)


def without_facts(text: str, code: Code) -> str:
    """Give one of a code's texts for no case in particular: a fact shows as its name in angle brackets."""
    return text.format_map({name: f"<{name}>" for name in code.fact_names})


def by_name(name: str) -> Code:
    """Give the row with this name; its family is the word before the dot.

    Raises:
        KeyError: there is none.
    """
    family = name.partition(".")[0]
    try:
        rows = () if family in _NO_FAMILIES else _rows(family)
    except ImportError as error:
        raise KeyError(name) from error
    return {row.name: row for row in rows}[name]
