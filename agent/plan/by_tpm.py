"""The way of attestation by TPM: what is in its way, its steps, and its keys of config.toml. Pure."""

from collections.abc import Iterator

from agent.codes import Finding, runtime, tpm, udev
from agent.edge.config_paths import ENDORSEMENT_AUTH, METHOD, OWNER_AUTH, REGISTRATION_ID, TCTI
from agent.edge.config_text import KeyPath, Value
from agent.facts.snapshot import AccessFacts, Snapshot
from agent.facts.steps import EnsureKeys, GrantAccess, InstallRule
from agent.plan import ek_changes
from agent.plan.case import Case, Found
from agent.plan.stop import StopError
from agent.plan.written import was_ours
from agent.settings import Settings
from agent.tpm import registration
from agent.tpm.access import Access, Rule, RuleState

FROM_KEY = "(from the endorsement key)"  # stands for a registration id until there is that key
_GONE = (tpm.ABSENT, tpm.NO_DRIVER, tpm.NODE_ABSENT)


def trouble(snapshot: Snapshot) -> Finding | None:
    """Say what is wrong with the TPM; its absence is a loss for a provisioned device, a wait for a new."""
    found = snapshot.tpm.trouble
    if found is not None and found.code in _GONE and snapshot.history.identity is not None:
        return runtime.TPM_GONE(node=snapshot.tpm.node or dict(found.facts).get("device", "no /dev/tpm*"))
    return found and ek_changes.told(found, snapshot.history)


def registration_id(snapshot: Snapshot, settings: Settings) -> str:
    """Give the registration id, or a placeholder where it follows from a key that is not made yet.

    Raises:
        AgentError: registration.*, for a template without a usable value.
    """
    wanted = settings.dps.registration_id
    if registration.needs_endorsement_key(wanted) and not snapshot.tpm.ek_public:
        return FROM_KEY
    return registration.resolve(wanted, snapshot.tpm.ek_public, snapshot.moment.machine)


def attestation(registration_id: str) -> dict[KeyPath, Value | None]:
    """Give the keys of config.toml that name the way and who registers by it."""
    return {METHOD: "tpm", REGISTRATION_ID: registration_id}


def tpm_table(snapshot: Snapshot) -> dict[KeyPath, Value | None]:
    """Give our keys of config.toml's table `[tpm]`: which TPM, and its passwords."""
    return {**_tcti(snapshot), **_passwords(snapshot)}


def _tcti(snapshot: Snapshot) -> dict[KeyPath, Value | None]:
    wanted = snapshot.tpm.runtime_tcti
    return {TCTI: wanted} if wanted is not None or was_ours(snapshot, TCTI) else {}


def _passwords(snapshot: Snapshot) -> dict[KeyPath, Value | None]:
    given = {
        OWNER_AUTH: snapshot.authorisations.owner,
        ENDORSEMENT_AUTH: snapshot.authorisations.endorsement,
    }
    return {path: secret.reveal() for path, secret in given.items() if secret is not None}


def keys(case: Case) -> Iterator[Found]:
    """Make the keys that are missing persistent."""
    facts = case.snapshot.tpm
    if facts.missing_keys:
        yield EnsureKeys(facts.missing_keys, facts.node or case.settings.tpm.device)


def access(case: Case) -> Iterator[Found]:
    """Give the runtime's user the TPM: udevd must know the user before it reads the rule."""
    facts, rule = case.snapshot.access, case.snapshot.access.rule
    if facts.trouble is not None:
        raise StopError(facts.trouble)
    if not facts.user_exists:
        raise StopError(runtime.NOT_INSTALLED(missing="user aziottpm"))
    if _is_given_by_others(facts):
        return
    if stands_against := _standing_against(rule):
        raise StopError(stands_against)
    if rule.place.startswith("/run/"):
        yield udev.RULE_IN_RUN(place=rule.place)
    node = case.snapshot.tpm.node
    if rule.state is not RuleState.OURS:
        yield InstallRule(rule, node)
    elif node and facts.access is Access.DENIED:
        yield GrantAccess(node)


def _is_given_by_others(facts: AccessFacts) -> bool:
    """Say whether the user has the TPM by its group or as everybody has: our rule would take from others."""
    return facts.access is Access.GRANTED and facts.shared and facts.rule.state is not RuleState.OURS


def _standing_against(rule: Rule) -> Finding | None:
    if rule.state is RuleState.LINK:
        return udev.RULE_LINK(place=rule.place, target=rule.target)
    return udev.RULE_MASKED(place=rule.place) if rule.state is RuleState.MASKED else None
