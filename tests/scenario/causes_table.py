"""The table of causes: every fault, what the runtime's own status shows then, and what ours says.

`python -m tests.scenario.causes_table [FILE]` plays them all and writes the table as Markdown.
"""

import sys
import tempfile
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from agent.codes import Code, apply, cloud, config, identity, runtime, tpm, udev
from tests.scenario import faults
from tests.scenario.stage import Stage, Status

Deed = Callable[[Stage], None]


class Begin(StrEnum):
    """How the device is before the fault."""

    NEW = "new"
    PROVISIONED = "provisioned"


NEW, PROVISIONED = Begin.NEW, Begin.PROVISIONED


@dataclass(frozen=True, slots=True)
class Row:
    """A fault: what it is called, how it is made, which code of ours tells it, and how it is mended."""

    fault: str
    begin: Begin
    make: Deed
    code: Code
    mend: Deed | None = None
    ahead_s: float = 0.0


CLOUD_WELL = faults.cloud_is_well

ROWS = (
    Row("no udev rule, and udevd does not answer", PROVISIONED, faults.no_rule_and_no_udev,
        udev.UDEVADM_FAILED, faults.fault(udev=None)),
    Row("no udev rule", PROVISIONED, faults.no_rule, runtime.PROVISIONED),
    Row("a udev rule for tpm0 only", PROVISIONED, faults.published_rule, runtime.PROVISIONED),
    Row("a later udev rule takes the TPM away", PROVISIONED, faults.later_rule, udev.ACCESS_DENIED,
        faults.no_later_rule),
    Row("TPM gone", PROVISIONED, faults.tpm_gone, runtime.TPM_GONE, faults.tpm_back),
    Row("TPM back as tpm1", PROVISIONED, faults.tpm_at_one, runtime.PROVISIONED, faults.tpm_at_zero),
    Row("id scope changed, old identity cached", PROVISIONED, faults.other_scope, identity.CACHED,
        faults.reprovision),
    Row("registration id changed, old identity cached", PROVISIONED, faults.other_registration_id,
        identity.CACHED, faults.old_registration_id),
    Row("identity's backup lost by a refused reprovisioning", PROVISIONED, faults.backup_lost,
        identity.BACKUP_LOST, faults.cloud_is_well_and_reprovision),
    Row("the same, and the runtime restarted", PROVISIONED, faults.backup_lost_and_restarted,
        cloud.NOT_ENROLLED, CLOUD_WELL),
    Row("not enrolled", NEW, faults.fault(cloud="401"), cloud.NOT_ENROLLED, CLOUD_WELL),
    Row("enrolment disabled", NEW, faults.fault(cloud="disabled"), cloud.DISABLED, CLOUD_WELL),
    Row("cloud throttles, more than 75 s", NEW, faults.fault(cloud="throttled"), cloud.THROTTLED, CLOUD_WELL, 90),
    Row("cloud silent, less than 75 s", NEW, faults.fault(cloud="throttled"), cloud.SILENT, None, 40),
    Row("cloud hangs", NEW, faults.fault(cloud="hanging"), cloud.HANGING),
    Row("cloud answers 500", NEW, faults.fault(cloud="500"), cloud.SERVER_ERROR, CLOUD_WELL),
    Row("cloud out of reach", NEW, faults.fault(cloud="unreachable"), cloud.UNREACHABLE, CLOUD_WELL),
    Row("offline after provisioning", PROVISIONED, faults.offline, runtime.PROVISIONED),
    Row("hub refuses the device", PROVISIONED, faults.hub_refuses, cloud.HUB_REFUSES, CLOUD_WELL),
    Row("clock a minute behind", NEW, faults.fault(cloud="clock-behind"), cloud.CLOCK_BEHIND, CLOUD_WELL),
    Row("clock an hour behind", NEW, faults.fault(cloud="clock-hour-behind"), cloud.CLOCK_WRONG, CLOUD_WELL),
    Row("a unit masked", PROVISIONED, faults.masked, runtime.UNIT_MASKED, faults.unmasked),
    Row("stopped by hand", PROVISIONED, faults.stopped, runtime.STOPPED, faults.restart),
    Row("a socket stopped by hand", PROVISIONED, faults.socket_stopped, runtime.STOPPED, faults.restart),
    Row("payload unreadable", NEW, faults.payload_unreadable, runtime.PAYLOAD_UNREADABLE,
        faults.payload_readable),
    Row("payload is not JSON", NEW, faults.payload_broken, runtime.PAYLOAD_INVALID, faults.payload_mended),
    Row("TPM owner password not configured", NEW, faults.password_set, runtime.TPM_PASSWORD,
        faults.password_given),
    Row("TPM owner password not configured, TPM empty", NEW, faults.password_set_on_empty_tpm,
        tpm.OWNER_AUTH, faults.password_given),
    Row("container engine down", NEW, faults.engine_down, runtime.ENGINE_DOWN, faults.engine_up),
    Row("container engine down, second apply", PROVISIONED, faults.engine_down_and_settings_changed,
        apply.ENGINE_DOWN, faults.engine_up),
    Row("host name changed while modules exist", PROVISIONED, faults.hostname_changed, apply.HOSTNAME_GUARD,
        faults.hostname_put_back),
    Row("auto_reprovisioning_mode below a table", PROVISIONED, faults.misplaced_key, runtime.PROVISIONED),
    Row("edged's settings bad", PROVISIONED, faults.edged_settings_bad, runtime.SETTINGS_BAD,
        faults.edged_settings_mended),
    Row("a daemon killed once", PROVISIONED, faults.killed, runtime.RESTARTED, lambda _: None),
)  # fmt: skip


@dataclass(slots=True)
class Played:
    """What was seen: the runtime's own words by daemon, and every look of ours."""

    row: Row
    stage: Stage
    said: dict[str, set[str]] = field(default_factory=dict)
    looks: list[Status] = field(default_factory=list)

    def look(self) -> Status:
        """Hear the runtime's own status, then look."""
        for name, word in self.stage.runtime_says().items():
            self.said.setdefault(name, set()).add(word)
        self.looks.append(self.stage.once(ahead_s=self.row.ahead_s))
        return self.looks[-1]
