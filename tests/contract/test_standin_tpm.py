"""The stand-in's TPM service with a real TPM behind its node: keys, passwords, the device's own key."""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract import states
from tests.contract.states import apply
from tests.contract.transcripts import shell, wait
from tests.standins.machine import Machine
from tests.standins.software_tpm import SoftwareTpm
from tests.standins.unixhttp import Answer, ask

EK_LOST = "could not read endorsement key from 0x81010001: tpm:handle(1):the handle is not correct"
DEVICE_INFO = "/var/lib/aziot/identityd/device_info"


@pytest.fixture
def chip() -> Iterator[SoftwareTpm]:
    with SoftwareTpm() as made:
        yield made


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory, chip: SoftwareTpm) -> Iterator[Machine]:
    with states.new(str(tmp_path_factory.mktemp("m"))) as made:
        chip.bridge(made.path("/dev/tpmrm0")).plug()
        if os.geteuid() == 0:
            os.chown(made.path("/dev/tpmrm0"), 998, 998)
        made.fault(real_tpm=True)
        yield made


def _tpmd(machine: Machine, path: str, document: object = None) -> Answer:
    method = "GET" if document is None else "POST"
    target = f"{path}?api-version=2020-09-01"
    return ask(machine.path("/run/aziot/tpmd.sock"), (method, target), document, timeout_s=30)


def _journal(machine: Machine) -> str:
    return shell(machine, "journalctl -u aziot-tpmd -o cat --no-pager").out


def _signed(machine: Machine, key: bytes, data: bytes = b"to sign") -> bool:
    answer = _tpmd(machine, "/sign_with_auth_key", {"data": base64.b64encode(data).decode()})
    return base64.b64decode(answer.document["digest"]) == hmac.digest(key, data, "sha256")


def _import(machine: Machine, key: bytes) -> int:
    return _tpmd(machine, "/import_auth_key", {"key": base64.b64encode(key).decode()}).status


def test_it_makes_the_keys_that_are_not_there_and_says_so_once(machine: Machine, chip: SoftwareTpm) -> None:
    made = _tpmd(machine, "/get_tpm_keys").document
    assert made["endorsement_key"].startswith("AToAAQALAAMAsgAgg3GXZ0SEs")
    assert made["storage_root_key"].startswith("ARoAAQALAAMEcgAAAAYAgABDABAI")
    assert EK_LOST in _journal(machine)
    assert chip.commands().count("CreatePrimary") == 2
    shell(machine, "iotedge system restart")
    assert _tpmd(machine, "/get_tpm_keys").document == made
    assert chip.commands() == ["ReadPublic", "ReadPublic"]


def test_the_device_signs_with_the_key_that_was_imported_last(machine: Machine) -> None:
    assert _tpmd(machine, "/sign_with_auth_key", {"data": "eA=="}).status == 500
    for key in (b"first", b"second"):
        assert _import(machine, key) == 200
        assert _signed(machine, key)
    shell(machine, "iotedge system restart")
    assert _signed(machine, b"second")


def test_clients_that_come_together_are_served_one_after_the_other(machine: Machine) -> None:
    keys = [f"key {number}".encode() for number in range(8)]
    with ThreadPoolExecutor(len(keys)) as clients:
        assert list(clients.map(lambda key: _import(machine, key), keys)) == [200] * len(keys)
    assert [_signed(machine, key) for key in keys].count(True) == 1


def test_a_tpm_that_is_gone_is_an_io_failure(machine: Machine, chip: SoftwareTpm) -> None:
    assert _import(machine, b"key") == 200
    chip.power_off()
    assert _tpmd(machine, "/sign_with_auth_key", {"data": "eA=="}).status == 500
    assert "!!! caused by: tcti:IO failure\n" in _journal(machine)


def test_only_the_endorsement_key_of_the_enrolment_is_challenged(machine: Machine) -> None:
    key = _tpmd(machine, "/get_tpm_keys").document["endorsement_key"]
    machine.fault(enrolled={"endorsement_keys": [hashlib.sha256(b"another").hexdigest()]})
    apply(machine)
    refused = "caused by: missing field `authenticationKey`"
    wait(lambda: refused in shell(machine, "journalctl -u aziot-identityd -o cat").out)
    machine.fault(enrolled={"endorsement_keys": [hashlib.sha256(base64.b64decode(key)).hexdigest()]})
    wait(lambda: os.path.exists(machine.path(DEVICE_INFO)))


def test_a_device_that_comes_up_with_another_tpm_cannot_sign_and_registers_anew(
    machine: Machine, chip: SoftwareTpm
) -> None:
    apply(machine)
    wait(lambda: os.path.exists(machine.path(DEVICE_INFO)))
    key = _tpmd(machine, "/get_tpm_keys").document["endorsement_key"]
    shell(machine, "iotedge system stop")
    machine.unplug("tpmrm0")
    machine.fault(enrolled={"endorsement_keys": [key]})
    with SoftwareTpm() as other:
        other.bridge(machine.path("/dev/tpmrm0")).plug()
        if os.geteuid() == 0:
            os.chown(machine.path("/dev/tpmrm0"), 998, 998)
        shell(machine, "iotedge system restart")
        said = "Could not reconcile Identities with current device data. Reprovisioning."
        wait(lambda: said in shell(machine, "journalctl -u aziot-identityd -o cat").out)
        lost = "and no valid device backup was found: DPS client error"
        wait(lambda: lost in shell(machine, "journalctl -u aziot-identityd -o cat").out)
    assert os.path.exists(machine.path(DEVICE_INFO))


def test_an_owner_password_that_is_not_configured_is_told_by_tpmd_alone(
    machine: Machine, chip: SoftwareTpm
) -> None:
    _tpmd(machine, "/get_tpm_keys")
    shell(machine, "iotedge system stop")
    chip.wire.transact(_set_owner_password(b"secret"))
    shell(machine, "iotedge system restart")
    assert _import(machine, b"key") == 500
    assert "!!! caused by: tpm:session(1):authorization failure without DA implications" in _journal(machine)
    with open(machine.path("/etc/aziot/config.toml"), "a", encoding="utf-8") as target:
        target.write('\n[tpm.hierarchy_authorization]\nowner = "secret"\n')
    apply(machine)
    assert _import(machine, b"key") == 200


def _set_owner_password(password: bytes) -> bytes:
    """Marshal a TPM2_HierarchyChangeAuth of the owner, who has none (TPM 2.0 part 3, 24.8)."""
    body = bytes.fromhex("4000000100000009400000090000000000")
    body += len(password).to_bytes(2, "big") + password
    return b"\x80\x02" + (10 + len(body)).to_bytes(4, "big") + bytes.fromhex("00000129") + body
