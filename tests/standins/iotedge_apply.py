"""`iotedge config apply`: checks, the five files, the restart; and its refusals word for word."""

import glob
import os
import sys
import time
import urllib.parse
from typing import Any

from . import settings
from .iotedge_system import restart
from .layout import SERVICE_USERS, STATE, faults, ids, shown
from .services import convert
from .superconfig import RefusedError, SuperConfig, parse
from .toml_errors import TomlError
from .unixhttp import ask

_FILTER = '{"label":["net.azure-devices.edge.owner=Microsoft.Azure.Devices.Edge.Agent"]}'
_REMOVE = (
    "sudo iotedge system stop && sudo docker rm -f $(sudo docker ps -aq -f "
    '"label=net.azure-devices.edge.owner=Microsoft.Azure.Devices.Edge.Agent") && sudo iotedge config apply'
)


class Error(Exception):
    """A failed command; the text stands after `Command failed: `."""


def is_root(root: str) -> bool:
    """Whether the caller counts as root on this machine: it is, or the scratch root is its own."""
    if faults(root).get("not_root"):
        return False
    return os.getuid() == 0 or os.stat(root).st_uid == os.getuid()


def apply(root: str, config_file: str) -> None:
    """Apply a configuration.

    Raises: Error
    """
    if not is_root(root):
        raise Error("this command must be run as root")
    for user in ("aziotks", "aziotcs", "aziotid", "aziottpm", "iotedge"):
        if ids(root, user) is None:
            raise Error(f"could not query {user} user information")
    for mark in glob.glob(f"{glob.escape(root)}/{STATE}/apply-at-*"):
        os.unlink(mark)
    config = _read(root, config_file)
    made = convert(root, config)
    _check_hostname(root, made)
    _reached(root, "before-write")
    for number, (daemon, table) in enumerate(made.items()):
        if number == 2:
            _reached(root, "mid-write")
        _write(root, daemon, table)
    _reached(root, "before-restart")
    print("Azure IoT Edge has been configured successfully!\n", flush=True)
    print("Restarting service for configuration to take effect...", flush=True)
    restart(root, lambda: _reached(root, "mid-restart"))
    print("Done.", flush=True)


def _reached(root: str, point: str) -> None:
    """Stop at a point that the faults name, and tell by a file that it was reached."""
    now = faults(root)
    delay_s = float(now.get("apply_delay_s", 0)) if point == "before-restart" else 0.0
    if now.get("apply_hang") == point or delay_s:
        with open(os.path.join(root, STATE, f"apply-at-{point}"), "w", encoding="ascii") as mark:
            mark.write(f"{os.getpid()}\n")
    time.sleep(delay_s)
    while faults(root).get("apply_hang") == point:
        time.sleep(0.02)


def _read(root: str, config_file: str) -> SuperConfig:
    named = shown(root, config_file) if config_file.startswith(root) else config_file
    try:
        with open(config_file, "rb") as source:
            content = source.read()
    except OSError as failure:
        cause = f"{failure.strerror} (os error {failure.errno})"
        raise Error(f"could not read config file {named}: {cause}") from None
    try:
        return parse(content.decode())
    except UnicodeDecodeError as wrong:
        length = wrong.end - wrong.start
        text = f"invalid utf-8 sequence of {length} bytes from index {wrong.start}"
        raise Error(f"error parsing config: {text}") from None
    except TomlError as wrong:
        raise Error(f"could not parse config file: {wrong}") from None
    except RefusedError as refused:
        raise Error(str(refused)) from None


def _check_hostname(root: str, made: dict[str, Any]) -> None:
    """Ask the engine, from the second apply on, and refuse a new host name beside modules."""
    try:
        previous = settings.load_one(settings.place(root, "identityd"))["hostname"]
    except (OSError, ValueError, KeyError):
        print("Warning: the previous identity config file is unreadable", flush=True)
        return
    containers = _containers(root, made["edged"]["moby_runtime"]["uri"])
    wanted = made["identityd"]["hostname"]
    if previous == wanted or not containers:
        return
    raise Error(
        f"Cannot apply config because the hostname in the config {previous} is different from the previous "
        f"hostname {wanted}. To update the hostname, run the following command which deletes all IoT Edge "
        "modules and reapplies the configuration. Or, revert the hostname change in the config.toml file.\n"
        f"{' ' * 20}{_REMOVE}\n"
        f"{' ' * 16}Warning: Data stored in the modules is lost when above command is executed."
    )


def _containers(root: str, uri: str) -> list[Any]:
    place = os.path.join(root, urllib.parse.urlsplit(uri).path.lstrip("/"))
    target = f"/v1.41/containers/json?all=true&filters={urllib.parse.quote(_FILTER)}"
    try:
        return list(ask(place, ("GET", target), timeout_s=60).document)
    except OSError as failure:
        cause = f"{failure.strerror} (os error {failure.errno})"
        raise Error(f"client error (Connect)\n\nCaused by:\n    {cause}") from None


def _write(root: str, daemon: str, table: dict[str, Any]) -> None:
    """Unlink, create, set the mode, set the owner: not atomic, as the real one."""
    path = settings.place(root, daemon)
    named = shown(root, path)
    what = f"could not create {named}"
    try:
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w", encoding="utf-8") as target:
            target.write(f"{settings.HEADER}\n{settings.to_toml(table)}")
        what = f"could not set permissions on {named}"
        os.chmod(path, 0o600)
        what = f"could not set ownership on {named}"
        if os.geteuid() == 0:
            os.chown(path, *(ids(root, SERVICE_USERS[daemon]) or (0, 0)))
    except OSError as failure:
        cause = f"{failure.strerror} (os error {failure.errno})"
        raise Error(f"{what}\n\nCaused by:\n    {cause}") from None


def main(root: str, arguments: list[str]) -> int:
    """Run `config apply` with what stands after it."""
    config_file = os.path.join(root, "etc/aziot/config.toml")
    if len(arguments) == 2 and arguments[0] in {"-c", "--config-file"}:
        config_file = arguments[1]
    try:
        apply(root, config_file)
    except Error as failure:
        sys.stdout.flush()
        sys.stderr.write(f"Command failed: {failure}\n\n")
        return 1
    return 0
