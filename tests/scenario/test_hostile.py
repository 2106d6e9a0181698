"""The runtime's users after a break-in: what they own on the machine is read by root, and must not rule it.

Each of them acts with its own ids only, on what the runtime's packages give it.
"""

import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.scenario.stage import Stage
from tests.standins.layout import ids

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
_SECRET = "hunter2-of-root"  # noqa: S105
_EDGEDS = "/etc/aziot/edged/config.d/00-super.toml"  # in a folder of user iotedge's own
_IDENTITYDS = "/etc/aziot/identityd/config.d/00-super.toml"  # in root's folder, aziotid's own file
_BOMB = f"a{'.b' * 5_000} = 1\n"


def _as(stage: Stage, user: str, deed: Callable[[], object]) -> None:
    """Do something as a user of the machine, in a process of its own."""
    assert os.waitstatus_to_exitcode(os.waitpid(_begun_as(stage, user, deed), 0)[1]) == 0


def _begun_as(stage: Stage, user: str, deed: Callable[[], object]) -> int:
    uid, gid = ids(stage.machine.root, user) or (65534, 65534)
    pid = os.fork()
    if not pid:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            deed()
            status = 0
        finally:
            os._exit(status)
    return pid


def _sparse(place: str) -> None:
    with open(place, "wb") as target:
        target.truncate(1 << 40)


def _bomb(place: str) -> None:
    with open(place, "w", encoding="ascii") as target:
        target.write(_BOMB)


def _socket(place: str) -> None:
    os.chdir(os.path.dirname(place))
    socket.socket(socket.AF_UNIX).bind(os.path.basename(place))


_LEFT: dict[str, Callable[[str], object]] = {
    "a pipe": os.mkfifo,
    "a socket": _socket,
    "a file of a terabyte": _sparse,
    "a key without end": _bomb,
    "an endless device": lambda place: os.symlink("/dev/zero", place),
    "a link to itself": lambda place: os.symlink("00-super.toml", place),
    "a process that is waited for": lambda place: os.symlink("/proc/self/fd/0", place),
}


@pytest.mark.parametrize("left", _LEFT)
def test_what_lies_in_place_of_a_generated_file_is_replaced(provisioned: Stage, left: str) -> None:
    place = provisioned.path(_EDGEDS)

    def deed() -> None:
        os.unlink(place)
        _LEFT[left](place)

    _as(provisioned, "iotedge", deed)

    assert provisioned.look_until("runtime.provisioned")
    assert stat.S_ISREG(os.lstat(place).st_mode)


def test_nothing_is_gained_by_changing_it_between_two_looks_of_ours(provisioned: Stage) -> None:
    """Another kind of file each moment, while root opens what it has just seen."""
    place = provisioned.path(_EDGEDS)
    provisioned.write("/etc/secret.toml", f'hostname = "{_SECRET}"\n', 0o600)
    kinds: list[Callable[[str], object]] = [
        os.mkfifo,
        _bomb,
        lambda name: os.symlink(provisioned.path("/etc/secret.toml"), name),
    ]

    def race() -> None:
        while True:
            for kind in kinds:
                with suppress(OSError):
                    os.unlink(place)
                    kind(place)

    racer = _begun_as(provisioned, "iotedge", race)
    try:
        told = [provisioned.run(*words) for words in (("plan",), ("plan", "--json")) * 4]
    finally:
        os.kill(racer, signal.SIGKILL)
        os.waitpid(racer, 0)

    assert {one.status for one in told} == {0}
    assert not [one for one in told if _SECRET in one.out + one.err]


def test_a_link_to_roots_file_shows_nothing_of_it(provisioned: Stage) -> None:
    """A word of it that fits would be taken for the host name of the last apply."""
    secret, place = provisioned.path("/etc/secret.toml"), provisioned.path(_EDGEDS)
    text = f'hostname = "{_SECRET}"\nauto_reprovisioning_mode = "{_SECRET}"\n'
    provisioned.write("/etc/secret.toml", text, 0o600)

    def deed() -> None:
        os.unlink(place)
        os.symlink(secret, place)

    _as(provisioned, "iotedge", deed)
    told = [provisioned.run(*words) for words in (("plan",), ("plan", "--json"), ("once",), ("status",))]

    assert not [one for one in told if _SECRET in one.out + one.err]
    assert _SECRET not in provisioned.heard
    assert provisioned.look_until("runtime.provisioned")
    assert provisioned.read("/etc/secret.toml") == text, "nothing went through the link"


def test_who_undoes_what_was_applied_does_not_stop_the_modules_each_time(provisioned: Stage) -> None:
    place = provisioned.path(_IDENTITYDS)
    before = provisioned.edged()

    def undo() -> None:
        with open(place, "w", encoding="ascii") as target:
            target.write("x = 1\n")

    _as(provisioned, "aziotid", undo)
    assert provisioned.watched_look()["code"] != "apply.undone"
    once = provisioned.edged()
    _as(provisioned, "aziotid", undo)
    undone = [provisioned.watched_look() for _ in range(3)]

    assert [look["code"] for look in undone] == ["apply.undone"] * 3
    assert "aziot-identityd: provisioning.source" in undone[0]["summary"]
    assert before != once == provisioned.edged()
    remedy = next(part for part in undone[0]["remedy"].split("`") if part.startswith("ls"))
    command = ["sh", "-ec", remedy.replace("/etc/", provisioned.path("/etc/"))]
    assert "00-super.toml" in subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert provisioned.look_until("runtime.provisioned")


def test_the_own_file_of_a_user_keeps_no_look_busy(provisioned: Stage) -> None:
    _as(provisioned, "aziotid", lambda: _bomb(provisioned.path(_IDENTITYDS)))

    assert provisioned.look_until("runtime.provisioned")
