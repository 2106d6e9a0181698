"""The keys service: makes its key files and waits; nobody outside asks it anything else."""

import os

from .daemon import Daemon
from .layout import give, ids
from .unixhttp import Answer, Request

EDGE_CA = "aziotedgedca-86f154be7ff14480027f0d00c59c223db6d9e4ab0b559fc523cca36a7c973d6d"
DEVICE_ID = "deviceid-bd732105ef89cf8edd2606a5309c8a26b7b5599a4e124a0fe6199b6b2f60e655"
_FILES = (
    f"{EDGE_CA}.key",
    "aziotidentitydmasterid-91b92c2c06a5a5dda5fbc9c48b4d428d930b9c1b8b2956a1044ccbc7a266afc9.key",
    "handlevalidationkey-40f1ca41fe8b50f53e10f3e3a580dcae24087f37aa498ba9903f2612b03e90ba.key",
)


def store(daemon: Daemon, user: str, folder: str, files: tuple[str, ...]) -> None:
    """Create a daemon's files, 0644 in a directory 0755, unless they are there."""
    uid, gid = ids(daemon.root, user) or (0, 0)
    place = daemon.path(folder)
    os.makedirs(place, exist_ok=True)
    give(place, uid, gid, 0o755)
    for name in files:
        path = os.path.join(place, name)
        if not os.path.exists(path):
            with open(path, "w", encoding="ascii") as target:
                target.write("stand-in\n")
            give(path, uid, gid, 0o644)


def run(daemon: Daemon) -> None:
    """Be the keys service."""
    daemon.info("Starting service...")
    daemon.info(f"Version - {daemon.version()}")
    daemon.info("Starting server...")

    def handle(request: Request) -> Answer:
        if request.path == "/keypair/device-id":
            store(daemon, "aziotks", "var/lib/aziot/keyd/keys", (f"{DEVICE_ID}.key",))
        store(daemon, "aziotks", "var/lib/aziot/keyd/keys", _FILES)
        return Answer(200, {"keyHandle": "stand-in"})

    daemon.serve({"aziot-keyd.socket": handle})
