"""The wire to a software TPM: counts commands, makes faults, ends in a port and in device nodes."""

import os
import select
import socket
import threading
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

_HEADER_SIZE = 10
_DEADLINE_S = 20.0

COMMANDS = {
    0x00000120: "EvictControl",
    0x00000131: "CreatePrimary",
    0x00000144: "Startup",
    0x00000165: "FlushContext",
    0x0000016E: "NV_DefineSpace",
    0x00000173: "ReadPublic",
    0x0000017A: "GetCapability",
}


class Effect(StrEnum):
    """What a fault does to a command."""

    ANSWER = "answer"  # refuses it with a response code; the TPM does not see it
    CUT = "cut"  # closes the connection instead of answering; the TPM does not see it
    CUT_AFTER = "cut-after"  # the TPM does it, the answer is lost with the connection
    HANG = "hang"  # never answers; the TPM does not see it
    HOLD = "hold"  # keeps the command until the test sets `released`, then passes it on
    HANG_AFTER = "hang-after"  # the TPM does it, the answer never comes
    GARBAGE = "garbage"  # answers with bytes that are no response
    HALF = "half"  # the TPM does it, half of the answer arrives
    DELAY = "delay"  # the TPM does it, the answer comes late
    ALTER = "alter"  # flips a bit of the answer's byte at `position`


@dataclass(slots=True)
class Fault:
    """A fault on commands of one name (all if empty): not on the first `after` of them, then on `times`."""

    effect: Effect
    command: str = ""
    after: int = 0
    times: int = 1
    rc: int = 0
    delay_s: float = 0.0
    position: int = -1
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def strikes(self, command: str) -> bool:
        """Count a command; say whether this one is struck."""
        if self.command not in ("", command) or self.times == 0:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


class CutError(Exception):
    """The connection is to be closed."""


class Wire:
    """Carries commands to a TPM one at a time, counts them, and does to them what the faults say."""

    def __init__(self, send: Callable[[bytes], bytes]) -> None:
        self._send = send
        self._one_at_a_time = threading.Lock()
        self._over = threading.Event()
        self.log: list[str] = []
        self.faults: list[Fault] = []
        self.watch: Callable[[str], None] = lambda _: None  # a test's look at the moment of each command

    def transact(self, command: bytes) -> bytes:
        """Give the TPM's response, or what a fault makes of it."""
        code = int.from_bytes(command[6:10], "big")
        name = COMMANDS.get(code, f"{code:#x}")
        self.log.append(name)
        self.watch(name)
        fault = next((each for each in tuple(self.faults) if each.strikes(name)), None)
        if fault is None:
            return self._pass_on(command)
        before = self._before(fault)
        return before if before is not None else self._after(fault, self._pass_on(command))

    def _before(self, fault: Fault) -> bytes | None:
        if fault.effect in (Effect.CUT, Effect.HANG):
            self._lose(fault, hang=fault.effect is Effect.HANG)
        if fault.effect is Effect.HOLD:
            fault.reached.set()
            fault.released.wait()
        if fault.effect is Effect.ANSWER:
            return b"\x80\x01" + _HEADER_SIZE.to_bytes(4, "big") + fault.rc.to_bytes(4, "big")
        return b"\xff" * 40 if fault.effect is Effect.GARBAGE else None

    def _after(self, fault: Fault, response: bytes) -> bytes:
        if fault.effect in (Effect.CUT_AFTER, Effect.HANG_AFTER):
            self._lose(fault, hang=fault.effect is Effect.HANG_AFTER)
        if fault.effect is Effect.DELAY:
            fault.reached.set()
            self._over.wait(fault.delay_s)
        if fault.effect is Effect.ALTER:
            altered = bytearray(response)
            altered[fault.position] ^= 1
            return bytes(altered)
        return response[: len(response) // 2] if fault.effect is Effect.HALF else response

    def _lose(self, fault: Fault, *, hang: bool) -> None:
        fault.reached.set()
        if hang:
            self._over.wait()
        raise CutError

    def _pass_on(self, command: bytes) -> bytes:
        with self._one_at_a_time:
            return self._send(command)

    def close(self) -> None:
        """Let everything that hangs end."""
        self._over.set()
        for fault in self.faults:
            fault.released.set()


def read_frame(source: socket.socket) -> bytes:
    """Read one command or response; its header says how long it is."""
    data = b""
    size = _HEADER_SIZE
    while len(data) < size:
        chunk = source.recv(size - len(data))
        if not chunk:
            raise ConnectionError
        data += chunk
        if len(data) == _HEADER_SIZE:
            size = max(_HEADER_SIZE, int.from_bytes(data[2:6], "big"))
    return data


def _adjacent_listeners() -> tuple[socket.socket, socket.socket]:
    """Listen on two loopback ports in a row: tcti-swtpm takes the second for control messages."""
    while True:
        data = socket.create_server(("127.0.0.1", 0), backlog=64)
        try:
            return data, socket.create_server(("127.0.0.1", data.getsockname()[1] + 1), backlog=64)
        except OSError:  # somebody has the port after ours
            data.close()


class TcpServer:
    """Speaks the TPM's wire on a loopback port, as tcti-swtpm expects it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._listeners = _adjacent_listeners()
        self._connections: set[socket.socket] = set()
        self.port: int = self._listeners[0].getsockname()[1]
        for listener, serve in zip(self._listeners, (self._serve, self._control), strict=True):
            threading.Thread(target=self._accept, args=(listener, serve), daemon=True).start()

    def _accept(self, listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._connections.add(connection)
                threading.Thread(target=self._converse, args=(connection, serve), daemon=True).start()

    def _converse(self, connection: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        with connection, suppress(OSError, CutError):
            serve(connection)
        self._connections.discard(connection)

    def _serve(self, connection: socket.socket) -> None:
        whole = True
        while whole:  # after half an answer comes the end
            response = self._wire.transact(read_frame(connection))
            connection.sendall(response)
            whole = len(response) >= max(_HEADER_SIZE, int.from_bytes(response[2:6], "big"))

    def _control(self, connection: socket.socket) -> None:
        while connection.recv(64):  # set locality, cancel: done
            connection.sendall(bytes(4))

    def close(self) -> None:
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Bridge:
    """A device node (a link to a pseudo-terminal) behind which the TPM answers; `unplug` takes it away."""

    def __init__(self, node: str, transact: Callable[[bytes], bytes]) -> None:
        self.node = node
        self._transact = transact
        self._wake = os.pipe()
        self._thread: threading.Thread | None = None

    def plug(self) -> None:
        """Make the node appear."""
        master, slave = os.openpty()
        tty.setraw(slave)
        os.makedirs(os.path.dirname(self.node), exist_ok=True)
        os.symlink(os.ttyname(slave), self.node)
        self._thread = threading.Thread(target=self._serve, args=(master, slave), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Make the node go, as if the hardware had been removed; who has it open gets end-of-file."""
        if self._thread is None:
            return
        with suppress(FileNotFoundError):  # the test may have cleaned up already
            os.unlink(self.node)
        os.write(self._wake[1], b"x")
        self._thread.join(_DEADLINE_S)
        os.read(self._wake[0], 1)
        self._thread = None

    def close(self) -> None:
        """Unplug it for good."""
        self.unplug()
        for end in self._wake:
            os.close(end)

    def _serve(self, master: int, slave: int) -> None:
        """Answer until unplugged or cut; our own slave end keeps the line up between two clients."""
        try:
            with suppress(OSError, CutError):
                self._answer(master)
        finally:
            os.close(master)
            os.close(slave)

    def _answer(self, master: int) -> None:
        pending = b""
        while self._wake[0] not in select.select([master, self._wake[0]], [], [])[0]:
            pending += os.read(master, 4096)
            size = max(_HEADER_SIZE, int.from_bytes(pending[2:6], "big"))
            if len(pending) >= size:
                command, pending = pending[:size], pending[size:]
                os.write(master, self._transact(command))
