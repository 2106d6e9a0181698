"""How the machine's processes come to life: the interpreter, the way to this checkout, the daemons."""

import fcntl
import os
import sys
from dataclasses import dataclass

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
_END_WITH_US = ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
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
    """Start a service's daemon with its listening sockets, as systemd does; it ends with us."""
    command = [*_END_WITH_US, *module_command("daemon", root, spec.process)]
    output, end = os.pipe()
    os.set_blocking(output, False)
    # Out of the way first: a source among the targets would be overwritten.
    sources = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE_PASSED_FDS) for fd in (end, *sockets.values())]
    os.close(end)
    targets = [2, *range(_FIRST_PASSED_FD, _FIRST_PASSED_FD + len(sockets))]
    pid = os.posix_spawn(
        command[0],
        command,
        {
            "PATH": "/usr/bin:/bin",
            "LISTEN_FDS": str(len(sockets)),
            "LISTEN_FDNAMES": ":".join(sockets),
        },
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            *((os.POSIX_SPAWN_DUP2, *pair) for pair in zip(sources, targets, strict=True)),
            (os.POSIX_SPAWN_DUP2, 2, 1),
        ],
        setsid=True,
    )
    for source in sources:
        os.close(source)
    return Process(pid, output)
