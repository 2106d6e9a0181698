"""How the machine's processes come to life: the interpreter, the way to this checkout, the daemons."""

import ctypes
import fcntl
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from . import daemon as daemons
from .layout import ServiceSpec

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
_PROGRAM = """#!{python} -IS
import os
import sys

ROOT = {root}
sys.path.insert(0, {place!r})
from tests.standins.{module} import main  # noqa: E402

sys.exit(main(ROOT, {argument}))
"""
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_FIRST_PASSED_FD = 3
_ABOVE_PASSED_FDS = 16


@dataclass(frozen=True, slots=True)
class Process:
    """A daemon that runs, and the end of the pipe that its output comes from."""

    pid: int
    output: int

    def wait(self) -> int:
        """Wait for its end; gives the exit status, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def module_command(module: str, *arguments: str) -> list[str]:
    """Give the command line that runs a module's main, isolated from the caller's environment."""
    code = (
        f"import sys; sys.path.insert(0, {CHECKOUT!r}); "
        f"from tests.standins.{module} import main; sys.exit(main(*sys.argv[1:]))"
    )
    return [PYTHON, "-IS", "-c", code, *arguments]


def command_text(module: str, place: str = CHECKOUT) -> str:
    """Give a command for a machine's /usr/bin that runs a module's main; the code is at a place."""
    root = 'os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))'
    return _PROGRAM.format(python=PYTHON, root=root, place=place, module=module, argument="sys.argv[1:]")


def daemon_text(place: str) -> str:
    """Give a booted machine's program that is the daemon it is called as; the code is at a place."""
    argument = "os.path.basename(sys.argv[0])"
    return _PROGRAM.format(python=PYTHON, root='"/"', place=place, module="daemon", argument=argument)


def daemon(root: str, spec: ServiceSpec, sockets: dict[str, int]) -> Process:
    """Start a service's daemon with its listening sockets, as systemd does; it ends with us.

    It is a fork of ours: an interpreter for each start of each daemon would be most of what the tests do.
    """
    run = daemons.loaded(spec)
    output, end = os.pipe()
    os.set_blocking(output, False)
    # Until the daemon has its own answers to signals, ours must not take one for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    pid = os.fork()
    if not pid:
        _be(partial(run, root, spec.process), end, sockets)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    os.close(end)
    return Process(pid, output)


def _be(run: Callable[[], int], output: int, sockets: dict[str, int]) -> NoReturn:
    """Become what systemd would have started, in a process of its own, and never come back."""
    status = 1
    try:
        os.setsid()
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        _pass_descriptors(output, [*sockets.values()])
        os.environ.clear()
        os.environ |= {
            "PATH": "/usr/bin:/bin",
            "LISTEN_FDS": str(len(sockets)),
            "LISTEN_FDNAMES": ":".join(sockets),
        }
        status = run()
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - said as an interpreter of its own would, for the journal
        traceback.print_exc()
    finally:
        os._exit(status)


def _pass_descriptors(output: int, sockets: list[int]) -> None:
    # Out of the way first: a source among the targets would be overwritten.
    sources = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE_PASSED_FDS) for fd in (output, *sockets)]
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(nothing, 0)
    for target in (1, 2):
        os.dup2(sources[0], target)
    for target, source in enumerate(sources[1:], start=_FIRST_PASSED_FD):
        os.dup2(source, target)
    os.closerange(_FIRST_PASSED_FD + len(sockets), os.sysconf("SC_OPEN_MAX"))
