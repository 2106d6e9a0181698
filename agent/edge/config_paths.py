"""The keys of config.toml that we know by name, which are secret, and the file that one refers to. Pure."""

from collections.abc import Mapping
from typing import Any

from agent.edge.config_text import KeyPath, Value

Document = Mapping[str, Any]
# None: the key must not be there; a key that is not named is none of our business
Intended = Mapping[KeyPath, Value | None]

PAYLOAD_PLACE = "/etc/aziot/edge-provisioner-payload.json"
PAYLOAD_READER = "aziotid"

MODE: KeyPath = ("auto_reprovisioning_mode",)
HOSTNAME: KeyPath = ("hostname",)
ENDPOINT: KeyPath = ("provisioning", "global_endpoint")
ID_SCOPE: KeyPath = ("provisioning", "id_scope")
REGISTRATION_ID: KeyPath = ("provisioning", "attestation", "registration_id")
METHOD: KeyPath = ("provisioning", "attestation", "method")
SOURCE: KeyPath = ("provisioning", "source")
PAYLOAD: KeyPath = ("provisioning", "payload")
TCTI: KeyPath = ("tpm", "tcti")
OWNER_AUTH: KeyPath = ("tpm", "hierarchy_authorization", "owner")
ENDORSEMENT_AUTH: KeyPath = ("tpm", "hierarchy_authorization", "endorsement")

IDENTITY_KEYS = (SOURCE, METHOD, ID_SCOPE, REGISTRATION_ID, ENDPOINT)
# Where the other ways say who the device is (runtime 1.6, iotedge-facts 4.3): `source = "manual"`, and the
# attestations `symmetric_key` and `x509`. The runtime ignores them beside attestation by TPM.
OF_OTHER_WAYS: tuple[KeyPath, ...] = (
    ("provisioning", "connection_string"),
    ("provisioning", "iothub_hostname"),
    ("provisioning", "device_id"),
    ("provisioning", "authentication"),
    ("provisioning", "attestation", "symmetric_key"),
    ("provisioning", "attestation", "identity_cert"),
    ("provisioning", "attestation", "identity_pk"),
)
SECRETS = (OWNER_AUTH, ENDORSEMENT_AUTH)
_SECRETS_OF_OTHERS: tuple[KeyPath, ...] = (  # keys, passwords, and URIs that may hold a PIN (runtime 1.6)
    ("provisioning", "connection_string"),
    ("provisioning", "authentication"),
    ("provisioning", "attestation", "symmetric_key"),
    ("provisioning", "attestation", "identity_pk"),
    ("provisioning", "attestation", "identity_cert"),
    ("cert_issuance", "est", "auth"),
    ("preloaded_keys",),
    ("agent", "config", "auth"),
    ("agent", "env"),
)
NOT_SHOWN = SECRETS + _SECRETS_OF_OTHERS
# Not every variable of a module's is a secret; one that is has a name or a shape that says so.
SECRETS_IN_COMMENTS = tuple(path for path in NOT_SHOWN if path != ("agent", "env"))
