"""Secrets planted wherever one can stand, and all searched that the agent says or keeps to be shown."""

import os

from tests.scenario.stage import CONFIG, HISTORY, SETTINGS, STATUS, Ended, Stage, set_owner_password

# Each is one word, so that half of it would be found too.
PLANTED = {
    name: f"hush-{name}-hush"
    for name in (
        "connection", "sas", "symmetric", "comment", "trailing", "pin", "est", "estuser", "registry", "env",
        "url", "owner", "rule", "setting", "pem",
    )
}  # fmt: skip
OTHERS = """\
# once: connection_string = "HostName=h;DeviceId=d;SharedAccessKey={comment}"
[provisioning]
source = "manual"  # symmetric_key was {trailing}1
connection_string = "HostName=h;DeviceId=d;SharedAccessKey={connection}"

[provisioning.authentication]
method = "sas"
device_id_pk = {{ value = "{sas}" }}

[provisioning.attestation]
symmetric_key.value = "{symmetric}"

[aziot_keys]
pkcs11_base_slot = "pkcs11:token=edge?pin-value={pin}"

[cert_issuance.est.auth]
username = "{estuser}"
password = "{est}"

[cert_issuance.est.urls]
default = "https://line:{url}@est.example/"

[agent]
name = "edgeAgent"
type = "docker"
[agent.config]
image = "mcr.microsoft.com/azureiotedge-agent:1.6"
auth = {{ serveraddress = "r.example", username = "u", password = "{registry}" }}
[agent.env]
UPSTREAM = "{env}"
KEY = '''
-----BEGIN PRIVATE KEY-----
{pem}
-----END PRIVATE KEY-----
'''
"""
VERBS = [
    *(
        "plan",
        "plan --json",
        "once",
        "status",
        "once --adopt",
        "plan",
        "plan --json",
        "once --wait 20",
        "status",
    ),
    *(
        "status --json",
        "identity",
        "identity --json",
        "tpm show",
        "tpm show --json",
        "tpm ensure",
        "config show",
    ),
    *("config show --json", "config check", "config check --json", "explain config.other-provisioning"),
    "reprovision",
]


def planted(stage: Stage) -> None:
    """Plant them: in config.toml, the settings, the credentials, the TPM and the rule."""
    stage.write(CONFIG, OTHERS.format(**PLANTED), 0o600)
    set_owner_password(stage.tpm, PLANTED["owner"])
    stage.write("/etc/credstore/tpm-owner-auth", PLANTED["owner"], 0o600)
    stage.write("/etc/udev/rules.d/tpmaccess.rules", f'# password = "{PLANTED["rule"]}"\nKERNEL=="tpm0"\n')
    stage.machine.fault(tpm_auth={"owner": PLANTED["owner"]})


def found_in(text: str) -> list[str]:
    return [name for name, secret in PLANTED.items() if secret in text]


def test_no_command_shows_a_planted_secret(stage: Stage) -> None:
    planted(stage)
    searched: dict[str, str] = {}

    for verb in VERBS:
        ended: Ended = stage.run(*verb.split())
        searched[verb] = searched.get(verb, "") + ended.out + ended.err
    stage.watched_look()
    searched["status.json"], searched["history.json"] = stage.read(STATUS), stage.read(HISTORY)
    searched["the journal's words, as standard error has them"] = stage.heard

    assert {what: found for what, text in searched.items() if (found := found_in(text))} == {}
    assert not [what for what, text in searched.items() if "\x1b" in text]
    assert all(searched.values()), searched.keys()
    assert "-connection_string = " in searched["plan"]
    assert "edgeAgent" in searched["status"]
    assert PLANTED["owner"] in stage.read(CONFIG)  # it was at work
    backups = [name for name in os.listdir(stage.path("/etc/aziot")) if "edge-provisioner-" in name]
    assert PLANTED["connection"] in stage.read(f"/etc/aziot/{backups[0]}")
    assert "config.other-provisioning" in searched["plan --json"]


def test_the_adoption_tells_of_old_secrets_in_comments_by_their_lines(stage: Stage) -> None:
    planted(stage)

    looked = stage.once("--adopt")

    (notice,) = (one for one in looked["notices"] if one["code"] == "config.old-secrets")
    lines = [int(word) for word in notice["summary"].partition("lines ")[2].split(", ")]
    text = stage.read(CONFIG).splitlines()
    assert [text[line - 1].partition("#")[2].split()[0] for line in lines] == ["once:", "symmetric_key"]


def test_the_rule_that_goes_to_the_journal_has_no_planted_secret(stage: Stage) -> None:
    planted(stage)

    with stage.journal() as journal:
        stage.run("once", "--adopt")
        event = journal.expect("udev.rule-replaced").decode("utf-8", "replace")

    assert 'KERNEL=="tpm0"' in event
    assert found_in(event) == []


def test_a_password_among_the_settings_is_refused_and_not_shown(stage: Stage) -> None:
    stage.write(
        SETTINGS, f'[est]\npassword = "{PLANTED["setting"]}"\n[dps]\nid_scope = "{PLANTED["setting"]}"\n'
    )
    said = [
        stage.run(*verb)
        for verb in (("config", "check"), ("config", "show"), ("once",), ("status",), ("plan",))
    ]

    assert [found_in(one.out + one.err) for one in said] == [[]] * len(said)
    assert "secrets are systemd credentials: est-password" in said[0].out
