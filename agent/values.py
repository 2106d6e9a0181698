"""Frozen values: as much of the standard library's `dataclasses` as the agent uses, made in no time. Pure.

A pass is a process, and a process makes all of its classes anew. The standard decorator compiles six
methods for each of them and loads `inspect`: that was a third of a pass with nothing to do. Here all
classes share their methods. Type checkers are told that these are the originals, and a test holds them to
the originals' behaviour.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
else:
    _NOTHING = object()
    _set = object.__setattr__
    _FIELDS = "__value_fields__"

    class FrozenInstanceError(AttributeError):
        """Somebody tried to change a value."""

    class _Field:
        """A field as it was declared."""

        __slots__ = ("default", "default_factory", "metadata", "name", "repr", "type")

        def __init__(self, **declared: Any) -> None:
            for name, value in declared.items():
                setattr(self, name, value)

    def field(
        *,
        default: Any = _NOTHING,
        default_factory: Any = None,
        metadata: Any = None,
        repr: bool = True,  # noqa: A002  # the original's word
    ) -> _Field:
        """Declare a field that is more than a default."""
        return _Field(default=default, default_factory=default_factory, metadata=metadata or {}, repr=repr)

    def dataclass(*, frozen: bool, slots: bool) -> Any:
        """Make a class of frozen values with slots; there are no others."""
        if not (frozen and slots):
            raise TypeError("values are frozen and have slots")
        return _made

    def _made(kind: type) -> type:
        """Make the class again: its slots have to be known when it begins."""
        own = {name: item for name, item in vars(kind).items() if name not in ("__dict__", "__weakref__")}
        declared = {
            name: _declared(name, of, own.pop(name, _NOTHING)) for name, of in kind.__annotations__.items()
        }
        names = tuple(declared)
        given = {_FIELDS: tuple(declared.values()), "__match_args__": names, "__slots__": names}
        made = type(kind)(kind.__name__, kind.__bases__, {**_METHODS, **own, **given})
        made.__qualname__ = kind.__qualname__
        return made

    def _declared(name: str, of: Any, default: Any) -> _Field:
        made = default if isinstance(default, _Field) else field(default=default)
        made.name, made.type = name, of
        return made

    def _initialise(self: Any, *given: Any, **named: Any) -> None:
        kind = type(self)
        values = {**dict(zip(kind.__match_args__, given, strict=False)), **named}
        if len(values) != len(given) + len(named):
            raise TypeError(f"{kind.__name__} got a value too many")
        for one in fields(kind):
            value = values.pop(one.name, _NOTHING)
            _set(self, one.name, _default(kind, one) if value is _NOTHING else value)
        if values:
            raise TypeError(f"{kind.__name__} has no {', '.join(values)}")
        if hasattr(kind, "__post_init__"):
            self.__post_init__()

    def _default(kind: type, one: _Field) -> Any:
        if one.default_factory is not None:
            return one.default_factory()
        if one.default is _NOTHING:
            raise TypeError(f"{kind.__name__} needs {one.name}")
        return one.default

    def _contents(self: Any) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def _equals(self: Any, other: object) -> bool:
        return _contents(self) == _contents(other) if type(other) is type(self) else NotImplemented

    def _hash(self: Any) -> int:
        return hash(_contents(self))

    def _shown(self: Any) -> str:
        shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _refuse(_self: Any, name: str, *_value: Any) -> None:
        raise FrozenInstanceError(f"cannot change {name!r} of a value")

    _METHODS = {
        "__init__": _initialise,
        "__eq__": _equals,
        "__hash__": _hash,
        "__repr__": _shown,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
    }

    def fields(value: Any) -> tuple[_Field, ...]:
        """Give the fields of a value, or of a class of values, in their order."""
        return getattr(value, _FIELDS)

    def replace(value: Any, /, **changes: Any) -> Any:
        """Give the same value but for the changes."""
        return type(value)(**{name: getattr(value, name) for name in value.__match_args__} | changes)

    def asdict(value: Any) -> dict[str, Any]:
        """Give a value as a dict, with the values in it, also those in its tuples, lists and dicts."""
        return {name: _plain(getattr(value, name)) for name in value.__match_args__}

    def _plain(content: Any) -> Any:
        if hasattr(content, _FIELDS):
            return asdict(content)
        if isinstance(content, list | tuple):
            return type(content)(map(_plain, content))
        if isinstance(content, dict):
            return {_plain(name): _plain(item) for name, item in content.items()}
        return content


__all__ = ("FrozenInstanceError", "asdict", "dataclass", "field", "fields", "replace")
