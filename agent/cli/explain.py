"""`explain`: what a code means, why it comes up and what to do."""

import argparse
import difflib
import sys

from agent.codes import Code, ExitCode
from agent.codes.catalogue import all_codes, without_facts
from agent.codes.shown import shown


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        "code", metavar="CODE|list", help="a code such as settings.missing, or list for all of them"
    )


def run(options: argparse.Namespace) -> int:
    """Explain one code or list all; 2 where there is no such code."""
    codes = {code.name: code for code in all_codes()}
    if options.code == "list":
        width = max(map(len, codes))
        for code in codes.values():
            print(f"{code.name:<{width}}  {without_facts(code.summary, code)}")
        return ExitCode.DONE
    if options.code in codes:
        print(_explained(codes[options.code]))
        return ExitCode.DONE
    print(_not_found(options.code, list(codes)), file=sys.stderr)
    return ExitCode.USAGE


def _explained(code: Code) -> str:
    """Lay a code out for a terminal."""
    return (
        f"{code.name}: {without_facts(code.summary, code)}\n\n"
        f"{without_facts(code.explanation, code)}\n\n"
        f"What to do: {without_facts(code.remedy, code)}\n\n"
        f"phase {code.phase}, exit code {int(code.exit_code)}, told within {code.visible_within_s:.0f} s, "
        f"MESSAGE_ID={code.message_id}"
    )


def _not_found(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else "`edge-provisioner explain list` names all codes."
    return f"There is no code {shown(name)}; {hint}"
