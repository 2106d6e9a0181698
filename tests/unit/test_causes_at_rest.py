"""Causes where one of the runtime's texts is true and yet not the cause any more, or not yet."""

from agent.codes import cloud, identity, runtime
from agent.edge.evidence import IDENTITYD, TPMD
from tests.unit.journals import journal, said
from tests.unit.witnesses import ASKS, SILENT, STARTED, code, evidence, failed_with, looping

_MISSED = "... Failed to open default TCTI device file /dev/tpmrm0: No such file or directory"
_HUB_SILENT = said(
    "Network not available for Identity reconciliation. Using offline backup from last run.", level="WARN"
)


def test_a_tpm_that_is_back_where_it_was_missed_is_not_elsewhere() -> None:
    entries = journal(TPMD, (_MISSED, *failed_with("caused by: could not initialize TPM")))
    seen = evidence(looping(TPMD), answer=SILENT, journal=entries)

    assert code(seen) is runtime.STARTING


def test_an_identity_that_was_never_stored_is_not_lost() -> None:
    offline = journal(IDENTITYD, (*STARTED, *ASKS, *_HUB_SILENT))

    assert code(evidence(backup=False, journal=offline)) is cloud.HUB_UNREACHABLE
    assert code(evidence(backup=False, journal=journal(IDENTITYD, STARTED))) is identity.BACKUP_LOST
