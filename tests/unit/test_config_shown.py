"""What a diff of config.toml shows: no secret, wherever it stands, and each change all the same."""

import pytest

from agent.edge.config_paths import NOT_SHOWN
from agent.edge.config_shown import secret_comments, unified_diff

KEY = "aHVzaGh1c2hodXNoaHVzaGh1c2hodXNoaHVzaGh1c2g="
HIDDEN = [
    '#symmetric_key = { value = "hush" }',
    "# connection_string = HostName=x;SharedAccessKey=hush",
    "  ## device_id_pk = hush",
    'id_scope = "0ne" # was HostName=x;SharedAccessKey=hush',
    'id_scope = "0ne"  # old key hush1=',
    "# the old key: hush2=",
    "# password hush3",
    f"# {KEY}",
    'symmetric_key = { value = "hush" } # old key hush4=',
    "connection_string = 'hush'",
    "[aziot_keys]\npkcs11_base_slot = 'pkcs11:token=x?pin-value=hush'",
    '[cert_issuance.local_ca]\npk = "pkcs11:object=x?pin-value=hush"',
    '[cert_issuance.est.auth]\nusername = "hush"\npassword = "hush"',
    '[edge_ca]\nmethod = "est"\nusername = "hush"\npassword = "hush"',
    '[edge_ca]\nurl = "https://user:hush@est.example/"',
    "proxy = 'http://user:hush@proxy:3128'",
    '[agent.env]\nPLAIN = "hush"',
    '[agent.config.auth]\nserveraddress = "hush"',
    '[provisioning]\nauthentication.device_id_pk.value = "hush"',
    '[provisioning]\n"connection_string" = "hush"',
    '[provisioning.authentication]\ndevice_id_pk = { "value" = "hush" }',
    '[[boxes]]\npassword = "hush"',
    "pem = '''\n-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n'''",
    'note = """\nSharedAccessKey=hush\n"""',
    "list = [ # SharedAccessKey=hush\n  'https://a:hush@b', ]",
    "[table] # password: hush5",
]
LEGIBLE = [
    'id_scope = "0ne00112233"', "# made by the integrator, see page 3", "# the key of the device",
    'iothub_hostname = "hub.azure-devices.net"', 'device_id = "line-4"', "[aziot_keys]",
    "pkcs11_lib_path = '/usr/lib/libtpm2_pkcs11.so'", "[tpm]", "auth_key_index = 256", "# [agent.env]",
    'image = "mcr.microsoft.com/azureiotedge-agent:1.6"', "[edge_ca]", 'cert = "file:///c"', 'method = "est"',
    '# registration_id = "my-device"', "\ttabbed = 1",
]  # fmt: skip


def shown(text: str) -> str:
    return unified_diff(text + "\n", text + "\nlast = 1\n", "config.toml", NOT_SHOWN)


@pytest.mark.parametrize("text", HIDDEN)
def test_no_secret_is_shown_changed_or_as_context(text: str) -> None:
    removed = unified_diff(text + "\n", "", "config.toml", NOT_SHOWN)

    for diff in (shown(text), removed):
        assert "hush" not in diff
        assert KEY not in diff
        assert "********" in diff


@pytest.mark.parametrize("text", LEGIBLE)
def test_what_is_no_secret_stays_legible(text: str) -> None:
    assert f" {text}" in shown(text).splitlines()


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_that_changes_is_seen_to_change(text: str) -> None:
    after = text.replace("hush", "hist").replace(KEY, KEY.replace("a", "b"))
    diff = unified_diff(text + "\n", after + "\n", "config.toml", NOT_SHOWN)

    assert "hush" not in diff
    assert "hist" not in diff
    assert [line[0] for line in diff.splitlines()[2:] if line[0] in "+-"].count("+") >= 1


def test_escape_sequences_in_comments_do_not_reach_the_terminal() -> None:
    diff = shown("# \u202e \u009b31m\nkey = 1 # \u2066")

    assert diff.splitlines()[3:5] == [" # \\u202e \\x9b31m", " key = 1 # \\u2066"]


def test_crlf_stays_as_it_is() -> None:
    assert "a = 1\r\n" in unified_diff("a = 1\r\n", "a = 1\r\nb = 2\r\n", "c", ())


def test_the_lines_of_old_secrets_in_comments_are_known() -> None:
    text = 'a = 1 # SharedAccessKey=hush\n# fine\n#password = "hush"\nb = "# SharedAccessKey=n"\n# key x1=\n'

    assert secret_comments(text) == (1, 3, 5)
    assert secret_comments("# fine\nsymmetric_key = 'x'\n") == ()
