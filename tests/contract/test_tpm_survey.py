"""Several TPMs at once: the device's one is found by its EK, whatever the nodes are called."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.codes import Code
from agent.codes import tpm as codes
from agent.host.root import Root
from agent.tpm import keys, nodes
from agent.tpm.keys import Request
from agent.tpm.survey import Wanted, select
from agent.values import replace
from tests.contract.tpm_asking import (
    FLUSH,
    LOOKED,
    MAKE,
    ONCE,
    READ,
    WARM,
    persistent_handles,
    tools,
)  # fmt: skip
from tests.standins.software_tpm import SoftwareTpm
from tests.standins.tpm_wire import Effect, Fault

OPENING = ["0x17b"]
WANTED = Wanted(patience=ONCE)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(str(tmp_path))


@pytest.fixture
def two(root: Root) -> Iterator[tuple[SoftwareTpm, SoftwareTpm]]:
    """Two empty TPMs, at tpmrm0 and tpmrm1."""
    with SoftwareTpm() as one, SoftwareTpm() as other:
        for number, tpm in enumerate((one, other)):
            tpm.bridge(root.path(f"/dev/tpmrm{number}")).plug()
        yield one, other


def ensured(root: Root, name: str) -> keys.Keys:
    return keys.ensure(root, Request(nodes.device(root, name), patience=ONCE))


def test_without_a_tpm_nothing_is_chosen(root: Root) -> None:
    choice = select(root, WANTED)

    assert choice.device is None
    assert choice.finding == codes.ABSENT()


def test_the_only_tpm_is_taken_without_a_command(root: Root, software_tpm: SoftwareTpm) -> None:
    software_tpm.bridge(root.path("/dev/tpmrm7")).plug()

    assert select(root, WANTED).device == nodes.device(root, "/dev/tpmrm7")
    assert software_tpm.commands() == []


@pytest.mark.parametrize("setting", ["/dev/tpmrm1", "swtpm:port=2321"])
def test_a_setting_that_names_one_is_followed_without_a_look(root: Root, setting: str) -> None:
    assert select(root, replace(WANTED, setting=setting)).device == nodes.device(root, setting)


def test_of_several_new_ones_none_is_chosen(root: Root, two: tuple[SoftwareTpm, SoftwareTpm]) -> None:
    made = ensured(root, "/dev/tpmrm0")
    choice = select(root, WANTED)

    assert choice.device is None
    assert choice.finding is not None
    assert choice.finding.code == codes.SEVERAL
    assert f"/dev/tpmrm0 (EK Name {made.ek.name}); /dev/tpmrm1 (no EK yet)" in choice.finding.remedy


def test_the_stored_one_is_found(root: Root, two: tuple[SoftwareTpm, SoftwareTpm]) -> None:
    ensured(root, "/dev/tpmrm0")
    made = ensured(root, "/dev/tpmrm1")
    for tpm in two:
        tpm.commands()
    choice = select(root, replace(WANTED, stored_ek_name=made.ek.name))

    assert choice.device == nodes.device(root, "/dev/tpmrm1")
    assert [tpm.commands() for tpm in two] == [WARM] * 2


def test_the_stored_one_is_found_though_it_was_cleared(
    root: Root, two: tuple[SoftwareTpm, SoftwareTpm]
) -> None:
    made = ensured(root, "/dev/tpmrm1")
    tools(two[1], "tpm2_clear", "-c", "platform")
    two[1].commands()
    choice = select(root, replace(WANTED, stored_ek_name=made.ek.name))

    assert choice.device == nodes.device(root, "/dev/tpmrm1")
    assert two[1].commands() == LOOKED + LOOKED + OPENING + [MAKE, FLUSH]
    assert persistent_handles(two[1]) == []


def test_one_is_found_by_the_beginning_of_its_ek_name(
    root: Root, two: tuple[SoftwareTpm, SoftwareTpm]
) -> None:
    ensured(root, "/dev/tpmrm0")
    made = ensured(root, "/dev/tpmrm1")

    assert select(root, replace(WANTED, setting=f"ek:{made.ek.name[:20]}")).device == made.device


def test_a_foreign_object_is_nobodys_ek(root: Root, two: tuple[SoftwareTpm, SoftwareTpm]) -> None:
    tools(two[0], "tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", "made.ctx")
    tools(two[0], "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "made.ctx", "0x81010001")
    choice = select(root, replace(WANTED, stored_ek_name="000b"))

    assert choice.finding is not None
    assert choice.finding.code == codes.NOT_AMONG
    assert "/dev/tpmrm0 (a foreign object in place of its EK)" in choice.finding.remedy


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(Fault(Effect.ANSWER, READ, rc=0x101, times=9), codes.FAILURE_MODE, id="when it is read"),
        pytest.param(Fault(Effect.ANSWER, MAKE, rc=0x9A2), codes.ENDORSEMENT_AUTH, id="when its EK is made"),
    ],
)
def test_one_that_can_not_be_read_may_be_the_stored_one(
    root: Root, two: tuple[SoftwareTpm, SoftwareTpm], fault: Fault, code: Code
) -> None:
    ensured(root, "/dev/tpmrm0")
    two[1].faults.append(fault)
    choice = select(root, replace(WANTED, stored_ek_name="000b00"))

    assert choice.device is None
    assert choice.finding is not None
    assert choice.finding.code == code
