"""Words that are not ours, as they may be shown: nothing steers a terminal, secrets are stars."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.codes import cloud
from agent.codes import settings as settings_codes
from agent.codes.shown import LONGEST, fact, harmless, without_secrets

PROFILE = settings(max_examples=300, deadline=None, derandomize=True, database=None)
KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYzE="
_TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from([
        "\x1b]0;x\x07", "\n", "\u202e", "\u200b", "\ud800", "SharedAccessKey=", "hush", "=", ";", '"', " ",
        "pin-value=", "https://", "u:p@", "password", "symmetric_key", "bearer ", "{", "}", "#", KEY,
        "-----BEGIN PRIVATE KEY-----",
    ])
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\nb\r\nc", r"a\nb\r\nc"),
        ("abc\u202ecba\u2066", r"abc\u202ecba\u2066"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("line\u2028end\x85", r"line\u2028end\x85"),
        ("half \ud83d", r"half \ud83d"),
        ("\x9b31m\x7f", r"\x9b31m\x7f"),
        ("tab\there, non-breaking\xa0space", "tab\there, non-breaking\xa0space"),
        ("Zürich, 東京, עברית", "Zürich, 東京, עברית"),
    ],
)
def test_what_steers_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_a_text_without_end_is_cut_and_says_so() -> None:
    shown = harmless("x" * 100_000)

    assert len(shown) == LONGEST
    assert shown.endswith("... (100000 characters)")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "HostName=h;DeviceId=d;SharedAccessKey=hush; x",
            "HostName=h;DeviceId=d;SharedAccessKey=********; x",
        ),
        ("SharedAccessSignature sr=h%2fd&sig=hush&se=1", "SharedAccessSignature sr=h%2fd&sig=********&se=1"),
        ("pkcs11:token=edge;object=id?pin-value=hush", "pkcs11:token=edge;object=id?pin-value=********"),
        ("pkcs11:token=edge?pin-source=file:/pin", "pkcs11:token=edge?pin-source=file:/pin"),
        ("GET https://user:hush@proxy:3128/x", "GET https://********@proxy:3128/x"),
        ("https://host:443/a@b", "https://host:443/a@b"),
        ("Authorization: Bearer hush-hush-hush", "Authorization: Bearer ********"),
        (
            "-----BEGIN EC PRIVATE KEY-----\nhush\n-----END EC",
            "-----BEGIN EC PRIVATE KEY----- ******** -----END EC",
        ),
        ("-----BEGIN PRIVATE KEY-----\nhush", "-----BEGIN PRIVATE KEY----- ******** "),
        (f"it was {KEY}.", "it was ********."),
        ('password = "hush hush"', "password = ********"),
        ('symmetric_key = { value = "hush" }', "symmetric_key = ********"),
        ("device_id_pk: hush", "device_id_pk: ********"),
        ("missing field `authenticationKey` at line 1", "missing field `authenticationKey` at line 1"),
        ("the owner password was refused", "the owner password was refused"),
        (
            "registration id c76c8a944842848256ad905ea3e4403d",
            "registration id c76c8a944842848256ad905ea3e4403d",
        ),
    ],
)
def test_secrets_are_known_by_their_shape_or_name(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@PROFILE
@given(_TEXTS)
def test_to_show_what_is_shown_changes_nothing(text: str) -> None:
    shown = fact(text)

    assert fact(shown) == shown
    assert all(one.isprintable() or one in "\t\xa0\u3000" for one in shown)
    assert len(shown) <= LONGEST


def test_a_fact_is_made_harmless_at_the_findings_door() -> None:
    finding = cloud.REJECTED(reason="no\x1b]0;x\x07 SharedAccessKey=hush;\nsecond")

    for text in (finding.summary, finding.told, repr(finding.facts)):
        assert "\x1b" not in text
        assert "hush" not in text
    assert finding.summary.endswith(r"no\x1b]0;x\x07 SharedAccessKey=********;\nsecond")


def test_a_fact_of_several_lines_keeps_them() -> None:
    finding = settings_codes.INVALID(count=2, problems=("  a\x1b", "  b"))

    assert dict(finding.facts)["problems"] == "  a\\x1b\n  b"
