"""Whose processes count: those of this machine's root, whatever others call theirs."""

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.edge import iotedge
from agent.host import processes
from agent.host.root import Root

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
_NOBODY = 65534
_PAUSE = ("/usr/bin/python3", "-c", "import signal; print('up', flush=True); signal.pause()")
_Become = Callable[[], object]


def _nobody() -> None:
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _set_user_id_program() -> None:
    """What sudo is while it asks for a password, as seen with sudo 1.9; its /proc/PID belongs to root."""
    os.setresuid(_NOBODY, 0, 0)


@contextmanager
def _process(*argv: str, become: _Become = os.getpid) -> Iterator[int]:
    with subprocess.Popen(argv, preexec_fn=become, stdout=subprocess.PIPE) as made:  # noqa: PLW1509
        try:
            assert made.stdout
            assert made.stdout.readline() == b"up\n"
            yield made.pid
        finally:
            made.kill()


@pytest.fixture(name="program")
def command_of_a_machine_of_its_own(tmp_path: Path) -> str:
    return str(tmp_path / "usr/bin/iotedge")


def _words(program: str) -> tuple[str, ...]:
    return (*_PAUSE, program, "config", "apply")


def _found(program: str) -> int | None:
    return iotedge.running_change(Root(program.removesuffix("/usr/bin/iotedge")), program)


def test_an_apply_of_roots_is_found(program: str) -> None:
    with _process(*_words(program)) as pid:
        assert _found(program) == pid
    assert _found(program) is None


@pytest.mark.parametrize("become", [_nobody, _set_user_id_program])
def test_what_others_call_their_processes_keeps_nobody_from_anything(become: _Become, program: str) -> None:
    with _process(*_words(program), become=become) as pid:
        assert _found(program) is None
        assert pid not in dict(processes.commands_of_root())


def test_root_of_a_container_is_not_root_here(program: str) -> None:
    inside = ("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", f"exec {shlex.join(_words(program))}")
    if subprocess.run([*inside[:4], "true"], check=False, capture_output=True).returncode:
        pytest.skip("NOT TESTED HERE, a container: no namespaces")

    with _process(*inside):
        assert _found(program) is None


def test_where_the_kernel_has_no_namespaces_or_says_nothing() -> None:
    assert processes.is_roots(b"Name:\tiotedge\nUid:\t0\t0\t0\t0\n")
    assert not processes.is_roots(b"Name:\tiotedge\nUid:\t0\t0\t0\t0\nNSpid:\t4711\t1\n")
    assert not processes.is_roots(b"Name:\tx\\nUid:\t0\nUid:\t33\t0\t0\t0\nNSpid:\t4711\n")
    assert not processes.is_roots(b"")
