"""The five files of an apply against config.toml: the real runtime's own, and one that was told less."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from agent.edge.generated import SERVICES, Disagreement, disagreements, document_of, place
from tests.contract import transcripts

CONFIG = """\
hostname = "e2e"
auto_reprovisioning_mode = "Dynamic"

[provisioning]
source = "dps"
global_endpoint = "https://dps.test:8443"
id_scope = "0ne00000001"

[provisioning.attestation]
method = "tpm"
registration_id = "4f9cbd9479dc208bcdde55eeab61aefee4a0daa3e41e4eceb0448f745107b846"
"""
CUSTOM = (
    CONFIG
    + """
[tpm]
tcti = "device:/dev/tpmrm0"
auth_key_index = 512
[tpm.hierarchy_authorization]
owner = "geheim"
"""
)
OTHERWISE = {
    'source = "dps"': ("manual", "identityd", "provisioning.source"),
    'id_scope = "0ne00000001"': ("0ne2", "identityd", "provisioning.id_scope"),
    'global_endpoint = "https://dps.test:8443"': (
        "https://other.test",
        "identityd",
        "provisioning.global_endpoint",
    ),
    'method = "tpm"': ("x509", "identityd", "provisioning.attestation.method"),
    'auto_reprovisioning_mode = "Dynamic"': ("OnErrorOnly", "edged", "auto_reprovisioning_mode"),
    'tcti = "device:/dev/tpmrm0"': ("device:/dev/tpmrm1", "tpmd", "tpm.tcti"),
    'owner = "geheim"': ("offen", "tpmd", "tpm.hierarchy_authorization.owner"),
}


def recorded(*, custom: bool = False) -> dict[str, str | None]:
    """Give the files as the real runtime generated them; tpmd's with every key of ours, if asked for."""
    parts = re.split(
        r"^==> /etc/aziot/(\w+)/.*\n", transcripts.read("generated-tpm.txt").result.out, flags=re.MULTILINE
    )
    files: dict[str, str | None] = dict(zip(parts[1::2], parts[2::2], strict=True))
    return files | {"tpmd": transcripts.read("generated-tpmd-custom.txt").result.out} if custom else files


def compared(config: str, files: Mapping[str, str | None]) -> list[tuple[str, str]]:
    found = disagreements(tomllib.loads(config), files)
    return [(one.service, one.about) for one in found]


def replaced(files: Mapping[str, str | None], service: str, old: str, new: str) -> dict[str, str | None]:
    text = files[service] or ""
    assert old in text
    return {**files, service: text.replace(old, new)}


def test_the_real_files_say_what_their_config_toml_said() -> None:
    assert compared(CONFIG, recorded()) == []
    assert compared(CUSTOM, recorded(custom=True)) == []


def test_the_places_are_those_of_the_real_files() -> None:
    told = transcripts.read("generated-tpm.txt").result.out

    assert set(recorded()) == set(SERVICES)
    assert all(f"==> {place(service)} " in told for service in SERVICES)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("text", [None, "torn = ", '[provisioning]\nsource = "d'])
def test_a_missing_or_torn_file_says_nothing(service: str, text: str | None) -> None:
    assert compared(CONFIG, {**recorded(), service: text}) == [(service, place(service))]
    assert document_of(text) is None


_MANY = 5000  # parts of a key: 0.1 GB where it is parsed all the same


@pytest.mark.parametrize(
    "text",
    [
        f"a = {'[' * 100_000}",
        f"a = {'{b = ' * 50_000}",
        f"a{'.b' * _MANY} = 1",
        f"a{' . b' * _MANY} = 1",
        '"\\""' + '."\\""' * _MANY + " = 1",
        "''" + '.\'"\'."\\\\".b' * _MANY + " = 1",
        f"[a{'.b' * _MANY}]",
        f"x = {{ a{'.b' * _MANY} = 1 }}",
        f"good = 1\na{'.b' * _MANY} = 1",
    ],
    ids=range(9),
)
def test_a_file_that_was_made_to_keep_us_busy_says_nothing(text: str) -> None:
    """The daemons' users own their files, and tomllib's work grows with the square of a key's parts."""
    assert document_of(text) is None


def test_dots_in_values_are_no_keys() -> None:
    addresses = ",".join(f'"10.0.{one}.1"' for one in range(100))
    text = f'a.b = \'[{addresses}]\'\nc = """\n{"1.2 " * 100}\n"""\n'

    assert document_of(text) is not None


def test_without_any_file_all_five_are_missed() -> None:
    fault = "is missing"

    assert disagreements({}, {}) == tuple(Disagreement(one, place(one), fault) for one in SERVICES)
    assert {one.fault for one in disagreements({}, dict.fromkeys(SERVICES, "torn = "))} == {
        "is damaged: it is no TOML"
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_file_without_a_byte_is_empty_but_for_tpmd(service: str) -> None:
    empty = Disagreement(service, place(service), "is empty")

    found = disagreements(tomllib.loads(CONFIG), recorded() | {service: ""})

    assert found == (() if service == "tpmd" else (empty,))


@pytest.mark.parametrize(("line", "case"), OTHERWISE.items())
def test_a_key_that_says_something_else_is_named(line: str, case: tuple[str, str, str]) -> None:
    other, service, about = case
    name = line.partition(" = ")[0]

    assert compared(CUSTOM.replace(line, f'{name} = "{other}"'), recorded(custom=True)) == [(service, about)]


@pytest.mark.parametrize("line", ['tcti = "device:/dev/tpmrm0"', 'owner = "geheim"'])
def test_a_key_that_was_taken_out_is_named_too(line: str) -> None:
    assert len(compared(CUSTOM.replace(line, ""), recorded(custom=True))) == 1


def test_a_registration_id_is_compared() -> None:
    assert compared(CONFIG.replace("4f9c", "0000"), recorded()) == [
        ("identityd", "provisioning.attestation.registration_id")
    ]


def test_a_payload_is_compared() -> None:
    uri = "file:///etc/aziot/edge-provisioner-payload.json"
    config = CONFIG.replace("\n\n[provisioning.att", f'\npayload = {{ uri = "{uri}" }}\n\n[provisioning.att')
    told = replaced(
        recorded(),
        "identityd",
        "[provisioning.attestation]",
        f'[provisioning.payload]\nuri = "{uri}"\n\n[provisioning.attestation]',
    )

    assert compared(config, told) == []
    assert compared(config, recorded()) == [("identityd", "provisioning.payload")]
    assert compared(CONFIG, told) == [("identityd", "provisioning.payload")]


def test_a_host_name_is_compared_where_config_toml_has_one() -> None:
    renamed = CONFIG.replace('"e2e"', '"line4"')

    assert compared(renamed, recorded()) == [("identityd", "hostname"), ("edged", "hostname")]
    assert compared(CONFIG.replace('hostname = "e2e"\n', ""), recorded()) == []


def test_what_config_toml_leaves_out_is_what_the_runtime_assumes() -> None:
    without = CONFIG.replace('auto_reprovisioning_mode = "Dynamic"\n', "")
    explicit = CONFIG + '[tpm]\ntcti = "device"\n[tpm.hierarchy_authorization]\nowner = ""\n'

    assert compared(without, recorded()) == []
    assert compared(explicit, recorded()) == []


@pytest.mark.parametrize(
    ("said", "got"),
    [
        ("https://dps.test:8443", "https://dps.test:8443/"),
        ("https://dps.test:8443/", "https://dps.test:8443/"),
        ("https://DPS.test", "https://dps.test/"),
        ("HTTPS://dps.test:443", "https://dps.test/"),
        ("http://dps.test:80/", "http://dps.test/"),
        ("https://dps.test:80", "https://dps.test:80/"),
        ("https://dps.test/Path", "https://dps.test/Path"),
        ("https://[::1]:8443", "https://[::1]:8443/"),
    ],
)
def test_an_endpoint_is_compared_as_the_runtime_spells_it(said: str, got: str) -> None:
    config = CONFIG.replace("https://dps.test:8443", said)

    assert compared(config, replaced(recorded(), "identityd", "https://dps.test:8443/", got)) == []


@pytest.mark.parametrize("odd", ["https://[dps", "https://dps.test:port"])
def test_an_endpoint_that_is_no_url_is_compared_as_it_is(odd: str) -> None:
    config = CONFIG.replace("https://dps.test:8443", odd)

    assert compared(config, recorded()) == [("identityd", "provisioning.global_endpoint")]


@pytest.mark.parametrize(
    "odd",
    [
        {"provisioning": "x", "tpm": 3},
        {"provisioning": {"attestation": [], "global_endpoint": 5}},
        {"tpm": {"tcti": 5, "hierarchy_authorization": "x"}},
        {"hostname": 5, "auto_reprovisioning_mode": {}},
    ],
)
def test_an_odd_document_is_a_disagreement_and_no_crash(odd: dict[str, Any]) -> None:
    assert disagreements(odd, recorded())
    assert disagreements(tomllib.loads(CONFIG), dict.fromkeys(SERVICES, 'provisioning = "x"\ntpm = 3\n'))
