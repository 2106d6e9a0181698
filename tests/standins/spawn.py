"""How the machine's processes come to life: the interpreter, the way to this checkout, the daemons."""

import json
import os
import subprocess
import sys

from .layout import ServiceSpec

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def module_command(module: str, *arguments: str) -> list[str]:
    """Give the command line that runs a module's main, isolated from the caller's environment."""
    code = (
        f"import sys; sys.path.insert(0, {CHECKOUT!r}); "
        f"from tests.standins.{module} import main; sys.exit(main(*sys.argv[1:]))"
    )
    return [PYTHON, "-IS", "-c", code, *arguments]


def daemon(
    root: str, spec: ServiceSpec, invocation: str, sockets: dict[str, int], life: int
) -> subprocess.Popen[bytes]:
    """Start a service's daemon with its listening sockets and the pipe that ends it."""
    return subprocess.Popen(
        module_command("daemon", root, spec.name),
        env={
            "PATH": "/usr/bin:/bin",
            "INVOCATION_ID": invocation,
            "STANDIN_FDS": json.dumps(sockets),
            "STANDIN_LIFE": str(life),
        },
        pass_fds=[*sockets.values(), life],
        stdin=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
