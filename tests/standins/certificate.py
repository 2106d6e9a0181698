"""The device's own certificate: identityd gets it from certd and keyd before it provisions."""

import time
from typing import Any

from .daemon import Daemon, DaemonError
from .unixhttp import ask

_API = "api-version=2020-09-01"
_LOST = "identity cert does not exist; cannot create new cert as registration ID is unknown"
_DAY_S = 86400


def obtain(daemon: Daemon, provisioning: dict[str, Any]) -> None:
    """See to it that an X.509 device has its certificate.

    Raises: DaemonError as identityd reports it; the cause stands in certd's journal.
    """
    attestation = provisioning.get("attestation", {})
    if attestation.get("method") != "x509":
        return
    certd = daemon.path("run/aziot/certd.sock")
    if ask(certd, ("GET", f"/certificates/device-id?{_API}")).status != 200:
        if "registration_id" not in attestation:
            raise DaemonError("internal error", "could not create certificate", _LOST)
        ask(daemon.path("run/aziot/keyd.sock"), ("POST", f"/keypair/device-id?{_API}"), {})
        if ask(certd, ("POST", f"/certificates/device-id?{_API}"), {}).status != 200:
            raise DaemonError("internal error", "could not create certificate", "internal error")
        daemon.info("Generated initial device identity certificate.")
    if "identity_auto_renew" in attestation:
        due = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 0.8 * _DAY_S))
        daemon.info(f"Certificate device-id will be auto-renewed. Next renewal at {due}.")
