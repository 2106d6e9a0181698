"""The udev rule that gives the runtime the TPM: damaged, and put right."""

import pytest

from tests.vm import witness
from tests.vm.conftest import Bench
from tests.vm.stages import PROVISIONED

_SHIPPED = "/usr/share/edge-provisioner/tpmaccess.rules"
_TRIGGER = (
    "udevadm control --reload; udevadm trigger --action=change --subsystem-match=tpm --subsystem-match=tpmrm"
)
_OPEN_AS_AZIOTTPM = (
    "setpriv --reuid aziottpm --regid aziottpm --clear-groups sh -c 'exec 3<>/dev/tpmrm0' && echo opened"
)


@pytest.mark.takes(30)
def test_a_damaged_rule_is_put_right(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    for damage in (f"echo '# nothing' >{witness.RULE}", f"rm {witness.RULE}"):
        machine.run(f"{damage}; {_TRIGGER}; chown root /dev/tpmrm0")

        machine.wait(
            f"cmp {_SHIPPED} {witness.RULE} && [ $(stat -c %U /dev/tpmrm0) = aziottpm ] && {PROVISIONED}"
        )

        assert machine.run(_OPEN_AS_AZIOTTPM) == "opened\n"
        assert witness.owners(machine) == {"/dev/tpm0": "aziottpm 660", "/dev/tpmrm0": "aziottpm 660"}
    assert witness.restarts(machine) == 1, "the runtime was restarted for a rule"
