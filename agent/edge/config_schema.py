"""Where the keys of the runtime's configuration have their place, and which stand elsewhere. Pure.

The runtime ignores a key that it does not know where it stands, without a word (iotedge-facts 4.1). The names
are those of super_config.rs (runtime 1.6; iotedge-facts 4.2 to 4.8), but for those that many tables have, and
for `owner` and `endorsement`: a site has an owner too, and its name as the TPM's password locks the TPM up.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from agent.edge.config_statements import KeyPath, scan
from agent.values import dataclass

_TOP: KeyPath = ()
_HOMES: Mapping[str, KeyPath] = MappingProxyType({
    **dict.fromkeys(
        (
            "hostname", "parent_hostname", "local_gateway_hostname", "trust_bundle_cert",
            "auto_reprovisioning_mode", "cloud_timeout_sec", "cloud_retries", "prefer_module_identity_cache",
            "allow_elevated_docker_permissions", "additional_info",
        ),
        _TOP,
    ),
    **dict.fromkeys(
        ("source", "id_scope", "global_endpoint", "connection_string", "iothub_hostname", "device_id"),
        ("provisioning",),
    ),
    **dict.fromkeys(
        ("cleanup_recurrence", "image_age_cleanup_threshold", "cleanup_time"), ("image_garbage_collection",)
    ),
    **dict.fromkeys(("registration_id", "symmetric_key"), ("provisioning", "attestation")),
    **dict.fromkeys(("tcti", "auth_key_index"), ("tpm",)),
    "device_id_pk": ("provisioning", "authentication"),
    "trusted_certs": ("cert_issuance", "est"),
    "auto_generated_edge_ca_expiry_days": ("edge_ca",),
    "imagePullPolicy": ("agent",),
    "max_retries": ("watchdog",),
    "pkcs11_lib_path": ("aziot_keys",),
    "pkcs11_base_slot": ("aziot_keys",),
})  # fmt: skip
# Names of IoT Edge 1.1 that `iotedge config import` alone knows, and what says the same today.
_OLD: Mapping[str, str] = MappingProxyType({
    "always_reprovision_on_startup": '`auto_reprovisioning_mode = "AlwaysOnStartup"` at the top of the file',
    "dynamic_reprovisioning": "`auto_reprovisioning_mode` at the top of the file",
    "device_connection_string": "`connection_string` under `[provisioning]`",
    "device_ca_cert": "`cert` under `[edge_ca]`",
    "device_ca_pk": "`pk` under `[edge_ca]`",
    "trusted_ca_certs": "`trust_bundle_cert` at the top of the file",
})  # fmt: skip
_FREE: tuple[KeyPath, ...] = (  # below these stand names of the user's own
    ("agent", "env"), ("agent", "config"), ("provisioning", "payload"), ("cert_issuance", "est", "urls"),
    ("preloaded_keys",), ("preloaded_certs",), ("moby_runtime", "content_trust"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A key without effect: its dotted name as it stands there, its line, and where it would have one."""

    key: str
    line: int
    home: str


def misplaced(text: str) -> tuple[Misplaced, ...]:
    """Give the keys that have no effect where they stand.

    Raises:
        AgentError: config.invalid-toml, or what else says that the text is no TOML.

    """
    return tuple(_misplaced(text))


def _misplaced(text: str) -> Iterator[Misplaced]:
    for one in scan(text).statements:
        name, table = one.path[-1], one.path[:-1]
        if one.is_header or any(table[: len(free)] == free for free in _FREE):
            continue
        home = _HOMES.get(name, table)
        if name in _OLD:
            yield Misplaced(".".join(one.path), one.number, _OLD[name])
        elif home != table:
            yield Misplaced(".".join(one.path), one.number, _in_words(name, home))


def _in_words(name: str, home: KeyPath) -> str:
    place = f"under `[{'.'.join(home)}]`" if home else "at the top of the file, above the first [table]"
    return f"`{name}` {place}"
