"""What others set up on this device and the runtime will stumble over: told, never changed. Pure."""

from collections.abc import Iterator

from agent.codes import Finding, config, runtime, settings
from agent.edge import config_text, key_files
from agent.edge.config_paths import ENDPOINT
from agent.edge.config_text import value_at
from agent.plan.case import Case, Found
from agent.settings.clouds import fitting_endpoint

_PROXY = ("agent", "env", "https_proxy")


def surroundings(case: Case) -> Iterator[Found]:
    """Tell of private keys that aziot-keyd can't use, of proxies by TLS, and of a scope of another cloud."""
    endpoint = str(value_at(case.wish.document, ENDPOINT))
    yield from other_cloud(case.settings.dps.id_scope, endpoint)
    text = case.snapshot.config.text or ""
    for one in case.snapshot.config.unusable_keys:
        line = config_text.line_of(text, one.key)
        mend = key_files.mend(one, case.snapshot.config.path, line)
        facts = {"line": line, "key": ".".join(one.key), "path": one.path, "fault": one.fault, "mend": mend}
        yield config.KEY_UNUSABLE(**facts)
    yield from _proxies_by_tls(case)


def _proxies_by_tls(case: Case) -> Iterator[Found]:
    for unit in case.snapshot.runtime.units or ():
        if unit.proxy_scheme == "https":
            where, then = (
                f"`systemctl cat {unit.name}`",
                "`systemctl daemon-reload` and `iotedge system restart`",
            )
            yield runtime.PROXY_BY_TLS(whose=unit.name, where=where, then=f"{then} when the modules may stop")
    if str(value_at(case.wish.document, _PROXY) or "").lower().startswith("https:"):
        where, then = f"`[agent.env]` in `{case.snapshot.config.path}`", "`iotedge config apply`"
        yield runtime.PROXY_BY_TLS(whose="edgeAgent", where=where, then=f"{then} when the modules may stop")


def other_cloud(id_scope: str, endpoint: str) -> Iterator[Finding]:
    """Tell of an id scope that is not of the endpoint's cloud."""
    if fitting := fitting_endpoint(id_scope, endpoint):
        yield settings.OTHER_CLOUD(id_scope=id_scope, endpoint=endpoint, fitting=fitting)
