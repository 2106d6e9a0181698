"""What can be said of the settings files."""

from agent.codes.registry import Code, Phase, Severity

MISSING = Code(
    "settings.missing",
    Phase.UNCONFIGURED,
    Severity.NOTICE,
    "No id scope is set, so there is nothing to provision to",
    "No settings file names the provisioning service's id scope. Nothing on this device has been changed. The runtime's "
    "own status shows Ready for daemons that were never configured. "
    "`edge-provisioner identity` and `edge-provisioner tpm` work without it.",
    "Write these two lines to `/etc/edge-provisioner/agent.toml`, with the id scope from the Azure portal:\n"
    "  [dps]\n"
    '  id_scope = "0ne00112233"\n'
    "The service sees them at its next look, or at once after `systemctl reload edge-provisioner`.",
)

INVALID = Code(
    "settings.invalid",
    Phase.HELD,
    Severity.ERROR,
    "Problems in the settings files: {count}; nothing is done until they are right",
    "With a setting that can't be understood nothing is guessed, and the device is left as it is. "
    "What is wrong:\n{problems}",
    "Run `edge-provisioner config check` and correct the files and lines that it names; the manual page "
    "edge-provisioner.toml(5) lists every setting. The service goes on by itself at its next look, or at once after "
    "`systemctl reload edge-provisioner`.",
)

OTHER_CLOUD = Code(
    "settings.other-cloud",
    Phase.PROVISIONED,
    Severity.WARNING,
    "The id scope {id_scope} seems to be of another cloud than the endpoint {endpoint}",
    "Id scopes that begin with 0ne were seen in the public cloud only, 0us in the one for the US government, 0cn in China's. "
    "Where the two do not belong together, the device is said to be unknown, or the version of the API not supported.",
    'Compare both with the Azure portal. If the id scope is right, write `global_endpoint = "{fitting}"` under `[dps]` in '
    "`/etc/edge-provisioner/agent.toml`.",
)

UNREADABLE = Code(
    "settings.unreadable",
    Phase.HELD,
    Severity.ERROR,
    "Settings can't be read: {path}: {reason}",
    "A settings file or folder is there and could not be read, so what it asks for is unknown. Nothing is done "
    "on half of the settings.",
    "Look at it with `ls -ld {path}`: it must be readable by root, a settings file must be a regular file of at "
    "most 256 KiB, and a folder of drop-ins a folder. The service goes on by itself once it can be read.",
)

UNGUARDED = Code(
    "settings.unguarded",
    Phase.HELD,
    Severity.ERROR,
    "Somebody else than root could change the settings {path}: {place} {how}",
    "Settings name what root runs and whom this device trusts. So a settings file, and every folder on the way to "
    "it, must belong to root and be writable by root alone; nothing is done as long as one is not.",
    "See who wrote it, with `ls -ld {place}` and `cat {path}`. If what it says is right, run "
    "`chown -h root:root {place} && chmod go-w {place}`; otherwise remove it. The service goes on by itself then.",
)

FILE_MISSING = Code(
    "settings.file-missing",
    Phase.HELD,
    Severity.ERROR,
    "There is no settings file {path}",
    "The command was told with `--settings` to use this file alone, and it does not exist.",
    "Give `--settings` the path of a file that exists, or leave it out to use the system's settings.",
)
