"""`run`: watch this device. What systemd starts; each look at the device is a child that runs `once`."""

import argparse

from agent.daemon import Watcher
from agent.host import process


def configure(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the global options are all there is."""


def run(options: argparse.Namespace) -> int:
    """Watch until told to stop.

    Raises:
        AgentError: another watcher runs, or the run-time directory can't be written.

    """
    root = options.root
    argv = process.module_argv("agent.passes.watched", root.directory, options.settings or "")
    return Watcher(root, pass_argv=argv).run()
