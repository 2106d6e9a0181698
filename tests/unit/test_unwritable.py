"""A file that can't be written: each error of the system has its own way out."""

import errno

import pytest

from agent.edge.unwritable import mend

PATH = "/etc/aziot/config.toml"


@pytest.mark.parametrize(
    ("number", "typed"),
    [
        (errno.ENOSPC, "df -i /etc/aziot"),
        (errno.EDQUOT, "df -h /etc/aziot"),
        (errno.EROFS, 'mount -o remount,rw "$(findmnt -n -o TARGET -T /etc/aziot)"'),
        (errno.EBUSY, "umount /etc/aziot/config.toml"),
        (errno.EPERM, "chattr -i -a /etc/aziot /etc/aziot/config.toml"),
        (errno.EACCES, "journalctl -k -g denied"),
        (errno.EIO, "journalctl -k -p err"),
        (None, "namei -l /etc/aziot/config.toml"),
    ],
)
def test_a_remedy_is_of_its_error_and_of_no_other(number: int | None, typed: str) -> None:
    said = mend(number, PATH)

    assert f"`{typed}`" in said
    assert said.endswith(".")
    assert ("df -h" in said) is (number in (errno.ENOSPC, errno.EDQUOT))
    assert ("chattr" in said) is (number in (errno.EPERM, errno.EACCES))
