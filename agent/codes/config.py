"""Outcomes about /etc/aziot/config.toml and the payload file beside it: rows only."""

from agent.codes.registry import Code, Phase, Severity

NOT_UTF8 = Code(
    "config.not-utf8",
    Phase.HELD,
    Severity.ERROR,
    "config.toml is not UTF-8: {what} on line {line}",
    "TOML is UTF-8 without a byte order mark. Neither the runtime nor this agent can read the file as it is, "
    "and the agent does not guess another encoding. Nothing was written.",
    "Save the file as UTF-8 without a byte order mark, for example: "
    "iconv -f WINDOWS-1252 -t UTF-8 config.toml. Then: edge-provisioner plan.",
)

INVALID_TOML = Code(
    "config.invalid-toml",
    Phase.HELD,
    Severity.ERROR,
    "config.toml is not valid TOML: line {line}, column {column}: {reason}",
    "The runtime would refuse this file at the next `iotedge config apply`, so the agent edits nothing in it. "
    "Usual causes: the same key or table twice, a value without quotes, a bracket or quote left open.",
    "Correct line {line} of config.toml, or take the newest backup in its place, then: edge-provisioner plan.",
)

SHAPE_REFUSED = Code(
    "config.shape-refused",
    Phase.HELD,
    Severity.ERROR,
    "config.toml, line {line}: {table} {what}",
    "The agent has to change keys in {table}, and changes a file of yours only where it can prove that nothing "
    "else moves. For that its tables must stand as plain [tables], parents first, without other tables between "
    "them. The rest of the file may have any shape. Nothing was written.",
    "Write {table} as a line with its name in brackets and its keys below it, one a line: [provisioning] first, "
    "[provisioning.attestation] right after its keys; [tpm], then [tpm.hierarchy_authorization]. A payload is "
    'one line in [provisioning]: payload = {{ uri = "file:///..." }}. Then: edge-provisioner plan.',
)

EDIT_NOT_PROVEN = Code(
    "config.edit-not-proven",
    Phase.HELD,
    Severity.ERROR,
    "the edit of config.toml could not be proven right, so nothing was written (keys: {keys})",
    "After every edit the agent reads its own result back and compares it with what was meant, key by key and "
    "line by line. This time they differed. That is a defect of the agent, not of the device.",
    "Set these keys in config.toml by hand to what `edge-provisioner config show` says: {keys}. Then: "
    "edge-provisioner once --adopt. Please report it with the output of `edge-provisioner diag`.",
)

SYMLINK = Code(
    "config.symlink",
    Phase.HELD,
    Severity.ERROR,
    "{path} is a symbolic link",
    "The agent replaces the file in one step, which would put a file where the link is and leave the link's "
    "target as it was. It does not follow links as root either. Nothing was written.",
    "Put the file itself in place of the link: cp --remove-destination \"$(readlink -f '{path}')\" '{path}'. "
    "Or name the real file in [runtime] config_file of the settings. Then: edge-provisioner plan.",
)

DIRECTORY = Code(
    "config.directory",
    Phase.HELD,
    Severity.ERROR,
    "{path} is a directory or another kind of thing that is not a file",
    "A container engine makes an empty directory where a file to be mounted does not exist yet; that is how it "
    "usually comes to be. The runtime cannot read it, and the agent removes nothing that is not its own.",
    "Look at it with: ls -la '{path}'. If it is an empty directory: rmdir '{path}'. Then: edge-provisioner plan.",
)

UNREADABLE = Code(
    "config.unreadable",
    Phase.HELD,
    Severity.ERROR,
    "{path} cannot be read: {reason}",
    "Without knowing what stands in the file the agent writes nothing, because it could destroy what is there.",
    "Run the command as root; see why with: ls -la '{path}', and for an input/output error: "
    "journalctl -k -p err. Then: edge-provisioner plan.",
)

UNWRITABLE = Code(
    "config.unwritable",
    Phase.HELD,
    Severity.ERROR,
    "{path} cannot be written: {reason}",
    "The new text is written beside the file and takes its place in one step, so the old file is whole and "
    "still in use. A read-only file system and a full disk are the usual causes.",
    "Read-only: findmnt -T '{path}', then remount it read-write or make the file a part of the image. Full: "
    "df -h '{path}'. Then: edge-provisioner once.",
)

OTHER_PROVISIONING = Code(
    "config.other-provisioning",
    Phase.HELD,
    Severity.ERROR,
    "config.toml provisions this device in another way: {what}",
    "Someone configured this device, and this agent has no record of having done it. Taking it over can change "
    "its identity in the cloud and stop its modules, so that is decided by a person. Nothing was written.",
    "See the difference: edge-provisioner plan. To take the device over: edge-provisioner once --adopt. To leave "
    "it as it is: systemctl disable --now edge-provisioner.",
)

MANUAL_EDIT = Code(
    "config.manual-edit",
    Phase.HELD,
    Severity.ERROR,
    "keys of this agent were changed by hand in config.toml: {keys}",
    "The agent wrote these keys, and they say something else now. It does not undo a person's work unasked, "
    "and it does not apply what its settings do not say. Nothing was written.",
    "See the difference: edge-provisioner plan. Either put the keys back, or change the settings to what you "
    "want, or let the agent write its own values: once with edge-provisioner once --adopt, always with "
    'on_manual_edit = "restore" in [runtime] of the settings.',
)

UNAPPLIED_EDIT = Code(
    "config.unapplied-edit",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "config.toml was changed by someone and the change was never applied",
    "The change is not in keys of this agent. The runtime still works with the old values. An apply restarts "
    "the runtime and its modules, so the agent leaves the moment to the one who made the change.",
    "If the change is meant: iotedge config apply.",
)

MISPLACED_KEY = Code(
    "config.misplaced-key",
    Phase.PROVISIONED,
    Severity.WARNING,
    "config.toml, line {line}: {key} stands where the runtime ignores it",
    "This key works only at the top of the file, above the first [table]. Below a table it belongs to that "
    "table, and the runtime ignores keys that it does not know without a word.",
    "Delete line {line} of config.toml. The value that counts stands above the first [table]; the agent writes "
    "it there from its settings.",
)

FOREIGN_TCTI = Code(
    "config.foreign-tcti",
    Phase.HELD,
    Severity.ERROR,
    "[tpm] tcti in config.toml names {tcti}, but this agent works with {node}",
    "Someone set the runtime's TPM by hand. The keys that the agent checks and the keys that the runtime uses "
    "would be in two TPMs, and the device would be enrolled with the wrong one. Nothing was written.",
    "If the runtime's TPM is the right one, set device in [tpm] of the settings to the same. If not, delete the "
    "line tcti from [tpm] in config.toml. Then: edge-provisioner plan.",
)

PAYLOAD_UNWRITABLE = Code(
    "config.payload-unwritable",
    Phase.HELD,
    Severity.ERROR,
    "the provisioning payload {path} cannot be written: {reason}",
    "The runtime reads the payload from this file when it provisions, as user aziotid. Without the file it would "
    "fail to provision, so config.toml was not made to name it.",
    "See why with: ls -ld '{path}' and df -h '{path}'; is aziot-identity-service installed (user aziotid)? "
    "Then: edge-provisioner once.",
)
