"""Codes of the TPM: which one it is, how it answers, and what lies in it."""

from agent.codes.registry import Code, Phase, Severity

_AGAIN = "The agent tries again by itself."
_ONCE = "Then run `edge-provisioner once`."
_DMESG = "Look at `dmesg | grep -i tpm`."
_NODE_RM = "Have those programs use `/dev/tpmrmN` rather than `/dev/tpmN`."
# A device that lost its stored identity must stay up until it has one again (observed on runtime 1.6).
_UNLESS = (
    "(but leave a provisioned device running if `ls /var/lib/aziot/identityd/device_info` finds nothing: it may not "
    "come back)"
)
_NEW_DEVICE = (
    "then run `edge-provisioner once --adopt` and do what it says. Its modules and its identity in the cloud can "
    "change with that."
)
_TOOLS = "(package tpm2-tools)"

# Which TPM

ABSENT = Code(
    "tpm.absent",
    Phase.WAITING,
    Severity.WARNING,
    "This device shows no TPM",
    "There is no /dev/tpmrm* and no /dev/tpm*. The TPM may be switched off in the firmware, its driver may not be "
    "loaded yet, or there is none.",
    f"{_DMESG} If nothing is there, switch the TPM on in the firmware set-up (also called PTT, fTPM or security "
    "device). The agent goes on by itself as soon as a TPM appears.",
)

NO_DRIVER = Code(
    "tpm.no-driver",
    Phase.WAITING,
    Severity.WARNING,
    "The firmware announces a TPM, but no driver has taken it",
    "{source} is there, so the firmware has a TPM to offer. Yet there is no /dev/tpmrm* and no /dev/tpm*: the kernel's driver "
    "is missing or not loaded yet, or it could not use what the firmware describes.",
    'Run `modprobe -a tpm_crb tpm_tis`, then look at `dmesg | grep -iE "tpm|MSFT0101"`. If the driver says why it '
    "refuses, a newer firmware or kernel is the usual cure. On a board with a device tree the chip's bus driver and "
    "its overlay come first. The agent goes on by itself as soon as a TPM appears.",
)

NODE_ABSENT = Code(
    "tpm.node-absent",
    Phase.WAITING,
    Severity.WARNING,
    "The TPM {device} is not there",
    "The device node does not exist, or its hardware is gone. A TPM may come back under another number.",
    "Run `edge-provisioner tpm show --tpm auto` to see which TPMs there are. If another node is right, correct "
    f"`device` under `[tpm]` in `/etc/edge-provisioner/agent.toml`, or leave it at `auto`. {_AGAIN}",
)

SEVERAL = Code(
    "tpm.several",
    Phase.HELD,
    Severity.ERROR,
    "This device has several TPMs, and none is chosen",
    "The device's identity would depend on which one is taken, so none is.",
    "Choose one of these: {found}. In `/etc/edge-provisioner/agent.toml`, set `device` under `[tpm]` to its node, or "
    "better to `ek:` and the beginning of its EK Name, which stays the same when nodes are renumbered.",
)

NOT_AMONG = Code(
    "tpm.not-among-present",
    Phase.HELD,
    Severity.ERROR,
    "No TPM here has the endorsement key that is wanted (EK Name {wanted})",
    "The identity of this device belongs to the TPM with that endorsement key, or `[tpm] device` asks for it.",
    "Connect the right TPM, or correct `device` under `[tpm]` in `/etc/edge-provisioner/agent.toml`. Present: {found}. "
    "To go on with one of these as a new device, set `device` to its node, enrol it with what "
    f"`edge-provisioner identity --tpm NODE` prints, {_NEW_DEVICE}",
)

AMBIGUOUS = Code(
    "tpm.ambiguous",
    Phase.HELD,
    Severity.ERROR,
    "Several TPMs here have an EK Name that begins with {wanted}",
    "The beginning of a Name is enough only if no other begins with it.",
    "Write more digits of the EK Name behind `ek:` in `device` under `[tpm]` in `/etc/edge-provisioner/agent.toml`. "
    "Present: {found}.",
)

REPLACED = Code(
    "tpm.replaced",
    Phase.HELD,
    Severity.ERROR,
    "The TPM {device} is not the one that this device's identity is of",
    "The Name of its endorsement key is {found}. The stored one, with which this device was provisioned or which was "
    "made or printed for its enrolment, is {wanted}. A new TPM, a new mainboard, or a cloned disk gives the device "
    "another identity, and an identity never changes silently.",
    "Put the former TPM back. Or go on as a new device: enrol it with what `edge-provisioner identity --tpm {device}` "
    f"prints, {_NEW_DEVICE}",
)

CLEARED = Code(
    "tpm.cleared",
    Phase.HELD,
    Severity.ERROR,
    "The TPM {device} has lost its keys and would make another identity",
    "Its endorsement key is gone, and a new one would have the Name {found} instead of {wanted}, whichever known "
    "template it is made from: the endorsement seed was changed, or it is another TPM. Nothing was created in it.",
    "If it is another TPM, put the former one back. Or go on as a new device: enrol it with what "
    f"`edge-provisioner identity --tpm {{device}}` prints, {_NEW_DEVICE}",
)

KEYS_NOT_KEPT = Code(
    "tpm.keys-not-kept",
    Phase.HELD,
    Severity.ERROR,
    "The TPM {device} does not keep its keys over a restart",
    "Its endorsement key changed for the second time in a row: {first}, then {before}, now {found}. The stored one is "
    "{wanted}. No enrolment outlasts that. What the TPM stores is emulated, is not there yet when it starts, or is thrown "
    "away. Nothing was created in it.",
    "Mend its storage first. An fTPM of OP-TEE keeps its keys in the board's RPMB or in files of `tee-supplicant`: look at "
    '`dmesg | grep -iE "optee|rpmb"` for an RPMB that is emulated (`RPMB_EMU=1`), and at '
    "`systemctl status tee-supplicant` for one that starts, or whose folder is mounted, after the fTPM. A virtual TPM "
    "needs a volume for its state that outlives the machine. Once the key stays the same over two restarts, enrol the "
    f"device with what `edge-provisioner identity --tpm {{device}}` prints, {_NEW_DEVICE}",
)

VERSION_1_2 = Code(
    "tpm.version-1-2",
    Phase.HELD,
    Severity.ERROR,
    "{device} is a TPM 1.2; a TPM 2.0 is needed",
    "The kernel says so in {source}. Azure IoT Edge uses keys that a TPM 1.2 does not have.",
    "Look in the firmware set-up, or ask the vendor for a firmware update: some TPMs can be switched to 2.0. Otherwise "
    "fit a TPM 2.0.",
)

BAD_TCTI = Code(
    "tpm.bad-tcti",
    Phase.HELD,
    Severity.ERROR,
    'The TPM can\'t be reached by "{device}": there is no such way ({detail})',
    "`[tpm] device`, or `--tpm`, holds a TCTI string that the TPM library does not know or whose parameters are wrong.",
    "Write `auto`, a node such as `/dev/tpmrm0`, `ek:` and the beginning of an EK Name, or a TCTI string such as "
    "`swtpm:host=127.0.0.1,port=2321`.",
)

NO_NODE_MODULE = Code(
    "tpm.module-missing",
    Phase.HELD,
    Severity.ERROR,
    "The TPM library has no module for device nodes such as {device} ({detail})",
    "The part of tpm2-tss that speaks to device nodes is a package of its own, libtss2-tcti-device. It is not "
    "installed, or its file is damaged. The runtime needs it too.",
    'Run `apt-get install --reinstall "^libtss2-tcti-device0"`: Debian 12 calls the package libtss2-tcti-device0, '
    f"Debian 13 and Ubuntu 24.04 libtss2-tcti-device0t64. In a Yocto image, add libtss2-tcti-device. {_ONCE}",
)

# Opening it

NO_PERMISSION = Code(
    "tpm.no-permission",
    Phase.HELD,
    Severity.ERROR,
    "User {user} may not open {device}",
    "It belongs to user {owner} and group {group} with mode {mode}; opening it needs reading and writing.",
    "{advice} `edge-provisioner tpm show` says whether that was enough.",
)

BUSY = Code(
    "tpm.busy",
    Phase.WAITING,
    Severity.WARNING,
    "{device} is in use by another program",
    "A node /dev/tpmN can be opened once only; the kernel's resource manager /dev/tpmrmN has no such limit.",
    f"See who has it with `fuser -v {{device}}`. Have that program use `/dev/tpmrmN`, or stop it. {_AGAIN}",
)

HOLDER_ADVICE = "Have that program use `/dev/tpmrmN`, or stop it."
ABRMD_ADVICE = (
    "This is the resource manager from before the kernel had one. If nothing else here needs it, switch it off with "
    "`systemctl disable --now tpm2-abrmd`; programs use `/dev/tpmrmN` instead of it."
)

BUSY_BY = Code(
    "tpm.busy-by",
    Phase.WAITING,
    Severity.WARNING,
    "{device} is in use by {holder}",
    "A node /dev/tpmN can be opened once only; the kernel's resource manager /dev/tpmrmN has no such limit.",
    f"See what it is with `systemctl status {{pid}}`. {{advice}} {_AGAIN}",
)

NOT_A_DEVICE = Code(
    "tpm.not-a-device",
    Phase.HELD,
    Severity.ERROR,
    "{device} is no device node",
    "A file or a directory lies where the TPM's node should be; some program may have written to it while the TPM was "
    "away.",
    f"Look at it with `ls -ld {{device}}` and find out what made it. Then restart the device {_UNLESS}: that makes `/dev` "
    "anew.",
)

UNOPENABLE = Code(
    "tpm.unopenable",
    Phase.WAITING,
    Severity.ERROR,
    "{device} can't be opened: {detail}",
    "The kernel refuses to open the node for another reason than permission.",
    f"{_DMESG} {_AGAIN}",
)

LIBRARY_MISSING = Code(
    "tpm.library-missing",
    Phase.HELD,
    Severity.ERROR,
    "The TPM library can't be loaded: {detail}",
    "The agent speaks to the TPM by python3-tpm2-pytss and the tpm2-tss libraries.",
    f"Run `apt-get install --reinstall python3-tpm2-pytss`. {_ONCE}",
)

CREDENTIAL_UNREADABLE = Code(
    "tpm.credential-unreadable",
    Phase.HELD,
    Severity.ERROR,
    "The credential {credential} is there but can't be read: {detail}",
    "It holds a password of the TPM. Going on without it could only fail.",
    "Look at `ls -l /etc/credstore/{credential}`. Make it a text file of at most 64 KiB in UTF-8 that root can read, "
    "then run `systemctl restart edge-provisioner`.",
)

CREDENTIAL_UNGUARDED = Code(
    "tpm.credential-unguarded",
    Phase.HELD,
    Severity.ERROR,
    "Somebody else than root could change or read the credential {credential}: {place} {how}",
    "It holds a password of the TPM. So its file, and every folder on the way to it, must belong to root and be "
    "writable by root alone, and root alone may read it. systemd hands it to the service whoever it belongs to; so "
    "this is looked at here. The TPM is not used as long as somebody could.",
    "See whose it is, with `ls -ld {place}`. If the password in it is right, run "
    "`chown -h root:root {place} && chmod {mode} {place}`; otherwise remove it. Then run "
    "`systemctl restart edge-provisioner`. A password that others have read is better changed.",
)

# What it answers

OWNER_AUTH = Code(
    "tpm.owner-password",
    Phase.HELD,
    Severity.ERROR,
    "The owner hierarchy of {device} needs a password",
    "Keys are made permanent with the owner's authorisation, and somebody has set one. Nothing was created.",
    "Run `install -D -m 600 /dev/stdin /etc/credstore/tpm-owner-auth`, type the password, then Enter and Ctrl+D. Then "
    "run `systemctl restart edge-provisioner`: the agent gives the password to the runtime too.",
)

WRONG_OWNER_AUTH = Code(
    "tpm.wrong-owner-password",
    Phase.HELD,
    Severity.ERROR,
    "{device} refuses the owner password it was given",
    "The credential tpm-owner-auth does not hold the password of the owner hierarchy. This does not count towards "
    "the TPM's lockout. Nothing was created.",
    "Correct `/etc/credstore/tpm-owner-auth` (a final newline is ignored), or remove the file if the TPM has no owner "
    "password. Then run `systemctl restart edge-provisioner`.",
)

ENDORSEMENT_AUTH = Code(
    "tpm.endorsement-password",
    Phase.HELD,
    Severity.ERROR,
    "The endorsement hierarchy of {device} needs a password",
    "The endorsement key is made with the endorsement authorisation, and somebody has set one. Nothing was created.",
    "Run `install -D -m 600 /dev/stdin /etc/credstore/tpm-endorsement-auth`, type the password, then Enter and Ctrl+D. "
    "Then run `systemctl restart edge-provisioner`: the agent gives the password to the runtime too.",
)

WRONG_ENDORSEMENT_AUTH = Code(
    "tpm.wrong-endorsement-password",
    Phase.HELD,
    Severity.ERROR,
    "{device} refuses the endorsement password it was given",
    "The credential tpm-endorsement-auth does not hold the password of the endorsement hierarchy. This does not "
    "count towards the TPM's lockout. Nothing was created.",
    "Correct `/etc/credstore/tpm-endorsement-auth` (a final newline is ignored), or remove the file if the TPM has no "
    "endorsement password. Then run `systemctl restart edge-provisioner`.",
)

AUTH_FAILED = Code(
    "tpm.authorisation-failed",
    Phase.HELD,
    Severity.ERROR,
    "{device} counted a failed authorisation ({step}, {rc})",
    "An object that is protected against guessing refused what it was given, and the TPM's failure counter went up. "
    "Enough failures lock the TPM.",
    f"Look at the counter, `TPM2_PT_LOCKOUT_COUNTER` in `tpm2_getcap properties-variable` {_TOOLS}. Find out who set a "
    "password, and stop the service with `systemctl stop edge-provisioner` while the counter grows.",
)

LOCKED_OUT = Code(
    "tpm.locked-out",
    Phase.HELD,
    Severity.ERROR,
    "{device} is in dictionary-attack lockout",
    "Too many failed authorisations, or power cuts while protected objects were in use, have locked it for a time.",
    f"Leave the power on: the TPM forgives one failure each `TPM2_PT_LOCKOUT_INTERVAL` seconds, which "
    f"`tpm2_getcap properties-variable` shows {_TOOLS}. Or have the one who knows the lockout password run "
    f"`tpm2_dictionarylockout --clear-lockout --auth PASSWORD`. {_AGAIN}",
)

HIERARCHY_DISABLED = Code(
    "tpm.hierarchy-disabled",
    Phase.HELD,
    Severity.ERROR,
    "A hierarchy of {device} is switched off ({step}, {rc})",
    "The firmware has disabled the owner or the endorsement hierarchy, so that no key can be made in it. Keys that are "
    "in it already are not lost: they can't be seen until it is on again.",
    f"Restart the device {_UNLESS} and enable both hierarchies in the firmware set-up, where they are often called "
    "storage and endorsement hierarchy. Do not clear the TPM there.",
)

NV_FULL = Code(
    "tpm.storage-full",
    Phase.HELD,
    Severity.ERROR,
    "The permanent storage of {device} is full",
    "The new key found no room. The agent never removes anything that it did not put there.",
    f"See what is in it with `tpm2_getcap handles-persistent` and `tpm2_getcap handles-nv-index` {_TOOLS}. Ask those "
    "who put it there to remove what they do not need any more. Never remove `0x81010001`, `0x81000001` or `0x81000100` "
    f"(the keys of this device) nor `0x01c00000` to `0x01c0ffff` (its certificates). {_ONCE}",
)

NV_BUSY = Code(
    "tpm.storage-busy",
    Phase.WAITING,
    Severity.WARNING,
    "{device} can't write to its permanent storage just now ({rc})",
    "TPMs limit how often they write, to spare their flash memory.",
    f"Wait. {_AGAIN}",
)

OBJECT_MEMORY = Code(
    "tpm.object-slots-full",
    Phase.WAITING,
    Severity.WARNING,
    "Other programs' objects fill the working memory of {device}",
    "Without a resource manager, objects that a program left behind stay until the TPM restarts.",
    f"{_NODE_RM} To empty the slots, restart the device {_UNLESS}. {_AGAIN}",
)

SESSION_MEMORY = Code(
    "tpm.session-slots-full",
    Phase.WAITING,
    Severity.WARNING,
    "Other programs' sessions fill the working memory of {device}",
    "Without a resource manager, sessions that a program left behind stay until the TPM restarts.",
    f"{_NODE_RM} To empty the slots, restart the device {_UNLESS}. {_AGAIN}",
)

NOT_READY = Code(
    "tpm.not-ready",
    Phase.WAITING,
    Severity.WARNING,
    "{device} is occupied with itself ({rc})",
    "It is testing itself or asks to be asked again; several attempts got the same answer.",
    f"Wait. {_AGAIN} If it stays so for an hour, restart the device {_UNLESS}.",
)

NOT_STARTED = Code(
    "tpm.not-started",
    Phase.HELD,
    Severity.ERROR,
    "{device} was not started",
    "Firmware or driver have to send TPM2_Startup after power-on and did not. A TPM that lost power while the device "
    "ran is in this state too.",
    f"Restart the device {_UNLESS}. If it happens again, update the firmware. A software TPM is started with "
    "`swtpm socket --flags startup-clear` and its other options.",
)

FAILURE_MODE = Code(
    "tpm.failure-mode",
    Phase.HELD,
    Severity.ERROR,
    "{device} is in failure mode",
    "Its self-test failed, or its state is damaged. It answers nothing but questions about the failure.",
    f"Note what `tpm2_gettestresult` says {_TOOLS}. Switch the device off and on, not only restart it {_UNLESS}. If the "
    "TPM fails again, it is broken.",
)

FIRMWARE_UPDATE = Code(
    "tpm.firmware-update",
    Phase.HELD,
    Severity.ERROR,
    "{device} waits for the rest of a firmware update",
    "An update of the TPM's own firmware was broken off, by a power cut for one, and the chip answers every command "
    "with 0x12d (TPM_RC_UPGRADE). On some chips any other command spoils what can still be resumed, so the agent sends "
    "none until the node is a new one. The keys, and with them the identity, usually outlive the update.",
    "Leave the power on. Finish the update with the vendor's tool, or with `fwupdmgr update` where fwupd knows the "
    f"chip. Then restart the device {_UNLESS}; the agent looks at the TPM again by itself.",
)

COMMAND_UNKNOWN = Code(
    "tpm.command-unknown",
    Phase.HELD,
    Severity.ERROR,
    "{device} does not know a command that is needed ({step}, {rc})",
    "The chip, or the kernel in its place, says TPM_RC_COMMAND_CODE: the command is not among those that the chip has. "
    "Its firmware is too old, or it is a TPM 1.2 behind a wrapper.",
    f"See which commands it has with `tpm2_getcap commands` {_TOOLS}, and which firmware with "
    "`tpm2_getcap properties-fixed`. Ask the vendor for a firmware update, or fit another TPM 2.0. " + _ONCE,
)

IO = Code(
    "tpm.connection-lost",
    Phase.WAITING,
    Severity.ERROR,
    "{device} went silent ({step}, {rc})",
    "The connection broke in the middle: the TPM was taken away, its driver gave up, or a software TPM ended.",
    f"{_DMESG} {_AGAIN}",
)

GARBAGE = Code(
    "tpm.garbled",
    Phase.WAITING,
    Severity.ERROR,
    "{device} answers with something that is no TPM response ({step}, {rc})",
    "Disturbed lines to the chip, a broken driver, or no TPM behind the node look like this.",
    f"{_DMESG} {_AGAIN}",
)

HUNG = Code(
    "tpm.hung",
    Phase.WAITING,
    Severity.ERROR,
    "{device} did not answer within {deadline_s} s ({step})",
    "The command was given up and the process that waited for it was ended. Slow TPMs need up to a minute to make a "
    "key; one that does not answer at all needs its power cut.",
    "If it was making a key, raise `timeout_s` under `[tpm]` in `/etc/edge-provisioner/agent.toml`. Otherwise switch the "
    f"device off and on {_UNLESS}. {_AGAIN}",
)

HELPER_DIED = Code(
    "tpm.helper-died",
    Phase.WAITING,
    Severity.ERROR,
    "The process that speaks to {device} ended without an answer ({step}: {detail})",
    "It was killed from outside, ran out of memory, or met a fault of its own.",
    f"Look at `journalctl -k | grep -i -e oom -e segfault`. {_AGAIN}",
)

INCONSISTENT = Code(
    "tpm.inconsistent",
    Phase.HELD,
    Severity.ERROR,
    "{device} contradicts itself about a key ({step})",
    "The Name it gives is not the digest of the key it shows. Something between the agent and the TPM changes "
    "answers, or the TPM is broken. The key is not used.",
    "Look for programs between the agent and the TPM, such as a proxy that a TCTI string in `[tpm] device` names. If "
    "there is none, the TPM is broken.",
)

UNKNOWN_ANSWER = Code(
    "tpm.unknown-answer",
    Phase.HELD,
    Severity.ERROR,
    "{device} refused with {rc} ({step})",
    "No meaning of this answer is known to the agent.",
    f"Run `tpm2_rc_decode {{rc}}` {_TOOLS} to see what it means. {_DMESG} {_ONCE}",
)

# What lies in it

STRANGE_EK_ORIGIN = "Something else may depend on it, so the agent never touches it."
STRANGE_EK_ADVICE = (
    "and find out who put it there. Removing it can't be undone; only its owner can say that nothing needs it and "
    "remove it."
)
STANDARD_EK_ORIGIN = (
    "It is genuine, but its policy or kind is not that of template L-1, which the runtime was made for. From version 261 "
    "on, systemd-tpm2-setup puts such a key there where the handle is empty; the TPM's maker and other tools may, too. "
    "Something else may depend on it, so the agent never touches it."
)
STANDARD_EK_ADVICE = (
    "and ask the owner of this device's image whether anything needs it. If something does, this device can't be "
    "provisioned by its TPM. If nothing does, keep systemd from making it again with `systemctl mask "
    "systemd-tpm2-setup.service systemd-tpm2-setup-early.service`, in the image as well, and remove the key once with "
    "`tpm2_evictcontrol -T {tcti} -C o -c 0x81010001`. The agent makes the L-1 key in its place."
)

FOREIGN_EK = Code(
    "tpm.foreign-ek",
    Phase.HELD,
    Severity.ERROR,
    "What lies at 0x81010001 in {device} can't be the endorsement key: {faults}",
    "The runtime uses whatever lies there, and would fail. {origin}",
    f"See what it is with `tpm2_readpublic -T {{tcti}} -c 0x81010001` {_TOOLS}, {{advice}} {_ONCE}",
)

FOREIGN_SRK = Code(
    "tpm.foreign-srk",
    Phase.HELD,
    Severity.ERROR,
    "What lies at 0x81000001 in {device} can't be the storage root key: {faults}",
    "The runtime uses whatever lies there, and would fail. systemd and Windows put a storage key of another kind there, "
    "and it may unlock a disk, so the agent never touches it.",
    f"See what it is with `tpm2_readpublic -T {{tcti}} -c 0x81000001` {_TOOLS}, and find out who put it there: "
    "look at `systemd-cryptenroll DISK` and `clevis luks list -d DISK` for each encrypted disk. Removing it can't be "
    "undone; only its owner can say that nothing needs it and remove it. "
    f"{_ONCE}",
)

SRK_LOCKABLE = Code(
    "tpm.srk-lockable",
    Phase.PROVISIONED,
    Severity.WARNING,
    "The storage root key of {device} was made without noDA",
    "It works, but stops working while the TPM is in dictionary-attack lockout. tpm2_createprimary makes it so by "
    "default. Making it anew would cost the device its key, so it is kept.",
    "Nothing to do. Know that a lockout of the TPM takes this device offline; the counter is "
    f"`TPM2_PT_LOCKOUT_COUNTER` in `tpm2_getcap properties-variable` {_TOOLS}.",
)

OLDER_TEMPLATE = Code(
    "tpm.older-template",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "The endorsement key of {device} comes from the Azure C SDK's template, and is put back as that makes it",
    "It was gone from its handle. The same TPM makes it again from the template that it was made from at first: L-1 "
    "with an empty `unique`, as tools of the Azure IoT C SDK do. So the device keeps its identity. No certificate of "
    "the TPM's maker can match this key.",
    "Nothing to do. If this happens more than once, find out what removes the key at 0x81010001.",
)

SOFTWARE_TPM = Code(
    "tpm.software",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "{device} is a software TPM",
    "Its keys are files of the machine that runs it; whoever copies them has the device's identity.",
    "Nothing to do, if this is for trying things out. For a device in the field use a TPM chip, a firmware TPM or the "
    "hypervisor's.",
)
