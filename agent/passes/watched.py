"""The pass that the watcher starts: the same as `once` runs, told in three words.

A command line has to be parsed, and a parser for all verbs is as much work as the rest of a quiet pass.
"""

import os
import sys

from agent.codes import AgentError
from agent.codes.catalogue import by_name
from agent.facts.request import Request
from agent.facts.snapshot import Because
from agent.host.root import Root
from agent.passes.one_pass import run_pass
from agent.passes.stop_request import StopRequest


def main() -> int:
    """Run a pass; the words are the root, the one settings file or nothing, and why. Exits as `once` does."""
    root, settings, because = sys.argv[1:]
    os.umask(0o022)  # the folder in /run and status.json are for every user to read
    stop = StopRequest()
    try:
        request = Request(Root(root), settings or None, Because(because))
        status = run_pass(request, lambda _: None, stop.asked)  # what is done stands in the journal
    except AgentError as error:
        sys.stderr.write(f"{error.finding.told}\n")
        return int(error.finding.code.exit_code)
    return int(by_name(status.code).exit_code)
