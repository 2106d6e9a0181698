"""`once`: look at everything once and do what is missing; each effect is named before it happens."""

import argparse

from agent.codes import ExitCode, Phase
from agent.codes.catalogue import by_name
from agent.codes.shown import shown
from agent.facts.request import Request
from agent.facts.snapshot import Because
from agent.facts.status import Status
from agent.host import clock
from agent.passes.one_pass import run_pass
from agent.passes.stop_request import StopRequest

_UNFINISHED = (Phase.WAITING, Phase.PROVISIONING)
_SHORTEST_REST_S = 0.1
_LONGEST_REST_S = 2.0  # nothing wakes a command, as files and devices wake the watcher


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `once`."""
    parser.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS",
        help="look again until the device is provisioned or a person is needed, at most this long",
    )  # fmt: skip
    parser.add_argument(
        "--adopt", action="store_true",
        help="take over a device that is provisioned in another way, edited by hand, or has got another TPM",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Run passes; the exit code is that of the last one's finding."""
    stop = StopRequest()
    request = Request(options.root, options.settings, Because.COMMAND, adopt=options.adopt)
    deadline = clock.monotonic_s() + options.wait
    while True:
        status = run_pass(request, tell, stop.asked)
        left_s = deadline - clock.monotonic_s()
        if status.phase not in _UNFINISHED or left_s <= 0 or stop.asked():
            break
        clock.rest(max(_SHORTEST_REST_S, min(status.look_again_s, _LONGEST_REST_S, left_s)))
    show(status)
    return int(_exit_code(status))


def tell(effect: str) -> None:
    """Name an effect before it happens."""
    print(f"-> {shown(effect)}", flush=True)


def show(status: Status) -> None:
    """Print what a pass found, and what to do."""
    print(f"{status.phase}: {status.summary}")
    if status.phase != Phase.PROVISIONED:
        print(f"  what to do: {status.remedy}")
    for notice in status.notices:
        print(f"  note: {notice.summary}")


def _exit_code(status: Status) -> ExitCode:
    return by_name(status.code).exit_code
