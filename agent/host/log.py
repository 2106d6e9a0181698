"""structlog, set up so that its last processor hands each event to the journal. Nothing global is changed."""

from collections.abc import Mapping
from typing import Any

import structlog

from agent.host import journal
from agent.host.root import Root


class _Sink:
    """The last processor: it sends the event and ends its way."""

    def __init__(self, root: Root) -> None:
        self._root = root

    def __call__(self, _logger: object, _method: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        fields = {name: str(value) for name, value in event.items()}
        message, priority = fields.pop("event"), int(fields.pop("priority", "6"))
        journal.send(self._root, message, priority, fields)
        raise structlog.DropEvent


def logger(root: Root, **fields: str) -> Any:
    """Give a structlog logger whose events carry `fields` and go to the machine's journal, else to stderr."""
    made = structlog.wrap_logger(None, processors=[_Sink(root)], wrapper_class=structlog.BoundLogger)
    return made.bind(**fields)
