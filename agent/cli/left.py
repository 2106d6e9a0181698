"""What config.toml decides on its own on this machine, for commands that make no plan."""

import sys
from collections.abc import Mapping

from agent.edge import config_text
from agent.facts.history import History
from agent.host.root import Root
from agent.look import config
from agent.look.remembered import load_history
from agent.look.settings import Loaded
from agent.plan.left import SETTING_OF, Words, left_to_config
from agent.plan.written import keys_of
from agent.settings import OnManualEdit, Settings


def left(root: Root, loaded: Loaded, ek_public: bytes = b"") -> Mapping[str, str]:
    """Give the settings, by their dotted names, that config.toml decides, and what it says.

    `ek_public` is the EK's TPM2B_PUBLIC, where it is known. Where config.toml can't be read (only root may),
    that is said on standard error, for then nobody knows.
    """
    settings = loaded.settings or Settings()
    found = config.read(root, settings.runtime)
    if found.refusal is not None:
        print(f"What config.toml says itself is left out: {found.refusal.summary}", file=sys.stderr)
        return {}
    restores = settings.runtime.on_manual_edit == OnManualEdit.RESTORE
    words = Words(loaded.named, keys_of(load_history(root) or History()), restores, ek_public)
    there = left_to_config(words, config_text.parse(found.text or ""))
    return {SETTING_OF[path]: value for path, value in there.items()}
