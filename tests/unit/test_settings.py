"""Settings from files: the contract of names and defaults, what overrides what, and every problem at once."""

import tomllib

import pytest

from agent.settings import DEFAULT, Method, Problem, Resolved, Settings, Source, reference, resolve
from agent.settings.kinds import toml_value
from agent.settings.rows import ROWS, value_of
from agent.values import FrozenInstanceError

# What a user may write, as promised: extend, never rename, never change a default.
CONTRACT = """
method = "tpm"
[dps]
id_scope = ""
global_endpoint = "https://global.azure-devices-provisioning.net"
registration_id = "auto"
payload = {}
[tpm]
device = "auto"
timeout_s = 180
settle_s = 10
[runtime]
auto_reprovisioning_mode = "Dynamic"
hostname = "pin"
on_manual_edit = "hold"
iotedge = "/usr/bin/iotedge"
config_file = "/etc/aziot/config.toml"
apply_timeout_s = 600
prove_s = 10
[watch]
interval_s = 300
[network]
https_proxy = ""
no_proxy = ""
[reprovision]
mode = "gated"
max_per_hour = 1
max_per_day = 3
[est]
url = ""
trusted_certs = []
username = ""
bootstrap_cert = ""
bootstrap_key = ""
auto_renew = { threshold = "80%", retry = "4%" }
[engine]
log_driver = ""
[metrics]
directory = ""
"""


def read(*texts: str | bytes) -> Resolved:
    """Resolve texts, the weakest first, as files called 1.toml, 2.toml and so on."""
    data = (text if isinstance(text, bytes) else text.encode() for text in texts)
    return resolve(Source(f"{number}.toml", each) for number, each in enumerate(data, 1))


def settings_of(*texts: str | bytes) -> Settings:
    resolved = read(*texts)
    assert resolved.problems == ()
    assert resolved.settings is not None
    return resolved.settings


def said(*texts: str | bytes) -> list[str]:
    resolved = read(*texts)
    assert resolved.settings is None
    return [str(problem) for problem in resolved.problems]


def test_without_files_everything_has_its_default() -> None:
    resolved = read()

    assert resolved.settings == Settings()
    assert set(resolved.origins.values()) == {DEFAULT}
    assert resolved.origins.keys() == ROWS.keys()


def test_names_and_defaults_are_those_of_the_contract() -> None:
    assert settings_of(CONTRACT) == Settings()
    assert set(read(CONTRACT).origins.values()) == {"1.toml"}, "a setting is missing from the contract above"


def test_settings_are_typed_and_frozen() -> None:
    settings = settings_of('method = "tpm"\n[dps]\nid_scope = "0ne00112233"\n[tpm]\ntimeout_s = 0.5')

    assert settings.method is Method.TPM
    assert settings.dps.id_scope == "0ne00112233"
    assert settings.tpm.timeout_s == 0.5
    with pytest.raises(FrozenInstanceError):
        settings.method = Method.X509_EST  # type: ignore[misc]


def test_the_strongest_file_decides_setting_by_setting() -> None:
    resolved = read(
        '[dps]\nid_scope = "vendor"\nregistration_id = "line4"\npayload = { a = 1, b = 2 }',
        '[dps]\nid_scope = "device"\npayload = { c = 3 }',
    )

    assert resolved.settings is not None
    assert resolved.settings.dps.id_scope == "device"
    assert resolved.settings.dps.registration_id == "line4"
    assert resolved.settings.dps.payload == {"c": 3}
    assert resolved.origins["dps.id_scope"] == "2.toml"
    assert resolved.origins["dps.registration_id"] == "1.toml"
    assert resolved.origins["dps.global_endpoint"] == DEFAULT


def test_an_empty_payload_takes_a_weaker_one_away() -> None:
    assert settings_of("[dps]\npayload = { a = 1 }", "[dps]\npayload = {}").dps.payload is None


@pytest.mark.parametrize(
    "text",
    [
        'dps = { id_scope = "a1" }',
        'dps.id_scope = "a1"',
        '[dps]\n"id_scope" = "a1"',
        "dps.'id_scope' = \"a1\"",
    ],
)
def test_every_way_to_write_a_key_is_read(text: str) -> None:
    assert settings_of(text).dps.id_scope == "a1"


def test_every_problem_of_every_file_is_told_at_once_with_its_line() -> None:
    weak = '# [watch] interval_s\n[watch]\ninterval_s = "soon"\n\n[dsp]\nid_scope = "0ne"\n'
    strong = '[watch]\ninterval_s = 60\n[runtime]\niotedge = "iotedge"\nhost_name = "pin"\n'

    assert said(weak, strong, "x = [", b'\n\n[dps]\nid_scope = "\xe4"') == [
        "1.toml:3: watch.interval_s: expected a number of seconds above 0 and up to 30 days; found a string",
        "1.toml:5: dsp: unknown table; the nearest known one is dps",
        "2.toml:4: runtime.iotedge: expected an absolute path",
        "2.toml:5: runtime.host_name: unknown key; the nearest known one is runtime.hostname",
        "3.toml: not valid TOML: Invalid value (at end of document)",
        "4.toml:4: not UTF-8: byte 0xe4",
    ]


def test_invalid_toml_is_told_with_line_and_column() -> None:
    assert said('[dps]\nid_scope = "a"\nid_scope = "b"\n') == [
        "1.toml:3: not valid TOML: Cannot overwrite a value (column 15)"
    ]


@pytest.mark.parametrize("text", ["x = " + "[" * 20_000, "dps.payload." + "a." * 5_000 + "a = 1"])
def test_nesting_without_end_is_a_problem_and_no_crash(text: str) -> None:
    assert len(said(text)) == 1


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ('id_scope = "0ne"', "dps.id_scope"),
        ('[dps]\nmethod = "tpm"', "method"),
        ('[dps]\nidscope = "0ne"', "dps.id_scope"),
        ("[watch]\nintervall_s = 1", "watch.interval_s"),
        ("[monitoring]\nintervall_s = 1", None),
        ("[tmp]\ntimeout_s = 1", "tpm"),
        ("intervall_s = 1", "watch.interval_s"),
        ('"dps.id_scope" = "0ne"', "dps.id_scope"),
        ('[est.autorenew]\nretry = "4%"', "est.auto_renew"),
        ('"" = 1', None),
        ("zzzzzz = 1", None),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest_known_one(text: str, nearest: str | None) -> None:
    (problem,) = read(text).problems

    assert problem.said in ("unknown key", "unknown table")
    assert problem.nearest == nearest


@pytest.mark.parametrize(
    ("text", "credentials"),
    [
        ('[est]\npassword = "hunter2"', "est-password"),
        ('[tpm]\nowner_auth = "hunter2"', "tpm-owner-auth"),
        ('tpm-endorsement-auth = "hunter2"', "tpm-endorsement-auth"),
        ('[tpm]\nsecret = "hunter2"', "tpm-owner-auth or tpm-endorsement-auth or est-password"),
    ],
)
def test_a_secret_is_answered_with_its_credential_and_never_shown(text: str, credentials: str) -> None:
    (line,) = said(text)

    assert line.endswith(f"secrets are systemd credentials: {credentials}")
    assert "hunter2" not in line


@pytest.mark.parametrize(
    "text",
    [
        'method = "x509-est"',
        '[est]\nurl = "https://est.example/.well-known/est"',
        '[est]\ntrusted_certs = ["/a"]',
        '[est]\nusername = "line4"',
        '[est]\nbootstrap_cert = "/a"',
        '[est]\nbootstrap_key = "/a"',
        '[est]\nauto_renew = { threshold = "70%", retry = "4%" }',
        '[est.auto_renew]\nretry = "10min"',
        '[engine]\nlog_driver = "local"',
        '[metrics]\ndirectory = "/var/lib/metrics"',
        '[network]\nhttps_proxy = "http://proxy.example:3128"',
        '[network]\nno_proxy = "localhost"',
        "[reprovision]\nmax_per_hour = 2",
        "[reprovision]\nmax_per_day = 4",
    ],
)
def test_what_is_not_built_yet_is_said_and_never_ignored(text: str) -> None:
    (line,) = said(text)

    assert "not in this version, which takes only " in line


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dps = 3", "an integer"),
        ("[[dps]]\nid_scope = '1'", "an array"),
        ("dps = true", "a boolean"),
        ("dps = 2026-01-01", "a date or time"),
        ("[est]\nauto_renew = 1.5", "a float"),
    ],
)
def test_a_value_in_a_tables_place_is_a_problem(text: str, found: str) -> None:
    (line,) = said(text)

    assert line.endswith(f"expected a table, found {found}")


def test_a_payload_that_json_lacks_is_named_by_its_path() -> None:
    (problem,) = read('[dps]\npayload = { lot = { "made on" = [1, 2026-01-01] } }').problems

    assert problem.dotted == 'dps.payload.lot."made on".1'
    assert problem.line == 2
    assert problem.said.endswith("JSON has no date or time; write it as a string")


def test_a_problem_without_a_line_shows_none() -> None:
    assert str(Problem("a.toml", None, "", "no such file")) == "a.toml: no such file"
    assert (
        str(Problem("a.toml", 3, "x", "unknown key", "y"))
        == "a.toml:3: x: unknown key; the nearest known one is y"
    )


def test_the_sample_is_a_settings_file_that_changes_nothing() -> None:
    assert settings_of(reference.sample()) == Settings()


def test_the_sample_shows_every_setting_by_its_name() -> None:
    """With the marks taken away it is the examples, of which only those of later versions are problems."""
    text = "\n".join(
        line.removeprefix("#") if line[1:2] != " " else line for line in reference.sample().split("\n")
    )
    document = tomllib.loads(text)

    for name, row in ROWS.items():
        node = document
        *groups, key = name.split(".")
        for group in groups:
            node = node[group]
        assert toml_value(node[key]) == toml_value(row.shown_example), name
    problems = [str(problem) for problem in read(text).problems]
    assert [problem for problem in problems if "not in this version" not in problem] == []


def test_the_page_names_every_setting_with_its_default() -> None:
    page = reference.page()

    for name, row in ROWS.items():
        about = page.split(f"### `{name}`\n")[1].split("\n#")[0]
        assert f"- Default: `{toml_value(row.default)}`" in about
        assert row.meaning in about
        assert ("In this version: only" in about) == (row.only is not None)


def test_what_is_in_force_shows_values_origins_and_what_was_changed() -> None:
    resolved = read('[dps]\nid_scope = "0ne"\npayload = { a = 1 }')
    assert resolved.settings is not None
    shown = reference.in_force(resolved, resolved.settings)

    lines = {line[2:].split(" = ")[0]: line for line in shown.splitlines()}
    assert lines.keys() == ROWS.keys()
    assert lines["dps.id_scope"].split() == ["*", "dps.id_scope", "=", '"0ne"', "#", "1.toml"]
    assert lines["tpm.timeout_s"].split() == ["tpm.timeout_s", "=", "180", "#", "default"]
    assert reference.as_json(resolved, resolved.settings)["dps.payload"] == {
        "value": {"a": 1},
        "origin": "1.toml",
        "changed": True,
    }
    assert value_of(resolved.settings, "est.auto_renew.retry") == "4%"


def test_what_is_in_force_shows_no_secret_and_nothing_that_steers_a_terminal() -> None:
    payload = '{ site = "a\u202e\\u009b", nested = [{ api_key = "hunter2" }], url = "https://u:hunter2@h" }'
    resolved = read(f"[dps]\npayload = {payload}")
    assert resolved.settings is not None
    left = {"runtime.hostname": "a\x1b[2J"}

    text = reference.in_force(resolved, resolved.settings, left)
    document = reference.as_json(resolved, resolved.settings, left)

    assert "hunter2" not in text + str(document)
    assert 'site = "a\\u202e\\x9b"' in text
    assert text.replace("\n", "").isprintable()
    assert document["runtime.hostname"]["left_to_config"] == r"a\x1b[2J"
    assert document["dps.payload"]["value"] == {
        "site": "a\u202e\x9b",
        "nested": [{"api_key": "********"}],
        "url": "https://********@h",
    }
