"""Codes of the registration id: what the device is to be called at the provisioning service."""

from agent.codes.registry import Code, Phase, Severity

_CHANGE = (
    "Choose another `registration_id` under `[dps]` in `/etc/edge-provisioner/agent.toml`, for example "
    '`registration_id = "auto"`, which is computed from the endorsement key. Then run `edge-provisioner identity` '
    "to see it."
)

EMPTY_VALUE = Code(
    "registration.empty-value",
    Phase.HELD,
    Severity.ERROR,
    "The registration id needs {{{field}}}, and this device has none",
    "The template in `[dps] registration_id` names {{{field}}}. Without a value several devices would get the same "
    "registration id, and the cloud would take them for one device.",
    "Give the device a value for {{{field}}}, or do without it. " + _CHANGE,
)

PLACEHOLDER = Code(
    "registration.placeholder",
    Phase.HELD,
    Severity.ERROR,
    'The registration id needs {{{field}}}, but "{value}" is a placeholder',
    'The vendor or the image left "{value}" in {{{field}}}, and other devices have the same. They would all get one '
    "registration id, and the cloud would take them for one device.",
    "Give the device a value of its own for {{{field}}}, or do without it. " + _CHANGE,
)

UNKNOWN_FIELD = Code(
    "registration.unknown-field",
    Phase.HELD,
    Severity.ERROR,
    "The registration id names {{{field}}}, which is not known",
    "A template in `[dps] registration_id` may name {known}.",
    "Use one of {known}. " + _CHANGE,
)

INVALID = Code(
    "registration.invalid",
    Phase.HELD,
    Severity.ERROR,
    'The registration id "{identifier}" is not one that the provisioning service takes: {fault}',
    'It comes from `registration_id = "{setting}"` under `[dps]`. The provisioning service takes at most 128 '
    "characters of a-z 0-9 - . _ : and the last one must be a letter, a digit or a dash.",
    _CHANGE,
)
