"""The only place that starts processes: deadlines, groups, output, and what children inherit."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from agent.host import process
from agent.host.process import Child, Finished
from agent.host.root import Root

_DEADLINE_S = 30.0
_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
each_way = pytest.mark.parametrize("run", [process.run, process.run_apart])
Run = Callable[[tuple[str, ...], Child], Finished]


def shell(script: str, *arguments: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script, "sh", *arguments)


class Fifo:
    """A pipe by name that processes hold open for writing: its end is theirs."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = str(path)
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self) -> bytes:
        """Wait for something to be said, or for everybody to be gone."""
        assert select.select([self._reader], [], [], _DEADLINE_S)[0], "somebody still lives"
        return os.read(self._reader, 100)

    def close(self) -> None:
        os.close(self._reader)


@each_way
def test_what_it_printed_and_how_it_ended(run: Run) -> None:
    ended = run(shell("echo out; echo err >&2; exit 3"), Child(_DEADLINE_S))

    assert (ended.status, ended.out, ended.err) == (3, "out\n", "err\n")
    assert not ended.succeeded
    assert not ended.timed_out


@each_way
def test_success_and_a_signal(run: Run) -> None:
    assert run(shell("exit 0"), Child(_DEADLINE_S)).succeeded
    assert run(shell("kill -SEGV $$"), Child(_DEADLINE_S)).status == -signal.SIGSEGV


@each_way
def test_a_program_that_is_not_there_is_an_error(run: Run) -> None:
    descriptors = set(os.listdir("/proc/self/fd"))

    with pytest.raises(FileNotFoundError):
        run(("/nowhere/program",), Child(_DEADLINE_S))

    assert set(os.listdir("/proc/self/fd")) == descriptors


def test_bytes_that_are_no_text_are_kept_and_shown_replaced() -> None:
    ended = process.run(shell(r"printf 'a\377b'"), Child(_DEADLINE_S))

    assert ended.stdout == b"a\xffb"
    assert ended.out == "a\ufffdb"


def test_it_reads_what_it_is_given() -> None:
    assert process.run(("/bin/cat",), Child(_DEADLINE_S, stdin=b"hello")).stdout == b"hello"
    assert process.run(shell("exec <&-; true"), Child(_DEADLINE_S, stdin=bytes(200_000))).succeeded


@each_way
def test_apart_or_not_nothing_comes_from_our_own_input(run: Run) -> None:
    assert run(("/bin/cat",), Child(_DEADLINE_S)).stdout == b""


@each_way
def test_at_the_deadline_the_whole_group_is_ended(run: Run, tmp_path: Path) -> None:
    """Also the grandchild that ignores the request."""
    fifo = Fifo(tmp_path / "fifo")
    script = 'exec 9>"$1"; (trap "" TERM; echo up >&9; while :; do sleep 1; done) & echo said; wait'

    ended = run(shell(script, fifo.path), Child(0.5))

    assert ended.timed_out
    assert not ended.succeeded
    assert ended.out == "said\n"
    assert fifo.read() == b"up\n"
    assert fifo.read() == b""
    fifo.close()


@each_way
def test_who_ignores_the_request_is_killed(run: Run) -> None:
    ended = run(shell('trap "" TERM; while :; do sleep 1; done'), Child(0.2))

    assert (ended.timed_out, ended.status) == (True, -signal.SIGKILL)


@each_way
def test_a_daemon_left_behind_does_not_hold_us(run: Run, tmp_path: Path) -> None:
    """It holds both streams open and lives on."""
    fifo = Fifo(tmp_path / "fifo")
    script = 'exec 9>"$1"; sleep 60 & echo $! >&9; echo done'

    ended = run(shell(script, fifo.path), Child(_DEADLINE_S))
    daemon = int(fifo.read())

    try:
        assert (ended.succeeded, ended.out) == (True, "done\n")
        os.kill(daemon, 0)
    finally:
        os.kill(daemon, signal.SIGKILL)
        fifo.close()


def test_a_daemon_that_never_stops_talking_does_not_hold_us(tmp_path: Path) -> None:
    fifo = Fifo(tmp_path / "fifo")

    ended = process.run(shell('yes & echo $! >"$1"', fifo.path), Child(_DEADLINE_S))

    os.kill(int(fifo.read()), signal.SIGKILL)
    fifo.close()
    assert ended.succeeded


class _InterruptedError(Exception):
    """A signal came."""


def test_interrupted_it_leaves_nobody_behind(tmp_path: Path) -> None:
    fifo = Fifo(tmp_path / "fifo")

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise _InterruptedError

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(_InterruptedError):
            process.run(shell('exec 9>"$1"; cat; kill -USR1 $PPID; sleep 60', fifo.path), Child(_DEADLINE_S))
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert fifo.read() == b""
    fifo.close()


def test_output_is_bounded_and_the_rest_is_drained() -> None:
    ended = process.run(shell("head -c 9000000 /dev/zero; head -c 9 /dev/zero >&2"), Child(_DEADLINE_S))

    assert ended.succeeded
    assert (len(ended.stdout), len(ended.stderr)) == (4 * 1024 * 1024, 9)


def test_who_never_stops_talking_meets_the_deadline() -> None:
    ended = process.run(("/usr/bin/yes",), Child(0.3))

    assert ended.timed_out
    assert len(ended.stdout) <= 4 * 1024 * 1024


@each_way
def test_it_runs_in_a_session_of_its_own_at_the_root_directory(run: Run) -> None:
    """A signal to our terminal or our group is not for it."""
    ended = run(shell('ps -o sid= -p $$ | tr -d " "; echo $$; pwd'), Child(_DEADLINE_S))

    session, pid, folder = ended.out.splitlines()
    assert session == pid
    assert folder == "/"


@each_way
def test_it_inherits_a_fixed_path_and_language_only(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOTEDGE_LOG", "debug")
    monkeypatch.setenv("LD_PRELOAD_X", "x")
    monkeypatch.setenv("PATH", "/somewhere")

    ended = run(("/usr/bin/env",), Child(_DEADLINE_S))

    assert dict(line.split("=", 1) for line in ended.out.splitlines()) == {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
    }


@each_way
def test_below_a_root_no_program_of_the_host_is_found(run: Run, tmp_path: Path) -> None:
    environment = process.environment_for(Root(str(tmp_path)))

    ended = run(shell("ls"), Child(_DEADLINE_S, environment=environment))

    assert ended.status == 127
    assert all(folder.startswith(str(tmp_path)) for folder in environment["PATH"].split(":"))


def test_a_module_is_not_found_by_folder_or_by_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs as root is ours, wherever it was called and with whatever environment."""
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "__init__.py").write_text("raise SystemExit('a stranger ran')")
    (tmp_path / "json.py").write_text("raise SystemExit('a stranger ran')")
    monkeypatch.chdir(tmp_path)
    stranger = {"PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": str(tmp_path / "json.py"), "PYTHONHOME": "/x"}

    argv = process.module_argv("agent.cli", "--version")
    ended = subprocess.run(argv, env=stranger, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("edge-provisioner ")


_ASK = """
import sys
from agent.host import process
process.run_apart(("/bin/sh", "-c", sys.argv[1], "sh", *sys.argv[2:]), process.Child(60))
"""


def test_what_runs_apart_outlives_us_and_its_output_never_breaks(tmp_path: Path) -> None:
    said, gate = Fifo(tmp_path / "said"), tmp_path / "gate"
    os.mkfifo(gate)
    script = 'exec 9>"$1"; echo begun >&9; read go <"$2"; echo word && echo word >&2 && echo whole >&9'

    argv = [sys.executable, "-c", _ASK, script, said.path, str(gate)]
    with subprocess.Popen(argv, env={"PYTHONPATH": str(Path(__file__).parents[2])}) as agent:
        assert said.read() == b"begun\n"
        agent.kill()
    gate.write_text("go\n")

    assert said.read() == b"whole\n"
    said.close()


def test_a_pass_keeps_what_a_service_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    monkeypatch.setenv("IOTEDGE_LOG", "debug")
    monkeypatch.delenv("NO_COLOR", raising=False)
    script = '[ "$CREDENTIALS_DIRECTORY" = /run/credentials/x ] && [ -z "$IOTEDGE_LOG" ] && [ "$PWD" = / ]'

    with process.start(shell(script)) as started:
        assert started.wait(_DEADLINE_S) == 0
