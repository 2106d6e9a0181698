"""What is told of config.toml whatever comes of the plan, also where it is held: then it is read. Pure."""

from collections.abc import Iterator

from agent.codes import Finding, config
from agent.edge import config_schema
from agent.facts.snapshot import Snapshot


def notices(snapshot: Snapshot) -> Iterator[Finding]:
    """Name the last file that we replaced where the present one is unreadable, else keys without effect."""
    facts = snapshot.config
    if facts.refusal is not None:
        if facts.newest_backup:
            yield config.BACKUPS_KEPT(newest=facts.newest_backup, path=facts.path)
        return
    for one in config_schema.misplaced(facts.text or ""):
        yield config.MISPLACED_KEY(key=one.key, line=one.line, home=one.home)
