"""What a host name is worth to the runtime, which puts it into certificates. Pure.

The rules are those of the runtime's own check (iot-identity-service 1.6, aziotctl, checks/hostname.rs, and
aziotctl-common): RFC 1035 labels, at most 64 octets for an issuer's name, or an IP address.
"""

import re

_LABEL = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LONGEST = 64
# Beyond what RFC 1035 allows, these still get through a certificate: an underscore, a digit first.
_POSSIBLE = re.compile(r"(?=.{1,255}\Z)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
_OF_IMAGES = frozenset({
    "beaglebone", "buildroot", "debian", "fedora", "iotedgevm", "jetson", "linux", "localhost", "nvidia",
    "orangepi", "qemux86-64", "raspberrypi", "raspberrypi4", "ubuntu", "vm",
})  # fmt: skip


def is_possible(name: str) -> bool:
    """Say whether a certificate can be made for a host name."""
    return bool(_POSSIBLE.fullmatch(name)) or _is_address(name)


def warned_of(name: str) -> str:
    """Say why `iotedge check` warns of a host name; empty if it does not."""
    if _is_address(name):
        return ""
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return "its parts must be letters, digits and dashes, begin with a letter and not end in a dash"
    if len(name) > _LONGEST:
        return f"it has {len(name)} characters; an issuer of certificates can have {_LONGEST}"
    return ""


def doubted(name: str, machine: str) -> str:
    """Say what is odd about a name that the runtime is given for the first time; empty if nothing is."""
    if name.lower() in _OF_IMAGES:
        return "many devices have it from their image"
    own, wanted = machine.lower(), name.lower()
    if wanted != own and not wanted.startswith(f"{own}.") and not _is_address(name):
        return f"the machine is called {machine}; `iotedge check` wants the two to be the same"
    return ""


def _is_address(name: str) -> bool:
    if not re.fullmatch(r"[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", name):
        return False
    import ipaddress  # of use only for what looks like one

    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
