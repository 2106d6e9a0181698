"""`run`: watch this device. What systemd starts; each look at the device is a child that runs `once`."""

import argparse
import os

from agent.daemon import Watcher
from agent.host import process
from agent.host.root import Root


def configure(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the global options are all there is."""


def run(options: argparse.Namespace) -> int:
    """Watch until told to stop.

    Raises:
        AgentError: another watcher runs, or the run-time directory can't be written.

    """
    os.umask(0o022)  # the directory in /run and status.json are for every user to read
    place = os.path.abspath(options.root.directory)  # the children start in /
    settings = ("--settings", os.path.abspath(options.settings)) if options.settings else ()
    argv = process.module_argv("agent.cli", "--root", place, *settings, "once", "--because")
    return Watcher(Root(place), pass_argv=argv).run()
