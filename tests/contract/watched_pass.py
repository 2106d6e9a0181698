"""A pass as the watcher sees one: says why it was started, may wait, crash or hang, and leaves a status.json.

Run with the root directory and the reason. What it does is switched by files in ROOT/pass:
`gate` (a fifo: wait for a byte), `crash` (how to end without a result), `deaf` (ignore SIGTERM),
`devices` (a directory whose names are what this pass sees), `result.json` (what it leaves).
"""

import json
import os
import signal
import socket
import sys


def main() -> None:
    root, reason = sys.argv[1:]
    place = f"{root}/pass"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as events:
        events.connect(f"{place}/events")
        says_when_told(events, deaf=os.path.exists(f"{place}/deaf"))
        events.send(f"begin {reason} {' '.join(sorted(os.environ))}".encode())
        wait_at_gate(f"{place}/gate")
        crash_if_asked(f"{place}/crash")
        leave_result(root)
        events.send(b"end")


def says_when_told(events: socket.socket, *, deaf: bool) -> None:
    def told(number: int, frame: object) -> None:
        events.send(b"told to stop")

    signal.signal(signal.SIGTERM, signal.SIG_IGN if deaf else told)


def wait_at_gate(gate: str) -> None:
    if os.path.exists(gate):
        with open(gate, "rb") as opened:
            opened.read(1)


def crash_if_asked(switch: str) -> None:
    if not os.path.exists(switch):
        return
    with open(switch, encoding="ascii") as told:
        how = told.read()
    if how == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(int(how))


def leave_result(root: str) -> None:
    with open(f"{root}/pass/result.json", encoding="utf-8") as source:
        result = json.load(source)
    devices = f"{root}/pass/devices"
    if os.path.islink(devices):
        seen = sorted(os.listdir(devices)) if os.path.isdir(devices) else []
        result["summary"] = f"sees {' '.join(seen) or 'nothing'}"
    folder = f"{root}/run/edge-provisioner"
    with open(f"{folder}/new", "w", encoding="utf-8") as target:
        json.dump(result, target)
    os.replace(f"{folder}/new", f"{folder}/status.json")


if __name__ == "__main__":
    main()
