"""What a person got wrong in a config.toml that is no TOML: named, with its line and its remedy. Pure.

The parser's own words are about grammar. What people do is copy: from a word processor, from IoT Edge 1.1.
"""

import re
import tomllib
from collections.abc import Callable, Sequence

from agent.codes import Finding, config
from agent.values import dataclass

_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f"
_SPACES = "\u00a0\u2007\u202f\u3000"
_NOTHING = "\ufeff\u200b\u2060"
_NAMES = {
    "\u2018": "a typographic quote", "\u00a0": "a non-breaking space", "\u2007": "a figure space",
    "\u202f": "a narrow non-breaking space", "\u3000": "an ideographic space", "\ufeff": "a byte order mark",
    "\u200b": "a zero-width space", "\u2060": "a word joiner",
}  # fmt: skip
_RIGHT = ((_QUOTES, '"'), (_SPACES, " "), (_NOTHING, ""))  # what belongs in their place
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|' + r"'[^']*'")
_YAML = re.compile(r"""\s*(?:- +)?(["']?)([\w.-]+)\1:(?:\s+(\S.*?)|)\s*\Z""")
_YAML_SCALAR = re.compile(r"""(["']).*\1|[\w./:-]+""")
_BARE = re.compile(r"(\s*[\w.\"'-]+\s*=\s*)([^\s\"'\[{#][^#\"']*?)(\s*(?:#.*)?)\Z")
_BASIC = re.compile(r'"([^"\']*)"')
_MOST_OF_ALL = 0.7


@dataclass(frozen=True, slots=True)
class Place:
    """Where the parser stopped, and why: the text's lines, the number of the line (from 1) and the reason."""

    lines: tuple[str, ...]
    number: int
    reason: str

    @property
    def line(self) -> str:
        """The line itself, without its end; empty where the text ends."""
        return self.lines[self.number - 1].rstrip("\r\n") if self.number <= len(self.lines) else ""


def mistake(place: Place) -> Finding | None:
    """Give the mistake; None where it is none of those that are known."""
    found = (judge(place) for judge in _JUDGES)
    return next((one for one in found if one is not None), None)


def _nul(place: Place) -> Finding | None:
    return config.NUL(line=place.number) if "\0" in place.line else None


def _character(place: Place) -> Finding | None:
    """Find a character that looks like another one, outside of strings and comments."""
    bare = _STRINGS.sub(lambda found: " " * len(found[0]), place.line).partition("#")[0]
    odd = next((one for one in bare if one in _QUOTES + _SPACES + _NOTHING), None)
    if odd is None:
        return None
    name = _NAMES.get(odd) or _NAMES[_QUOTES[0]]
    return config.CHARACTER(
        line=place.number,
        column=bare.index(odd) + 1,
        name=f"{name} (U+{ord(odd):04X})",
        mend=_sed(place.number, place.line),
    )


def _sed(number: int, line: str) -> str:
    """Give the command that puts all such characters of a line right, in whatever locale."""
    kinds = (([one for one in odd if one in line], right) for odd, right in _RIGHT)
    deeds = [f"{number}s/{_any(there)}/{right}/g" for there, right in kinds if there]
    return "sed -i '" + "; ".join(deeds) + "' /etc/aziot/config.toml"


def _any(characters: Sequence[str]) -> str:
    return r"\|".join("".join(f"\\x{byte:02x}" for byte in one.encode()) for one in characters)


def _yaml(place: Place) -> Finding | None:
    """Find lines of IoT Edge 1.1's config.yaml, be it all of them."""
    if not _YAML.match(place.line):
        return None
    said = [line for line in map(str.strip, place.lines) if line and not line.startswith("#")]
    if sum(bool(_YAML.match(line)) for line in said) >= _MOST_OF_ALL * len(said) and len(said) > 1:
        return config.YAML_FILE(line=place.number)
    return config.YAML(line=place.number, mend=_as_toml(place))


def _as_toml(place: Place) -> str:
    found = _YAML.match(place.line)
    value = (found[3] or "") if found else ""
    if found is None or not _YAML_SCALAR.fullmatch(value):
        return "delete that line and what belongs to it, and say it in TOML"
    quoted = value if value[0] in "\"'" else f'"{value}"'
    return f"write `{found[2]} = {quoted}` in its place, above the first [table] if it is of the whole device"


def _bare_word(place: Place) -> Finding | None:
    found = _BARE.match(place.line)
    if found is None or _is_toml(place.line):
        return None
    value = found[2].replace("\\", "\\\\")
    return config.BARE_WORD(line=place.number, mend=f'{found[1].lstrip()}"{value}"{found[3]}'.rstrip())


def _backslash(place: Place) -> Finding | None:
    if not place.reason.startswith(("Unescaped '\\'", "Invalid hex value")):
        return None
    return config.BACKSLASH(line=place.number, mend=_BASIC.sub(r"'\1'", place.line.strip()))


def _is_toml(line: str) -> bool:
    try:
        tomllib.loads(line)
    except ValueError:
        return False
    return True


_JUDGES: Sequence[Callable[[Place], Finding | None]] = (_nul, _character, _yaml, _backslash, _bare_word)
