"""The private keys that config.toml names as files, and whether aziot-keyd can use what lies there. Pure.

It knows PEM without a pass phrase and `pkcs11:` (iotedge-facts 4.6). A key that it can't read shows later, as
a daemon that does not start or a certificate that is not renewed; with a pass phrase it waits for ever.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit

from agent.edge.config_paths import Document
from agent.edge.config_text import KeyPath
from agent.values import dataclass

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


class Fault(StrEnum):
    """Why aziot-keyd can't use a key file, as the end of a sentence about it."""

    NONE = ""
    MISSING = "is not there"
    IN_TPM = "is a key that only tpm2-openssl can use; aziot-keyd takes one in a TPM by `pkcs11:`"
    ENCRYPTED = "has a pass phrase, and aziot-keyd has nobody to ask for it"
    CLOSED = f"can't be read by user {READER}"


@dataclass(frozen=True, slots=True)
class UnusableKey:
    """A key of config.toml, the file that it names, and what is wrong; `closed` keeps the reader out."""

    key: KeyPath
    path: str
    fault: Fault
    closed: str = ""


def fault(content: bytes | None, *, readable: bool) -> Fault:
    """Say why aziot-keyd can't use a key file with this content (None: there is none)."""
    if content is None:
        return Fault.MISSING
    if content.lstrip().startswith(_TSS2):
        return Fault.IN_TPM
    if any(mark in content for mark in _ENCRYPTED):
        return Fault.ENCRYPTED
    return Fault.NONE if readable else Fault.CLOSED


def mend(unusable: UnusableKey, config: str, line: int | None) -> str:
    """Give sentences that mend it, with commands to be typed as they are."""
    import shlex  # of use only here

    path = shlex.quote(unusable.path)
    elsewhere = (
        f"correct line {line} of `{config}`, and run `iotedge config apply` when the modules may stop."
    )
    given = f"`chown {READER}:{READER} {path}` and `chmod 600 {path}`"
    match unusable.fault:
        case Fault.MISSING:
            return f"Put the key there as PEM without a pass phrase, and run {given}. Or {elsewhere}"
        case Fault.IN_TPM:
            library = "with libtpm2_pkcs11 as `pkcs11_lib_path` under `[aziot_keys]`"
            return f"Name the key in the TPM by a `pkcs11:` URI, {library}: {elsewhere}"
        case Fault.ENCRYPTED:
            new = shlex.quote(f"{unusable.path}.new")
            return (
                f"Take the pass phrase off: run `openssl pkey -in {path} -out {new}`, "
                f"`chown {READER}:{READER} {new}` and `mv {new} {path}`."
            )
    if unusable.closed not in ("", unusable.path):
        opened = f"Let others through with `chmod o+x {shlex.quote(unusable.closed)}`."
        return f"{opened} Or move the key to another folder, and {elsewhere}"
    return f"Give it the file: run {given}."
