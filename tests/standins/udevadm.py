"""`udevadm`: control, trigger and settle, with rules that set owner, group and mode of TPM nodes."""

import fnmatch
import json
import os
import re
import sys
from contextlib import suppress

from .layout import STATE, faults, group_id, ids

_LOADED = f"{STATE}/udev-loaded.json"
_FOLDERS = ("etc/udev/rules.d", "run/udev/rules.d", "lib/udev/rules.d")
_PAIR = re.compile(r'\s*([A-Z]+)(?:\{[^}]*\})?\s*(==|!=|:=|\+=|=)\s*"([^"]*)"\s*,?')
Rule = list[tuple[str, str, str]]


def _files(root: str) -> list[str]:
    """List the rule files by name; a name in /etc or /run hides the same name further down."""
    chosen: dict[str, str] = {}
    for folder in _FOLDERS:
        for name in os.listdir(os.path.join(root, folder)):
            if name.endswith(".rules"):
                chosen.setdefault(name, os.path.join(root, folder, name))
    return [chosen[name] for name in sorted(chosen)]


def _known(root: str, key: str, value: str) -> bool:
    """Whether udevd can resolve an owner or group: it does so when it reads the rule."""
    if value.isdigit():
        return True
    if key == "OWNER":
        return ids(root, value) is not None
    return key != "GROUP" or group_id(root, value) is not None


def reload_rules(root: str) -> None:
    """Read all rules again, resolving names now."""
    rules: list[Rule] = []
    for path in _files(root):
        with suppress(OSError), open(path, encoding="utf-8") as source:
            text = source.read().replace("\\\n", " ")
            lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
            found = [_PAIR.findall(line) for line in lines]
            rules += [[pair for pair in rule if _known(root, pair[0], pair[2])] for rule in found if rule]
    with open(os.path.join(root, _LOADED), "w", encoding="utf-8") as target:
        json.dump(rules, target)


def _subsystem(node: str) -> str:
    return re.sub(r"\d+$", "", node)


def _matches(rule: Rule, name: str) -> bool:
    facts = {"KERNEL": name, "SUBSYSTEM": _subsystem(name), "ACTION": "add"}
    for key, operator, value in rule:
        if operator not in {"==", "!="}:
            continue
        fits = any(fnmatch.fnmatchcase(facts.get(key, ""), option) for option in value.split("|"))
        if key == "ACTION":
            fits = {"add", "change"} & set(value.split("|")) != set()
        if fits != (operator == "=="):
            return False
    return True


def apply_rules(root: str, names: list[str]) -> None:
    """Give nodes the owner, group and mode that the loaded rules say; the last rule wins."""
    with open(os.path.join(root, _LOADED), encoding="utf-8") as source:
        rules: list[Rule] = json.load(source)
    for name in names:
        wanted: dict[str, str] = {}
        for rule in rules:
            if _matches(rule, name):
                wanted |= {key: value for key, operator, value in rule if operator in {"=", ":="}}
        _set(root, os.path.join(root, "dev", name), wanted)


def _set(root: str, path: str, wanted: dict[str, str]) -> None:
    owner, group = wanted.get("OWNER"), wanted.get("GROUP")
    with suppress(OSError):
        if "MODE" in wanted:
            os.chmod(path, int(wanted["MODE"], 8))
        elif wanted.keys() & {"OWNER", "GROUP"}:
            os.chmod(path, 0o660)
        uid = (ids(root, owner) or (int(owner), 0))[0] if owner else -1
        gid = group_id(root, group) if group else -1
        if os.geteuid() == 0:
            os.chown(path, uid, -1 if gid is None else gid)


def _nodes(root: str) -> list[str]:
    return [name for name in sorted(os.listdir(os.path.join(root, "dev"))) if name.startswith("tpm")]


def _asked_for(arguments: list[str], nodes: list[str]) -> list[str]:
    """Choose nodes by subsystem (tpm and tpmrm are two), by name or by path; all without a choice."""
    values = [word.partition("=") for word in arguments]
    subsystems = [value for name, _, value in values if name in {"--subsystem-match", "-s"}]
    names = [value for name, _, value in values if name == "--sysname-match"]
    names += [os.path.basename(word) for word in arguments if word.startswith("/")]
    return [
        node
        for node in nodes
        if (not subsystems or any(fnmatch.fnmatchcase(_subsystem(node), one) for one in subsystems))
        and (not names or any(fnmatch.fnmatchcase(node, one) for one in names))
    ]


def main(root: str, arguments: list[str]) -> int:
    """Run the command."""
    verb = arguments[0] if arguments else ""
    dead = faults(root).get("udev") == "dead"
    if verb == "control" and dead:
        sys.stderr.write("Failed to send reload request: No such file or directory\n")
        return 1
    if verb == "control" and {"--reload", "-R", "--reload-rules"} & set(arguments):
        reload_rules(root)
    elif verb == "trigger" and not dead:
        apply_rules(root, _asked_for(arguments[1:], _nodes(root)))
    elif verb not in {"control", "trigger", "settle"}:
        sys.stderr.write(f"Unknown command verb {verb}.\n" if verb else "Command is missing.\n")
        return 1
    return 0
