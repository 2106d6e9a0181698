"""What others set up and the runtime will stumble over: keys of its key service, proxies, the engine."""

import pytest

from agent.edge import config_text
from agent.edge.engine import EngineState
from agent.edge.key_files import Fault, UnusableKey, fault, key_files, mend
from agent.facts.snapshot import Snapshot
from agent.plan.plan import plan
from tests.unit.snapshots import OURS, by_hand, changed, code, fresh, healthy, names, with_config, with_unit

CONFIG = """
[preloaded_keys]
mine = "file:///k/mine.pem"
other = "pkcs11:token=edge;object=x?pin-value=1"

[edge_ca]
cert = "file:///c/edge-ca.pem"
pk = "file:///k/edge%20ca.pem"

[cert_issuance.est.auth]
bootstrap_identity_cert = "file:///c/b.pem"
bootstrap_identity_pk = "file:///k/b.pem"

[provisioning.payload]
uri = "file:///etc/payload.json"

[provisioning.authentication.device_id_pk]
uri = "file:///k/sas"
"""


def told(device: Snapshot) -> list[str]:
    return [notice.code.name for notice in plan(device).notices]


def test_the_files_of_private_keys_are_found_and_nothing_else() -> None:
    assert sorted(path for _, path in key_files(config_text.parse(CONFIG))) == [
        "/k/b.pem", "/k/edge ca.pem", "/k/mine.pem", "/k/sas",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "readable", "said"),
    [
        (b"-----BEGIN PRIVATE KEY-----\n", True, ""),
        (b"-----BEGIN EC PRIVATE KEY-----\n", True, ""),
        (b"-----BEGIN PRIVATE KEY-----\n", False, "can't be read by user aziotks"),
        (None, True, "is not there"),
        (b"-----BEGIN TSS2 PRIVATE KEY-----\n", True, "pkcs11:"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", True, "pass phrase"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", True, "pass phrase"),
    ],
)
def test_a_key_file_is_judged_by_what_the_key_service_reads(
    content: bytes | None, readable: bool, said: str
) -> None:
    assert said in fault(content, readable=readable)
    assert bool(said) == bool(fault(content, readable=readable))


def test_an_unusable_key_is_told_with_its_line() -> None:
    text = OURS + '\n[edge_ca]\ncert = "file:///c"\npk = "file:///k"\n'
    device = changed(
        with_config(healthy(), text),
        config={"unusable_keys": (UnusableKey(("edge_ca", "pk"), "/k", Fault.ENCRYPTED),)},
    )
    (notice,) = plan(device).notices

    assert notice.code.name == "config.key-unusable"
    assert (dict(notice.facts)["line"], dict(notice.facts)["key"]) == ("15", "edge_ca.pk")
    assert code(plan(device)) == "runtime.provisioned"


def test_a_proxy_that_is_spoken_to_by_tls_is_told() -> None:
    name = "aziot-identityd.service"

    assert told(with_unit(healthy(), name, proxy_scheme="https")) == ["runtime.proxy-by-tls"]
    assert told(with_unit(healthy(), name, proxy_scheme="http")) == []
    env = '\n[agent]\nname = "edgeAgent"\ntype = "docker"\nconfig = { image = "x" }\n[agent.env]\n'
    text = f'{OURS}{env}https_proxy = "https://user:secret@proxy:3128"\n'
    found = plan(with_config(healthy(), text))
    assert [notice.code.name for notice in found.notices] == ["runtime.proxy-by-tls"]
    assert "secret" not in found.notices[0].summary + found.notices[0].remedy
    assert "`iotedge config apply`" in found.notices[0].remedy


@pytest.mark.parametrize(
    ("runtime", "takes", "held"),
    [
        ("1.5.35", "1.44", True), ("1.5.35", "1.40", True), ("1.5.35", "1.24", False),
        ("1.4.20", "1.44", True),
        ("1.6.0", "1.44", True), ("1.6.0", "1.41", False), ("1.6.0", "", False), ("1.6.0", "x", False),
        ("2.0.0", "1.44", False), ("", "1.44", False),
    ],
)  # fmt: skip
def test_an_engine_that_refuses_the_runtime_keeps_us_from_an_apply(
    runtime: str, takes: str, held: bool
) -> None:
    seen = {
        "version": runtime,
        "engine_oldest_api": takes,
        "engine_version": "29.1.3",
        "engine": EngineState.UP,
    }
    new, old = changed(fresh(), runtime=seen), changed(by_hand(), runtime=seen)
    pending = changed(healthy(), runtime=seen, config={"generated": {}})

    assert ("apply-config" not in names(plan(pending))) is held
    assert (code(plan(pending)) == "apply.engine-too-new") is held
    assert (code(plan(new)) == "apply.engine-too-new") is held
    assert code(plan(old)) != "apply.engine-too-new"


@pytest.mark.parametrize(
    ("fault", "closed", "typed"),
    [
        (Fault.MISSING, "", ["chown aziotks:aziotks '/k/my key'", "chmod 600 '/k/my key'"]),
        (Fault.CLOSED, "/k/my key", ["chown aziotks:aziotks '/k/my key'", "chmod 600 '/k/my key'"]),
        (Fault.CLOSED, "/k", ["chmod o+x /k"]),
        (Fault.IN_TPM, "", ["pkcs11:"]),
        (
            Fault.ENCRYPTED,
            "",
            [
                "openssl pkey -in '/k/my key' -out '/k/my key.new'",
                "chown aziotks:aziotks '/k/my key.new'",
                "mv '/k/my key.new' '/k/my key'",
            ],
        ),
    ],
)
def test_each_fault_of_a_key_has_its_own_way_out(fault: Fault, closed: str, typed: list[str]) -> None:
    said = mend(UnusableKey(("edge_ca", "pk"), "/k/my key", fault, closed), "/etc/aziot/config.toml", 15)

    assert said.split("`")[1::2][: len(typed)] == typed
    assert said.endswith(".")
