"""The command: one file a verb. A verb is imported when it is asked for, so that `run` stays small."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

from agent import __version__
from agent.codes import AgentError, ExitCode, Finding
from agent.codes.agent import INTERNAL
from agent.codes.shown import shown
from agent.host import failures
from agent.host.root import Root

VERBS: Mapping[str, str] = {
    "run": "watch this device and keep it provisioned (what the service runs)",
    "once": "look at everything once and do what is missing",
    "plan": "say what `once` would do, and change nothing",
    "status": "say what the last look found",
    "identity": "print the registration id and the endorsement key for the enrolment",
    "tpm": "make or show the TPM's keys",
    "config": "show or check the settings",
    "explain": "explain a code",
    "reprovision": "give up the device's identity and ask the cloud for a new one",
}
_DESCRIPTION = (
    "Makes this device a provisioned Azure IoT Edge device, keeps it one, and says in plain words what is "
    "wrong when it can't."
)
_NOT_IN_THIS_VERSION = ("check", "diag")


class _Parser(argparse.ArgumentParser):
    """A parser that repeats nothing of what was typed but what a terminal may be given."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the words, and end with 2."""
        super().error(shown(message))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (design section 1: 0, 1, 2, 3 or 4)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may lack a letter of a device's name
    options = parser_for(words).parse_args(words)
    options.root = Root(os.path.abspath(options.root))  # children start in /
    options.settings = options.settings and os.path.abspath(options.settings)
    os.umask(0o022)  # the folder in /run and status.json are for every user to read
    if options.verb in _NOT_IN_THIS_VERSION:
        print(f"`edge-provisioner {options.verb}` is not in this version", file=sys.stderr)
        return int(ExitCode.USAGE)
    try:
        return int(import_module(f"agent.cli.{options.verb}").run(options))
    except AgentError as error:
        return _told(error.finding)
    except BrokenPipeError:  # the reader of a pipe went away
        return int(ExitCode.FAILED)
    except OSError as error:
        return _told(INTERNAL(reason=failures.with_place(error)))
    except KeyboardInterrupt:
        return 130


def _told(finding: Finding) -> int:
    print(finding.told, file=sys.stderr)
    return int(finding.code.exit_code)


def parser_for(words: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only the verb that is asked for is imported and configured."""
    parser = _Parser(prog="edge-provisioner", description=_DESCRIPTION, parents=[_global(top=True)])
    parser.add_argument("--version", action="version", version=f"edge-provisioner {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, summary in VERBS.items():
        verb_parser = verbs.add_parser(verb, help=summary, description=summary, parents=[_global(top=False)])
        if verb in words:
            import_module(f"agent.cli.{verb}").configure(verb_parser)
    for verb in _NOT_IN_THIS_VERSION:
        verbs.add_parser(verb)
    return parser


def _global(*, top: bool) -> _Parser:
    """Give the options that stand before or after the verb; an absent one must not hide a given one."""
    options = _Parser(add_help=False)
    options.add_argument(
        "--settings", metavar="FILE", default=None if top else argparse.SUPPRESS,
        help="use this settings file alone, without the system's files and drop-ins",
    )  # fmt: skip
    options.add_argument(
        "--root", metavar="DIR", default="/" if top else argparse.SUPPRESS,
        help="look everything up below DIR and leave the rest of the machine alone",
    )  # fmt: skip
    return options
