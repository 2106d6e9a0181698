"""From how a conversation with a TPM failed to the code that says what to do about it.

Pure. One table for the response codes of the TPM itself (TPM 2.0 part 2, TPM_RC), one for those of the
layers between it and us (TSS 2.0 Overview, TSS2_RC). Which password an authorisation failure is about
follows from the step.
"""

from agent.codes import Code, Finding
from agent.codes import tpm as codes
from agent.tpm.hierarchies import Obstacle
from agent.tpm.protocol import Failure, FailureKind, Step
from agent.tpm.templates import Hierarchy
from agent.values import dataclass

_TPM_LAYERS = (0x00, 0x0C)  # the TPM's own codes, and those a resource manager answers in its place
# tpm2-tss gives this layer to a resource manager's own codes, yet Linux answers here with a TPM's code for a
# command that the chip does not have (drivers/char/tpm/tpm-interface.c). No number is in both sets.
_LAYER_OF_KERNEL = 0x0B
_LAST_LAYER = 0xFF  # a bus that nobody drives reads as ones
_FORMAT_ONE = 0x080  # such a code has an error number in bits 0-5 and where it applies in the others
_FORMAT_ONE_ERROR = 0x0BF
_BAD_AUTH = 0x0A2

_OF_KIND = {
    FailureKind.LIBRARY: codes.LIBRARY_MISSING,
    FailureKind.GARBLED: codes.GARBAGE,
    FailureKind.INCONSISTENT: codes.INCONSISTENT,
    FailureKind.HUNG: codes.HUNG,
    FailureKind.ENDED: codes.HELPER_DIED,
}

_OF_TPM = {
    0x085: codes.HIERARCHY_DISABLED,
    0x08E: codes.AUTH_FAILED,
    0x100: codes.NOT_STARTED,
    0x101: codes.FAILURE_MODE,
    0x12D: codes.FIRMWARE_UPDATE,
    0x143: codes.COMMAND_UNKNOWN,
    0x14B: codes.NV_FULL,
    0x902: codes.OBJECT_MEMORY,
    0x903: codes.SESSION_MEMORY,
    0x908: codes.NOT_READY,
    0x90A: codes.NOT_READY,
    0x920: codes.NV_BUSY,
    0x921: codes.LOCKED_OUT,
    0x922: codes.NOT_READY,
    0x923: codes.NV_BUSY,
}

_OF_LAYERS = {
    0x0007: codes.IO,  # BAD_SEQUENCE: what a connection says after it broke
    0x0008: codes.IO,  # NO_CONNECTION
    0x0009: codes.NOT_READY,  # TRY_AGAIN
    0x000A: codes.IO,  # IO_ERROR
    0x0006: codes.GARBAGE,  # INSUFFICIENT_BUFFER: fewer bytes than their own size field says
    0x000B: codes.GARBAGE,  # BAD_VALUE: a field that no TPM would send
    0x0010: codes.GARBAGE,  # MALFORMED_RESPONSE
    0x0012: codes.GARBAGE,  # INSUFFICIENT_RESPONSE
}

_WORTH_ANOTHER_TRY = frozenset({
    codes.BUSY, codes.BUSY_BY, codes.GARBAGE, codes.IO, codes.NOT_READY, codes.NV_BUSY, codes.OBJECT_MEMORY,
    codes.SESSION_MEMORY,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a code's texts need to know about the conversation; `by_node` is a device node's, not a TCTI's."""

    device: str
    by_node: bool = False
    owner_auth_given: bool = False
    endorsement_auth_given: bool = False
    read_s: float = 0.0
    create_s: float = 0.0


def is_worth_another_try(finding: Finding) -> bool:
    """Say whether the same request may well succeed a moment later."""
    return finding.code in _WORTH_ANOTHER_TRY


def explain(failure: Failure, circumstances: Circumstances) -> Finding:
    """Give the finding for a failed conversation."""
    creating = failure.step in (Step.CREATE_EK, Step.CREATE_SRK)
    return _code(failure, circumstances)(
        device=circumstances.device,
        step=failure.step,
        rc=f"{failure.rc:#x}" if failure.rc else failure.detail or "no response",
        detail=failure.detail or f"{failure.rc:#x}",
        deadline_s=f"{circumstances.create_s if creating else circumstances.read_s:g}",
    )


def obstructed(hierarchy: Hierarchy, obstacle: Obstacle, circumstances: Circumstances) -> Finding:
    """Give the finding for a hierarchy in which nothing can be made, before anything was tried."""
    owner = hierarchy is Hierarchy.OWNER
    code = {
        Obstacle.OFF: codes.HIERARCHY_DISABLED,
        Obstacle.PASSWORD_MISSING: codes.OWNER_AUTH if owner else codes.ENDORSEMENT_AUTH,
        Obstacle.PASSWORD_WRONG: codes.WRONG_OWNER_AUTH if owner else codes.WRONG_ENDORSEMENT_AUTH,
    }[obstacle]
    bit = "shEnable" if owner else "ehEnable"
    return code(device=circumstances.device, step=f"the {hierarchy.name.lower()} hierarchy", rc=f"{bit} is 0")


def _code(failure: Failure, circumstances: Circumstances) -> Code:
    return _OF_KIND.get(failure.kind) or _code_of_rc(failure, circumstances)


def _code_of_rc(failure: Failure, circumstances: Circumstances) -> Code:
    layer, code = failure.rc >> 16, failure.rc & 0xFFFF
    if layer > _LAST_LAYER:
        return codes.GARBAGE
    error = code & _FORMAT_ONE_ERROR if code & _FORMAT_ONE else code
    by_kernel = layer == _LAYER_OF_KERNEL and (error in _OF_TPM or error == _BAD_AUTH)
    if layer not in _TPM_LAYERS and not by_kernel:
        return _code_of_layer(failure.step, code, circumstances)
    if error == _BAD_AUTH:
        return _refused_password(failure.step, circumstances)
    return _OF_TPM.get(error, codes.UNKNOWN_ANSWER)


def _code_of_layer(step: Step, code: int, circumstances: Circumstances) -> Code:
    """Give the code for a failure on the way to the TPM; before any command was sent, it is the wrong way.

    Nobody wrote the way to a node, so there it is the library that has no module for it.
    """
    known = _OF_LAYERS.get(code)
    if step is Step.OPEN and known is not codes.IO:
        return codes.NO_NODE_MODULE if circumstances.by_node else codes.BAD_TCTI
    return known or codes.UNKNOWN_ANSWER


def _refused_password(step: Step, circumstances: Circumstances) -> Code:
    """EvictControl is always the owner's business, CreatePrimary that of the key's hierarchy."""
    if step is Step.CREATE_EK:
        given = circumstances.endorsement_auth_given
        return codes.WRONG_ENDORSEMENT_AUTH if given else codes.ENDORSEMENT_AUTH
    return codes.WRONG_OWNER_AUTH if circumstances.owner_auth_given else codes.OWNER_AUTH
