"""Running `iotedge config apply`, and proving that it did what it says."""

from agent.codes.registry import Code, Phase, Severity

_STOPS_MODULES = "Every apply stops all modules, so it is repeated only where that can help."

RUNNING = Code(
    "apply.running",
    Phase.WAITING,
    Severity.NOTICE,
    "`iotedge config apply` is running already (process {pid})",
    "The runtime has no lock of its own against two applies at once, so the agent waits for this one.",
    "Wait. If it hangs for more than ten minutes, look at it with `ps {pid}`.",
)
SETTLING = Code(
    "apply.settling",
    Phase.WAITING,
    Severity.INFO,
    "The TPM node {node} appeared a moment ago; it settles for {seconds} s before anything is applied",
    "A TPM that has just appeared may go again or get its owner changed; an apply now could stop all modules "
    "for nothing.",
    "Wait; the agent goes on by itself.",
)
ENGINE_DOWN = Code(
    "apply.engine-down",
    Phase.WAITING,
    Severity.WARNING,
    "The container engine does not answer, and `iotedge config apply` needs it",
    "From the second apply on the runtime asks the container engine for its modules and gives up if it does "
    "not answer. Nothing was written and nothing restarted.",
    "Start it: `systemctl start docker`, and see `systemctl status docker` for why it is down. The agent goes "
    "on by itself.",
)
HOSTNAME_UNSET = Code(
    "apply.hostname-unset",
    Phase.WAITING,
    Severity.NOTICE,
    "The machine's name is still {hostname}",
    "The runtime fixes the host name at its first apply and refuses a later change while modules exist, so the "
    "first apply waits for a real name.",
    'Set one with `hostnamectl hostname NAME`, or write `hostname = "NAME"` under [runtime] in '
    "/etc/edge-provisioner/agent.toml.",
)
HOSTNAME_GUARD = Code(
    "apply.hostname-guard",
    Phase.HELD,
    Severity.ERROR,
    "The runtime refuses to change the host name from {old} to {new} while modules exist",
    "config.toml has another host name than the one applied before. The runtime's own message prints the two "
    "the wrong way round; here the order is right. Nothing was changed.",
    'Put the old name back: `hostname = "{old}"` under [runtime] in /etc/edge-provisioner/agent.toml. Only if '
    "the new name is wanted and the modules' data may be lost: remove the modules' containers, then "
    "`edge-provisioner once`.",
)
REFUSED = Code(
    "apply.refused",
    Phase.HELD,
    Severity.ERROR,
    "The runtime refuses config.toml: {reason}",
    "`iotedge config apply` could not use the file. Nothing was restarted, and the daemons run on with what "
    "they had. Its line number is right for syntax errors and duplicate keys only; for a missing key or a wrong "
    "value it is always line 1.",
    "Correct the value in /etc/aziot/config.toml (`iotedge config apply` repeats the message), or in the "
    "agent's settings if the key is one of the agent's.",
)
USER_MISSING = Code(
    "apply.user-missing",
    Phase.HELD,
    Severity.ERROR,
    "The runtime's user {user} does not exist",
    "The packages aziot-edge and aziot-identity-service make their users when they are installed.",
    "Install them again: `apt-get install --reinstall aziot-identity-service aziot-edge`.",
)
FAILED = Code(
    "apply.failed",
    Phase.DEGRADED,
    Severity.ERROR,
    "`iotedge config apply` failed with status {status}: {reason}",
    "It is repeated with growing pauses. " + _STOPS_MODULES,
    "Run `iotedge config apply` by hand and see what it prints; correct that, then `edge-provisioner once`.",
)
TIMED_OUT = Code(
    "apply.timed-out",
    Phase.DEGRADED,
    Severity.ERROR,
    "`iotedge config apply` did not end within {seconds} s and was ended",
    "Stopping modules can take long, but not this long. Services may have been left stopped; the agent has "
    "them restarted once.",
    "See what hangs with `systemctl list-jobs` and `docker ps`; a longer deadline is [runtime] "
    "apply_timeout_s.",
)
UNPROVEN = Code(
    "apply.unproven",
    Phase.DEGRADED,
    Severity.ERROR,
    "`iotedge config apply` said it was done, but {service} was not told {about}",
    "The files that the command generates for the daemons don't say what config.toml says, so the daemons "
    "don't do what config.toml says. The agent applies again, with growing pauses.",
    "Look for other files that decide beside them: `ls /etc/aziot/*/config.d`, and for a full or read-only "
    "file system: `df /etc`.",
)
RESTART_NEEDED = Code(
    "apply.restart-needed",
    Phase.PROVISIONING,
    Severity.NOTICE,
    "An apply was cut off before its services were back; they are restarted once",
    "The generated files are right, but the apply was killed between stopping and starting the daemons.",
    "Nothing; the agent runs `iotedge system restart` once.",
)
