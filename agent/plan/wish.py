"""What config.toml is to be; what stands against changing it stops the plan before its first step. Pure."""

from agent.codes import Finding, Phase
from agent.edge import config_text, generated
from agent.edge.config_paths import Document, Intended
from agent.edge.config_text import KeyPath, value_at
from agent.facts.snapshot import Snapshot
from agent.plan import by_tpm
from agent.plan.case import Wish
from agent.plan.config_keys import intended_keys
from agent.plan.stop import StopError
from agent.plan.takeover import hold_for_others, taken_over
from agent.plan.unfilled import unfilled
from agent.settings import Settings


def wish(snapshot: Snapshot, settings: Settings) -> Wish:
    """Give config.toml as it is to be.

    Raises:
        StopError: the TPM or the runtime is in trouble, config.toml can't be read, or has to be written and
            can't, or another's decision would be undone.
        AgentError: registration.*, config.shape-refused and config.edit-not-proven.
    """
    if trouble := by_tpm.trouble(snapshot) or snapshot.config.refusal or _held(snapshot.runtime.trouble):
        raise StopError(trouble)
    text = snapshot.config.text or ""
    document = config_text.parse(text)
    intended = intended_keys(snapshot, settings, document, by_tpm.registration_id(snapshot, settings))
    hold_for_others(snapshot, settings, document, intended)
    takes_over = snapshot.adopt or bool(unfilled(document))
    if takes_over:
        intended = taken_over(document, intended)
    edited = config_text.edit(text, intended, unfold=takes_over)
    changed = config_text.differences(document, intended)
    if changed and snapshot.config.hindrance:
        raise StopError(snapshot.config.hindrance)
    return Wish(intended, _of_others(document, intended), changed, edited, config_text.parse(edited))


def _held(trouble: Finding | None) -> Finding | None:
    """Give a trouble that needs a person; for a runtime that is not there yet, the TPM's keys can be made."""
    return trouble if trouble and trouble.code.phase is Phase.HELD else None


def _of_others(document: Document, intended: Intended) -> frozenset[KeyPath]:
    """Give the keys of ours that config.toml has from somebody else, and that are left to it."""
    return frozenset(
        path for path in generated.PATHS if path not in intended and value_at(document, path) is not None
    )
