"""The device nodes and the rule that gives the runtime's user its TPM."""

from agent.codes.registry import Code, Phase, Severity

RULE_REPLACED = Code(
    "udev.rule-replaced",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "A different {place} was replaced; the old one is kept as {backup}",
    "A rule file of our name was there with other content. The file that is there now lets user aziottpm open "
    "every TPM node; the text of the old one stands in this event.",
    "Nothing, unless the old rule did more than this: then put the rest into a file of another name.",
)
RULE_LINK = Code(
    "udev.rule-link",
    Phase.HELD,
    Severity.ERROR,
    "{place} is a symbolic link to {target}; it is left alone",
    "The rule that lets the runtime's user aziottpm open the TPM belongs in this file. Somebody made it a link, "
    "so writing it would change a file elsewhere.",
    "Remove the link with `rm {place}`, or put the rule of /usr/share/edge-provisioner/tpmaccess.rules where it "
    "points; the next look finds it.",
)
RULE_MASKED = Code(
    "udev.rule-masked",
    Phase.HELD,
    Severity.ERROR,
    "{place} is masked; it is left alone",
    "The rule file is empty or a link to /dev/null, which is how an administrator switches a udev rule off. "
    "Without the rule the runtime's user aziottpm can't open the TPM.",
    "Remove the mask with `rm {place}`, or give aziottpm the TPM by a rule of your own.",
)
RULE_IN_RUN = Code(
    "udev.rule-in-run",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "/etc is read-only, so the TPM rule was put at {place}",
    "The rule works until the next start of the machine; the agent puts it back then.",
    "Nothing; to make it lasting, put /usr/share/edge-provisioner/tpmaccess.rules into the image's "
    "/etc/udev/rules.d.",
)
RULE_UNWRITABLE = Code(
    "udev.rule-unwritable",
    Phase.HELD,
    Severity.ERROR,
    "The TPM rule could not be written to {place}: {reason}",
    "Without the rule the runtime's user aziottpm can't open the TPM.",
    "Make the folder writable, or free space; then `edge-provisioner once`.",
)
RULE_TEMPLATE_MISSING = Code(
    "udev.rule-template-missing",
    Phase.HELD,
    Severity.ERROR,
    "The TPM rule that is shipped with this program is missing ({place})",
    "The package is damaged or was copied incompletely.",
    "Install the package edge-provisioner again.",
)
UDEVADM_FAILED = Code(
    "udev.udevadm-failed",
    Phase.WAITING,
    Severity.WARNING,
    "`{command}` failed: {reason}",
    "The rule is in place, but udev could not be told of it, so the TPM node keeps its old owner until udev runs.",
    "Look at `systemctl status systemd-udevd`; the agent tries again by itself.",
)
ACCESS_DENIED = Code(
    "udev.access-denied",
    Phase.HELD,
    Severity.ERROR,
    "User aziottpm can't open {node}: {reason}",
    "The TPM rule is in place and udev has applied it, yet the node does not open for the runtime's user. "
    "A rule that sorts later, an access control list, or a security module decides otherwise.",
    "See who owns the node with `ls -l {node}` and which rules decide with `udevadm test $(udevadm info -q path "
    "-n {node})`; change or remove the other rule, then `edge-provisioner once`.",
)
