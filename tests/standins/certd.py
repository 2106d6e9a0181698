"""The certificates service: the Edge CA certificate when edged asks, the device's own from EST."""

import os

from .daemon import Daemon
from .keyd import DEVICE_ID, EDGE_CA, store
from .layout import faults
from .settings import generated
from .unixhttp import Answer, Request

_FOLDER = "var/lib/aziot/certd/certs"
_UNAUTHORISED = (
    "EST endpoint did not return successful response: 401 Unauthorized "
    r'b"Error 401: Unauthorized\nThe server was unable to authorize the request.\n"'
)


def _device_certificate(daemon: Daemon, request: Request) -> Answer:
    preloaded = (generated(daemon.root, "certd") or {}).get("preloaded_certs", {})
    present = os.path.exists(os.path.join(daemon.path(_FOLDER), f"{DEVICE_ID}.cer"))
    if present or "device-id" in preloaded:
        return Answer(200, {"pem": "stand-in"})
    if request.method == "GET":
        daemon.info('!!! parameter "id" has an invalid value')
        daemon.info("!!! caused by: not found")
        return Answer(404, {"message": "not found"})
    if faults(daemon.root).get("est") == "401":
        for line in ("internal error", "caused by: could not create cert", f"caused by: {_UNAUTHORISED}"):
            daemon.error(f"!!! {line}")
        return Answer(500, {"message": "internal error"})
    store(daemon, "aziotcs", _FOLDER, (f"{DEVICE_ID}.cer",))
    return Answer(200, {"pem": "stand-in"})


def run(daemon: Daemon) -> None:
    """Be the certificates service."""
    daemon.info("Starting service...")
    daemon.info(f"Version - {daemon.version()}")
    daemon.info("Starting server...")

    def handle(request: Request) -> Answer:
        if request.path == "/certificates/device-id":
            return _device_certificate(daemon, request)
        store(daemon, "aziotcs", _FOLDER, (f"{EDGE_CA}.cer",))
        return Answer(200, {"pem": "stand-in"})

    daemon.serve({"aziot-certd.socket": handle})
