"""A function of ours in a process of its own, for the price of a fork instead of a new interpreter."""

import os
import selectors
import signal
from collections.abc import Callable
from typing import NoReturn

from agent.host.process import Finished

Say = Callable[[str], None]

_LINE = 3  # the first descriptor beyond the standard ones
_LARGEST_OUTPUT = 65536  # what a pipe holds: it is read at the end
_DEFAULT_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)


def run(work: Callable[[Say], None], timeout_s: float) -> Finished:
    """Run a function to its end, or to its deadline, when it is killed; what it says is its output.

    It has nothing open but standard streams and its output, so that it holds no lock of ours, and signals end
    it. What it raises is its own: then it ends with status 1.
    """
    out, line = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if not pid:
        _work(work, line)
    os.close(line)
    end = os.pidfd_open(pid)
    with open(out, "rb") as said, open(end, "rb", buffering=0) as ended:
        in_time = _ends_in_time(ended.fileno(), timeout_s)
        if not in_time:
            signal.pidfd_send_signal(end, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return Finished((), status, said.read(_LARGEST_OUTPUT), b"", timed_out=not in_time)


def _ends_in_time(end: int, timeout_s: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(end, selectors.EVENT_READ)
        return bool(selector.select(timeout_s))


def _work(work: Callable[[Say], None], line: int) -> NoReturn:
    status = 1
    try:
        os.setsid()
        for number in _DEFAULT_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.dup2(line, _LINE)
        os.closerange(_LINE + 1, os.sysconf("SC_OPEN_MAX"))
        work(_say)
        status = 0
    finally:
        os._exit(status)


def _say(text: str) -> None:
    os.write(_LINE, text.encode() + b"\n")
