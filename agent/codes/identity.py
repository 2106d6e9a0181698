"""The device's identity in the cloud, as it is kept on the device."""

from agent.codes.registry import Code, Phase, Severity

CACHED = Code(
    "identity.cached",
    Phase.HELD,
    Severity.ERROR,
    "The settings ask for another identity ({wanted}), but the device still runs as {device_id} ({had})",
    "While aziot-identityd has a stored identity it does not ask the cloud again, whatever config.toml says: the "
    "new id scope, registration id or endpoint is written and applied, and has no effect. Changing the identity "
    "gives the old one up, so it is left to a person.",
    "To keep the old identity, put the old values back into `/etc/edge-provisioner/agent.toml`. For the new one, "
    "see that the device is online and enrolled with what `edge-provisioner identity` prints, run "
    "`edge-provisioner reprovision` to see the cost, then `edge-provisioner reprovision --yes`.",
)
BACKUP_LOST = Code(
    "identity.backup-lost",
    Phase.DEGRADED,
    Severity.ERROR,
    "The stored identity is gone (/var/lib/aziot/identityd/device_info), though the runtime shows Running",
    "A reprovisioning that the cloud refused deletes the stored identity first. What runs goes on running; at "
    "the next restart the device needs the cloud, and without it does not come back.",
    "Do not restart the device or its daemons. Bring the device online, compare its enrolment with "
    "`edge-provisioner identity`, then run `edge-provisioner reprovision --yes`.",
)
NOT_KNOWN = Code(
    "identity.not-known",
    Phase.DEGRADED,
    Severity.WARNING,
    "The identity service runs but knows no device",
    "The daemons are up, yet `device identity not found` is the answer: the device is not provisioned.",
    "Look at `journalctl -u aziot-identityd -n 50` for what came of its last registration.",
)
NOT_ASKED = Code(
    "identity.not-asked",
    Phase.DEGRADED,
    Severity.WARNING,
    "The identity service does not tell this user who the device is",
    "Only root and user iotedge get an answer.",
    "Run the same command with `sudo`.",
)
MOVED = Code(
    "identity.moved",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The device is now {device_id} on {hub}; before, it was {old_device_id} on {old_hub}",
    "The provisioning service assigned the device anew.",
    "Nothing to do, if that was meant. Otherwise look at the device's enrolment in the Azure portal.",
)
WILL_BE_GIVEN_UP = Code(
    "identity.will-be-given-up",
    Phase.HELD,
    Severity.WARNING,
    "Reprovisioning gives up the identity {device_id} on {hub}; nothing is done without --yes",
    "The runtime deletes its stored identity first and then asks the cloud. If the cloud refuses or can't be "
    "reached, the device is without identity until it can. If the answer is another device or IoT hub, all "
    "modules are removed and made anew.",
    "See that the device is online and enrolled with what `edge-provisioner identity` prints, then run "
    "`edge-provisioner reprovision --yes`.",
)
REPROVISION_FAILED = Code(
    "identity.reprovision-failed",
    Phase.DEGRADED,
    Severity.ERROR,
    "Reprovisioning failed: {reason}",
    "The stored identity was deleted before the cloud was asked. What runs goes on running; a restart needs the "
    "cloud.",
    "Do not restart the device or its daemons. Look at `journalctl -u aziot-identityd -n 50` for the cause and "
    "correct it, then run `edge-provisioner reprovision --yes` again.",
)
NOT_READY = Code(
    "identity.not-ready",
    Phase.WAITING,
    Severity.NOTICE,
    "Not reprovisioned: what the settings want is not applied yet, or aziot-identityd does not run",
    "Reprovisioning registers with what is applied, so it would only give the identity up.",
    "Run `edge-provisioner once` and do what it says, then run `edge-provisioner reprovision` again.",
)
