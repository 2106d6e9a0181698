"""What the agent and its TPM child say to each other: one request, then a line a step, then one answer.

Pure. The steps tell the agent where the child was when a TPM hung or the child was killed.
"""

import json
from enum import StrEnum
from typing import Any

from agent.tpm.hierarchies import Hierarchies, Obstacle, obstacle
from agent.tpm.public_area import name_of
from agent.tpm.templates import Hierarchy
from agent.values import asdict, dataclass, field, fields


class Operation(StrEnum):
    """What the child is to do: look, make a missing EK for a moment, or make both keys for good."""

    SHOW = "show"
    DERIVE = "derive"
    ENSURE = "ensure"


class Step(StrEnum):
    """What the child is at, in words for a person."""

    START = "starting"
    LIBRARY = "loading the library"
    OPEN = "opening the TPM"
    READ_EK = "reading the endorsement key"
    READ_SRK = "reading the storage root key"
    READ_HIERARCHIES = "reading the state of the hierarchies"
    CREATE_EK = "making the endorsement key"
    CREATE_SRK = "making the storage root key"
    PERSIST_EK = "making the endorsement key permanent"
    PERSIST_SRK = "making the storage root key permanent"


class KeyState(StrEnum):
    """How a key was met; `derived` was made for a moment only and is not in the TPM any more."""

    ABSENT = "absent"
    PRESENT = "present"
    CREATED = "created"
    DERIVED = "derived"
    UNFIT = "unfit"


class FailureKind(StrEnum):
    """Why the child has no keys to show."""

    RC = "rc"
    LIBRARY = "library"
    GARBLED = "garbled"
    INCONSISTENT = "inconsistent"
    ENDED = "ended"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key as it was met; the qualified Name only of a key that was read.

    `older` says that it was made from an older template than ours.
    """

    state: KeyState
    public: bytes = b""
    qualified_name: bytes = b""
    older: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Both keys, and the state of the hierarchies, which is read where a key is absent."""

    ek: FoundKey
    srk: FoundKey
    hierarchies: Hierarchies | None = None


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """What the child needs to know. Passwords travel here, on its standard input, and nowhere else.

    `found` is what was read a moment ago, where it was: the child does not read it again. Without
    `knows_passwords` there may be passwords that we may not read.
    """

    operation: Operation
    tcti: str
    read_s: float
    create_s: float
    owner_auth: str = field(default="", repr=False)
    endorsement_auth: str = field(default="", repr=False)
    expected_ek_name: str = ""  # hex; empty accepts any
    knows_passwords: bool = True
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Where and why the child failed."""

    kind: FailureKind
    step: Step = Step.START
    rc: int = 0
    detail: str = ""


def missing(request: ChildRequest, found: Found) -> bool:
    """Say whether a key is to be made, as far as the request goes.

    None is beside an object that is not the key it should be, nor beside another EK than the expected one.
    """
    if request.operation is Operation.SHOW or KeyState.UNFIT in (found.ek.state, found.srk.state):
        return False
    if obstacle_of(request, found):
        return False
    if found.ek.state is KeyState.ABSENT:
        return True
    wanted = request.operation is Operation.ENSURE and found.srk.state is KeyState.ABSENT
    return wanted and is_expected(request, found.ek.public)


def obstacle_of(request: ChildRequest, found: Found) -> tuple[Hierarchy, Obstacle] | None:
    """Say which hierarchy keeps what is missing from being made, and why; to show is to show that as well."""
    if found.hierarchies is None:
        return None
    passwords = {Hierarchy.OWNER: request.owner_auth, Hierarchy.ENDORSEMENT: request.endorsement_auth}
    for hierarchy in _needed(request, found):
        password = passwords[hierarchy] if passwords[hierarchy] or request.knows_passwords else None
        if met := obstacle(found.hierarchies, hierarchy, password):
            return hierarchy, met
    return None


def _needed(request: ChildRequest, found: Found) -> tuple[Hierarchy, ...]:
    """Name the hierarchies whose authorisation it takes; keys are made permanent with the owner's."""
    for_good = (Hierarchy.OWNER,) if request.operation is not Operation.DERIVE else ()
    if found.ek.state is KeyState.ABSENT:
        return (Hierarchy.ENDORSEMENT, *for_good)
    srk_is_wanted = found.srk.state is KeyState.ABSENT and is_expected(request, found.ek.public)
    return for_good if srk_is_wanted else ()


def is_expected(request: ChildRequest, ek_public: bytes) -> bool:
    """Say whether this EK (its TPM2B_PUBLIC) is the one that the request expects."""
    return request.expected_ek_name in ("", name_of(ek_public).hex())


def encode_request(request: ChildRequest) -> bytes:
    """Put a request into bytes for the child's standard input."""
    names = [one.name for one in fields(ChildRequest)]
    found = request.found and _encode_found(request.found)
    return json.dumps({**{name: getattr(request, name) for name in names}, "found": found}).encode()


def decode_request(data: bytes) -> ChildRequest:
    """Read a request; its bytes are always the agent's own."""
    fields = json.loads(data)
    found = fields["found"] and _decode_found(fields["found"])
    return ChildRequest(**{**fields, "operation": Operation(fields["operation"]), "found": found})


def encode_step(step: Step) -> str:
    """Give the line that says which step begins."""
    return json.dumps({"step": step})


def encode_found(found: Found) -> str:
    """Give the line that ends a conversation well."""
    return json.dumps(_encode_found(found))


def encode_failure(kind: FailureKind, *, rc: int = 0, detail: str = "") -> str:
    """Give the line that ends a conversation badly; the step is that of the last step line."""
    return json.dumps({"failure": kind, "rc": rc, "detail": detail})


def decode_answer(output: bytes, ending: Failure) -> Found | Failure:
    """Read what a child wrote. If there is no answer among it, `ending` says how the child ended."""
    step = Step.START
    for line in output.splitlines():
        message = _message(line)
        if "step" in message:
            step = Step(message["step"])
        elif "failure" in message:
            return Failure(FailureKind(message["failure"]), step, message["rc"], message["detail"])
        elif "ek" in message:
            return _decode_found(message)
    return Failure(ending.kind, step, ending.rc, ending.detail)


def _message(line: bytes) -> dict[str, Any]:
    """Read a line; what is no message (a library's own output, a line cut by a kill) says nothing."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _encode_found(found: Found) -> dict[str, Any]:
    state = found.hierarchies and asdict(found.hierarchies)
    return {"ek": _encode_key(found.ek), "srk": _encode_key(found.srk), "hierarchies": state}


def _decode_found(fields: dict[str, Any]) -> Found:
    state = fields["hierarchies"] and Hierarchies(**fields["hierarchies"])
    return Found(_decode_key(fields["ek"]), _decode_key(fields["srk"]), state)


def _encode_key(key: FoundKey) -> dict[str, Any]:
    public, qualified_name = key.public.hex(), key.qualified_name.hex()
    return {"state": key.state, "public": public, "qualified_name": qualified_name, "older": key.older}


def _decode_key(fields: dict[str, Any]) -> FoundKey:
    public, qualified_name = bytes.fromhex(fields["public"]), bytes.fromhex(fields["qualified_name"])
    return FoundKey(KeyState(fields["state"]), public, qualified_name, fields["older"])
