"""Whether the runtime's user may open the TPM: the udev rule that decides it, and the proof by opening.

udevd resolves user names when it reads its rules, so the rule goes in place once the user exists. Where the
node's group, or everybody, may open it and that user is among them, somebody decided so for more than this
user: there no rule of ours is wanted, which would give the node another owner and mode. If that ends, ours
comes.
"""

import errno
import os
from enum import StrEnum
from functools import partial

from agent.codes import AgentError, udev
from agent.host import failures, files, fork, guarded, process
from agent.host.root import Root, User
from agent.values import dataclass

RULE_PLACE = "/etc/udev/rules.d/tpmaccess.rules"
RULE_PLACE_IN_RUN = "/run/udev/rules.d/tpmaccess.rules"
RUNTIME_USER = "aziottpm"
_SHIPPED = "/usr/share/edge-provisioner/tpmaccess.rules"
_IN_CHECKOUT = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "udev", "tpmaccess.rules"
)
_UDEVADM = "/usr/bin/udevadm"
_UDEVADM_TIMEOUT_S = 60.0
_OPEN_TIMEOUT_S = 10.0


class Access(StrEnum):
    """What came of opening the node as the runtime's user."""

    GRANTED = "granted"
    DENIED = "denied"
    NOT_PROVEN = "not-proven"


class RuleState(StrEnum):
    """What lies where our rule belongs."""

    MISSING = "missing"
    OURS = "ours"
    DIFFERENT = "different"
    LINK = "link"
    MASKED = "masked"


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule file: its state, its place, what it says, and where it points if it is a link."""

    state: RuleState = RuleState.MISSING
    place: str = RULE_PLACE
    text: bytes = b""
    target: str = ""


@dataclass(frozen=True, slots=True)
class InstalledRule:
    """Where the rule was put, and the backup of a different one that it replaced."""

    place: str
    backup: str = ""


def shipped_rule(root: Root) -> bytes:
    """Give the text of the rule as it is shipped: a rule can have udev run programs as root.

    Raises:
        AgentError: udev.rule-template-missing; agent.unguarded.
    """
    guarded.require(root, root.path(_SHIPPED))
    for place in (root.path(_SHIPPED), _IN_CHECKOUT):
        text = files.read(place)
        if text is not None:
            return text
    raise AgentError(udev.RULE_TEMPLATE_MISSING(place=_SHIPPED))


def look_at_rule(root: Root) -> Rule:
    """Say what lies at the rule's place in /etc, or else at the one in /run.

    Raises:
        AgentError: udev.rule-template-missing; agent.unguarded.
    """
    ours = shipped_rule(root)
    for place in (RULE_PLACE, RULE_PLACE_IN_RUN):
        guarded.require(root, root.path(place))
    rule = _rule_at(root, RULE_PLACE, ours)
    if rule.state is RuleState.MISSING:
        in_run = _rule_at(root, RULE_PLACE_IN_RUN, ours)
        return in_run if in_run.state is RuleState.OURS else rule
    return rule


def _rule_at(root: Root, place: str, ours: bytes) -> Rule:
    path = root.path(place)
    kind = files.look(path).kind
    if kind == "missing":
        return Rule(RuleState.MISSING, place)
    if kind == "symlink":
        target = os.readlink(path)
        state = RuleState.MASKED if target == os.devnull else RuleState.LINK
        return Rule(state, place, target=target)
    try:
        text = files.read(path) or b""
    except OSError:
        return Rule(RuleState.DIFFERENT, place)
    if not text.strip():
        return Rule(RuleState.MASKED, place)
    return Rule(RuleState.OURS if text == ours else RuleState.DIFFERENT, place, text)


def install_rule(root: Root, rule: Rule) -> InstalledRule:
    """Put the shipped rule in place of `rule`; in /run where /etc is read-only.

    Raises:
        AgentError: udev.rule-unwritable; a different rule that was there is still there.
    """
    text = shipped_rule(root)
    try:
        return _write_rule(root, RULE_PLACE, text, rule.text)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise _unwritable(RULE_PLACE, error) from error
    try:
        return _write_rule(root, RULE_PLACE_IN_RUN, text, b"")
    except OSError as error:
        raise _unwritable(RULE_PLACE_IN_RUN, error) from error


def _unwritable(place: str, error: OSError) -> AgentError:
    return AgentError(udev.RULE_UNWRITABLE(place=place, reason=failures.reason(error)))


def _write_rule(root: Root, place: str, text: bytes, old: bytes) -> InstalledRule:
    path = root.path(place)
    files.make_directory(os.path.dirname(path))
    backup = _keep_once(path, old) if old else ""
    files.write(path, text, files.Attributes(0o644))
    return InstalledRule(place, root.shown(backup) if backup else "")


def _keep_once(path: str, old: bytes) -> str:
    """Keep the first rule that was ever replaced; later ones are in the journal only."""
    kept = f"{path}.edge-provisioner-saved"
    return kept if files.look(kept).kind == "file" else files.keep_backup(path, old, stamp="saved", keep=1)


def announce(root: Root) -> bool:
    """Have udevd read its rules again and apply them to the TPMs that are there; False without udevadm.

    Raises:
        AgentError: udev.udevadm-failed; agent.unguarded.
    """
    program = guarded.program(root, _UDEVADM)
    if program is None:
        return False
    for words in (
        ("control", "--reload"),
        ("trigger", "--action=change", "--subsystem-match=tpm", "--subsystem-match=tpmrm"),
        ("settle", "--timeout=30"),
    ):
        child = process.Child(_UDEVADM_TIMEOUT_S, environment=process.environment_for(root))
        ended = process.run((program, *words), child)
        if not ended.succeeded:
            reason = ended.err.strip() or f"status {ended.status}"
            raise AgentError(udev.UDEVADM_FAILED(command=f"udevadm {words[0]}", reason=reason))
    return True


def try_open(path: str, user: User) -> tuple[Access, str]:
    """Open a node as another user in a child process; the reason is the system's word where it is denied."""
    if os.geteuid() not in (0, user.uid):
        return Access.NOT_PROVEN, "only root can try as another user"
    return _outcome(fork.run(partial(_open_as, user, os.path.realpath(path)), _OPEN_TIMEOUT_S))


def _open_as(user: User, path: str, say: fork.Say) -> None:
    """Become the user for good, and say the errno of opening the node.

    Goes to the node's folder while it is root: the way there may be closed to that user below a root of ours.
    """
    os.chdir(os.path.dirname(path))
    if os.geteuid() == 0:
        os.setgroups(user.groups)
        os.setgid(user.gid)
        os.setuid(user.uid)
    try:
        os.close(os.open(os.path.basename(path), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        say(str(error.errno))
    else:
        say("0")


def _outcome(ended: process.Finished) -> tuple[Access, str]:
    if ended.timed_out:
        return Access.NOT_PROVEN, "the driver did not answer"
    if not ended.succeeded:
        return Access.NOT_PROVEN, f"user could not be tried (status {ended.status})"
    refusal = int(ended.out)
    if refusal in (errno.EACCES, errno.EPERM):
        return Access.DENIED, os.strerror(refusal)
    if refusal in (0, errno.EBUSY):  # a node that is busy was refused by its driver, not by its mode
        return Access.GRANTED, ""
    return Access.NOT_PROVEN, os.strerror(refusal)


def is_shared(path: str, user: User) -> bool:
    """Say whether the node belongs to another than the user, so that its access is one among others'."""
    try:
        return user.uid not in (0, os.stat(path).st_uid)
    except OSError:
        return False


def permits(path: str, user: User) -> bool:
    """Say by owner, group and mode alone whether a user may open a node; costs no process."""
    try:
        found = os.stat(path)
    except OSError:
        return False
    needed = os.R_OK | os.W_OK
    return user.uid == 0 or user.rights(found.st_mode, found.st_uid, found.st_gid) & needed == needed
