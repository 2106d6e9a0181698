"""The only place that starts processes: absolute argv, no shell, bounded output, killed as a group."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from agent.host.root import Root
from agent.values import dataclass

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # nothing of /usr/local: there group staff may write on some systems
_LANGUAGE = "C.UTF-8"  # texts are parsed
_KEPT_BY_PASSES = ("CREDENTIALS_DIRECTORY", "JOURNAL_STREAM", "NO_COLOR", "TZ")
_GRACE_S = 2.0
_LARGEST_OUTPUT = 4 * 1024 * 1024
_CHUNK = 65536
_PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended. `status` is negative for a signal; `timed_out` says that the signal was ours."""

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the process ended by itself with status 0."""
        return self.status == 0 and not self.timed_out

    @property
    def out(self) -> str:
        """Standard output as text; bytes that are not UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self) -> str:
        """Standard error as text; bytes that are not UTF-8 are replaced."""
        return self.stderr.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Child:
    """How to run a process: what it reads, and how long it may take."""

    timeout_s: float
    stdin: bytes = b""
    environment: Mapping[str, str] | None = None


def module_argv(module: str, *arguments: str) -> tuple[str, ...]:
    """Give the argv that runs `module.main()` of this package in an isolated interpreter.

    -I keeps the caller's directory and PYTHON* variables from deciding what is imported as root.
    """
    start = (
        f"import sys; sys.path.insert(1, {_PACKAGE_PARENT!r}); from {module} import main; sys.exit(main())"
    )
    return (sys.executable, "-I", "-c", start, *arguments)


def minimal_environment() -> dict[str, str]:
    """Give the environment for children: a fixed PATH and language, nothing else.

    IOTEDGE_* variables in particular would become defaults of generated files.
    """
    return {"PATH": _PATH, "LANG": _LANGUAGE}


def environment_for(root: Root) -> dict[str, str]:
    """Give the children's environment with PATH below `root`, so that the host's programs are not found."""
    places = [root.path(folder) for folder in _PATH.split(":")]
    return {**minimal_environment(), "PATH": ":".join(places)}


def start(argv: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start a pass: a process of ours in its own session, with our credentials and our output.

    The caller waits for it.
    """
    kept = {name: os.environ[name] for name in _KEPT_BY_PASSES if name in os.environ}
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        env=minimal_environment() | kept,
        cwd="/",
        start_new_session=True,
    )


def run(argv: tuple[str, ...], child: Child) -> Finished:
    """Run a process to its end, or to its deadline, when its whole group is killed.

    Raises:
        OSError: the program could not be started.

    """
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=minimal_environment() if child.environment is None else child.environment,
        cwd="/",
        start_new_session=True,
    )
    try:
        return _converse(process, argv, child)
    except BaseException:
        _end_group(process)
        raise
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


def run_apart(argv: tuple[str, ...], child: Child) -> Finished:
    """Run a process that lives on if we are killed; at its deadline its group is killed all the same.

    Its output goes to memory: with a pipe, our end would make `iotedge` abort at the next line it prints,
    in the middle of its work (read from its source, not seen).

    Raises:
        OSError: the program could not be started.
    """
    out, err = (os.memfd_create(name, os.MFD_CLOEXEC) for name in ("stdout", "stderr"))
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            env=minimal_environment() if child.environment is None else child.environment,
            cwd="/",
            start_new_session=True,
            stdout=out,
            stderr=err,
        )
        in_time = _wait(process, child.timeout_s)
        if not in_time:
            _end_group(process)
        printed = [os.pread(memory, _LARGEST_OUTPUT, 0) for memory in (out, err)]
    finally:
        os.close(out)
        os.close(err)
    return Finished(argv, process.returncode, printed[0], printed[1], timed_out=not in_time)


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _converse(process: subprocess.Popen[bytes], argv: tuple[str, ...], child: Child) -> Finished:
    deadline = time.monotonic() + child.timeout_s
    _feed(process, child.stdin)
    output, in_time = _collect(process, deadline)
    if in_time:
        process.wait()
    else:
        _end_group(process)
    return Finished(argv, process.returncode, output["stdout"], output["stderr"], timed_out=not in_time)


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write(data)  # requests are far smaller than a pipe's buffer, so this can't block
        process.stdin.close()
    except BrokenPipeError:
        pass


def _collect(process: subprocess.Popen[bytes], deadline: float) -> tuple[dict[str, bytes], bool]:
    """Read both streams until the process has ended; False if the deadline came first.

    The end is the process's, not the pipes': a daemon that it left behind may hold those open.
    """
    gathered = {"stdout": bytearray(), "stderr": bytearray()}
    ended = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ)
            for name in gathered:
                os.set_blocking(getattr(process, name).fileno(), False)
                selector.register(getattr(process, name), selectors.EVENT_READ, name)
            in_time = _read_until_end(selector, gathered, deadline)
            for key in list(selector.get_map().values()):
                _take_rest(selector, key, gathered)
    finally:
        os.close(ended)
    return {name: bytes(data) for name, data in gathered.items()}, in_time


def _read_until_end(
    selector: selectors.BaseSelector, gathered: Mapping[str, bytearray], deadline: float
) -> bool:
    while True:
        ready = [key for key, _ in selector.select(max(0.0, deadline - time.monotonic()))]
        for key in ready:
            if key.data:
                _take(selector, key, gathered[key.data])
        if any(not key.data for key in ready):
            return True
        if time.monotonic() >= deadline:
            return False


def _take_rest(
    selector: selectors.BaseSelector, key: selectors.SelectorKey, gathered: Mapping[str, bytearray]
) -> None:
    """Read what a stream holds, but no more than the bound: a daemon left behind may write for ever."""
    for _ in range(_LARGEST_OUTPUT // _CHUNK if key.data else 0):
        if not _take(selector, key, gathered[key.data]):
            return


def _take(selector: selectors.BaseSelector, key: selectors.SelectorKey, into: bytearray) -> bool:
    """Read a piece of what a stream holds now; what is over the bound is dropped. False if there is none."""
    try:
        chunk = os.read(key.fd, _CHUNK)
    except BlockingIOError:
        return False
    if not chunk:
        selector.unregister(key.fileobj)
    into.extend(chunk[: max(0, _LARGEST_OUTPUT - len(into))])
    return bool(chunk)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to end, then make it; reap the leader."""
    for number, grace_s in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, _GRACE_S)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            continue
    with suppress(ProcessLookupError, PermissionError):  # members that outlived their leader
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
