"""Settings: one table of names, kinds, defaults and meanings, and everything that is made from it.

Pure: the files' bytes come in, typed settings or every problem at once come out.
"""

from agent.settings.problems import Problem
from agent.settings.resolve import DEFAULT, Resolved, Source, resolve
from agent.settings.table import AutoReprovisioning, Method, OnManualEdit, ReprovisionMode, Settings

__all__ = [
    "DEFAULT",
    "AutoReprovisioning",
    "Method",
    "OnManualEdit",
    "Problem",
    "ReprovisionMode",
    "Resolved",
    "Settings",
    "Source",
    "resolve",
]
