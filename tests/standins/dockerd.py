"""The container engine: ping, version, edgeAgent's container, and those that a test's faults name.

Refusals are those of docker.io 20.10, word for word.
"""

import json
import urllib.parse
from typing import Any

from .daemon import Daemon
from .engine_state import EngineState
from .layout import faults
from .unixhttp import Answer, Request

_EDGE_LABEL = "net.azure-devices.edge.owner=Microsoft.Azure.Devices.Edge.Agent"
_NO_CONTAINER = Answer(404, {"message": "No such container: edgeAgent"})
_DIAL = (
    'Get "https://mcr.microsoft.com/v2/": dial tcp: lookup mcr.microsoft.com on [::1]:53: read udp '
    "[::1]:37336->[::1]:53: read: connection refused"
)
_UNKNOWN = (
    "manifest for mcr.microsoft.com/azureiotedge-agent:1.6 not found: manifest unknown: manifest unknown"
)
_NO_MATCH = "no matching manifest for linux/amd64 in the manifest list entries"
_REGISTRY = {
    "unreachable": Answer(500, {"message": _DIAL}),
    "unauthorised": Answer(500, {"message": "unauthorized"}),
    "no-image": Answer(404, {"message": _UNKNOWN}),
    "full": Answer(500, {"message": "write /var/lib/docker/tmp/GetImageBlob1: no space left on device"}),
    "wrong-architecture": Answer(200, {"errorDetail": {"message": _NO_MATCH}, "error": _NO_MATCH}),
}
_NOT_CREATED = 'invalid mount config for type "bind": bind source path does not exist: /srv/edge'
_NOT_STARTED = (
    "driver failed programming external connectivity on endpoint edgeAgent (5f1c): Bind for 0.0.0.0:8080 "
    "failed: port is already allocated"
)


def _containers(daemon: Daemon, state: EngineState) -> list[dict[str, Any]]:
    states = dict.fromkeys(faults(daemon.root).get("containers", []), "running")
    if own := state.container:
        states[own["Name"].removeprefix("/")] = own["State"]["Status"]
    label, _, owner = _EDGE_LABEL.partition("=")
    return [{"Names": [f"/{name}"], "State": word, "Labels": {label: owner}} for name, word in states.items()]


def _matching(request: Request, containers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    filters = json.loads(urllib.parse.unquote_plus(request.query.get("filters", "{}")))
    labels = [label.partition("=") for label in filters.get("label", [])]
    return [
        box
        for box in containers
        if all(box["Labels"].get(name) == value or not equals for name, equals, value in labels)
    ]


def _pull(daemon: Daemon, state: EngineState, request: Request) -> Answer:
    refused = _REGISTRY.get(faults(daemon.root).get("registry", ""))
    if refused:
        return refused
    if says := faults(daemon.root).get("registry_says"):
        return Answer(500, {"message": says})
    state.wait_for_registry()
    state.pulled(urllib.parse.unquote(request.query["fromImage"]))
    return Answer(200, {"status": "Status: Downloaded newer image"})


def _create(daemon: Daemon, state: EngineState, request: Request) -> Answer:
    image = json.loads(request.body)["Image"]
    if image not in state.images:
        return Answer(404, {"message": f"No such image: {image}"})
    if faults(daemon.root).get("edge_agent") == "not-created":
        return Answer(400, {"message": _NOT_CREATED})
    state.create(image)
    return Answer(201, {"Id": "5f1c", "Warnings": []})


def _start(daemon: Daemon, state: EngineState) -> Answer:
    if faults(daemon.root).get("edge_agent") == "not-started":
        return Answer(500, {"message": _NOT_STARTED})
    state.start()
    return Answer(204)


def _log(text: str) -> bytes:
    """Frame a log's lines as a container without a terminal has them: all on its standard error."""
    lines = (line.encode() for line in text.splitlines(keepends=True))
    return b"".join(b"\2\0\0\0" + len(line).to_bytes(4, "big") + line for line in lines)


def _edge_agent(daemon: Daemon, state: EngineState, request: Request) -> Answer:
    """Answer about the container of edgeAgent: asked for, started, stopped, removed, its log."""
    if state.container is None:
        return _NO_CONTAINER
    match request.method, request.path.rpartition("/")[2]:
        case "GET", "json":
            return Answer(200, state.container)
        case "GET", "logs":
            return Answer(200, _log(state.container["Log"]))
        case "POST", "start":
            return _start(daemon, state)
        case "POST", "stop":
            state.stop()
        case "DELETE", _:
            state.remove()
    return Answer(204)


def _oldest_api(daemon: Daemon) -> str:
    return str(faults(daemon.root).get("engine_oldest_api", "1.12"))


def _too_old(daemon: Daemon, request: Request) -> Answer | None:
    """Refuse a version of the API that is older than the oldest, as Docker 29 does."""
    oldest = _oldest_api(daemon)
    if not request.path.startswith("/v1.41/") or float(oldest) <= 1.41:  # the path's
        return None
    text = f"client version 1.41 is too old. Minimum supported API version is {oldest}, please upgrade"
    return Answer(400, {"message": f"{text} your client to a newer version"})


def _answer(daemon: Daemon, state: EngineState, request: Request) -> Answer:
    """Answer a request, whatever version of the API stands before its path."""
    oldest = _oldest_api(daemon)
    fixed = {
        "_ping": "OK",
        "version": {"Version": "20.10.24+dfsg1", "ApiVersion": "1.41", "MinAPIVersion": oldest},
        "info": {"LoggingDriver": "json-file", "ServerVersion": "20.10.24+dfsg1"},
    }
    match request.path.removeprefix("/v1.41").lstrip("/").split("/"):
        case [name] if name in fixed:
            return Answer(200, fixed[name])
        case ["containers", "json"]:
            return Answer(200, _matching(request, _containers(daemon, state)))
        case ["images", "create"]:
            return _pull(daemon, state, request)
        case ["containers", "create"]:
            return _create(daemon, state, request)
        case ["containers", "edgeAgent", *_]:
            return _edge_agent(daemon, state, request)
    return Answer(404, {"message": "page not found"})


def run(daemon: Daemon) -> None:
    """Be the engine."""
    state = EngineState(daemon.root)
    daemon.serve(
        {"docker.socket": lambda request: _too_old(daemon, request) or _answer(daemon, state, request)}
    )
