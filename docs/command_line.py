"""The command line as a table: every verb, option and argument, taken from the parser that reads them."""  # noqa: INP001

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from agent import cli
from agent.codes.catalogue import all_codes


class Takes(Enum):
    """What a value is, as far as a shell can help with it."""

    NOTHING = auto()
    WORD = auto()
    FILE = auto()
    FOLDER = auto()
    TPM = auto()
    CHOICE = auto()


_BY_METAVAR = {"FILE": Takes.FILE, "DIR": Takes.FOLDER, "DEVICE": Takes.TPM}


@dataclass(frozen=True, slots=True)
class Option:
    """An option with its names, or an argument without any; `value` is how people are told what it takes."""

    names: tuple[str, ...]
    help: str
    takes: Takes = Takes.NOTHING
    value: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: what it does, its own options and its arguments. The global options stand apart."""

    name: str
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The whole command."""

    about: str
    options: tuple[Option, ...]
    verbs: tuple[Verb, ...]

    @property
    def everywhere(self) -> tuple[Option, ...]:
        """The options that may stand before or after the verb."""
        return tuple(option for option in self.options if option.names != ("--version",))


def read() -> CommandLine:
    """Read the parser with every verb configured. Verbs that are not in this version are left out."""
    parser = cli.parser_for(tuple(cli.VERBS))
    options = tuple(_option(action) for action in _actions(parser) if action.option_strings)
    given = {name for option in options for name in option.names}
    subparsers = next(one for one in parser._actions if isinstance(one, argparse._SubParsersAction))  # noqa: SLF001
    verbs = (_verb(one, subparsers.choices[one], given) for one in cli.VERBS)
    return CommandLine(str(parser.description), options, tuple(verbs))


def _verb(name: str, parser: argparse.ArgumentParser, given: set[str]) -> Verb:
    own = [action for action in _actions(parser) if given.isdisjoint(action.option_strings)]
    return Verb(
        name,
        str(parser.description),
        tuple(_option(action) for action in own if action.option_strings),
        tuple(_option(action) for action in own if not action.option_strings),
    )


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Give what a person can write; --help goes without saying, and what has no help is not for people."""
    for action in parser._actions:  # noqa: SLF001
        unsaid = isinstance(action, argparse._HelpAction | argparse._SubParsersAction)  # noqa: SLF001
        if not unsaid and action.help != argparse.SUPPRESS:
            yield action


def _option(action: argparse.Action) -> Option:
    text = (action.help or "show the version") % {**vars(action), "prog": "edge-provisioner"}
    names = tuple(action.option_strings)
    if action.nargs == 0:
        return Option(names, text)
    choices = tuple(str(one) for one in action.choices or ())
    value = str(action.metavar) if action.metavar else "|".join(choices) or action.dest.upper()
    if value.startswith("CODE"):
        choices = (*(code.name for code in all_codes()), "list")
    takes = Takes.CHOICE if choices else _BY_METAVAR.get(value, Takes.WORD)
    return Option(names, text, takes, value, choices)
