"""What the runtime would refuse in config.toml is said before anything is made or written. Pure."""

from collections.abc import Iterator

from agent.codes import apply, config
from agent.edge import config_text, generated
from agent.edge.refusals import refusals
from agent.plan.case import Case, Found
from agent.plan.stop import StopError


def refused(case: Case) -> Iterator[Found]:
    """Hold where an apply would be refused; a device on which nothing is to be applied is only told."""
    text = case.snapshot.config.text or ""
    for one in refusals(case.wish.document, case.snapshot.runtime.version):
        facts = {
            "line": config_text.line_of(text, one.path) or config_text.line_of(case.wish.text, one.path),
            "key": ".".join(one.path),
            "fault": one.fault,
            "mend": one.mend,
        }
        if _is_to_be_applied(case):
            raise StopError(apply.WOULD_REFUSE(**facts))
        yield config.REFUSED_LATER(**facts)


def _is_to_be_applied(case: Case) -> bool:
    wish = case.wish
    seen = case.snapshot.config.generated
    return bool(wish.changed or generated.disagreements(wish.document, seen, wish.of_others))
