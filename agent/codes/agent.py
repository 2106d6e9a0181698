"""Outcomes of the agent itself: its passes, its lock, its files and the place it runs in."""

from agent.codes.registry import Code, Phase, Severity

PASS_CRASHED = Code(
    "agent.pass-crashed",
    Phase.DEGRADED,
    Severity.ERROR,
    "The last look at this device has no result: it {how}",
    "The watcher starts every look (a pass) as a process of its own; what made it look this time: {because}. "
    "The watch itself is not hurt: it looks again, after a pause that grows up to five minutes while this "
    "lasts. Until then `edge-provisioner status` shows what an older look found.",
    "Read `journalctl -u edge-provisioner -n 100`, then run `edge-provisioner once` and see where it ends. If it "
    "ends in a traceback, report it with that text.",
)

ALREADY_RUNNING = Code(
    "agent.already-running",
    Phase.WAITING,
    Severity.WARNING,
    "This device is watched already by {holder}",
    "Only one watcher runs on a device: two would start every look twice and contend for the TPM. The other "
    "one, {holder}, holds the lock for as long as it lives, and is left alone.",
    "Look at `systemctl status edge-provisioner`. To run the watcher by hand, first run "
    "`systemctl stop edge-provisioner`.",
)

WORKING = Code(
    "agent.working",
    Phase.PROVISIONING,
    Severity.INFO,
    "Step {number} of {of}: {effect}",
    "This is being done at the moment, by process {pid}. An apply stops all modules and takes from half a minute to "
    "minutes. What was known before it is not shown any more, because the step changes it. If that process ends before "
    "the step does, this status stays until the next look, which starts from what is there then.",
    "Wait; the status follows when the step has ended.",
)

LOCKED = Code(
    "agent.locked",
    Phase.WAITING,
    Severity.NOTICE,
    "Another command is at work on this device ({holder}) and did not end within {waited_s} s",
    "Only one pass at a time may change a device, and an apply takes minutes on slow hardware. The lock goes "
    "with its process, so nothing has to be removed by hand.",
    "Wait until the other command has ended, then run this one again. `edge-provisioner status` shows what the "
    "other one found.",
)

HISTORY_DAMAGED = Code(
    "agent.history-damaged",
    Phase.PROVISIONED,
    Severity.WARNING,
    "The agent's record of what it did can't be read and was moved aside to {path}",
    "The record says which keys in config.toml are the agent's, which identity this device had, and how often it "
    "was reprovisioned. The agent starts a new record from what it finds, and takes over nothing that it does "
    "not recognise as its own. A power cut or a full or failing disk are the usual reasons.",
    "Check the disk: `journalctl -k -p err` and `df -h /var`. Keep {path} for a report.",
)

NO_PROGRESS = Code(
    "agent.no-progress",
    Phase.HELD,
    Severity.ERROR,
    "Something undoes what the agent does: {step}",
    "After every step the agent looks again, and a step that was done must not come up a second time. This one "
    "did, without a change of settings. Most likely another program sets it back, such as a configuration "
    "management or an image update. The agent stops here, because repeating an apply stops all modules each "
    "time.",
    "Run `edge-provisioner plan` to see the difference and find the program that makes it. Let only one of the "
    "two do it, then run `edge-provisioner once`.",
)

INTERNAL = Code(
    "agent.internal",
    Phase.DEGRADED,
    Severity.ERROR,
    "The agent met something that it has no answer to: {reason}",
    "An error without a plain sentence is a fault in the agent, not in this device. What the agent had finished "
    "is recorded, nothing was left half written, and the next look starts from what is there.",
    "Report it with the output of `journalctl -u edge-provisioner -n 100`.",
)

NOT_ROOT = Code(
    "agent.not-root",
    Phase.HELD,
    Severity.ERROR,
    "Only root may run {what}",
    "The TPM, the runtime's configuration and its units belong to root. Nothing was changed. "
    "`edge-provisioner status` and `edge-provisioner explain` work for every user.",
    "Run the same command with `sudo`.",
)

UNGUARDED = Code(
    "agent.unguarded",
    Phase.HELD,
    Severity.ERROR,
    "Somebody else than root could change {what}: {place} {how}",
    "The agent runs it, or goes by it, as root. Whoever can change it, or a folder on the way to it, would have this "
    "device; so nothing is done as long as somebody can.",
    "See what was done to it, with `ls -ld {place}`; `dpkg --verify` names the packages' files that were changed. If "
    "nothing was, run `chown -h root:root {place} && chmod go-w {place}`; otherwise first put back what was there. "
    "Then run `edge-provisioner once`.",
)

STATE_UNWRITABLE = Code(
    "agent.state-unwritable",
    Phase.HELD,
    Severity.ERROR,
    "The agent can't write {path}: {reason}",
    "The agent records what it is about to do before it does it, so that a power cut in between does no harm. "
    "Where it can't record, it does nothing.",
    "Look at the path with `namei -l {path}` and for a full or read-only file system with `df -h`, `df -i` and "
    "`findmnt`. The path must be writable by root. Then run `edge-provisioner once`.",
)

INTERRUPTED = Code(
    "agent.interrupted",
    Phase.WAITING,
    Severity.NOTICE,
    "The agent was told to stop and stopped between two steps",
    "The step that was running was let finish, what was done is recorded, and the rest was not begun. The next "
    "look goes on from there.",
    "Nothing to do while the service is being stopped or restarted. Otherwise run "
    "`systemctl start edge-provisioner`.",
)

UDEV_UNAVAILABLE = Code(
    "agent.udev-unavailable",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The watcher can't hear of TPMs that come and go: {reason}",
    "The watcher listens to udev so that a TPM which comes or goes is noticed at once. It could not subscribe, "
    "and goes on with its timer: a change is noticed at the next look, by default within five minutes and at "
    "most after an hour. It tries to subscribe again after every look.",
    "Look at `systemctl status systemd-udevd`: it must run. Then look at `systemctl cat edge-provisioner`: no "
    "drop-in may set `PrivateNetwork=yes`, or `RestrictAddressFamilies=` without `AF_NETLINK`.",
)

FILES_UNWATCHED = Code(
    "agent.files-unwatched",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The watcher can't hear of files that change: {reason}",
    "The watcher asks the kernel to tell it when something changes in the folders whose files say how this device is "
    "(dnotify). The kernel refused, so the watcher compares them every half minute instead.",
    "Nothing to do on a kernel that was built without CONFIG_DNOTIFY. Otherwise report it with this text.",
)

NO_STATUS = Code(
    "agent.no-status",
    Phase.WAITING,
    Severity.NOTICE,
    "No look at this device has finished since it was started: {hint}",
    "The status is what the last finished pass found, and is kept until the device is switched off or restarted. "
    "There is none yet.",
    "Look at `systemctl status edge-provisioner`. To look at the device now, run `edge-provisioner once`.",
)
