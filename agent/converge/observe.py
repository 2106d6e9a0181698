"""Look at the machine: every door fills its part of one Snapshot. Changes nothing, starts no daemon."""

import hashlib
import os
from dataclasses import replace
from types import MappingProxyType

from agent.codes import AgentError, config
from agent.converge import intend, sources
from agent.converge.history import History
from agent.converge.look_at_runtime import look_at_runtime
from agent.converge.look_at_tpm import look_at_tpm
from agent.converge.request import Request
from agent.converge.snapshot import (
    AccessFacts,
    Because,
    ConfigFacts,
    Moment,
    Part,
    RuntimeFacts,
    Snapshot,
    TpmFacts,
)
from agent.converge.status_file import Status
from agent.edge import config_text, generated
from agent.host import clock, files
from agent.host.root import Root
from agent.settings.table import Runtime
from agent.tpm import access, machine
from agent.tpm.keys import Authorisations, authorisations


def observe(request: Request, history: History, before: Status | None) -> Snapshot:
    """Look at everything once."""
    root = request.root
    loaded = sources.load(root, request.settings_file)
    blank = Snapshot(
        moment=look_at_machine(root),
        settings=loaded.settings,
        settings_trouble=loaded.finding,
        tpm=TpmFacts(),
        access=AccessFacts(),
        config=ConfigFacts(""),
        runtime=RuntimeFacts(),
        history=history,
        authorisations=_authorisations(root),
        adopt=request.adopt,
        insist=request.because is Because.COMMAND,
    )
    if loaded.settings is None:
        return blank
    tpm = look_at_tpm(request, loaded.settings, history, before, blank.moment)
    seen = look_again(request, replace(blank, tpm=tpm), Part.ACCESS, before)
    seen = look_again(request, seen, Part.CONFIG, before)
    return look_again(request, seen, Part.RUNTIME, before)


def _authorisations(root: Root) -> Authorisations:
    """Read the TPM's passwords; one that can't be read is the TPM's trouble, told when it is asked."""
    try:
        return authorisations(root)
    except AgentError:
        return Authorisations()


def look_again(request: Request, snapshot: Snapshot, part: Part, before: Status | None) -> Snapshot:
    """Look at one part again, after a step has changed it."""
    if snapshot.settings is None:
        return snapshot
    match part:
        case Part.ACCESS:
            return replace(snapshot, access=look_at_access(request, snapshot))
        case Part.CONFIG:
            return replace(snapshot, config=look_at_config(request.root, snapshot.settings.runtime))
        case Part.RUNTIME:
            found = look_at_config(request.root, snapshot.settings.runtime)
            runtime = look_at_runtime(request, snapshot.settings.runtime, before)
            return replace(snapshot, config=found, runtime=runtime, moment=look_at_machine(request.root))
        case Part.TPM:
            return snapshot  # the step that changes it hands back what it made


def look_at_machine(root: Root) -> Moment:
    """Say which machine this is, and when."""
    return Moment(clock.boot_id(root), machine.facts(root), clock.wall_s(), clock.monotonic_s())


def look_at_access(request: Request, snapshot: Snapshot) -> AccessFacts:
    """See whether the runtime's user may open the TPM; a timer's look believes a mode that says yes."""
    root, node = request.root, snapshot.tpm.node
    user = root.user(access.RUNTIME_USER)
    rule = access.look_at_rule(root)
    if user is None:
        return AccessFacts(user_exists=False, rule=rule)
    if not node:
        return AccessFacts(user_exists=True, rule=rule)
    path = root.path(node)
    if not request.wakes_tpm and access.permits(path, user):
        return AccessFacts(user_exists=True, rule=rule, access=access.Access.GRANTED)
    found, reason = access.try_open(path, user)
    return AccessFacts(user_exists=True, rule=rule, access=found, reason=reason)


def look_at_config(root: Root, settings: Runtime) -> ConfigFacts:
    """Read config.toml, the payload, and the files that apply generated from them."""
    path = root.path(settings.config_file)
    texts = {name: _text_or_none(root.path(generated.place(name))) for name in generated.SERVICES}
    facts = ConfigFacts(
        path=settings.config_file,
        generated=MappingProxyType(texts),
        payload=_payload(root),
    )
    try:
        text, digest = _config_text(settings.config_file, path)
    except AgentError as error:
        return replace(facts, refusal=error.finding)
    newest = files.look(root.path(generated.place("identityd")))
    edited = text is not None and newest.kind == "file" and files.look(path).modified_s > newest.modified_s
    return replace(facts, text=text, digest=digest, newer_than_generated=edited)


def _config_text(shown: str, path: str) -> tuple[str | None, str]:
    kind = files.look(path).kind
    if kind == "symlink":
        raise AgentError(config.SYMLINK(path=shown, target=os.readlink(path)))
    if kind == "directory":
        raise AgentError(config.DIRECTORY(path=shown))
    try:
        data = files.read(path)
    except OSError as error:
        raise AgentError(config.UNREADABLE(path=shown, reason=error.strerror)) from error
    if data is None:
        return None, ""
    text = config_text.read(data)
    config_text.parse(text)
    return text, hashlib.sha256(data).hexdigest()


def _payload(root: Root) -> bytes | None:
    """Give the payload file's content; None where there is none that the runtime's user may read."""
    path = root.path(intend.PAYLOAD_PLACE)
    reader, found = root.user(intend.PAYLOAD_READER), files.look(path)
    if reader is not None and not reader.rights(found.mode, found.uid, found.gid) & os.R_OK:
        return None
    return _bytes_or_none(path)


def _bytes_or_none(path: str) -> bytes | None:
    try:
        return files.read(path)
    except OSError:
        return None


def _text_or_none(path: str) -> str | None:
    data = _bytes_or_none(path)
    return None if data is None else data.decode("utf-8", "replace")
