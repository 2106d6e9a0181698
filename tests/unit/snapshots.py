"""Snapshots for the planner's tests: healthy, new, set up by hand, varied, and after a step."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import tomlkit

from agent.edge import config_text
from agent.edge.engine import EngineState
from agent.edge.evidence import DAEMONS, SOCKETS
from agent.edge.identity_service import AnswerKind, DeviceAnswer
from agent.facts.history import History, Identity
from agent.facts.snapshot import AccessFacts, ConfigFacts, Moment, RuntimeFacts, Snapshot, TpmFacts
from agent.facts.steps import (
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
from agent.host.systemd import Unit
from agent.plan.by_tpm import registration_id
from agent.plan.config_keys import intended_keys
from agent.plan.plan import Plan, plan
from agent.plan.written import record_of
from agent.settings import Settings
from agent.settings.table import Dps
from agent.tpm.access import Access, Rule, RuleState
from agent.tpm.registration import MachineFacts, ek_sha256
from agent.values import replace
from tests.unit.tpm_publics import EK

T = TypeVar("T")
SCOPE, HUB, DEVICE = "0ne00112233", "hub.test", "dev-tpm-1"
REGISTRATION_ID = ek_sha256(EK)
ENDPOINT = "https://global.azure-devices-provisioning.net"
NOW_S, BOOT = 1000.0, "boot-1"
_MOST_STEPS = 12

# What the agent writes, and what a person would who followed the published procedure.
OURS = f"""\
auto_reprovisioning_mode = "Dynamic"
hostname = "e2e"

[provisioning]
source = "dps"
global_endpoint = "{ENDPOINT}"
id_scope = "{SCOPE}"

[provisioning.attestation]
method = "tpm"
registration_id = "{REGISTRATION_ID}"
"""
BY_HAND = f"""\
# set up by hand

[provisioning]
source = "dps"
global_endpoint = "{ENDPOINT}/"
id_scope = "{SCOPE}"

[provisioning.attestation]
method = "tpm"
registration_id = "{REGISTRATION_ID}"

[agent]
name = "edgeAgent"
type = "docker"
config = {{ image = "registry.example/agent:1.6" }}
"""


def changed(value: T, **changes: Any) -> T:
    """Change fields as `dataclasses.replace` does; a mapping for a part changes that part's own fields.

    Settings of a snapshot that are changed so are named by a file.
    """
    if isinstance(value, Snapshot) and isinstance(changes.get("settings"), Mapping):
        changes.setdefault("named_settings", value.named_settings | _named(changes["settings"]))
    inner = {
        name: changed(getattr(value, name), **new)
        for name, new in changes.items()
        if isinstance(new, Mapping) and hasattr(getattr(value, name), "__match_args__")
    }
    made: T = replace(value, **{**changes, **inner})  # type: ignore[type-var]
    return made


def _named(settings: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(
        f"{table}.{name}" for table, rows in settings.items() if isinstance(rows, Mapping) for name in rows
    )


def digest(text: str | None) -> str:
    """Give what the doors make of config.toml's text."""
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def with_config(snapshot: Snapshot, text: str | None, *, applied: bool = True) -> Snapshot:
    """Put another config.toml there, with the files that an apply made of it."""
    seen = changed(snapshot, config={"text": text, "digest": digest(text)})
    return changed(seen, config={"generated": generated_from(seen)}) if applied else seen


def generated_from(snapshot: Snapshot) -> Mapping[str, str]:
    """Say in the five files what config.toml says, as the runtime does."""
    document = config_text.parse(snapshot.config.text or "")
    said = dict(document.get("provisioning", {"source": "none"}))
    if "id_scope" in said:
        said["scope_id"] = said.pop("id_scope")
    if "global_endpoint" in said:
        said["global_endpoint"] = said["global_endpoint"].rstrip("/") + "/"
    hostname = document.get("hostname", snapshot.moment.machine.hostname)
    tpm = document.get("tpm", {})
    passwords = tpm.get("hierarchy_authorization", {})
    tpmd: dict[str, Any] = {"tcti": list(tpm["tcti"].encode())} if "tcti" in tpm else {}
    if passwords:
        tpmd["hierarchy_authorization"] = {name: list(word.encode()) for name, word in passwords.items()}
    mode = document.get("auto_reprovisioning_mode", "Dynamic")
    files = {
        "keyd": {},
        "certd": {},
        "identityd": {"hostname": hostname, "provisioning": said},
        "tpmd": tpmd,
        "edged": {"hostname": hostname, "auto_reprovisioning_mode": mode},
    }
    return {name: f"# by `iotedge config apply`\n{tomlkit.dumps(content)}" for name, content in files.items()}


def running(*, since_s: float = 100.0) -> tuple[Unit, ...]:
    """Give all units of the runtime as they are when all is well."""
    services = (Unit(name, "loaded", "active", "running", active_since_s=since_s) for name in DAEMONS)
    return (*services, *(Unit(name, "loaded", "active", "listening") for name in SOCKETS))


def with_unit(snapshot: Snapshot, name: str, **changes: Any) -> Snapshot:
    """Change one unit."""
    units = snapshot.runtime.units or ()
    return changed(
        snapshot,
        runtime={"units": tuple(changed(one, **changes) if one.name == name else one for one in units)},
    )


def fresh() -> Snapshot:
    """Give a device with an empty TPM and the runtime just installed."""
    return Snapshot(
        moment=Moment(BOOT, MachineFacts("f0e1d2c3b4a5", "e2e", "SN-0815"), 1_800_000_000.0, NOW_S),
        settings=Settings(dps=Dps(id_scope=SCOPE)),
        settings_trouble=None,
        named_settings=frozenset({"dps.id_scope"}),
        tpm=TpmFacts(node="/dev/tpmrm0", asked=True, missing_keys=("the endorsement key",)),
        access=AccessFacts(user_exists=True, access=Access.DENIED),
        config=ConfigFacts("/etc/aziot/config.toml"),
        runtime=RuntimeFacts(
            program="/usr/bin/iotedge",
            units=tuple(changed(unit, active="inactive") for unit in running()),
            engine=EngineState.UP,
        ),
        history=History(),
    )


def by_hand(text: str = BY_HAND) -> Snapshot:
    """Give a device that a person provisioned before the agent came, by this config.toml."""
    seen = changed(
        fresh(),
        tpm={"missing_keys": (), "ek_public": EK},
        access={"access": Access.GRANTED, "rule": Rule(RuleState.OURS)},
        runtime={
            "units": running(),
            "answer": DeviceAnswer(AnswerKind.DEVICE, HUB, DEVICE),
            "backup": True,
        },
    )
    return with_config(seen, text)


def healthy() -> Snapshot:
    """Give a device that the agent provisioned, and that is well."""
    seen = by_hand(OURS)
    identity = Identity(HUB, DEVICE, SCOPE, REGISTRATION_ID, ENDPOINT)
    return changed(
        seen, history={"identity": identity, "applied_digest": digest(OURS), "written": record(seen)}
    )


def settings_of(snapshot: Snapshot) -> Settings:
    """Give the settings, which are there."""
    assert snapshot.settings is not None
    return snapshot.settings


def record(snapshot: Snapshot) -> tuple[tuple[str, Any], ...]:
    """Give our keys of the config.toml that is there, as they are remembered."""
    settings = settings_of(snapshot)
    document = config_text.parse(snapshot.config.text or "")
    identifier = registration_id(snapshot, settings)
    return record_of(intended_keys(snapshot, settings, document, identifier))


def names(found: Plan) -> list[str]:
    """Name a plan's steps."""
    return [step.name for step in found.steps]


def code(found: Plan) -> str:
    """Name what a plan found, empty if nothing."""
    return found.finding.code.name if found.finding else ""


def after(snapshot: Snapshot, step: Step) -> Snapshot:
    """Say how the device is after a step that came to what it was for."""
    return _BECOMES[type(step)](snapshot, step)


def _recorded(snapshot: Snapshot) -> Snapshot:
    return changed(snapshot, history={"written": record(snapshot)})


def _applied(snapshot: Snapshot) -> Snapshot:
    facts = {"generated": generated_from(snapshot), "newer_than_generated": False}
    remembered = {"applied_digest": snapshot.config.digest, "failed_apply": None, "intent": None}
    return changed(_restarted(snapshot), config=facts, history=remembered)


def _restarted(snapshot: Snapshot) -> Snapshot:
    return changed(
        snapshot, history={"intent": None}, runtime={"units": running(since_s=NOW_S), "backup": True}
    )


_BECOMES: Mapping[type[Step], Callable[[Snapshot, Any], Snapshot]] = {
    EnsureKeys: lambda seen, _: changed(seen, tpm={"missing_keys": (), "ek_public": EK}),
    InstallRule: lambda seen, step: changed(
        seen,
        access={
            "rule": Rule(RuleState.OURS, step.rule.place),
            "access": Access.GRANTED if step.node else seen.access.access,
        },
    ),
    GrantAccess: lambda seen, _: changed(seen, access={"access": Access.GRANTED}),
    WritePayload: lambda seen, step: changed(seen, config={"payload": step.data}),
    WriteConfig: lambda seen, step: _recorded(with_config(seen, step.text, applied=False)),
    RecordConfig: lambda seen, _: _recorded(seen),
    ApplyConfig: lambda seen, _: _applied(seen),
    RestartRuntime: lambda seen, _: _restarted(seen),
}


def carried_out(snapshot: Snapshot) -> tuple[Snapshot, list[Step]]:
    """Do the first step of a plan, and of the plan after it, until there is none; give what was done too."""
    done: list[Step] = []
    while found := plan(snapshot).steps:
        done.append(found[0])
        assert len(done) < _MOST_STEPS, done
        snapshot = after(snapshot, found[0])
    return snapshot, done
