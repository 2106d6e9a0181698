"""The TPM service: opens the TPM with user aziottpm's rights, keeps it open, answers identityd.

The keys are pretended unless the switch `real_tpm` asks for the real thing.
"""

import base64
import errno
import json
import os
import stat
from collections.abc import Callable
from typing import Any

from .daemon import Daemon, DaemonError
from .keys_in_tpm import Keys, Opened, Passwords, PretendKeys, RealKeys
from .layout import connect_as, faults, open_as
from .settings import generated
from .tpm_commands import TpmError
from .unixhttp import Answer, Request

_DEFAULT_NODES = ("/dev/tpmrm0", "/dev/tpm0")
_DEVICE_C = "tcti:src/tss2-tcti/tcti-device.c"
_DEFAULT_INDEX = 0x100
_NOT_INITIALISED = ("internal error", "could not initialize TPM")
_IO_FAILURE = "tcti:IO failure"


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
        raise DaemonError(*_NOT_INITIALISED, _IO_FAILURE) from None


def _text(value: Any, default: str) -> str:
    """Give a string of the generated file, where strings are arrays of bytes."""
    return bytes(value).decode() if isinstance(value, list) else default


class Service:
    """The service once its TPM is open."""

    def __init__(self, daemon: Daemon, keys: Keys) -> None:
        self._daemon = daemon
        self._keys = keys

    def handle(self, request: Request) -> Answer:
        """Answer a client, one at a time: the TPM takes no second command before it answered the first."""
        with self._daemon.lock:
            return self._answer(request)

    def _answer(self, request: Request) -> Answer:
        match request.path:
            case "/get_tpm_keys":
                public = map(_encoded, self._keys.public())
                return Answer(200, dict(zip(("endorsement_key", "storage_root_key"), public, strict=True)))
            case "/import_auth_key":
                return self._attempt("could not import auth key", lambda: self._import(request))
            case "/sign_with_auth_key":
                return self._attempt("could not sign with auth key", lambda: self._sign(request))
            case _:
                return Answer(404, {"message": "not found"})

    def _import(self, request: Request) -> dict[str, str]:
        self._keys.import_key(_field(request, "key"))
        return {}

    def _sign(self, request: Request) -> dict[str, str]:
        return {"digest": _encoded(self._keys.sign(_field(request, "data")))}

    def _attempt(self, what: str, work: Callable[[], dict[str, str]]) -> Answer:
        try:
            return Answer(200, work())
        except TpmError as failure:
            cause = str(failure)
        except OSError:
            cause = _IO_FAILURE
        for line in ("internal error", f"caused by: {what}", f"caused by: {cause}"):
            self._daemon.error(f"!!! {line}")
        return Answer(500, {"message": "internal error"})


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _field(request: Request, name: str) -> bytes:
    return base64.b64decode(json.loads(request.body or b"{}").get(name, ""))


def _passwords(config: dict[str, Any]) -> Passwords:
    given = config.get("hierarchy_authorization", {})
    return Passwords(**{name: _text(value, "") for name, value in given.items()})


def _keys(daemon: Daemon, config: dict[str, Any]) -> Keys:
    """Open the TPM.

    Raises: DaemonError
    """
    opened = _open_tpm(daemon, _text(config.get("tcti"), "device"))
    passwords = _passwords(config)
    if opened is None or not faults(daemon.root).get("real_tpm"):
        return PretendKeys(opened, lambda: passwords == Passwords(**faults(daemon.root).get("tpm_auth", {})))
    index = config.get("auth_key_index", _DEFAULT_INDEX)
    try:
        return RealKeys(opened.fd, passwords, index, daemon.error)
    except TpmError as failure:
        raise DaemonError(*_NOT_INITIALISED, str(failure)) from None
    except OSError:
        raise DaemonError(*_NOT_INITIALISED, _IO_FAILURE) from None


def run(daemon: Daemon) -> None:
    """Be the TPM service."""
    daemon.info("Starting service...")
    daemon.info(f"Version - {daemon.version()}")
    config = generated(daemon.root, "tpmd") or {}
    try:
        service = Service(daemon, _keys(daemon, config))
    except DaemonError as failure:
        daemon.fail(failure.chain)
    daemon.info("Starting server...")
    daemon.serve({"aziot-tpmd.socket": service.handle})
