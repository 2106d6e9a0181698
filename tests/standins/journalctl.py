"""`journalctl` as far as it is used: units, matches, since, last lines, and three outputs."""

import json
import os
import re
import sys
import time

from .journal import Entry, Journal
from .systemctl import catch_up

_TAKES_VALUE = {
    "-u": "unit",
    "--unit": "unit",
    "-o": "output",
    "--output": "output",
    "-n": "lines",
    "--lines": "lines",
    "--since": "since",
    "-S": "since",
    "-p": "priority",
    "--priority": "priority",
    "--output-fields": "fields",
}
_FLAGS = {
    "--no-pager",
    "-e",
    "--pager-end",
    "-b",
    "--boot",
    "-r",
    "--reverse",
    "-q",
    "--quiet",
    "-a",
    "--all",
}
_SECONDS = {"": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
_PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


class UsageError(Exception):
    """An argument that this journalctl does not know."""


class Query:
    """What was asked for."""

    def __init__(self) -> None:
        self.unit: list[str] = []
        self.matches: list[tuple[str, str]] = []
        self.output = "short"
        self.lines: int | None = None
        self.since_us = 0
        self.priority = 7
        self.fields: tuple[str, ...] = ()
        self.reverse = False
        self.quiet = False

    def wants(self, entry: Entry) -> bool:
        """Whether an entry is asked for. Values of one field are alternatives, fields add up."""
        if int(entry["__REALTIME_TIMESTAMP"]) < self.since_us or int(entry["PRIORITY"]) > self.priority:
            return False
        if self.unit and not {entry.get("_SYSTEMD_UNIT"), entry.get("UNIT")} & set(self.unit):
            return False
        names = {name for name, _ in self.matches}
        return all(entry.get(name) in {value for key, value in self.matches if key == name} for name in names)

    def take(self, name: str, value: str) -> None:
        """Store the value of an option."""
        match name:
            case "unit":
                self.unit.append(value if re.search(r"\.(service|socket)$", value) else f"{value}.service")
            case "fields":
                self.fields = tuple(value.split(","))
            case "lines":
                self.lines = None if value == "all" else int(value.lstrip("+"))
            case "since":
                self.since_us = _moment_us(value)
            case "priority":
                self.priority = int(value) if value.isdigit() else _PRIORITIES.index(value)
            case _:
                self.output = value


def _moment_us(text: str) -> int:
    if text.startswith("@"):
        return int(float(text[1:]) * 1e6)
    relative = re.fullmatch(r"-?(\d+(?:\.\d+)?) ?([a-z]*?)s?( ago)?", text)
    if relative and relative[2] in _SECONDS:
        return time.time_ns() // 1000 - int(float(relative[1]) * _SECONDS[relative[2]] * 1e6)
    return int(time.mktime(time.strptime(text.split(".", maxsplit=1)[0], "%Y-%m-%d %H:%M:%S")) * 1e6)


def parse(arguments: list[str]) -> Query:
    """Read the command line.

    Raises: UsageError for what is not supported.
    """
    query = Query()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word[:2] in _TAKES_VALUE and len(word) > 2 and not word.startswith("--"):
            query.take(_TAKES_VALUE[word[:2]], word[2:])
        elif name in _TAKES_VALUE:
            query.take(_TAKES_VALUE[name], value if equals else rest.pop(0))
        elif name in _FLAGS:
            query.reverse |= word in {"-r", "--reverse"}
            query.quiet |= word in {"-q", "--quiet"}
        elif re.fullmatch(r"[A-Z_]+=.*", word):
            query.matches.append((name, value))
        else:
            raise UsageError(word)
    return query


def render(entry: Entry, output: str, fields: tuple[str, ...] = ()) -> str:
    """Write one entry as journalctl does."""
    if output == "json":
        kept = {name: text for name, text in entry.items() if name[:2] == "__" or name in fields}
        return json.dumps(kept if fields else entry)
    if output == "cat":
        return entry["MESSAGE"]
    seconds = int(entry["__REALTIME_TIMESTAMP"]) / 1e6
    stamp = time.strftime("%b %d %H:%M:%S", time.localtime(seconds))
    return f"{stamp} {entry['_HOSTNAME']} {entry['SYSLOG_IDENTIFIER']}[{entry['_PID']}]: {entry['MESSAGE']}"


def tail(root: str, query: Query) -> list[str]:
    """Give the lines that answer a query."""
    found = [entry for entry in Journal(root).entries() if query.wants(entry)]
    if query.lines is not None:
        found = found[len(found) - min(query.lines, len(found)) :]
    if query.reverse:
        found.reverse()
    return [render(entry, query.output, query.fields) for entry in found]


def main(root: str, arguments: list[str]) -> int:
    """Run the command."""
    try:
        query = parse(arguments)
    except UsageError as wrong:
        sys.stderr.write(f"journalctl: unrecognized option '{wrong}'\n")
        return 1
    catch_up(root)
    lines = tail(root, query)
    if not lines and not query.quiet and query.output == "short":
        lines = ["-- No entries --"]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
    return 0 if os.path.isdir(root) else 1
