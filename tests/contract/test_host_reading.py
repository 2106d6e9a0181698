"""Whether another user may read a file: told by modes, and by an access list where these say no."""

import os
import struct
from pathlib import Path

import pytest

from agent.host.reading import closed_place
from agent.host.root import Root, User

READER = User("aziotks", 997, 997)
# An entry's tag, its rights and whose it is (uapi/linux/posix_acl_xattr.h).
_OWNER, _USER, _GROUP, _MASK, _OTHERS, _NOBODY = 0x01, 0x02, 0x04, 0x10, 0x20, 0xFFFFFFFF


@pytest.fixture(name="key")
def a_key_of_roots(tmp_path: Path) -> Path:
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED HERE, another user's rights: only root can try them")
    tmp_path.chmod(0o755)  # as every root directory
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "key.pem").write_text("a key\n")
    (tmp_path / "k" / "key.pem").chmod(0o600)
    return tmp_path / "k" / "key.pem"


def closed(key: Path) -> str:
    return closed_place(Root(str(key.parents[1])), "/k/key.pem", READER)


def test_the_file_or_the_folder_that_is_closed_is_named(key: Path) -> None:
    assert closed(key) == "/k/key.pem"
    os.chown(key, READER.uid, READER.gid)
    assert closed(key) == ""
    key.parent.chmod(0o700)
    assert closed(key) == "/k"


def test_an_access_list_lets_a_user_in_whom_the_mode_keeps_out(key: Path) -> None:
    entries = [(_OWNER, 6, _NOBODY), (_USER, 4, READER.uid), (_GROUP, 0, _NOBODY), (_MASK, 4, _NOBODY)]
    packed = (struct.pack("<HHI", *one) for one in (*entries, (_OTHERS, 0, _NOBODY)))
    try:
        os.setxattr(key, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(packed))
    except OSError as error:
        pytest.skip(f"NOT TESTED HERE, access lists: {error}")

    assert closed(key) == ""
    assert closed_place(Root(str(key.parents[1])), "/k/key.pem", User("other", 996, 996)) == "/k/key.pem"


def test_a_link_out_of_the_machine_is_nobodys_matter(key: Path) -> None:
    key.unlink()
    key.symlink_to("/etc/shadow")

    assert closed(key) == ""
