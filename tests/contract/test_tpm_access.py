"""Whether the runtime's user may open the TPM: the rule file, udevadm, and the proof by opening."""

import errno
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.codes import AgentError
from agent.facts.request import Request
from agent.host import files
from agent.host.root import Root, User
from agent.look.access import look
from agent.settings import Settings
from agent.tpm import access
from agent.tpm.access import Access, Rule, RuleState
from tests.unit import snapshots

_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may open as another user")
TPMD = User("aziottpm", 998, 998, (111,))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    for folder in ("etc/udev/rules.d", "run/udev/rules.d"):
        (tmp_path / folder).mkdir(parents=True)
    return Root(str(tmp_path))


def rule(root: Root) -> Path:
    return Path(root.path(access.RULE_PLACE))


def rule_in_run(root: Root) -> Path:
    return Path(root.path(access.RULE_PLACE_IN_RUN))


def put(path: Path, text: bytes) -> None:
    path.write_bytes(text)


def test_the_rule_is_the_packages_or_else_the_checkouts(root: Root) -> None:
    checkout = (Path(__file__).parents[2] / "udev" / "tpmaccess.rules").read_bytes()
    assert access.shipped_rule(root) == checkout

    shipped = Path(root.path("/usr/share/edge-provisioner/tpmaccess.rules"))
    shipped.parent.mkdir(parents=True)
    put(shipped, b"# another version\n")
    assert access.shipped_rule(root) == b"# another version\n"


def test_a_missing_rule_template_is_said(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_IN_CHECKOUT", "/nowhere/tpmaccess.rules")

    with pytest.raises(AgentError) as told:
        access.shipped_rule(root)

    assert told.value.finding.code.name == "udev.rule-template-missing"
    seen = look(Request(root), Settings(), snapshots.fresh(), None).access
    assert seen.trouble == told.value.finding, "a look goes on, and tells of it"


_MADE: dict[str, Callable[[Path], object]] = {
    "missing": lambda _: None,
    "ours": lambda path: path.write_bytes(access.shipped_rule(Root("/nowhere"))),
    "different": lambda path: path.write_bytes(b'KERNEL=="tpm0", OWNER="tss"\n'),
    "link": lambda path: path.symlink_to("/etc/udev/rules.d/other.rules"),
    "masked by a link": lambda path: path.symlink_to("/dev/null"),
    "masked by nothing": lambda path: path.write_bytes(b""),
    "masked by blanks": lambda path: path.write_bytes(b"\n \n"),
    "different, a directory": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("name", _MADE)
def test_what_lies_there(name: str, root: Root) -> None:
    _MADE[name](rule(root))

    found = access.look_at_rule(root)

    assert found.state == name.split(maxsplit=1)[0].rstrip(",")
    assert found.place == access.RULE_PLACE


def test_a_link_says_where_it_leads(root: Root) -> None:
    rule(root).symlink_to("other.rules")

    assert access.look_at_rule(root).target == "other.rules"


def test_ours_in_run_counts_where_etc_has_none(root: Root) -> None:
    put(rule_in_run(root), access.shipped_rule(root))
    assert access.look_at_rule(root) == Rule(
        RuleState.OURS, access.RULE_PLACE_IN_RUN, access.shipped_rule(root)
    )

    put(rule(root), b"# somebody's\n")
    assert access.look_at_rule(root).state is RuleState.DIFFERENT, "a name in /etc hides the one in /run"


def test_somebody_elses_in_run_is_none_of_ours(root: Root) -> None:
    put(rule_in_run(root), b"# somebody's\n")

    assert access.look_at_rule(root) == Rule(RuleState.MISSING)


def test_the_rule_is_put_in_place_for_everybody_to_read(root: Root) -> None:
    installed = access.install_rule(root, access.look_at_rule(root))

    assert (installed.place, installed.backup) == (access.RULE_PLACE, "")
    assert access.look_at_rule(root).state is RuleState.OURS
    assert stat.S_IMODE(rule(root).stat().st_mode) == 0o644


def test_the_rule_finds_its_folder_missing(tmp_path: Path) -> None:
    root = Root(str(tmp_path))

    access.install_rule(root, access.look_at_rule(root))

    assert access.look_at_rule(root).state is RuleState.OURS


def test_a_different_rule_is_kept_once_and_never_overwritten(root: Root) -> None:
    put(rule(root), b"# the first\n")
    first = access.install_rule(root, access.look_at_rule(root))
    put(rule(root), b"# the second\n")
    second = access.install_rule(root, access.look_at_rule(root))

    assert first.backup == second.backup == f"{access.RULE_PLACE}.edge-provisioner-saved"
    assert Path(root.path(first.backup)).read_bytes() == b"# the first\n"
    assert files.names(str(rule(root).parent)) == (
        "tpmaccess.rules",
        "tpmaccess.rules.edge-provisioner-saved",
    )


def refusing(number: int, monkeypatch: pytest.MonkeyPatch, *folders: str) -> None:
    """Have writing below some folders refused."""
    write = files.write

    def refuse(path: str, data: bytes, attributes: files.Attributes) -> bool:
        if any(f"/{folder}/" in path for folder in folders):
            raise OSError(number, os.strerror(number), path)
        return write(path, data, attributes)

    monkeypatch.setattr(files, "write", refuse)


def test_where_etc_is_read_only_the_rule_goes_to_run(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(errno.EROFS, monkeypatch, "etc")

    installed = access.install_rule(root, access.look_at_rule(root))

    assert installed.place == access.RULE_PLACE_IN_RUN
    assert access.look_at_rule(root).state is RuleState.OURS


@pytest.mark.parametrize(
    ("number", "folders", "place"),
    [
        (errno.ENOSPC, ("etc",), access.RULE_PLACE),
        (errno.EACCES, ("etc",), access.RULE_PLACE),
        (errno.EROFS, ("etc", "run"), access.RULE_PLACE_IN_RUN),
    ],
)
def test_a_rule_that_cannot_be_written_is_said(
    number: int, folders: tuple[str, ...], place: str, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(rule(root), b"# somebody's\n")
    found = access.look_at_rule(root)
    refusing(number, monkeypatch, *folders)

    with pytest.raises(AgentError) as told:
        access.install_rule(root, found)

    assert told.value.finding.code.name == "udev.rule-unwritable"
    assert place in told.value.finding.summary
    assert rule(root).read_bytes() == b"# somebody's\n"


def udevadm(root: Root, script: str) -> Path:
    """Put an udevadm of our own below the root; gives the file in which it notes what it was asked."""
    program, asked = Path(root.path("/usr/bin/udevadm")), Path(root.path("/asked"))
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$@" >>{asked}\n{script}\n')
    program.chmod(0o755)
    return asked


def test_udev_reads_its_rules_then_applies_them_and_is_waited_for(root: Root) -> None:
    asked = udevadm(root, "")

    assert access.announce(root)

    words = [line.split() for line in asked.read_text().splitlines()]
    assert [line[0] for line in words] == ["control", "trigger", "settle"]
    assert {"--subsystem-match=tpm", "--subsystem-match=tpmrm"} <= set(words[1])


def test_without_udevadm_nothing_is_announced(root: Root) -> None:
    assert not access.announce(root)


@pytest.mark.parametrize(
    ("script", "reason"),
    [("echo 'no such file' >&2; exit 1", "no such file"), ("exit 7", "status 7")],
)
def test_a_refusing_udevadm_is_named_with_its_reason(script: str, reason: str, root: Root) -> None:
    asked = udevadm(root, f'[ "$1" = control ] || {{ {script}; }}')

    with pytest.raises(AgentError) as told:
        access.announce(root)

    facts = dict(told.value.finding.facts)
    assert told.value.finding.code.name == "udev.udevadm-failed"
    assert (facts["command"], facts["reason"]) == ("udevadm trigger", reason)
    assert len(asked.read_text().splitlines()) == 2, "it is not asked to go on"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """Give a file that stands for a device node."""
    path = tmp_path / "tpmrm0"
    path.write_bytes(b"")
    return path


_RIGHTS = [
    # owner, group, mode, may user 998 of groups 998 and 111
    (998, 0, 0o600, True),
    (998, 0, 0o400, False),
    (998, 998, 0o066, False),  # the owner's rights are the owner's, whatever the others have
    (0, 998, 0o660, True),
    (0, 111, 0o660, True),
    (0, 111, 0o606, False),
    (0, 0, 0o606, True),
    (0, 0, 0o660, False),
    (0, 0, 0o600, False),
]


@_as_root
@pytest.mark.parametrize(("owner", "group", "mode", "may"), _RIGHTS)
def test_the_mode_says_what_opening_proves(owner: int, group: int, mode: int, may: bool, node: Path) -> None:
    """The node's own rights count, not those of the folders on the way to its own."""
    os.chown(node, owner, group)
    node.chmod(mode)
    node.parent.chmod(0o755)
    node.parent.parent.chmod(0o700)

    assert access.permits(str(node), TPMD) == may
    expected = (Access.GRANTED, "") if may else (Access.DENIED, "Permission denied")
    assert access.try_open(str(node), TPMD) == expected


def test_root_may_and_nobody_may_open_nothing(node: Path) -> None:
    node.chmod(0)

    assert access.permits(str(node), User("root", 0, 0))
    assert not access.permits(f"{node}-gone", TPMD)


def test_one_can_try_as_oneself(node: Path) -> None:
    me = User("me", os.geteuid(), os.getegid())

    assert access.try_open(str(node), me) == (Access.GRANTED, "")


def test_a_node_that_is_gone_proves_nothing(node: Path) -> None:
    me = User("me", os.geteuid(), os.getegid())

    assert access.try_open(f"{node}-gone", me) == (Access.NOT_PROVEN, os.strerror(errno.ENOENT))


def test_only_root_can_try_as_another(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert access.try_open(str(node), TPMD)[0] is Access.NOT_PROVEN


@_as_root
def test_a_try_that_fails_proves_nothing(node: Path) -> None:
    """That nobody can become this user is no word about the node."""
    nobody = User("nobody", -7, -7)

    found, reason = access.try_open(str(node), nobody)

    assert found is Access.NOT_PROVEN
    assert "status 1" in reason


def test_a_driver_that_does_not_answer_proves_nothing(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_open_as", lambda *_: signal.pause())
    monkeypatch.setattr(access, "_OPEN_TIMEOUT_S", 0.1)
    me = User("me", os.geteuid(), os.getegid())

    assert access.try_open(str(node), me) == (Access.NOT_PROVEN, "the driver did not answer")
