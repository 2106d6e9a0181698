"""Running `iotedge config apply`, and proving that it did what it says."""

from agent.codes.registry import Code, Phase, Severity

RUNNING = Code(
    "apply.running",
    Phase.WAITING,
    Severity.NOTICE,
    "An `iotedge` command that changes the runtime is running already (process {pid})",
    "The runtime has no lock of its own against two changes at once, so the agent waits for this one.",
    "Wait; the agent goes on by itself. If it takes more than ten minutes, look at it with `ps -f -p {pid}`.",
)
PACKAGES_BUSY = Code(
    "apply.packages-busy",
    Phase.WAITING,
    Severity.NOTICE,
    "Packages are being installed or removed (process {pid}), so the runtime is left alone",
    "A runtime that is started before its packages are configured lacks users, groups or files, and does not get "
    "them until it is started again. What holds the package manager's lock may be `apt`, `dpkg` or an automatic "
    "upgrade.",
    "Wait; the agent goes on by itself. If it takes more than an hour, look at it with `ps -f -p {pid}`.",
)
SETTLING = Code(
    "apply.settling",
    Phase.WAITING,
    Severity.INFO,
    "The TPM node {node} appeared a moment ago and settles for {seconds} s more",
    "A TPM that has just appeared may go again or get another owner. An apply now could stop all modules for "
    "nothing.",
    "Wait; the agent goes on by itself.",
)
ENGINE_DOWN = Code(
    "apply.engine-down",
    Phase.WAITING,
    Severity.WARNING,
    "The container engine does not answer, and `iotedge config apply` needs it",
    "From the second apply on, the runtime asks the container engine for its modules and gives up if there is no "
    "answer. Nothing was written and nothing was restarted.",
    "Look at `systemctl status docker` for why it is down, then run `systemctl start docker`. The agent goes on "
    "by itself.",
)
ENGINE_TOO_NEW = Code(
    "apply.engine-too-new",
    Phase.HELD,
    Severity.ERROR,
    "The container engine {engine} refuses this runtime: it takes API {takes} and later, IoT Edge {runtime} asks for {asks}",
    "An apply stops all modules, and with this engine they would not come back. Docker 29.0 and some later versions "
    "dropped the older versions of their API. Nothing was applied.",
    "Install an engine that takes API {asks}: `apt-get install moby-engine` from Microsoft's package repository, or an "
    "older version of docker-ce (`apt-cache madison docker-ce` lists them). See what an engine takes with "
    "`docker version`, as its minimum version. Then run `edge-provisioner once`.",
)
HOSTNAME_UNSET = Code(
    "apply.hostname-unset",
    Phase.WAITING,
    Severity.NOTICE,
    "The device has no host name of its own yet (it is {hostname})",
    "The runtime fixes the host name at its first apply and refuses a later change while modules exist, so the "
    "first apply waits for a real name.",
    'Run `hostnamectl hostname NAME`, or write `hostname = "NAME"` under `[runtime]` in '
    "`/etc/edge-provisioner/agent.toml`. The agent goes on by itself.",
)
HOSTNAME_IMPOSSIBLE = Code(
    "apply.hostname-impossible",
    Phase.WAITING,
    Severity.WARNING,
    'The host name "{hostname}" can\'t stand in a certificate, so it is not given to the runtime',
    "The runtime makes certificates for its host name, and refuses a later change of it while modules exist. Letters of "
    "a to z, digits and dashes are right; a space, another letter, a dot at the end, a part of more than 63 "
    "characters or more than 255 in all are not.",
    'Run `hostnamectl hostname NAME`, or write `hostname = "NAME"` under `[runtime]` in '
    "`/etc/edge-provisioner/agent.toml`. The agent goes on by itself.",
)
HOSTNAME_GUARD = Code(
    "apply.hostname-guard",
    Phase.HELD,
    Severity.ERROR,
    "The runtime refuses to change the host name from {old} to {new} while modules exist",
    "The host name in config.toml is not the one that was applied before. The runtime's own message prints the "
    "two the wrong way round; here the order is right. Nothing was changed.",
    'Keep the old name: write `hostname = "{old}"` under `[runtime]` in `/etc/edge-provisioner/agent.toml`, then '
    "run `edge-provisioner once`. A new name costs all modules and their data: `iotedge config apply` prints what "
    "it takes.",
)
REFUSED = Code(
    "apply.refused",
    Phase.HELD,
    Severity.ERROR,
    "The runtime refuses config.toml: {reason}",
    "`iotedge config apply` could not use the file. Nothing was restarted, and the daemons run on with what "
    "they had. The line number is right for syntax errors and duplicate keys; for a missing key or a wrong value "
    "it is usually line 1.",
    "Correct the value in `/etc/aziot/config.toml`, or in `/etc/edge-provisioner/agent.toml` if it comes from "
    "there (`edge-provisioner config show` lists those). Then run `edge-provisioner once`.",
)
WOULD_REFUSE = Code(
    "apply.would-refuse",
    Phase.HELD,
    Severity.ERROR,
    "The runtime would refuse config.toml, line {line}: {key}: {fault}",
    "What stands there makes `iotedge config apply` fail, and that shows in the file already. Nothing was made, written "
    "or applied.",
    "In `/etc/aziot/config.toml`, line {line}: {mend} Then run `edge-provisioner once` (with `--adopt`, if it was run so "
    "before).",
)
USER_MISSING = Code(
    "apply.user-missing",
    Phase.HELD,
    Severity.ERROR,
    "The runtime's user {user} does not exist",
    "The packages aziot-edge and aziot-identity-service make their users when they are installed.",
    "Run `apt-get install --reinstall aziot-identity-service aziot-edge`, then `edge-provisioner once`.",
)
FAILED = Code(
    "apply.failed",
    Phase.DEGRADED,
    Severity.ERROR,
    "The command `iotedge config apply` failed with status {status}: {reason}",
    "The agent repeats it with growing pauses. Every apply stops all modules, so it is repeated only where that "
    "can help.",
    "Correct what the message names, then run `edge-provisioner once`. To see the whole message, run "
    "`iotedge config apply` by hand; it stops all modules too.",
)
TIMED_OUT = Code(
    "apply.timed-out",
    Phase.DEGRADED,
    Severity.ERROR,
    "The command `iotedge config apply` did not end within {seconds} s and was ended",
    "Stopping modules can take long, but not this long. Services may have been left stopped; the agent has "
    "them restarted once.",
    "See what hangs with `systemctl list-jobs` and `docker ps`. If the device only needs longer, raise "
    "`apply_timeout_s` under `[runtime]` in `/etc/edge-provisioner/agent.toml`; 900 is the most.",
)
UNDONE = Code(
    "apply.undone",
    Phase.DEGRADED,
    Severity.ERROR,
    "Something changes what `iotedge config apply` generates for {service}: {about} is not as it was applied",
    "This config.toml was applied before, and applied again when the daemon's file said something else. Now it does so "
    "once more. Every apply stops all modules, so it is repeated with pauses that grow up to an hour.",
    "See what was changed, when and by whom, with `ls -l --full-time /etc/aziot/*/config.d`. A person or a program that "
    "wants other values has to change the agent's settings or `/etc/aziot/config.toml`; if nobody meant it, look at "
    "what runs as that file's user. Then run `edge-provisioner once`, which applies at once.",
)
UNPROVEN = Code(
    "apply.unproven",
    Phase.DEGRADED,
    Severity.ERROR,
    "The apply ended well, but the generated settings of {service} are wrong: {about} {fault}",
    "The files that `iotedge config apply` generates for the daemons do not say what config.toml says, so the "
    "daemons do not do it either. The agent applies again, with growing pauses.",
    "Look for a full or read-only file system with `df -h /etc` and `findmnt -T /etc`, and at the files "
    "themselves with `ls -l /etc/aziot/*/config.d`. Then run `edge-provisioner once`.",
)
