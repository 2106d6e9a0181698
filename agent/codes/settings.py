"""What can be said of the settings files."""

from agent.codes.registry import Code, Phase, Severity

MISSING = Code(
    name="settings.missing",
    phase=Phase.UNCONFIGURED,
    severity=Severity.NOTICE,
    summary="No ID scope is set, so there is nothing to provision to",
    explanation=(
        "No settings file names the provisioning service's ID scope. Nothing on this device has been changed. "
        "'edge-provisioner identity' and 'edge-provisioner tpm' work without it."
    ),
    remedy=(
        "Write these two lines to /etc/edge-provisioner/agent.toml, with the ID scope from the Azure portal:\n"
        "  [dps]\n"
        '  id_scope = "0ne00112233"\n'
        "The service sees them at its next look, or at once after 'systemctl reload edge-provisioner'."
    ),
)

INVALID = Code(
    name="settings.invalid",
    phase=Phase.HELD,
    severity=Severity.ERROR,
    summary="Problems in the settings files: {count}; nothing is done until they are right",
    explanation=(
        "With a setting that can't be understood nothing is guessed, and the device is left as it is. "
        "What is wrong:\n{problems}"
    ),
    remedy=(
        "Correct the files and lines that 'edge-provisioner config check' names; docs/settings.md lists every "
        "setting. The service goes on by itself at its next look, or at once after "
        "'systemctl reload edge-provisioner'."
    ),
)

UNREADABLE = Code(
    name="settings.unreadable",
    phase=Phase.HELD,
    severity=Severity.ERROR,
    summary="Settings can't be read: {path}: {reason}",
    explanation=(
        "A settings file or folder is there and could not be read, so what it asks for is unknown. "
        "Nothing is done on half of the settings."
    ),
    remedy=(
        "Look at it with 'ls -ld {path}': it must be readable by root, a settings file must be a regular file, "
        "and a folder of drop-ins a folder. The service goes on by itself once it can be read."
    ),
)

FILE_MISSING = Code(
    name="settings.file-missing",
    phase=Phase.HELD,
    severity=Severity.ERROR,
    summary="There is no settings file {path}",
    explanation="The command was told with --settings to use this file alone, and it does not exist.",
    remedy="Give --settings the path of a file that exists, or leave it out to use the system's settings.",
)
