"""What kinds of values settings take: each a sentence for people and a check for the agent.

Pure. A refusal names what was expected and never the value itself, which may be a secret
in the wrong place.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from agent.settings.placeholders import is_placeholder
from agent.values import dataclass

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=StrEnum)

_LONGEST_S = 30 * 86400  # a longer wait is a slip of the pen, and poll(2) counts milliseconds in an int
_LONGEST_REGISTRATION_ID = 128
_DEEPEST = 32
_PLACEHOLDERS = ("machine_id", "hostname", "serial")
_SOURCES_OF_ID = ("auto", "ek-sha256", "ek-base32")
_FILLED_IN = re.compile(rf"\{{(?:{'|'.join(_PLACEHOLDERS)})\}}")  # by ourselves
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1123 section 2.1
_HOSTNAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_DEVICE = re.compile(r"auto|/dev/tpm(?:rm)?\d+|ek:[0-9A-Fa-f]{1,68}|(?!ek:)[A-Za-z][\w.-]*:\S*", re.ASCII)
_RENEWAL = re.compile(r"(?:[1-9]\d?%|[1-9]\d*(?:min|day))", re.ASCII)
_NAMES_OF_TYPES = {
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    str: "a string",
    list: "an array",
    dict: "a table",
}


class Refused(Exception):  # noqa: N818  # a value is refused; nothing has gone wrong here
    """A value is not what the setting takes; `below` is the path inside the value, where that matters."""

    def __init__(self, detail: str = "", below: tuple[str, ...] = ()) -> None:
        """Keep what to add to the sentence "expected ..."."""
        super().__init__(detail)
        self.detail = detail
        self.below = below


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """A kind of value: what it takes, in words that follow "expected", and the check.

    `parse` gets what tomllib read and gives the value. Raises: Refused.
    """

    takes: str
    parse: Callable[[object], T_co]


def type_name(value: object) -> str:
    """Say what type of TOML value this is; what is none of the usual ones is a date or time."""
    return _NAMES_OF_TYPES.get(type(value), "a date or time")


def _typed(value: object, kind: type[T]) -> T:
    if type(value) is not kind:  # bool is a subclass of int, and true is no number
        raise Refused(f"found {type_name(value)}")
    return value


def _text(takes: str, fits: Callable[[str], object]) -> Kind[str]:
    def parse(value: object) -> str:
        if not fits(text := _typed(value, str)):
            raise Refused
        return text

    return Kind(takes, parse)


def choice(values: type[E]) -> Kind[E]:
    """Give the kind that takes one of an enumeration's values, exactly as written."""

    def parse(value: object) -> E:
        text = _typed(value, str)
        if text not in set(values):
            raise Refused
        return values(text)

    return Kind(" or ".join(f'"{value}"' for value in values), parse)


def seconds_up_to(most: int, in_words: str = "") -> Kind[float]:
    """Give the kind that takes a number of seconds above 0 and not above `most`."""

    def parse(value: object) -> float:
        number = value if type(value) is float else _typed(value, int)
        if not 0 < number <= most:  # NaN is neither
            raise Refused
        return number

    return Kind(f"a number of seconds above 0 and up to {in_words or most}", parse)


def _count(value: object) -> int:
    if (number := _typed(value, int)) < 1:
        raise Refused
    return number


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_typed(item, str) for item in _typed(value, list))


def _is_url(text: str) -> bool:
    """Whether this is an absolute http or https URL without name and password, query or fragment."""
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        port_fits = parts.port != 0
    except ValueError:  # brackets without an IPv6 address, a port that is no port
        return False
    plain = not parts.query and not parts.fragment and "@" not in parts.netloc
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port_fits and plain


def _is_path(text: str) -> bool:
    return text.startswith("/") and text.isprintable()


def _is_registration_id(text: str) -> bool:
    """Whether a resolved registration id is one that the Device Provisioning Service takes."""
    return len(text) <= _LONGEST_REGISTRATION_ID and bool(re.fullmatch(r"[a-z0-9._:-]*[a-z0-9-]", text))


def _filled(kind: Kind[str]) -> Kind[str]:
    """Give the kind that takes the same, but for what stands for a value that somebody was to fill in."""

    def parse(value: object) -> str:
        text = kind.parse(value)
        if text and is_placeholder(_FILLED_IN.sub("", text) or "x"):
            raise Refused("this is a placeholder that nobody filled in")
        return text

    return Kind(kind.takes, parse)


def _registration_id(value: object) -> str:
    text = _typed(value, str)
    if text in _SOURCES_OF_ID:
        return text
    names = re.findall(r"\{([^{}]*)\}", text)
    if unknown := [name for name in names if name not in _PLACEHOLDERS]:
        raise Refused(f"no such placeholder: {{{unknown[0]}}}")
    # A value that will be filled in counts as one letter: the shortest it can be.
    if not _is_registration_id(re.sub(r"\{[^{}]*\}", "x", text)):
        raise Refused
    return text


def _json_object(value: object) -> Mapping[str, object] | None:
    """Take a table; an empty one is none, so that a stronger file can take a weaker one's away."""
    table = _typed(value, dict)
    _refuse_what_json_lacks(table, ())
    return table or None


def _refuse_what_json_lacks(value: object, below: tuple[str, ...]) -> None:
    if len(below) > _DEEPEST:
        raise Refused(f"nested deeper than {_DEEPEST} tables", below[:1])
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_what_json_lacks(inner, (*below, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            _refuse_what_json_lacks(inner, (*below, str(position)))
    elif isinstance(value, float) and not math.isfinite(value):
        raise Refused("JSON has no infinity and no NaN", below)
    elif not isinstance(value, bool | int | float | str):
        raise Refused(f"JSON has no {type_name(value).removeprefix('a ')}; write it as a string", below)


TEXT = _text("a string", lambda _: True)
TEXTS = Kind("an array of strings", _texts)
SECONDS = seconds_up_to(_LONGEST_S, "30 days")
COUNT = Kind("an integer above 0", _count)
PATH = _text("an absolute path", _is_path)
PATH_OR_NONE = _text("an absolute path, or an empty string", lambda text: not text or _is_path(text))
URL = _filled(_text("an absolute http or https URL without a user name, query or fragment", _is_url))
URL_OR_NONE = _text(f"{URL.takes[3:]}, or an empty string", lambda text: not text or _is_url(text))
ID_SCOPE = _filled(
    _text(
        "the id scope as the Azure portal shows it: letters and digits only",
        lambda text: not text or (text.isascii() and text.isalnum()),
    )
)
REGISTRATION_ID = _filled(
    Kind(
        '"auto", "ek-sha256", "ek-base32", or up to 128 of a-z 0-9 - . _ : that end in a letter, digit or '
        "dash; " + ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS) + " are filled in",
        _registration_id,
    )
)
DEVICE = _filled(
    _text(
        '"auto", a node such as /dev/tpmrm1, "ek:" and the first hex digits of an EK Name, '
        'or a TCTI string such as "swtpm:host=127.0.0.1,port=2321"',
        _DEVICE.fullmatch,
    )
)
HOSTNAME = _filled(_text('"pin", "follow", or a host name (RFC 1123)', _HOSTNAME.fullmatch))
RENEWAL = _text(
    'a whole number with its unit and no space between: "80%" (1 to 99), "90min" or "10day"',
    _RENEWAL.fullmatch,
)
JSON_OBJECT = Kind("a table that JSON can express", _json_object)


def toml_value(value: object) -> str:
    """Write a value as TOML, on one line; None is an empty table."""
    if not value and isinstance(value, Mapping | None):
        return "{}"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{toml_key(key)} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, str):
        return _quoted(value)
    return json.dumps(value)


def toml_key(key: str) -> str:
    """Write a key as TOML: bare where it may be, else quoted."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    """Write a basic string: JSON's escapes are TOML's, but for DEL, and TOML has no surrogate pairs."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
