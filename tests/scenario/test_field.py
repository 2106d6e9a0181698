"""config.toml as people really write it (tests/data/field): each through plan, once, once --adopt, once."""

import json
import os
import re
import shlex
import subprocess
import tomllib

import pytest

from tests.scenario.stage import CHECKOUT, CONFIG, Stage

FOLDER = os.path.join(CHECKOUT, "tests", "data", "field")
TAKEN = ("", "")  # no hold: the agent goes on with this file
# File: the code that holds it, a piece of what is said, and the notices that go with it.
FIELD: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "yaml-line": ("config.yaml", "Line 3", ()),
    "yaml-line-late": ("config.yaml", "Line 11", ()),
    "yaml-file": ("config.yaml-file", "line 2", ()),
    "yaml-block-appended": ("config.yaml", "Line 10", ()),
    "curly-quotes": ("config.character", "Line 7 of config.toml has a typographic quote (U+201C)", ()),
    "low-quotes": ("config.character", "a typographic quote (U+201E) at column 12", ()),
    "curly-apostrophes": ("config.character", "a typographic quote (U+2018) at column 19", ()),
    "non-breaking-space": ("config.character", "Line 2 of config.toml has a non-breaking space (U+00A0)", ()),
    "ideographic-space": ("config.character", "an ideographic space (U+3000) at column 15", ()),
    "mark-in-line-two": ("config.character", "Line 2 of config.toml has a byte order mark (U+FEFF)", ()),
    "mark-first": ("config.not-utf8", "a byte order mark", ()),
    "bare-word": ("config.bare-word", "Line 1", ()),
    "bare-path": ("config.bare-word", "Line 1", ()),
    "table-twice": ("config.twice", "Line 20 of config.toml says agent.env again, which line 17", ()),
    "script-ran-twice": ("config.twice", "Line 17 of config.toml says agent again, which line 10", ()),
    "key-twice": ("config.twice", "Line 2 of config.toml says hostname again, which line 1", ()),
    "value-and-table": ("config.twice", "says provisioning.payload again, which line 2", ()),
    "utf-16-le-marked": ("config.utf16", "UTF-16", ()),
    "utf-16-be-marked": ("config.utf16", "UTF-16", ()),
    "utf-16-le": ("config.utf16", "UTF-16", ()),
    "utf-16-be": ("config.utf16", "UTF-16", ()),
    "latin-1": ("config.not-utf8", "Line 1 of config.toml is not UTF-8: byte 0xfc", ()),
    "nul-bytes": ("config.nul", "Line 9", ()),
    "nothing-but-nul": ("config.nul", "Line 1", ()),
    "backslash-path": ("config.backslash", "Line 1", ()),
    "bare-connection-string": ("config.bare-word", "Line 4", ()),
    "yaml-connection-string": ("config.yaml", "Line 2", ()),
    "yaml-with-comment": ("config.yaml", "Line 2", ()),
    "yaml-marked": ("config.yaml-file", "line 1", ()),
    "apostrophe-in-quotes": ("config.character", "a typographic quote (U+201C) at column 8", ()),
    "space-behind-a-string": ("config.character", "a non-breaking space (U+00A0) at column 26", ()),
    "bare-true": ("config.bare-word", "Line 2", ()),
    "bare-in-a-table": ("config.bare-word", "Line 2", ()),
    "bare-after-tabs": ("config.bare-word", "Line 2", ()),
    "bare-password": ("config.bare-word", "Line 3", ()),
    "backslash-in-password": ("config.backslash", "Line 3", ()),
    "backslash-and-apostrophe": ("config.backslash", "Line 2", ()),
    "crlf": (*TAKEN, ()),
    "placeholder-brackets": (*TAKEN, ("config.unfilled-replaced",)),
    "placeholder-replace-with": (*TAKEN, ("config.unfilled-replaced",)),
    "placeholder-shell": (*TAKEN, ("config.unfilled-replaced",)),
    "placeholder-null": (*TAKEN, ("config.unfilled-replaced",)),
    "placeholder-empty": (*TAKEN, ("config.unfilled-replaced",)),
    "placeholder-template": (*TAKEN, ("config.unfilled-replaced",)),
    "placeholder-connection-string": (*TAKEN, ("config.unfilled-replaced",)),
    "placeholder-symmetric-key": (*TAKEN, ("config.unfilled-replaced",)),
    "real-connection-string": ("config.other-provisioning", 'provisioning.source = "manual"', ()),
    "connection-string-fill-line": ("config.other-provisioning", 'provisioning.source = "manual"', ()),
    "registration-id-too-high": (
        "config.other-provisioning", "registration_id = absent", ("config.misplaced-key",),
    ),
    "timeout-below-a-table": (*TAKEN, ("config.misplaced-key",)),
    "certificates-of-1.1": (*TAKEN, ("config.misplaced-key",) * 3),
    "always-reprovision": ("apply.would-refuse", "line 10: agent: name and type and config missing", (
        "config.misplaced-key",
    )),
    "bundle-under-authentication": (
        "config.other-provisioning", 'provisioning.source = "manual"', ("config.misplaced-key",),
    ),
    "child-edge": ("apply.would-refuse", "line 1: parent_hostname", ()),
    "template-timeout": ("apply.would-refuse", "line 1: cloud_timeout_sec", ()),
    "env-without-agent": ("apply.would-refuse", "line 10: agent", ()),
    "empty-edge-ca": ("apply.would-refuse", "line 10: edge_ca", ()),
    "empty": (*TAKEN, ()),
    "comments-only": (*TAKEN, ()),
}  # fmt: skip
UNREADABLE = {
    name for name, (code, *_) in FIELD.items()
    if code.startswith("config.") and code not in ("config.other-provisioning", "config.unfilled")
}  # fmt: skip
each_file = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in FIELD])


def content(name: str) -> bytes:
    with open(os.path.join(FOLDER, f"{name}.toml"), "rb") as source:
        return source.read()


def test_each_file_is_in_the_table() -> None:
    assert {f"{name}.toml" for name in FIELD} == set(os.listdir(FOLDER))


def config(stage: Stage) -> bytes:
    with open(stage.path(CONFIG), "rb") as source:
        return source.read()


@each_file
def test_a_file_from_the_field_is_told_and_never_damaged(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SCENARIO_INSIDE", "1")
    code, words, notices = FIELD[name]
    before = content(name)
    stage.write(CONFIG, before, 0o600)

    planned = stage.run("plan", "--json").out
    looked = stage.once()

    assert code in planned
    assert f'"{code}"' in planned or not code
    assert (looked["code"] == code) == bool(code)
    assert words in looked["summary"]
    assert [one for one in re.findall(r'"(config\.[a-z0-9-]+)"', planned) if one != code] == list(notices)
    if code:
        assert config(stage) == before
    stage.once("--adopt")
    adopted = config(stage)
    if name in UNREADABLE or code == "apply.would-refuse":
        assert adopted == before
    else:
        tomllib.loads(adopted.decode())
        foreign = [line for line in before.splitlines() if line.lstrip().startswith(b"#")]
        assert all(line in adopted.splitlines() for line in foreign)
    stage.once()
    assert config(stage) == adopted


# The remedies of what is no TOML, carried out literally


def commands(remedy: str) -> list[str]:
    return [
        word
        for word in re.findall(r"`([^`]*)`", remedy)
        if word.split()[0] in ("cp", "iconv", "sed", "LC_ALL=C", "mv")
    ]


def carried_out(stage: Stage, looked: dict[str, object]) -> None:
    """Run the commands that a remedy spells below the machine's root, or write the line that it spells."""
    remedy, summary = str(looked["remedy"]), str(looked["summary"])
    os.makedirs(stage.path("/root"), exist_ok=True)
    for command in commands(remedy):
        below = re.sub("(?<= )/(etc|root)/", shlex.quote(stage.path("/")) + r"/\1/", command)
        if "BYTE ORDER MARK" in summary.upper() or "WINDOWS" not in command:
            subprocess.run(["sh", "-c", below], check=True)
    if spelled := re.search(r"write (?:line \d+ as )?`([^`]*)`", remedy):
        number = int(re.findall(r"[Ll]ine (\d+)", summary)[0])
        lines = stage.read(CONFIG).split("\n")
        lines[number - 1] = spelled[1]
        stage.write(CONFIG, "\n".join(lines), 0o600)


@pytest.mark.parametrize(
    "name",
    [
        "yaml-line", "yaml-line-late", "yaml-file", "curly-quotes", "low-quotes", "curly-apostrophes",
        "non-breaking-space", "ideographic-space", "mark-in-line-two", "mark-first", "bare-word", "bare-path",
        "utf-16-le-marked", "utf-16-be-marked", "utf-16-le", "utf-16-be", "nul-bytes", "backslash-path",
    ],
)  # fmt: skip
def test_the_remedy_carried_out_literally_is_enough(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SCENARIO_INSIDE", "1")
    stage.write(CONFIG, content(name), 0o600)

    carried_out(stage, stage.once())

    assert stage.once()["code"] not in {code for code, *_ in FIELD.values()} - {
        "",
        "config.other-provisioning",
    }


_STRING = (
    "HostName=plant.azure-devices.net;DeviceId=press-2;"
    "SharedAccessKey=bm90IGEgcmVhbCBrZXkgYnV0IGxvbmcgZW5vdWdoIQ=="
)


@pytest.mark.parametrize(
    ("name", "path", "meant"),
    [
        ("bare-connection-string", "provisioning.connection_string", _STRING),
        ("yaml-connection-string", "connection_string", _STRING),
        ("yaml-with-comment", "allow_elevated_docker_permissions", True),
        ("apostrophe-in-quotes", "site", "Bob\u2019s press"),
        ("space-behind-a-string", "site", "\u201cpress\u201d of Bob\u2019s"),
        ("bare-true", "allow_elevated_docker_permissions", True),
        ("bare-in-a-table", "site.name", "press"),
        ("bare-after-tabs", "site", "press-2"),
        ("bare-password", "tpm.hierarchy_authorization.owner", "geheim-4711"),
        ("backslash-in-password", "tpm.hierarchy_authorization.owner", r"ab\cd"),
        ("backslash-and-apostrophe", "site", r"\\srv\Bob's\press"),
    ],
)
def test_the_remedy_leaves_what_was_meant_and_shows_no_secret(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str, path: str, meant: object
) -> None:
    monkeypatch.setenv("SCENARIO_INSIDE", "1")
    stage.write(CONFIG, content(name), 0o600)

    looked, planned = stage.once(), stage.run("plan", "--json").out
    carried_out(stage, looked)

    found: object = tomllib.loads(stage.read(CONFIG))
    for step in path.split("."):
        assert isinstance(found, dict)
        found = found[step]
    assert found == meant
    comments = re.findall(r"#.*", content(name).decode())
    assert re.findall(r"#.*", stage.read(CONFIG)) == comments
    if path.endswith(("connection_string", "owner")):
        secret = str(meant).rpartition("SharedAccessKey=")[2]
        for said in (json.dumps(looked), planned, stage.heard):
            assert secret not in said
            assert json.dumps(secret)[1:-1] not in said


@pytest.mark.parametrize("name", ["table-twice", "script-ran-twice", "key-twice", "value-and-table"])
def test_what_is_said_twice_is_right_without_its_second_place(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SCENARIO_INSIDE", "1")
    stage.write(CONFIG, content(name), 0o600)
    number = int(re.findall(r"Line (\d+)", stage.once()["summary"])[0])
    lines = stage.read(CONFIG).splitlines(keepends=True)
    rest = lines[number:] if name == "key-twice" else []

    stage.write(CONFIG, "".join((*lines[: number - 1], *rest)), 0o600)

    assert stage.once()["code"] not in {"config.twice", "config.invalid-toml"}


def test_backups_are_spoken_of_where_there_are_any(provisioned: Stage) -> None:
    provisioned.settings({"runtime": {"auto_reprovisioning_mode": "OnErrorOnly"}})
    provisioned.provision()
    provisioned.write(CONFIG, "hostname: x\n", 0o600)

    told = provisioned.once()

    (notice,) = told["notices"]
    assert (told["code"], notice["code"]) == ("config.yaml", "config.backups-kept")
    place = re.findall(r"/etc/aziot/config\.toml\.edge-provisioner-\d+", notice["summary"])[0]
    assert 'auto_reprovisioning_mode = "Dynamic"' in provisioned.read(place)


def test_placeholders_that_were_applied_are_held_and_called_so(stage: Stage) -> None:
    stage.write(CONFIG, content("placeholder-brackets"), 0o600)
    assert stage.iotedge("config", "apply").returncode == 0

    looked = stage.once()

    assert (looked["phase"], looked["code"]) == ("held", "config.unfilled")
    assert "<DPS_ID_SCOPE>" in looked["summary"]


def test_a_scope_of_another_cloud_is_told_and_no_hold(stage: Stage) -> None:
    stage.settings({"dps": {"id_scope": "0us00112233"}})

    checked, planned = stage.run("config", "check"), stage.run("plan")

    assert (checked.status, planned.status) == (0, 0)
    for said in (checked.out, planned.out):
        assert "The id scope 0us00112233 seems to be of another cloud than the endpoint" in said
    assert "https://global.azure-devices-provisioning.us" in checked.out


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("dps.id_scope", "SCOPEIDHERE"), ("dps.id_scope", "0ab1234C5D6"), ("dps.id_scope", "null"),
        ("dps.registration_id", "my-device"), ("dps.registration_id", "your-line-4"),
        ("tpm.device", "swtpm:host=${TPM_HOST},port=2321"),
        ("dps.global_endpoint", "https://your-dps.example/"), ("runtime.hostname", "your-hostname"),
    ],
)  # fmt: skip
def test_placeholders_among_our_settings_are_refused_with_their_line(
    stage: Stage, setting: str, value: str
) -> None:
    table, _, name = setting.partition(".")
    stage.write("/etc/edge-provisioner/agent.toml", f'# mine\n[{table}]\n{name} = "{value}"\n')

    checked = stage.run("config", "check")

    good = value == "SCOPEIDHERE"  # letters and digits, like any other; nobody can tell
    assert checked.status == (0 if good else 2)
    if not good:
        assert f"/etc/edge-provisioner/agent.toml:3: {setting}: " in checked.out
        assert "placeholder that nobody filled in" in checked.out


def test_a_generated_file_that_is_damaged_is_named(provisioned: Stage) -> None:
    place = "/etc/aziot/keyd/config.d/00-super.toml"
    os.unlink(provisioned.path(place))
    os.mkdir(provisioned.path(place))  # what apply can't replace

    assert place in provisioned.run("plan").out


_DAMAGE = {
    "is missing": "/bin/rm {}",
    "is empty": ": >{}",
    "is damaged: it is no TOML": "echo 'x = [' >{}",
    "can't be read (not a regular file)": "/bin/rm {0} && /bin/mkdir {0}",
}


@pytest.mark.parametrize(("fault", "damage"), _DAMAGE.items())
def test_an_apply_that_leaves_a_bad_file_is_told_with_file_and_fault(
    stage: Stage, fault: str, damage: str
) -> None:
    place = "/etc/aziot/keyd/config.d/00-super.toml"
    program = stage.path("/usr/bin/iotedge")
    os.rename(program, f"{program}.real")
    after = f'[ "$1 $2" != "config apply" ] || {{ {damage.format(stage.path(place))}; }}'
    stage.write("/usr/bin/iotedge", f'#!/bin/sh\n{program}.real "$@" || exit\n{after}\n', 0o755)

    looked = stage.look_until("apply.unproven")[-1]

    assert looked["summary"].endswith(f"are wrong: {place} {fault}")
