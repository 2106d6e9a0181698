"""Outcomes about /etc/aziot/config.toml and the payload file beside it: rows only."""

from agent.codes.registry import Code, Phase, Severity

_ONCE = "Then run `edge-provisioner once`."

NOT_UTF8 = Code(
    "config.not-utf8",
    Phase.HELD,
    Severity.ERROR,
    "Line {line} of config.toml is not UTF-8: {what}",
    "TOML is UTF-8 without a byte order mark. Neither the runtime nor the agent can read the file as it is, and "
    "the agent does not guess another encoding. Nothing was written.",
    "Make a copy with `cp -a /etc/aziot/config.toml /root/`. Take a byte order mark away with "
    '`sed -i "1s/^\\xEF\\xBB\\xBF//" /etc/aziot/config.toml`; for other bytes, if they are WINDOWS-1252, run '
    "`iconv -f WINDOWS-1252 -t UTF-8 -o /etc/aziot/config.toml /root/config.toml`. " + _ONCE,
)

UTF16 = Code(
    "config.utf16",
    Phase.HELD,
    Severity.ERROR,
    "The file config.toml is UTF-16, and TOML is UTF-8",
    "Windows PowerShell and some editors write UTF-16. Neither the runtime nor the agent can read the file as it is. "
    "Nothing was written.",
    "Make a copy with `cp -a /etc/aziot/config.toml /root/`, then run "
    "`iconv -f {encoding} -t UTF-8 -o /etc/aziot/config.toml /root/config.toml`. " + _ONCE,
)

NUL = Code(
    "config.nul",
    Phase.HELD,
    Severity.ERROR,
    "Line {line} of config.toml has NUL bytes in it",
    "A power cut while the file was written leaves such a file on some file systems; then what is behind the NUL bytes, or "
    "all of the file, is lost. Nothing was written.",
    "Look at it with `less /etc/aziot/config.toml`. If something stands around the NUL bytes, take them out with "
    '`sed -i "s/\\x00//g" /etc/aziot/config.toml` and see that the rest is whole. If the file is nothing else, run '
    "`mv /etc/aziot/config.toml /root/`. " + _ONCE,
)

YAML_FILE = Code(
    "config.yaml-file",
    Phase.HELD,
    Severity.ERROR,
    "The file config.toml is YAML, as IoT Edge 1.1 had it (line {line})",
    "Since version 1.2 the runtime reads TOML with other names in it, and refuses this file. The agent can write its own "
    "keys into a new file; what else stands in the old one has to be said anew.",
    "Keep it aside with `mv /etc/aziot/config.toml /root/config.yaml`. What the runtime can take from it shows "
    "`iotedge config import --help`. " + _ONCE,
)

YAML = Code(
    "config.yaml",
    Phase.HELD,
    Severity.ERROR,
    "Line {line} of config.toml is YAML, as IoT Edge 1.1 had it",
    "Since version 1.2 the runtime reads TOML, where a name and its value have an equals sign between them. It refuses the "
    "whole file. Nothing was written.",
    "{mend}. " + _ONCE,
)

CHARACTER = Code(
    "config.character",
    Phase.HELD,
    Severity.ERROR,
    "Line {line} of config.toml has {name} at column {column}, where TOML wants a plain character",
    "Word processors, chats and web pages put such characters in the place of quotes and spaces. They look right, and the "
    "runtime refuses the file. Nothing was written.",
    "Run `{mend}`. " + _ONCE,
)

BARE_WORD = Code(
    "config.bare-word",
    Phase.HELD,
    Severity.ERROR,
    "Line {line} of config.toml has a value without quotes",
    "Texts stand in quotes in TOML; without them only numbers, dates, true and false may stand there. Nothing was "
    "written.",
    "{mend}. " + _ONCE,
)

BACKSLASH = Code(
    "config.backslash",
    Phase.HELD,
    Severity.ERROR,
    "Line {line} of config.toml has a backslash in double quotes, where it means something else",
    "In double quotes a backslash begins an escape. In single quotes it stands for itself. Nothing was written.",
    "{mend}. " + _ONCE,
)

TWICE = Code(
    "config.twice",
    Phase.HELD,
    Severity.ERROR,
    "Line {line} of config.toml says {name} again, which line {first} has said already",
    "A table or key may stand in a file once only. A script that appends to the file and is run twice does this, or a block "
    "that was pasted in. The runtime refuses the file. Nothing was written.",
    "Compare the two, and keep one: move what only one of them says to the other, then delete line {line} of "
    "`/etc/aziot/config.toml`, and of a [table] all that belongs to it. " + _ONCE,
)

BACKUPS_KEPT = Code(
    "config.backups-kept",
    Phase.HELD,
    Severity.NOTICE,
    "What config.toml said before the agent changed it last is kept in {newest}",
    "The agent keeps the last five files that it replaced, beside config.toml.",
    "Compare it with `diff {newest} {path}`.",
)

INVALID_TOML = Code(
    "config.invalid-toml",
    Phase.HELD,
    Severity.ERROR,
    "Line {line} of config.toml is not valid TOML (column {column}): {reason}",
    "The runtime would refuse this file at the next `iotedge config apply`, so the agent edits nothing in it. "
    "Usual causes: the same key or table twice, a value without quotes, a bracket or quote left open.",
    "Correct line {line} of `/etc/aziot/config.toml`. " + _ONCE,
)

SHAPE_REFUSED = Code(
    "config.shape-refused",
    Phase.HELD,
    Severity.ERROR,
    "Line {line} of config.toml has a shape that the agent does not edit: {table} {what}",
    "The agent has to change keys in {table}, and changes a file only where it can prove that nothing else moves. "
    "For that its tables must stand as plain [tables], parents first, without other tables between them. The rest "
    "of the file may have any shape. Nothing was written.",
    "Inline tables and dotted keys are written out by `edge-provisioner once --adopt`. Or, in "
    "`/etc/aziot/config.toml`, write each of these tables as a line with its name in brackets and its keys below "
    "it, one a line: `[provisioning]`, then `[provisioning.attestation]`; `[tpm]`, then "
    "`[tpm.hierarchy_authorization]`. A payload is one line in `[provisioning]`, such as "
    '`payload = {{ uri = "file:///etc/aziot/payload.json" }}`. ' + _ONCE,
)

EDIT_NOT_PROVEN = Code(
    "config.edit-not-proven",
    Phase.HELD,
    Severity.ERROR,
    "The edit of config.toml could not be proven right, so nothing was written (keys: {keys})",
    "After every edit the agent reads its own result back and compares it with what was meant, key by key and "
    "line by line. This time they differed. That is a fault of the agent, not of the device.",
    "Write these keys into `/etc/aziot/config.toml` by hand: {keys}. Their values are in "
    "`edge-provisioner config show`, the registration id in `edge-provisioner identity`. Then run "
    "`edge-provisioner once --adopt`, and report the fault with the file, its passwords taken out.",
)

SYMLINK = Code(
    "config.symlink",
    Phase.HELD,
    Severity.ERROR,
    "{path} is a symbolic link, and the agent does not write through links",
    "The agent replaces the file in one step, which would put a file where the link is and leave the link's target "
    "as it was. Nothing was written.",
    'Put the file itself in place of the link: `cp --remove-destination "$(readlink -f {path})" {path}`. Or name '
    "the file that it leads to as `config_file` under `[runtime]` in `/etc/edge-provisioner/agent.toml`. "
    + _ONCE,
)

DIRECTORY = Code(
    "config.directory",
    Phase.HELD,
    Severity.ERROR,
    "{path} is a directory, where the runtime's configuration file belongs",
    "A container engine makes an empty directory where a file to be mounted does not exist yet; that is how it "
    "usually comes to be. The runtime can't read it, and the agent removes nothing that is not its own.",
    "Look at it with `ls -la {path}`. If it is an empty directory, run `rmdir {path}`. " + _ONCE,
)

UNGUARDED = Code(
    "config.unguarded",
    Phase.HELD,
    Severity.ERROR,
    "Somebody else than root could change the runtime's configuration {path}: {place} {how}",
    "The file names the modules that this device runs and the cloud that it trusts, and an apply takes it over as a "
    "whole. So the file, and every folder on the way to it, must belong to root and be writable by root alone. "
    "Nothing was written.",
    "See who wrote it, with `ls -ld {place}` and `cat {path}`. If what it says is right, run "
    "`chown -h root:root {place} && chmod go-w {place}`; otherwise correct it first. " + _ONCE,
)

UNREADABLE = Code(
    "config.unreadable",
    Phase.HELD,
    Severity.ERROR,
    "{path} can't be read: {reason}",
    "Without knowing what stands in the file the agent writes nothing, because it could destroy what is there.",
    "Look at the way to the file with `namei -l {path}`, and for an input/output error at `journalctl -k -p err`. "
    + _ONCE,
)

UNWRITABLE = Code(
    "config.unwritable",
    Phase.HELD,
    Severity.ERROR,
    "{path} can't be written: {reason}",
    "The new text is written beside the file and takes its place in one step, so the old file is whole and still "
    "in use. A read-only file system and a full disk are the usual causes.",
    "{mend} " + _ONCE,
)

OTHER_PROVISIONING = Code(
    "config.other-provisioning",
    Phase.HELD,
    Severity.ERROR,
    "This device is provisioned in another way already: {what}",
    "Someone configured this device, and the agent has no record of having done it. Taking it over can change its "
    "identity in the cloud and stop its modules, so that is decided by a person. Nothing was written.",
    "See what would change with `edge-provisioner plan`. To leave it as it is, run `systemctl disable --now "
    "edge-provisioner`. To take it over, enrol it with what "
    "`edge-provisioner identity` prints, then run `edge-provisioner once --adopt`; the old config.toml is kept "
    "beside the new one.",
)

UNFILLED = Code(
    "config.unfilled",
    Phase.HELD,
    Severity.ERROR,
    "Placeholders that nobody filled in stand in config.toml, and were applied: {what}",
    "A template was copied, and a step that was to fill it in did not run. It was applied as it is, and the agent has no "
    "record of having done that, so it does not write over it unasked. Nothing was written.",
    "Find out what was to fill in the file. To have the agent write its own values, enrol this device with what "
    "`edge-provisioner identity` prints, then run `edge-provisioner once --adopt`; the old config.toml is kept beside the "
    "new one.",
)

UNFILLED_REPLACED = Code(
    "config.unfilled-replaced",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "Placeholders that nobody filled in stand in config.toml and count as nothing: {what}",
    "A template was copied, and a step that was to fill it in did not run. It was never applied, so no provisioning of "
    "somebody else's is undone when the agent writes its own values.",
    "Nothing to do, if the agent is to provision this device. Otherwise run `systemctl disable --now edge-provisioner` "
    "and find out what was to fill in the file.",
)

NEVER_APPLIED = Code(
    "config.never-applied",
    Phase.UNCONFIGURED,
    Severity.NOTICE,
    "{path} is written, but was never applied, so the runtime is not configured",
    "Someone put the file there, and `iotedge config apply` did not run, or failed. The runtime's own status shows Ready "
    "for its daemons all the same. The agent has no id scope in its settings, so it leaves the file to the one who wrote "
    "it.",
    "Run `iotedge config apply`, which is what the file waits for. Or have the agent do that: write the file's "
    "`id_scope` under `[dps]` in `/etc/edge-provisioner/agent.toml`, then run `edge-provisioner once`.",
)

MANUAL_EDIT = Code(
    "config.manual-edit",
    Phase.HELD,
    Severity.ERROR,
    "Keys of the agent were changed by hand in config.toml: {keys}",
    "The agent wrote these keys, and they say something else now. It does not undo a person's work unasked, and it "
    "does not apply what its settings do not say. Nothing was written.",
    "See the difference with `edge-provisioner plan`. Either put them back, or "
    "change the settings to what you want, or let the agent write its own values: this time with "
    '`edge-provisioner once --adopt`, always with `on_manual_edit = "restore"` under `[runtime]` in '
    "`/etc/edge-provisioner/agent.toml`.",
)

UNAPPLIED_EDIT = Code(
    "config.unapplied-edit",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "Someone changed config.toml, and the change was never applied",
    "The change is not in keys of the agent, and the runtime still works with the old values. An apply restarts "
    "the runtime and its modules, so the agent leaves the moment to the one who made the change.",
    "If the change is meant, run `iotedge config apply` when the modules may stop.",
)

MISPLACED_KEY = Code(
    "config.misplaced-key",
    Phase.PROVISIONED,
    Severity.WARNING,
    "Line {line} of config.toml has no effect: the runtime ignores {key} there, what counts is {home}",
    "The runtime ignores keys that it does not know where they stand, without a word. A key below a [table] belongs to "
    "that table. What was meant is {home}.",
    "If it is meant, say it as {home}. In any case delete line {line} of `/etc/aziot/config.toml`. What the agent writes "
    "(`edge-provisioner config show` lists it) is better said in its settings.",
)

REFUSED_LATER = Code(
    "config.refused-later",
    Phase.PROVISIONED,
    Severity.WARNING,
    "The runtime will refuse config.toml at its next apply, line {line}: {key}: {fault}",
    "The daemons work with what was applied before. The next `iotedge config apply`, whoever runs it, fails.",
    "In `/etc/aziot/config.toml`, line {line}: {mend} Nothing has to be applied for that.",
)

HOSTNAME_WARNED = Code(
    "config.hostname-warned",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The host name {hostname} is one that `iotedge check` warns of: {fault}",
    "Modules and devices below this one may fail to make a TLS connection to it (RFC 1035, section 2.3.1). The runtime "
    "keeps the name that it was given first, and refuses another while modules exist.",
    'Before the first apply, run `hostnamectl hostname NAME`, or write `hostname = "NAME"` under `[runtime]` in '
    "`/etc/edge-provisioner/agent.toml`. Later a change costs all modules and their data; if nothing complains, leave it.",
)

HOSTNAME_DOUBTED = Code(
    "config.hostname-doubted",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The host name {hostname} is about to be fixed: {fault}",
    "The runtime keeps the name that it was given first, and refuses another while modules exist. Devices with one "
    "name can't be told apart in a network.",
    'If it is not meant, run `hostnamectl hostname NAME` before the first apply, or write `hostname = "NAME"` under '
    "`[runtime]` in `/etc/edge-provisioner/agent.toml`.",
)

MOUNT_POINT = Code(
    "config.mount-point",
    Phase.HELD,
    Severity.ERROR,
    "A file system is mounted on {path} itself, so the file can't be replaced",
    "The agent writes the new text beside the file and puts it in its place in one step, so that a power cut leaves "
    "the one or the other. A mount point can't be replaced (EBUSY). That is how a file comes to be that is bound into "
    "a container, or from a data partition. Nothing was made or written.",
    "Mount the folder instead. In a container, hand it {folder} as a whole. Elsewhere see with "
    "`findmnt {path}` where the file comes from, and name a new folder there as DIR: run `cp -a {folder} DIR`, "
    "`umount {path}`, `mount --bind DIR {folder}`, and say so in `/etc/fstab` in place of the file's line. If the file "
    "need not lie elsewhere, `umount {path}` is all. " + _ONCE,
)

KEY_UNUSABLE = Code(
    "config.key-unusable",
    Phase.PROVISIONED,
    Severity.WARNING,
    "The private key {path} (config.toml, line {line}: {key}) {fault}",
    "The daemon aziot-keyd reads private keys as PEM files without a pass phrase, or by a `pkcs11:` URI. With this one "
    "whatever needs it fails, and some of it only when a certificate is to be renewed.",
    "{mend} To see what it is, run `ls -l {path}` and `head -n 1 {path}`.",
)

DEAD_KEYS = Code(
    "config.dead-keys",
    Phase.PROVISIONED,
    Severity.WARNING,
    "Keys of another way of provisioning are still in config.toml: {keys}",
    "This device registers by its TPM, so the runtime ignores these keys. But they may be secrets that still open "
    "something, and whoever reads the file takes the device for another one.",
    "Run `edge-provisioner once --adopt`. It takes these keys out, applies nothing and restarts nothing. The file as it "
    "was is kept beside it as `config.toml.edge-provisioner-*`; remove that when its secrets are not needed any more.",
)

OLD_SECRETS = Code(
    "config.old-secrets",
    Phase.PROVISIONED,
    Severity.WARNING,
    "Old keys or passwords seem to stand in comments of config.toml, lines {lines}",
    "A key that was commented out still opens what it opened before, for whoever gets to read the file or a copy of "
    "it. The agent leaves comments as they are, and shows nothing of what looks like a secret in them.",
    "Look at these lines of `/etc/aziot/config.toml`: {lines}. Delete the comments whose keys and passwords nobody "
    "needs any more; nothing has to be applied for that. Then run `ls /etc/aziot/config.toml.edge-provisioner-*` and "
    "remove the copies that hold them too.",
)

FOREIGN_TCTI = Code(
    "config.foreign-tcti",
    Phase.HELD,
    Severity.ERROR,
    "Someone's `[tpm] tcti` in config.toml names {tcti}, but the agent works with {node}",
    "Someone set the runtime's TPM by hand. The keys that the agent checks and the keys that the runtime uses "
    "would be in two TPMs, and the device would be enrolled with the wrong one. Nothing was written.",
    "If the runtime's TPM is the right one, set `device` under `[tpm]` in `/etc/edge-provisioner/agent.toml` to the "
    "same. If not, delete the line `tcti` below `[tpm]` in `/etc/aziot/config.toml`. " + _ONCE,
)

PAYLOAD_UNWRITABLE = Code(
    "config.payload-unwritable",
    Phase.HELD,
    Severity.ERROR,
    "The provisioning payload {path} can't be written: {reason}",
    "The runtime reads the payload from this file when it registers, as user aziotid. Without the file it would "
    "fail to provision, so config.toml was not made to name it.",
    "{mend} See that user aziotid exists: `id aziotid`. " + _ONCE,
)
