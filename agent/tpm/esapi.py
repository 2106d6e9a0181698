"""The child that speaks to the TPM: the only file that imports tpm2_pytss.

It lives for one request, so that its memory comes back and a TPM that hangs can't hang a pass: each step
has a deadline whose signal ends the process even while it waits inside the C library, where no Python
handler would run. It creates keys at empty handles and never removes or replaces anything. Keys are read
by ReadPublic over the library's own connection, because ESYS hides the qualified Name of that answer.
"""

import os
import signal
import sys
from contextlib import closing, suppress
from typing import Any

from agent.tpm.fitness import KeyRole, judge
from agent.tpm.protocol import (
    ChildRequest,
    FailureKind,
    Found,
    FoundKey,
    KeyState,
    Operation,
    Step,
    decode_request,
    encode_failure,
    encode_found,
    encode_step,
)
from agent.tpm.public_area import name_of, parse_read_answer, read_public_command

_HANDLE_EMPTY = 0x18B  # TPM_RC_HANDLE for the first handle: ReadPublic of a handle that holds nothing
_NV_DEFINED = 0x14C  # EvictControl: the handle is not empty any more
_READ = {KeyRole.EK: Step.READ_EK, KeyRole.SRK: Step.READ_SRK}
_CREATE = {KeyRole.EK: Step.CREATE_EK, KeyRole.SRK: Step.CREATE_SRK}
_PERSIST = {KeyRole.EK: Step.PERSIST_EK, KeyRole.SRK: Step.PERSIST_SRK}


class _RefusedError(Exception):
    """The TPM answered with a response code."""

    def __init__(self, rc: int) -> None:
        super().__init__(rc)
        self.rc = rc


class _InconsistentError(Exception):
    """The TPM gave a Name that is not that of the key it showed."""


def main() -> int:
    """Serve the one request on standard input; the answer goes to standard output."""
    request = decode_request(sys.stdin.buffer.read())
    os.environ["TSS2_LOG"] = "all+none"  # an empty handle is no error worth lines on stderr
    _enter(Step.LIBRARY, request.read_s)
    try:
        import tpm2_pytss  # noqa: F401  # met here first, so that nothing else can fail for want of it
    except ImportError as error:
        _say(encode_failure(FailureKind.LIBRARY, detail=str(error)))
    else:
        _say(_answer(request))
    return 0


def _answer(request: ChildRequest) -> str:
    from tpm2_pytss import TSS2_Exception

    try:
        return encode_found(_serve(request))
    except TSS2_Exception as error:
        return encode_failure(FailureKind.RC, rc=int(error.rc))
    except _RefusedError as error:
        return encode_failure(FailureKind.RC, rc=error.rc)
    except _InconsistentError:
        return encode_failure(FailureKind.INCONSISTENT)
    except ValueError as error:
        return encode_failure(FailureKind.GARBLED, detail=str(error))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # standard output is the line to the agent


def _enter(step: Step, deadline_s: float) -> None:
    """Say which step begins, and have the process ended if it takes longer."""
    _say(encode_step(step))
    _allow(deadline_s)


def _allow(deadline_s: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, deadline_s)  # SIGALRM's default action ends the process


def _serve(request: ChildRequest) -> Found:
    from tpm2_pytss import TCTILdr

    _enter(Step.OPEN, request.read_s)
    with closing(TCTILdr.parse(request.tcti)) as tcti:
        found = _probe(tcti, request)
        return _complete(tcti, request, found) if _may_create(request, found) else found


def _probe(tcti: Any, request: ChildRequest) -> Found:
    """Read both handles before anything is created."""
    return Found(*(_read(tcti, request, role) for role in (KeyRole.EK, KeyRole.SRK)))


def _read(tcti: Any, request: ChildRequest, role: KeyRole) -> FoundKey:
    _enter(_READ[role], request.read_s)
    tcti.transmit(read_public_command(role.value.handle))
    answer = parse_read_answer(bytes(tcti.receive()))
    if answer.rc == _HANDLE_EMPTY:
        return FoundKey(KeyState.ABSENT)
    if answer.rc:
        raise _RefusedError(answer.rc)
    with suppress(ValueError):  # a name algorithm we can't compute makes the key unfit
        _agree(answer.name, name_of(answer.public))
    fit = judge(role, answer.public, answer.qualified_name).fit
    return FoundKey(KeyState.PRESENT if fit else KeyState.UNFIT, answer.public, answer.qualified_name)


def _may_create(request: ChildRequest, found: Found) -> bool:
    if request.operation is Operation.SHOW or KeyState.UNFIT in (found.ek.state, found.srk.state):
        return False
    return found.ek.state is KeyState.ABSENT or _is_expected(request, found.ek.public)


def _is_expected(request: ChildRequest, ek_public: bytes) -> bool:
    return request.expected_ek_name in ("", name_of(ek_public).hex())


def _complete(tcti: Any, request: ChildRequest, found: Found) -> Found:
    """Make what is missing, as far as the request goes; no SRK beside an EK that was not kept."""
    ek, srk = found.ek, found.srk
    if ek.state is KeyState.ABSENT:
        ek = _make(tcti, request, KeyRole.EK)
    kept = ek.state in (KeyState.PRESENT, KeyState.CREATED)
    if kept and srk.state is KeyState.ABSENT and request.operation is Operation.ENSURE:
        srk = _make(tcti, request, KeyRole.SRK)
    return Found(ek, srk)


def _make(tcti: Any, request: ChildRequest, role: KeyRole) -> FoundKey:
    """Make a key, for good if asked to. If somebody else was faster, theirs is the key."""
    from tpm2_pytss import ESAPI, TSS2_Exception

    with closing(ESAPI(tcti)) as esys:
        _authorise(esys, request)
        try:
            return _create(esys, request, role)
        except TSS2_Exception as error:
            if int(error.rc) != _NV_DEFINED:
                raise
    return _read(tcti, request, role)


def _authorise(esys: Any, request: ChildRequest) -> None:
    from tpm2_pytss import ESYS_TR

    if request.owner_auth:
        esys.tr_set_auth(ESYS_TR.OWNER, request.owner_auth.encode())
    if request.endorsement_auth:
        esys.tr_set_auth(ESYS_TR.ENDORSEMENT, request.endorsement_auth.encode())


def _create(esys: Any, request: ChildRequest, role: KeyRole) -> FoundKey:
    """Make the primary key, and make it permanent unless it is for a moment or not the expected one."""
    from tpm2_pytss import ESYS_TR, TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE, TSS2_Exception

    hierarchy = ESYS_TR.ENDORSEMENT if role is KeyRole.EK else ESYS_TR.OWNER
    template, _ = TPM2B_PUBLIC.unmarshal(role.value.template)
    _enter(_CREATE[role], request.create_s)
    loaded, area, *_ = esys.create_primary(TPM2B_SENSITIVE_CREATE(), template, hierarchy)
    try:
        public = bytes(area.marshal())
        expected = role is KeyRole.SRK or _is_expected(request, public)
        if request.operation is Operation.DERIVE or not expected:
            return FoundKey(KeyState.DERIVED, public)
        _agree(_persist(esys, request, role, loaded), name_of(public))
        return FoundKey(KeyState.CREATED, public)
    finally:
        _allow(request.read_s)
        with suppress(
            TSS2_Exception
        ):  # on a lost connection this fails as well, and what came first says more
            esys.flush_context(loaded)


def _persist(esys: Any, request: ChildRequest, role: KeyRole, loaded: Any) -> bytes:
    """Make a loaded key permanent; gives the Name that ESYS holds for the persistent object."""
    from tpm2_pytss import ESYS_TR

    _enter(_PERSIST[role], request.read_s)
    permanent = esys.evict_control(ESYS_TR.OWNER, loaded, role.value.handle)
    return bytes(esys.tr_get_name(permanent))


def _agree(given: bytes, computed: bytes) -> None:
    if given != computed:
        raise _InconsistentError
