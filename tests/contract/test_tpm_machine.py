"""What a machine says of itself, and the passwords it keeps for its TPM."""

from pathlib import Path

import pytest

from agent.codes import AgentError
from agent.codes import tpm as codes
from agent.host import files
from agent.host.root import Root
from agent.tpm import keys, machine
from agent.tpm.registration import MachineFacts


def put(root: Path, place: str, content: bytes) -> None:
    target = root / place.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(0o600)


def test_facts_are_read_below_the_root(tmp_path: Path) -> None:
    put(tmp_path, "/etc/machine-id", b"0af3d2c4\n")
    put(tmp_path, "/etc/hostname", b"line-4\n")
    put(tmp_path, "/sys/class/dmi/id/product_serial", b"SN1 \n")
    put(tmp_path, "/sys/firmware/devicetree/base/serial-number", b"100000\0")

    assert machine.facts(Root(str(tmp_path))) == MachineFacts("0af3d2c4", "line-4", "SN1")


def test_a_board_without_smbios_has_its_serial_in_the_device_tree(tmp_path: Path) -> None:
    put(tmp_path, "/sys/firmware/devicetree/base/serial-number", b"10000000abcd\0")

    assert machine.facts(Root(str(tmp_path))).serial == "10000000abcd"


def test_what_is_missing_is_empty(tmp_path: Path) -> None:
    assert machine.facts(Root(str(tmp_path))) == MachineFacts()


def test_what_can_not_be_read_is_empty(tmp_path: Path) -> None:
    (tmp_path / "etc/machine-id").mkdir(parents=True)

    assert machine.facts(Root(str(tmp_path))).machine_id == ""


def test_the_host_name_of_the_machine_itself_is_the_kernels() -> None:
    with open("/proc/sys/kernel/hostname", encoding="utf-8") as source:
        assert machine.facts(Root()).hostname == source.read().strip()


def test_passwords_come_from_the_credential_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    put(tmp_path, "/etc/credstore/tpm-owner-auth", b"hunter2\n")
    given = keys.authorisations(Root(str(tmp_path)))

    assert given.owner is not None
    assert given.owner.reveal() == "hunter2"
    assert given.endorsement is None
    assert "hunter2" not in f"{given} {given!r}"


def test_a_password_that_can_not_be_read_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    put(tmp_path, "/etc/credstore/tpm-owner-auth", b"\xff\xfe")

    with pytest.raises(AgentError) as caught:
        keys.authorisations(Root(str(tmp_path)))
    assert caught.value.finding.code == codes.CREDENTIAL_UNREADABLE


def test_a_user_who_may_not_read_passwords_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise PermissionError

    monkeypatch.setattr(files, "read", refuse)

    assert keys.authorisations(Root()) == keys.NO_AUTHORISATIONS
