"""What is read back from a file is of the types that its fields declare, or is refused."""

import pytest

from agent.facts import typed
from agent.values import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    since_s: float
    count: int
    inner: tuple[str, ...] = ()


def test_an_object_is_read_whether_text_or_bytes() -> None:
    assert typed.document('{"a": 1}') == typed.document(b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("text", ["", "[]", "5", "{", b"\xff\xfe", "[" * 100_000])
def test_anything_else_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        typed.document(text)


def test_a_whole_number_is_a_number_too_and_containers_are_not_looked_into() -> None:
    sample = Sample("a", 5, 1, inner=(1,))  # type: ignore[arg-type]

    assert typed.checked(sample) is sample


def test_wrong_fields_are_named() -> None:
    with pytest.raises(ValueError, match="another type: name, count"):
        typed.checked(Sample(5, 1.0, "1"))  # type: ignore[arg-type]
