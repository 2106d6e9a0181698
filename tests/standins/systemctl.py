"""The command `systemctl`: asks the supervisor and prints what it answers."""

import json
import os
import sys
from typing import Any

from .layout import CONTROL
from .unixhttp import connect

Done = dict[str, Any]
_NO_SYSTEMD = (
    "System has not been booted with systemd as init system (PID 1). Can't operate.\n"
    "Failed to connect to bus: Host is down\n"
)


def control(root: str, argv: list[str]) -> Done:
    """Ask the machine's supervisor; without one, what systemctl says where systemd is not running."""
    try:
        client = connect(os.path.join(root, CONTROL))
    except OSError:
        return {"status": 1, "out": "", "err": _NO_SYSTEMD}
    with client, client.makefile("rwb") as stream:
        stream.write((json.dumps(argv) + "\n").encode())
        stream.flush()
        line = stream.readline()
    return dict(json.loads(line)) if line else {"status": 1, "out": "", "err": _NO_SYSTEMD}


def catch_up(root: str) -> None:
    """Wait until the supervisor has stored what the daemons have written so far."""
    control(root, ["show"])


def main(root: str, arguments: list[str]) -> int:
    """Run the command."""
    done = control(root, arguments)
    sys.stdout.write(done["out"])
    sys.stderr.write(done["err"])
    return int(done["status"])
