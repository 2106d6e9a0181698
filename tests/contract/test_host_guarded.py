"""Whether others than root could change a file: by its mode and owner, by its folders, behind links."""

import os
from pathlib import Path

import pytest

from agent.codes import AgentError
from agent.host.guarded import UnguardedError, program, require_secret, weak_place
from agent.host.root import Root

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked for what is root's")
_NOBODY = 65534


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    place = tmp_path / "etc/agent/agent.toml"
    place.parent.mkdir(parents=True, mode=0o755)
    place.touch(0o644)
    return place


def _found(place: Path, below: Path) -> tuple[str, str] | None:
    found = weak_place(str(place), str(below))
    return found and (os.path.relpath(found[0], below), found[1])


def test_what_is_roots_down_the_path_is_taken(settings: Path, tmp_path: Path) -> None:
    assert _found(settings, tmp_path) is None
    assert weak_place("/dev/null") is None
    assert weak_place("/etc/passwd") is None
    assert weak_place("/etc/is-not-there") is None


@pytest.mark.parametrize("weak", ["etc", "etc/agent", "etc/agent/agent.toml"])
def test_the_place_that_others_may_change_is_named(weak: str, settings: Path, tmp_path: Path) -> None:
    os.chown(tmp_path / weak, _NOBODY, 0)
    assert _found(settings, tmp_path) == (weak, "belongs to user 65534")
    os.chown(tmp_path / weak, 0, _NOBODY)
    (tmp_path / weak).chmod(0o775)
    assert _found(settings, tmp_path) == (weak, "can be written by group 65534")
    (tmp_path / weak).chmod(0o757)
    assert _found(settings, tmp_path) == (weak, "can be written by everybody")
    os.chown(tmp_path / weak, 0, 0)
    (tmp_path / weak).chmod(0o775)
    assert _found(settings, tmp_path) is None, "roots own group"


def test_in_a_folder_with_the_sticky_bit_others_cannot_touch_it(settings: Path, tmp_path: Path) -> None:
    settings.parent.chmod(0o1777)

    assert _found(settings, tmp_path) is None


def test_what_lies_above_is_taken_as_it_is(settings: Path, tmp_path: Path) -> None:
    os.chown(settings.parent, _NOBODY, _NOBODY)

    assert _found(settings, settings.parent) is None


@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_leads_on_to_the_folders_behind_it(absolute: bool, settings: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "srv/theirs"
    theirs.mkdir(parents=True)
    (theirs / "second").symlink_to(settings)
    first = settings.parent / "first"
    first.symlink_to(theirs / "second" if absolute else "../../srv/theirs/second")
    assert _found(first, tmp_path) is None

    os.chown(theirs, _NOBODY, _NOBODY)

    assert _found(first, tmp_path) == ("srv/theirs", "belongs to user 65534")


def test_somebodys_link_is_theirs_wherever_it_leads(settings: Path, tmp_path: Path) -> None:
    link = settings.parent / "10.toml"
    link.symlink_to("/dev/null")
    os.chown(link, _NOBODY, _NOBODY, follow_symlinks=False)

    assert _found(link, tmp_path) == ("etc/agent/10.toml", "belongs to user 65534")


def test_links_in_a_circle_come_to_an_end(settings: Path, tmp_path: Path) -> None:
    link = settings.parent / "round"
    link.symlink_to("round")

    assert _found(link, tmp_path) is None


def test_who_is_not_root_goes_by_files_of_their_own(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.chmod(0o666)
    monkeypatch.setattr(os, "geteuid", lambda: _NOBODY)

    assert weak_place(str(settings)) is None


def _open(place: Path, below: Path) -> str:
    try:
        require_secret(Root(str(below)), str(place))
    except UnguardedError as error:
        return f"{os.path.relpath(error.place, below)} {error.how}"
    return ""


def test_a_secret_is_roots_to_read(settings: Path, tmp_path: Path) -> None:
    assert _open(settings, tmp_path) == "etc/agent/agent.toml can be read by everybody"
    settings.chmod(0o640)
    assert _open(settings, tmp_path) == "", "roots own group"
    os.chown(settings, 0, _NOBODY)
    assert _open(settings, tmp_path) == "etc/agent/agent.toml can be read by group 65534"
    settings.chmod(0o600)
    assert _open(settings, tmp_path) == ""
    os.chown(settings, _NOBODY, 0)
    assert _open(settings, tmp_path) == "etc/agent/agent.toml belongs to user 65534"


def test_a_folder_that_others_cannot_enter_keeps_its_secrets(settings: Path, tmp_path: Path) -> None:
    settings.parent.chmod(0o700)
    assert _open(settings, tmp_path) == ""
    outside = tmp_path / "srv"
    outside.mkdir(mode=0o755)
    settings.rename(outside / "open")
    settings.symlink_to(outside / "open")
    assert _open(settings, tmp_path) == "srv/open can be read by everybody", "another way"
    tmp_path.chmod(0o700)
    assert _open(outside / "open", tmp_path) != "", "what lies above is taken as it is"


def test_who_is_not_root_has_passwords_of_their_own(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: _NOBODY)

    require_secret(Root(), str(settings))


def test_a_program_is_given_only_where_it_is_roots(settings: Path, tmp_path: Path) -> None:
    root = Root(str(tmp_path))
    assert program(root, "/etc/agent/agent.toml") is None
    settings.chmod(0o755)
    assert program(root, "/etc/agent/agent.toml") == str(settings)

    settings.chmod(0o757)

    with pytest.raises(AgentError, match=r"agent\.unguarded: .* /etc/agent/agent\.toml can be written by"):
        program(root, "/etc/agent/agent.toml")
