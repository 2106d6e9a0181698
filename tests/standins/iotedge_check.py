"""`iotedge check` and `check-list`: what a healthy device without internet access was told.

The results stand in checks.json as they were observed; they do not look at the machine.
"""

import json
import os
import sys
from collections import Counter
from typing import Any

_SHOWN = {"ok": ("\u221a", "OK"), "warning": ("\u203c", "Warning"), "error": ("\u00d7", "Error")}
_VERBOSE = "Re-run with --verbose for more details."
_COLUMN = 46


def _groups() -> list[dict[str, Any]]:
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "checks.json"), encoding="utf-8") as source:
        return list(json.load(source))


def list_checks() -> int:
    """Print the table of checks."""
    sys.stdout.write(f"{'CATEGORY':{_COLUMN}}{'ID':{_COLUMN}}DESCRIPTION\n\n")
    for group in _groups():
        for check in group["checks"]:
            cells = f"{group['category']:{_COLUMN}}{check['id']:{_COLUMN}}"
            sys.stdout.write(f"{cells}{check['description']}\n")
        sys.stdout.write("\n")
    return 0


def check() -> int:
    """Print the results; the status is 1 because there are errors."""
    counted: Counter[str] = Counter()
    for group in _groups():
        title = group["category"]
        sys.stdout.write(f"\n{title}\n{'-' * len(title)}\n")
        for one in group["checks"]:
            result = one.get("result", "ignored")
            counted[result] += 1
            if result in _SHOWN:
                mark, word = _SHOWN[result]
                sys.stdout.write(f"{mark} {one['description']} - {word}\n")
                sys.stdout.writelines(f"    {line}\n" for line in one.get("detail", []))
    sys.stdout.write(
        f"{counted['ok']} check(s) succeeded.\n"
        f"{counted['warning']} check(s) raised warnings. {_VERBOSE}\n"
        f"{counted['error']} check(s) raised errors. {_VERBOSE}\n"
        f"{counted['skipped']} check(s) were skipped due to errors from other checks. {_VERBOSE}\n"
    )
    sys.stdout.flush()
    sys.stderr.write("\n\n")
    return 1
