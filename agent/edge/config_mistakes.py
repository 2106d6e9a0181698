"""What a person got wrong in a config.toml that is no TOML: named, with its line and its remedy. Pure.

The parser's own words are about grammar. What people do is copy: from a word processor, from IoT Edge 1.1.
"""

import re
from collections.abc import Callable, Sequence

from agent.codes import Finding, config
from agent.edge.config_mends import FILE, Edit, command, edited, spelt
from agent.edge.toml_text import Place, is_toml

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
_YAML_ITEM = re.compile(r"\s*- +\S")
_YAML_MARK = re.compile(r"(?:---|\.\.\.)\s*\Z")  # where a document begins and ends
_YAML_PAIR = re.compile(
    r"""(?P<name>\s*(?P<mark>["']?)[\w.-]+(?P=mark))(?P<colon>\s*:\s+)"""
    r"""(?P<value>"[^"]*"|'[^']*'|[\w./:=;-]+)(?P<rest>\s+\#.*)?\s*\Z"""
)
_NO_TEXT = re.compile(r"true|false|[+-]?(?:0|[1-9]\d*)")
_BARE = re.compile(r"(\s*[\w.\"'-]+\s*=\s*)([^\s\"'\[{#][^#\"']*?)(\s*(?:#.*)?)\Z")
_BARE_INSIDE = re.compile(r"[A-Za-z/][\w./:-]*")
_BASIC = re.compile(r'"([^"\']*)"')
_APOSTROPHE = re.compile(r"(?<=\w)[\u2018\u2019](?=\w)")
_MOST_OF_ALL = 0.7


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
        mend=_without_odd(place, bare),
    )


def _without_odd(place: Place, bare: str) -> str:
    """Give the command that puts them right; in comments, in sound strings and as apostrophes they stay."""
    apostrophes = {found.start() for found in _APOSTROPHE.finditer(bare)}
    edits = [
        Edit(at, at + 1, _plain(one))
        for at, one in enumerate(bare)
        if at not in apostrophes and _plain(one) != one
    ]
    all_plain = "".join(map(_plain, place.line))
    if edited(place.line, edits) == all_plain:
        return _sed(place.number, place.line)
    return command(place.number, place.line, edits)


def _plain(character: str) -> str:
    return next((right for odd, right in _RIGHT if character in odd), character)


def _sed(number: int, line: str) -> str:
    """Give the command that puts all such characters of a line right, in whatever locale."""
    kinds = (([one for one in odd if one in line], right) for odd, right in _RIGHT)
    deeds = [f"{number}s/{_any(there)}/{right}/g" for there, right in kinds if there]
    return "sed -i '" + "; ".join(deeds) + f"' {FILE}"


def _any(characters: Sequence[str]) -> str:
    return r"\|".join("".join(f"\\x{byte:02x}" for byte in one.encode()) for one in characters)


def _yaml(place: Place) -> Finding | None:
    """Find lines of IoT Edge 1.1's config.yaml, be it all of them."""
    if not _is_yaml(place.line) and not _YAML_MARK.match(place.line):
        return None
    said = [line for line in map(str.strip, place.lines) if line and not line.startswith("#")]
    said = [line for line in said if not _YAML_MARK.match(line)]
    if sum(map(_is_yaml, said)) >= _MOST_OF_ALL * len(said) and len(said) > 1:
        return config.YAML_FILE(line=place.number)
    return config.YAML(line=place.number, mend=_as_toml(place))


def _is_yaml(line: str) -> bool:
    return bool(_YAML.match(line) or _YAML_ITEM.match(line))


def _as_toml(place: Place) -> str:
    found = _YAML_PAIR.match(place.line)
    if found is None:
        return f"In `{FILE}`, delete line {place.number} and what belongs to it, and say it in TOML"
    is_text = not _NO_TEXT.fullmatch(found["value"]) and found["value"][0] not in "\"'"
    edits = (Edit(*found.span("colon"), " = "), *(_quoted(*found.span("value"), '"') if is_text else ()))
    how = spelt(place.number, place.line, edits)
    return f"{how}, and see that it stands above the first [table] if it is of the whole device"


def _quoted(start: int, stop: int, mark: str) -> tuple[Edit, ...]:
    return Edit(start, start, mark), Edit(stop, stop, mark)


def _bare_word(place: Place) -> Finding | None:
    span = _bare_span(place)
    if span is None or is_toml(place.line):
        return None
    value = place.line[span]
    mark = "'" if "\\" in value else '"'
    edits = _quoted(span.start, span.stop, mark)
    if value.lower() in ("true", "false"):
        edits = (Edit(span.start, span.stop, value.lower()),)
    return config.BARE_WORD(line=place.number, mend=spelt(place.number, place.line, edits))


def _bare_span(place: Place) -> slice | None:
    """Find the value that lacks quotes: all that follows a name, or a word within an inline table."""
    if found := _BARE.match(place.line):
        return slice(*found.span(2))
    inside = _BARE_INSIDE.match(place.line, place.column - 1)
    if inside is None or place.reason != "Invalid value":
        return None
    span = slice(*inside.span())
    is_all = is_toml(f'{place.line[: span.start]}"{inside[0]}"{place.line[span.stop :]}')
    return span if is_all else None


def _backslash(place: Place) -> Finding | None:
    if not place.reason.startswith(("Unescaped '\\'", "Invalid hex value")):
        return None
    edits = _in_single_quotes(place.line)
    if not edits or not is_toml(edited(place.line, edits)):
        edits = tuple(Edit(at, at, "\\") for at, one in enumerate(place.line) if one == "\\")
    return config.BACKSLASH(line=place.number, mend=spelt(place.number, place.line, edits))


def _in_single_quotes(line: str) -> tuple[Edit, ...]:
    ends = (at for found in _BASIC.finditer(line) for at in (found.start(), found.end() - 1))
    return tuple(Edit(at, at + 1, "'") for at in ends)


_JUDGES: Sequence[Callable[[Place], Finding | None]] = (_nul, _character, _yaml, _backslash, _bare_word)
