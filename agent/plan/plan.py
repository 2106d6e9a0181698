"""From a snapshot to the steps that are missing, or to why none is taken: the order of the concerns. Pure.

The same snapshot gives the same plan. The actor does the first step, looks again, and asks again; so a plan
made before the TPM has keys shows the later steps with a placeholder for what is not known yet.
"""

from collections.abc import Iterator

from agent.codes import AgentError, Finding, Phase, runtime
from agent.codes import settings as settings_codes
from agent.facts.snapshot import Snapshot
from agent.facts.steps import Step
from agent.plan import by_tpm, verdict
from agent.plan.apply import apply_config
from agent.plan.case import Case, Concern, Found
from agent.plan.config_file import config_file
from agent.plan.notices import notices
from agent.plan.refused import refused
from agent.plan.stop import StopError
from agent.plan.surroundings import surroundings
from agent.plan.unconfigured import unconfigured
from agent.plan.wish import wish
from agent.settings import Settings
from agent.values import dataclass

_CONCERNS: tuple[Concern, ...] = (
    surroundings,
    refused,
    by_tpm.keys,
    by_tpm.access,
    config_file,
    apply_config,
)
_KNOWN_VERSIONS = ("1.4.", "1.5.", "1.6.")


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


def plan(snapshot: Snapshot) -> Plan:
    """Say what is to be done with this snapshot."""
    steps: list[Step] = []
    notices: list[Finding] = []
    finding, held_diff = None, ""
    try:
        settings = _settings(snapshot)
        for found in _all(snapshot, settings):
            if isinstance(found, Finding):
                notices.append(found)
            else:
                steps.append(found)
        finding = None if steps else verdict.judge(snapshot, settings)
        if finding is not None and finding.code is runtime.PROVISIONED:
            notices += verdict.progress(snapshot, settings)
    except StopError as stop:
        finding, held_diff = stop.finding, stop.held_diff
    except AgentError as error:
        finding = error.finding
    return Plan(tuple(steps), finding, tuple(notices), held_diff)


def _settings(snapshot: Snapshot) -> Settings:
    if snapshot.settings is None or snapshot.settings_trouble is not None:
        raise StopError(snapshot.settings_trouble or settings_codes.MISSING())
    if not snapshot.settings.dps.id_scope:
        raise StopError(unconfigured(snapshot))
    return snapshot.settings


def _all(snapshot: Snapshot, settings: Settings) -> Iterator[Found]:
    """Ask one concern after the other, once it is clear that the device may be worked on."""
    yield from snapshot.tpm.notices
    yield from _untested(snapshot.runtime.version)
    yield from notices(snapshot)
    case = Case(snapshot, settings, wish(snapshot, settings))
    for concern in _CONCERNS:
        yield from concern(case)


def _untested(version: str) -> tuple[Finding, ...]:
    known = not version or version.startswith(_KNOWN_VERSIONS)
    return () if known else (runtime.VERSION_UNTESTED(version=version),)
