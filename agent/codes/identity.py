"""The device's identity in the cloud, as it is kept on the device."""

from agent.codes.registry import Code, Phase, Severity

CACHED = Code(
    "identity.cached",
    Phase.HELD,
    Severity.ERROR,
    "The settings ask for another identity ({wanted}), but the device still runs as {device_id} ({had})",
    "While aziot-identityd has a stored identity it does not ask the cloud again, whatever config.toml says: "
    "the new id scope, registration id or endpoint is written and applied, and has no effect. Changing the "
    "identity gives the old one up, so it is left to a person.",
    "If the new values are wanted and the device is online: `edge-provisioner reprovision` says what it costs "
    "and does it. If not, put the old values back into /etc/edge-provisioner/agent.toml.",
)
BACKUP_LOST = Code(
    "identity.backup-lost",
    Phase.DEGRADED,
    Severity.ERROR,
    "The stored identity is gone (/var/lib/aziot/identityd/device_info), though the runtime shows Running",
    "A reprovisioning that the cloud refused deletes it first. What runs goes on running; at the next restart "
    "the device needs the cloud, and without it will not come back.",
    "Don't restart the device. Bring it online and check its enrolment (`edge-provisioner identity`), then run "
    "`edge-provisioner reprovision`.",
)
NOT_KNOWN = Code(
    "identity.not-known",
    Phase.DEGRADED,
    Severity.WARNING,
    "The identity service runs but knows no device",
    "The daemons are up, yet `device identity not found` is the answer: the device is not provisioned.",
    "See `journalctl -u aziot-identityd` for its last registration.",
)
NOT_ASKED = Code(
    "identity.not-asked",
    Phase.DEGRADED,
    Severity.WARNING,
    "The identity service does not tell this user who the device is",
    "Only root and user iotedge get an answer.",
    "Run the command as root.",
)
MOVED = Code(
    "identity.moved",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The device is now {device_id} on {hub}; before, it was {old_device_id} on {old_hub}",
    "The provisioning service assigned it anew.",
    "Nothing, if that was meant.",
)
WILL_BE_GIVEN_UP = Code(
    "identity.will-be-given-up",
    Phase.HELD,
    Severity.WARNING,
    "Reprovisioning gives up the identity {device_id} on {hub}; say --yes to do it",
    "The runtime deletes its stored identity first and then asks the cloud. If the cloud refuses or can't be "
    "reached, the device is without identity until it can. If the answer is another device or hub, all modules "
    "are removed and made anew.",
    "Check that the device is online and enrolled (`edge-provisioner identity`), then: "
    "`edge-provisioner reprovision --yes`.",
)
REPROVISION_FAILED = Code(
    "identity.reprovision-failed",
    Phase.DEGRADED,
    Severity.ERROR,
    "Reprovisioning failed: {reason}",
    "The stored identity was deleted before the cloud was asked. What runs goes on running; a restart needs "
    "the cloud.",
    "Don't restart the device. Correct what `edge-provisioner status` names, then `edge-provisioner "
    "reprovision --yes` again.",
)
NOT_READY = Code(
    "identity.not-ready",
    Phase.WAITING,
    Severity.NOTICE,
    "Not reprovisioned: what the settings want is not applied yet, or aziot-identityd does not run",
    "Reprovisioning registers with what is applied, so it would only give the identity up.",
    "Run `edge-provisioner once` first and do what it says; then reprovision.",
)
