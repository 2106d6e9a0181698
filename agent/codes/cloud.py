"""What the cloud answers, told from what aziot-identityd writes about it."""

from agent.codes.registry import Code, Phase, Severity

_RETRIES = "Nothing needs to be restarted afterwards: aziot-identityd asks again by itself."

NOT_ENROLLED = Code(
    "cloud.not-enrolled",
    Phase.HELD,
    Severity.ERROR,
    "The provisioning service does not know this device (registration id {registration_id}, id scope {id_scope})",
    "It answered 401 without a challenge, which means: no enrolment with this registration id in this id "
    "scope, or one with another endorsement key. The runtime shows this as a missing field "
    "`authenticationKey`.",
    "Run `edge-provisioner identity` and compare its registration id and endorsement key with the individual "
    "enrolment in the Azure portal. Compare the id scope with that of the same provisioning service. "
    + _RETRIES,
)
DISABLED = Code(
    "cloud.disabled",
    Phase.HELD,
    Severity.ERROR,
    "This device's enrolment is disabled in the provisioning service",
    "The service answered with status `disabled`, which the runtime shows as an unknown variant.",
    "Enable the enrolment {registration_id} in the Azure portal. " + _RETRIES,
)
CLOCK_BEHIND = Code(
    "cloud.clock-behind",
    Phase.DEGRADED,
    Severity.ERROR,
    "The cloud rejects this device's token as expired: the clock is behind (here it is {now} UTC)",
    "A token is good for 30 seconds from the device's own time, so a clock half a minute behind the cloud's is "
    "rejected with `Unauthorized`.",
    "Look at `timedatectl`. Have the time synchronised with `timedatectl set-ntp true` (a time server must be in "
    'reach), or set it with `date -u -s "YYYY-MM-DD HH:MM:SS"`. ' + _RETRIES,
)
CLOCK_WRONG = Code(
    "cloud.clock-wrong",
    Phase.DEGRADED,
    Severity.ERROR,
    "The cloud's certificate is not valid at this device's time: the clock is wrong (here it is {now} UTC)",
    "TLS fails because the certificate is not valid yet, or not any more, by this clock. A device without a "
    "battery-backed clock starts in the past.",
    "Look at `timedatectl`. Have the time synchronised with `timedatectl set-ntp true` (a time server must be in "
    'reach), or set it with `date -u -s "YYYY-MM-DD HH:MM:SS"`. If the time is right, something between this '
    "device and the cloud presents another certificate.",
)
UNREACHABLE = Code(
    "cloud.unreachable",
    Phase.WAITING,
    Severity.WARNING,
    "The provisioning service can't be reached: {reason}",
    "The connection fails before anything is said. Nothing is changed while the device is offline.",
    "Check the cable, then DNS with `getent hosts global.azure-devices-provisioning.net` (or the host in your "
    "`global_endpoint`), then port 443 with "
    "`timeout 20 openssl s_client -brief -connect global.azure-devices-provisioning.net:443`. A proxy must be known "
    "to the runtime: `systemctl show -p Environment aziot-identityd`. " + _RETRIES,
)
SERVER_ERROR = Code(
    "cloud.server-error",
    Phase.WAITING,
    Severity.WARNING,
    "The provisioning service has a problem of its own: {reason}",
    "It answered with a server error. The device is not at fault.",
    "Wait; if it lasts, look at Azure's status page. " + _RETRIES,
)
REJECTED = Code(
    "cloud.rejected",
    Phase.DEGRADED,
    Severity.ERROR,
    "The provisioning service rejects the registration: {reason}",
    "The words are the cloud's own.",
    "Run `edge-provisioner identity` and compare it, and the id scope, with the enrolment in the Azure portal. "
    + _RETRIES,
)
SILENT = Code(
    "cloud.silent",
    Phase.WAITING,
    Severity.NOTICE,
    "The provisioning service has not answered for {seconds} s",
    "The daemon aziot-identityd runs and writes nothing: the service is slow, hangs, or has asked for a pause. Which of "
    "these it is shows after about 75 seconds.",
    "Wait; the agent looks again by itself.",
    shows_after_s=20.0,  # a first registration takes 10 to 15 s with a quick cloud
)
THROTTLED = Code(
    "cloud.throttled",
    Phase.WAITING,
    Severity.WARNING,
    "The provisioning service has too much to do and asks for a pause ({seconds} s so far)",
    "On status 429 aziot-identityd waits 60 to 330 seconds between attempts, and writes nothing about it. Many "
    "devices that register at once cause this.",
    "Wait. Do not restart the daemons: each restart asks the cloud again at once.",
    shows_after_s=75.0,  # cloud_timeout_sec is at least 70; silence beyond it is a pause after a 429
    visible_within_s=120.0,
)
HANGING = Code(
    "cloud.hanging",
    Phase.WAITING,
    Severity.WARNING,
    "The provisioning service accepts connections but does not answer",
    "The daemon aziot-identityd gave up waiting for an answer and tries again. A proxy or firewall that swallows the "
    "traffic looks like this.",
    "Try the way to the cloud with "
    "`timeout 20 openssl s_client -brief -connect global.azure-devices-provisioning.net:443`. If that hangs too, "
    "look at the proxy, the firewall and the packet size (`ip link` shows the MTU). " + _RETRIES,
    shows_after_s=75.0,  # aziot-identityd waits that long for an answer
    visible_within_s=120.0,
)
HUB_REFUSES = Code(
    "cloud.hub-refuses",
    Phase.DEGRADED,
    Severity.ERROR,
    "The IoT hub refuses this device's identity",
    "The daemon aziot-identityd could not agree with the IoT hub on the device's identities, and registers again by itself. "
    "The device was deleted or disabled in the IoT hub, or its key is no longer the one that the hub has.",
    "Look at the device in the IoT hub: it must exist and be enabled. If it was deleted, see that its enrolment "
    "in the provisioning service is enabled; the next registration makes it anew. " + _RETRIES,
)
HUB_UNREACHABLE = Code(
    "cloud.hub-unreachable",
    Phase.WAITING,
    Severity.WARNING,
    "The IoT hub can't be reached, so the new identity is not stored on this device yet",
    "The provisioning service has assigned the device to an IoT hub, but aziot-identityd stores an identity only "
    "once that hub has answered. What runs goes on running; a restart before then registers once more.",
    "Check the way to the IoT hub: cable, DNS, proxy, and that port 443 is open. When it answers, run "
    "`iotedge system restart`, which lets the identity be stored.",
)
