"""The runtime on this device: its daemons, and why one of them does not run."""

from agent.codes.registry import Code, Phase, Severity

PROVISIONED = Code(
    "runtime.provisioned",
    Phase.PROVISIONED,
    Severity.INFO,
    "Provisioned as {device_id} on {hub}",
    "The generated files say what config.toml says, the daemons stay up, and the identity service knows the "
    "device.",
    "Nothing.",
)
NOT_INSTALLED = Code(
    "runtime.not-installed",
    Phase.WAITING,
    Severity.NOTICE,
    "Azure IoT Edge is not installed ({missing} is missing)",
    "The TPM's keys are ready; configuring waits for the runtime.",
    "Install it: `apt-get install aziot-edge`. The agent goes on by itself.",
)
STARTING = Code(
    "runtime.starting",
    Phase.PROVISIONING,
    Severity.INFO,
    "The runtime is starting and asks the cloud who this device is",
    "A first registration takes 10 to 15 seconds with a quick cloud.",
    "Wait.",
)
PROVING = Code(
    "runtime.proving",
    Phase.PROVISIONING,
    Severity.INFO,
    "The runtime is up as {device_id} on {hub}; it is watched for {seconds} s more",
    "A daemon in a crash loop is up between its crashes, so one look proves nothing.",
    "Wait.",
)
UNKNOWN = Code(
    "runtime.unknown",
    Phase.DEGRADED,
    Severity.WARNING,
    "systemd does not say how the runtime's daemons are",
    "`systemctl show` gave no answer, so it can't be told whether the runtime works.",
    "Run `systemctl status aziot-edged` and see what it says.",
)
STOPPED = Code(
    "runtime.stopped",
    Phase.DEGRADED,
    Severity.WARNING,
    "The runtime was stopped by hand ({unit} is stopped); it is left stopped",
    "systemd says that the unit ended properly and is not running. The runtime's own status shows this as "
    "Ready, which looks like a healthy idle device.",
    "Start it when you are done: `iotedge system restart`.",
)
UNIT_MASKED = Code(
    "runtime.unit-masked",
    Phase.HELD,
    Severity.ERROR,
    "{unit} is masked, so it can't start",
    "Somebody ran `systemctl mask {unit}`. The runtime's own status shows it as Ready, and `iotedge config "
    "apply` ends with Done and status 0.",
    "Undo it: `systemctl unmask {unit}`, then `iotedge system restart`.",
)
UNIT_FAILED = Code(
    "runtime.unit-failed",
    Phase.DEGRADED,
    Severity.ERROR,
    "{unit} failed: {reason}",
    "systemd does not start it again by itself.",
    "Correct what the message names, then `iotedge system restart`; the whole story: `journalctl -u {unit}`.",
)
CRASH_LOOP = Code(
    "runtime.crash-loop",
    Phase.DEGRADED,
    Severity.ERROR,
    "{unit} ends and is started again, over and over: {reason}",
    "systemd starts it every 5 seconds. Between two crashes the runtime's own status shows Running.",
    "Correct what the message names; the whole story: `journalctl -u {unit}`.",
)
RESTARTED = Code(
    "runtime.restarted",
    Phase.DEGRADED,
    Severity.WARNING,
    "{unit} ended unexpectedly and was started again by systemd",
    "Once is no harm; the agent looks again soon to see whether it stays up.",
    "If it comes back: `journalctl -u {unit}`.",
)
TPM_GONE = Code(
    "runtime.tpm-gone",
    Phase.DEGRADED,
    Severity.ERROR,
    "The TPM is gone from this device ({node}), though the runtime still shows Running",
    "The daemons notice only when they need the TPM next: for a new token within the hour, or at a restart. "
    "From then on the device is offline.",
    "Seat the TPM again, or see why its driver let it go: `dmesg | grep -i tpm`. Don't restart the device "
    "before that: it would not come back online.",
)
TPM_DENIED = Code(
    "runtime.tpm-denied",
    Phase.DEGRADED,
    Severity.ERROR,
    "aziot-tpmd may not open the TPM: permission denied on {node}",
    "User aziottpm has no right to the node, so aziot-tpmd and with it aziot-identityd crash every 5 seconds. "
    "The runtime's own status shows Running or a backtrace.",
    "The agent puts the udev rule in place by itself; if this stays, see `ls -l {node}` and "
    "`edge-provisioner explain udev.access-denied`.",
)
TPM_ELSEWHERE = Code(
    "runtime.tpm-elsewhere",
    Phase.DEGRADED,
    Severity.ERROR,
    "aziot-tpmd looks for the TPM at {looked}, but it is at {node}",
    "A TPM that went and came back has another number on kernels whose IMA holds the old one. aziot-tpmd by "
    "itself tries only /dev/tpmrm0 and /dev/tpm0.",
    "The agent names the node in config.toml ([tpm] tcti) and applies it; if this stays, run "
    "`edge-provisioner plan` and see what holds it.",
)
TPM_PASSWORD = Code(
    "runtime.tpm-password",
    Phase.HELD,
    Severity.ERROR,
    "aziot-tpmd needs the TPM's owner or endorsement password",
    "The TPM answers 0x9a2 (wrong password) when aziot-tpmd stores the key that the cloud sent; "
    "aziot-identityd says only `internal error`.",
    "Put the passwords into the files /etc/credstore/tpm-owner-auth and /etc/credstore/tpm-endorsement-auth "
    "(mode 0600, no final newline needed), then `systemctl restart edge-provisioner`.",
)
TPM_TROUBLE = Code(
    "runtime.tpm-trouble",
    Phase.DEGRADED,
    Severity.ERROR,
    "aziot-tpmd can't work with the TPM: {reason}",
    "The words are the TPM library's own.",
    "Run `edge-provisioner tpm show`: it names the TPM's trouble in plain words.",
)
PAYLOAD_UNREADABLE = Code(
    "runtime.payload-unreadable",
    Phase.HELD,
    Severity.ERROR,
    "aziot-identityd can't read the provisioning payload: {reason}",
    "The payload is read by user aziotid when it registers, not by root when it is applied, so its file and "
    "every folder above it must be open to aziotid.",
    "See `namei -l` on the file that [provisioning] payload in /etc/aziot/config.toml names, and give aziotid "
    "the right; or put the payload into the agent's settings ([dps] payload) and let it write the file.",
)
PAYLOAD_INVALID = Code(
    "runtime.payload-invalid",
    Phase.HELD,
    Severity.ERROR,
    "The provisioning payload is not JSON: {reason}",
    "aziot-identityd parses the file that [provisioning] payload names when it registers, and gives up.",
    "Correct the file, or put the payload into the agent's settings ([dps] payload) and let it write the file.",
)
SETTINGS_BAD = Code(
    "runtime.settings-bad",
    Phase.HELD,
    Severity.ERROR,
    "{unit} can't load its settings: {reason}",
    "The daemon ended with status 153, after which systemd does not start it again.",
    "Run `iotedge config apply` and see what it says; look for other files in /etc/aziot/*/config.d.",
)
ENGINE_DOWN = Code(
    "runtime.engine-down",
    Phase.DEGRADED,
    Severity.ERROR,
    "The container engine does not answer, so no module runs",
    "The runtime's daemons are up and the identity is fine; the modules need the container engine.",
    "Start it: `systemctl start docker`, and see `systemctl status docker` for why it is down.",
)
VERSION_UNTESTED = Code(
    "runtime.version-untested",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The runtime's version {version} is not one this agent was tested with (1.4, 1.5 and 1.6)",
    "The agent works with it as with the newest version it knows.",
    "If something looks wrong, compare what `iotedge system status` and `edge-provisioner status` say.",
)
