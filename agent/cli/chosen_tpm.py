"""Which TPM a command means: --tpm, else `[tpm] device`, else the only one there is."""

import argparse
import sys

from agent.codes import AgentError
from agent.codes import tpm as codes
from agent.host.root import Root
from agent.look import tpm as look_at_tpm
from agent.look.remembered import load_history
from agent.look.settings import Loaded, load
from agent.settings import Settings
from agent.tpm import keys, nodes, survey
from agent.tpm.choice import names_one_device
from agent.tpm.device import Device


def add_option(parser: argparse.ArgumentParser) -> None:
    """Declare --tpm."""
    parser.add_argument(
        "--tpm", metavar="DEVICE",
        help='a node, "ek:" and the start of an EK Name, or a TCTI string; without it `[tpm] device` decides',
    )  # fmt: skip


def lenient_settings(options: argparse.Namespace) -> Settings:
    """Give the settings, or the defaults and a word on stderr: looking must work without good settings."""
    return lenient(options)[0]


def lenient(options: argparse.Namespace) -> tuple[Settings, Loaded]:
    """Give the same, with what was read."""
    loaded = load(options.root, options.settings)
    if loaded.finding:
        print(f"The settings are left out: {loaded.finding.summary}", file=sys.stderr)
    return loaded.settings or Settings(), loaded


def strict_settings(options: argparse.Namespace) -> Settings:
    """Give the settings for a command that changes something.

    Raises:
        AgentError: there is anything wrong with them.

    """
    loaded = load(options.root, options.settings)
    if loaded.finding:
        raise AgentError(loaded.finding)
    return loaded.settings or Settings()


def stored_ek_name(root: Root) -> str:
    """Give the Name of this device's EK as it is on record; empty if there is none."""
    history = load_history(root)
    return look_at_tpm.stored_ek_name(history, adopt=False) if history else ""


def request(options: argparse.Namespace, settings: Settings) -> keys.Request:
    """Give the request to the one TPM that is meant.

    Raises:
        AgentError: there is none, or several and none is chosen.

    """
    wanted = _wanted(options, settings)
    if options.tpm and names_one_device(options.tpm):
        return _request(wanted, _given(options.tpm))
    choice = survey.select(options.root, wanted)
    if choice.device is None:
        raise AgentError(choice.finding or codes.ABSENT())
    return _request(wanted, choice.device)


def every_request(options: argparse.Namespace, settings: Settings) -> tuple[keys.Request, ...]:
    """Give a request to each TPM that could be meant: the named one, else all that are there."""
    wanted = _wanted(options, settings)
    if options.tpm and names_one_device(options.tpm):
        return (_request(wanted, _given(options.tpm)),)
    if names_one_device(wanted.setting):
        return (_request(wanted, nodes.device(options.root, wanted.setting)),)
    return tuple(_request(wanted, device) for device in nodes.list_nodes(options.root))


def _given(text: str) -> Device:
    """Give the device of --tpm: a path on the command line stands as it is, whatever --root says."""
    return nodes.node(text, text) if text.startswith("/") else nodes.device(Root(), text)


def _wanted(options: argparse.Namespace, settings: Settings) -> survey.Wanted:
    return survey.Wanted(
        options.tpm or settings.tpm.device,
        stored_ek_name(options.root),
        keys.authorisations(options.root),
        look_at_tpm.patience(settings),
    )


def _request(wanted: survey.Wanted, device: Device) -> keys.Request:
    return keys.Request(device, wanted.authorisations, wanted.patience)
