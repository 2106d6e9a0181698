"""Remember the endorsement key that a command made or printed: its identity may be enrolled from now on.

Only the device's own TPM is meant, not one that --tpm names, and only root remembers. It is a service beside
the command's own work, which is done whether the record can be written or not.
"""

import argparse
import os
import sys

from agent.act.record import Record, require_own
from agent.codes import AgentError
from agent.host.root import Root
from agent.look.remembered import load_history
from agent.passes import lock
from agent.tpm import machine
from agent.tpm.keys import Keys
from agent.tpm.public_area import name_of

_PATIENCE_S = 2.0


def remember_under_lock(options: argparse.Namespace, found: Keys) -> None:
    """Put the key on record if there is none yet; the caller holds the pass's lock."""
    if _may_remember(options) and found.ek.usable:
        _tried(options.root, found)


def remember(options: argparse.Namespace, found: Keys) -> None:
    """Do the same, with the lock where there is something to write; say if it is not the recorded key."""
    if not _may_remember(options):
        return
    history = load_history(options.root)
    if history is not None and history.ek_public:
        _compare(history.ek_public, found)
        return
    try:
        with lock.hold(options.root, "identity", patience_s=_PATIENCE_S):
            _tried(options.root, found)
    except AgentError as error:
        _not_remembered(error.finding.summary)


def _may_remember(options: argparse.Namespace) -> bool:
    """Say whether root asks for this machine's own TPM; an image without a machine id is no machine yet."""
    may = not options.tpm and (os.geteuid() == 0 or not options.root.is_host)
    return may and _machine_id(options.root) not in ("", "uninitialized")  # machine-id(5)


def _machine_id(root: Root) -> str:
    return machine.facts(root).machine_id


def _tried(root: Root, found: Keys) -> None:
    history = load_history(root)  # again, under the lock: a pass may have written meanwhile
    if history is None:
        _not_remembered("The record is damaged; the next pass moves it aside")
        return
    try:
        if not history.ek_public:
            require_own(root)
            Record(root, history).update(ek_public=found.ek.public.hex(), machine_id=_machine_id(root))
    except AgentError as error:
        _not_remembered(error.finding.summary)


def _compare(recorded: str, found: Keys) -> None:
    wanted = name_of(bytes.fromhex(recorded)).hex()
    if found.ek.name != wanted:
        print(
            "This is not the endorsement key that is on record for this device: its Name is "
            f"{found.ek.name}, the recorded one is {wanted}. `edge-provisioner once` holds until a person "
            "decides.",
            file=sys.stderr,
        )


def _not_remembered(why: str) -> None:
    if os.geteuid() == 0:
        print(
            f"This key could not be put on record, so a change of it would go unnoticed: {why}.",
            file=sys.stderr,
        )
