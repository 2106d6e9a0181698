"""Bring config.toml, and the file that it refers to, to what the settings want. Pure."""

from collections.abc import Iterator

from agent.codes import config
from agent.edge import config_text, generated
from agent.edge.config_diff import unified_diff
from agent.edge.config_paths import NOT_SHOWN, PAYLOAD_PLACE, SECRETS_IN_COMMENTS
from agent.edge.config_text import KeyPath
from agent.facts.steps import RecordConfig, WriteConfig, WritePayload
from agent.plan.case import Case, Found, Wish
from agent.plan.config_keys import payload_bytes
from agent.plan.hostname import hostname
from agent.plan.stop import StopError
from agent.plan.takeover import of_other_ways
from agent.plan.unfilled import unfilled
from agent.plan.written import record_of


def config_file(case: Case) -> Iterator[Found]:
    """Write what differs, or remember that nothing does."""
    snapshot, wish = case.snapshot, case.wish
    if snapshot.runtime.trouble is not None:
        raise StopError(snapshot.runtime.trouble)
    text = snapshot.config.text or ""
    yield from _unfilled(case)
    yield from _dead_keys(case)
    yield from _old_secrets(case)
    yield from hostname(case)
    payload = payload_bytes(case.settings)
    if payload is not None and payload != snapshot.config.payload:
        yield WritePayload(PAYLOAD_PLACE, payload)
    if wish.changed:
        diff = unified_diff(text, wish.text, snapshot.config.path, NOT_SHOWN)
        kept, gone = _by_fate(wish)
        yield WriteConfig(snapshot.config.path, wish.text, diff, kept, gone)
        return
    if snapshot.history.written != record_of(wish.intended):
        yield RecordConfig()
    if snapshot.config.newer_than_generated and not _applied_as_it_is(case):
        yield config.UNAPPLIED_EDIT()


def _unfilled(case: Case) -> Iterator[Found]:
    """Tell of placeholders that are to be written over: they were never applied, else it would be held."""
    text = case.snapshot.config.text or ""
    if keys := unfilled(config_text.parse(text)):
        yield config.UNFILLED_REPLACED(what=_with_lines(text, keys))


def _dead_keys(case: Case) -> Iterator[Found]:
    """Tell of secrets that an earlier version left in the file, or whoever changed the way by hand."""
    if dead := of_other_ways(case.wish.document):
        yield config.DEAD_KEYS(keys=_with_lines(case.snapshot.config.text or "", dead))


def _with_lines(text: str, paths: tuple[KeyPath, ...]) -> str:
    return ", ".join(f"{'.'.join(path)} (line {config_text.line_of(text, path)})" for path in paths)


def _old_secrets(case: Case) -> Iterator[Found]:
    """Tell of secrets in comments where the file is to be changed, or was; a quiet look reads none."""
    if case.wish.changed or case.snapshot.adopt:
        from agent.edge.config_shown import secrets_in_comments  # its patterns cost 3 ms

        lines = secrets_in_comments(case.snapshot.config.text or "", SECRETS_IN_COMMENTS)
        if lines:
            yield config.OLD_SECRETS(lines=", ".join(map(str, lines)))


def _by_fate(wish: Wish) -> tuple[tuple[KeyPath, ...], tuple[KeyPath, ...]]:
    """Part what changes into the keys that are written and those that are taken out."""
    gone = tuple(path for path in wish.changed if wish.intended[path] is None)
    return tuple(path for path in wish.changed if path not in gone), gone


def _applied_as_it_is(case: Case) -> bool:
    """Say whether the daemons have this very config.toml, or are to be told of it now anyway."""
    facts = case.snapshot.config
    return case.snapshot.history.applied_digest == facts.digest or bool(
        generated.disagreements(case.wish.document, facts.generated, case.wish.of_others)
    )
