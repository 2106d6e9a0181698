"""The identity service: start-up with or without a backup, reconciling, and its HTTP interface."""

import contextlib
import hashlib
import os
import time
import tomllib
from typing import Any, NamedTuple

from . import certificate, cloud
from .daemon import Daemon, DaemonError
from .layout import give, ids, scaled
from .settings import generated, place, to_toml
from .unixhttp import Answer, Request

_HOME = "var/lib/aziot/identityd"
_VERSIONS = ("2020-09-01", "2021-12-01", "2022-08-01")
_NO_BACKUP = "Failed to provision with IoT Hub, and no valid device backup was found: "
_WATCHER_S = 10
_CAPTURE_S = 0.5  # what the service takes for its backtrace
_MODULES = ("$edgeAgent", "$edgeHub")


class Device(NamedTuple):
    """What the service holds in memory once it is provisioned."""

    hub: str
    device_id: str


class Identity:
    """The service's state and its ways to get it."""

    def __init__(self, daemon: Daemon, config: dict[str, Any]) -> None:
        self._daemon = daemon
        self._config = config
        self._device: Device | None = None
        self._seen = self._stamp()
        self._changed_at: float | None = None

    def start(self) -> None:
        """Provision as at start: with the backup where there is one, else at the cloud.

        Raises: DaemonError
        """
        self._daemon.info("Provisioning starting. Reason: Startup")
        self._device = self._backup()
        if self._device:
            self._daemon.info(f"Provisioned with backup for {self._device.device_id}.")
        else:
            self._register()
        self._daemon.info("Successfully provisioned with DPS.")
        self._daemon.info("Provisioning complete.")
        self._reconcile("Startup")

    def _register(self) -> None:
        try:
            self._device = Device(*cloud.register(self._daemon, self._config["provisioning"]))
        except DaemonError as failure:
            self._daemon.error(_NO_BACKUP + failure.chain[0])
            raise

    def _reconcile(self, reason: str) -> None:
        self._daemon.info(f"Identity reconciliation started. Reason: {reason}")
        try:
            self._ask_hub_or_register(reason)
        except cloud.HubUnreachableError:
            self._daemon.warn(
                "Network not available for Identity reconciliation. Using offline backup from last run."
            )
            return
        except cloud.HubRefusedError as refused:
            raise DaemonError(*refused.args) from None
        self._store()
        self._daemon.info("Identity reconciliation complete.")

    def _ask_hub_or_register(self, reason: str) -> None:
        try:
            cloud.ask_hub(self._daemon, self._config["provisioning"])
        except cloud.HubRefusedError:
            if reason != "Startup":
                raise
            self._daemon.info("Could not reconcile Identities with current device data. Reprovisioning.")
            self._register()
            cloud.ask_hub(self._daemon, self._config["provisioning"])

    def _backup(self) -> Device | None:
        try:
            with open(self._daemon.path(f"{_HOME}/device_info"), "rb") as source:
                stored = tomllib.load(source)
            return Device(stored["hub_name"], stored["device_id"])
        except (OSError, tomllib.TOMLDecodeError, KeyError):
            return None

    def _store(self) -> None:
        device = self._device
        if device is None:
            return
        backup = {
            "hub_name": device.hub,
            "local_gateway_hostname": device.hub,
            "device_id": device.device_id,
        }
        self._write("device_info", to_toml(backup))
        self._write("prev_state", to_toml(self._config))
        digests = (hashlib.sha256(name.encode()).hexdigest() for name in (device.hub, device.device_id))
        folder = f"modules/{'-'.join(digests)}"
        self._folder("modules")
        self._folder(folder)
        for module in _MODULES:
            name = f"{module.strip('$')}-{hashlib.sha256(module.encode()).hexdigest()}"
            self._write(f"{folder}/{name}", "{}\n")

    def _folder(self, name: str) -> None:
        path = self._daemon.path(f"{_HOME}/{name}")
        os.makedirs(path, exist_ok=True)
        give(path, *(ids(self._daemon.root, "aziotid") or (0, 0)), 0o755)

    def _write(self, name: str, text: str) -> None:
        path = self._daemon.path(f"{_HOME}/{name}")
        with open(path, "w", encoding="utf-8") as target:
            target.write(text)
        give(path, *(ids(self._daemon.root, "aziotid") or (0, 0)), 0o644)

    def _reprovision(self) -> Answer:
        """Forget the device first, then ask the cloud, in the real one's order."""
        self._device = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._daemon.path(f"{_HOME}/device_info"))
        modules = self._daemon.path(f"{_HOME}/modules")
        if os.path.isdir(modules):
            for folder in os.scandir(modules):
                for name in os.listdir(folder):
                    os.unlink(os.path.join(folder, name))
                os.rmdir(folder)
        self._daemon.info("Provisioning starting. Reason: Api")
        try:
            self._register()
            self._daemon.info("Successfully provisioned with DPS.")
            self._daemon.info("Provisioning complete.")
            self._reconcile("Api")
        except DaemonError as failure:
            self._device = None
            self._complain(failure.chain)
            return Answer(404, {"message": "\ncaused by: ".join(failure.chain)})
        return Answer(204)

    def _complain(self, chain: tuple[str, ...]) -> None:
        self._daemon.error(f"!!! {chain[0]}")
        for cause in chain[1:]:
            self._daemon.error(f"!!! caused by: {cause}")

    def handle(self, request: Request) -> Answer:
        """Answer a client, one at a time."""
        headers = ", ".join(f'"{name}": "{value}"' for name, value in request.headers)
        with self._daemon.lock:
            self._daemon.info(f"<-- {request.method} {request.target} {{{headers}}}")
            answer = self._answer(request)
            sent = '"content-type": "application/json"' if answer.document is not None else ""
            self._daemon.info(f"--> {answer.status} {{{sent}}}")
            return answer

    def _answer(self, request: Request) -> Answer:
        version = request.query.get("api-version")
        if version is None:
            return Answer(400, {"message": "api-version not specified"})
        if version not in _VERSIONS:
            return Answer(400, {"message": f'invalid api-version "{version}"'})
        if request.path == "/identities/provisioning" and version >= "2021-12-01":
            return self._provisioning(request)
        if request.path in {"/identities/device", "/identities/device/reprovision"}:
            return self._privileged(request)
        return Answer(404, {"message": "not found"})

    def _provisioning(self, request: Request) -> Answer:
        if request.method != "GET":
            return Answer(400, {"message": "method not allowed"})
        provisioning = self._config["provisioning"]
        if provisioning["source"] != "dps":
            auth = {"auth": "sas"} if provisioning["source"] == "manual" else {}
            return Answer(200, {"source": provisioning["source"], **auth})
        attestation = provisioning["attestation"]
        return Answer(
            200,
            {
                "source": "dps",
                "auth": attestation["method"],
                "endpoint": provisioning["global_endpoint"],
                "scope_id": provisioning["scope_id"],
                "registration_id": attestation.get("registration_id"),
                "payload": provisioning.get("payload"),
            },
        )

    def _privileged(self, request: Request) -> Answer:
        if request.method != "POST":
            return Answer(400, {"message": "method not allowed"})
        allowed = {0, (ids(self._daemon.root, "iotedge") or (0, 0))[0]}
        if request.uid not in allowed:
            return Answer(401, {"message": "authorization error"})
        if request.path.endswith("/reprovision"):
            return self._reprovision()
        if self._device is None:
            return Answer(400, {"message": "device identity not found"})
        spec = {
            "hubName": self._device.hub,
            "gatewayHost": self._device.hub,
            "deviceId": self._device.device_id,
            "auth": self._auth(),
        }
        return Answer(200, {"type": "aziot", "spec": spec})

    def _auth(self) -> dict[str, str]:
        provisioning = self._config["provisioning"]
        if cloud.by_tpm(provisioning):
            return {"type": "tpm"}
        if provisioning["source"] == "dps":
            return {"type": "x509", "keyHandle": "sr=stand-in", "certId": "device-id"}
        return {"type": "sas", "keyHandle": "sr=stand-in"}

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = os.stat(place(self._daemon.root, "identityd"))
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def watch(self) -> None:
        """Notice a changed configuration file; 10 s later reconcile with it, without registering."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen, self._changed_at = stamp, time.monotonic()
        due = self._changed_at
        if due is None or time.monotonic() < due + scaled(self._daemon.root, _WATCHER_S):
            return
        self._changed_at = None
        with self._daemon.lock:
            self._read_again()

    def _read_again(self) -> None:
        self._config = generated(self._daemon.root, "identityd") or self._config
        self._daemon.info("Provisioning starting. Reason: ConfigurationFileUpdate")
        self._daemon.info("Provisioning complete.")
        with contextlib.suppress(DaemonError):
            self._reconcile("ConfigurationFileUpdate")


def run(daemon: Daemon) -> None:
    """Be the identity service."""
    daemon.info("Starting service...")
    daemon.info(f"Version - {daemon.version()}")
    daemon.info("Loaded openssl'd Default provider")
    config = generated(daemon.root, "identityd")
    if config is None:
        daemon.fail(("could not read config", "missing field `hostname`"))
    identity = Identity(daemon, config)
    try:
        certificate.obtain(daemon, config["provisioning"])
        identity.start()
    except DaemonError as failure:
        daemon.pause(_CAPTURE_S)
        daemon.fail(failure.chain)
    daemon.info("Starting server...")
    daemon.serve({"aziot-identityd.socket": identity.handle}, identity.watch, _WATCHER_S / 4)
