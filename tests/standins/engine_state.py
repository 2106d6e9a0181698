"""What the container engine keeps: one image, and one container, edgeAgent's, with a process of its own.

The process is a `cat` that reads a pipe of the engine's: it ends with the engine, however that ends.
"""

import json
import os
import subprocess
import threading
import time
from typing import Any

from .layout import STATE, faults, scaled

_NEVER = "0001-01-01T00:00:00Z"
_ERROR = "Unhandled exception. System.ArgumentException: the upstream host name is not valid"
_KILLED = 137


def _now() -> str:
    seconds, rest_ns = divmod(time.time_ns(), 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest_ns:09d}Z"


class EngineState:
    """The image and the container; what is on disk outlives the engine, the process does not."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._path = os.path.join(root, STATE, "engine.json")
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self.images: list[str] = []
        self.container: dict[str, Any] | None = None
        self._load()

    def _load(self) -> None:
        try:
            with open(self._path, encoding="utf-8") as source:
                kept = json.load(source)
        except (OSError, ValueError):
            return
        self.images, self.container = kept["images"], kept["container"]
        if self.container and self.container["State"]["Status"] == "running":
            self._exited(_KILLED)

    def _keep(self) -> None:
        beside = f"{self._path}.new"
        with open(beside, "w", encoding="utf-8") as target:
            json.dump({"images": self.images, "container": self.container}, target)
        os.replace(beside, self._path)

    def pulled(self, image: str) -> None:
        """Have an image from now on."""
        with self._lock:
            self.images = [image]
            self._keep()

    def create(self, image: str) -> None:
        """Make the container."""
        with self._lock:
            state = {"Status": "created", "OOMKilled": False, "Pid": 0, "ExitCode": 0, "Error": ""}
            times = {"StartedAt": _NEVER, "FinishedAt": _NEVER}
            config = {"Image": image, "Tty": False}
            self.container = {
                "Name": "/edgeAgent", "RestartCount": 0, "State": {**state, **times}, "Config": config,
                "Log": "",
            }  # fmt: skip
            self._keep()

    def start(self) -> None:
        """Start its process, which ends at once where a fault says so."""
        with self._lock:
            if self._process or self.container is None:
                return
            crashes = faults(self._root).get("edge_agent") == "crashes"
            program = ["/bin/false"] if crashes else ["/bin/cat"]
            self._process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            running = {"Status": "running", "Pid": self._process.pid, "ExitCode": 0, "StartedAt": _now()}
            self.container["State"].update(running)
            if crashes:
                self.container["Log"] += f"starts\n{_ERROR}\n   at Program.Main()\n"
            self._keep()
            threading.Thread(target=self._wait, args=(self._process,), daemon=True).start()

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        status = process.wait()
        with self._lock:
            if process is self._process:
                self._process = None
                self._exited(status)

    def _exited(self, status: int) -> None:
        if self.container is not None:
            ended = {"Status": "exited", "Pid": 0, "ExitCode": status, "FinishedAt": _now()}
            self.container["State"].update(ended)
            self._keep()

    def stop(self) -> None:
        """End its process."""
        with self._lock:
            process = self._process
        if process and process.stdin:
            process.stdin.close()
            process.wait()

    def remove(self) -> None:
        """End and forget the container, and its image with it."""
        self.stop()
        with self._lock:
            self._process, self.container, self.images = None, None, []
            self._keep()

    def wait_for_registry(self) -> None:
        """Wait until a slow registry has sent everything."""
        while faults(self._root).get("registry") == "slow":
            time.sleep(scaled(self._root, 1))
