"""`config show` and `config check`: what is set, which file set it, and what is wrong."""

import argparse
import json
import sys
from collections.abc import Mapping

from agent.cli.left import left
from agent.codes import ExitCode
from agent.codes.shown import shown
from agent.look.settings import Loaded, load
from agent.plan.surroundings import other_cloud
from agent.settings import Settings, reference


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        "action", choices=("show", "check"), help="show: every value and its file; check: every problem"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Show or check the settings; 2 where anything is wrong with them."""
    loaded = load(options.root, options.settings)
    if options.action == "show" and loaded.settings is not None:
        return _show(loaded, loaded.settings, left(options.root, loaded), as_json=options.json)
    return _check(loaded, as_json=options.json)


def _show(loaded: Loaded, settings: Settings, left: Mapping[str, str], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(reference.as_json(loaded.resolved, settings, left), indent=2))
    else:
        print(reference.in_force(loaded.resolved, settings, left), end="")
    return ExitCode.DONE


def _check(loaded: Loaded, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(_report(loaded), indent=2))
    elif loaded.finding is None:
        lines = ("No problems. Files read, the weakest first:", *_listed(loaded.read), *_notes(loaded))
        print("\n".join(lines))
    else:
        for problem in loaded.problems:
            print(shown(str(problem)))
        print(loaded.finding.told, file=sys.stderr)
    return ExitCode.DONE if loaded.finding is None else loaded.finding.code.exit_code


def _notes(loaded: Loaded) -> tuple[str, ...]:
    dps = (loaded.settings or Settings()).dps
    found = other_cloud(dps.id_scope, dps.global_endpoint)
    return tuple(f"note: {one.summary}\n  what to do: {one.remedy}" for one in found)


def _listed(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"  {shown(path)}" for path in paths) or ("  none: every setting has its default",)


def _report(loaded: Loaded) -> dict[str, object]:
    return {
        "code": loaded.finding.code.name if loaded.finding else None,
        "files": list(loaded.read),
        "problems": [
            {
                "file": problem.path,
                "line": problem.line,
                "setting": shown(problem.dotted) or None,
                "problem": shown(problem.said),
                "nearest": problem.nearest,
            }
            for problem in loaded.problems
        ],
    }
