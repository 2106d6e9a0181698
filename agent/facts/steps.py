"""What a plan can tell the actor to do: one frozen value a step. Pure.

A step says its effect before it happens, and which part of the snapshot it changes: that part is looked at
again afterwards, and the step is proven by the planner's not asking for it any more.
"""

from agent.edge.config_text import KeyPath
from agent.facts.snapshot import Part
from agent.tpm.access import Rule, RuleState
from agent.values import dataclass

APPLY = "apply-config"
RESTART = "restart-runtime"


@dataclass(frozen=True, slots=True)
class EnsureKeys:
    """Make the TPM's missing keys persistent."""

    missing: tuple[str, ...]
    where: str
    name: str = "ensure-keys"
    changes: Part = Part.TPM

    @property
    def effect(self) -> str:
        """What will happen, for a person."""
        return f"make {' and '.join(self.missing)} persistent in the TPM {self.where}"


@dataclass(frozen=True, slots=True)
class InstallRule:
    """Put the udev rule in place, and have it give the runtime's user the node, if there is one."""

    rule: Rule
    node: str = ""
    name: str = "install-rule"
    changes: Part = Part.ACCESS

    @property
    def effect(self) -> str:
        """What will happen, for a person."""
        if self.rule.state is RuleState.DIFFERENT:
            return f"replace the rule in {self.rule.place} by ours and keep the old one beside it"
        return f"write the TPM rule to {self.rule.place}"


@dataclass(frozen=True, slots=True)
class GrantAccess:
    """Have udev apply the rule to the node."""

    node: str
    name: str = "grant-access"
    changes: Part = Part.ACCESS

    @property
    def effect(self) -> str:
        """What will happen, for a person."""
        return f"have udev apply the rule to {self.node} and prove that user aziottpm can open it"


@dataclass(frozen=True, slots=True)
class WritePayload:
    """Write the provisioning payload where the runtime's user can read it."""

    place: str
    data: bytes
    name: str = "write-payload"
    changes: Part = Part.CONFIG

    @property
    def effect(self) -> str:
        """What will happen, for a person."""
        return f"write the provisioning payload ({len(self.data)} bytes) to {self.place}"


@dataclass(frozen=True, slots=True)
class WriteConfig:
    """Write config.toml. `diff` is what a person sees; secrets in it are stars. `gone` keys are taken out."""

    path: str
    text: str
    diff: str
    keys: tuple[KeyPath, ...]
    gone: tuple[KeyPath, ...] = ()
    name: str = "write-config"
    changes: Part = Part.CONFIG

    @property
    def effect(self) -> str:
        """What will happen, for a person."""
        deeds = (("write {} into", self.keys), ("take {} out of", self.gone))
        said = (words.format(", ".join(map(".".join, paths))) for words, paths in deeds if paths)
        return f"{' and '.join(said)} {self.path}"


@dataclass(frozen=True, slots=True)
class RecordConfig:
    """Remember a config.toml that already means what the settings want."""

    name: str = "record-config"
    changes: Part = Part.CONFIG

    @property
    def effect(self) -> str:
        """What will happen, for a person."""
        return "remember that config.toml already says what the settings want (nothing is written or applied)"


@dataclass(frozen=True, slots=True)
class ApplyConfig:
    """Run `iotedge config apply`."""

    reason: str
    name: str = APPLY
    changes: Part = Part.RUNTIME

    @property
    def effect(self) -> str:
        """What will happen, for a person."""
        return f"run `iotedge config apply` ({self.reason}); this restarts the runtime and all modules"


@dataclass(frozen=True, slots=True)
class RestartRuntime:
    """Run `iotedge system restart` after an apply that was cut off."""

    name: str = RESTART
    changes: Part = Part.RUNTIME

    @property
    def effect(self) -> str:
        """What will happen, for a person."""
        return "run `iotedge system restart`: an apply was killed before its services were back"


@dataclass(frozen=True, slots=True)
class Reprovision:
    """Run `iotedge system reprovision`; only a person plans it."""

    name: str = "reprovision"
    changes: Part = Part.RUNTIME

    @property
    def effect(self) -> str:
        """What will happen, for a person."""
        return "run `iotedge system reprovision`"


Step = (
    EnsureKeys
    | InstallRule
    | GrantAccess
    | WritePayload
    | WriteConfig
    | RecordConfig
    | ApplyConfig
    | RestartRuntime
)


@dataclass(frozen=True, slots=True)
class Begun:
    """A step that is about to be done, and which of how many it is."""

    step: Step | Reprovision
    number: int
    of: int
