"""The `iotedge` command line. What it prints and exits with is handed on as it is; others judge it."""

import os

from agent.edge import status_text
from agent.host import process, processes
from agent.host.root import Root

SERVICES = ("aziot-edged", "aziot-identityd", "aziot-keyd", "aziot-certd", "aziot-tpmd")
_CHANGES = (("config", "apply"), ("system", "restart"), ("system", "reprovision"), ("system", "stop"))
_LOOK_TIMEOUT_S = 60.0  # eleven systemctl runs and up to five journal tails, on slow hardware
_RESTART_TIMEOUT_S = 300.0
_REPROVISION_TIMEOUT_S = 1500.0  # ten minutes, sent twice (fact sheet: system reprovision)


def version(root: Root, program: str) -> str:
    """Give the runtime's version, such as "1.6.0"; empty where the command can't say it."""
    answer = _run(root, program, ("version",), _LOOK_TIMEOUT_S)
    words = answer.out.split() if answer.succeeded else []
    return words[1] if words[:1] == ["iotedge"] and len(words) > 1 else ""


def system_status(root: Root, program: str) -> tuple[status_text.ServiceLine, ...]:
    """Give the table of `iotedge system status`; its exit status says nothing."""
    return status_text.parse(_run(root, program, ("system", "status"), _LOOK_TIMEOUT_S).out)


def apply(root: Root, program: str, *, timeout_s: float) -> process.Finished:
    """Run `iotedge config apply`. It outlives us if we are killed; `running_change` finds it then."""
    return _run_apart(root, program, ("config", "apply"), timeout_s)


def restart(root: Root, program: str) -> process.Finished:
    """Run `iotedge system restart`: stops and starts the daemons and with them all modules."""
    return _run_apart(root, program, ("system", "restart"), _RESTART_TIMEOUT_S)


def reprovision(root: Root, program: str) -> process.Finished:
    """Run `iotedge system reprovision`: deletes the identity's backup before the cloud is asked."""
    return _run_apart(root, program, ("system", "reprovision"), _REPROVISION_TIMEOUT_S)


def _run(root: Root, program: str, words: tuple[str, ...], timeout_s: float) -> process.Finished:
    """Run what only looks."""
    environment = process.environment_for(root)
    return process.run((program, *words), process.Child(timeout_s, environment=environment))


def _run_apart(root: Root, program: str, words: tuple[str, ...], timeout_s: float) -> process.Finished:
    """Run what must not be cut off halfway: it lives on if we are killed."""
    environment = process.environment_for(root)
    return process.run_apart((program, *words), process.Child(timeout_s, environment=environment))


def running_change(root: Root, program: str | None) -> int | None:
    """Give the process id of an `iotedge` of root's that is changing this machine's runtime.

    The runtime has no lock of its own: two applies at once both exit 0 and leave whatever they leave. Nobody
    but root can apply, so what others call their processes does not keep us from it.
    """
    changes = (pid for pid, words in processes.commands_of_root() if _is_change(root, program, words))
    return next(changes, None)


def _is_change(root: Root, program: str | None, words: list[str]) -> bool:
    """Say whether these words run `iotedge` with one of its changing commands, be it by an interpreter."""
    commands = (words[at] for at in range(len(words) - 2) if tuple(words[at + 1 : at + 3]) in _CHANGES)
    if root.is_host:
        return any(os.path.basename(command) == "iotedge" for command in commands)
    return program is not None and program in commands
