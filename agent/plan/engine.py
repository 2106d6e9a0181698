"""Whether the container engine takes the runtime that is installed. Pure."""

from agent.codes import Finding, apply
from agent.facts.snapshot import RuntimeFacts

# What the runtime asks the engine for (Azure/iotedge, docker-rs: 1.34 up to 1.5, 1.41 since then).
_ASKS_FOR = {"1.4.": (1, 34), "1.5.": (1, 34), "1.6.": (1, 41)}


def engine_too_new(seen: RuntimeFacts) -> Finding | None:
    """Find an engine that refuses the runtime: an apply would stop the modules and not bring them back."""
    asked = next((api for begin, api in _ASKS_FOR.items() if seen.version.startswith(begin)), None)
    oldest = tuple(int(part) for part in seen.engine_oldest_api.split(".") if part.isdecimal())
    if asked is None or oldest <= asked:
        return None
    return apply.ENGINE_TOO_NEW(
        engine=seen.engine_version,
        takes=seen.engine_oldest_api,
        runtime=seen.version,
        asks=".".join(map(str, asked)),
    )
