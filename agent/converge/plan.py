"""Decide: from a snapshot to the steps that are missing, or to why none is taken. Pure.

The same snapshot gives the same plan. The actor does the first step, looks again, and asks again; so a plan
made before the TPM has keys shows the later steps with a placeholder for what is not known yet.
"""

import math
from dataclasses import dataclass

from agent.codes import AgentError, Finding, Phase, apply, config, runtime, udev
from agent.codes import settings as settings_codes
from agent.converge import intend, verdict
from agent.converge.history import Intent, may_retry
from agent.converge.snapshot import Snapshot
from agent.converge.steps import (
    APPLY,
    RESTART,
    ApplyConfig,
    EnsureKeys,
    GrantAccess,
    InstallRule,
    RecordConfig,
    RestartRuntime,
    Step,
    WriteConfig,
    WritePayload,
)
from agent.edge import config_text, generated
from agent.edge.causes import EDGED
from agent.edge.engine import EngineState
from agent.settings import Settings
from agent.tpm import registration
from agent.tpm.access import Access, RuleState

_KNOWN_VERSIONS = ("1.4.", "1.5.", "1.6.")
_UNNAMED = ("", "localhost", "localhost.localdomain", "(none)")


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in their order; `finding` is how the device is if there are none, or what stops them.

    `held_diff` is the change of config.toml that a hold keeps from being made.
    """

    steps: tuple[Step, ...] = ()
    finding: Finding | None = None
    notices: tuple[Finding, ...] = ()
    held_diff: str = ""

    @property
    def holds(self) -> bool:
        """Whether a person is needed before anything more is done."""
        return self.finding is not None and self.finding.code.phase is Phase.HELD


class _StopError(Exception):
    """Planning ends here with a finding; steps found before it stay in the plan."""

    def __init__(self, finding: Finding, held_diff: str = "") -> None:
        super().__init__(finding.code.name)
        self.finding = finding
        self.held_diff = held_diff


def plan(snapshot: Snapshot) -> Plan:
    """Say what is to be done with this snapshot."""
    steps: list[Step] = []
    notices: list[Finding] = []
    try:
        settings = _settings(snapshot)
        notices.extend((*snapshot.tpm.notices, *_untested(snapshot.runtime.version)))
        wish = _wish(snapshot, settings)
        _keys(snapshot, settings, steps)
        _access(snapshot, steps, notices)
        _config(snapshot, settings, wish, steps, notices)
        _apply(snapshot, wish, steps)
    except _StopError as stop:
        return Plan(tuple(steps), stop.finding, tuple(notices), stop.held_diff)
    except AgentError as error:
        return Plan(tuple(steps), error.finding, tuple(notices))
    finding = None if steps else verdict.judge(snapshot, settings)
    return Plan(tuple(steps), finding, tuple(notices))


def _settings(snapshot: Snapshot) -> Settings:
    if snapshot.settings is None or snapshot.settings_trouble is not None:
        raise _StopError(snapshot.settings_trouble or settings_codes.MISSING())
    if not snapshot.settings.dps.id_scope:
        raise _StopError(settings_codes.MISSING())
    return snapshot.settings


def _untested(version: str) -> tuple[Finding, ...]:
    known = not version or version.startswith(_KNOWN_VERSIONS)
    return () if known else (runtime.VERSION_UNTESTED(version=version),)


@dataclass(frozen=True, slots=True)
class _Wish:
    """config.toml as it is to be: our keys, those of them that differ now, its text and its meaning."""

    intended: intend.Intended
    changed: tuple[config_text.KeyPath, ...]
    text: str
    document: intend.Document


def _wish(snapshot: Snapshot, settings: Settings) -> _Wish:
    """Say what config.toml is to be; whatever holds that stops the plan before its first step."""
    if snapshot.tpm.trouble is not None:
        raise _StopError(verdict.tpm_trouble(snapshot, snapshot.tpm.trouble))
    if snapshot.config.refusal is not None:
        raise _StopError(snapshot.config.refusal)
    text = snapshot.config.text or ""
    document = config_text.parse(text)
    intended = intend.intended_keys(snapshot, settings, document, registration_id(snapshot, settings))
    _held_for_others(snapshot, settings, document, intended)
    edited = config_text.edit(text, intended)
    changed = config_text.differences(document, intended)
    return _Wish(intended, changed, edited, config_text.parse(edited))


def _held_for_others(
    snapshot: Snapshot, settings: Settings, document: intend.Document, intended: intend.Intended
) -> None:
    """Hold where somebody else's decision would be undone.

    `--adopt` is a person's word that it may be; another TPM for the runtime stays wrong all the same.
    """
    if tcti := intend.foreign_tcti(snapshot, document, intended):
        raise _StopError(config.FOREIGN_TCTI(tcti=tcti, node=snapshot.tpm.node or settings.tpm.device))
    if snapshot.adopt:
        return
    if other := intend.provisions_otherwise(snapshot, document, intended):
        raise _StopError(config.OTHER_PROVISIONING(what=other), _held_diff(snapshot, intended))
    edited = intend.edited_by_hand(snapshot, document, intended)
    if edited and settings.runtime.on_manual_edit == "hold":
        raise _StopError(config.MANUAL_EDIT(keys=", ".join(edited)), _held_diff(snapshot, intended))


def _held_diff(snapshot: Snapshot, intended: intend.Intended) -> str:
    """Show what taking over would change; nothing where the file's shape would not let us."""
    text = snapshot.config.text or ""
    try:
        edited = config_text.edit(text, intended)
    except AgentError:
        return ""
    return config_text.unified_diff(text, edited, snapshot.config.path, intend.NOT_SHOWN)


def _keys(snapshot: Snapshot, settings: Settings, steps: list[Step]) -> None:
    if snapshot.tpm.missing_keys:
        steps.append(EnsureKeys(snapshot.tpm.missing_keys, snapshot.tpm.node or settings.tpm.device))


def _access(snapshot: Snapshot, steps: list[Step], notices: list[Finding]) -> None:
    """Give the runtime's user the TPM: udevd must know the user before it reads the rule."""
    access = snapshot.access
    if not access.user_exists:
        raise _StopError(runtime.NOT_INSTALLED(missing="user aziottpm"))
    if access.rule.state is RuleState.LINK:
        raise _StopError(udev.RULE_LINK(place=access.rule.place, target=access.rule.target))
    if access.rule.state is RuleState.MASKED:
        raise _StopError(udev.RULE_MASKED(place=access.rule.place))
    if access.rule.place.startswith("/run/"):
        notices.append(udev.RULE_IN_RUN(place=access.rule.place))
    if access.rule.state is not RuleState.OURS:
        steps.append(InstallRule(access.rule))
    if snapshot.tpm.node and access.access is Access.DENIED:
        steps.append(GrantAccess(snapshot.tpm.node))


def _config(
    snapshot: Snapshot, settings: Settings, wish: _Wish, steps: list[Step], notices: list[Finding]
) -> None:
    """Bring config.toml to what the settings want."""
    if snapshot.runtime.program is None:
        raise _StopError(runtime.NOT_INSTALLED(missing=snapshot.runtime.missing))
    text = snapshot.config.text or ""
    notices.extend(config.MISPLACED_KEY(key=key, line=line) for key, line in config_text.misplaced(text))
    if intend.HOSTNAME in wish.changed:
        _hostname_is_set(wish.intended[intend.HOSTNAME])
    payload = intend.payload_bytes(settings)
    if payload is not None and payload != snapshot.config.payload:
        steps.append(WritePayload(intend.PAYLOAD_PLACE, payload))
    if wish.changed:
        diff = config_text.unified_diff(text, wish.text, snapshot.config.path, intend.NOT_SHOWN)
        steps.append(WriteConfig(snapshot.config.path, wish.text, diff, wish.changed))
        return
    if snapshot.history.written != intend.record_of(wish.intended):
        steps.append(RecordConfig())
    if snapshot.config.newer_than_generated and not _applied_as_it_is(snapshot, wish.document):
        notices.append(config.UNAPPLIED_EDIT())


def registration_id(snapshot: Snapshot, settings: Settings) -> str:
    """Give the registration id, or a placeholder where it follows from a key that is not made yet.

    Raises:
        AgentError: registration.*, for a template without a usable value.
    """
    wanted = settings.dps.registration_id
    if registration.needs_endorsement_key(wanted) and not snapshot.tpm.ek_public:
        return intend.FROM_KEY
    return registration.resolve(wanted, snapshot.tpm.ek_public, snapshot.moment.machine)


def _hostname_is_set(name: config_text.Value | None) -> None:
    """Wait for a real name before the first one is pinned: a later change is refused while modules exist."""
    if name in _UNNAMED:
        raise _StopError(apply.HOSTNAME_UNSET(hostname=name or "empty"))


def _applied_as_it_is(snapshot: Snapshot, document: intend.Document) -> bool:
    """Say whether the daemons have this very config.toml, or are to be told of it now anyway."""
    facts = snapshot.config
    return snapshot.history.applied_digest == facts.digest or bool(
        generated.disagreements(document, facts.generated)
    )


def _apply(snapshot: Snapshot, wish: _Wish, steps: list[Step]) -> None:
    """Apply where the generated files don't say what config.toml says, and where that can be done now."""
    if snapshot.runtime.change_pid is not None:
        raise _StopError(apply.RUNNING(pid=snapshot.runtime.change_pid))
    wrong = generated.disagreements(wish.document, snapshot.config.generated)
    cut_off = was_cut_off(snapshot.history.intent, snapshot)
    if (wrong or cut_off) and snapshot.runtime.installer_pid is not None:
        raise _StopError(apply.PACKAGES_BUSY(pid=snapshot.runtime.installer_pid))
    hindrance = _hindrance(snapshot, wish) if wrong else None
    if wrong and hindrance is None:
        reason = f"{wrong[0].about} is not applied yet" if _was_applied(snapshot) else "never applied"
        steps.append(ApplyConfig(reason))
    elif cut_off:
        steps.append(RestartRuntime())
    if hindrance is not None:
        raise _StopError(hindrance)


def _was_applied(snapshot: Snapshot) -> bool:
    return snapshot.config.generated.get("identityd") is not None


def was_cut_off(intent: Intent | None, snapshot: Snapshot) -> bool:
    """Say whether an apply was killed in this boot before its services were back.

    aziot-edged is stopped first and started last, so one that was started since then says that the apply came
    to its end without us. After a reboot systemd has started the daemons itself.
    """
    if intent is None or intent.step not in (APPLY, RESTART) or intent.boot_id != snapshot.moment.boot_id:
        return False
    edged = [unit for unit in snapshot.runtime.units or () if unit.name == EDGED and unit.runs]
    return not any(unit.active_since_s > intent.since_s for unit in edged)


def _hindrance(snapshot: Snapshot, wish: _Wish) -> Finding | None:
    """Say what keeps us from applying now."""
    if snapshot.tpm.settles_in_s > 0:
        seconds = math.ceil(snapshot.tpm.settles_in_s)
        return apply.SETTLING(node=snapshot.tpm.node, seconds=seconds)
    if _was_applied(snapshot) and snapshot.runtime.engine is EngineState.DOWN:
        return apply.ENGINE_DOWN()
    failed, moment = snapshot.history.failed_apply, snapshot.moment
    if failed is None or snapshot.insist or wish.changed or failed.config_digest != snapshot.config.digest:
        return None
    if may_retry(failed, boot_id=moment.boot_id, now_s=moment.monotonic_s):
        return None
    return verdict.finding_of(failed)
