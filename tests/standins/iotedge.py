"""The command `iotedge` of runtime 1.6.

It is run at each look, in an emulated machine too: a subcommand loads what it needs, and no other.
"""

import os
import sys

from .layout import scaled
from .unixhttp import ask

_VERBS = {
    "": ("check", "check-list", "config", "list", "logs", "restart", "support-bundle", "system", "version"),
    "config": ("apply", "import", "mp"),
    "system": ("logs", "reprovision", "restart", "set-log-level", "status", "stop"),
}
_LIST_TIMEOUT_S = 30
_COLUMN = 15


def _usage(words: list[str]) -> int:
    """Refuse a subcommand that does not exist, with the nearest one that does."""
    import difflib

    group = words[0] if len(words) > 1 and words[0] in _VERBS else ""
    wrong = words[1] if group else (words[0] if words else "")
    near = difflib.get_close_matches(wrong, _VERBS[group], 1, 0.7)
    tip = f"\n  tip: a similar subcommand exists: '{near[0]}'\n" if near else ""
    program = f"iotedge {group}" if group else "iotedge"
    sys.stderr.write(
        f"error: unrecognized subcommand '{wrong}'\n{tip}\n"
        f"Usage: {program} [OPTIONS] <COMMAND>\n\nFor more information, try '--help'.\n"
    )
    return 2


def _failed(*chain: str) -> int:
    text = "\n\tcaused by: ".join(("A module runtime error occurred", *chain))
    sys.stderr.write(f"{text}\n\n")
    return 1


def _list(root: str) -> int:
    path = os.path.join(root, "run/iotedge/mgmt.sock")
    again = "A module runtime error occurred"
    try:
        timeout_s = scaled(root, _LIST_TIMEOUT_S)
        answer = ask(path, ("GET", "/modules?api-version=2020-07-07"), timeout_s=timeout_s)
    except TimeoutError:
        return _failed("timed out")
    except ConnectionResetError:
        reset = "Connection reset by peer (os error 104)"
        return _failed(again, "client error (SendRequest)", "connection error", reset)
    except OSError as failure:
        cause = f"{failure.strerror} (os error {failure.errno})"
        return _failed(again, "client error (Connect)", cause)
    rows = [("NAME", "STATUS", "DESCRIPTION", "Config")]
    for module in answer.document["modules"]:
        state = module["status"]["runtimeStatus"]
        image = module["config"]["settings"]["image"]
        rows.append((module["name"], state["status"], state["description"], image))
    widths = [max(_COLUMN, *(len(row[column]) for row in rows)) + 2 for column in range(3)]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        sys.stdout.write("".join(cells) + row[3] + "\n")
    return 0


def _version() -> int:
    sys.stdout.write("iotedge 1.6.0\n")
    return 0


def main(root: str, arguments: list[str]) -> int:
    """Run the command."""
    match arguments:
        case ["config", "apply", *rest]:
            from . import iotedge_apply

            status = iotedge_apply.main(root, rest)
        case ["system", *rest]:
            from . import iotedge_system

            done = iotedge_system.main(root, rest)
            status = _usage(arguments) if done is None else done
        case ["list"]:
            status = _list(root)
        case ["check-list"] | ["check"]:
            from . import iotedge_check

            status = iotedge_check.check() if arguments == ["check"] else iotedge_check.list_checks()
        case ["version"] | ["--version"]:
            status = _version()
        case _:
            status = _usage(arguments)
    return status
