"""The Edge daemon's watchdog: once a minute it sees to it that edgeAgent runs, and says what it does.

Lines and their order are those of runtime 1.6 with docker.io 20.10.
"""

import urllib.parse
from typing import Any, NamedTuple, NoReturn

from .daemon import Daemon
from .layout import faults
from .unixhttp import REASONS, Answer, ask

_PERIOD_S = 60
_AGENT = "/containers/edgeAgent"
_HUB = {
    "refuses": ("Unauthorized",),
    "unreachable": ("client error (Connect)", "tcp connect error", "Connection refused (os error 111)"),
}


class _RoundError(Exception):
    """A round that failed: what the last line says."""


class Watchdog(NamedTuple):
    """It has the image of edgeAgent, and whether that is to be fetched."""

    daemon: Daemon
    image: str
    fetches: bool

    def run(self) -> NoReturn:
        """Do a round at once, and one each minute."""
        while True:
            self.daemon.info("Watchdog checking Edge runtime status")
            try:
                self._round()
            except _RoundError as failure:
                self.daemon.warn(f"Error in watchdog: {failure}")
            self.daemon.pause(_PERIOD_S)

    def state(self) -> str:
        """Give how edgeAgent is, in edged's word for it; empty where it has no container."""
        found = self._ask("GET", f"{_AGENT}/json")
        if found.status != 200:
            return ""
        state = found.document["State"]
        if state["Status"] == "running":
            return "running"
        return "failed" if state["ExitCode"] else "stopped"

    def _round(self) -> None:
        state = self.state()
        if not state:
            self._bring()
        elif state == "running":
            self.daemon.info("Edge runtime is running")
        else:
            self.daemon.info(f"Edge runtime status is {state}, starting module now...")
            self._start()

    def _bring(self) -> None:
        refused = _HUB.get(faults(self.daemon.root).get("hub", ""))
        if refused:
            causes = "".join(f"\ncaused by: {cause}" for cause in refused)
            raise _RoundError(f"Failed to update $edgeAgent identity: Hub client error{causes}")
        self.daemon.info("Creating and starting Edge runtime module edgeAgent...")
        if self.fetches:
            self.daemon.info(f"Pulling image via tag {self.image}...")
            what = f'Failed to pull Edge runtime module: registry operation error: pull image "{self.image}"'
            image = urllib.parse.quote(self.image, safe="")
            self._do(what, "POST", f"/images/create?fromImage={image}")
            self.daemon.info(f"Successfully pulled image {self.image}")
        self.daemon.info("Creating module edgeAgent...")
        self.daemon.info(f"Creating image via tag {self.image}...")
        what = 'Failed to create Edge runtime module: runtime operation error: create module "edgeAgent"'
        self._do(what, "POST", "/containers/create?name=edgeAgent", {"Image": self.image})
        self.daemon.info("Created Edge runtime module edgeAgent")
        self._start()

    def _start(self) -> None:
        self.daemon.info("Starting module edgeAgent...")
        what = 'Failed to start Edge runtime: runtime operation error: start module "edgeAgent"'
        self._do(what, "POST", f"{_AGENT}/start")
        self.daemon.info("Started Edge runtime module edgeAgent")

    def _do(self, what: str, method: str, target: str, document: Any = None) -> None:
        """Have the engine do something; its refusal is told with its own words."""
        answer = self._ask(method, target, document)
        said = answer.document or {}
        error = said.get("errorDetail")
        if answer.status >= 400:
            words = f"HTTP {answer.status} {REASONS[answer.status]}: {said['message']}"
        elif error:
            words = f'HTTP 500 Internal Server Error: {{"message":"{error["message"]}"}}'
        elif answer.status == 0:
            words = "client error (Connect)"
        else:
            return
        self.daemon.warn(f"container runtime error\n\nCaused by:\n    {words}")
        raise _RoundError(what)

    def stop_all(self) -> None:
        """Stop the modules."""
        self._ask("POST", f"{_AGENT}/stop")

    def remove_all(self) -> None:
        """Remove the modules: the device is another one."""
        self._ask("DELETE", _AGENT)

    def _ask(self, method: str, target: str, document: Any = None) -> Answer:
        """Ask the engine; status 0 where it does not answer."""
        try:
            return ask(self.daemon.path("var/run/docker.sock"), (method, f"/v1.41{target}"), document)
        except OSError:
            return Answer(0)
