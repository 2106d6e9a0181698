"""What is shown of a text of somebody else's: its secrets as stars, nothing that steers a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.codes import Code, Phase, Severity
from agent.codes.shown import harmless, is_secret_name, shown, shown_lines, without_secrets

KEY = "x7vJw1Qm9LZ0c2VjcmV0LW9mLXRoZS1odWItMTIzNDU="  # 32 bytes, as the hub's keys are
DPS_KEY = "q" * 43 + KEY[:43] + "=="  # 64 bytes, as the provisioning service's are
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
PEM = "-----BEGIN {0}PRIVATE KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END {0}PRIVATE KEY-----\n"
WORDS = ("password", "pin-value", "sig", "SharedAccessKey", "://", "Bearer ", "PRIVATE KEY", KEY, "x" * 600)
SIGNS = tuple("a1=:;\"'\\/@#?& \n\r\t\x1b\x9b\u202e*{}`,.-+_")
texts = st.text() | st.lists(st.sampled_from(WORDS + SIGNS), max_size=12).map("".join)

A_FACT = Code("family.name", Phase.WAITING, Severity.NOTICE, "It says {what}", "{what}.", "Do {what}.")


# Harmless


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain, with accents: Grüße 設備", "plain, with accents: Grüße 設備"),
        ("\x1b[2J\x1b[31mred", r"\x1b[2J\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),  # C1: a terminal's other way to begin a sequence
        ("one\ntwo\r\nthree\x0bfour\x0cfive", r"one\ntwo\r\nthree\x0bfour\x0cfive"),
        ("a\x7fb\x00c\x85d", r"a\x7fb\x00c\x85d"),
        ("abc\u202egnp.exe\u202c", r"abc\u202egnp.exe\u202c"),
        ("\u2066a\u2069\u200e\u200f\u061c", r"\u2066a\u2069\u200e\u200f\u061c"),
        ("ze\u200bro\u200dwi\ufeffdth\u2060", r"ze\u200bro\u200dwi\ufeffdth\u2060"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("not UTF-8: \udcff", r"not UTF-8: \udcff"),
    ],
)
def test_what_a_terminal_would_act_on_is_shown_as_an_escape(text: str, said: str) -> None:
    assert harmless(text) == said


@given(texts)
def test_what_is_harmless_stays_and_is_a_line_that_can_be_printed(text: str) -> None:
    once = harmless(text)

    assert harmless(once) == once
    assert once.isprintable()
    assert len(once) <= 1000
    once.encode()


def test_a_long_text_is_cut_and_says_by_how_much() -> None:
    cut = harmless("x" * 5000)

    assert harmless("x" * 1000) == "x" * 1000
    assert cut == "x" * 968 + "... (4032 more)"
    assert harmless(cut) == cut


def test_lines_keep_their_ends_and_their_tabs() -> None:
    assert shown_lines("a\tb\r\n\x1b[1mc\n\nd\u2028e") == "a\tb\r\n\\x1b[1mc\n\nd\\u2028e"
    assert shown_lines("") == ""
    assert shown_lines("\n") == "\n"
    assert shown_lines("a\rb") == r"a\rb"


# Secrets


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"HostName=h.net;DeviceId=d;SharedAccessKey={KEY}",
            "HostName=h.net;DeviceId=d;SharedAccessKey=********",
        ),
        (
            "SharedAccessKeyName=owner;SharedAccessKey=abc;x",
            "SharedAccessKeyName=owner;SharedAccessKey=********;x",
        ),
        (
            "SharedAccessSignature sr=h%2Fdevices&sig=a%2Fb%3D&se=17",
            "SharedAccessSignature sr=h%2Fdevices&sig=********&se=17",
        ),
        ("pkcs11:token=Key%20s;object=k?pin-value=1234", "pkcs11:token=Key%20s;object=k?pin-value=********"),
        ("pkcs11:slot-id=0?pin-value=1234&x=y", "pkcs11:slot-id=0?pin-value=********&x=y"),
        ("https://user:pw@proxy.example:3128/a", "https://********@proxy.example:3128/a"),
        ("http://user:p/w#1?@proxy.example", "http://********@proxy.example"),
        ("amqps://token@host", "amqps://********@host"),
        (f"the key is {KEY}.", "the key is ********."),
        (DPS_KEY, "********"),
        (f"old {JWT}", "old ********"),
        ("Authorization: Basic dXNlcjpwdw==", "Authorization: Basic ********"),
        ('{"authorization": "Bearer abc.def"}', '{"authorization": "Bearer ********"}'),
        ("with bearer 0123456789abcdef01", "with bearer ********"),
        ("password=hunter2 for user x", "password=******** for user x"),
        ('db_password = "a \\" b", c = 1', "db_password = ********, c = 1"),
        ('{"primaryKey":"abc","x":1}', '{"primaryKey":********,"x":1}'),
        (r"{\"password\":\"abc\"} refused", r"{\"password\":********} refused"),
        ('symmetric_key = { value = "abc" } # x', "symmetric_key = ******** # x"),
        ('pass_phrase = """a\nb""" # x', 'pass_phrase = """a\nb""" # x'),  # no name of ours
        ('passphrase = """a\nb""" # x', "passphrase = ******** # x"),
        ("passwd='a b'", "passwd=********"),
        ("the password: hunter2", "the password: ********"),
        ("PIN=4711", "PIN=********"),
        ("pin-value=12*34", "pin-value=********"),
        ("pkcs11:object=k?pin-value=12,3'4*5&x=y", "pkcs11:object=k?pin-value=********&x=y"),
        ("password=`hunter2`", "password=********"),
        ('{"auth":"dXNlcjpwdw==","email":""}', '{"auth":"********","email":""}'),
        (
            "invalid type: integer `4711`, expected a string",
            "invalid type: integer ********, expected a string",
        ),
        ('invalid value: string "hunter2", expected u32', "invalid value: string ********, expected u32"),
        (f"{KEY}{KEY}", "****************"),
        ('secret: {"a": {"b": "c"}}, d', "secret: ********, d"),
        (PEM.format("EC "), "-----BEGIN EC PRIVATE KEY-----********-----END EC PRIVATE KEY-----\n"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEv", "-----BEGIN PRIVATE KEY-----********"),
    ],
)
def test_a_secret_is_stars_by_its_name_or_its_shape(text: str, said: str) -> None:
    assert without_secrets(text) == said
    assert without_secrets(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "Unauthorized: the token: expired, secret: unknown",
        "/etc/edge-provisioner/agent.toml:3: est.password: secrets are systemd credentials: est-password",
        "missing field `authenticationKey` at line 1 column 2",
        "HostName=hub.test;DeviceId=dev-1;SharedAccessKeyName=owner",
        "https://global.azure-devices-provisioning.net:443/0ne0/registrations/a@b?api-version=2021-06-01",
        "mcr.microsoft.com/azureiotedge-agent@sha256:" + "a1" * 32,
        "swtpm:host=127.0.0.1,port=2321",
        'id_scope = "0ne00000001" # the scope of line 4',
        'runtime.hostname = "pin"  # default',
        "connection_timeout = 4; keys: 3; spinning = 4; design=2",
        "000b" + "0123456789abcdef" * 4,
        "provisioning.attestation.symmetric_key (line 5), provisioning.connection_string (line 7)",
        "-----BEGIN CERTIFICATE-----\nMIIEvQIBADAN\n-----END CERTIFICATE-----",
        "password =",
        'invalid type: string "0x00_01_00", expected u32',
        '{"source":"dps","auth":"tpm"}',
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert without_secrets(text) == text


@given(texts)
def test_what_was_rid_of_its_secrets_stays(text: str) -> None:
    once = without_secrets(text)

    assert without_secrets(once) == once


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWORD_1", "clientSecret", "symmetric_key", "apiKey", "token"]
)
def test_a_name_of_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["registration_id", "passwords_file", "keyd", "hostname", "global_endpoint"])
def test_a_name_of_no_secret(name: str) -> None:
    assert not is_secret_name(name)


# At a finding's door


def test_a_fact_is_shown_without_secrets_on_one_line_and_stays_so() -> None:
    finding = A_FACT(what="\x1b]0;x\x07 at\nhttps://me:pw@h: no")

    assert finding.summary == r"It says \x1b]0;x\x07 at\nhttps://********@h: no"
    assert A_FACT(**dict(finding.facts)) == finding


def test_a_fact_of_several_lines_keeps_them_and_each_is_harmless() -> None:
    finding = A_FACT(what=("  one\ntwo", "  pin=1234 \x1b"))

    assert finding.summary == "It says   one\\ntwo\n  pin=******** \\x1b"


@given(texts)
def test_what_is_shown_stays(text: str) -> None:
    once = shown(text)

    assert shown(once) == once
