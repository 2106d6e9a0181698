"""The container engine: ping, version, and the list of containers that a test's faults name."""

import json
import urllib.parse
from typing import Any

from .daemon import Daemon
from .layout import faults
from .unixhttp import Answer, Request

_EDGE_LABEL = "net.azure-devices.edge.owner=Microsoft.Azure.Devices.Edge.Agent"


def _containers(daemon: Daemon) -> list[dict[str, Any]]:
    named = faults(daemon.root).get("containers", [])
    label, _, owner = _EDGE_LABEL.partition("=")
    return [{"Names": [f"/{name}"], "State": "running", "Labels": {label: owner}} for name in named]


def _matching(request: Request, containers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    filters = json.loads(urllib.parse.unquote_plus(request.query.get("filters", "{}")))
    labels = [label.partition("=") for label in filters.get("label", [])]
    return [
        box
        for box in containers
        if all(box["Labels"].get(name) == value or not equals for name, equals, value in labels)
    ]


def run(daemon: Daemon) -> None:
    """Be the engine."""

    def handle(request: Request) -> Answer:
        if request.path.endswith("/_ping"):
            return Answer(200, "OK")
        if request.path.endswith("/version"):
            return Answer(200, {"Version": "20.10.24+dfsg1", "ApiVersion": "1.41", "MinAPIVersion": "1.12"})
        if request.path.endswith("/info"):
            return Answer(200, {"LoggingDriver": "json-file", "ServerVersion": "20.10.24+dfsg1"})
        if request.path.endswith("/containers/json"):
            return Answer(200, _matching(request, _containers(daemon)))
        return Answer(404, {"message": "page not found"})

    daemon.serve({"docker.socket": handle})
