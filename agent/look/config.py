"""config.toml, the payload file, and what the last apply made of them."""

import hashlib
import os
from types import MappingProxyType

from agent.codes import AgentError, Finding, config
from agent.edge import config_text, generated, key_files, unwritable
from agent.edge.config_paths import PAYLOAD_PLACE, PAYLOAD_READER
from agent.edge.key_files import UnusableKey
from agent.facts.request import Request
from agent.facts.snapshot import ConfigFacts, Snapshot
from agent.facts.status import Status
from agent.host import failures, files, guarded, reading, sights
from agent.host.root import Root
from agent.settings import Settings
from agent.settings.table import Runtime
from agent.values import replace


def places(settings: Settings) -> tuple[str, ...]:
    """Name the files that this look goes by."""
    made = (generated.place(name) for name in generated.SERVICES)
    return (settings.runtime.config_file, PAYLOAD_PLACE, *made)


def look(request: Request, settings: Settings, snapshot: Snapshot, _before: Status | None) -> Snapshot:
    """Read them all, and the private keys that config.toml names: what lies there is noted first."""
    root, facts = request.root, read(request.root, settings.runtime)
    named = _named_keys(facts.text or "")
    judged = {**snapshot.judged, **sights.at(root.path(path) for _, path in named)}
    found = (_judged(root, key, path) for key, path in named)
    keys = tuple(one for one in found if one.fault)
    return replace(snapshot, config=replace(facts, unusable_keys=keys), judged=MappingProxyType(judged))


def read(root: Root, settings: Runtime) -> ConfigFacts:
    """Read config.toml, the payload, and the files that apply generated from them."""
    path = root.path(settings.config_file)
    texts, closed = _generated(root)
    facts = ConfigFacts(
        path=settings.config_file,
        generated=MappingProxyType(texts),
        generated_closed=MappingProxyType(closed),
        payload=_payload(root),
        hindrance=_hindrance(settings.config_file, path),
    )
    try:
        _guard(root, settings.config_file, path)
        text, digest = _config_text(settings.config_file, path)
    except AgentError as error:
        backup = files.newest_backup(path)
        return replace(facts, refusal=error.finding, newest_backup=root.shown(backup) if backup else "")
    newest = files.look(root.path(generated.place("identityd")))
    edited = text is not None and newest.kind == "file" and files.look(path).modified_s > newest.modified_s
    return replace(facts, text=text, digest=digest, newer_than_generated=edited)


def _guard(root: Root, shown: str, path: str) -> None:
    """Make sure that the file is root's alone, and the folder of the payload that it names."""
    for place in (path, os.path.dirname(root.path(PAYLOAD_PLACE))):
        if weak := guarded.weak_place(place, root.directory):
            raise AgentError(config.UNGUARDED(path=shown, place=root.shown(weak[0]), how=weak[1]))


def _hindrance(shown: str, path: str) -> Finding | None:
    """Say what would keep the file from being replaced."""
    if files.is_mount_point(path):
        return config.MOUNT_POINT(path=shown, folder=os.path.dirname(shown))
    if number := files.refusal(path):
        mend = unwritable.mend(number, shown)
        return config.UNWRITABLE(path=shown, reason=os.strerror(number), mend=mend)
    return None


def _config_text(shown: str, path: str) -> tuple[str | None, str]:
    kind = files.look(path).kind
    if kind == "symlink":
        raise AgentError(config.SYMLINK(path=shown, target=os.readlink(path)))
    if kind == "directory":
        raise AgentError(config.DIRECTORY(path=shown))
    try:
        data = files.read(path)
    except OSError as error:
        raise AgentError(config.UNREADABLE(path=shown, reason=failures.reason(error))) from error
    if data is None:
        return None, ""
    text = config_text.read(data)
    config_text.parse(text)
    return text, digest_of(text)


def digest_of(text: str) -> str:
    """Give what tells one text of config.toml from another."""
    return hashlib.sha256(text.encode()).hexdigest()


def _named_keys(text: str) -> tuple[tuple[config_text.KeyPath, str], ...]:
    """Give the private keys that are named as files; most devices have none, which is cheap to see."""
    if "file:" not in text or not any(word in text for word in ("pk", "preloaded_keys")):
        return ()
    return tuple(key_files.key_files(config_text.parse(text)))


def _judged(root: Root, key: config_text.KeyPath, path: str) -> UnusableKey:
    reader = root.user(key_files.READER)
    content = _bytes_or_none(root.path(path))
    closed = "" if reader is None or content is None else reading.closed_place(root, path, reader)
    return UnusableKey(key, path, key_files.fault(content, readable=not closed), closed)


def _payload(root: Root) -> bytes | None:
    """Give the payload file's content; None where there is none that the runtime's user may read."""
    path = root.path(PAYLOAD_PLACE)
    reader, found = root.user(PAYLOAD_READER), files.look(path)
    if reader is not None and not reader.rights(found.mode, found.uid, found.gid) & os.R_OK:
        return None
    return _bytes_or_none(path)


def _bytes_or_none(path: str) -> bytes | None:
    try:
        return files.read(path, limit=generated.LARGEST)
    except OSError:
        return None


def _generated(root: Root) -> tuple[dict[str, str | None], dict[str, str]]:
    """Read what apply generated, and say of what is there and can't be read why."""
    texts: dict[str, str | None] = {}
    closed: dict[str, str] = {}
    for name in generated.SERVICES:
        try:
            data = files.read(root.path(generated.place(name)), limit=generated.LARGEST)
        except OSError as error:
            data, closed[name] = None, failures.reason(error)
        texts[name] = None if data is None else data.decode("utf-8", "replace")
    return texts, closed
