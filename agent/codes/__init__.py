"""The one registry of outcomes: what can be said of a device, and what a person can do about it.

A family a module; a row a `Code`. `explain`, the journal catalog, docs/codes.md and the
enumeration in `status --json` are generated from these rows and from nothing else.
"""

from agent.codes.registry import AgentError, Code, ExitCode, Finding, Phase, Severity

__all__ = ["AgentError", "Code", "ExitCode", "Finding", "Phase", "Severity"]
