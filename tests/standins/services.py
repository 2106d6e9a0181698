"""The five service configurations that `config apply` makes of one config.toml."""

from typing import Any

from . import x509
from .layout import hostname, ids
from .superconfig import SuperConfig, as_url

Table = dict[str, Any]
_CA = "aziot-edged-ca"
_TEMPORARY = f"{_CA}-temp"
_DEFAULT_INDEX = 0x100
_RENEWAL = {"rotate_key": True, "threshold": "80%", "retry": "4%"}
_AGENT = {
    "name": "edgeAgent",
    "type": "docker",
    "config": {"image": "mcr.microsoft.com/azureiotedge-agent:1.6"},
}


def convert(root: str, config: SuperConfig) -> dict[str, Table]:
    """Give each daemon's configuration, in the order in which they are written."""
    uids = {user: (ids(root, user) or (0, 0))[0] for user in ("aziotid", "aziotcs", "iotedge")}
    name = config.get("hostname", None) or hostname(root)
    made = {
        "keyd": _keyd(config, uids),
        "certd": _certd(config, uids),
        "identityd": _identityd(config, uids, name),
        "tpmd": _tpmd(config.get("tpm", {})),
        "edged": _edged(config, name),
    }
    x509.extend(made, config, uids)
    return made


def _keyd(config: SuperConfig, uids: dict[str, int]) -> Table:
    homedir = {"homedir_path": "/var/lib/aziot/keyd"}
    return {
        "aziot_keys": config.get("aziot_keys", {}) | homedir,
        "preloaded_keys": config.get("preloaded_keys", {}),
        "principal": [
            {"uid": uids["aziotid"], "keys": ["aziot_identityd_master_id"]},
            {"uid": uids["aziotcs"], "keys": [_CA, _TEMPORARY]},
            {"uid": uids["iotedge"], "keys": [_CA, "iotedge_master_encryption_id", _TEMPORARY]},
        ],
    }


def _certd(config: SuperConfig, uids: dict[str, int]) -> Table:
    issued = {"method": "self_signed", "expiry_days": 90}
    bundle = {"aziot-edged-trust-bundle": [_CA]}
    return {
        "homedir_path": "/var/lib/aziot/certd",
        "cert_issuance": {_CA: issued, _TEMPORARY: issued},
        "preloaded_certs": bundle | config.get("preloaded_certs", {}),
        "principal": [{"uid": uids["iotedge"], "certs": [_CA, "aziot-edged/module/*", _TEMPORARY]}],
    }


def _identityd(config: SuperConfig, uids: dict[str, int], name: str) -> Table:
    table = {"hostname": name, "homedir": "/var/lib/aziot/identityd"}
    clouds: Table = {
        key: config.table[key] for key in ("cloud_timeout_sec", "cloud_retries") if key in config.table
    }
    return {
        **table,
        **clouds,
        "prefer_module_identity_cache": config.get("prefer_module_identity_cache", False),
        "provisioning": _provisioning(config.table["provisioning"]),
        "principal": [{"uid": uids["iotedge"], "name": "aziot-edge"}],
    }


def _provisioning(given: Table) -> Table:
    if given["source"] != "dps":
        return _manual(given)
    attestation = given["attestation"]
    made = {
        "source": "dps",
        "global_endpoint": as_url(given["global_endpoint"]),
        "scope_id": given["id_scope"],
        "attestation": {
            "method": attestation["method"],
            "registration_id": attestation.get("registration_id", ""),
        },
    }
    return made | ({"payload": {"uri": given["payload"]["uri"]}} if "payload" in given else {})


def _manual(given: Table) -> Table:
    """A device that a person registered at the hub, or one without a hub."""
    if given["source"] == "none":
        return {"source": "none"}
    pairs = [part.partition("=") for part in given.get("connection_string", "").split(";")]
    known = {name: value for name, _, value in pairs}
    return {
        "source": "manual",
        "iothub_hostname": given.get("iothub_hostname", known.get("HostName", "")),
        "device_id": given.get("device_id", known.get("DeviceId", "")),
        "authentication": {"method": "sas", "device_id_pk": "device-id"},
    }


def _tpmd(given: Table) -> Table:
    """Only what is not the default; strings become arrays of their bytes."""
    table: Table = {}
    if given.get("tcti", "device") != "device":
        table["tcti"] = list(given["tcti"].encode())
    if given.get("auth_key_index", _DEFAULT_INDEX) != _DEFAULT_INDEX:
        table["auth_key_index"] = given["auth_key_index"]
    passwords = given.get("hierarchy_authorization", {})
    bytes_of = {
        name: list(passwords[name].encode()) for name in ("endorsement", "owner") if passwords.get(name)
    }
    return table | ({"hierarchy_authorization": bytes_of} if bytes_of else {})


def _agent(given: Table) -> Table:
    config = {
        "image": given["config"].get("image", ""),
        "createOptions": given["config"].get("createOptions", {}),
    }
    return {
        "name": given["name"],
        "type": given["type"],
        "imagePullPolicy": given.get("imagePullPolicy", "on-create"),
        "config": config,
        "env": given.get("env", {}),
    }


def _edged(config: SuperConfig, name: str) -> Table:
    run = "unix:///var/run/iotedge"
    sockets = {"workload_uri": f"{run}/workload.sock", "management_uri": f"{run}/mgmt.sock"}
    passed = {
        "workload_uri": "fd://aziot-edged.workload.socket",
        "management_uri": "fd://aziot-edged.mgmt.socket",
    }
    engine = {"uri": "unix:///var/run/docker.sock", "network": "azure-iot-edge"}
    return {
        "hostname": name,
        "trust_bundle_cert": "aziot-edged-trust-bundle",
        "auto_reprovisioning_mode": config.get("auto_reprovisioning_mode", "Dynamic"),
        "homedir": "/var/lib/aziot/edged",
        "allow_elevated_docker_permissions": config.get("allow_elevated_docker_permissions", True),
        "edge_ca": {"auto_renew": _RENEWAL},
        "agent": _agent(config.get("agent", _AGENT)),
        "connect": config.get("connect", sockets),
        "listen": config.get("listen", passed),
        "watchdog": config.get("watchdog", {"max_retries": "infinite"}),
        "moby_runtime": config.get("moby_runtime", engine),
    }
