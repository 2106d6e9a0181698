"""Why a device without an id scope is left alone: nobody told the agent, or somebody else began. Pure."""

from agent.codes import Finding, config, settings
from agent.edge import config_text
from agent.facts.snapshot import Snapshot


def unconfigured(snapshot: Snapshot) -> Finding:
    """Say that there is nothing to provision to, or that what somebody else wrote was never applied."""
    facts = snapshot.config
    applied = facts.generated.get("identityd") is not None
    waits = not applied and "provisioning" in config_text.parse(facts.text or "")
    if snapshot.runtime.program is not None and waits:
        return config.NEVER_APPLIED(path=facts.path)
    return settings.MISSING()
