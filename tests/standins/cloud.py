"""The provisioning service and the hub as identityd sees them; no network, faults decide.

A registration by TPM has the real one's legs: keys to the service, a challenge or a refusal, the
registration, polls, the key imported into the TPM. Errors are those seen on runtime 1.6.
"""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

from .daemon import Daemon, DaemonError
from .layout import faults, read_as
from .unixhttp import Answer, ask

_CLIENT_ERROR = "DPS client error"
_RESET = ("client error (SendRequest)", "connection error", "Connection reset by peer (os error 104)")
_REFUSED = ("client error (Connect)", "tcp connect error", "Connection refused (os error 111)")
_NOT_YET_VALID = (
    "client error (Connect)",
    (
        "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:"
        "../ssl/statem/statem_clnt.c:1889: (certificate is not yet valid)"
    ),
)
_NO_CHALLENGE = "missing field `authenticationKey` at line 1 column 142"
_DISABLED = "unknown variant `disabled`, expected one of `assigned`, `assigning`, `failed`"
_BACK_OFF_S = (65, 130, 195, 315)
_HANGING_S = 70
_RETRY_S = 3
_POLL_S = 5
DEVICE_ID, HUB = "dev-tpm-1", "hub.test:8443"


class HubUnreachableError(Exception):
    """The hub could not be asked."""


class HubRefusedError(Exception):
    """The hub, or the signature that it needs, was refused."""


def tpm(daemon: Daemon, request: tuple[str, str], document: Any = None) -> Answer:
    """Ask tpmd, which systemd starts if it is not running.

    Raises: DaemonError as identityd reports it.
    """
    path = daemon.path("run/aziot/tpmd.sock")
    try:
        answer = ask(path, request, document)
    except ConnectionResetError:
        raise DaemonError(_CLIENT_ERROR, *_RESET) from None
    except OSError as failure:
        cause = f"{failure.strerror} (os error {failure.errno})"
        raise DaemonError(_CLIENT_ERROR, "client error (Connect)", cause) from None
    if answer.status != 200:
        raise DaemonError(_CLIENT_ERROR, "internal error")
    return answer


def _cloud(daemon: Daemon) -> str:
    return str(faults(daemon.root).get("cloud", "ok"))


def _reach(daemon: Daemon) -> None:
    """Get an answer at all: two attempts, and the back-off that a throttled request waits in silence."""
    for attempt in (1, 2):
        state = _cloud(daemon)
        chain = _unanswered(daemon, state)
        if chain is None:
            break
        daemon.warn(f"Failed to send HTTP request (attempt {attempt} of 2): {chain[0]}")
        if attempt == 2:
            raise DaemonError(_CLIENT_ERROR, *chain)
        daemon.pause(_RETRY_S)
    for seconds in _BACK_OFF_S:
        if _cloud(daemon) != "throttled":
            return
        daemon.pause(seconds)
    if _cloud(daemon) == "throttled":
        raise DaemonError(_CLIENT_ERROR, "Too many requests")


def _unanswered(daemon: Daemon, state: str) -> tuple[str, ...] | None:
    if state == "hanging":
        daemon.pause(_HANGING_S)
        return ("timed out",)
    return {"unreachable": _REFUSED, "clock-hour-behind": _NOT_YET_VALID}.get(state)


def _enrolled_as(daemon: Daemon, provisioning: dict[str, Any], endorsement_key: str = "") -> str | None:
    """Give the device id of the enrolment that scope, registration id and endorsement key belong to."""
    enrolled = faults(daemon.root).get("enrolled", {})
    if enrolled.get("id_scope", provisioning["scope_id"]) != provisioning["scope_id"]:
        return None
    if "endorsement_keys" in enrolled and endorsement_key:
        digest = hashlib.sha256(base64.b64decode(endorsement_key)).hexdigest()
        if not {endorsement_key, digest} & set(enrolled["endorsement_keys"]):
            return None
    registration_id = provisioning["attestation"]["registration_id"]
    if "registration_ids" in enrolled:
        return dict(enrolled["registration_ids"]).get(registration_id)
    return DEVICE_ID if by_tpm(provisioning) else str(registration_id)


def _check_payload(daemon: Daemon, provisioning: dict[str, Any]) -> None:
    """Read the payload with aziotid's rights and look at its JSON."""
    if "payload" not in provisioning:
        return
    invalid = 'parameter "provisioning.payload" has an invalid value'
    try:
        text = _payload(daemon, urlsplit(provisioning["payload"]["uri"]).path)
    except OSError as failure:
        raise DaemonError(invalid, f"{failure.strerror} (os error {failure.errno})") from None
    problem = json_problem(text)
    if problem:
        raise DaemonError(invalid, problem)


def _payload(daemon: Daemon, path: str) -> str:
    if faults(daemon.root).get("payload") == "denied":
        raise PermissionError(13, "Permission denied")
    return read_as(daemon.root, "aziotid", path).decode("utf-8", "replace")


def json_problem(text: str) -> str | None:
    """Say what is wrong with a JSON text in the runtime's words; None where it is well formed."""
    try:
        json.loads(text)
    except json.JSONDecodeError as wrong:
        if wrong.msg.startswith("Expecting property name"):
            return f"key must be a string at line {wrong.lineno} column {wrong.colno}"
        if not text.strip():
            return "EOF while parsing a value at line 1 column 0"
        return f"expected value at line {wrong.lineno} column {wrong.colno}"
    return None


def register(daemon: Daemon, provisioning: dict[str, Any]) -> tuple[str, str]:
    """Register the device; gives hub and device id.

    Raises: DaemonError
    """
    if provisioning["source"] != "dps":
        return provisioning["iothub_hostname"], provisioning["device_id"]
    _check_payload(daemon, provisioning)
    if not by_tpm(provisioning):
        return _register_by_certificate(daemon, provisioning)
    keys = tpm(daemon, ("GET", "/get_tpm_keys?api-version=2020-09-01")).document
    _reach(daemon)
    device_id = _enrolled_as(daemon, provisioning, keys["endorsement_key"])
    if device_id is None or _cloud(daemon) == "401":
        raise DaemonError(_CLIENT_ERROR, _NO_CHALLENGE)
    if _cloud(daemon) == "500":
        raise DaemonError(_CLIENT_ERROR, "Internal server error")
    if says := faults(daemon.root).get("cloud_says"):  # an answer of the service's own is handed on
        raise DaemonError(_CLIENT_ERROR, str(says))
    _import_key(daemon)
    daemon.info("Sending DPS registration request.")
    if _cloud(daemon) == "clock-behind":
        raise DaemonError(_CLIENT_ERROR, "Unauthorized")
    return _assigned(daemon, device_id, "Imported DPS authentication key into TPM.")


def by_tpm(provisioning: dict[str, Any]) -> bool:
    """Whether the device proves itself with its TPM."""
    return bool(provisioning.get("attestation", {}).get("method") == "tpm")


def _register_by_certificate(daemon: Daemon, provisioning: dict[str, Any]) -> tuple[str, str]:
    daemon.info("Sending DPS registration request.")
    _reach(daemon)
    enrolled = _enrolled_as(daemon, provisioning)
    if enrolled is None or _cloud(daemon) in {"401", "clock-behind"}:
        raise DaemonError(_CLIENT_ERROR, "Unauthorized")
    if _cloud(daemon) == "500":
        raise DaemonError(_CLIENT_ERROR, "Internal server error")
    return _assigned(daemon, enrolled)


def _import_key(daemon: Daemon) -> None:
    tpm(daemon, ("POST", "/import_auth_key?api-version=2020-09-01"), {"key": "c3RhbmQtaW4="})


def _assigned(daemon: Daemon, device_id: str, imported: str = "") -> tuple[str, str]:
    daemon.pause(_POLL_S)
    daemon.info("Checking DPS registration status.")
    if _cloud(daemon) == "disabled":
        raise DaemonError(_CLIENT_ERROR, _DISABLED)
    daemon.info("DPS registration is still in progress.")
    daemon.pause(_POLL_S)
    daemon.info("Checking DPS registration status.")
    if imported:
        daemon.info(imported)
    hub = str(faults(daemon.root).get("hub_name", HUB))
    daemon.info(f"Assigned to IoT hub: {hub}")
    daemon.info("DPS registration complete.")
    return hub, device_id


def ask_hub(daemon: Daemon, provisioning: dict[str, Any]) -> None:
    """List the device's modules at the hub; a TPM device needs a token signed in its TPM.

    Raises: HubUnreachableError, HubRefusedError
    """
    try:
        if by_tpm(provisioning):
            tpm(daemon, ("POST", "/sign_with_auth_key?api-version=2020-09-01"), {"data": "eA=="})
    except DaemonError as failure:
        raise HubRefusedError(*failure.chain) from None
    hub = faults(daemon.root).get("hub", "ok")
    if hub == "unreachable":
        raise HubUnreachableError
    if hub == "refuses":
        raise HubRefusedError("Hub client error", "Unauthorized")
