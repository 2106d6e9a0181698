"""What the cloud answers, told from what aziot-identityd writes about it."""

from agent.codes.registry import Code, Phase, Severity

_RETRIES = (
    "aziot-identityd asks again every few seconds by itself, so nothing needs to be restarted afterwards."
)

NOT_ENROLLED = Code(
    "cloud.not-enrolled",
    Phase.HELD,
    Severity.ERROR,
    "The provisioning service does not know this device (registration id {registration_id}, scope {id_scope})",
    "It answered 401 without a challenge, which means: no enrolment with this registration id in this id "
    "scope, or one with another endorsement key. The runtime shows this as a missing field "
    "`authenticationKey`.",
    "Compare `edge-provisioner identity` with the individual enrolment in the portal: registration id, "
    "endorsement key, and the id scope of that service. " + _RETRIES,
)
DISABLED = Code(
    "cloud.disabled",
    Phase.HELD,
    Severity.ERROR,
    "This device's enrolment is disabled in the provisioning service",
    "The service answered with status `disabled`, which the runtime shows as an unknown variant.",
    "Enable the enrolment {registration_id} in the portal. " + _RETRIES,
)
CLOCK_BEHIND = Code(
    "cloud.clock-behind",
    Phase.DEGRADED,
    Severity.ERROR,
    "The cloud rejects this device's token as expired: the clock is behind (here it is {now} UTC)",
    "Tokens are made for 30 seconds from now, so a clock half a minute behind the cloud's is rejected with "
    "`Unauthorized`.",
    "See `timedatectl`: set the time, or let it be synchronised (systemd-timesyncd or chrony must reach a time "
    "server). " + _RETRIES,
)
CLOCK_WRONG = Code(
    "cloud.clock-wrong",
    Phase.DEGRADED,
    Severity.ERROR,
    "The cloud's certificate is not valid at this device's time: the clock is wrong (here it is {now} UTC)",
    "TLS fails because the certificate is not yet valid or has expired by this clock. A device without a "
    "battery-backed clock starts in the past.",
    "See `timedatectl`: set the time, or let it be synchronised. If the time is right, something between this "
    "device and the cloud presents another certificate.",
)
UNREACHABLE = Code(
    "cloud.unreachable",
    Phase.WAITING,
    Severity.WARNING,
    "The provisioning service can't be reached: {reason}",
    "The connection fails before anything is said. Nothing is changed while offline.",
    "Check cable, DNS and proxy: `getent hosts global.azure-devices-provisioning.net`, and that port 443 is "
    "open. " + _RETRIES,
)
SERVER_ERROR = Code(
    "cloud.server-error",
    Phase.WAITING,
    Severity.WARNING,
    "The provisioning service has a problem of its own: {reason}",
    "It answered with a server error. The device is not at fault.",
    "Wait; see the service's status page if it lasts. " + _RETRIES,
)
REJECTED = Code(
    "cloud.rejected",
    Phase.DEGRADED,
    Severity.ERROR,
    "The provisioning service rejects the registration: {reason}",
    "The words are the cloud's own.",
    "Compare `edge-provisioner identity` and the id scope with the enrolment in the portal. " + _RETRIES,
)
SILENT = Code(
    "cloud.silent",
    Phase.WAITING,
    Severity.NOTICE,
    "The provisioning service has not answered for {seconds} s",
    "aziot-identityd is Running and writes nothing: the service is slow, hangs, or has asked for a pause. "
    "Which of these shows after about 75 seconds.",
    "Wait.",
)
THROTTLED = Code(
    "cloud.throttled",
    Phase.WAITING,
    Severity.WARNING,
    "The provisioning service throttles: aziot-identityd pauses and writes nothing about it ({seconds} s now)",
    "On status 429 the daemon waits 60 to 330 seconds between attempts, Running and silent. Many devices "
    "registering at once cause this.",
    "Wait. Don't restart the daemons: each restart asks the cloud again at once.",
)
HANGING = Code(
    "cloud.hanging",
    Phase.WAITING,
    Severity.WARNING,
    "The provisioning service accepts connections but does not answer",
    "aziot-identityd gave up waiting for an answer and tries again. A proxy or firewall that swallows the "
    "traffic looks like this.",
    "Check the path to the cloud: proxy, firewall, and packet size (`ping -M do -s 1400`).",
)
HUB_REFUSES = Code(
    "cloud.hub-refuses",
    Phase.DEGRADED,
    Severity.ERROR,
    "The IoT hub refuses this device's identity",
    "aziot-identityd could not reconcile with the hub and registers again by itself. The device was deleted or "
    "disabled in the hub, or its key is no longer the hub's.",
    "Look at the device in the hub: it must exist and be enabled. If it was deleted on purpose, enable its "
    "enrolment and wait.",
)
