"""An endorsement key that is not the recorded one: which Name, and what it means after those before. Pure."""

from agent.codes import Finding, tpm
from agent.facts import ek_trail
from agent.facts.ek_trail import Trail
from agent.facts.history import History
from agent.facts.snapshot import Snapshot
from agent.tpm.public_area import name_of

_CHANGED = (tpm.REPLACED, tpm.CLEARED, tpm.KEYS_NOT_KEPT)


def told(finding: Finding, history: History) -> Finding:
    """Say of the second change in a row that the TPM does not keep its keys; others are as they are."""
    name, trail = changed_to(finding), trail_of(history)
    if not name or not ek_trail.is_second_change(trail, name):
        return finding
    before = ek_trail.earlier(trail, name)
    return tpm.KEYS_NOT_KEPT(**dict(finding.facts), before=before[-1], first=before[-2])


def changed_to(finding: Finding) -> str:
    """Give the Name of the key that is or would be there instead of the recorded one; empty if none is."""
    return dict(finding.facts)["found"] if finding.code in _CHANGED else ""


def trail_after(snapshot: Snapshot, finding: Finding) -> Trail:
    """Give the trail with what a look met; it begins with the recorded key."""
    history, name = snapshot.history, changed_to(finding) or snapshot.tpm.ek_name
    if not history.ek_public or not name or (not history.ek_trail and name == _recorded(history)):
        return history.ek_trail
    return ek_trail.met(trail_of(history), name, snapshot.moment.boot_id)


def trail_of(history: History) -> Trail:
    """Give the trail of a record; one from before there were trails begins with the recorded key."""
    return history.ek_trail or (((_recorded(history), ""),) if history.ek_public else ())


def _recorded(history: History) -> str:
    return name_of(bytes.fromhex(history.ek_public)).hex()
