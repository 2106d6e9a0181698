"""Which of Azure's clouds an id scope and an endpoint are of. Pure.

The beginnings of id scopes were seen in public reports and are not documented, so they make a notice at most.
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

_DOMAIN = "azure-devices-provisioning"
_TOP_LEVELS: Mapping[str, str] = MappingProxyType({"0ne": "net", "0us": "us", "0cn": "cn"})


def fitting_endpoint(id_scope: str, endpoint: str) -> str:
    """Give the public endpoint of the id scope's cloud where the one given is of another; else empty."""
    wanted = _TOP_LEVELS.get(id_scope[:3].lower())
    host, found, top_level = (urlsplit(endpoint).hostname or "").rpartition(f"{_DOMAIN}.")
    if wanted is None or not found or top_level not in _TOP_LEVELS.values() or top_level == wanted:
        return ""
    return f"https://{host or 'global.'}{_DOMAIN}.{wanted}"
