"""The manual pages and completions: man and the shells understand them, and they say what the code says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.codes.catalogue import all_codes
from agent.settings.rows import ROWS
from docs import command_line, roff
from tests.package.debian_tree import PROJECT, run

PAGES = ("edge-provisioner.8", "edge-provisioner.toml.5")
COMPLETIONS = PROJECT / "packaging" / "completions"
LINE = command_line.read()
Shell = Callable[..., set[str]]
VERBS = [verb.name for verb in LINE.verbs]


def shown(page: str) -> str:
    """Give a page as a person reads it, on a wide terminal and without emphasis."""
    path = PROJECT / "packaging" / page
    text = run("env", "MANWIDTH=400", "man", "--local-file", path)
    return " ".join(re.sub(".\b", "", text).split())


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", ["60", "80", "132"])
def test_man_has_no_warnings(page: str, width: str) -> None:
    path = PROJECT / "packaging" / page
    render = "man --warnings --encoding=UTF-8 --troff-device=utf8 --ditroff --local-file"

    assert run("sh", "-c", f'MANWIDTH={width} {render} "$1" 2>&1 >/dev/null', "sh", path) == ""


def test_the_page_of_the_command_has_every_verb_option_and_code() -> None:
    text = shown("edge-provisioner.8")

    for verb in LINE.verbs:
        assert f" {verb.name} " in text
        for option in (*LINE.options, *verb.options):
            assert option.names[0] in text
    assert [code.name for code in all_codes() if f"{code.name} ({code.phase})" not in text] == []


def test_the_page_of_the_settings_has_every_setting() -> None:
    text = shown("edge-provisioner.toml.5")

    assert [name for name in ROWS if f" {name} " not in text] == []


def test_what_man_could_take_for_a_request_is_text(tmp_path: Path) -> None:
    text = "## Name\n\nx - y\n\n## Text\n\n.so /etc/passwd\n'quote a\\b `--a-b 'c'` ~^\n\n```\n.x \\ -\n```\n"
    page = tmp_path / "x.8"
    page.write_text(roff.page("x", 8, "x 1", text))

    read = run("man", "--local-file", page).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")

    assert "     .so /etc/passwd 'quote a\\b --a-b 'c' ~^" in read
    assert "     .x \\ -\n" in read


def bash(*words: str) -> set[str]:
    """Give what bash offers for the last of the words."""
    script = """
        source "$1"; shift
        compopt() { :; }
        COMP_WORDS=(edge-provisioner "$@"); COMP_CWORD=$#
        _edge_provisioner
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    return set(run("bash", "-c", script, "bash", COMPLETIONS / "edge-provisioner", *words).split())


def fish(*words: str) -> set[str]:
    """Give what fish offers for the last of the words."""
    script = f'source {COMPLETIONS / "edge-provisioner.fish"}; complete -C "$argv[1]"'
    lines = run("fish", "--no-config", "-c", script, " ".join(["edge-provisioner", *words])).splitlines()
    return {line.partition("\t")[0] for line in lines}


@pytest.mark.parametrize("shell", [bash, fish])
class TestCompletion:
    """The same questions to two shells."""

    def test_verbs_come_first(self, shell: Shell) -> None:
        assert set(VERBS) <= shell("")
        assert shell("st") == {"status"}
        assert set(VERBS) <= shell("--root", "/tmp", "")

    def test_a_verb_has_its_options(self, shell: Shell) -> None:
        for verb in LINE.verbs:
            expected = {option.names[0] for option in (*verb.options, *LINE.everywhere)}
            assert expected <= shell(verb.name, "--"), verb.name
        assert "--adopt" not in shell("status", "--")

    def test_a_value_has_its_choices(self, shell: Shell) -> None:
        assert "held" in shell("status", "--wait", "")
        assert shell("tpm", "e") == {"ensure"}
        assert {"settings.missing", "list"} <= shell("explain", "")

    def test_files_and_folders(self, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()

        found = {name.rstrip("/") for name in shell("--settings", f"{tmp_path}/f")}
        assert found == {f"{tmp_path}/file", f"{tmp_path}/folder"}
        found = {name.rstrip("/") for name in shell("--root", f"{tmp_path}/f")}
        assert found == {f"{tmp_path}/folder"}


ZSH = r"""
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PS1=; unsetopt zle_bracketed_paste
        fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D
        show() { print -r -- \"<\$BUFFER>\"; BUFFER=; zle accept-line }; zle -N show; bindkey '^X' show
        bindkey '^I' complete-word; print rea''dy"
    zpty -r -m shell answer '*ready*'
    for line in "${@:2}"; do
        zpty -w -n shell "$line"$'\t\x18'
        zpty -r -m shell answer '*<*>*'
        print -r -- ${${answer##*<}%%>*}
    done
"""


def test_zsh_completes_what_is_unambiguous(tmp_path: Path) -> None:
    """Its own completion system is asked, in a terminal of its own."""
    (tmp_path / "only.toml").touch()
    completed = {
        "exp": "explain",
        "--root /tmp sta": "--root /tmp status",
        "once --ado": "once --adopt",
        "status --ado": "status --ado",
        "status --wait hel": "status --wait held",
        "tpm ens": "tpm ensure",
        "explain settings.miss": "explain settings.missing",
        f"--settings {tmp_path}/on": f"--settings {tmp_path}/only.toml",
    }

    asked = [f"edge-provisioner {line}" for line in completed]
    answers = run("zsh", "-f", "-c", ZSH, "zsh", COMPLETIONS, *asked).splitlines()

    assert [line.strip() for line in answers] == [f"edge-provisioner {line}" for line in completed.values()]
