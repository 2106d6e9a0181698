"""The TPM's passwords as systemd really hands them to the service: whose file they were made of counts."""

import json

import pytest

from tests.vm.container import Container
from tests.vm.our_package import NO_TPM, SERVICE, started_with_settings

pytestmark = pytest.mark.timeout(300)

_STORE = "/etc/credstore"
_PASSWORD = f"{_STORE}/tpm-owner-auth"
_TOLD = f"systemctl show -P StatusText {SERVICE} | grep credential"


@pytest.mark.parametrize(
    ("weaken", "how"),
    [
        (f"chmod 755 {_STORE}; chmod 644 {_PASSWORD}", "can be read by everybody"),
        (f"chown nobody {_PASSWORD}", "belongs to user 65534"),
    ],
    ids=["others may read it", "it is somebody else's"],
)
def test_a_password_that_another_could_read_or_change_is_not_used(
    container: Container, weaken: str, how: str
) -> None:
    """In the service it is root's own in any case, 0400 in a folder of 0500 on a file system of its own."""
    container.run(f"install -d -m 700 {_STORE}; printf s3cr3t | install -m 600 /dev/stdin {_PASSWORD}")
    started_with_settings(container)  # what systemd hands over is taken: the TPM is what is missed

    container.run(f"{weaken}; systemctl restart {SERVICE}")
    container.wait(_TOLD)

    found = json.loads(container.run("edge-provisioner status --json", status=None))
    assert found["code"] == "tpm.credential-unguarded"
    assert found["summary"].endswith(f"{_PASSWORD} {how}")
    for command in (part for part in found["remedy"].split("`") if part.startswith(("chown", "systemctl"))):
        container.run(command)
    container.wait(NO_TPM)
