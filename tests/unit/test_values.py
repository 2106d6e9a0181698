"""Frozen values behave as those of the standard library, which is asked the same in the same words."""

import dataclasses
from typing import Any

import pytest

from agent import values


def _kinds(maker: Any) -> tuple[Any, Any]:
    """Make the same two classes with either module."""

    @maker.dataclass(frozen=True, slots=True)
    class Inner:
        """Something inside."""

        x: int = 1

    @maker.dataclass(frozen=True, slots=True)
    class Thing:
        """A thing."""

        name: str
        secret: str = maker.field(default="", repr=False)
        inner: Inner = maker.field(default_factory=Inner)
        rest: tuple[object, ...] = ()
        row: int = maker.field(default=3, metadata={"row": "r"})

        @property
        def loud(self) -> str:
            """Shout."""
            return self.name.upper()

    return Thing, Inner


@pytest.fixture(params=[dataclasses, values], ids=["the original", "ours"])
def maker(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_values_are_equal_by_kind_and_content(maker: Any) -> None:
    thing, inner = _kinds(maker)
    other, _ = _kinds(maker)

    assert thing("a") == thing(name="a", inner=inner(1))
    assert hash(thing("a")) == hash(thing("a"))
    assert thing("a") != thing("b")
    assert thing("a") != other("a")
    assert thing("a") != ("a", "", inner(), (), 3)


def test_a_value_does_not_change(maker: Any) -> None:
    thing, _ = _kinds(maker)
    one = thing("a")

    with pytest.raises(maker.FrozenInstanceError, match="name"):
        one.name = "b"
    with pytest.raises(maker.FrozenInstanceError, match="name"):
        del one.name
    with pytest.raises((AttributeError, TypeError)):
        one.other = "b"
    assert not hasattr(one, "__dict__")
    assert one.name == "a"


def test_a_value_shows_itself_but_for_what_is_hidden(maker: Any) -> None:
    thing, _ = _kinds(maker)

    assert repr(thing("a", "hush")).replace("_kinds.<locals>.", "") == (
        "Thing(name='a', inner=Inner(x=1), rest=(), row=3)"
    )


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ((), {}),
        (("a", "b", None, (), 3, "one too many"), {}),
        (("a",), {"name": "twice"}),
        (("a",), {"unknown": 1}),
    ],
)
def test_what_does_not_fit_is_refused(maker: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
    thing, _ = _kinds(maker)

    with pytest.raises(TypeError):
        thing(*given, **named)


def test_a_copy_with_changes(maker: Any) -> None:
    thing, _ = _kinds(maker)
    one = thing("a", "s", rest=(1,))

    assert maker.replace(one, name="b") == thing("b", "s", rest=(1,))
    assert one.name == "a"
    with pytest.raises(TypeError):
        maker.replace(one, unknown=1)


def test_as_a_dict_all_the_way_down(maker: Any) -> None:
    thing, inner = _kinds(maker)

    assert maker.asdict(thing("a", rest=(inner(2), [inner(3)], {"k": inner(4)}))) == {
        "name": "a",
        "secret": "",
        "inner": {"x": 1},
        "rest": ({"x": 2}, [{"x": 3}], {"k": {"x": 4}}),
        "row": 3,
    }


def test_its_fields_are_told(maker: Any) -> None:
    thing, inner = _kinds(maker)

    assert [one.name for one in maker.fields(thing)] == ["name", "secret", "inner", "rest", "row"]
    assert [one.type for one in maker.fields(thing("a"))][2] is inner
    assert [one.metadata.get("row") for one in maker.fields(thing)][-1] == "r"


def test_what_the_class_says_itself_stands(maker: Any) -> None:
    class Written:
        """A path."""

        text: str

        def __post_init__(self) -> None:
            object.__setattr__(self, "text", self.text.strip())

        def __repr__(self) -> str:
            return f"<{self.text}>"

    made: Any = maker.dataclass(frozen=True, slots=True)(Written)

    assert repr(made(" a ")) == "<a>"
    assert made.__doc__ == "A path."
    assert made.__match_args__ == ("text",)


def test_only_frozen_values_with_slots_are_made() -> None:
    with pytest.raises(TypeError):
        values.dataclass(frozen=True, slots=False)
