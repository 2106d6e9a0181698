"""The hierarchies' passwords, as systemd hands them to the service, or as they lie in its stores."""

import os

from agent.codes import AgentError
from agent.codes import tpm as codes
from agent.host import guarded, systemd
from agent.host.root import Root
from agent.host.systemd import Secret

NAMES = ("tpm-owner-auth", "tpm-endorsement-auth")
PLACES = systemd.credential_places(*NAMES)


def read(root: Root, name: str) -> Secret | None:
    """Give a password; None where there is none, or none that this user may read.

    Raises:
        AgentError: tpm.credential-unreadable, tpm.credential-unguarded.
    """
    try:
        return systemd.credential(root, name)
    except PermissionError:  # an ordinary user may ask for the identity, and has no business with passwords
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(codes.CREDENTIAL_UNREADABLE(credential=name, detail=error)) from error
    except guarded.UnguardedError as error:
        facts = {"credential": name, "place": root.shown(error.place), "how": error.how}
        mode = "go-w" if os.path.isdir(error.place) else "go="
        raise AgentError(codes.CREDENTIAL_UNGUARDED(**facts, mode=mode)) from error


def are_hidden(root: Root) -> bool:
    """Say whether there may be passwords that this user may not read: a file, or the folder that it is in."""
    return any(map(_is_hidden, map(root.path, PLACES)))


def _is_hidden(place: str) -> bool:
    folder = os.path.dirname(place)
    in_the_way = place if os.access(folder, os.X_OK) else folder
    return os.path.exists(in_the_way) and not os.access(in_the_way, os.R_OK)
