"""Codes of the registration id: what the device is to be called at the Device Provisioning Service."""

from agent.codes.registry import Code, Phase, Severity

_CHANGE = (
    'Choose another [dps] registration_id in /etc/edge-provisioner/agent.toml, for example "auto", which is '
    "computed from the TPM's endorsement key, then run: edge-provisioner identity."
)

EMPTY_VALUE = Code(
    "registration.empty-value",
    Phase.HELD,
    Severity.ERROR,
    "The registration id needs {{{field}}}, and this machine has none",
    "The template in [dps] registration_id names {{{field}}}. Without a value several devices would get the same "
    "registration id, and the cloud would take them for one device.",
    "Give the machine a value for {{{field}}}, or do without it. " + _CHANGE,
)

PLACEHOLDER = Code(
    "registration.placeholder",
    Phase.HELD,
    Severity.ERROR,
    'The registration id needs {{{field}}}, but "{value}" is a placeholder',
    'The vendor or the image left "{value}" in {{{field}}}; other devices have the same. They would all get one '
    "registration id, and the cloud would take them for one device.",
    "Give the machine a value of its own for {{{field}}}, or do without it. " + _CHANGE,
)

UNKNOWN_FIELD = Code(
    "registration.unknown-field",
    Phase.HELD,
    Severity.ERROR,
    "The registration id names {{{field}}}, which is not known",
    "A template in [dps] registration_id may name {known}.",
    "Use one of {known}. " + _CHANGE,
)

INVALID = Code(
    "registration.invalid",
    Phase.HELD,
    Severity.ERROR,
    'The registration id "{identifier}" would be refused: {fault}',
    'It comes from [dps] registration_id = "{setting}". The Device Provisioning Service takes at most 128 characters '
    "of a-z 0-9 - . _ : and the last one must be a letter, a digit or a dash.",
    _CHANGE,
)
