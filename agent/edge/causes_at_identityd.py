"""Causes that the identity service tells: by its answer, its journal, or its silence. Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from agent.codes import Code, Finding, cloud, identity, runtime
from agent.edge import journal_text
from agent.edge.evidence import IDENTITYD, Evidence, Texts
from agent.edge.identity_service import AnswerKind

_NOT_STORED = "Network not available for Identity reconciliation"  # an identity is stored at its end
_TEXTS: Texts = (
    (r"missing field `authenticationKey`", cloud.NOT_ENROLLED),
    (r"unknown variant `disabled`", cloud.DISABLED),
    (r"provisioning\.payload\"(?s:.*)caused by: (?P<reason>.*\(os error \d+\))", runtime.PAYLOAD_UNREADABLE),
    (r"provisioning\.payload\"(?s:.*)caused by: (?P<reason>.*)", runtime.PAYLOAD_INVALID),
    (r"certificate is not yet valid|certificate has expired", cloud.CLOCK_WRONG),
    (r"DPS client error\n.* caused by: Unauthorized", cloud.CLOCK_BEHIND),
    (r"(?i)timed out|deadline has elapsed", cloud.HANGING),
    (r"caused by: client error \(Connect\)(?s:.*)caused by: (?P<reason>.*)", cloud.UNREACHABLE),
    (r"error trying to connect: (?P<reason>.*)", cloud.UNREACHABLE),  # up to runtime 1.5
    (r"Could not reconcile Identities with current device data", cloud.HUB_REFUSES),
)
_WITHOUT_A_DEVICE: Mapping[AnswerKind, Code] = MappingProxyType({
    AnswerKind.NO_DEVICE: identity.NOT_KNOWN,
    AnswerKind.REFUSED: identity.NOT_ASKED,
    AnswerKind.NOBODY: runtime.STARTING,
    AnswerKind.NOT_ASKED: runtime.STARTING,
    AnswerKind.NO_ANSWER: runtime.STARTING,
})  # fmt: skip


def backup_lost(seen: Evidence) -> Finding | None:
    """Say so before why: while the daemons still run, it matters most that nobody restarts them."""
    known = seen.answer.kind in (AnswerKind.DEVICE, AnswerKind.NO_DEVICE)
    had_one = seen.answered or bool(seen.facts.get("device_id"))
    if seen.backup or not known or not had_one:
        return None
    run = journal_text.present_run(seen.journal, IDENTITYD)
    offline = seen.answered and any(_NOT_STORED in entry.message for entry in run)
    return cloud.HUB_UNREACHABLE() if offline else identity.BACKUP_LOST()


def identityd(seen: Evidence) -> Finding | None:
    """Read aziot-identityd's journal where it fails, or does not answer."""
    if seen.calm or (IDENTITYD not in seen.troubled and seen.answered):
        return None
    lines = seen.failure(IDENTITYD)
    return seen.match(_TEXTS, lines) or _cloud_words(lines)


def _cloud_words(lines: tuple[str, ...]) -> Finding | None:
    """Hand on what the cloud itself said, where nothing better is known."""
    said = journal_text.errors(lines)
    reason = journal_text.telling_cause(lines)
    if not any("DPS client error" in text for text in said) or not reason:
        return None
    if "Connection reset by peer" in reason:  # aziot-tpmd's socket went with it; its own journal tells more
        return runtime.TPM_TROUBLE(reason="aziot-tpmd ends before it answers")
    own_fault = re.search(r"(?i)internal|server error|unavailable", reason)
    return (cloud.SERVER_ERROR if own_fault else cloud.REJECTED)(reason=reason)


def silent(seen: Evidence) -> Finding | None:
    """Tell starting, waiting, throttled and hanging apart: in all, identityd is Running and silent."""
    if not seen.unit(IDENTITYD).runs or seen.answer.kind is not AnswerKind.NO_ANSWER:
        return None
    run = journal_text.present_run(seen.journal, IDENTITYD)
    texts = tuple(entry.message for entry in run)
    found = seen.match(_TEXTS, texts)
    if found:
        return found
    began = [entry.monotonic_s for entry in run if "Provisioning starting" in entry.message]
    seconds = seen.now_s - max([*began, seen.unit(IDENTITYD).active_since_s])
    told = (code for code in (cloud.THROTTLED, cloud.SILENT) if seconds > code.shows_after_s)
    code = next(told, None)
    return code(seconds=round(seconds)) if code else runtime.STARTING()


def not_known(seen: Evidence) -> Finding | None:
    """Go by the identity service's answer, where nothing else tells more."""
    make = _WITHOUT_A_DEVICE.get(seen.answer.kind)
    return make() if make else None
