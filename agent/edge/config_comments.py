"""What may be shown of a comment in config.toml that is no TOML: the values of old keys in it as stars. Pure.

Nothing says what a comment means. So here more counts as a secret than elsewhere: the words behind a word
such as "key" or "password" that look like values, and the rest of the line behind such a name with `=`.
"""

import re
from collections.abc import Callable
from functools import lru_cache, partial

from agent.codes.shown import GUARDED_NAMES, STARS, without_secrets

# Names of values that only a comment's reader can tell to be secrets: below which table did they stand?
_OF_TABLES = r"(?i:\b(?:user(?:name)?|value|owner|endorsement|(?:\w+_)?pk|pin|pw|psk|sas|key))"
_REST = re.compile(
    rf"(?P<before>(?:(?:{GUARDED_NAMES}|{_OF_TABLES})[\"'`]?\s*=|{GUARDED_NAMES}[\"'`]?\s*:)\s*)"
    rf"(?!{re.escape(STARS)}|\s|[\"']?file:)(?P<rest>.+)"
)
_IS = re.compile(
    rf"(?P<before>(?:{GUARDED_NAMES}|(?i:\b(?:pin|pw|psk)))\s+(?i:is|was|now|then)\s+)(?P<rest>\S+)"
)
_WORD = re.compile(r"\S+")
_AFTER_KEY = re.compile(r"(?i:\b(?:key|sas)s?\d*\b)")
_AFTER_PASSWORD = re.compile(rf"(?:{GUARDED_NAMES}|(?i:\b(?:pin|pw|psk)))(?:\b|_)")
# Digits that are no secret: a path, a handle, a version or number, a date, a time.
_PLAIN = re.compile(
    r"[(\"'`]*(?:/|file:|0x[0-9A-Fa-f_]+|v?\d+\.[\d.]+\W*$|\d{4}-\d\d-\d\d|\d\d?:\d\d|\d{,3}\W*$)"
)
# A base64 text of 12 bytes or more that ends as one; the TPM's public keys don't count.
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])(?!A[TR]oAAQAL)(?=\S*\d)[A-Za-z0-9+/]{15,}={1,2}(?![\w=])")
# The runtime takes a key without its padding too: 32 or 64 bytes, and no path, digest or name.
_UNPADDED = re.compile(
    r"(?<![\w+/=.-])(?!/)(?=\S*[a-z])(?=\S*[A-Z])(?=\S*\d)(?:[A-Za-z0-9+/]{43}|[A-Za-z0-9+/]{86})(?![\w+/=.-])"
)
_BEGINS_BLOCK = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?!.*-----END)"), "-----END"),
    (re.compile(rf'(?:{GUARDED_NAMES}|{_OF_TABLES})[\"\']?\s*=\s*"""(?!.*""")'), '"""'),
    (re.compile(rf"(?:{GUARDED_NAMES}|{_OF_TABLES})[\"']?\s*=\s*'''(?!.*''')"), "'''"),
)


@lru_cache(1024)  # of a diff's two sides
def words_shown(comment: str) -> str:
    """Give the words of a comment with its secrets as stars."""
    text = _UNPADDED.sub(STARS, _BASE64.sub(STARS, without_secrets(comment)))
    text = _IS.sub(rf"\g<before>{STARS}", _REST.sub(rf"\g<before>{STARS}", text))
    for behind, is_value in ((_AFTER_KEY, _is_key), (_AFTER_PASSWORD, _is_password)):
        if found := behind.search(text):
            text = text[: found.end()] + _WORD.sub(partial(_starred, is_value), text[found.end() :])
    return text


def block_end(comment: str) -> str:
    """Give the text that ends a secret of several lines which a comment begins; empty if it begins none."""
    return next((end for begin, end in _BEGINS_BLOCK if begin.search(comment)), "")


def _starred(is_value: Callable[[str], bool], found: re.Match[str]) -> str:
    word = found[0]
    return STARS if STARS not in word and not _PLAIN.match(word) and is_value(word) else word


def _is_key(word: str) -> bool:
    bare = word.strip("\"'`().,;:")
    ends = re.fullmatch(r"[A-Za-z0-9+/_-]{3,}={1,2}", bare) is not None
    return ends or (len(bare) >= 16 and re.search(r"\d", bare) is not None)  # noqa: PLR2004


def _is_password(word: str) -> bool:
    return len(word) >= 4 and re.search(r"\d", word) is not None  # noqa: PLR2004
