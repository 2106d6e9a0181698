"""The door to the keys: ask a TPM for its EK and SRK, or have what is missing made.

What may pass by itself is asked again a few times; everything else becomes a code at once. No file is
written and no TPM is left changed but for the two keys that `ensure` makes at empty handles.
"""

import os
from collections.abc import Callable

from agent.codes import AgentError, Finding
from agent.codes import tpm as codes
from agent.host import clock, guarded, systemd
from agent.host.root import Root
from agent.host.systemd import Secret
from agent.tpm import faults, nodes
from agent.tpm.asking import ask
from agent.tpm.device import Device
from agent.tpm.fitness import FIT, KeyRole, Verdict, judge
from agent.tpm.protocol import (
    ChildRequest,
    Failure,
    Found,
    FoundKey,
    KeyState,
    Operation,
)
from agent.tpm.public_area import name_of
from agent.values import dataclass

READ_TIMEOUT_S = 30.0
CREATE_TIMEOUT_S = 180.0
_PAUSES_S = (0.25, 0.5, 1.0, 2.0)  # before each further attempt at most this long: full jitter
_LONGEST_AUTH = 64  # the largest digest a TPM has (SHA-512); it can't have a longer password


@dataclass(frozen=True, slots=True)
class Authorisations:
    """The passwords of the hierarchies, where somebody set any; `trouble` says why they are not known."""

    owner: Secret | None = None
    endorsement: Secret | None = None
    trouble: Finding | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the TPM (seconds a step), and how to wait between attempts."""

    create_s: float = CREATE_TIMEOUT_S
    read_s: float = READ_TIMEOUT_S
    pauses_s: tuple[float, ...] = _PAUSES_S
    rest: Callable[[float], None] = clock.rest
    jitter: Callable[[], float] = clock.jitter


_CREDENTIALS = ("tpm-owner-auth", "tpm-endorsement-auth")
CREDENTIAL_PLACES = systemd.credential_places(*_CREDENTIALS)
NO_AUTHORISATIONS = Authorisations()
DEFAULT_PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask of which TPM. `expected_ek_name` (hex): no other EK is accepted or made permanent."""

    device: Device
    authorisations: Authorisations = NO_AUTHORISATIONS
    patience: Patience = DEFAULT_PATIENCE
    expected_ek_name: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it was met: its TPM2B_PUBLIC, its Name in hex, and why it can't be used, if it can't."""

    state: KeyState
    public: bytes = b""
    name: str = ""
    verdict: Verdict = FIT

    @property
    def usable(self) -> bool:
        """Whether there is a key, be it for a moment only, that the runtime can work with."""
        return self.state in (KeyState.PRESENT, KeyState.CREATED, KeyState.DERIVED)

    @property
    def persistent(self) -> bool:
        """Whether the TPM keeps the key, and the runtime can work with it."""
        return self.state in (KeyState.PRESENT, KeyState.CREATED)


@dataclass(frozen=True, slots=True)
class Keys:
    """Both keys of a TPM, with what is worth knowing about them."""

    device: Device
    ek: Key
    srk: Key
    notices: tuple[Finding, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether both keys are there for good."""
        return self.ek.persistent and self.srk.persistent

    @property
    def changed(self) -> bool:
        """Whether a key was made permanent just now."""
        return KeyState.CREATED in (self.ek.state, self.srk.state)

    @property
    def foreign(self) -> Finding | None:
        """The hold that an object of somebody else at one of the handles means."""
        for key, code in ((self.ek, codes.FOREIGN_EK), (self.srk, codes.FOREIGN_SRK)):
            if key.state is KeyState.UNFIT:
                return code(device=self.device.name, faults="; ".join(key.verdict.faults))
        return None


def authorisations(root: Root) -> Authorisations:
    """Read the hierarchies' passwords from the credentials.

    Raises:
        AgentError: tpm.credential-unreadable, tpm.credential-unguarded.

    """
    owner, endorsement = (_credential(root, name) for name in _CREDENTIALS)
    return Authorisations(owner, endorsement)


def show(root: Root, request: Request) -> Keys:
    """Read both keys; unfit ones are a state, and nothing is made. Two commands.

    Raises:
        AgentError: the TPM can't be used now; the code says why.

    """
    return _ask(root, request, Operation.SHOW)


def derive(root: Root, request: Request) -> Keys:
    """Read both keys; where the EK is absent, make it for a moment to learn what it would be.

    Raises:
        AgentError: the TPM can't be used now, the EK's handle holds a foreign object, or the EK is not
            the expected one.

    """
    keys = _ask(root, request, Operation.DERIVE)
    if keys.ek.state is KeyState.UNFIT and keys.foreign:
        raise AgentError(keys.foreign)
    return _expected(request, keys)


def ensure(root: Root, request: Request) -> Keys:
    """Have both keys in the TPM for good: 8 commands from nothing, 2 when they are there.

    Raises:
        AgentError: the TPM can't be used now, a handle holds a foreign object, or the EK is not the
            expected one; nothing was made permanent in the last two cases.

    """
    keys = _ask(root, request, Operation.ENSURE)
    if keys.foreign:
        raise AgentError(keys.foreign)
    return _expected(request, keys)


def _credential(root: Root, name: str) -> Secret | None:
    try:
        return systemd.credential(root, name)
    except PermissionError:  # an ordinary user may ask for the identity, and has no business with passwords
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(codes.CREDENTIAL_UNREADABLE(credential=name, detail=error)) from error
    except guarded.UnguardedError as error:
        facts = {"credential": name, "place": root.shown(error.place), "how": error.how}
        mode = "go-w" if os.path.isdir(error.place) else "go="
        raise AgentError(codes.CREDENTIAL_UNGUARDED(**facts, mode=mode)) from error


def _ask(root: Root, request: Request, operation: Operation) -> Keys:
    """Ask, and ask again what may pass by itself."""
    for pause_s in request.patience.pauses_s:
        outcome = _attempt(root, request, operation)
        if isinstance(outcome, Keys) or not faults.is_worth_another_try(outcome):
            break
        request.patience.rest(pause_s * request.patience.jitter())
    else:
        outcome = _attempt(root, request, operation)
    if isinstance(outcome, Keys):
        return outcome
    raise AgentError(outcome)


def _attempt(root: Root, request: Request, operation: Operation) -> Keys | Finding:
    if finding := nodes.hindrance(root, request.device) or _impossible_password(request):
        return finding
    answer = ask(_question(request, operation))
    if isinstance(answer, Failure):
        return faults.explain(answer, _circumstances(request))
    return _keys(request.device, answer)


def _question(request: Request, operation: Operation) -> ChildRequest:
    patience, given = request.patience, request.authorisations
    return ChildRequest(
        operation=operation,
        tcti=request.device.tcti,
        read_s=patience.read_s,
        create_s=patience.create_s,
        owner_auth=given.owner.reveal() if given.owner else "",
        endorsement_auth=given.endorsement.reveal() if given.endorsement else "",
        expected_ek_name=request.expected_ek_name,
    )


def _keys(device: Device, found: Found) -> Keys:
    ek, srk = _key(KeyRole.EK, found.ek), _key(KeyRole.SRK, found.srk)
    notices = []
    if device.is_software:
        notices.append(codes.SOFTWARE_TPM(device=device.name))
    if srk.persistent and srk.verdict.lockable:
        notices.append(codes.SRK_LOCKABLE(device=device.name))
    return Keys(device, ek, srk, tuple(notices))


def _key(role: KeyRole, found: FoundKey) -> Key:
    if found.state in (KeyState.PRESENT, KeyState.UNFIT):
        verdict = judge(role, found.public, found.qualified_name)
        return Key(found.state, found.public, _name(found.public), verdict)
    return Key(found.state, found.public, _name(found.public))


def _name(public: bytes) -> str:
    try:
        return name_of(public).hex()
    except ValueError:  # absent, or of a kind whose Name we can't compute, and so unfit
        return ""


def _expected(request: Request, keys: Keys) -> Keys:
    wanted = request.expected_ek_name
    if wanted in ("", keys.ek.name):
        return keys
    code = codes.REPLACED if keys.ek.state is KeyState.PRESENT else codes.CLEARED
    raise AgentError(code(device=keys.device.name, found=keys.ek.name, wanted=wanted))


def _impossible_password(request: Request) -> Finding | None:
    given = request.authorisations
    pairs = ((given.owner, codes.WRONG_OWNER_AUTH), (given.endorsement, codes.WRONG_ENDORSEMENT_AUTH))
    for password, code in pairs:
        if password and len(password.reveal().encode()) > _LONGEST_AUTH:
            return code(device=request.device.name)
    return None


def _circumstances(request: Request) -> faults.Circumstances:
    return faults.Circumstances(
        device=request.device.name,
        by_node=bool(request.device.path),
        owner_auth_given=request.authorisations.owner is not None,
        endorsement_auth_given=request.authorisations.endorsement is not None,
        read_s=request.patience.read_s,
        create_s=request.patience.create_s,
    )
