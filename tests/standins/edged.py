"""The Edge daemon: gets the device identity from identityd, for ever if need be, then runs modules."""

import base64
import hashlib
import json
import os
import signal
import threading
import tomllib
from typing import NoReturn

from .daemon import Daemon
from .keyd import store
from .layout import give, ids
from .settings import generated
from .unixhttp import Answer, Request, ask, listen
from .watchdog import Watchdog

_API = "api-version=2020-09-01"
_NOT_CONFIGURED = 153
_RETRY_S = 5
_AGENT_IMAGE = "mcr.microsoft.com/azureiotedge-agent:1.6"
_DESCRIPTIONS = {"running": "Up 31 minutes"}  # as seen; the others' were not
_UNREACHABLE = "Identity Service was unreachable. Waiting for Identity Service startup."


def _identityd(daemon: Daemon, target: str) -> Answer:
    path = daemon.path("run/aziot/identityd.sock")
    return ask(path, ("POST", f"{target}?{_API}"), {"type": "aziot"})


def _obtain(daemon: Daemon) -> tuple[str, str]:
    """Ask until there is an identity; gives hub and device id."""
    daemon.info("Obtaining Edge device provisioning data...")
    while True:
        try:
            answer = _identityd(daemon, "/identities/device")
            if answer.status == 200:
                spec = answer.document["spec"]
                return spec["hubName"], spec["deviceId"]
            daemon.warn(f"Failed to obtain device identity: {answer.document['message']}")
            daemon.info("Requesting device reprovision")
            _identityd(daemon, "/identities/device/reprovision")
        except OSError as failure:
            daemon.warn(f"Failed to obtain device identity: {failure}")
            daemon.warn(_UNREACHABLE)
        daemon.pause(_RETRY_S)


def _reprovision_on_startup(daemon: Daemon) -> None:
    cache = daemon.path("var/lib/aziot/edged/cache/provisioning_state")
    if os.path.exists(cache):
        os.unlink(cache)
    try:
        answer = _identityd(daemon, "/identities/device/reprovision")
        problem = "" if answer.status == 204 else answer.document["message"]
    except OSError as failure:
        problem = str(failure)
    if problem:
        daemon.error(f"Reprovision on startup failed: {problem}")
        raise SystemExit(1)


def _remember(daemon: Daemon, hub: str, device_id: str, watchdog: Watchdog) -> None:
    """Leave the files that a running edged has; a changed device removes all modules first."""
    identity = {"device_id": device_id, "gateway_host_name": hub, "hub_name": hub}
    digest = hashlib.sha256(json.dumps(identity, separators=(",", ":")).encode()).digest()
    cache = daemon.path("var/lib/aziot/edged/cache/provisioning_state")
    state = base64.b64encode(digest).decode()
    before = None
    if os.path.exists(cache):
        with open(cache, encoding="ascii") as source:
            before = source.read()
    if before not in (None, state):
        daemon.info("Change to device information detected")
        daemon.info("Removing all modules...")
        watchdog.remove_all()
    store(daemon, "iotedge", "var/lib/aziot/edged/cache", ("provisioning_state",))
    with open(cache, "w", encoding="ascii") as target:
        target.write(state)
    store(daemon, "iotedge", "var/lib/aziot/edged/gc", ("image_use",))
    store(daemon, "iotedge", "var/lib/aziot/edged/mnt", ())


def _agent_socket(daemon: Daemon) -> None:
    path = daemon.path("var/lib/aziot/edged/mnt/edgeAgent.sock")
    listen(path).close()
    give(path, *(ids(daemon.root, "iotedge") or (0, 0)), 0o666)


def _stop_modules(daemon: Daemon, watchdog: Watchdog) -> None:
    daemon.info("Stopping all modules...")
    watchdog.stop_all()
    daemon.info("All modules stopped")


def _stopping(daemon: Daemon, watchdog: Watchdog) -> NoReturn:
    """Stop the modules, and end."""
    daemon.info("Watchdog stopped")
    _stop_modules(daemon, watchdog)
    daemon.info("watchdog finished")
    daemon.info("Stopping management API...")
    daemon.info("Stopping workload API...")
    daemon.info("Management API stopped")
    daemon.info("Workload Manager stopped")
    daemon.info("Stopping listener for module edgeAgent")
    raise SystemExit(0)


def _run_modules(daemon: Daemon, watchdog: Watchdog) -> NoReturn:
    signal.signal(signal.SIGTERM, lambda *_: _stopping(daemon, watchdog))
    daemon.info("Initializing module runtime...")
    daemon.info("Using runtime network id azure-iot-edge")
    daemon.info("Successfully initialized module runtime")
    _stop_modules(daemon, watchdog)
    for name in ("keyd", "certd"):
        ask(daemon.path(f"run/aziot/{name}.sock"), ("POST", f"/stand-in?{_API}"), {})
    _agent_socket(daemon)
    daemon.info("Starting management API...")
    daemon.info("Starting workload API...")
    daemon.info("Starting watchdog with 60 second period...")
    threading.Thread(target=watchdog.run, daemon=True).start()

    def management(_request: Request) -> Answer:
        state = watchdog.state()
        status = {"runtimeStatus": {"status": state, "description": _DESCRIPTIONS.get(state, "")}}
        settings = {"settings": {"image": watchdog.image}}
        agent = {"name": "edgeAgent", "status": status, "config": settings}
        return Answer(200, {"modules": [agent] if state else []})

    def workload(_request: Request) -> Answer:
        return Answer(404, {"message": "not found"})

    daemon.serve({"aziot-edged.mgmt.socket": management, "aziot-edged.workload.socket": workload})


def run(daemon: Daemon) -> None:
    """Be the Edge daemon."""
    daemon.info("Starting Azure IoT Edge Daemon")
    daemon.info("Version - 1.6.0")
    try:
        config = generated(daemon.root, "edged")
    except tomllib.TOMLDecodeError as wrong:
        daemon.error(f"Failed to load settings: {wrong}")
        raise SystemExit(_NOT_CONFIGURED) from None
    if config is None:
        daemon.error("Failed to load settings: could not read config")
        raise SystemExit(_NOT_CONFIGURED)
    if config.get("auto_reprovisioning_mode") == "AlwaysOnStartup":
        _reprovision_on_startup(daemon)
    hub, device_id = _obtain(daemon)
    daemon.info(f"Device is {device_id} on {hub}")
    agent = config.get("agent", {})
    image = agent.get("config", {}).get("image", _AGENT_IMAGE)
    watchdog = Watchdog(daemon, image, agent.get("imagePullPolicy") != "never")
    _remember(daemon, hub, device_id, watchdog)
    _run_modules(daemon, watchdog)
