"""Codes of the TPM: which one it is, how it answers, and what lies in it."""

from agent.codes.registry import Code, Phase, Severity

_LOOK = "edge-provisioner tpm show"
_AGAIN = "The agent tries again by itself."
_ENROL = (
    "If that is intended, enrol the device anew (edge-provisioner identity prints its registration id and endorsement "
    "key), then run: edge-provisioner reprovision."
)

# Which TPM

ABSENT = Code(
    "tpm.absent",
    Phase.WAITING,
    Severity.WARNING,
    "This machine shows no TPM",
    "There is no /dev/tpmrm* and no /dev/tpm*. The TPM may be switched off in the firmware, its driver may not be "
    "loaded yet, or there is none.",
    "Switch the TPM on in the firmware set-up (also called PTT, fTPM or security device), then look at: "
    "dmesg | grep -i tpm. The agent goes on by itself as soon as a TPM appears.",
)

NODE_ABSENT = Code(
    "tpm.node-absent",
    Phase.WAITING,
    Severity.WARNING,
    "The TPM {device} is not there",
    "The device node does not exist, or its hardware is gone. A TPM may come back under another number.",
    f'See which there are: {_LOOK}. If another node is right, set [tpm] device, or leave it at "auto". {_AGAIN}',
)

SEVERAL = Code(
    "tpm.several",
    Phase.HELD,
    Severity.ERROR,
    "This machine has several TPMs, and none is chosen",
    "The device's identity would depend on which one is taken, so none is.",
    'Present: {found}. Choose one: set [tpm] device to its node, or better to "ek:" and the beginning of its EK Name, which stays the '
    "same when nodes are renumbered.",
)

NOT_AMONG = Code(
    "tpm.not-among-present",
    Phase.HELD,
    Severity.ERROR,
    "No TPM here has the EK Name {wanted}",
    "The identity of this device belongs to the TPM with that EK Name, or [tpm] device asks for it.",
    f"Present: {{found}}. Connect the right TPM, or correct [tpm] device. {_ENROL}",
)

AMBIGUOUS = Code(
    "tpm.ambiguous",
    Phase.HELD,
    Severity.ERROR,
    "Several TPMs here have an EK Name that begins with {wanted}",
    "The beginning of a Name is enough only if no other begins with it.",
    "Present: {found}. Write more digits of the EK Name into [tpm] device.",
)

REPLACED = Code(
    "tpm.replaced",
    Phase.HELD,
    Severity.ERROR,
    "The TPM {device} is another one than this device was provisioned with",
    "Its EK Name is {found}, the stored one is {wanted}. A new TPM, a new mainboard, or a cloned disk gives the device "
    "another identity, and an identity never changes silently.",
    f"Put the former TPM back, or set this device up as a new one. {_ENROL}",
)

CLEARED = Code(
    "tpm.cleared",
    Phase.HELD,
    Severity.ERROR,
    "The TPM {device} has lost its keys and would make another identity",
    "Its EK is gone, and a new one would have the Name {found} instead of {wanted}: the endorsement seed was "
    "changed, or it is another TPM. Nothing was created in it.",
    f"Put the former TPM back, or set this device up as a new one. {_ENROL}",
)

VERSION_1_2 = Code(
    "tpm.version-1-2",
    Phase.HELD,
    Severity.ERROR,
    "{device} is a TPM 1.2; a TPM 2.0 is needed",
    "The kernel says so in {source}. Azure IoT Edge uses keys that a TPM 1.2 does not have.",
    "Some TPMs can be switched to 2.0 in the firmware set-up or by a firmware update of the vendor; else fit a TPM 2.0.",
)

BAD_TCTI = Code(
    "tpm.bad-tcti",
    Phase.HELD,
    Severity.ERROR,
    'The TPM can\'t be reached by "{device}": there is no such way ({detail})',
    "[tpm] device, or --tpm, holds a TCTI string that the TPM library does not know or whose parameters are wrong.",
    'Write "auto", a node such as /dev/tpmrm0, "ek:" and the beginning of an EK Name, or a TCTI string such as '
    '"swtpm:host=127.0.0.1,port=2321".',
)

# Opening it

NO_PERMISSION = Code(
    "tpm.no-permission",
    Phase.HELD,
    Severity.ERROR,
    "User {user} may not open {device}",
    "It belongs to user {owner} and group {group} with mode {mode}; opening it needs reading and writing.",
    "{advice}.",
)

BUSY = Code(
    "tpm.busy",
    Phase.WAITING,
    Severity.WARNING,
    "{device} is in use by another program",
    "A node /dev/tpmN can be opened once only; the kernel's resource manager /dev/tpmrmN has no such limit.",
    f"See who has it: fuser -v {{device}}. Make that program use /dev/tpmrmN, or stop it. {_AGAIN}",
)

NOT_A_DEVICE = Code(
    "tpm.not-a-device",
    Phase.HELD,
    Severity.ERROR,
    "{device} is no device node",
    "A file or a directory lies where the TPM's node should be; some program may have written to it while the TPM was "
    "away.",
    "Look at it (ls -l {device}), remove it, and load the TPM's driver again or restart the machine.",
)

UNOPENABLE = Code(
    "tpm.unopenable",
    Phase.WAITING,
    Severity.ERROR,
    "{device} can't be opened: {detail}",
    "The kernel refuses to open the node for another reason than permission.",
    f"Look at: dmesg | grep -i tpm. {_AGAIN}",
)

LIBRARY_MISSING = Code(
    "tpm.library-missing",
    Phase.HELD,
    Severity.ERROR,
    "The TPM library can't be loaded: {detail}",
    "The agent speaks to the TPM by python3-tpm2-pytss and the tpm2-tss libraries.",
    "Install them again: apt-get install --reinstall python3-tpm2-pytss.",
)

CREDENTIAL_UNREADABLE = Code(
    "tpm.credential-unreadable",
    Phase.HELD,
    Severity.ERROR,
    "The credential {credential} is there but can't be read: {detail}",
    "It holds a password of the TPM. Going on without it could only fail.",
    "Make it a text file of at most 64 kB in UTF-8 that root can read: ls -l /etc/credstore/{credential}.",
)

# What it answers

OWNER_AUTH = Code(
    "tpm.owner-password",
    Phase.HELD,
    Severity.ERROR,
    "The owner hierarchy of {device} needs a password",
    "Keys are made permanent with the owner's authorisation, and somebody has set one. Nothing was created.",
    "Write the password to /etc/credstore/tpm-owner-auth (mode 0600), then run: edge-provisioner once. The runtime "
    "needs it too: [tpm.hierarchy_authorization] in /etc/aziot/config.toml.",
)

WRONG_OWNER_AUTH = Code(
    "tpm.wrong-owner-password",
    Phase.HELD,
    Severity.ERROR,
    "{device} refuses the owner password it was given",
    "The credential tpm-owner-auth does not hold the password of the owner hierarchy. This does not count towards "
    "the TPM's lockout. Nothing was created.",
    "Correct /etc/credstore/tpm-owner-auth (a final newline is ignored), or remove it if there is no password, then "
    "run: edge-provisioner once.",
)

ENDORSEMENT_AUTH = Code(
    "tpm.endorsement-password",
    Phase.HELD,
    Severity.ERROR,
    "The endorsement hierarchy of {device} needs a password",
    "The endorsement key is made with the endorsement authorisation, and somebody has set one. Nothing was created.",
    "Write the password to /etc/credstore/tpm-endorsement-auth (mode 0600), then run: edge-provisioner once. The "
    "runtime needs it too: [tpm.hierarchy_authorization] in /etc/aziot/config.toml.",
)

WRONG_ENDORSEMENT_AUTH = Code(
    "tpm.wrong-endorsement-password",
    Phase.HELD,
    Severity.ERROR,
    "{device} refuses the endorsement password it was given",
    "The credential tpm-endorsement-auth does not hold the password of the endorsement hierarchy. This does not "
    "count towards the TPM's lockout. Nothing was created.",
    "Correct /etc/credstore/tpm-endorsement-auth (a final newline is ignored), or remove it if there is no password, "
    "then run: edge-provisioner once.",
)

AUTH_FAILED = Code(
    "tpm.authorisation-failed",
    Phase.HELD,
    Severity.ERROR,
    "{device} counted a failed authorisation ({step}, {rc})",
    "An object that is protected against guessing refused what it was given, and the TPM's failure counter went up. "
    "The agent does not try again, because enough failures lock the TPM.",
    "Look at the counter: tpm2_getcap properties-variable (TPM2_PT_LOCKOUT_COUNTER). Find out who set a password.",
)

LOCKED_OUT = Code(
    "tpm.locked-out",
    Phase.HELD,
    Severity.ERROR,
    "{device} is in dictionary-attack lockout",
    "Too many failed authorisations, or power cuts while protected objects were in use, have locked it for a time.",
    "See for how long: tpm2_getcap properties-variable (TPM2_PT_LOCKOUT_RECOVERY, seconds). Wait that long with the "
    "machine on, or let its owner reset it: tpm2_dictionarylockout --clear-lockout.",
)

HIERARCHY_DISABLED = Code(
    "tpm.hierarchy-disabled",
    Phase.HELD,
    Severity.ERROR,
    "A hierarchy of {device} is switched off ({step}, {rc})",
    "The firmware has disabled the owner or the endorsement hierarchy, so that no key can be made in it.",
    "Enable both hierarchies in the firmware set-up (often called storage and endorsement hierarchy), then restart.",
)

NV_FULL = Code(
    "tpm.storage-full",
    Phase.HELD,
    Severity.ERROR,
    "The permanent storage of {device} is full",
    "The new key found no room. The agent never removes anything that it did not put there.",
    "See what is in it: tpm2_getcap handles-persistent and tpm2_getcap handles-nv-index. Remove what is not needed "
    "any more: tpm2_evictcontrol -c HANDLE or tpm2_nvundefine INDEX.",
)

NV_BUSY = Code(
    "tpm.storage-busy",
    Phase.WAITING,
    Severity.WARNING,
    "{device} can't write to its permanent storage just now ({rc})",
    "TPMs limit how often they write, to spare their flash memory.",
    f"Nothing to do. {_AGAIN}",
)

OBJECT_MEMORY = Code(
    "tpm.object-slots-full",
    Phase.WAITING,
    Severity.WARNING,
    "Other programs' objects fill the working memory of {device}",
    "Without a resource manager, objects that a program left behind stay until the TPM restarts.",
    f"Use /dev/tpmrmN rather than /dev/tpmN; restarting the machine empties the slots. {_AGAIN}",
)

SESSION_MEMORY = Code(
    "tpm.session-slots-full",
    Phase.WAITING,
    Severity.WARNING,
    "Other programs' sessions fill the working memory of {device}",
    "Without a resource manager, sessions that a program left behind stay until the TPM restarts.",
    f"Use /dev/tpmrmN rather than /dev/tpmN; restarting the machine empties the slots. {_AGAIN}",
)

NOT_READY = Code(
    "tpm.not-ready",
    Phase.WAITING,
    Severity.WARNING,
    "{device} is occupied with itself ({rc})",
    "It is testing itself or asks to be asked again; several attempts got the same answer.",
    f"Nothing to do unless it stays so; then restart the machine. {_AGAIN}",
)

NOT_STARTED = Code(
    "tpm.not-started",
    Phase.HELD,
    Severity.ERROR,
    "{device} was not started",
    "Firmware or driver have to send TPM2_Startup after power-on and did not. A TPM that lost power while the machine "
    "ran is in this state too.",
    "Restart the machine. If it happens again, update the firmware; for a software TPM: swtpm --flags startup-clear.",
)

FAILURE_MODE = Code(
    "tpm.failure-mode",
    Phase.HELD,
    Severity.ERROR,
    "{device} is in failure mode",
    "Its self-test failed, or its state is damaged. It answers nothing but questions about the failure.",
    "Switch the machine off, not only restart it. If the TPM fails again, it is broken: tpm2_gettestresult says more.",
)

IO = Code(
    "tpm.connection-lost",
    Phase.WAITING,
    Severity.ERROR,
    "{device} went silent ({step}, {rc})",
    "The connection broke in the middle: the TPM was taken away, its driver gave up, or a software TPM ended.",
    f"Look at: dmesg | grep -i tpm. {_AGAIN}",
)

GARBAGE = Code(
    "tpm.garbled",
    Phase.WAITING,
    Severity.ERROR,
    "{device} answers with something that is no TPM response ({step}, {rc})",
    "Disturbed lines to the chip, a broken driver, or no TPM behind the node.",
    f"Look at: dmesg | grep -i tpm. {_AGAIN}",
)

HUNG = Code(
    "tpm.hung",
    Phase.WAITING,
    Severity.ERROR,
    "{device} did not answer within {deadline_s} s ({step})",
    "The command was given up and the process that waited for it was ended. Slow TPMs need up to a minute to make a "
    "key; one that does not answer at all needs its power cut.",
    f"If it was making a key, raise [tpm] timeout_s; else switch the machine off and on. {_AGAIN}",
)

HELPER_DIED = Code(
    "tpm.helper-died",
    Phase.WAITING,
    Severity.ERROR,
    "The process that speaks to {device} ended without an answer ({step}: {detail})",
    "It was killed from outside, ran out of memory, or met a fault of its own.",
    f"Look at: journalctl -k | grep -i -e oom -e segfault. {_AGAIN}",
)

INCONSISTENT = Code(
    "tpm.inconsistent",
    Phase.HELD,
    Severity.ERROR,
    "{device} contradicts itself about a key ({step})",
    "The Name it gives is not the digest of the key it shows. Something between the agent and the TPM changes "
    "answers, or the TPM is broken. The key is not used.",
    "Look for programs between the agent and the TPM (a TCTI string, a proxy); if there is none, the TPM is broken.",
)

UNKNOWN_ANSWER = Code(
    "tpm.unknown-answer",
    Phase.HELD,
    Severity.ERROR,
    "{device} refused with {rc} ({step})",
    "No meaning of this answer is known to the agent.",
    "Ask what it means: tpm2_rc_decode {rc}. Then look at: dmesg | grep -i tpm.",
)

# What lies in it

FOREIGN_EK = Code(
    "tpm.foreign-ek",
    Phase.HELD,
    Severity.ERROR,
    "What lies at 0x81010001 in {device} can't be the endorsement key: {faults}",
    "The runtime uses whatever lies there, and would fail. Something else may depend on it, so it is never touched.",
    "See what it is: tpm2_readpublic -c 0x81010001. If nobody needs it, remove it: tpm2_evictcontrol -C o -c "
    "0x81010001. Then run: edge-provisioner once.",
)

FOREIGN_SRK = Code(
    "tpm.foreign-srk",
    Phase.HELD,
    Severity.ERROR,
    "What lies at 0x81000001 in {device} can't be the storage root key: {faults}",
    "The runtime uses whatever lies there, and would fail. systemd and Windows put a storage key of another kind there, "
    "and it may unlock a disk, so it is never touched.",
    "See what it is: tpm2_readpublic -c 0x81000001. Only if nobody needs it (look at systemd-cryptenroll and clevis "
    "first), remove it: tpm2_evictcontrol -C o -c 0x81000001. Then run: edge-provisioner once.",
)

SRK_LOCKABLE = Code(
    "tpm.srk-lockable",
    Phase.PROVISIONED,
    Severity.WARNING,
    "The storage root key of {device} was made without noDA",
    "It works, but stops working while the TPM is in dictionary-attack lockout. tpm2_createprimary makes it so by "
    "default. Making it anew would cost the device its key, so it is kept.",
    "Nothing needs to be done. Know that a lockout of the TPM takes this device offline: tpm2_getcap "
    "properties-variable shows the counter.",
)

SOFTWARE_TPM = Code(
    "tpm.software",
    Phase.PROVISIONED,
    Severity.NOTICE,
    "{device} is a software TPM",
    "Its keys are files of the machine that runs it; whoever copies them has the device's identity.",
    "Right for trying things out. For a device in the field use a TPM chip, a firmware TPM or the hypervisor's.",
)
