"""Secrets planted in every place that the agent reads, and every output searched for them; none may be told.

Each has words of its own, so that a failure says which of them came through, and where.
"""

import json
import os
from collections.abc import Iterator, Mapping

import pytest

from tests.scenario.stage import (
    CONFIG,
    HISTORY,
    RULE,
    SETTINGS,
    STATUS,
    Ended,
    Journal,
    Stage,
    set_owner_password,
)

# Of every shape: a key as the hub has it, base64 of another length, a word, digits.
HUB_KEY = "cGxhbnRlZC1odWIta2V5LW9mLTMyLWJ5dGVzLWluLXQ="
DPS_KEY = "cGxhbnRlZC1kcHMta2V5" + "Q" * 66 + "=="
OLD_KEY, OLDER_KEY = "cGxhbnRlZC1vbGQta2V5LTE=", "cGxhbnRlZC1vbGRlci1rZXktMg=="
EST_USER, EST_PASSWORD = "planted-est-user", "planted-est-word"
REGISTRY_USER, REGISTRY_PASSWORD = "planted-acr-user", "planted-acr-word"
PINS = ("70510471", "70510472", "70510473", "70510474")
URL_PASSWORD = "planted-url-word"  # noqa: S105
ENV_PASSWORD = "planted-env-word"  # noqa: S105
OWNER_PASSWORD = "planted-owner-word"  # noqa: S105
SETTINGS_PASSWORD, PAYLOAD_TOKEN = "planted-settings-word", "planted-payload-word"
SAID_BY_CLOUD, SAID_BY_REGISTRY = "cGxhbnRlZC1zYWlkLWJ5LWNsb3VkLTMyLWJ5dGVzLXg=", "planted-registry-word"
RULE_PASSWORD = "planted-rule-word"  # noqa: S105
PEM_LINE = "MIIEplantedPEMline0QIBADANBgkqhkiG9w0B"
PLANTED = (
    HUB_KEY, DPS_KEY, OLD_KEY, OLDER_KEY, EST_USER, EST_PASSWORD, REGISTRY_USER, REGISTRY_PASSWORD, *PINS,
    URL_PASSWORD, ENV_PASSWORD, OWNER_PASSWORD, SETTINGS_PASSWORD, PAYLOAD_TOKEN, SAID_BY_CLOUD,
    SAID_BY_REGISTRY, RULE_PASSWORD, PEM_LINE,
)  # fmt: skip
MANUAL = '[provisioning]\nsource = "manual"\n'
SYMMETRIC = """[provisioning]
source = "dps"
global_endpoint = "https://global.azure-devices-provisioning.net"
id_scope = "0ne00000009" # was HostName=x;SharedAccessKey={old}
[provisioning.attestation]
"""
WAYS = {
    "connection string": f'{MANUAL}connection_string = "HostName=h;DeviceId=d;SharedAccessKey={HUB_KEY}"\n',
    "key": (
        f'{MANUAL}iothub_hostname = "h"\ndevice_id = "d"\n[provisioning.authentication]\nmethod = "sas"\n'
        f'device_id_pk = {{ value = "{HUB_KEY}" }} # older {OLD_KEY}\n'
    ),
    "symmetric key": (
        SYMMETRIC.format(old=HUB_KEY) + 'method = "symmetric_key"\nregistration_id = "d"\n'
        f'symmetric_key = {{ value = "{DPS_KEY}" }}\n'
    ),
    "certificate": (
        SYMMETRIC.format(old=HUB_KEY) + 'method = "x509"\nregistration_id = "d"\n'
        f'identity_cert = "file:///c.pem"\nidentity_pk = "pkcs11:object=d?pin-value={PINS[0]}"\n'
    ),
}  # fmt: skip
# A diff shows three lines around a change: these stand there, other ones with each way.
NEIGHBOURS = {
    "connection string": (
        f'#symmetric_key = {{ value = "{DPS_KEY}" }}\n# old key {OLD_KEY}, and before it {OLDER_KEY}\n'
        f"# PIN {PINS[3]}; the password is {EST_PASSWORD}\n"
    ),
    "key": (
        f'edge_ca.username = "{EST_USER}"\nedge_ca.password = "{EST_PASSWORD}"\n'
        f'aziot_keys.pkcs11_base_slot = "pkcs11:slot-id=0?pin-value={PINS[1]}" # pin-value={PINS[2]}\n'
    ),
    "symmetric key": (
        f'agent.config.auth = {{ username = "{REGISTRY_USER}", password = "{REGISTRY_PASSWORD}" }}\n'
        f'agent.env.DB_PASSWORD = "{ENV_PASSWORD}" # password={ENV_PASSWORD}\n'
        f'cert_issuance.est.urls.default = "https://me:{URL_PASSWORD}@est.example"\n'
    ),
    "certificate": f"# -----BEGIN PRIVATE KEY-----\n# {PEM_LINE}\n# -----END PRIVATE KEY-----\n",
}
# What stays through an adoption; the runtime takes all of it.
OTHERS = f"""
# connection_string = "HostName=h;DeviceId=d;SharedAccessKey={HUB_KEY}"
#symmetric_key = {{ value = "{DPS_KEY}" }}
# old key {OLD_KEY}, and before it {OLDER_KEY}
# PIN {PINS[3]}; the password is {EST_PASSWORD}
# -----BEGIN PRIVATE KEY-----
# {PEM_LINE}
# -----END PRIVATE KEY-----
[cert_issuance.est] # https://me:{URL_PASSWORD}@est.example
trusted_certs = []
[cert_issuance.est.urls]
default = "https://me:{URL_PASSWORD}@est.example/.well-known/est"
[cert_issuance.est.auth]
username = "{EST_USER}"
password = "{EST_PASSWORD}"
[edge_ca]
method = "est"
common_name = "plain-edge-ca"
username = "{EST_USER}"
password = "{EST_PASSWORD}"
[aziot_keys]
pkcs11_lib_path = "/usr/lib/p11.so"
pkcs11_base_slot = "pkcs11:slot-id=0?pin-value={PINS[1]}" # pin-value={PINS[2]}
[agent]
name = "edgeAgent"
type = "docker"
[agent.config]
image = "mcr.microsoft.com/azureiotedge-agent:1.6"
[agent.config.auth]
serveraddress = "registry.example"
username = "{REGISTRY_USER}"
password = "{REGISTRY_PASSWORD}"
[agent.env]
DB_PASSWORD = "{ENV_PASSWORD}" # password={ENV_PASSWORD}
"""
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("plan",), ("plan", "--json"), ("once",), ("status",), ("status", "--json"), ("identity",),
    ("identity", "--json"), ("tpm", "show"), ("tpm", "show", "--json"), ("config", "show"),
    ("config", "show", "--json"), ("config", "check"), ("config", "check", "--json"), ("explain", "list"),
    ("explain", "config.old-secrets"), ("reprovision",),
)  # fmt: skip


def outputs(stage: Stage, *more: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Run every command that shows something, and the watched pass; give what each told, and what is kept."""
    for words in (*COMMANDS, *more):
        ended: Ended = stage.run(*words)
        yield " ".join(words), ended.out + ended.err
    stage.watched_look()
    for place in (STATUS, HISTORY):
        if os.path.exists(stage.path(place)):
            yield place, stage.read(place)
    yield "standard error and journal", stage.heard


def search(told: Mapping[str, str]) -> None:
    found = {name: [one for one in PLANTED if one in text] for name, text in told.items()}
    assert {name: hits for name, hits in found.items() if hits} == {}


def events(journal: Journal) -> str:
    """Give every event that came, and was not read yet."""
    return b"\n".join(journal.rest()).decode("utf-8", "replace")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_told_of_a_device_that_somebody_else_configured(stage: Stage, way: str) -> None:
    stage.write(CONFIG, NEIGHBOURS[way] + WAYS[way], 0o600)

    with stage.journal() as journal:
        told = dict(outputs(stage))
        told["journal"] = events(journal)

    search(told)
    assert told["plan"].count("********") > NEIGHBOURS[way].count("\n")
    assert stage.status()["code"] == "config.other-provisioning"
    assert "config.other-provisioning" in told["journal"]
    assert "-source = " in told["plan"] or "-id_scope = " in told["plan"]


def test_nothing_is_told_of_an_adoption_nor_of_the_device_that_it_makes(stage: Stage) -> None:
    set_owner_password(stage.tpm, OWNER_PASSWORD)
    stage.machine.fault(tpm_auth={"owner": OWNER_PASSWORD})
    stage.write("/etc/credstore/tpm-owner-auth", OWNER_PASSWORD, 0o600)
    stage.settings({"dps": {"payload": {"site": "hall 4", "token": PAYLOAD_TOKEN}}})
    stage.write(RULE, f'# password={RULE_PASSWORD}\nKERNEL=="tpm0", OWNER="aziottpm"\n')
    stage.write(CONFIG, WAYS["symmetric key"] + OTHERS, 0o600)

    with stage.journal() as journal:
        ended = stage.run("once", "--adopt")
        told = {"once --adopt": ended.out + ended.err}
        stage.look_until("runtime.provisioned", "--adopt")
        told |= dict(outputs(stage, ("once", "--adopt")))
        told["journal"] = events(journal)

    search(told)
    assert "note: Old keys or passwords seem to stand in comments" in told["once --adopt"]
    assert "hall 4" in told["config show"]
    assert 'KERNEL=="tpm0"' in told["journal"]
    assert OWNER_PASSWORD in stage.read(CONFIG)


def test_nothing_is_told_of_what_the_cloud_and_a_registry_say(stage: Stage) -> None:
    told: dict[str, str] = {}
    stage.machine.fault(cloud_says=f"bad key {SAID_BY_CLOUD} of \x1b[31mdevice\u202e")
    with stage.journal() as journal:
        stage.look_until("cloud.rejected")
        told |= {f"{name}, by the cloud": text for name, text in outputs(stage)}
        told["journal, by the cloud"] = events(journal)
    assert "bad key ******** of" in stage.status()["summary"]
    assert r"\x1b[31mdevice\u202e" in told["status, by the cloud"]
    registry = f'Get "https://me:{SAID_BY_REGISTRY}@registry.example/v2/": \x1b[2Jno such host'
    stage.machine.fault(cloud_says=None, registry_says=registry)
    with stage.journal() as journal:
        stage.iotedge("system", "restart")
        stage.look_until("modules.registry-unreachable", ahead_s=300.0)
        told |= {f"{name}, by the registry": text for name, text in outputs(stage)}
        told["journal, by the registry"] = events(journal)
    assert "https://********@registry.example" in json.dumps(stage.status())

    search(told)
    assert not [name for name, text in told.items() if "\x1b" in text or "\u202e" in text]


def test_nothing_is_told_of_settings_with_passwords_in_wrong_places(stage: Stage) -> None:
    scope = f'[dps]\nid_scope = "0ne;SharedAccessKey={SETTINGS_PASSWORD}'
    est = f'[est]\npassword = "{SETTINGS_PASSWORD}"\nurl = "https://me:{URL_PASSWORD}@est"\n'
    stage.write(SETTINGS, f'{scope}"\n{est}"pin-value={PINS[0]}" = 1\n')

    with stage.journal() as journal:
        told = dict(outputs(stage))
        told["journal"] = events(journal)

    search(told)
    assert stage.status()["code"] == "settings.invalid"
    assert "est.password: secrets are systemd credentials: est-password" in told["config check"]
    stage.write(SETTINGS, f"{scope}\n{est}")
    search(dict(outputs(stage)))
