"""`tpm ensure` and `tpm show`: make the TPM's keys and nothing else, or look at them."""

import argparse
import json
import sys

from agent.cli import chosen_tpm
from agent.cli.remembered_ek import remember_under_lock
from agent.codes import AgentError, ExitCode, Finding
from agent.codes.shown import shown
from agent.host.root import Root
from agent.passes import lock
from agent.tpm import keys, nodes
from agent.tpm.ek_templates import L_1, in_words
from agent.values import dataclass, replace


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        "action", choices=("ensure", "show", "rehearse"),
        help="ensure: make the missing keys; show: every TPM and its keys; rehearse: not in this version",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen_tpm.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """Do what is asked."""
    if options.action == "rehearse":
        print("`edge-provisioner tpm rehearse` is not in this version", file=sys.stderr)
        return ExitCode.USAGE
    return _ensure(options) if options.action == "ensure" else _show(options)


def _ensure(options: argparse.Namespace) -> int:
    settings = chosen_tpm.strict_settings(options)
    with lock.hold(options.root, "tpm ensure"):
        wanted = chosen_tpm.request(options, settings)
        expected = chosen_tpm.stored_ek_name(options.root)
        found = keys.ensure(options.root, replace(wanted, expected_ek_name=expected))
        remember_under_lock(options, found)
    _print([_Report(found.device.name, found, None)], as_json=options.json)
    return ExitCode.DONE


def _show(options: argparse.Namespace) -> int:
    requests = chosen_tpm.every_request(options, chosen_tpm.lenient_settings(options))
    if not requests:
        raise AgentError(nodes.absence(options.root))
    reports = [_look(options.root, request) for request in requests]
    _print(reports, as_json=options.json)
    return max(report.exit_code for report in reports)


@dataclass(frozen=True, slots=True)
class _Report:
    """A TPM and its keys, or why they can't be told; `trouble` may also be about the keys."""

    device: str
    found: keys.Keys | None
    trouble: Finding | None

    @property
    def exit_code(self) -> ExitCode:
        return self.trouble.code.exit_code if self.trouble else ExitCode.DONE

    @property
    def findings(self) -> tuple[Finding, ...]:
        notices = self.found.notices if self.found else ()
        return (self.trouble, *notices) if self.trouble else notices


def _look(root: Root, request: keys.Request) -> _Report:
    try:
        found = keys.show(root, request)
    except AgentError as error:
        return _Report(request.device.name, None, error.finding)
    return _Report(request.device.name, found, found.foreign or found.obstacle)


def _print(reports: list[_Report], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([_as_json(report) for report in reports], indent=2))
        return
    for report in reports:
        print(shown(report.device))
        for name, key in _named_keys(report):
            print(f"  {name:<4} {key.state:<8} {key.name}".rstrip())
        if template := _template(report):
            print(f"  the EK is of template {template}")
        for finding in report.findings:
            print(f"  {finding.code.name}: {finding.summary}\n    what to do: {finding.remedy}")


def _as_json(report: _Report) -> dict[str, object]:
    return {
        "device": shown(report.device),
        "template": _template(report) or None,
        **{name.lower(): {"state": key.state, "name": key.name} for name, key in _named_keys(report)},
        "code": report.trouble.code.name if report.trouble else None,
        "findings": [
            {"code": finding.code.name, "summary": finding.summary, "remedy": finding.remedy}
            for finding in report.findings
        ],
    }


def _template(report: _Report) -> str:
    """Name the template of an EK that is there, as far as a TPM tells it."""
    template = report.found.ek.verdict.template if report.found else ""
    if template == L_1:
        return f"{in_words(template)}, or the Azure C SDK's, which differs in a field that no TPM shows"
    return in_words(template) if template else ""


def _named_keys(report: _Report) -> tuple[tuple[str, keys.Key], ...]:
    return (("EK", report.found.ek), ("SRK", report.found.srk)) if report.found else ()
