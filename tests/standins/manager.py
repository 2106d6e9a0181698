"""What systemctl's verbs do on the machine, and the texts and exit statuses they answer with."""

import glob
import os
import signal
from typing import TYPE_CHECKING, Any

from .service_unit import ServiceUnit
from .units import JobError, SocketUnit

if TYPE_CHECKING:
    from collections.abc import Callable

Done = dict[str, Any]
_ORDER = (
    "MainPID",
    "Result",
    "NRestarts",
    "ExecMainPID",
    "ExecMainCode",
    "ExecMainStatus",
    "Environment",
    "Id",
    "Names",
    "Description",
    "LoadState",
    "ActiveState",
    "SubState",
    "FragmentPath",
    "UnitFileState",
    "StateChangeTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
    "InvocationID",
)


def installed(root: str, unit: str) -> bool:
    """Whether a unit's file is on the machine."""
    return os.path.exists(os.path.join(root, "lib/systemd/system", unit))


def full_name(word: str) -> str:
    """Complete a unit's name as systemctl does."""
    return word if word.endswith((".service", ".socket")) else f"{word}.service"


class Manager:
    """Carries out what systemctl is asked to do."""

    def __init__(self, root: str, services: dict[str, ServiceUnit]) -> None:
        self._root = root
        self._services = services
        self._sockets = {unit.spec.name: unit for service in services.values() for unit in service.sockets}

    async def run(self, argv: list[str]) -> Done:
        """Run one command; gives status, stdout and stderr."""
        options, words = _split(argv)
        verb, names = (words[0], [full_name(word) for word in words[1:]]) if words else ("", [])
        if verb in {"start", "stop", "restart", "try-restart"}:
            return await self._job(verb, names)
        quiet = any(key in {"q", "quiet"} for key, _ in options)
        answers: dict[str, Callable[[], Done]] = {
            "is-active": lambda: self._is(verb, names, quiet=quiet),
            "is-enabled": lambda: self._is(verb, names, quiet=quiet),
            "is-failed": lambda: self._is(verb, names, quiet=quiet),
            "show": lambda: self._show(options, names),
            "mask": lambda: self._mask(verb, names),
            "unmask": lambda: self._mask(verb, names),
            "kill": lambda: self._kill(options, names),
            "reset-failed": lambda: self._reset_failed(names),
            "daemon-reload": _done,
        }
        if verb not in answers:
            return _done(1, err=f"Unknown command verb {verb}.\n")
        return answers[verb]()

    def _unit(self, name: str) -> ServiceUnit | SocketUnit | None:
        if not installed(self._root, name):
            return None
        return self._services.get(name) or self._sockets.get(name)

    async def _job(self, verb: str, names: list[str]) -> Done:
        status, err = 0, ""
        for name in names:
            unit = self._unit(name)
            if unit is None:
                status, err = 5, f"{err}Failed to {verb} {name}: Unit {name} not found.\n"
                continue
            try:
                await self._carry_out(verb, unit)
            except JobError as failure:
                status, err = 1, f"{err}{failure}\n"
            err += self._still_triggered(verb, name)
        return _done(status, err=err)

    @staticmethod
    async def _carry_out(verb: str, unit: ServiceUnit | SocketUnit) -> None:
        if verb != "start":
            await (unit if isinstance(unit, ServiceUnit) else unit.service).stop()
        if verb != "start" and isinstance(unit, SocketUnit):
            unit.close()
        if verb == "stop":
            return
        if isinstance(unit, ServiceUnit):
            await unit.start()
        else:
            unit.start()

    def _still_triggered(self, verb: str, name: str) -> str:
        """Warn of a socket that will start a stopped service again, as docker's does."""
        service = self._services.get(name)
        if verb != "stop" or service is None:
            return ""
        left = [unit.spec.name for unit in service.sockets if unit.listener]
        if not left:
            return ""
        return f"Warning: Stopping {name}, but it can still be activated by:\n  {' '.join(left)}\n"

    def _is(self, verb: str, names: list[str], *, quiet: bool) -> Done:
        words = [self._file_state(name) if verb == "is-enabled" else self._active(name) for name in names]
        wanted = {"is-active": {"active"}, "is-failed": {"failed"}, "is-enabled": {"enabled", "static"}}[verb]
        found = any(word in wanted for word in words)
        missing = [name for name, word in zip(names, words, strict=True) if not word]
        out = "".join(f"{word}\n" for word in words if word)
        if quiet:
            out = ""
        err = "".join(f"Failed to get unit file state for {n}: No such file or directory\n" for n in missing)
        bad = 1 if verb != "is-active" else 3
        return _done(0 if found else bad, out, err)

    def _active(self, name: str) -> str:
        unit = self._unit(name)
        return unit.active if unit else "inactive"

    def _file_state(self, name: str) -> str:
        unit = self._unit(name)
        if unit is None:
            return ""
        service = unit if isinstance(unit, ServiceUnit) else unit.service
        if service is unit and service.masked:
            return "masked"
        return "enabled" if unit is not service or service.spec.enabled else "disabled"

    def _show(self, options: list[tuple[str, str]], names: list[str]) -> Done:
        wanted = {part for key, value in options if key in "pP" for part in value.split(",")}
        bare = any(key in {"P", "value"} for key, _ in options)
        blocks = []
        for name in names:
            found = self._properties(name)
            rows = [(key, found[key]) for key in _ORDER if key in found and (not wanted or key in wanted)]
            blocks.append("".join(f"{value}\n" if bare else f"{key}={value}\n" for key, value in rows))
        return _done(out="\n".join(blocks))

    def _properties(self, name: str) -> dict[str, str]:
        unit = self._unit(name)
        base = {"Id": name, "Names": name, "Description": name, "UnitFileState": self._file_state(name)}
        if unit is None:
            absent = {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
            times = {"StateChangeTimestampMonotonic": "0", "ActiveEnterTimestampMonotonic": "0"}
            rest = {"MainPID": "0", "Result": "success", "NRestarts": "0", "ExecMainStatus": "0"}
            more = {"ExecMainPID": "0", "ExecMainCode": "0", "FragmentPath": "", "InvocationID": ""}
            return base | absent | times | rest | more | {"Environment": ""}
        base |= {
            "Description": unit.spec.description,
            "LoadState": "masked" if base["UnitFileState"] == "masked" else "loaded",
            "ActiveState": unit.active,
            "SubState": unit.sub,
            "Result": unit.result,
            "FragmentPath": f"/lib/systemd/system/{name}",
            "StateChangeTimestampMonotonic": str(unit.changed_us),
            "ActiveEnterTimestampMonotonic": str(unit.active_us),
            "InvocationID": unit.invocation,
        }
        if not isinstance(unit, ServiceUnit):
            return base
        return base | _process_properties(unit) | {"Environment": _environment(self._root, name)}

    def _mask(self, verb: str, names: list[str]) -> Done:
        err = ""
        for name in names:
            shown = f"/etc/systemd/system/{name}"
            path = self._root + shown
            if verb == "mask" and not os.path.islink(path):
                os.symlink("/dev/null", path)
                err += f"Created symlink {shown} \u2192 /dev/null.\n"
            elif verb == "unmask" and os.path.islink(path):
                os.unlink(path)
                err += f"Removed {shown}.\n"
        return _done(err=err)

    def _kill(self, options: list[tuple[str, str]], names: list[str]) -> Done:
        word = next((value for key, value in options if key == "s"), "TERM")
        number = int(word) if word.isdigit() else signal.Signals[f"SIG{word.removeprefix('SIG')}"]
        for name in names:
            unit = self._unit(name)
            if not isinstance(unit, ServiceUnit) or not unit.main_pid:
                return _done(1, err=f"Failed to kill unit {name}: Unit {name} is not loaded.\n")
            unit.kill(number)
        return _done()

    def _reset_failed(self, names: list[str]) -> Done:
        units = [self._unit(name) for name in names] or list(self._services.values())
        for unit in units:
            if unit is not None and unit.active == "failed":
                unit.result = "success"
                unit.enter("inactive", "dead")
        return _done()


def _process_properties(unit: ServiceUnit) -> dict[str, str]:
    return {
        "MainPID": str(unit.main_pid),
        "NRestarts": str(unit.restarts),
        "ExecMainPID": str(unit.exec_pid),
        "ExecMainCode": str(unit.exec_code),
        "ExecMainStatus": str(unit.exec_status),
    }


def _environment(root: str, name: str) -> str:
    """Collect Environment= of the unit's file and its drop-ins."""
    files = [os.path.join(root, "lib/systemd/system", name)]
    files += sorted(glob.glob(f"{glob.escape(root)}/etc/systemd/system/{name}.d/*.conf"))
    found = []
    for path in files:
        with open(path, encoding="utf-8") as source:
            found += [
                line.partition("=")[2].strip().strip('"')
                for line in source
                if line.startswith("Environment=")
            ]
    return " ".join(found)


def _done(status: int = 0, out: str = "", err: str = "") -> Done:
    return {"status": status, "out": out, "err": err}


def _split(argv: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Tell options from words."""
    options: list[tuple[str, str]] = []
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word in {"-p", "-P", "-s"}:
            options.append((word[1], next(rest)))
        elif word.startswith(("-p", "-P", "-s")):
            options.append((word[1], word[2:]))
        elif word.startswith(("--property=", "--signal=")):
            options.append((word[2], word.partition("=")[2]))
        elif word.startswith("-"):
            options.append((word.lstrip("-").partition("=")[0], ""))
        else:
            words.append(word)
    return options, words
