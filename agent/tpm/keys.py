"""The door to the keys: ask a TPM for its EK and SRK, or have what is missing made.

What may pass by itself is asked again a few times; everything else becomes a code at once. No file is
written and no TPM is left changed but for the two keys that `ensure` makes at empty handles.
"""

from collections.abc import Callable

from agent.codes import AgentError, Finding
from agent.codes import tpm as codes
from agent.host import clock
from agent.host.root import Root
from agent.host.systemd import Secret
from agent.tpm import credentials, faults, nodes
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
    obstacle_of,
)
from agent.tpm.public_area import name_of
from agent.values import dataclass, replace

READ_TIMEOUT_S = 30.0
CREATE_TIMEOUT_S = 180.0
_PAUSES_S = (0.25, 0.5, 1.0, 2.0)  # before each further attempt at most this long: full jitter
_LONGEST_AUTH = 64  # the largest digest a TPM has (SHA-512); it can't have a longer password


@dataclass(frozen=True, slots=True)
class Authorisations:
    """The passwords of the hierarchies, where somebody set any; `trouble` says why they are not known.

    `hidden` says that we may not know them: an ordinary user may ask for the identity.
    """

    owner: Secret | None = None
    endorsement: Secret | None = None
    trouble: Finding | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the TPM (seconds a step), and how to wait between attempts."""

    create_s: float = CREATE_TIMEOUT_S
    read_s: float = READ_TIMEOUT_S
    pauses_s: tuple[float, ...] = _PAUSES_S
    rest: Callable[[float], None] = clock.rest
    jitter: Callable[[], float] = clock.jitter


CREDENTIAL_PLACES = credentials.PLACES
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
    """Both keys of a TPM, with what is worth knowing about them.

    `obstacle` says why what is missing can't be made.
    """

    device: Device
    ek: Key
    srk: Key
    notices: tuple[Finding, ...] = ()
    obstacle: Finding | None = None

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
        facts = {"device": self.device.name, "tcti": self.device.tcti_for_tools}
        if self.ek.state is KeyState.UNFIT:
            origin, advice = _about_foreign_ek(self.ek.verdict.template)
            about = {"origin": origin, "advice": advice.format_map(facts)}
            return codes.FOREIGN_EK(**facts, **about, faults="; ".join(self.ek.verdict.faults))
        if self.srk.state is KeyState.UNFIT:
            return codes.FOREIGN_SRK(**facts, faults="; ".join(self.srk.verdict.faults))
        return None


def _about_foreign_ek(template: str) -> tuple[str, str]:
    """Say who may have put it there and what can be done: an EK of the TCG's is no stranger."""
    if template:
        return codes.STANDARD_EK_ORIGIN, codes.STANDARD_EK_ADVICE
    return codes.STRANGE_EK_ORIGIN, codes.STRANGE_EK_ADVICE


def authorisations(root: Root) -> Authorisations:
    """Read the hierarchies' passwords from the credentials.

    Raises:
        AgentError: tpm.credential-unreadable, tpm.credential-unguarded.

    """
    owner, endorsement = (credentials.read(root, name) for name in credentials.NAMES)
    return Authorisations(owner, endorsement, hidden=credentials.are_hidden(root))


def show(root: Root, request: Request) -> Keys:
    """Read both keys; unfit ones are a state, and nothing is made. Two commands, one more if a key is absent.

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
    return _expected(request, derive_any(root, request))


def derive_any(root: Root, request: Request) -> Keys:
    """Do the same, and take another EK than the expected one where the TPM can't make that.

    Raises:
        AgentError: the TPM can't be used now, or the EK's handle holds a foreign object.
    """
    keys = _ask(root, request, Operation.DERIVE)
    if keys.ek.state is KeyState.UNFIT and keys.foreign:
        raise AgentError(keys.foreign)
    return _unobstructed(keys)


def ensure(root: Root, request: Request) -> Keys:
    """Have both keys in the TPM for good: 9 commands from nothing, 2 when they are there.

    Raises:
        AgentError: the TPM can't be used now, a handle holds a foreign object, a key is missing and can't be
            made, or the EK is not the expected one; nothing was made permanent in the last three cases.

    """
    keys = _ask(root, request, Operation.ENSURE)
    if keys.foreign:
        raise AgentError(keys.foreign)
    return _expected(request, _unobstructed(keys))


def _unobstructed(keys: Keys) -> Keys:
    if keys.obstacle:
        raise AgentError(keys.obstacle)
    return keys


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
    question = _question(request, operation)
    answer = ask(question)
    if isinstance(answer, Failure):
        return faults.explain(answer, _circumstances(request))
    met = obstacle_of(question, answer)
    obstacle = faults.obstructed(*met, _circumstances(request)) if met else None
    return replace(_keys(request.device, answer), obstacle=obstacle)


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
        knows_passwords=not given.hidden,
    )


def _keys(device: Device, found: Found) -> Keys:
    ek, srk = _key(KeyRole.EK, found.ek), _key(KeyRole.SRK, found.srk)
    notices = []
    if device.is_software:
        notices.append(codes.SOFTWARE_TPM(device=device.name))
    if found.ek.older:
        notices.append(codes.OLDER_TEMPLATE(device=device.name))
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
