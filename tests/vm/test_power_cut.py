"""The power goes at any moment of the first provisioning or of a change; the next boot makes it good.

Such a run is made once, saved every few seconds until it has come to its end. Each case goes on from one of
these moments for a part of that time; then qemu and swtpm are killed: what the kernel did not write is lost.
Meanwhile nobody logs in, for that would be a good part of what the machine does in that time.
"""

import json
import shlex
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from tests import sample
from tests.vm import witness
from tests.vm.conftest import Bench
from tests.vm.machine import Machine
from tests.vm.stages import PROVISIONED, SETTINGS, SOON, Stages, locked, provisioned_again, settings

_BETWEEN_S = 4.0
_MOST_MOMENTS = 40
_OF = 5  # a run plays one of so many neighbours
_OVER = "TEST-STORY-OVER"
_TEMPORARY = "find /etc /var/lib/edge-provisioner /run/edge-provisioner -name '.edge-provisioner-*'"
_HISTORY = "/var/lib/edge-provisioner/history.json"


@dataclass(frozen=True, slots=True)
class Story:
    """What is going on when the power goes: from which stage on, with what done before, until when."""

    name: str
    begins_with: str
    by_hand: str
    mode: str
    ends: str
    cuts: int


_FIRST = Story("first", "with-runtime", "true", "Dynamic", provisioned_again(1), 30)
_LINE = "# A line that we could not write again."
_CHANGE = Story(
    "change",
    "soon-provisioned",
    f"sed -i '1i {_LINE}' {witness.CONFIG}",
    "OnErrorOnly",
    provisioned_again(2),
    20,
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ends where nobody cuts the power."""

    moments: int
    config: str
    names: tuple[str, ...]
    device: str


def _told(stages: Stages, story: Story) -> Ending:
    """Give how a story ends; who asks first lets it happen."""
    place = stages.folder / f"{story.name}.json"
    with locked(place.with_suffix(".lock")):
        if not place.exists():
            place.write_text(json.dumps(asdict(_tell(stages, story))))
        told = json.loads(place.read_text())
    return Ending(**{**told, "names": tuple(told["names"])})


def _tell(stages: Stages, story: Story) -> Ending:
    machine = stages.copy(story.begins_with, stages.folder / f"{story.name}-0")
    machine.run(f"{story.by_hand}; {_say_when_over(story)}")
    machine.write(SETTINGS, settings(more=f'{SOON}auto_reprovisioning_mode = "{story.mode}"\n'))
    machine.run("systemctl reload --no-block edge-provisioner", status=None)
    number = 0
    for number in range(1, _MOST_MOMENTS + 1):
        machine.save()
        machine = Machine.copy(stages.folder / f"{story.name}-{number}", machine)
        machine.go_on()
        time.sleep(_BETWEEN_S)  # for nothing to happen: this is how far apart the moments are
        if _OVER in machine.emulator.console():
            break
    machine.wait(story.ends)
    names, device = witness.names(machine), witness.device(machine)["deviceId"]
    ending = Ending(number, machine.read(witness.CONFIG), names, device)
    machine.cut()
    return ending


def _say_when_over(story: Story) -> str:
    look = f"until {story.ends}; do sleep 1; done; echo {_OVER} >/dev/ttyS0"
    return f"systemd-run --quiet --unit=story sh -c {shlex.quote(look)}"


def _moments() -> Iterator[ParameterSet]:
    for story in (_FIRST, _CHANGE):
        moments = {
            f"{story.name}-{number + 1}-of-{story.cuts}": (story, number) for number in range(story.cuts)
        }
        yield from sample.cases(story.name, moments, _OF)


@pytest.mark.always  # it makes what the cases below begin with
@pytest.mark.takes(200)
@pytest.mark.parametrize("story", [_FIRST, _CHANGE], ids=lambda story: story.name)
def test_where_nobody_cuts_the_power_it_comes_to_its_end(bench: Bench, story: Story) -> None:
    ending = _told(bench.stages, story)

    assert tomllib.loads(ending.config)["auto_reprovisioning_mode"] == story.mode
    assert ending.device


@pytest.mark.takes(60)
@pytest.mark.parametrize(("story", "number"), [*_moments()])
def test_after_a_power_cut_the_next_boot_makes_it_good(bench: Bench, story: Story, number: int) -> None:
    ending = _told(bench.stages, story)
    moment, part = divmod((number + 0.5) / story.cuts * ending.moments, 1)
    machine = bench.copy_of(bench.stages.at(f"{story.name}-{moment:.0f}"))
    machine.go_on()
    time.sleep(part * _BETWEEN_S)  # the moment at which the power goes
    machine.cut()

    machine.boot()
    machine.wait(PROVISIONED)

    assert machine.read(witness.CONFIG) == ending.config
    _nothing_was_torn(machine, story)
    _all_is_there(machine, story)
    assert witness.persistent(machine) == [
        witness.STORAGE_ROOT_KEY,
        witness.AUTH_KEY,
        witness.ENDORSEMENT_KEY,
    ]
    assert witness.names(machine) == ending.names
    assert witness.device(machine)["deviceId"] == ending.device
    assert f'device_id = "{ending.device}"' in machine.read(witness.BACKUP)
    assert witness.sign(machine)
    assert witness.active(machine) == ["active"] * 5


def _nothing_was_torn(machine: Machine, story: Story) -> None:
    """Look at what test-found.service of the image kept at boot, before we could put it right."""
    whole: dict[str, Callable[[str], Any]] = {
        "config.toml": tomllib.loads,
        "history.json": json.loads,
        "tpmaccess.rules": str,
    }
    found = machine.run("ls /run/found").split()
    assert story is _FIRST or set(found) == set(whole), "what was there before the change is gone"
    for name in found:
        assert whole[name](machine.read(f"/run/found/{name}")), f"{name} was empty"


def _all_is_there(machine: Machine, story: Story) -> None:
    generated = [tomllib.loads(machine.read(place)) for place in witness.GENERATED.split()]
    assert all(generated[:3])  # aziot-tpmd's is empty where nothing differs from the defaults
    assert generated[-1]["auto_reprovisioning_mode"] == story.mode
    assert json.loads(machine.read(_HISTORY))
    machine.run(f"cmp /usr/share/edge-provisioner/tpmaccess.rules {witness.RULE}")
    assert machine.run(_TEMPORARY) == ""
    assert witness.owners(machine) == {"/dev/tpm0": "aziottpm 660", "/dev/tpmrm0": "aziottpm 660"}
