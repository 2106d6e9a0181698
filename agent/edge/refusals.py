"""What `iotedge config apply` refuses, as far as a look at config.toml shows it. Pure.

The runtime names neither table nor line for most of these (iotedge-facts 3.3: "line 1, column 1"), and is
asked when all else is done. The rules are those of super_config.rs (runtime 1.6), which ignores unknown keys.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from agent.edge.config_paths import HOSTNAME, MODE, SOURCE, Document
from agent.edge.config_text import KeyPath, value_at
from agent.values import dataclass

_PARENTS = ("parent_hostname", "local_gateway_hostname")  # the second is another name for the first
_MODES = ("Dynamic", "AlwaysOnStartup", "OnErrorOnly")
_FLAGS = ("allow_elevated_docker_permissions", "prefer_module_identity_cache")
_MOST_INDEX = 0x7FFFFF  # a persistent handle's last 23 bits, iotedge-facts 4.7
_EDGE_CA = (("cert", "pk"), ("method",), ("auto_generated_edge_ca_expiry_days",))  # one set must be whole
_IMAGE = '"mcr.microsoft.com/azureiotedge-agent:1.6"'  # what the runtime takes where there is no table
_REQUIRED: Mapping[KeyPath, Mapping[str, str]] = MappingProxyType({
    ("agent",): {"name": '"edgeAgent"', "type": '"docker"', "config": f"{{ image = {_IMAGE} }}"},
    ("agent", "config"): {"image": _IMAGE},
    ("connect",): {"workload_uri": "", "management_uri": ""},
    ("listen",): {"workload_uri": "", "management_uri": ""},
    ("moby_runtime",): {"uri": '"unix:///var/run/docker.sock"', "network": '"azure-iot-edge"'},
    ("aziot_max_requests",): dict.fromkeys(("keyd", "certd", "tpmd", "identityd"), "10"),
    ("iotedge_max_requests",): {"management": "50", "workload": "10"},
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """A key or table that will not be taken, why, and what to do about it."""

    path: KeyPath
    fault: str
    mend: str


def refusals(document: Document, version: str) -> Iterator[Refusal]:
    """Give what the runtime of this version ("1.6.0"; empty is a new one) refuses in a config.toml."""
    yield from _nested(document)
    yield from _numbers(document, version)
    yield from _words(document)
    yield from _halves(document)
    yield from _edge_ca(document)


def _nested(document: Document) -> Iterator[Refusal]:
    for name in _PARENTS:
        if name in document and value_at(document, SOURCE) == "dps":
            fault = "a device below another edge device can't be provisioned by the provisioning service"
            yield Refusal((name,), fault, "Delete that line, if this device is not below another one.")


def _numbers(document: Document, version: str) -> Iterator[Refusal]:
    least = _least_timeout_s(version)
    for path, lowest, highest, good in (
        (("cloud_timeout_sec",), least, 2**32 - 1, least),
        (("cloud_retries",), 0, 2**32 - 1, 1),
        (("tpm", "auth_key_index"), 0, _MOST_INDEX, "0x00_01_00"),
    ):
        value = value_at(document, path)
        if value is not None and not (type(value) is int and lowest <= value <= highest):
            fault = f"it must be a whole number from {lowest} to {highest}, without quotes"
            yield Refusal(path, fault, f"Write `{path[-1]} = {good}` in its place, or delete that line.")


def _least_timeout_s(version: str) -> int:
    """Give the least `cloud_timeout_sec`: 70 since runtime 1.4.9 (iotedge-facts 4.2)."""
    old = re.match(r"1\.4\.(\d+)", version)
    return 1 if old and int(old[1]) < 9 else 70  # noqa: PLR2004  # of 1.4.9


def _words(document: Document) -> Iterator[Refusal]:
    mode = value_at(document, MODE)
    if mode is not None and mode not in _MODES:
        fault = f"it must be {' or '.join(_quoted(one) for one in _MODES)}"
        yield Refusal(MODE, fault, f"Write `{MODE[0]} = {_quoted(_MODES[0])}` in its place.")
    for path in (HOSTNAME, *((name,) for name in _PARENTS)):
        yield from _of_type(document, path, str, "a text in quotes")
    for name in _FLAGS:
        yield from _of_type(document, (name,), bool, "true or false, without quotes")


def _of_type(document: Document, path: KeyPath, kind: type, takes: str) -> Iterator[Refusal]:
    value = value_at(document, path)
    if value is not None and not isinstance(value, kind):
        yield Refusal(path, f"it must be {takes}", "Correct that line, or delete it.")


def _quoted(text: str) -> str:
    return f'"{text}"'


def _halves(document: Document) -> Iterator[Refusal]:
    """Name tables that are there in part: what is left out has no default then."""
    for table, needed in _REQUIRED.items():
        there = value_at(document, table)
        missing = [name for name in needed if isinstance(there, Mapping) and name not in there]
        if missing:
            yield Refusal(table, f"{' and '.join(missing)} missing", _completed(table, missing, needed))


def _completed(table: KeyPath, missing: list[str], needed: Mapping[str, str]) -> str:
    name = ".".join(table)
    lines = [f"`{key} = {needed[key]}`" if needed[key] else f"`{key}`" for key in missing]
    return (
        f"Write a line `[{name}]` above all that belongs to it, unless it is there, and below it "
        f"{' and '.join(lines)}; or delete `[{name}]` with all that belongs to it."
    )


def _edge_ca(document: Document) -> Iterator[Refusal]:
    there: Any = document.get("edge_ca")
    if isinstance(there, Mapping) and not any(all(name in there for name in kind) for kind in _EDGE_CA):
        fault = "it says neither `cert` and `pk`, nor `method`, nor `auto_generated_edge_ca_expiry_days`"
        mend = (
            "Delete `[edge_ca]` with all that belongs to it: the runtime then makes a certificate for 90 "
            "days and renews it. Or write `auto_generated_edge_ca_expiry_days = 90` below `[edge_ca]`."
        )
        yield Refusal(("edge_ca",), fault, mend)
