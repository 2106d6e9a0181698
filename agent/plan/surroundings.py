"""What others set up on this device and the runtime will stumble over: told, never changed. Pure."""

from collections.abc import Iterator

from agent.codes import config, runtime
from agent.edge import config_text
from agent.edge.config_text import value_at
from agent.plan.case import Case, Found

_PROXY = ("agent", "env", "https_proxy")


def surroundings(case: Case) -> Iterator[Found]:
    """Tell of private keys that aziot-keyd can't use, and of proxies that are spoken to by TLS."""
    text = case.snapshot.config.text or ""
    for key, path, fault in case.snapshot.config.unusable_keys:
        line = config_text.line_of(text, key)
        yield config.KEY_UNUSABLE(line=line, key=".".join(key), path=path, fault=fault)
    for unit in case.snapshot.runtime.units or ():
        if unit.proxy_scheme == "https":
            yield runtime.PROXY_BY_TLS(whose=unit.name, where=f"`systemctl cat {unit.name}`")
    if str(value_at(case.wish.document, _PROXY) or "").startswith("https:"):
        yield runtime.PROXY_BY_TLS(whose="edgeAgent", where="`[agent.env]` in `/etc/aziot/config.toml`")
