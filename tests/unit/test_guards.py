"""The guards around unit tests refuse what they are there to refuse."""

import os
import socket
import subprocess
import time
from collections.abc import Callable

import pytest

from agent.host import clock


@pytest.mark.parametrize(
    ("offence", "named"),
    [
        (lambda: subprocess.run(["/bin/true"], check=False), "started a process"),
        (lambda: os.system("true"), "started a process"),  # noqa: S605
        (lambda: os.posix_spawn("/bin/true", ["true"], {}), "started a process"),
        (os.fork, "started a process"),
        (lambda: os.execv("/bin/true", ["true"]), "became another program"),  # noqa: S606
        (socket.socket, "opened a socket"),
        (lambda: time.sleep(0), "called time.sleep"),
        (lambda: clock.wall_s() + 1, "called agent.host.clock.wall_s"),
        (lambda: clock.monotonic_s() + 1, "called agent.host.clock.monotonic_s"),
        (lambda: clock.rest(1), "called agent.host.clock.rest"),
    ],
)
def test_an_offence_is_named_and_is_no_exception(offence: Callable[[], object], named: str) -> None:
    with pytest.raises(BaseException, match=named) as caught:
        offence()
    assert not isinstance(caught.value, Exception)
