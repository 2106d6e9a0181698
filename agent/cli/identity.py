"""`identity`: the registration id and the endorsement key, as the enrolment needs them.

Works with no settings, no network and no runtime, and on an empty TPM: then the values are those of the
key that `tpm ensure` will make, and the TPM is left as it was. What root prints of the device's own TPM is
put on record: it may be enrolled, so a later change of the key is not passed over.
"""

import argparse
import json
import sys

from agent.cli import chosen_tpm
from agent.cli.left import left
from agent.cli.remembered_ek import remember
from agent.codes import ExitCode
from agent.codes.shown import harmless
from agent.settings import Settings
from agent.tpm import keys, machine, registration
from agent.values import replace

SETTING = "dps.registration_id"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen_tpm.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """Print the identity."""
    settings, loaded = chosen_tpm.lenient(options)
    found = keys.derive_any(options.root, _request(options, settings))
    public = found.ek.public
    facts = machine.facts(options.root)
    wanted = settings.dps.registration_id
    if SETTING not in loaded.named:
        wanted = left(options.root, loaded, public).get(SETTING, wanted)
    identity: dict[str, str | bool] = {
        "registration_id": registration.resolve(wanted, public, facts),
        "endorsement_key": registration.endorsement_key(public),
        "registration_id_ek_base32": registration.ek_base32(public),
        "persistent": found.ek.persistent,
    }
    print(json.dumps(identity, indent=2) if options.json else _as_text(identity))
    remember(options, found)
    if not found.ek.persistent:
        print(
            f"{harmless(found.device.name)} holds no endorsement key yet and was left as it was; "
            "`edge-provisioner tpm ensure` makes the key with these values.",
            file=sys.stderr,
        )
    return ExitCode.DONE


def _request(options: argparse.Namespace, settings: Settings) -> keys.Request:
    """Ask the device's own TPM for the key on record, where it can make that; a named one for its own."""
    recorded = "" if options.tpm else chosen_tpm.stored_ek_name(options.root)
    return replace(chosen_tpm.request(options, settings), expected_ek_name=recorded)


def _as_text(identity: dict[str, str | bool]) -> str:
    width = max(map(len, identity))
    shown = {
        name: str(value).lower() if isinstance(value, bool) else value for name, value in identity.items()
    }
    return "\n".join(f"{name:<{width}}  {harmless(value)}" for name, value in shown.items())
