"""The one table of settings: a line a setting, with its kind, default and meaning.

Pure. The typed `Settings`, the parser, `config show`, docs/settings.md and the sample file are
all made from these rows. Names are a contract: images and scripts depend on them.
"""
# the calls make dataclass fields

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from agent.settings import kinds
from agent.values import dataclass, field

# Two keys, an apply and the rest have to fit into the watcher's limit for a pass (PASS_DEADLINE_S there).
LONGEST_APPLY_S = 900
LONGEST_KEY_S = 300
T = TypeVar("T")


class Method(StrEnum):
    """How the device proves who it is."""

    TPM = "tpm"
    X509_EST = "x509-est"


class AutoReprovisioning(StrEnum):
    """When the runtime provisions again by itself; its own words, case and all."""

    DYNAMIC = "Dynamic"
    ALWAYS_ON_STARTUP = "AlwaysOnStartup"
    ON_ERROR_ONLY = "OnErrorOnly"


class OnManualEdit(StrEnum):
    """What to do when someone changed our keys in config.toml by hand."""

    HOLD = "hold"
    RESTORE = "restore"


class ReprovisionMode(StrEnum):
    """Whether the agent may ever give up the device's identity by itself."""

    GATED = "gated"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Row:
    """A setting: its dotted name, what it takes, and what it means.

    `only` are the values that this version can do, where it can't do all. `example` stands in
    the sample file in the default's place.
    """

    name: str
    kind: kinds.Kind[Any]
    default: Any
    meaning: str
    only: tuple[Any, ...] | None = None
    example: Any = None

    @property
    def shown_example(self) -> object:
        """The value that the sample file shows."""
        return self.default if self.example is None else self.example


def _setting(
    kind: kinds.Kind[T],
    default: T,
    meaning: str,
    *,
    only: tuple[T, ...] | None = None,
    example: T | None = None,
) -> T:
    row = Row("", kind, default, meaning, only, example)
    made: T = field(default=default, metadata={"row": row})
    return made


def _later(kind: kinds.Kind[T], default: T, meaning: str, example: T | None = None) -> T:
    """Declare a setting whose part is not built yet: it takes its default and nothing else."""
    return _setting(kind, default, meaning, only=(default,), example=example)


@dataclass(frozen=True, slots=True)
class Dps:
    """The Device Provisioning Service, and what this device tells it."""

    id_scope: str = _setting(
        kinds.ID_SCOPE,
        "",
        "The id scope of the provisioning service. Needed to provision; not by `identity` and `tpm`.",
        example="0ne00112233",
    )
    global_endpoint: str = _setting(
        kinds.URL, "https://global.azure-devices-provisioning.net", "Where the provisioning service answers."
    )
    registration_id: str = _setting(
        kinds.REGISTRATION_ID,
        "auto",
        "The name this device registers under. `auto` is `ek-sha256` for a TPM, the form of today's "
        "published procedure; `ek-base32` is the form of the older SDK tool; anything else is taken as it "
        "is, after {machine_id}, {hostname} and {serial} are filled in.",
    )
    payload: Mapping[str, object] | None = _setting(
        kinds.JSON_OBJECT,
        None,
        "Sent to the provisioning service as JSON; empty: nothing. A stronger file replaces it whole.",
        example={"modelId": "dtmi:com:example:Line;1"},
    )


@dataclass(frozen=True, slots=True)
class Tpm:
    """The TPM."""

    device: str = _setting(
        kinds.DEVICE,
        "auto",
        "Which TPM to use. `auto`: the one used before; at first the only one there is. Several and none "
        "used before: nothing is done until this names one. A TCTI string serves tests and software TPMs.",
    )
    timeout_s: float = _setting(
        kinds.seconds_up_to(LONGEST_KEY_S),
        180,
        "How long making a key may take before the TPM counts as hung; slow ones need a minute.",
    )
    settle_s: float = _setting(
        kinds.SECONDS,
        10,
        "A device node younger than this triggers no apply: its driver may still be settling.",
    )


@dataclass(frozen=True, slots=True)
class Runtime:
    """The Azure IoT Edge runtime."""

    auto_reprovisioning_mode: AutoReprovisioning = _setting(
        kinds.choice(AutoReprovisioning),
        AutoReprovisioning.DYNAMIC,
        "When the runtime provisions again by itself; written to config.toml.",
    )
    hostname: str = _setting(
        kinds.HOSTNAME,
        "pin",
        "`pin` writes the name that the machine has at the first apply and keeps it, because the runtime "
        "refuses to change it while modules exist; `follow` leaves it to the runtime; a name is written as "
        "it is.",
    )
    on_manual_edit: OnManualEdit = _setting(
        kinds.choice(OnManualEdit),
        OnManualEdit.HOLD,
        "When someone changed one of the agent's keys in config.toml by hand: `hold` asks a person, "
        "`restore` writes the agent's value back.",
    )
    iotedge: str = _setting(kinds.PATH, "/usr/bin/iotedge", "The runtime's command.")
    config_file: str = _setting(kinds.PATH, "/etc/aziot/config.toml", "The runtime's configuration file.")
    apply_timeout_s: float = _setting(
        kinds.seconds_up_to(LONGEST_APPLY_S),
        600,
        "How long `iotedge config apply` may take; it waits for modules to stop.",
    )
    prove_s: float = _setting(
        kinds.SECONDS,
        10,
        "How long the runtime's daemons must stay up after an apply before it counts as done.",
    )


@dataclass(frozen=True, slots=True)
class Watch:
    """Looking again."""

    interval_s: float = _setting(
        kinds.SECONDS, 300, "How often to look when all is well; it is shorter by itself while it is not."
    )


@dataclass(frozen=True, slots=True)
class Network:
    """The way to the cloud."""

    https_proxy: str = _later(
        kinds.URL_OR_NONE,
        "",
        "The proxy for the agent's own requests. Empty: what the unit of aziot-identityd has.",
        "http://proxy.example:3128",
    )
    no_proxy: str = _later(
        kinds.TEXT, "", "Hosts that are reached without the proxy.", "localhost,.plant.example"
    )


@dataclass(frozen=True, slots=True)
class Reprovision:
    """Giving up an identity and asking the cloud for a new one."""

    mode: ReprovisionMode = _setting(
        kinds.choice(ReprovisionMode),
        ReprovisionMode.GATED,
        "`gated`: by itself only for a known reason, with the cloud in reach and budget left; `never`: only "
        "a person does it. This version never does it by itself in either mode.",
    )
    max_per_hour: int = _later(kinds.COUNT, 1, "The most automatic attempts in an hour; kept over reboots.")
    max_per_day: int = _later(kinds.COUNT, 3, "The most automatic attempts in a day; kept over reboots.")


@dataclass(frozen=True, slots=True)
class AutoRenew:
    """When to renew the device's certificate."""

    threshold: str = _later(
        kinds.RENEWAL, "80%", "Renew after this share of the certificate's life, or this long before its end."
    )
    retry: str = _later(kinds.RENEWAL, "4%", "Try again after this share of its life, or this long.")


@dataclass(frozen=True, slots=True)
class Est:
    """The EST server (RFC 7030) that issues the device's certificate."""

    url: str = _later(
        kinds.URL_OR_NONE, "", "Where the EST server answers.", "https://est.example/.well-known/est"
    )
    trusted_certs: tuple[str, ...] = _later(
        kinds.TEXTS,
        (),
        "Certificates that the server's own is checked against.",
        ("/etc/ssl/certs/plant-ca.pem",),
    )
    username: str = _later(
        kinds.TEXT,
        "",
        "The user name at the EST server; its password is the systemd credential est-password.",
        "line4",
    )
    bootstrap_cert: str = _later(
        kinds.PATH_OR_NONE,
        "",
        "The certificate for the first request.",
        "/etc/edge-provisioner/bootstrap.pem",
    )
    bootstrap_key: str = _later(
        kinds.PATH_OR_NONE,
        "",
        "The private key of that certificate.",
        "/etc/edge-provisioner/bootstrap.key.pem",
    )
    auto_renew: AutoRenew = field(default_factory=AutoRenew)


@dataclass(frozen=True, slots=True)
class Engine:
    """The container engine."""

    log_driver: str = _later(
        kinds.TEXT, "", "The log driver for the modules' containers. Empty leaves the engine alone.", "local"
    )


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures for a monitoring system."""

    directory: str = _later(
        kinds.PATH_OR_NONE,
        "",
        "Where the agent writes its metrics file. Empty: it writes none.",
        "/var/lib/prometheus/node-exporter",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one device."""

    method: Method = _setting(
        kinds.choice(Method),
        Method.TPM,
        "How the device proves who it is: by its TPM, or by a certificate from an EST server.",
        only=(Method.TPM,),
    )
    dps: Dps = field(default_factory=Dps)
    tpm: Tpm = field(default_factory=Tpm)
    runtime: Runtime = field(default_factory=Runtime)
    watch: Watch = field(default_factory=Watch)
    network: Network = field(default_factory=Network)
    reprovision: Reprovision = field(default_factory=Reprovision)
    est: Est = field(default_factory=Est)
    engine: Engine = field(default_factory=Engine)
    metrics: Metrics = field(default_factory=Metrics)
