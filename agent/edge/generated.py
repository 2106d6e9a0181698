"""Compare the files that `iotedge config apply` generated with what config.toml says. Pure.

Exit status and "Done." prove nothing about an apply; these files do. Only what config.toml's own keys
decide is compared, in the spelling that the runtime gives it (runtime 1.6, observed).
"""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from agent.edge.config_text import KeyPath, value_at
from agent.values import dataclass

SERVICES = ("keyd", "certd", "identityd", "tpmd", "edged")  # in the order in which apply writes them
DEFAULT_MODE = "Dynamic"
LARGEST = 256 * 1024  # bytes of a generated file; those of a device have some thousands
# The daemons' users may change their files. A key of n parts costs tomllib n * n of time and of memory (seen:
# 260 kB of one key took all that there was), and no generated file has one of more than a few.
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_MOST_DOTS = 63
_ENDLESS_KEY = rf"(?<![A-Za-z0-9_.-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{_MOST_DOTS + 1}}}"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A generated file that does not say what config.toml says: which one, about what, and how it is."""

    service: str
    about: str
    fault: str


def place(service: str) -> str:
    """Give the path of a service's generated file."""
    return f"/etc/aziot/{service}/config.d/00-super.toml"


def document_of(text: str | None) -> dict[str, Any] | None:
    """Parse a generated file; None where it is missing or torn, or made to keep us busy."""
    if text is None or (text.count(".") > _MOST_DOTS and re.search(_ENDLESS_KEY, text)):
        return None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class Registration:
    """What the device registers with, as it was applied last; empty where nothing was."""

    registration_id: str = ""
    global_endpoint: str = ""


def registration(generated: Mapping[str, str | None]) -> Registration:
    """Give what was applied last."""
    document = document_of(generated.get("identityd")) or {}
    paths = (("provisioning", "attestation", "registration_id"), ("provisioning", "global_endpoint"))
    said = (value_at(document, path) for path in paths)
    return Registration(*(value if isinstance(value, str) else "" for value in said))


def agent_image(generated: Mapping[str, str | None]) -> str:
    """Name the image of edgeAgent that was applied last, which apply fills in where config.toml has none."""
    image = value_at(document_of(generated.get("edged")) or {}, ("agent", "config", "image"))
    return image if isinstance(image, str) else ""


def disagreements(
    config: Mapping[str, Any], generated: Mapping[str, str | None], others: Collection[KeyPath] = ()
) -> tuple[Disagreement, ...]:
    """Say which of the five files don't say what `config` (a parsed config.toml) says; empty if all do.

    The keys of `others` may say something else: when those are applied is somebody else's matter.
    """
    documents = {service: _document(service, generated.get(service)) for service in SERVICES}
    missing = [
        Disagreement(service, place(service), _fault(generated.get(service)))
        for service in SERVICES
        if documents[service] is None
    ]
    wrong = [
        Disagreement(key.service, ".".join(key.path), f"is another one in {place(key.service)}")
        for key in _KEYS
        if key.path not in others
        and (document := documents[key.service]) is not None
        and not _agree(key, config, document)
    ]
    return (*missing, *wrong)


def _document(service: str, text: str | None) -> dict[str, Any] | None:
    """Parse a file; an empty one, as a power cut leaves it, is none. All that tpmd's has may be left out."""
    is_empty = text is not None and not text and service != "tpmd"
    return None if is_empty else document_of(text)


def _fault(text: str | None) -> str:
    if text is None:
        return "is missing"
    return "is damaged: it is no TOML" if text else "is empty"


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of config.toml and the generated file that has it, there by the name `as_path`.

    `spelt` gives both values as the runtime spells them; a `free` key that config.toml does not have may be
    anything.
    """

    service: str
    path: KeyPath
    as_path: KeyPath = ()
    spelt: Callable[[Any], Any] = lambda value: value
    free: bool = False


def _agree(key: _Key, config: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    said, got = value_at(config, key.path), value_at(document, key.as_path or key.path)
    return (key.free and said is None) or key.spelt(said) == key.spelt(got)


def as_url(value: Any) -> Any:
    """Give a URL as the runtime's URL type prints it: host in lower case, no usual port, a path at least."""
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        usual = parts.port == _USUAL_PORTS.get(parts.scheme)
    except ValueError:
        return value
    place = parts.netloc.lower().removesuffix(f":{parts.port}" if usual else "")
    return parts._replace(netloc=place, path=parts.path or "/").geturl()


_USUAL_PORTS = {"https": 443, "http": 80}


def _mode(value: Any) -> Any:
    return DEFAULT_MODE if value is None else value


def _tcti(value: Any) -> Any:
    return _bytes("device" if value is None else value)


def _bytes(value: Any) -> Any:
    """Give a text as tpmd's file has it: a list of bytes; what is empty is left out of the file."""
    return list(value.encode()) if isinstance(value, str) else value or []


_KEYS = (
    _Key("identityd", ("provisioning", "source")),
    _Key("identityd", ("provisioning", "id_scope"), ("provisioning", "scope_id")),
    _Key("identityd", ("provisioning", "global_endpoint"), spelt=as_url),
    _Key("identityd", ("provisioning", "payload")),
    _Key("identityd", ("provisioning", "attestation", "method")),
    _Key("identityd", ("provisioning", "attestation", "registration_id")),
    _Key("identityd", ("hostname",), free=True),  # the machine's name at the time of apply
    _Key("edged", ("auto_reprovisioning_mode",), spelt=_mode),
    _Key("edged", ("hostname",), free=True),
    _Key("tpmd", ("tpm", "tcti"), ("tcti",), spelt=_tcti),
    *(
        _Key("tpmd", ("tpm", *secret), secret, spelt=_bytes)
        for secret in (("hierarchy_authorization", "owner"), ("hierarchy_authorization", "endorsement"))
    ),
)
PATHS = frozenset(key.path for key in _KEYS)
