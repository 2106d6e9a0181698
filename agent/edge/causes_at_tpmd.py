"""Causes that aziot-tpmd's journal tells; what aziot-identityd says then is only an echo of it. Pure."""

from agent.codes import Finding, runtime
from agent.edge import journal_text
from agent.edge.evidence import TPMD, Evidence, Texts

_TEXTS: Texts = (
    (r"device file (?P<node>/\S+): Permission denied", runtime.TPM_DENIED),
    (r"Could not open any default TCTI", runtime.TPM_ELSEWHERE),
    (r"device file (?P<looked>/\S+): No such file", runtime.TPM_ELSEWHERE),
    (r"authorization failure without DA implications|0x9a2", runtime.TPM_PASSWORD),
)


def tpmd(seen: Evidence) -> Finding | None:
    """Read aziot-tpmd's journal; what aziot-identityd says then is only an echo of it."""
    unwell = TPMD in seen.troubled or not seen.answered
    if not unwell or seen.calm:
        return None
    lines = seen.failure(TPMD)
    if any(f"device file {seen.node}: No such file" in line for line in lines):
        return runtime.STARTING()  # the TPM is back where it was missed, and systemd starts aziot-tpmd again
    return seen.match(_TEXTS, lines) or (_tpm_trouble(lines) if TPMD in seen.troubled else None)


def _tpm_trouble(lines: tuple[str, ...]) -> Finding | None:
    reason = journal_text.innermost_cause(lines)
    return runtime.TPM_TROUBLE(reason=reason) if reason else None
