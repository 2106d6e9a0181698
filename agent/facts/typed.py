"""Values that were read back from a file, made sure to be of the types that their fields declare. Pure."""

import json
from typing import Any, TypeVar

from agent.values import fields

T = TypeVar("T")


def document(text: str | bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ValueError: it is none, or nested beyond reason.
    """
    try:
        read = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    match read:
        case dict():
            return read
    raise ValueError("not an object")


def checked(made: T) -> T:
    """Hand a dataclass's value back if its plain fields are of their types; containers are not looked into.

    Raises:
        ValueError: a field is of another type.
    """
    wrong = [
        one.name
        for one in fields(made)  # type: ignore[arg-type]  # every dataclass has fields
        if isinstance(one.type, type) and not isinstance(getattr(made, one.name), _wanted(one.type))
    ]
    if wrong:
        raise ValueError(f"of another type: {', '.join(wrong)}")
    return made


def _wanted(declared: type) -> tuple[type, ...]:
    return (int, float) if declared is float else (declared,)  # JSON has one kind of number
