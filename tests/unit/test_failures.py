"""What is said of the system's errors: words in any case, and the place where there is one."""

import errno
import os

import pytest

from agent.host import failures


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/run/x"), "No space left on device"),
        (OSError("libudev.so.1 is not there"), "libudev.so.1 is not there"),
        (TimeoutError("timed out"), "timed out"),
        (OSError(), "OSError"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_an_error_is_never_told_as_nothing(error: OSError, said: str) -> None:
    assert failures.reason(error) == said


def test_the_place_stands_in_front_where_there_is_one() -> None:
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert failures.with_place(error) == "No space left on device"
    error.filename = "/run/x"
    assert failures.with_place(error) == "/run/x: No space left on device"
