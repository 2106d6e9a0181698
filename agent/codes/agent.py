"""Outcomes of the agent itself: its passes, its lock, its files and the place it runs in."""

from agent.codes.registry import Code, Phase, Severity

PASS_CRASHED = Code(
    "agent.pass-crashed",
    Phase.DEGRADED,
    Severity.ERROR,
    "the last look at this device {how} before it had a result",
    "The watcher starts every look (a pass) as a process of its own, here because of '{because}'. This one "
    "{how} and left no status behind. The watch itself is not hurt: it goes on and looks again, after a "
    "pause that grows up to five minutes while this lasts. What 'edge-provisioner status' shows is older.",
    "read 'journalctl -u edge-provisioner -n 100', then run 'edge-provisioner once' and see where it ends; "
    "if it ends in a traceback, report it with that text.",
)

ALREADY_RUNNING = Code(
    "agent.already-running",
    Phase.WAITING,
    Severity.WARNING,
    "this device is already watched by {holder}",
    "Only one watcher runs on a device: two would start every look twice and contend for the TPM. The other "
    "one, {holder}, holds the lock for as long as it lives, and is left alone.",
    "see 'systemctl status edge-provisioner'; to run the watcher by hand, first run "
    "'systemctl stop edge-provisioner'.",
)

LOCKED = Code(
    "agent.locked",
    Phase.WAITING,
    Severity.NOTICE,
    "another look at this device is under way ({holder}), and did not end within {waited_s} s",
    "Only one pass at a time may change a device. {holder} has the lock; an apply takes minutes on slow "
    "hardware. The lock goes with its process, so nothing has to be removed by hand.",
    "wait and try again, or wait longer with 'edge-provisioner once --wait 600'.",
)

HISTORY_DAMAGED = Code(
    "agent.history-damaged",
    Phase.PROVISIONED,
    Severity.WARNING,
    "the agent's record of what it did could not be read and was moved aside to {path}",
    "The record tells which keys in config.toml are ours, which identity this device had, and how often it "
    "was reprovisioned. Without it the agent starts a new one from what it finds, and takes over nothing "
    "that it does not recognise as its own. A power cut or a full or failing disk are the usual reasons.",
    "check the disk ('journalctl -k -p err', 'df /var'); keep {path} for a report, then delete it.",
)

NO_PROGRESS = Code(
    "agent.no-progress",
    Phase.HELD,
    Severity.ERROR,
    "'{step}' was done and proven, and has to be done again: something undoes it",
    "After every step the agent looks again, and a step that was done must not come up a second time. This "
    "one did, without a change of settings. Another program, such as a configuration management or an image "
    "update, most likely sets it back. Repeating it would stop all modules every time, so the agent does not.",
    "find what else changes it ('edge-provisioner plan' shows the difference) and let only one of the two "
    "do it; then run 'edge-provisioner once'.",
)

INTERNAL = Code(
    "agent.internal",
    Phase.DEGRADED,
    Severity.ERROR,
    "the agent has a fault of its own: {reason}",
    "Something happened that the agent has no answer to. What it had finished is recorded, nothing was left "
    "half written, and the next look starts from what is there. An error without a plain sentence is a "
    "fault in the agent, not in this device.",
    "report it with the output of 'journalctl -u edge-provisioner -n 100'.",
)

NOT_ROOT = Code(
    "agent.not-root",
    Phase.HELD,
    Severity.ERROR,
    "{what} needs root",
    "The TPM, the runtime's configuration and its units belong to root, and nothing was changed. "
    "'edge-provisioner status' and 'edge-provisioner explain' work for every user.",
    "run the same command with sudo.",
)

STATE_UNWRITABLE = Code(
    "agent.state-unwritable",
    Phase.HELD,
    Severity.ERROR,
    "the agent can't write {path}: {reason}",
    "The agent records what it is about to do before it does it, so that a power cut in between is survived. "
    "Where it can't record, it does nothing.",
    "check the path and its file system ('ls -ld {path}', 'findmnt -T {path}', 'df -i {path}'): it has to be "
    "writable by root and not full; then run 'edge-provisioner once'.",
)

NOT_PROVEN_HERE = Code(
    "agent.not-proven-here",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "'{step}' is not proven here: there is no {program} below the root directory",
    "With --root the agent never runs the programs of the machine it runs on, only those that lie below the "
    "given directory. {program} is not there, so what this step should bring about was not looked at.",
    "nothing, if you are building an image: the device itself proves it at its first boot; otherwise install "
    "{program} below the root directory.",
)

INTERRUPTED = Code(
    "agent.interrupted",
    Phase.WAITING,
    Severity.NOTICE,
    "the agent was told to stop and stopped between two steps",
    "What was done is recorded, the step that was running was let finish, and the rest was not begun. The "
    "next look goes on from there.",
    "nothing, if the service is being stopped or restarted; otherwise run 'systemctl start edge-provisioner'.",
)

UDEV_UNAVAILABLE = Code(
    "agent.udev-unavailable",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "TPM hot-plug events can't be received: {reason}",
    "The watcher listens to udev so that a TPM which comes or goes is noticed at once. It could not "
    "subscribe, and goes on with its timer: a change is noticed at the next look, at most an hour and by "
    "default five minutes later. It tries to subscribe again after every look.",
    "check that systemd-udevd runs ('systemctl status systemd-udevd') and that no drop-in gives "
    "edge-provisioner.service PrivateNetwork=yes or RestrictAddressFamilies= without AF_NETLINK.",
)

NO_STATUS = Code(
    "agent.no-status",
    Phase.WAITING,
    Severity.NOTICE,
    "no look at this device has finished since it was started: {hint}",
    "The status is what the last finished pass found, and is kept until the next boot. There is none yet.",
    "see 'systemctl status edge-provisioner'; 'edge-provisioner once' looks now.",
)
