"""The modules: the first of them, edgeAgent, is fetched and started by aziot-edged and brings all others."""

from agent.codes.registry import Code, Phase, Severity

_FINE = "The device is provisioned, its identity is fine; but edgeAgent is who fetches and starts the other modules. "
_RETRIES = " Nothing needs to be restarted afterwards: aziot-edged tries again each minute."
_IMAGE = "the image is set in `/etc/aziot/config.toml` under `[agent.config]`"
# aziot-edged looks each minute, and gives a request up to another one before it calls it a failure.
_SHOWS_AFTER_S = 120.0
_VISIBLE_WITHIN_S = 150.0

STARTING = Code(
    "modules.starting",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The module edgeAgent does not run yet",
    "The device is provisioned. aziot-edged sees to edgeAgent once a minute: it makes its container, or starts it "
    "again after it ended.",
    "Wait; the agent looks again by itself.",
)
RESTARTED = Code(
    "modules.restarted",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The module edgeAgent was started again {seconds} s ago, and is watched",
    "It ended, or all modules were stopped and started. Once does no harm; the agent looks again soon to see whether "
    "it stays up.",
    "Nothing to do, if that was meant. Otherwise look at `docker logs --tail 100 edgeAgent`.",
)
PULLING = Code(
    "modules.pulling",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The image of edgeAgent is being fetched: {image}",
    "The device is provisioned. On a slow line a first download takes many minutes, and aziot-edged says nothing "
    "until it has ended.",
    "Wait; the agent looks again by itself. If it takes hours, look at the line and at `df -h /var/lib/docker`.",
    visible_within_s=90.0,
)
REGISTRY_UNREACHABLE = Code(
    "modules.registry-unreachable",
    Phase.DEGRADED,
    Severity.ERROR,
    "The image of edgeAgent can't be fetched, its registry is out of reach: {reason}",
    _FINE
    + "The container engine did not get through to the registry of {image}. The engine has its own proxy "
    "settings, apart from the runtime's.",
    "Check the cable, then DNS with `getent hosts HOST` and the port with "
    "`timeout 20 openssl s_client -brief -connect HOST:443`, where HOST is the first part of {image}. Behind a proxy, "
    "look at `systemctl show -p Environment docker`." + _RETRIES,
    _SHOWS_AFTER_S,
    _VISIBLE_WITHIN_S,
)
UNAUTHORISED = Code(
    "modules.unauthorised",
    Phase.DEGRADED,
    Severity.ERROR,
    "The registry does not give the image of edgeAgent to this device: {image}",
    _FINE
    + "The registry's words are: {reason}. Registries say the same of an image that they do not have and of one "
    "that is not for everybody.",
    "Compare the image's name, and the user name and password under `[agent.config.auth]`, with the registry's: "
    + _IMAGE
    + ". Then run `iotedge config apply`.",
    _SHOWS_AFTER_S,
    _VISIBLE_WITHIN_S,
)
NO_IMAGE = Code(
    "modules.no-image",
    Phase.DEGRADED,
    Severity.ERROR,
    "The registry has no such image for edgeAgent: {image}",
    _FINE + "The registry answered: {reason}. Most likely the name or the tag is mistyped.",
    "Correct the name or the tag: " + _IMAGE + ". Then run `iotedge config apply`.",
    _SHOWS_AFTER_S,
    _VISIBLE_WITHIN_S,
)
WRONG_ARCHITECTURE = Code(
    "modules.wrong-architecture",
    Phase.DEGRADED,
    Severity.ERROR,
    "The image of edgeAgent is not made for this device's processor: {image}",
    _FINE + "The container engine's words are: {reason}.",
    "Compare `uname -m` with what the image is made for, and choose one that fits: "
    + _IMAGE
    + ". Then run `iotedge config apply`.",
    _SHOWS_AFTER_S,
    _VISIBLE_WITHIN_S,
)
NOT_PRELOADED = Code(
    "modules.not-preloaded",
    Phase.DEGRADED,
    Severity.ERROR,
    "The image of edgeAgent is not on this device, and is not to be fetched: {image}",
    _FINE
    + 'With `imagePullPolicy = "never"` aziot-edged uses only an image that was put on the device before.',
    "Put it there with `docker load -i FILE`, and see that `docker images` shows exactly this name and tag. Or take "
    'out `imagePullPolicy = "never"` under `[agent]` in `/etc/aziot/config.toml`, and run `iotedge config apply`.'
    + _RETRIES,
    _SHOWS_AFTER_S,
    _VISIBLE_WITHIN_S,
)
PULL_FAILED = Code(
    "modules.pull-failed",
    Phase.DEGRADED,
    Severity.ERROR,
    "The image of edgeAgent can't be fetched: {reason}",
    _FINE + "The words are the container engine's own.",
    "Look at `df -h /var/lib/docker` for a full disk, at `timedatectl` for a wrong clock, and at "
    "`journalctl -u docker -n 50`. To see it happen, run `docker pull {image}`." + _RETRIES,
    _SHOWS_AFTER_S,
    _VISIBLE_WITHIN_S,
)
IDENTITY_REFUSED = Code(
    "modules.identity-refused",
    Phase.DEGRADED,
    Severity.ERROR,
    "The container of edgeAgent can't be made, its identity is not to be had: {reason}",
    "The device is provisioned. Where there is no container, aziot-edged asks the IoT hub for edgeAgent's identity "
    "before it fetches the image, and that failed.",
    "Check the way to the IoT hub: cable, DNS, proxy, and that port 443 is open. Then look at "
    "`journalctl -u aziot-identityd -n 50`." + _RETRIES,
    _SHOWS_AFTER_S,
    _VISIBLE_WITHIN_S,
)
NOT_CREATED = Code(
    "modules.not-created",
    Phase.DEGRADED,
    Severity.ERROR,
    "The container of edgeAgent can't be made: {reason}",
    _FINE
    + "The image is there, but the container engine refuses what it is asked to make of it. Most often that "
    "is in the create options.",
    "Look at `createOptions` under `[agent.config]` in `/etc/aziot/config.toml`, correct what the message names, and "
    "run `iotedge config apply`.",
    _SHOWS_AFTER_S,
    _VISIBLE_WITHIN_S,
)
NOT_STARTED = Code(
    "modules.not-started",
    Phase.DEGRADED,
    Severity.ERROR,
    "The container of edgeAgent can't be started: {reason}",
    _FINE + "The container is there, but the container engine can't start it.",
    "Correct what the message names: a port or a name that is taken already shows in `docker ps -a`, a folder to be "
    "mounted must be there. Look at `journalctl -u docker -n 50` too." + _RETRIES,
    _SHOWS_AFTER_S,
    _VISIBLE_WITHIN_S,
)
CRASH_LOOP = Code(
    "modules.crash-loop",
    Phase.DEGRADED,
    Severity.ERROR,
    "The module edgeAgent ends and is started again, over and over: {reason}",
    _FINE
    + "aziot-edged starts it again each minute, and says nothing of why it ends; what is told here are the last "
    "words of the container, or how it ended.",
    "Look at `docker logs --tail 100 edgeAgent` for the whole story and correct what it names. If it complains of "
    "the time, the hub or a certificate, look at `timedatectl` and at `iotedge check`.",
    180.0,  # started again twice by a watchdog that looks each minute
    210.0,
)
NOT_RUNNING = Code(
    "modules.not-running",
    Phase.DEGRADED,
    Severity.WARNING,
    "The module edgeAgent does not run ({state}), and aziot-edged does nothing about it",
    _FINE + "Each minute aziot-edged looks whether edgeAgent runs; it has not done so for {seconds} s.",
    "Look at `journalctl -u aziot-edged -n 50` and `docker ps -a`. If neither says why, run "
    "`iotedge system restart`: it stops and starts all modules.",
    300.0,
    360.0,
)
