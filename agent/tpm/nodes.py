"""The TPMs of this machine as the kernel shows them: which device nodes there are, and may one be opened."""

import errno
import grp
import os
import pwd
import re
import stat

from agent.codes import Finding
from agent.codes import tpm as codes
from agent.host import failures, files
from agent.host.root import Root
from agent.tpm import firmware, holders
from agent.tpm.device import Device

_ABRMD = "tpm2-abrmd"
_GROUP_MAY = stat.S_IRGRP | stat.S_IWGRP
_NODE = re.compile(r"(?:.*/)?(tpm|tpmrm)([0-9]+)")


def list_nodes(root: Root) -> tuple[Device, ...]:
    """Give the TPMs of this machine by number; the resource manager's node stands for a TPM that has one."""
    names = files.names(root.path("/dev"))
    managed = {number for kind, number in map(_split, names) if kind == "tpmrm"}
    shown = (
        (number, name)
        for name, (kind, number) in zip(names, map(_split, names), strict=True)
        if kind == "tpmrm" or (kind == "tpm" and number not in managed)
    )
    return tuple(node(f"/dev/{name}", root.path(f"/dev/{name}")) for _, name in sorted(shown))


def node(name: str, path: str) -> Device:
    """Give the TPM whose node people call `name` and that lies at `path`, whether it is there or not."""
    sight = files.look(path)
    return Device(name, f"device:{path}", path, _split(name)[1], sight.inode, sight.changed_s)


def device(root: Root, text: str) -> Device:
    """Give the TPM that a node's path or a TCTI string names."""
    return node(text, root.path(text)) if text.startswith("/") else Device(text, text)


def absence(root: Root) -> Finding:
    """Say that there is no node, and whether the firmware announces a TPM that no driver has taken."""
    announced = firmware.announces(root)
    return codes.NO_DRIVER(source=announced) if announced else codes.ABSENT()


def hindrance(root: Root, device: Device) -> Finding | None:
    """Say what keeps this process from using a TPM's node; None if nothing does, or there is no node.

    The node is opened and closed again: the library would give one answer for every reason.
    """
    if not device.path:
        return None
    if old := _version_1_2(root, device):
        return old
    try:
        handle = os.open(device.path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        return _refusal(root, device, error)
    try:
        is_node = stat.S_ISCHR(os.fstat(handle).st_mode)
    finally:
        os.close(handle)
    return None if is_node else codes.NOT_A_DEVICE(device=device.name)


def _split(name: str) -> tuple[str, int]:
    found = _NODE.fullmatch(name)
    return (found[1], int(found[2])) if found else ("", -1)


def _version_1_2(root: Root, device: Device) -> Finding | None:
    if device.number < 0:
        return None
    source = f"/sys/class/tpm/tpm{device.number}/tpm_version_major"  # ABI since Linux 5.6
    try:
        major = files.read(root.path(source))
    except OSError:
        return None
    if major is None or major.strip() != b"1":
        return None
    return codes.VERSION_1_2(device=device.name, source=source)


def _refusal(root: Root, device: Device, error: OSError) -> Finding:
    match error.errno:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return codes.NODE_ABSENT(device=device.name)
        case errno.EACCES | errno.EPERM:
            return _no_permission(device)
        case errno.EBUSY:
            return _busy(root, device)
        case errno.EISDIR:
            return codes.NOT_A_DEVICE(device=device.name)
    return codes.UNOPENABLE(device=device.name, detail=failures.reason(error))


def _busy(root: Root, device: Device) -> Finding:
    found = holders.holder(root, device.path)
    if found is None:
        return codes.BUSY(device=device.name)
    advice = codes.ABRMD_ADVICE if _ABRMD in (found.name, found.unit.removesuffix(".service")) else ""
    facts = {"device": device.name, "holder": found.in_words, "pid": found.pid}
    return codes.BUSY_BY(**facts, advice=advice or codes.HOLDER_ADVICE)


def _no_permission(device: Device) -> Finding:
    found = os.stat(device.path)
    owner, group, user = _user_name(found.st_uid), _group_name(found.st_gid), _user_name(os.geteuid())
    return codes.NO_PERMISSION(
        device=device.name,
        user=user,
        owner=owner,
        group=group,
        mode=f"{stat.S_IMODE(found.st_mode):04o}",
        advice=_advice(user, group, group_may=found.st_mode & _GROUP_MAY == _GROUP_MAY),
    )


def _advice(user: str, group: str, *, group_may: bool) -> str:
    if os.geteuid() == 0:
        return "Something else forbids it: look at `DeviceAllow=` of the service, AppArmor and SELinux."
    if group_may and group != "root":
        return f"Run the command as root, or run `usermod -aG {group} {user}` and log in again."
    return "Run the command as root."


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
