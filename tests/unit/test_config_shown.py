"""What is shown of config.toml: secrets as stars in values and comments alike, all else as it is."""

import pytest

from agent.edge import config_diff
from agent.edge.config_paths import NOT_SHOWN, SECRETS_IN_COMMENTS
from agent.edge.config_shown import secrets_in_comments, shown
from tests.standins.template import TEMPLATE

KEY = "x7vJw1Qm9LZ0c2VjcmV0LW9mLXRoZS1odWItMTIzNDU="
SECRETS = {
    # a live key, by its place
    'provisioning.connection_string = "HostName=h;X=k"': 'provisioning.connection_string = "********"',
    '[provisioning]\nattestation = { symmetric_key = { value = "a" } }': (
        '[provisioning]\nattestation = "********"'
    ),
    '[agent.env]\n"A" = "b" # c': '[agent.env]\n"A" = "********" # c',
    '[[preloaded_keys]]\nx = "file:///k"': '[[preloaded_keys]]\nx = "********"',
    # by its name
    '[edge_ca]\nusername = "u"\npassword = "p"': '[edge_ca]\nusername = "********"\npassword = "********"',
    "[edge_ca]\n\"pass\\u0077ord\" = 'p'": '[edge_ca]\n"pass\\u0077ord" = "********"',
    '[cert_issuance.est.auth]\nusername = "u"': '[cert_issuance.est.auth]\nusername = "********"',
    'x = { a = 1, b = [{ DB_PASSWORD = "p" }] }': 'x = "********"',
    'api_key = """\na\nb"""\ny = 1': 'api_key = "********"\ny = 1',
    # by its shape
    '[aziot_keys]\npkcs11_base_slot = "pkcs11:slot-id=0?pin-value=1234"': (
        '[aziot_keys]\npkcs11_base_slot = "pkcs11:slot-id=0?pin-value=********"'
    ),
    'urls.default = "https://u:p@est/x" # a server': 'urls.default = "https://********@est/x" # a server',
    'x = "pin-v\\u0061lue=1234"': 'x = "********"',
    'x = """\n-----BEGIN PRIVATE KEY-----\nMII\n"""': 'x = "********"',
    f'x = ["a", "{KEY}"]': 'x = ["a", "********"]',
    '"SharedAccessKey=k" = 1': '"SharedAccessKey=********" = 1',
    'x = [\n  "a", # password hunter2\n]': 'x = "********"',
    # in a comment that is TOML
    '#symmetric_key = { value = "KEY2=" }': '#symmetric_key = "********"',
    '[provisioning]\n# connection_string = "x" # a': '[provisioning]\n# connection_string = "********" # a',
    '#[provisioning.attestation.symmetric_key]\n#value = "a"': (
        '#[provisioning.attestation.symmetric_key]\n#value = "********"'
    ),
    '[tpm.hierarchy_authorization]\n## owner = "pw"': '[tpm.hierarchy_authorization]\n## owner = "********"',
    '# pk = "pkcs11:object=a?pin-value=1234" # was': '# pk = "pkcs11:object=a?pin-value=********" # was',
    # in a comment that is none
    'x = "a" # was HostName=x;SharedAccessKey=KEY1=': 'x = "a" # was HostName=x;SharedAccessKey=********',
    "[x] # password=hunter": "[x] # password=********",
    'x = "a" # old key KEY4=': 'x = "a" # old key ********',
    "a = 1 # pin-value=70510473": 'a = 1 # pin-value="********"',
    "# owner = 70510473": "# owner = ********",
    "# old key c2VjcmV0LW9mLXRoZS1odWI=": "# old key ********",
    "# c2VjcmV0LW9mLXRoZS1odWI= till May": "# ******** till May",
    "# the password is hunter, of the plant": "# the password is ******** of the plant",
    "# the passphrase of all lines: a b": "# the passphrase of all lines: a b",
    "# passphrase: a b": "# passphrase: ********",
    "# PIN 4711": "# PIN ********",
    "# owner = a b c": "# owner = ********",
    "# https://u:p@est": "# https://********@est",
    "# -----BEGIN EC PRIVATE KEY-----\n# MII\n# -----END EC PRIVATE KEY-----\n# a": (
        "# -----BEGIN EC PRIVATE KEY-----********\n# ********\n# ********\n# a"
    ),
    '# password = """\n# hunter\n# """\n# a': "# password = ********\n# ********\n# ********\n# a",
}
READABLE = """\
# made by a person on 2024-05-01 at 10:30; see the key at 0x81000001 and tpmd 1.5.21
hostname = "line-4.plant.example" # the host's name, 5 of 12

[provisioning]
source = "dps"
global_endpoint = "https://global.azure-devices-provisioning.net/"
# id_scope = "0ne00000002" # the one before
id_scope = "0ne00000001"

## [cert_issuance.local_ca]
# pk = "file:///var/secrets/device-id.key.pem"   # file URI, or...
[agent.config]
image = "mcr.microsoft.com/azureiotedge-agent@sha256:9f86d081884c7d659a2f"
createOptions = { HostConfig = { Binds = ["/a:/b"] } }
text = '''
one # two
'''
# the keys are in /etc/aziot/keys-2 and the password in the safe of hall 4
# AToAAQALAAMAsgAgg3GXZ0SEs/gakMyNRqXXJP1S124GUgtk8qHaGzMUaaoABgCAAEMAEAgAAAAAAAEA12==
\ttabbed = 1\r
"""


def said(text: str) -> str:
    return "".join(one.text for one in shown(text, NOT_SHOWN))


@pytest.mark.parametrize(("text", "expected"), SECRETS.items())
def test_a_secret_is_stars(text: str, expected: str) -> None:
    assert said(text + "\n") == expected + "\n"
    assert said(text) == expected
    assert "".join(one.raw for one in shown(text, NOT_SHOWN)) == text


def test_all_else_stays_readable() -> None:
    assert said(READABLE) == READABLE


def test_what_steers_a_terminal_is_an_escape() -> None:
    assert said('# \x9b31m red \u202e\nx = "\u2028"\n') == '# \\x9b31m red \\u202e\nx = "\\u2028"\n'


def test_pieces_are_numbered_as_an_editor_does() -> None:
    text = 'a = 1\npassword = """\nx\n"""\nb = 2\n'

    assert [(one.number, one.text) for one in shown(text, ())] == [
        (1, "a = 1\n"),
        (2, 'password = "********"\n'),
        (5, "b = 2\n"),
    ]


def test_a_secret_that_changes_is_seen_as_a_changed_line() -> None:
    before = '# old key QUJDREVGR0g1=\npassword = "a" # pin 1234\nx = 1\n'
    after = before.replace('"a"', '"b"').replace("QUJD", "QVFD").replace("1234", "1235")

    assert config_diff.unified_diff(before, after, "a\x1bb", NOT_SHOWN).splitlines() == [
        r"--- a\x1bb",
        r"+++ a\x1bb",
        "@@ -1,3 +1,3 @@",
        "-# old key ********",
        '-password = "********" # pin ********',
        "+# old key ********",
        '+password = "********" # pin ********',
        " x = 1",
    ]


def test_old_secrets_in_comments_are_found_with_their_lines() -> None:
    text = (
        '# a\n# connection_string = "HostName=h;SharedAccessKey=k"\npassword = "live" # plain\n'
        "x = 1 # old key KEY4=\ny = [\n  1, # pin 4711\n]\n[z] # password: swordfish\n"
    )

    assert secrets_in_comments(text, NOT_SHOWN) == (2, 4, 5, 8)


def test_the_samples_of_the_template_are_no_old_secrets() -> None:
    assert secrets_in_comments(TEMPLATE, SECRETS_IN_COMMENTS) == ()
    assert secrets_in_comments('# [agent.env]\n# A = "info"\n', SECRETS_IN_COMMENTS) == ()
