"""What a pass may not do: touch the machine around its root, or tell a secret."""

import json
import os
import re
import shutil
import sys

import pytest

from tests.scenario.stage import CHECKOUT, CONFIG, HISTORY, STATUS, Stage, run_command, set_owner_password

SECRET = "hunter2-of-the-owner"  # noqa: S105  # the software TPM's
OTHER_SECRET = "hunter3-of-the-owner"  # noqa: S105
TOOLS = ("iotedge", "systemctl", "journalctl", "udevadm")
_TRACED = (
    "execve,openat,open,creat,connect,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2,symlink,"
    "chmod,fchmodat,chown,fchownat"
)
_CALL = re.compile(r"^(?:\d+ +)?(?P<name>\w+)\((?:AT_FDCWD, |\d+, )?(?P<rest>.*)$")
_PATH = re.compile(r'"(?P<path>/[^"]*)"')
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")


def _reaches_out(line: str, allowed: tuple[str, ...]) -> bool:
    """Say whether a line of strace starts, changes or calls something that does not lie where it may."""
    call = _CALL.match(line)
    if call is None or " = -1 ENOENT" in line or (call["name"] == "openat" and not _WRITING.search(line)):
        return False
    path = _PATH.search(call["rest"])
    return path is not None and not path["path"].startswith(allowed)


@pytest.mark.skipif(not shutil.which("strace"), reason="NOT TESTED HERE: there is no strace")
def test_nothing_outside_the_root_is_started_changed_or_called(stage: Stage, base: str) -> None:
    log = os.path.join(base, "strace")
    python = (sys.executable, os.path.realpath(sys.executable), "/usr/bin/python3")
    allowed = (base, CHECKOUT, *python, "/dev/null", "/dev/pts/", "/dev/tty", "/proc/self/")

    argv = ("strace", "-f", "-qq", "-o", log, "-e", f"trace={_TRACED}")
    ended = run_command((*argv, *stage.argv("once", "--wait", "30")))

    assert ended.status == 0, ended.err
    with open(log, encoding="utf-8", errors="replace") as source:
        lines = source.readlines()
    assert any(f'execve("{stage.path("/usr/bin/iotedge")}"' in line for line in lines)
    assert [line for line in lines if _reaches_out(line, allowed)] == []


def test_programs_of_the_host_are_never_run(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    poison, mark = os.path.join(base, "poison"), os.path.join(base, "was-run")
    os.mkdir(poison)
    for tool in TOOLS:
        path = os.path.join(poison, tool)
        with open(path, "w", encoding="ascii") as target:
            target.write(f"#!/bin/sh\necho {tool} >> {mark}\n")
        os.chmod(path, 0o755)  # noqa: S103  # a program
    monkeypatch.setenv("PATH", f"{poison}:{os.environ['PATH']}")

    with Stage(base) as stage:
        stage.plug()
        stage.provision()
        for tool in TOOLS[1:]:
            os.unlink(stage.path(f"/usr/bin/{tool}"))
        unknown = stage.once()
        os.unlink(stage.path("/usr/bin/iotedge"))
        without = stage.once()

    assert (unknown["code"], without["code"]) == ("runtime.unknown", "runtime.not-installed")
    assert not os.path.exists(mark)


def test_a_root_whose_path_is_too_long_for_sockets(base: str) -> None:
    with Stage(base, folder="a-long-name-" * 10) as stage:
        assert len(stage.path("/run/aziot/identityd.sock")) > 107
        stage.plug()

        assert stage.provision()["device_id"] == "dev-tpm-1"
        assert stage.watched_look()["code"] == "runtime.provisioned"


def test_secrets_stay_where_they_are_needed(stage: Stage) -> None:
    set_owner_password(stage.tpm, SECRET)
    stage.machine.fault(tpm_auth={"owner": SECRET})
    stage.write("/etc/credstore/tpm-owner-auth", f"{SECRET}\n", 0o600)

    ended = [stage.run("plan"), stage.run("plan", "--json"), stage.run("once")]
    stage.provision()
    set_owner_password(stage.tpm, OTHER_SECRET, SECRET)
    stage.machine.fault(tpm_auth={"owner": OTHER_SECRET})
    stage.write("/etc/credstore/tpm-owner-auth", OTHER_SECRET, 0o600)
    ended += [stage.run("plan"), stage.run("once"), stage.run("status"), stage.run("config", "show")]
    stage.provision()

    assert f'owner = "{OTHER_SECRET}"' in stage.read(CONFIG)
    assert os.stat(stage.path(CONFIG)).st_mode & 0o777 == 0o600
    told = [stage.heard, stage.read(STATUS), stage.read(HISTORY), json.dumps(stage.status())]
    told += [one.out + one.err for one in ended]
    assert not [text for text in told if "hunter" in text]
    assert "+owner = " in ended[0].out
    assert os.stat(stage.path(HISTORY)).st_mode & 0o777 == 0o600
