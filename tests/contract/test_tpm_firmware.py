"""No node, but a firmware that announces a TPM: told apart from a device that has none."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.cli import main
from agent.host.root import Root
from agent.tpm import nodes
from agent.tpm.survey import Wanted, select

TABLE = "sys/firmware/acpi/tables/TPM2"
ACPI = "sys/bus/acpi/devices/MSFT0101:00"
TREE = "sys/firmware/devicetree/base"
SPI = f"{TREE}/soc/spi@7e204000"


def put(root: Path, files: Mapping[str, bytes]) -> Root:
    for place, data in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(data)
    return Root(str(root))


@pytest.mark.parametrize(
    ("files", "source"),
    [
        pytest.param({TABLE: b"TPM2"}, TABLE, id="ACPI's table"),
        pytest.param({f"{ACPI}/status": b"15\n"}, ACPI, id="an ACPI device"),
        pytest.param({f"{ACPI}/hid": b"MSFT0101\n"}, ACPI, id="an ACPI device without _STA"),
        pytest.param({f"{SPI}/tpm@1/reg": b"1"}, f"{SPI}/tpm@1", id="a device tree's node"),
        pytest.param(
            {f"{SPI}/tpm@0/status": b"disabled\0", f"{SPI}/tpm@1/status": b"okay\0"}, f"{SPI}/tpm@1",
            id="the second of two",
        ),
        pytest.param({f"{SPI}/slb9670@1/reg": b"1"}, f"{SPI}/slb9670@1", id="the Raspberry Pi's overlay"),
    ],
)  # fmt: skip
def test_what_no_driver_has_taken_is_named(tmp_path: Path, files: Mapping[str, bytes], source: str) -> None:
    finding = nodes.absence(put(tmp_path, files))

    assert finding.code.name == "tpm.no-driver"
    assert f"/{source} is there" in finding.explanation
    assert select(Root(str(tmp_path)), Wanted()).finding == finding


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="nothing"),
        pytest.param({f"{ACPI}/status": b"0\n"}, id="switched off"),
        pytest.param({"sys/bus/acpi/devices/MSFT0102:00/status": b"15"}, id="another device"),
        pytest.param({f"{SPI}/tpm@0/status": b"disabled\0"}, id="disabled in the tree"),
        pytest.param({f"{TREE}/tpm@1": b"a property"}, id="a property of that name"),
    ],
)
def test_a_device_without_a_tpm_shows_none(tmp_path: Path, files: Mapping[str, bytes]) -> None:
    assert nodes.absence(put(tmp_path, files)).code.name == "tpm.absent"


def test_commands_tell_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, {TABLE: b"TPM2"})

    for words in (("identity",), ("tpm", "show")):
        assert main(("--root", str(tmp_path), *words)) == 3
        assert capsys.readouterr().err.startswith("tpm.no-driver: ")
