"""The runtime on this device: its daemons, and why one of them does not run."""

from agent.codes.registry import Code, Phase, Severity

PROVISIONED = Code(
    "runtime.provisioned",
    Phase.PROVISIONED,
    Severity.INFO,
    "Provisioned as {device_id} on {hub}",
    "The generated files say what config.toml says, the daemons stay up, and the identity service knows the "
    "device.",
    "Nothing to do.",
)
NOT_INSTALLED = Code(
    "runtime.not-installed",
    Phase.WAITING,
    Severity.NOTICE,
    "Azure IoT Edge is not installed ({missing} is missing)",
    "The TPM's keys can be made without the runtime; everything after them waits for it.",
    "Run `apt-get install aziot-edge` (from Microsoft's package repository; it wants a container engine first). The "
    "agent goes on by itself.",
)
UNGUARDED = Code(
    "runtime.unguarded",
    Phase.HELD,
    Severity.ERROR,
    "Somebody else than root could change the command {program}, so it is not run: {place} {how}",
    "The agent runs the runtime's command as root. Whoever can change it, or a folder on the way to it, would have "
    "this device; so nothing of the runtime's is looked at or changed.",
    "See what was done to it, with `ls -ld {place}` and `dpkg --verify aziot-edge`. If nothing was, run "
    "`chown -h root:root {place} && chmod go-w {place}`; otherwise install the package again. If "
    "`[runtime] iotedge` in the settings names it, see whose idea that was. The agent goes on by itself then.",
)
NO_SYSTEMD = Code(
    "runtime.no-systemd",
    Phase.HELD,
    Severity.ERROR,
    "This system is not run by systemd, and the agent works with the runtime's packages under systemd only",
    "There is no /run/systemd/system. `iotedge config apply` writes its files and then fails at `systemctl`; a runtime "
    "whose daemons something else starts, as in a container, is that one's to look after. Nothing was made or written.",
    "Install the packages on a system that systemd runs. In a chroot where an image is built, leave it to the first "
    "boot: `edge-provisioner identity` and `edge-provisioner tpm` work here too.",
)
SNAP = Code(
    "runtime.snap",
    Phase.HELD,
    Severity.ERROR,
    "Azure IoT Edge is installed as a snap, and the agent works with the runtime's packages under systemd only",
    "The snap keeps its files below /var/snap and has no `iotedge system` commands that the agent could use. Nothing "
    "was made or written.",
    "Configure the snap by its own means (`snap info azure-iot-edge`), and run `systemctl disable --now "
    "edge-provisioner`. Or take the packages: run `snap remove azure-iot-edge`, then `apt-get install aziot-edge`.",
)
PROXY_BY_TLS = Code(
    "runtime.proxy-by-tls",
    Phase.PROVISIONED,
    Severity.WARNING,
    "The proxy of {whose} begins with https://, which parts of the runtime can't use",
    "`https_proxy` names the proxy for https addresses; its own address nearly always begins with http://. With https:// "
    "some parts of the runtime get through and others do not (as users report; edgeAgent gets no modules then).",
    "Look at {where}. If the proxy does not insist on TLS, write its address with `http://`, then run {then}.",
)
STARTING = Code(
    "runtime.starting",
    Phase.PROVISIONING,
    Severity.INFO,
    "The runtime is starting and asks the cloud who this device is",
    "A first registration takes 10 to 15 seconds with a quick cloud.",
    "Wait; the agent looks again by itself.",
)
PROVING = Code(
    "runtime.proving",
    Phase.PROVISIONING,
    Severity.INFO,
    "The runtime is up as {device_id} on {hub}; it is watched for {seconds} s more",
    "A daemon in a crash loop is up between its crashes, so one look proves nothing.",
    "Wait; the agent looks again by itself.",
)
UNKNOWN = Code(
    "runtime.unknown",
    Phase.DEGRADED,
    Severity.WARNING,
    "It is not known how the runtime's daemons are: systemd does not say",
    "`systemctl show` gave no answer, so it can't be told whether the runtime works.",
    "Run `systemctl status aziot-edged` and see what it says.",
)
STOPPED = Code(
    "runtime.stopped",
    Phase.DEGRADED,
    Severity.WARNING,
    "The runtime was stopped by hand ({unit} is stopped), and is left so",
    "The unit ended properly and does not run, systemd says. The runtime's own status shows this as "
    "Ready, which looks like a healthy idle device.",
    "When you are done, run `iotedge system restart`.",
)
UNIT_MASKED = Code(
    "runtime.unit-masked",
    Phase.HELD,
    Severity.ERROR,
    "{unit} is masked, so it can't start",
    "Somebody ran `systemctl mask {unit}`. The runtime's own status shows it as Ready, and `iotedge config "
    "apply` ends with Done and status 0.",
    "Ask the one who masked it, then run `systemctl unmask {unit}` and `systemctl start {unit}`.",
)
UNIT_FAILED = Code(
    "runtime.unit-failed",
    Phase.DEGRADED,
    Severity.ERROR,
    "{unit} failed: {reason}",
    "It is not started again by systemd.",
    "Look at `journalctl -u {unit} -n 100` for the whole story and correct what the message names. Then run "
    "`systemctl start {unit}`.",
)
SOCKET_FAILED = Code(
    "runtime.socket-failed",
    Phase.DEGRADED,
    Severity.ERROR,
    "{socket} was given up by systemd ({result}), so {unit} does not start when it is needed",
    "The service manager stops listening for a daemon that ends at once each time, that it may not start, or that was restarted "
    "too often within 10 seconds. A failed socket does not come back by itself, and the runtime's own status may "
    "show Ready for its daemon, which looks like a healthy idle device.",
    "Look at `systemctl status {socket} {unit}` and `journalctl -u {socket} -u {unit} -n 100` for why it could not be "
    "started, and correct that first. Then run `systemctl reset-failed {socket} {unit}` and "
    "`systemctl restart {unit}`.",
)
CRASH_LOOP = Code(
    "runtime.crash-loop",
    Phase.DEGRADED,
    Severity.ERROR,
    "{unit} ends and is started again, over and over: {reason}",
    "It is started again by systemd every 5 seconds. Between two crashes the runtime's own status shows Running.",
    "Look at `journalctl -u {unit} -n 100` for the whole story and correct what the message names. Nothing needs to "
    "be restarted afterwards.",
    shows_after_s=10.0,  # once does no harm; the second time comes 5 s later
)
RESTARTED = Code(
    "runtime.restarted",
    Phase.DEGRADED,
    Severity.WARNING,
    "{unit} ended unexpectedly and was started again by systemd",
    "Once does no harm; the agent looks again soon to see whether it stays up.",
    "Wait; if it comes up again, look at `journalctl -u {unit} -n 100`.",
)
TPM_GONE = Code(
    "runtime.tpm-gone",
    Phase.DEGRADED,
    Severity.ERROR,
    "The TPM is gone from this device ({node}), though the runtime may still show Running",
    "The daemons notice only when they need the TPM next: for a new token within the hour, or at a restart. "
    "From then on the device is offline.",
    "Do not restart the device yet: without the TPM it does not come back online. Look at `dmesg | grep -i tpm` "
    "for why the TPM went. Only if the module has come loose and `ls /var/lib/aziot/identityd/device_info` finds the "
    "stored identity, switch the device off and seat the module.",
)
TPM_DENIED = Code(
    "runtime.tpm-denied",
    Phase.DEGRADED,
    Severity.ERROR,
    "Permission denied: aziot-tpmd may not open the TPM {node}",
    "User aziottpm has no right to the node, so aziot-tpmd and with it aziot-identityd crash every 5 seconds. "
    "The runtime's own status shows Running or a backtrace.",
    "Wait; the agent puts the udev rule in place by itself. If this stays, look at `ls -l {node}` and read "
    "`edge-provisioner explain udev.access-denied`.",
)
TPM_ELSEWHERE = Code(
    "runtime.tpm-elsewhere",
    Phase.DEGRADED,
    Severity.ERROR,
    "The TPM is at {node}, but aziot-tpmd looks for it at {looked}",
    "A TPM that went and came back can have another number. By itself aziot-tpmd tries only /dev/tpmrm0 and "
    "/dev/tpm0.",
    "Wait; the agent names the node in config.toml and applies it by itself. If this stays, run "
    "`edge-provisioner plan` and see what holds it.",
)
TPM_PASSWORD = Code(
    "runtime.tpm-password",
    Phase.HELD,
    Severity.ERROR,
    "The TPM wants an owner or endorsement password that aziot-tpmd does not have",
    "The TPM answers 0x9a2 (wrong password) when aziot-tpmd stores the key that the cloud sent; "
    "aziot-identityd says only `internal error`.",
    "For each password that is set, run `install -D -m 600 /dev/stdin /etc/credstore/tpm-owner-auth`, or the same "
    "with `/etc/credstore/tpm-endorsement-auth`; type the password, then Enter and Ctrl+D. Then run "
    "`systemctl restart edge-provisioner`: the agent gives them to the runtime.",
)
TPM_TROUBLE = Code(
    "runtime.tpm-trouble",
    Phase.DEGRADED,
    Severity.ERROR,
    "The runtime's aziot-tpmd can't work with the TPM: {reason}",
    "The words are the TPM library's own.",
    "Run `edge-provisioner tpm show`: it names the TPM's trouble in plain words.",
)
PAYLOAD_UNREADABLE = Code(
    "runtime.payload-unreadable",
    Phase.HELD,
    Severity.ERROR,
    "The runtime can't read the provisioning payload: {reason}",
    "The payload is read by user aziotid when it registers, not by root when it is applied. So its file and "
    "every folder above it must be open to aziotid.",
    "Find the file with `grep -n payload /etc/aziot/config.toml`, look at the way to it with `namei -l FILE`, and "
    "give user aziotid the right to read it. Or set `payload` under `[dps]` in `/etc/edge-provisioner/agent.toml`: "
    "then the agent writes the file.",
)
PAYLOAD_INVALID = Code(
    "runtime.payload-invalid",
    Phase.HELD,
    Severity.ERROR,
    "The provisioning payload is not JSON: {reason}",
    "The daemon aziot-identityd reads the file that config.toml names as payload when it registers, and gives up.",
    "Find the file with `grep -n payload /etc/aziot/config.toml` and correct it. Or set `payload` under `[dps]` in "
    "`/etc/edge-provisioner/agent.toml`: then the agent writes the file.",
)
SETTINGS_BAD = Code(
    "runtime.settings-bad",
    Phase.HELD,
    Severity.ERROR,
    "{unit} can't load its settings: {reason}",
    "The daemon ended with status 153, after which systemd does not start it again.",
    "Look for files that were put beside the generated `00-super.toml`: `ls -l /etc/aziot/*/config.d`. Then run "
    "`iotedge config apply` and see what it says.",
)
ENGINE_DOWN = Code(
    "runtime.engine-down",
    Phase.DEGRADED,
    Severity.ERROR,
    "The container engine does not answer, so no module runs",
    "The runtime's daemons are up and the identity is fine; the modules need the container engine.",
    "Look at `systemctl status docker` for why it is down, then run `systemctl start docker`.",
)
VERSION_UNTESTED = Code(
    "runtime.version-untested",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The runtime's version {version} is not one that the agent was tested with (1.4, 1.5 and 1.6)",
    "The agent works with it as with the newest version it knows.",
    "Nothing to do. If something looks wrong, compare `iotedge system status` with `edge-provisioner status`.",
)
