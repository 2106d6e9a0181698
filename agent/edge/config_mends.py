"""How a person puts one line of config.toml right: as it is to be, or by a command that shows none. Pure."""

import re
from collections.abc import Sequence

from agent.codes.shown import shown
from agent.values import dataclass

FILE = "/etc/aziot/config.toml"
_FOR_SED = {'"': r"\x22", "'": r"\x27", "\\": r"\\", "&": r"\&", "/": r"\/"}  # in a shell's single quotes
_NAME = re.compile(r"""["']?(?:[\w-]+\.)*([\w-]+)["']?\s*=""")
_PUBLIC = frozenset({  # keys of the runtime (1.6; iotedge-facts 4) that hold no secret
    "hostname", "parent_hostname", "auto_reprovisioning_mode", "trust_bundle_cert", "cloud_timeout_sec",
    "cloud_retries", "allow_elevated_docker_permissions", "prefer_module_identity_cache", "source",
    "id_scope", "global_endpoint", "registration_id", "method", "iothub_hostname", "device_id", "tcti",
    "auth_key_index", "enabled", "cleanup_recurrence", "image_age_cleanup_threshold", "cleanup_time", "name",
    "type", "image", "imagePullPolicy", "max_retries", "network", "workload_uri", "management_uri",
    "expiry_days", "common_name",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edit:
    """What stands in a line in the place of the characters from `start` up to `stop` (from 0)."""

    start: int
    stop: int
    text: str


def edited(line: str, edits: Sequence[Edit]) -> str:
    """Give the line with all edits made; they are in order and don't overlap."""
    for one in reversed(edits):
        line = line[: one.start] + one.text + line[one.stop :]
    return line


def spelt(number: int, line: str, edits: Sequence[Edit]) -> str:
    """Say how to make the edits; only a line that is known to hold no secret is spelt."""
    right = edited(line, edits).strip()
    if _is_public(right):
        return f"In `{FILE}`, write line {number} as `{right}`"
    return f"Run `{command(number, line, edits)}`"


def _is_public(right: str) -> bool:
    """Say whether a line may be shown; in which table it stands is not sure, for the text is no TOML."""
    found = _NAME.match(right)
    return found is not None and found[1] in _PUBLIC and "#" not in right and shown(right) == right


def command(number: int, line: str, edits: Sequence[Edit]) -> str:
    """Give the command that makes the edits. It counts bytes, so that it is right in whatever locale."""
    deeds = [_deed(number, line, one) for one in reversed(edits)]
    return f"LC_ALL=C sed -i -E '{'; '.join(deeds)}' {FILE}"


def _deed(number: int, line: str, edit: Edit) -> str:
    before, gone = (len(part.encode()) for part in (line[: edit.start], line[edit.start : edit.stop]))
    text = "".join(_FOR_SED.get(one, one) for one in edit.text)
    return rf"{number}s/^(.{{{before}}}).{{{gone}}}/\1{text}/"
