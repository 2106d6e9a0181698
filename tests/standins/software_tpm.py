"""A software TPM (swtpm, the real libtpms), reached by TCTI or as a device node, that can be made to fail.

swtpm holds one end of a socket pair, so it ends when this process does, whatever happens to it.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from types import TracebackType
from typing import Self

from tests.standins.tpm_wire import Bridge, CutError, Fault, TcpServer, Wire, read_frame

_DEADLINE_S = 20.0


class SoftwareTpm:
    """swtpm with its state in `directory`, behind a counting, fault-making wire."""

    def __init__(self, directory: str | None = None, *, flags: str = "not-need-init,startup-clear") -> None:
        self._own = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="software-tpm-")
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._bridges: list[Bridge] = []
        self.wire = Wire(self._send)
        self._server = TcpServer(self.wire)

    @property
    def tcti(self) -> str:
        """The TCTI string that leads here."""
        return f"swtpm:host=127.0.0.1,port={self._server.port}"

    @property
    def faults(self) -> list[Fault]:
        """The faults that are switched on."""
        return self.wire.faults

    def start(self) -> Self:
        """Power on."""
        os.makedirs(self.directory, exist_ok=True)
        self._line, end = socket.socketpair()
        self._line.settimeout(_DEADLINE_S)
        argv = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.directory}", "--fd", str(end.fileno())]
        argv += ["--flags", self._flags] if self._flags else []
        self._process = subprocess.Popen(
            argv, pass_fds=[end.fileno()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end.close()
        return self

    def power_off(self) -> None:
        """Cut the power; what is permanent stays, everything else is lost."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            try:
                self._process.wait(_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def power_cycle(self) -> None:
        """Cut the power and give it back."""
        self.power_off()
        self.start()

    def stop(self) -> None:
        """End everything; remove the state if its folder is our own."""
        self.wire.close()
        for bridge in self._bridges:
            bridge.close()
        self._server.close()
        self.power_off()
        if self._own:
            shutil.rmtree(self.directory, ignore_errors=True)

    def bridge(self, node: str) -> Bridge:
        """Give a device node at this path that leads here; it is there once it is plugged."""
        self._bridges.append(Bridge(node, self.wire.transact))
        return self._bridges[-1]

    def commands(self) -> list[str]:
        """Give the names of the commands since the last time this was asked."""
        seen, self.wire.log[:] = list(self.wire.log), []
        return seen

    def _send(self, command: bytes) -> bytes:
        if self._line is None:
            raise CutError
        self._line.sendall(command)
        return read_frame(self._line)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
