"""The TPM service: opens the TPM with user aziottpm's rights, keeps it open, answers identityd.

The keys are stand-ins unless the fault `read_ek` asks for a real TPM2_ReadPublic of 0x81010001.
"""

import base64
import errno
import os
import select
import stat
import time
from dataclasses import dataclass
from typing import Any

from .daemon import Daemon, DaemonError
from .layout import connect_as, faults, open_as
from .settings import generated
from .unixhttp import Answer, Request

_DEFAULT_NODES = ("/dev/tpmrm0", "/dev/tpm0")
_DEVICE_C = "tcti:src/tss2-tcti/tcti-device.c"
_READ_PUBLIC_EK = bytes.fromhex("80010000000e0000017381010001")
_EK_HEAD = "013a0001000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
_PLACEHOLDER_EK = bytes.fromhex(_EK_HEAD) + bytes(316 - len(_EK_HEAD) // 2)
_NO_EK = "could not read endorsement key from 0x81010001: tpm:handle(1):the handle is not correct for the use"
_BAD_AUTH = "tpm:session(1):authorization failure without DA implications"


@dataclass(frozen=True, slots=True)
class Opened:
    """A TPM that is open: the node's place and what it was when it was opened."""

    path: str
    fd: int
    identity: tuple[int, int]

    def present(self) -> bool:
        """Whether the node is still there and still the same."""
        try:
            found = os.stat(self.path)
        except OSError:
            return False
        line = select.poll()
        line.register(self.fd, 0)
        hung_up = bool(line.poll(0))
        return (found.st_dev, found.st_ino) == self.identity and not hung_up


def _open_node(daemon: Daemon, node: str) -> Opened:
    path = daemon.path(node)
    found = os.stat(path)
    if stat.S_ISSOCK(found.st_mode):
        fd = connect_as(daemon.root, "aziottpm", path)
    else:
        fd = open_as(daemon.root, "aziottpm", path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    return Opened(path, fd, (found.st_dev, found.st_ino))


def _open_default(daemon: Daemon) -> Opened:
    for node in _DEFAULT_NODES:
        try:
            return _open_node(daemon, node)
        except OSError as failure:
            said = os.strerror(failure.errno or errno.EIO)
            daemon.say(
                f"WARNING:{_DEVICE_C}:440:Tss2_Tcti_Device_Init() "
                f"Failed to open default TCTI device file {node}: {said}"
            )
    daemon.say(f"ERROR:{_DEVICE_C}:445:Tss2_Tcti_Device_Init() Could not open any default TCTI device file")
    raise OSError(errno.EIO, "device")


def _open_named(daemon: Daemon, node: str) -> Opened:
    try:
        return _open_node(daemon, node)
    except OSError as failure:
        said = os.strerror(failure.errno or errno.EIO)
        daemon.say(
            f"ERROR:{_DEVICE_C}:452:Tss2_Tcti_Device_Init() "
            f"Failed to open specified TCTI device file {node}: {said}"
        )
        raise


def _open_tpm(daemon: Daemon, tcti: str) -> Opened | None:
    kind, _, node = tcti.partition(":")
    if kind != "device":
        return None
    try:
        return _open_named(daemon, node) if node else _open_default(daemon)
    except OSError:
        daemon.say(
            "ERROR:tcti:src/tss2-tcti/tctildr-dl.c:154:tcti_from_file() "
            f"Could not initialize TCTI file: {'device' if not node else tcti}"
        )
        daemon.say(
            "ERROR:tcti:src/tss2-tcti/tctildr.c:428:Tss2_TctiLdr_Initialize_Ex() Failed to instantiate TCTI"
        )
        raise DaemonError("internal error", "could not initialize TPM", "tcti:IO failure") from None


def _text(value: Any, default: str) -> str:
    """Give a string of the generated file, where strings are arrays of bytes."""
    return bytes(value).decode() if isinstance(value, list) else default


def _read_ek(opened: Opened) -> bytes | None:
    os.write(opened.fd, _READ_PUBLIC_EK)
    received, deadline = b"", time.monotonic() + 30
    while len(received) < 10 or len(received) < int.from_bytes(received[2:6], "big"):
        if not select.select([opened.fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise OSError(errno.ETIMEDOUT, "TPM")
        part = os.read(opened.fd, 4096)
        if not part:
            raise OSError(errno.EPIPE, "TPM")
        received += part
    if int.from_bytes(received[6:10], "big"):
        return None
    return received[10 : 12 + int.from_bytes(received[10:12], "big")]


class Tpm:
    """The service once its TPM is open."""

    def __init__(self, daemon: Daemon, opened: Opened | None, config: dict[str, Any]) -> None:
        self._daemon = daemon
        self._opened = opened
        self._config = config
        wants_ek = opened is not None and bool(faults(daemon.root).get("read_ek"))
        found = _read_ek(opened) if opened and wants_ek else _PLACEHOLDER_EK
        if found is None:
            daemon.error(_NO_EK)
        self._ek = found or _PLACEHOLDER_EK

    def handle(self, request: Request) -> Answer:
        """Answer identityd."""
        match request.path:
            case "/get_tpm_keys":
                srk = bytes.fromhex("011a0001000b00030472") + bytes(274)
                keys = {"endorsement_key": self._ek, "storage_root_key": srk}
                return Answer(200, {name: base64.b64encode(key).decode() for name, key in keys.items()})
            case "/import_auth_key":
                return self._attempt("could not import auth key", {}, needs_password=True)
            case "/sign_with_auth_key":
                return self._attempt("could not sign with auth key", {"digest": "c3RhbmQtaW4="})
            case _:
                return Answer(404, {"message": "not found"})

    def _attempt(self, what: str, document: Any, *, needs_password: bool = False) -> Answer:
        if self._opened is not None and not self._opened.present():
            cause = "tcti:IO failure"
        elif needs_password and not self._passwords_fit():
            cause = _BAD_AUTH
        else:
            return Answer(200, document)
        for line in ("internal error", f"caused by: {what}", f"caused by: {cause}"):
            self._daemon.error(f"!!! {line}")
        return Answer(500, {"message": "internal error"})

    def _passwords_fit(self) -> bool:
        set_in_tpm = faults(self._daemon.root).get("tpm_auth", {})
        configured = self._config.get("hierarchy_authorization", {})
        return all(
            _text(configured.get(name), "") == set_in_tpm.get(name, "") for name in ("owner", "endorsement")
        )


def run(daemon: Daemon) -> None:
    """Be the TPM service."""
    daemon.info("Starting service...")
    daemon.info(f"Version - {daemon.version()}")
    config = generated(daemon.root, "tpmd") or {}
    try:
        opened = _open_tpm(daemon, _text(config.get("tcti"), "device"))
        tpm = Tpm(daemon, opened, config)
    except DaemonError as failure:
        daemon.fail(failure.chain)
    except OSError:
        daemon.fail(("internal error", "could not initialize TPM", "tcti:IO failure"))
    daemon.info("Starting server...")
    daemon.serve({"aziot-tpmd.socket": tpm.handle})
