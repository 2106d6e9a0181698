"""The way to a TPM without the library: what looks at keys that are there needs two commands and no more.

A device node takes a command by one write and gives the answer to a read; swtpm's socket carries the same
bytes (as seen with swtpm 0.7). Runs in a process of its own, which ends at a step's deadline. A broken way is
told as the library tells it: by the response code of its layer.
"""

import os
import re
import socket
from collections.abc import Callable
from contextlib import closing, suppress

from agent.tpm.protocol import Step, encode_found
from agent.tpm.reading import InconsistentError, Line, RefusedError, failure_line, read_both

_IO_ERROR = 0x000A000A  # TSS2_TCTI_RC_IO_ERROR
_HEADER_SIZE = 10
_LARGEST_ANSWER = 4096  # TPM2_MAX_RESPONSE_SIZE
_NODE = re.compile(r"device:(/.+)")
# No name of a host: to look it up has no deadline of ours.
_SWTPM = re.compile(r"swtpm:host=([0-9.]+),port=([0-9]{1,5})")
_LAST_PORT = 65535


def is_ours(tcti: str) -> bool:
    """Say whether a TCTI string is one that needs no library."""
    found = _SWTPM.fullmatch(tcti)
    return bool(_NODE.fullmatch(tcti)) or (found is not None and int(found[2]) <= _LAST_PORT)


def look(tcti: str, read_s: float, say: Callable[[str], None]) -> None:
    """Read both keys, and say what came of it as the library's child does."""
    line = Line(say, read_s)
    try:
        line.enter(Step.OPEN)
        with closing(_Way(tcti)) as way:
            found = read_both(way.transact, line)
    except (RefusedError, InconsistentError, ValueError) as error:
        say(failure_line(error))
    except OSError:
        say(failure_line(RefusedError(_IO_ERROR)))
    else:
        say(encode_found(found))


class _Way:
    """An open node or connection."""

    def __init__(self, tcti: str) -> None:
        """Open it.

        Raises:
            OSError: it can't be opened.
        """
        if node := _NODE.fullmatch(tcti):
            self._handle = os.open(node[1], os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
        elif port := _SWTPM.fullmatch(tcti):
            self._handle = socket.create_connection((port[1], int(port[2]))).detach()
        else:
            raise ValueError("a TCTI of the library's")

    def transact(self, command: bytes) -> bytes:
        """Send a command, and give the whole answer.

        Raises:
            OSError: the way broke.
            ValueError: what comes is no answer.
        """
        os.write(self._handle, command)
        answer = b""
        size = _HEADER_SIZE
        while len(answer) < size:
            piece = os.read(self._handle, _LARGEST_ANSWER)
            if not piece:
                raise ConnectionResetError
            answer += piece
            size = max(_HEADER_SIZE, int.from_bytes(answer[2:6], "big"))
            if size > _LARGEST_ANSWER:
                raise ValueError("an answer of a size that no TPM sends")
        return answer

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._handle)
