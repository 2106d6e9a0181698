"""The private keys that config.toml names as files, and whether aziot-keyd can use what lies there. Pure.

It knows PEM without a pass phrase and `pkcs11:` (iotedge-facts 4.6). A key that it can't read shows later, as
a daemon that does not start or a certificate that is not renewed; with a pass phrase it waits for ever.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from agent.edge.config_paths import Document
from agent.edge.config_text import KeyPath

READER = "aziotks"
_TABLES = ("edge_ca", "cert_issuance", "provisioning", "preloaded_keys")
_NAMES = ("pk", "_pk", "uri")  # how the names of keys end that hold a key's URI; in preloaded_keys any does
_TSS2 = b"-----BEGIN TSS2 PRIVATE KEY-----"
_ENCRYPTED = (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED")  # RFC 5958; RFC 1421


def key_files(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Give each key of config.toml that names a private key's file, and that file's path."""
    for path, value in _texts({name: document[name] for name in _TABLES if name in document}, ()):
        parts = urlsplit(value) if value.startswith("file:") and _holds_key(path) else None
        if parts and parts.path.startswith("/"):
            yield path, unquote(parts.path)


def _holds_key(path: KeyPath) -> bool:
    if path[-2:] == ("payload", "uri"):
        return False
    return path[0] == "preloaded_keys" or path[-1].endswith(_NAMES)


def _texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, (*path, name))


def fault(content: bytes | None, *, readable: bool) -> str:
    """Say why aziot-keyd can't use a key file with this content (None: there is none); empty if it can."""
    if content is None:
        return "is not there"
    if content.lstrip().startswith(_TSS2):
        return "is a key that only tpm2-openssl can use; aziot-keyd takes one in a TPM by `pkcs11:`"
    if any(mark in content for mark in _ENCRYPTED):
        return "has a pass phrase, and aziot-keyd has nobody to ask for it"
    return "" if readable else f"can't be read by user {READER}"
