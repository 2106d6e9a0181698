"""qemu's monitor: one command after another over its unix socket (QEMU Machine Protocol)."""

import json
from typing import Any

from tests.standins.unixhttp import connect

_DEADLINE_S = 120.0


class MonitorError(Exception):
    """qemu refused a command, or is gone."""


class Monitor:
    """A connection to a running qemu."""

    def __init__(self, path: str) -> None:
        self._socket = connect(path, _DEADLINE_S)
        self._stream = self._socket.makefile("rwb")
        self._read()
        self.execute("qmp_capabilities")

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a command and give its result.

        Raises: MonitorError
        """
        self._stream.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self._stream.flush()
        while True:
            answer = self._read()
            if "error" in answer:
                raise MonitorError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def _read(self) -> dict[str, Any]:
        line = self._stream.readline()
        if not line:
            raise MonitorError("qemu hung up")
        return dict(json.loads(line))
