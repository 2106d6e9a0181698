"""What `iotedge config apply` accepts in config.toml: strict where the runtime is, silent where it is.

Unknown keys are ignored everywhere. Values are checked in the runtime's order; the first one that
does not fit ends it.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .toml_errors import Table, at_start, at_value, load, named

_MODES = ("Dynamic", "AlwaysOnStartup", "OnErrorOnly")
_METHODS = ("symmetric_key", "x509", "tpm")
_SOURCES = ("manual", "dps", "none")
_LEAST_TIMEOUT_S = 70
_MOST_INDEX = 0x7FFFFF
_EDGE_CA = ({"cert", "pk"}, {"method"}, {"auto_generated_edge_ca_expiry_days"})
_REQUIRED_TOGETHER = {
    "agent": ("name", "type", "config"),
    "aziot_max_requests": ("keyd", "certd", "tpmd", "identityd"),
    "iotedge_max_requests": ("management", "workload"),
    "connect": ("workload_uri", "management_uri"),
    "listen": ("workload_uri", "management_uri"),
    "moby_runtime": ("uri", "network"),
}


class RefusedError(Exception):
    """A configuration that parses and is refused all the same."""


@dataclass(frozen=True, slots=True)
class SuperConfig:
    """A document that was accepted."""

    table: Table

    def get(self, name: str, default: Any) -> Any:
        """Give a top-level key's value."""
        return self.table.get(name, default)


class _Reader:
    """Checks a document; every error knows the text it belongs to."""

    def __init__(self, text: str) -> None:
        self._text = text

    def string(self, table: Table, key: str) -> str:
        value = self.required(table, key)
        if not isinstance(value, str):
            raise self.wrong(f"invalid type: {named(value)}, expected a string")
        return value

    def required(self, table: Table, key: str) -> Any:
        if key not in table:
            raise self.wrong(f"missing field `{key}`")
        return table[key]

    def variant(self, table: Table, key: str, known: tuple[str, ...]) -> str:
        value = self.string(table, key)
        if value not in known:
            raise self.wrong(f"unknown variant `{value}`, expected {one_of(known)}")
        return value

    def table(self, table: Table, key: str) -> Table:
        value = self.required(table, key)
        if not isinstance(value, dict):
            raise self.wrong(f"invalid type: {named(value)}, expected a map")
        return value

    def optional(self, table: Table, keys: tuple[str, ...], kind: type, expected: str) -> None:
        for key in keys:
            value = table.get(key)
            if key in table and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
                raise self.wrong(f"invalid type: {named(value)}, expected {expected}")

    def wrong(self, message: str) -> Exception:
        return at_start(self._text, message)

    def mode(self, document: Table) -> None:
        value = document.get("auto_reprovisioning_mode", "Dynamic")
        key = "auto_reprovisioning_mode"
        if not isinstance(value, str):
            raise at_value(self._text, key, f"invalid type: {named(value)}, expected string or table")
        if value not in _MODES:
            raise at_value(self._text, key, f"unknown variant `{value}`, expected {one_of(_MODES)}")


def one_of(known: tuple[str, ...]) -> str:
    """List the known values as the runtime does."""
    return "one of " + ", ".join(f"`{name}`" for name in known)


def parse(text: str) -> SuperConfig:
    """Read and check a document.

    Raises: TomlError, RefusedError
    """
    document = load(text)
    reader = _Reader(text)
    reader.mode(document)
    _edge_tables(reader, document)
    reader.optional(document, ("hostname", "parent_hostname"), str, "a string")
    reader.optional(document, ("cloud_timeout_sec", "cloud_retries"), int, "u32")
    if document.get("cloud_timeout_sec", _LEAST_TIMEOUT_S) < _LEAST_TIMEOUT_S:
        raise reader.wrong(f"cloud_timeout_sec must be at least {_LEAST_TIMEOUT_S} seconds")
    if document.get("cloud_retries", 0) < 0:
        raise reader.wrong(f"invalid value: integer `{document['cloud_retries']}`, expected u32")
    flags = ("prefer_module_identity_cache", "allow_elevated_docker_permissions")
    reader.optional(document, flags, bool, "a boolean")
    _edge_ca(reader, document)
    _provisioning(reader, document)
    _tpm(reader, document)
    nested = document.keys() & {"parent_hostname", "local_gateway_hostname"}
    if nested and document["provisioning"]["source"] == "dps":
        raise RefusedError("DPS provisioning is not supported in nested mode")
    return SuperConfig(document)


def _edge_tables(reader: _Reader, document: Table) -> None:
    for name, keys in _REQUIRED_TOGETHER.items():
        if name in document:
            for key in keys:
                reader.required(reader.table(document, name), key)
    if "agent" in document:
        reader.required(reader.table(document["agent"], "config"), "image")


def _edge_ca(reader: _Reader, document: Table) -> None:
    """Refuse a table that fits none of the three kinds (super_config.rs, `EdgeCa`, an untagged enum)."""
    if "edge_ca" not in document:
        return
    there = reader.table(document, "edge_ca")
    if not any(kind <= there.keys() for kind in _EDGE_CA):
        raise reader.wrong("data did not match any variant of untagged enum EdgeCa")


def _provisioning(reader: _Reader, document: Table) -> None:
    provisioning = reader.table(document, "provisioning")
    source = reader.variant(provisioning, "source", _SOURCES)
    if source == "manual" and not provisioning.keys() & {"connection_string", "iothub_hostname"}:
        raise reader.wrong("data did not match any variant of untagged enum ManualProvisioning")
    if source != "dps":
        return
    endpoint = reader.string(provisioning, "global_endpoint")
    if not urlsplit(endpoint).scheme or ":" not in endpoint:
        raise reader.wrong(f'relative URL without a base: "{endpoint}"')
    reader.string(provisioning, "id_scope")
    attestation = reader.table(provisioning, "attestation")
    method = reader.variant(attestation, "method", _METHODS)
    if method in {"tpm", "symmetric_key"}:
        reader.string(attestation, "registration_id")
    if method == "x509" and "identity_cert" not in attestation:
        raise reader.wrong("data did not match any variant of untagged enum X509Identity")
    if "payload" in provisioning:
        reader.string(reader.table(provisioning, "payload"), "uri")


def _tpm(reader: _Reader, document: Table) -> None:
    if "tpm" not in document:
        return
    table = reader.table(document, "tpm")
    reader.optional(table, ("auth_key_index",), int, "u32")
    if not 0 <= table.get("auth_key_index", 0) <= _MOST_INDEX:
        value = table["auth_key_index"]
        raise reader.wrong(
            f"invalid value: integer `{value}`, expected integer in range 0x00_00_00..=0x7F_FF_FF"
        )
    reader.optional(table, ("tcti",), str, "a string")
    if "hierarchy_authorization" in table:
        passwords = reader.table(table, "hierarchy_authorization")
        reader.optional(passwords, ("endorsement", "owner"), str, "a string")


def as_url(text: str) -> str:
    """Write a URL as the runtime normalises it: with a path, without the scheme's own port."""
    parts = urlsplit(text)
    path = parts.path or "/"
    port = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    place = parts.netloc.lower().removesuffix(port) if port else parts.netloc
    return parts._replace(netloc=place, path=path).geturl()
