"""The device nodes and the rule that gives the runtime's user its TPM."""

from agent.codes.registry import Code, Phase, Severity

_ONCE = "Then run `edge-provisioner once`."

RULE_REPLACED = Code(
    "udev.rule-replaced",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "A different udev rule {place} was replaced; the old one is kept as {backup}",
    "A rule file of this name was there with other content. The file that is there now lets user aziottpm open "
    "every TPM node; the text of the old one stands in this journal event.",
    "Nothing to do, unless the old rule did more than this: then put the rest into a rule file of another name.",
)
RULE_LINK = Code(
    "udev.rule-link",
    Phase.HELD,
    Severity.ERROR,
    "{place} is a symbolic link to {target}, and the agent does not write through links",
    "The rule that lets the runtime's user aziottpm open the TPM belongs in this file. Somebody made it a link, so "
    "writing it would change a file elsewhere.",
    "Take the link out of the way with `mv {place} {place}.disabled`; udev does not read that name. " + _ONCE,
)
RULE_MASKED = Code(
    "udev.rule-masked",
    Phase.HELD,
    Severity.ERROR,
    "{place} is masked, so user aziottpm can't be given the TPM",
    "The rule file is empty or a link to /dev/null, which is how an administrator switches a udev rule off. "
    "Without the rule the runtime's user aziottpm can't open the TPM.",
    "Ask the one who masked it, then remove the mask with `rm {place}`. " + _ONCE,
)
RULE_IN_RUN = Code(
    "udev.rule-in-run",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The TPM rule is at {place}, because /etc is read-only",
    "The rule works until the next start of the device; the agent puts it back then.",
    "Nothing to do. To make it lasting, put `/usr/share/edge-provisioner/tpmaccess.rules` into the image's "
    "`/etc/udev/rules.d`.",
)
RULE_UNWRITABLE = Code(
    "udev.rule-unwritable",
    Phase.HELD,
    Severity.ERROR,
    "The TPM rule can't be written to {place}: {reason}",
    "Without the rule the runtime's user aziottpm can't open the TPM.",
    "Look at the way to the file with `namei -l {place}`, and for a full or read-only file system with `df -h` and "
    "`findmnt`. " + _ONCE,
)
RULE_TEMPLATE_MISSING = Code(
    "udev.rule-template-missing",
    Phase.HELD,
    Severity.ERROR,
    "The TPM rule that is shipped with the agent is missing ({place})",
    "The package is damaged or was copied incompletely.",
    "Install the package again: `apt-get install --reinstall edge-provisioner`, or `dpkg -i` with its file. "
    + _ONCE,
)
UDEVADM_FAILED = Code(
    "udev.udevadm-failed",
    Phase.WAITING,
    Severity.WARNING,
    "The command `{command}` failed: {reason}",
    "The rule is in place, but udev could not be told of it, so the TPM node keeps its old owner until it is.",
    "Look at `systemctl status systemd-udevd`. The agent tries again by itself.",
)
ACCESS_DENIED = Code(
    "udev.access-denied",
    Phase.HELD,
    Severity.ERROR,
    "User aziottpm can't open {node}: {reason}",
    "The TPM rule is in place and udev has applied it, yet the node does not open for the runtime's user. A rule "
    "that sorts later, an access control list, or a security module decides otherwise.",
    "See who owns the node with `ls -l {node}`, and which rules decide with "
    "`udevadm test $(udevadm info -q path -n {node})`. Change the other rule. " + _ONCE,
)
