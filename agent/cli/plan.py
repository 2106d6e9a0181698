"""`plan`: say what `once` would do, with the diff of config.toml, and change nothing."""

import argparse
import json

from agent.codes import ExitCode
from agent.codes.shown import shown
from agent.facts.history import History
from agent.facts.request import Request
from agent.facts.steps import Step, WriteConfig
from agent.look.everything import observe
from agent.look.remembered import load_history, load_status
from agent.plan.plan import Plan, plan


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `plan`."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Print the plan; exits 0 with or without steps, 4 on a hold, 2 on settings that can't be used."""
    request = Request(options.root, options.settings, foresees=True)
    history = load_history(options.root) or History()
    found = plan(observe(request, history, load_status(options.root)))
    print(json.dumps(_as_document(found), indent=1) if options.json else _as_text(found))
    return int(found.finding.code.exit_code if found.finding and found.holds else ExitCode.DONE)


def _as_document(found: Plan) -> dict[str, object]:
    finding = found.finding
    return {
        "steps": [_step(step) for step in found.steps],
        "finding": finding
        and {"code": finding.code.name, "summary": finding.summary, "remedy": finding.remedy},
        "held_diff": found.held_diff,
        "notices": [{"code": one.code.name, "summary": one.summary} for one in found.notices],
    }


def _step(step: Step) -> dict[str, str]:
    diff = {"diff": step.diff} if isinstance(step, WriteConfig) else {}
    return {"name": step.name, "effect": shown(step.effect), **diff}


def _as_text(found: Plan) -> str:
    lines = [] if found.steps else ["nothing to do"]
    for number, step in enumerate(found.steps, 1):
        lines.append(f"{number}. {shown(step.effect)}")
        if isinstance(step, WriteConfig):
            lines += [f"     {line}" for line in step.diff.splitlines()]
    if found.held_diff:
        lines.append("held back; `edge-provisioner once --adopt` would make this change:")
        lines += [f"     {line}" for line in found.held_diff.splitlines()]
    lines += [f"note: {notice.summary}" for notice in found.notices]
    if found.finding:
        lines += [f"{found.finding.code.phase}: {found.finding.summary}"]
        lines += [f"  what to do: {found.finding.remedy}"]
    return "\n".join(lines)
