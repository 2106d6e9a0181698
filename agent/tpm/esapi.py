"""The child that speaks to the TPM: the only file that imports tpm2_pytss.

It lives for one request, so that its memory comes back and a TPM that hangs can't hang a pass. It creates
keys at empty handles and never removes or replaces anything. Keys are read by ReadPublic over the library's
own connection, because ESYS hides the qualified Name of that answer.
"""

import os
import sys
from contextlib import closing, suppress
from functools import partial
from typing import Any

from agent.tpm.fitness import KeyRole
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
    is_expected,
    missing,
)
from agent.tpm.public_area import name_of
from agent.tpm.reading import (
    InconsistentError,
    Line,
    RefusedError,
    agree,
    allow,
    failure_line,
    read,
    read_both,
)
from agent.tpm.templates import OLDER_EK_TEMPLATES
from agent.values import replace

_NV_DEFINED = 0x14C  # EvictControl: the handle is not empty any more
_CREATE = {KeyRole.EK: Step.CREATE_EK, KeyRole.SRK: Step.CREATE_SRK}
_PERSIST = {KeyRole.EK: Step.PERSIST_EK, KeyRole.SRK: Step.PERSIST_SRK}


def main() -> int:
    """Serve the one request on standard input; the answer goes to standard output."""
    request = decode_request(sys.stdin.buffer.read())
    os.environ["TSS2_LOG"] = "all+none"  # an empty handle is no error worth lines on stderr
    _line(request).enter(Step.LIBRARY)
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
    except (RefusedError, InconsistentError, ValueError) as error:
        return failure_line(error)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # standard output is the line to the agent


def _line(request: ChildRequest) -> Line:
    return Line(_say, request.read_s)


def _serve(request: ChildRequest) -> Found:
    """Look before anything is created; what the agent saw itself a moment ago is not looked at again."""
    from tpm2_pytss import TCTILdr

    _line(request).enter(Step.OPEN)
    with closing(TCTILdr.parse(request.tcti)) as tcti:
        found = request.found or read_both(partial(_transact, tcti), _line(request))
        return _complete(tcti, request, found) if missing(request, found) else found


def _transact(tcti: Any, command: bytes) -> bytes:
    tcti.transmit(command)
    return bytes(tcti.receive())


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
            return _create_expected(esys, request, role)
        except TSS2_Exception as error:
            if int(error.rc) != _NV_DEFINED:
                raise
    return read(partial(_transact, tcti), _line(request), role)


def _authorise(esys: Any, request: ChildRequest) -> None:
    from tpm2_pytss import ESYS_TR

    if request.owner_auth:
        esys.tr_set_auth(ESYS_TR.OWNER, request.owner_auth.encode())
    if request.endorsement_auth:
        esys.tr_set_auth(ESYS_TR.ENDORSEMENT, request.endorsement_auth.encode())


def _create_expected(esys: Any, request: ChildRequest, role: KeyRole) -> FoundKey:
    """Make a key of our template; if that is not the EK that is expected, that of an older one which is."""
    key = _create(esys, request, role, role.value.template)
    if role is KeyRole.SRK or is_expected(request, key.public):
        return key
    for template in OLDER_EK_TEMPLATES:
        older = _create(esys, request, role, template)
        if is_expected(request, older.public):
            return replace(older, older=True)
    return key


def _create(esys: Any, request: ChildRequest, role: KeyRole, marshalled: bytes) -> FoundKey:
    """Make the primary key, and make it permanent unless it is for a moment or not the expected one."""
    from tpm2_pytss import ESYS_TR, TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE, TSS2_Exception

    hierarchy = ESYS_TR.ENDORSEMENT if role is KeyRole.EK else ESYS_TR.OWNER
    template, _ = TPM2B_PUBLIC.unmarshal(marshalled)
    _line(request).enter(_CREATE[role], request.create_s)
    loaded, area, *_ = esys.create_primary(TPM2B_SENSITIVE_CREATE(), template, hierarchy)
    try:
        key = _kept(esys, request, role, (loaded, bytes(area.marshal())))
    except Exception:
        allow(request.read_s)
        with suppress(TSS2_Exception):  # on a broken line this fails too, and what came first says more
            esys.flush_context(loaded)
        raise
    allow(request.read_s)
    _flush(esys, loaded)
    return key


def _kept(esys: Any, request: ChildRequest, role: KeyRole, made: tuple[Any, bytes]) -> FoundKey:
    """Make a key that was loaded just now permanent, if it is to be."""
    loaded, public = made
    expected = role is KeyRole.SRK or is_expected(request, public)
    if request.operation is Operation.DERIVE or not expected:
        return FoundKey(KeyState.DERIVED, public)
    agree(_persist(esys, request, role, loaded), name_of(public))
    return FoundKey(KeyState.CREATED, public)


def _flush(esys: Any, loaded: Any) -> None:
    """Unload a key; a line that breaks here is told as that, not as what comes of it later (0x70007)."""
    from tpm2_pytss import TSS2_Exception

    try:
        esys.flush_context(loaded)
    except TSS2_Exception as error:
        if int(error.rc) >> 16:  # not the TPM's own word
            raise


def _persist(esys: Any, request: ChildRequest, role: KeyRole, loaded: Any) -> bytes:
    """Make a loaded key permanent; gives the Name that ESYS holds for the persistent object."""
    from tpm2_pytss import ESYS_TR

    _line(request).enter(_PERSIST[role])
    permanent = esys.evict_control(ESYS_TR.OWNER, loaded, role.value.handle)
    return bytes(esys.tr_get_name(permanent))
