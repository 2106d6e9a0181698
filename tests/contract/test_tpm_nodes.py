"""Device nodes: which there are, what keeps one from being opened, and the keys behind one."""

import errno
import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.codes import Code
from agent.codes import tpm as codes
from agent.host.root import Root
from agent.tpm import keys, nodes
from agent.tpm.device import Device
from agent.tpm.keys import Request
from tests.contract.tpm_asking import COLD, EK, LOOKED, ONCE, SRK, WARM, persistent_handles, refusal
from tests.standins.software_tpm import SoftwareTpm

NODE = "/dev/tpmrm0"
OPENING = ["0x17b"]  # the library's tcti-device asks for a random number when it opens a node


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "dev").mkdir()
    return Root(str(tmp_path))


def put_nodes(root: Root, *names: str) -> None:
    for name in names:
        os.symlink("/dev/null", root.path(f"/dev/{name}"))


@pytest.mark.parametrize(
    ("there", "listed"),
    [
        pytest.param((), [], id="none"),
        pytest.param(("tpm0", "tpmrm0"), ["tpmrm0"], id="the manager's stands for both"),
        pytest.param(("tpm0",), ["tpm0"], id="no manager"),
        pytest.param(("tpm0", "tpm1", "tpmrm1"), ["tpm0", "tpmrm1"], id="a manager for one of two"),
        pytest.param(("tpmrm10", "tpmrm2", "tpmrm1"), ["tpmrm1", "tpmrm2", "tpmrm10"], id="by number"),
        pytest.param(("tpm", "tpmx", "vtpmx", "tpmrm", "tpmrm0a", "null"), [], id="no TPMs"),
    ],
)
def test_nodes_are_listed(root: Root, there: tuple[str, ...], listed: list[str]) -> None:
    put_nodes(root, *there)

    assert [device.name for device in nodes.list_nodes(root)] == [f"/dev/{name}" for name in listed]


def test_a_machine_without_dev_has_no_nodes(tmp_path: Path) -> None:
    assert nodes.list_nodes(Root(str(tmp_path / "nowhere"))) == ()


def test_a_node_is_known_by_its_name_below_the_root(root: Root) -> None:
    put_nodes(root, "tpmrm3")
    (device,) = nodes.list_nodes(root)

    assert device == nodes.device(root, "/dev/tpmrm3")
    assert (device.name, device.path, device.number) == ("/dev/tpmrm3", root.path("/dev/tpmrm3"), 3)
    assert device.tcti == f"device:{device.path}"


def test_a_successor_of_the_same_name_is_told_from_its_predecessor(root: Root) -> None:
    put_nodes(root, "tpmrm0", "tpmrm1")
    before = nodes.device(root, NODE)
    os.replace(root.path("/dev/tpmrm1"), root.path(NODE))

    assert nodes.device(root, NODE).inode != before.inode


def test_a_tcti_string_stands_as_it_is(root: Root) -> None:
    assert nodes.device(root, "swtpm:port=2321") == Device("swtpm:port=2321", "swtpm:port=2321")


# What keeps a node from being opened


def hindrance(root: Root, name: str = NODE) -> Code | None:
    finding = nodes.hindrance(root, nodes.device(root, name))
    return finding.code if finding else None


def test_nothing_keeps_a_device_from_being_opened(root: Root) -> None:
    put_nodes(root, "tpmrm0")

    assert hindrance(root) is None


def test_a_node_may_have_a_name_of_its_own(root: Root) -> None:
    put_nodes(root, "line-tpm")

    assert nodes.device(root, "/dev/line-tpm").number == -1
    assert hindrance(root, "/dev/line-tpm") is None


def test_a_tcti_string_is_not_opened(root: Root) -> None:
    assert hindrance(root, "swtpm:port=2321") is None


def test_a_node_that_is_not_there(root: Root) -> None:
    assert hindrance(root) == codes.NODE_ABSENT


def test_a_link_to_nowhere(root: Root) -> None:
    os.symlink("/nowhere", root.path(NODE))

    assert hindrance(root) == codes.NODE_ABSENT


def test_a_file_in_place_of_a_node(root: Root) -> None:
    Path(root.path(NODE)).write_bytes(b"written while the TPM was away")

    assert hindrance(root) == codes.NOT_A_DEVICE


def test_a_directory_in_place_of_a_node(root: Root) -> None:
    os.mkdir(root.path(NODE))

    assert hindrance(root) == codes.NOT_A_DEVICE


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, path: str, number: int) -> None:
    """Have the kernel refuse this path; as root it would not, and no hardware is there to be busy."""
    real = os.open

    def refusing(place: str, flags: int, *rest: int) -> int:
        if place == path:
            raise OSError(number, os.strerror(number), place)
        return real(place, flags, *rest)

    monkeypatch.setattr(os, "open", refusing)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENODEV, codes.NODE_ABSENT),
        (errno.ENXIO, codes.NODE_ABSENT),
        (errno.EBUSY, codes.BUSY),
        (errno.EACCES, codes.NO_PERMISSION),
        (errno.EPERM, codes.NO_PERMISSION),
        (errno.EIO, codes.UNOPENABLE),
    ],
)
def test_every_refusal_of_the_kernel_has_its_own_code(
    root: Root, monkeypatch: pytest.MonkeyPatch, number: int, code: Code
) -> None:
    put_nodes(root, "tpmrm0")
    refuse_to_open(monkeypatch, root.path(NODE), number)

    assert hindrance(root) == code


NOBODY, ROOT = 65534, 0


@dataclass(frozen=True)
class Refused:
    """Who is refused at which node, and what helps."""

    mode: int
    group: str
    user: int
    advice: str


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Refused(0o660, "nogroup", NOBODY, "usermod -aG nogroup nobody"), id="a group would do"),
        pytest.param(Refused(0o600, "nogroup", NOBODY, "Run the command as root."), id="the group may not"),
        pytest.param(Refused(0o660, "root", NOBODY, "Run the command as root."), id="the group is root's"),
        pytest.param(Refused(0o660, "nogroup", ROOT, "DeviceAllow="), id="root, and yet"),
    ],
)
def test_a_missing_permission_is_named(root: Root, monkeypatch: pytest.MonkeyPatch, case: Refused) -> None:
    mode, group, user, advice = case.mode, case.group, case.user, case.advice
    Path(root.path(NODE)).touch()
    os.chmod(root.path(NODE), mode)
    seen = os.stat_result((0o100000 | mode, 1, 1, 1, ROOT, grp.getgrnam(group).gr_gid, 0, 0, 0, 0))
    refuse_to_open(monkeypatch, root.path(NODE), errno.EACCES)
    monkeypatch.setattr(os, "stat", lambda _: seen)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    finding = nodes.hindrance(root, nodes.device(root, NODE))

    assert finding is not None
    assert finding.code == codes.NO_PERMISSION
    assert f"user root and group {group} with mode {mode:04o}" in finding.explanation
    assert finding.summary == f"User {pwd.getpwuid(user).pw_name} may not open {NODE}"
    assert advice in finding.remedy


def test_users_without_a_name_are_named_by_number(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(root.path(NODE)).touch()
    refuse_to_open(monkeypatch, root.path(NODE), errno.EACCES)
    monkeypatch.setattr(os, "stat", lambda _: os.stat_result((0o100660, 1, 1, 1, 77777, 88888, 0, 0, 0, 0)))
    finding = nodes.hindrance(root, nodes.device(root, NODE))

    assert finding is not None
    assert "user 77777 and group 88888" in finding.explanation


@pytest.mark.parametrize(("major", "code"), [("1\n", codes.VERSION_1_2), ("2\n", None), ("", None)])
def test_a_tpm_of_the_older_generation_is_told(root: Root, major: str, code: Code | None) -> None:
    put_nodes(root, "tpmrm0")
    place = Path(root.path("/sys/class/tpm/tpm0/tpm_version_major"))
    place.parent.mkdir(parents=True)
    place.write_text(major)

    assert hindrance(root) == code


def test_a_version_that_can_not_be_read_says_nothing(root: Root) -> None:
    put_nodes(root, "tpmrm0")
    os.makedirs(root.path("/sys/class/tpm/tpm0/tpm_version_major"))

    assert hindrance(root) is None


# The keys behind a node


def test_keys_are_made_behind_a_node(root: Root, software_tpm: SoftwareTpm) -> None:
    software_tpm.bridge(root.path(NODE)).plug()
    (device,) = nodes.list_nodes(root)
    made = keys.ensure(root, Request(device, patience=ONCE))

    assert software_tpm.commands() == LOOKED + OPENING + COLD[len(LOOKED) :]
    assert made.notices == ()
    assert persistent_handles(software_tpm) == [SRK, EK]
    software_tpm.commands()
    assert keys.ensure(root, Request(device, patience=ONCE)).complete
    assert software_tpm.commands() == WARM


def test_a_node_that_was_unplugged_is_absent_and_comes_back(root: Root, software_tpm: SoftwareTpm) -> None:
    bridge = software_tpm.bridge(root.path(NODE))
    bridge.plug()
    made = keys.ensure(root, Request(nodes.device(root, NODE), patience=ONCE))
    bridge.unplug()

    assert nodes.list_nodes(root) == ()
    assert (
        refusal(keys.show, Request(nodes.device(root, NODE), patience=ONCE), root).code == codes.NODE_ABSENT
    )
    bridge.plug()
    assert keys.show(root, Request(nodes.device(root, NODE), patience=ONCE)).ek.name == made.ek.name


def test_a_hindrance_is_met_before_the_tpm_is_asked(root: Root, software_tpm: SoftwareTpm) -> None:
    software_tpm.bridge(root.path(NODE)).plug()
    place = Path(root.path("/sys/class/tpm/tpm0/tpm_version_major"))
    place.parent.mkdir(parents=True)
    place.write_text("1\n")

    assert refusal(keys.ensure, Request(nodes.device(root, NODE)), root).code == codes.VERSION_1_2
    assert software_tpm.commands() == []
