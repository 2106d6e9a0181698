"""What an X.509 device adds to the five service configurations: its identity certificate, and EST."""

from typing import Any

from .superconfig import SuperConfig

Table = dict[str, Any]
_ID = "device-id"
_TEMPORARY = f"{_ID}-temp"


def extend(made: dict[str, Table], config: SuperConfig, uids: dict[str, int]) -> None:
    """Add the device's key and certificate to what keyd, certd and identityd are told."""
    attestation = config.table["provisioning"].get("attestation", {})
    if attestation.get("method") != "x509":
        return
    keyd, certd = made["keyd"], made["certd"]
    given = attestation["identity_cert"]
    keyd["principal"][0]["keys"] += [_ID, _TEMPORARY]
    certd["principal"].insert(0, {"uid": uids["aziotid"], "certs": [_TEMPORARY, _ID]})
    if isinstance(given, str):
        keyd["preloaded_keys"] |= {_ID: attestation.get("identity_pk", "")}
        certd["preloaded_certs"] |= {_ID: given}
    else:
        issued = {name: given[name] for name in ("method", "common_name", "subject") if name in given}
        certd["cert_issuance"] |= {_ID: issued, _TEMPORARY: issued}
    if "est" in config.get("cert_issuance", {}):
        _est(keyd, certd, config.table["cert_issuance"]["est"], uids)
    made["identityd"]["provisioning"]["attestation"] = _attestation(attestation)


def _attestation(given: Table) -> Table:
    """The registration id is lost unless an issued certificate has a subject."""
    table: Table = {"method": "x509", "identity_cert": _ID, "identity_pk": _ID}
    certificate = given["identity_cert"]
    preloaded = isinstance(certificate, str)
    if "registration_id" in given and (preloaded or certificate.keys() & {"common_name", "subject"}):
        table["registration_id"] = given["registration_id"]
    if not preloaded and "auto_renew" in certificate:
        table["identity_auto_renew"] = certificate["auto_renew"]
    return table


def _est(keyd: Table, certd: Table, given: Table, uids: dict[str, int]) -> None:
    auth = given.get("auth", {})
    trusted = {f"est-server-ca-{n}": uri for n, uri in enumerate(given.get("trusted_certs", []), start=1)}
    table: Table = {"trusted_certs": list(trusted)}
    if {"username", "password"} <= auth.keys():
        table |= {"username": auth["username"], "password": auth["password"]}
    preloaded = dict(trusted)
    if {"bootstrap_identity_cert", "bootstrap_identity_pk"} <= auth.keys():
        table |= {"identity_cert": "est-id", "identity_pk": "est-id"}
        bootstrap = "est-bootstrap-id"
        table |= {"bootstrap_identity_cert": bootstrap, "bootstrap_identity_pk": bootstrap}
        preloaded[bootstrap] = auth["bootstrap_identity_cert"]
        keyd["preloaded_keys"] |= {bootstrap: auth["bootstrap_identity_pk"]}
        keys = [bootstrap, "est-id", "est-id-temp"]
        keyd["principal"].insert(1, {"uid": uids["aziotcs"], "keys": keys})
    certd["cert_issuance"] = {"est": table | {"urls": given.get("urls", {})}} | certd["cert_issuance"]
    certd["preloaded_certs"] = dict(sorted((certd["preloaded_certs"] | preloaded).items()))
