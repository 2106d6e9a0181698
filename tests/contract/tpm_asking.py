"""Ask a TPM: by the agent, and by tpm2-tools for the second opinion."""

import os
import shutil
import subprocess
from collections.abc import Callable

from agent.codes import Finding
from agent.host.root import Root
from agent.tpm import keys
from agent.tpm.device import Device
from agent.tpm.keys import Authorisations, Keys, Patience, Request
from tests.standins.software_tpm import SoftwareTpm

HOST = Root()
ONCE = Patience(pauses_s=())
EK, SRK = "0x81010001", "0x81000001"
READ, MAKE, PERSIST, FLUSH = "ReadPublic", "CreatePrimary", "EvictControl", "FlushContext"
STATE = "GetCapability"  # are the hierarchies on: asked where a key is absent (docs/adr/0008)
WARM = [READ, READ]
LOOKED = [READ, READ, STATE]
COLD = [*LOOKED, MAKE, PERSIST, FLUSH, MAKE, PERSIST, FLUSH]
Operation = Callable[[Root, Request], Keys]


def request(
    tpm: SoftwareTpm,
    *,
    patience: Patience = ONCE,
    authorisations: Authorisations = keys.NO_AUTHORISATIONS,
    expected_ek_name: str = "",
) -> Request:
    return Request(Device(tpm.tcti, tpm.tcti), authorisations, patience, expected_ek_name)


def ensure(tpm: SoftwareTpm) -> Keys:
    return keys.ensure(HOST, request(tpm))


def refusal(operation: Operation, wanted: Request, root: Root = HOST) -> Finding:
    """Give the finding that an operation ends with; it must end with one."""
    from agent.codes import AgentError

    try:
        found = operation(root, wanted)
    except AgentError as error:
        return error.finding
    raise AssertionError(f"no refusal but {found}")


def tools(tpm: SoftwareTpm, *argv: str) -> str:
    """Run one of tpm2-tools against a TPM; gives its standard output."""
    program = shutil.which(argv[0])
    assert program is not None, f"{argv[0]} is not installed"
    environment = {"PATH": os.environ["PATH"], "TPM2TOOLS_TCTI": tpm.tcti}
    done = subprocess.run(
        [program, *argv[1:]], env=environment, cwd=tpm.directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def settle(tpm: SoftwareTpm) -> None:
    """Flush what the tools left loaded, as a resource manager would, and forget their commands."""
    tools(tpm, "tpm2_flushcontext", "-t")
    tpm.commands()


def public_by_tools(tpm: SoftwareTpm, handle: str) -> bytes:
    """Give the TPM2B_PUBLIC at a handle as the published procedure reads it."""
    tools(tpm, "tpm2_readpublic", "-Q", "-c", handle, "-o", "read.pub")
    with open(os.path.join(tpm.directory, "read.pub"), "rb") as source:
        return source.read()


def persistent_handles(tpm: SoftwareTpm) -> list[str]:
    return tools(tpm, "tpm2_getcap", "handles-persistent").replace("- ", "").split()


def transient_handles(tpm: SoftwareTpm) -> list[str]:
    return tools(tpm, "tpm2_getcap", "handles-transient").replace("- ", "").split()
