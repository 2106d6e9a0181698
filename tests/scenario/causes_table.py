"""The table of causes: every fault, what the runtime's own status shows then, and what ours says.

`python -m tests.scenario.causes_table` plays them all and writes docs/causes.md; the tests play each row too.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from agent.codes import Code, Phase, apply, cloud, config, identity, modules, runtime, tpm, udev
from tests.scenario import faults
from tests.scenario.faults import fault
from tests.scenario.stage import CHECKOUT, Stage, Status

Deed = Callable[[Stage], None]

PAGE = os.path.join(CHECKOUT, "docs", "causes.md")
_SAMPLES = 6  # for the page: one look at a crash loop shows one moment of it
_DAEMONS = 5
_HEADING = """\
# Causes

Written by `python -m tests.scenario.causes_table` from a run of the agent against the tests' stand-in of the
runtime, which follows what runtime 1.6 was seen to do; run it again after a change.

Each row is a fault that was made. Beside it stands what `iotedge system status` showed in that state (several
words where it changed from look to look), and what `edge-provisioner status` said; where the agent puts the
fault right by itself, what it does comes first. `edge-provisioner explain CODE` says what to do.

| fault | the runtime's own status | ours |
|---|---|---|
"""


class Begin(StrEnum):
    """How the device is before the fault."""

    NEW = "new"
    PROVISIONED = "provisioned"


NEW, PROVISIONED = Begin.NEW, Begin.PROVISIONED


@dataclass(frozen=True, slots=True)
class Row:
    """A fault: what it is called, how it is made and mended, and the code of ours that tells it.

    `more_looks` find the same, `again` is done before each of them; `notice` is a code that is told beside,
    and `ahead_s` lets our clock be later than the machine's.
    """

    fault: str
    begin: Begin
    make: Deed
    code: Code
    mend: Deed | None = None
    again: Deed | None = None
    notice: Code | None = None
    more_looks: int = 2
    ahead_s: float = 0.0

    @property
    def is_repaired(self) -> bool:
        """Whether the agent itself puts it right."""
        return self.code.phase is Phase.PROVISIONED


ROWS = (
    Row("no udev rule", PROVISIONED, faults.no_rule, runtime.PROVISIONED),
    Row("no udev rule, and udevd does not answer", PROVISIONED, faults.no_rule_and_no_udev,
        udev.UDEVADM_FAILED, fault(udev=None)),
    Row("a udev rule of somebody's, for tpm0 only", PROVISIONED, faults.published_rule, runtime.PROVISIONED),
    Row("another udev rule takes the TPM away again", PROVISIONED, faults.later_rule, udev.ACCESS_DENIED,
        faults.no_later_rule),
    Row("TPM gone from a running device", PROVISIONED, faults.tpm_gone, runtime.TPM_GONE, faults.tpm_back),
    Row("TPM gone, and the runtime restarted", PROVISIONED, faults.tpm_gone_and_restarted, runtime.TPM_GONE,
        faults.tpm_back),
    Row("TPM back as tpm1", PROVISIONED, faults.tpm_at_one, runtime.PROVISIONED, faults.tpm_at_zero),
    Row("id scope changed, old identity cached", PROVISIONED, faults.other_scope, identity.CACHED,
        faults.reprovision),
    Row("registration id changed, old identity cached", PROVISIONED, faults.other_registration_id,
        identity.CACHED, faults.old_registration_id),
    Row("identity's backup lost by a refused reprovisioning", PROVISIONED, faults.backup_lost,
        identity.BACKUP_LOST, faults.cloud_is_well_and_reprovision),
    Row("the same, and then the runtime restarted", PROVISIONED, faults.backup_lost_and_restarted,
        cloud.NOT_ENROLLED, faults.cloud_is_well),
    Row("not enrolled", NEW, fault(cloud="401"), cloud.NOT_ENROLLED, faults.cloud_is_well),
    Row("enrolment disabled", NEW, fault(cloud="disabled"), cloud.DISABLED, faults.cloud_is_well),
    Row("cloud throttles", NEW, fault(cloud="throttled"), cloud.THROTTLED, faults.cloud_is_well, more_looks=1,
        ahead_s=90),
    Row("cloud silent, not yet known why", NEW, fault(cloud="throttled"), cloud.SILENT, more_looks=1,
        ahead_s=40),
    Row("cloud hangs", NEW, fault(cloud="hanging"), cloud.HANGING, more_looks=1),
    Row("cloud answers 500", NEW, fault(cloud="500"), cloud.SERVER_ERROR, faults.cloud_is_well),
    Row("cloud out of reach", NEW, fault(cloud="unreachable"), cloud.UNREACHABLE, faults.cloud_is_well),
    Row("hub out of reach at the first provisioning", NEW, fault(hub="unreachable"), cloud.HUB_UNREACHABLE,
        faults.hub_is_back),
    Row("offline after provisioning", PROVISIONED, faults.offline, runtime.PROVISIONED),
    Row("hub refuses the device", PROVISIONED, faults.hub_refuses, cloud.HUB_REFUSES, faults.cloud_is_well),
    Row("clock a minute behind", NEW, fault(cloud="clock-behind"), cloud.CLOCK_BEHIND, faults.cloud_is_well),
    Row("clock an hour behind", NEW, fault(cloud="clock-hour-behind"), cloud.CLOCK_WRONG,
        faults.cloud_is_well),
    Row("a unit masked", PROVISIONED, faults.masked, runtime.UNIT_MASKED, faults.unmasked),
    Row("stopped by hand", PROVISIONED, faults.stopped, runtime.STOPPED, faults.restart),
    Row("a socket stopped by hand", PROVISIONED, faults.socket_stopped, runtime.STOPPED, faults.restart),
    Row("a socket given up, its daemon may not start", PROVISIONED, faults.socket_given_up,
        runtime.SOCKET_FAILED, faults.socket_taken_back),
    Row("a socket given up, its daemon ends at once", PROVISIONED, faults.socket_given_up_by_its_service,
        runtime.SOCKET_FAILED, faults.socket_taken_back),
    Row("edgeAgent's registry out of reach", NEW, fault(registry="unreachable"), modules.REGISTRY_UNREACHABLE,
        fault(registry=None)),
    Row("edgeAgent's registry wants a password", NEW, fault(registry="unauthorised"), modules.UNAUTHORISED,
        fault(registry=None)),
    Row("edgeAgent's tag mistyped", NEW, fault(registry="no-image"), modules.NO_IMAGE, fault(registry=None)),
    Row("edgeAgent's image for another processor", NEW, fault(registry="wrong-architecture"),
        modules.WRONG_ARCHITECTURE, fault(registry=None)),
    Row("disk full as edgeAgent is fetched", NEW, fault(registry="full"), modules.PULL_FAILED,
        fault(registry=None)),
    Row("edgeAgent's image fetched on a slow line", NEW, fault(registry="slow"), runtime.PROVISIONED,
        notice=modules.PULLING),
    Row("edgeAgent never fetched and not preloaded", PROVISIONED, faults.not_preloaded, modules.NOT_PRELOADED,
        faults.fetched_again),
    Row("edgeAgent's container gone and the hub out of reach", PROVISIONED,
        faults.hub_away_and_edge_agent_removed, modules.IDENTITY_REFUSED, fault(hub=None)),
    Row("edgeAgent's create options refused", NEW, fault(edge_agent="not-created"), modules.NOT_CREATED,
        fault(edge_agent=None)),
    Row("edgeAgent's port taken by another container", NEW, fault(edge_agent="not-started"),
        modules.NOT_STARTED, fault(edge_agent=None)),
    Row("edgeAgent ends again and again", NEW, fault(edge_agent="crashes"), modules.CRASH_LOOP),
    Row("payload not readable by aziotid", NEW, faults.payload_unreadable, runtime.PAYLOAD_UNREADABLE,
        faults.payload_readable),
    Row("payload is not JSON", NEW, faults.payload_broken, runtime.PAYLOAD_INVALID, faults.payload_mended),
    Row("TPM has an owner password, not configured", NEW, faults.password_set, runtime.TPM_PASSWORD,
        faults.password_given),
    Row("the same, and the TPM without keys", NEW, faults.password_set_on_empty_tpm, tpm.OWNER_AUTH,
        faults.password_given),
    Row("container engine down", NEW, faults.engine_down, runtime.ENGINE_DOWN, faults.engine_up),
    Row("container engine down, and an apply due", PROVISIONED, faults.engine_down_and_settings_changed,
        apply.ENGINE_DOWN, faults.engine_up),
    Row("host name changed while modules exist", PROVISIONED, faults.hostname_changed, apply.HOSTNAME_GUARD,
        faults.hostname_put_back),
    Row("auto_reprovisioning_mode written below a table", PROVISIONED, faults.misplaced_key,
        runtime.PROVISIONED, notice=config.MISPLACED_KEY),
    Row("edged's settings broken (exit 153)", PROVISIONED, faults.edged_settings_bad, runtime.SETTINGS_BAD,
        faults.edged_settings_mended),
    Row("a daemon killed, not yet started again", PROVISIONED, faults.killed_and_down, runtime.RESTARTED,
        fault(time_scale=None), more_looks=0),
    Row("a daemon killed once, up again", PROVISIONED, faults.killed, runtime.RESTARTED, faults.nothing,
        more_looks=0),
    Row("a daemon killed again and again", PROVISIONED, faults.killed, runtime.RESTARTED, faults.nothing,
        again=faults.killed),
    Row("a daemon that ends at each start, for a reason without a code", PROVISIONED, faults.broken,
        runtime.CRASH_LOOP, fault(broken=None), more_looks=0),
)  # fmt: skip


@dataclass(slots=True)
class Played:
    """What was seen: our looks until the code was found and after; the runtime's own words, if asked for."""

    row: Row
    stage: Stage
    samples: int = 0
    said: dict[str, set[str]] = field(default_factory=dict)
    on_the_way: list[Status] = field(default_factory=list)
    looks: list[Status] = field(default_factory=list)

    def play(self) -> None:
        """Make the fault and look until we tell it, then some more."""
        self.row.make(self.stage)
        self.stage.did.clear()
        if self.row.begin is PROVISIONED:
            self._hear()
        *self.on_the_way, found = self.stage.look_until(self.row.code.name, ahead_s=self.row.ahead_s)
        self.looks = [found]
        for _ in range(self.row.more_looks):
            if self.row.again:
                self.row.again(self.stage)
            if not self.row.is_repaired:
                self._hear()
            self.looks.append(self.stage.once(ahead_s=self.row.ahead_s))

    def _hear(self) -> None:
        for _ in range(self.samples):
            for name, word in self.stage.runtime_says().items():
                self.said.setdefault(name.removeprefix("aziot-"), set()).add(word)

    def as_markdown(self) -> str:
        """Give the table's row."""
        did = [f"does: {effect}" for effect in self.stage.did if self.row.is_repaired]
        told = [*did, f"`{self.row.code.name}`: {self.looks[-1]['summary']}"]
        told += [f"`{one['code']}`: {one['summary']}" for one in self.looks[0]["notices"]]
        ours = re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1...", "; ".join(told))
        return f"| {self.row.fault} | {self._runtime_says()} | {ours} |\n".replace("\\", "")

    def _runtime_says(self) -> str:
        words = {name: " or ".join(sorted(said)) for name, said in self.said.items()}
        if len(words) == _DAEMONS and len(set(words.values())) == 1:
            return f"all {next(iter(words.values()))}"
        by_words: dict[str, list[str]] = {}
        for name, word in words.items():
            by_words.setdefault(word, []).append(name)
        return "; ".join(f"{', '.join(names)} {word}" for word, names in by_words.items())


@contextmanager
def played(row: Row, base: str, *, samples: int = 0) -> Iterator[Played]:
    """Play a row on a machine of its own, which is there for the block."""
    with Stage(base) as stage:
        stage.plug()
        if row.begin is PROVISIONED:
            stage.provision()
        made = Played(row, stage, samples)
        made.play()
        yield made


def main() -> int:
    """Play all rows, and write the page."""
    lines = []
    for row in ROWS:
        with tempfile.TemporaryDirectory(prefix="ep-") as base:
            os.chmod(base, 0o755)  # noqa: S103  # the runtime's users search it
            with played(row, base, samples=_SAMPLES) as made:
                lines.append(made.as_markdown())
        sys.stderr.write(f"{row.fault}\n")
    with open(PAGE, "w", encoding="utf-8") as page:
        page.write(_HEADING + "".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
