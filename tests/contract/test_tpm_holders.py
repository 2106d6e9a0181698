"""Who has a node open: a real process with a real terminal, which stands for a node that opens once."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from agent.host import process
from agent.host.root import Root
from agent.tpm import holders, nodes
from agent.tpm.holders import Holder
from tests.contract.test_tpm_nodes import refuse_to_open

HOST = Root("/")


@pytest.fixture(name="node")
def a_terminal() -> Iterator[str]:
    ours, theirs = os.openpty()
    path = os.ttyname(theirs)
    os.close(theirs)
    yield path
    os.close(ours)


@pytest.fixture(name="holding")
def somebody_who_has_it_open(node: str) -> Iterator[subprocess.Popen[bytes]]:
    script = (
        "import os,sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(flush=True); sys.stdin.read()"
    )
    argv = (sys.executable, "-c", script, node)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder
        holder.communicate()


def test_who_has_a_node_open_is_named(node: str, holding: subprocess.Popen[bytes]) -> None:
    found = holders.holder(HOST, node)

    assert found is not None
    assert found.pid == holding.pid
    assert found.in_words.startswith(f"{found.name} (process {holding.pid}")
    assert found.name.startswith("python")


def test_a_link_to_a_node_is_that_node(
    node: str, holding: subprocess.Popen[bytes], tmp_path: os.PathLike[str]
) -> None:
    link = os.path.join(tmp_path, "tpm0")
    os.symlink(node, link)
    found = holders.holder(HOST, link)

    assert found is not None
    assert found.pid == holding.pid


def test_a_node_that_nobody_has_open_has_no_holder(node: str) -> None:
    assert holders.holder(HOST, node) is None


def test_another_root_has_no_processes(
    node: str, holding: subprocess.Popen[bytes], tmp_path: os.PathLike[str]
) -> None:
    assert holding.poll() is None
    assert holders.holder(Root(os.fspath(tmp_path)), node) is None


def test_a_busy_node_names_its_holder(
    node: str, holding: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_open(monkeypatch, node, errno.EBUSY)
    finding = nodes.hindrance(HOST, nodes.node("/dev/tpm0", node))

    assert finding is not None
    assert finding.code.name == "tpm.busy-by"
    assert "/dev/tpm0 is in use by python" in finding.summary
    assert f"`systemctl status {holding.pid}`" in finding.remedy
    assert "tpm2-abrmd" not in finding.remedy


# A terminal in exclusive mode opens once, as /dev/tpmN does, save for who has CAP_SYS_ADMIN (ioctl_tty(2)).
EXCLUSIVE = "import fcntl, os, sys, termios; terminal = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)"
EXCLUSIVE += "; fcntl.ioctl(terminal, termios.TIOCEXCL); print(flush=True); sys.stdin.read()"
NO_ADMIN = ("setpriv", "--bounding-set", "-sys_admin,-sys_ptrace", "--inh-caps", "-all")


def test_show_names_who_keeps_the_kernel_from_opening_a_node(node: str) -> None:
    less = NO_ADMIN if os.geteuid() == 0 else ()
    argv = (*less, sys.executable, "-c", EXCLUSIVE, node)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holding:
        assert holding.stdout is not None
        holding.stdout.readline()
        show = (*less, *process.module_argv("agent.cli"), "tpm", "show", "--tpm", node)
        told = subprocess.run(show, capture_output=True, text=True, check=False)
        holding.communicate()

    assert told.returncode == 3, told
    assert f"  tpm.busy-by: {node} is in use by python" in told.stdout
    assert f"(process {holding.pid}" in told.stdout


@pytest.mark.parametrize(
    "found", [Holder(812, "tpm2-abrmd", "tpm2-abrmd.service"), Holder(812, "a process", "tpm2-abrmd.service")]
)
def test_the_older_resource_manager_can_be_switched_off(
    node: str, monkeypatch: pytest.MonkeyPatch, found: Holder
) -> None:
    refuse_to_open(monkeypatch, node, errno.EBUSY)
    monkeypatch.setattr(holders, "holder", lambda *_: found)
    finding = nodes.hindrance(HOST, nodes.node("/dev/tpm0", node))

    assert finding is not None
    assert finding.summary.endswith("(process 812, tpm2-abrmd.service)")
    assert "`systemctl disable --now tpm2-abrmd`" in finding.remedy


def test_the_unit_is_that_of_the_control_group(
    tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes of a service, of a service within a user's session, and of none."""
    groups = {
        "1": "0::/system.slice/tpm2-abrmd.service\n",
        "2": "0::/user.slice/user-0.slice/user@0.service/app.slice/watch.service/inner\n",
        "3": "0::/\n",
    }
    for pid, text in groups.items():
        folder = os.path.join(tmp_path, pid, "fd")
        os.makedirs(folder)
        os.symlink(f"/dev/tpm{pid}", os.path.join(folder, "3"))
        for name, data in (("cgroup", text), ("comm", "what\n")):
            with open(os.path.join(tmp_path, pid, name), "w", encoding="ascii") as target:
                target.write(data)
    monkeypatch.setattr(holders, "_PROC", os.fspath(tmp_path))

    found = [holders.holder(HOST, f"/dev/tpm{pid}") for pid in groups]
    assert found == [
        Holder(1, "what", "tpm2-abrmd.service"), Holder(2, "what", "watch.service"), Holder(3, "what"),
    ]  # fmt: skip
