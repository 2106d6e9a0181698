"""`config show`, `config check` and `explain` as a person runs them, on settings below a root of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
FILE = "etc/edge-provisioner/agent.toml"
VENDOR = "usr/lib/edge-provisioner/agent.toml.d"
ETC = "etc/edge-provisioner/agent.toml.d"
RUN = "run/edge-provisioner/agent.toml.d"

Write = Callable[[str, str], Path]


def agent(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *words],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


@pytest.fixture(name="write")
def writer(tmp_path: Path) -> Write:
    """Write a file below the root."""

    def write(name: str, text: str) -> Path:
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    return write


def shown(root: Path, *words: str) -> dict[str, dict[str, object]]:
    answer = agent("--root", str(root), "config", "show", "--json", *words)
    assert (answer.returncode, answer.stderr) == (0, "")
    document: dict[str, dict[str, object]] = json.loads(answer.stdout)
    return document


def test_without_files_the_defaults_are_in_force(tmp_path: Path) -> None:
    check = agent("config", "check", "--root", str(tmp_path))

    assert check.returncode == 0
    assert "none: every setting has its default" in check.stdout
    assert not any(row["changed"] for row in shown(tmp_path).values())


def test_files_count_in_their_order_and_drop_ins_by_name_over_all_folders(
    tmp_path: Path, write: Write
) -> None:
    write(f"{VENDOR}/90-image.toml", '[dps]\nid_scope = "vendor"\nregistration_id = "vendor"\n')
    write(f"{VENDOR}/50-both.toml", '[tpm]\ndevice = "/dev/tpm7"\n')
    write(FILE, '[dps]\nid_scope = "device"\n[watch]\ninterval_s = 100\n')
    write(f"{ETC}/50-both.toml", "[watch]\ninterval_s = 50\n[tpm]\nsettle_s = 50\n")
    write(f"{ETC}/70-last.toml", "[tpm]\nsettle_s = 70\n")
    write(f"{RUN}/60-boot.toml", "[watch]\ninterval_s = 60\n[tpm]\nsettle_s = 60\n")

    settings = shown(tmp_path)

    def told(name: str) -> tuple[object, object]:
        return settings[name]["value"], settings[name]["origin"]

    assert told("dps.id_scope") == ("device", f"/{FILE}")  # the vendor is weaker, whatever its file is called
    assert told("dps.registration_id") == ("vendor", f"/{VENDOR}/90-image.toml")
    assert told("watch.interval_s") == (60, f"/{RUN}/60-boot.toml")
    assert told("tpm.settle_s") == (70, f"/{ETC}/70-last.toml")  # by name, not by folder
    assert told("tpm.device") == ("auto", "default")  # the vendor's 50-both.toml was replaced whole
    assert agent("--root", str(tmp_path), "config", "check").stdout.splitlines()[1:] == [
        f"  /{VENDOR}/90-image.toml",
        f"  /{FILE}",
        f"  /{ETC}/50-both.toml",
        f"  /{RUN}/60-boot.toml",
        f"  /{ETC}/70-last.toml",
    ]


def test_the_same_name_in_run_replaces_the_one_in_etc(tmp_path: Path, write: Write) -> None:
    write(f"{ETC}/50.toml", '[dps]\nid_scope = "etc"\nregistration_id = "etc"\n')
    write(f"{RUN}/50.toml", '[dps]\nid_scope = "run"\n')

    assert shown(tmp_path)["dps.id_scope"]["value"] == "run"
    assert shown(tmp_path)["dps.registration_id"]["value"] == "auto"


@pytest.mark.parametrize("masked_by", ["empty", "link"])
def test_a_vendors_drop_in_can_be_taken_away(tmp_path: Path, write: Write, masked_by: str) -> None:
    write(f"{VENDOR}/50.toml", '[dps]\nid_scope = "vendor"\n')
    mask = write(f"{ETC}/50.toml", "")
    if masked_by == "link":
        mask.unlink()
        mask.symlink_to("/dev/null")

    assert shown(tmp_path)["dps.id_scope"]["value"] == ""


def test_other_names_and_hidden_files_are_not_read(tmp_path: Path, write: Write) -> None:
    for name in ("50.toml~", "50.toml.dpkg-old", ".50.toml", "README"):
        write(f"{ETC}/{name}", "not settings")

    assert agent("--root", str(tmp_path), "config", "check").returncode == 0


def test_a_settings_file_that_is_named_is_used_alone(tmp_path: Path, write: Write) -> None:
    write(FILE, "not TOML")
    alone = write("elsewhere.toml", '[dps]\nid_scope = "alone"\n')

    settings = shown(tmp_path, "--settings", str(alone))

    assert settings["dps.id_scope"] == {"value": "alone", "origin": str(alone), "changed": True}


def test_a_settings_file_that_is_named_and_missing_is_said(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.toml")
    answer = agent("--settings", missing, "config", "show")

    assert answer.returncode == 2
    assert answer.stdout == f"{missing}: no such file\n"
    assert answer.stderr.startswith(f"settings.file-missing: There is no settings file {missing}\n")


def test_all_bad_files_are_told_at_once(tmp_path: Path, write: Write) -> None:
    write(f"{VENDOR}/10.toml", "[dps]\nscope = 1\n")
    write(FILE, 'method = "tpm"\nid_scope = "0ne"\n[tpm]\ntimeout_s = "long"\n')
    write(f"{ETC}/20.toml", "[dps\n")
    (tmp_path / ETC / "30.toml").mkdir()
    (tmp_path / ETC / "40.toml").symlink_to("nowhere")
    write(RUN, "a file in a folder's place")

    answer = agent("--root", str(tmp_path), "config", "check")

    assert answer.returncode == 2
    assert answer.stdout.splitlines() == [
        f"/{RUN}: Not a directory",
        f"/{ETC}/30.toml: not a regular file",
        f"/{ETC}/40.toml: a link to nothing",
        f"/{VENDOR}/10.toml:2: dps.scope: unknown key; the nearest known one is dps.id_scope",
        f"/{FILE}:2: id_scope: unknown key; the nearest known one is dps.id_scope",
        f"/{FILE}:4: tpm.timeout_s: expected a number of seconds above 0 and up to 300; found a string",
        f"/{ETC}/20.toml:1: not valid TOML: Expected ']' at the end of a table declaration (column 5)",
    ]
    assert answer.stderr.startswith("settings.invalid: Problems in the settings files: 7;")
    assert "what to do: " in answer.stderr


def test_the_report_for_machines_has_the_same_problems(tmp_path: Path, write: Write) -> None:
    write(FILE, '[dps]\nidscope = "0ne"\n')

    answer = agent("--root", str(tmp_path), "config", "check", "--json")

    assert answer.returncode == 2
    assert json.loads(answer.stdout) == {
        "code": "settings.invalid",
        "files": [f"/{FILE}"],
        "problems": [
            {
                "file": f"/{FILE}",
                "line": 2,
                "setting": "dps.idscope",
                "problem": "unknown key",
                "nearest": "dps.id_scope",
            }
        ],
    }


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("folder", "not a regular file"), ("large", "File too large"), ("loop", "Too many levels")],
)
def test_a_file_that_cannot_be_read_is_its_own_answer(
    tmp_path: Path, write: Write, kind: str, reason: str
) -> None:
    place = write(FILE, "#" * 300_000)
    if kind != "large":
        place.unlink()
    if kind == "folder":
        place.mkdir()
    if kind == "loop":
        place.symlink_to(place.name)

    answer = agent("--root", str(tmp_path), "config", "check")

    assert answer.returncode == 2
    assert answer.stderr.startswith(f"settings.unreadable: Settings can't be read: /{FILE}: {reason}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's settings must be root's")
@pytest.mark.parametrize("weak", [ETC, f"{ETC}/10-site.toml"])
def test_settings_that_another_could_change_are_refused_until_the_remedy_is_done(
    tmp_path: Path, write: Write, weak: str
) -> None:
    site = write(f"{ETC}/10-site.toml", '[dps]\nid_scope = "0ne00112233"\n')
    os.chown(tmp_path / weak, 65534, 65534)

    refused = agent("--root", str(tmp_path), "config", "check")

    said = f"settings.unguarded: Somebody else than root could change the settings /{ETC}/10-site.toml"
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{said}: /{weak} belongs to user 65534\n")
    remedy = next(part for part in refused.stderr.split("`") if part.startswith("chown"))
    subprocess.run(["sh", "-ec", remedy.replace(f"/{weak}", str(tmp_path / weak))], check=True)
    assert agent("--root", str(tmp_path), "config", "check").returncode == 0
    assert site.exists()


def test_show_lists_values_with_their_files_and_marks_the_changed(tmp_path: Path, write: Write) -> None:
    write(FILE, '[dps]\nid_scope = "0ne00112233"\n')

    lines = agent("config", "show", "--root", str(tmp_path)).stdout.splitlines()

    assert [line.split() for line in lines if line.startswith("*")] == [
        ["*", "dps.id_scope", "=", '"0ne00112233"', "#", f"/{FILE}"]
    ]
    assert '  dps.registration_id = "auto" ' in "\n".join(lines)


def test_explain_tells_a_code_and_lists_them_all() -> None:
    one, every = agent("explain", "settings.missing"), agent("explain", "list")

    assert (one.returncode, every.returncode) == (0, 0)
    assert '  id_scope = "0ne00112233"\n' in one.stdout
    assert (
        "phase unconfigured, exit code 3, told within 60 s, MESSAGE_ID=4d8a8410f368d88c1ce6bec23440e585"
        in one.stdout
    )
    assert "There is no settings file <path>\n" in every.stdout


@pytest.mark.parametrize(
    ("word", "hint"), [("setting.mising", "did you mean settings.missing?"), ("0", "explain list` names all")]
)
def test_explain_answers_an_unknown_code_with_the_nearest(word: str, hint: str) -> None:
    answer = agent("explain", word)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert hint in answer.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("\x1b[31mlook",),
        ("explain", "\x1b]0;x\x07"),
        ("status", "\x9b2J\u202e"),
        ("config", "\udcff\nsee"),
        ("tpm",),
    ],
)
def test_what_was_typed_is_repeated_as_a_line_that_can_be_printed(words: tuple[str, ...]) -> None:
    answer = agent(*words)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.replace("\n", "").isprintable()


def test_a_files_name_steers_no_terminal(tmp_path: Path, write: Write) -> None:
    write(f"{ETC}/1\x1b[2J\udcff.toml", "")
    assert agent("--root", str(tmp_path), "config", "check").stdout.splitlines()[1:] == [
        rf"  /{ETC}/1\x1b[2J\udcff.toml"
    ]

    write(f"{ETC}/1\x1b[2J\udcff.toml", "scope = 1\n")
    bad = agent("--root", str(tmp_path), "config", "check")

    assert rf"/{ETC}/1\x1b[2J\udcff.toml:1: scope: unknown key" in bad.stdout
    assert (bad.stdout + bad.stderr).replace("\n", "").isprintable()


# What config.toml says on its own


def test_what_is_left_to_config_toml_is_shown_beside_the_default(tmp_path: Path, write: Write) -> None:
    write("etc/aziot/config.toml", 'auto_reprovisioning_mode = "OnErrorOnly"\n')
    row = "runtime.auto_reprovisioning_mode"
    (line,) = (
        one for one in agent("--root", str(tmp_path), "config", "show").stdout.splitlines() if row in one
    )

    assert line.endswith("# default; left to config.toml: OnErrorOnly")
    assert shown(tmp_path)[row] == {
        "value": "Dynamic", "origin": "default", "changed": False, "left_to_config": "OnErrorOnly",
    }  # fmt: skip

    write(FILE, '[runtime]\nauto_reprovisioning_mode = "Dynamic"\n')
    assert "left_to_config" not in shown(tmp_path)[row]


def test_a_config_toml_that_cannot_be_read_is_said_and_the_settings_are_shown(
    tmp_path: Path, write: Write
) -> None:
    write("etc/aziot/config.toml", "hostname: x\n")
    answer = agent("--root", str(tmp_path), "config", "show")

    assert answer.returncode == 0
    assert "runtime.hostname = " in answer.stdout
    assert answer.stderr.startswith("What config.toml says itself is left out: Line 1 of config.toml")
