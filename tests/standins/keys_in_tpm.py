"""What the TPM service does with its TPM: the real thing, and what stands for it where there is none."""

import os
import select
from collections.abc import Callable
from typing import NamedTuple, Protocol

from . import tpm_commands as tpm

_PERSISTENT = 0x81000000
_DIGEST_SIZE = 32


class Passwords(NamedTuple):
    """The hierarchies' passwords."""

    owner: str = ""
    endorsement: str = ""


class Opened(NamedTuple):
    """A TPM that is open: the node's place and what it was when it was opened."""

    path: str
    fd: int
    identity: tuple[int, int]

    def present(self) -> bool:
        """Whether the node is still there and still the same."""
        try:
            found = os.stat(self.path)
        except OSError:
            return False
        line = select.poll()
        line.register(self.fd, 0)
        hung_up = bool(line.poll(0))
        return (found.st_dev, found.st_ino) == self.identity and not hung_up


class Keys(Protocol):
    """The keys that the service has. All raise TpmError and OSError where the TPM does not do it."""

    def public(self) -> tuple[bytes, bytes]:
        """Give the TPM2B_PUBLIC of EK and SRK."""

    def import_key(self, key: bytes) -> None:
        """Keep the key that proves who the device is."""

    def sign(self, data: bytes) -> bytes:
        """Sign with it."""


class PretendKeys:
    """Keys of nobody, signed for by a TPM that only has to be there and to have the right passwords."""

    def __init__(self, opened: Opened | None, passwords_fit: Callable[[], bool]) -> None:
        self._opened = opened
        self._passwords_fit = passwords_fit

    def public(self) -> tuple[bytes, bytes]:
        return tpm.EK_TEMPLATE, tpm.SRK_TEMPLATE

    def import_key(self, key: bytes) -> None:
        self.sign(key)
        if not self._passwords_fit():
            raise tpm.TpmError(tpm.BAD_AUTH)

    def sign(self, data: bytes) -> bytes:
        if self._opened and not self._opened.present():
            raise OSError("no TPM")
        return data[:1] * _DIGEST_SIZE


class RealKeys:
    """EK, SRK and the device's key in a real TPM; EK and SRK are made where they are not."""

    def __init__(
        self, fd: int, passwords: Passwords, auth_key_index: int, complain: Callable[[str], None]
    ) -> None:
        self._fd = fd
        self._owner = passwords.owner.encode()
        self._endorsement = passwords.endorsement.encode()
        self._auth_key = _PERSISTENT + auth_key_index
        self._complain = complain
        ek = (tpm.EK, tpm.ENDORSEMENT, tpm.EK_TEMPLATE, self._endorsement)
        srk = (tpm.SRK, tpm.OWNER, tpm.SRK_TEMPLATE, self._owner)
        self._public = self._primary("endorsement key", *ek), self._primary("storage root key", *srk)

    def _primary(self, name: str, handle: int, hierarchy: int, template: bytes, password: bytes) -> bytes:
        try:
            return tpm.read_public(self._fd, handle)
        except tpm.TpmError as absent:
            self._complain(f"could not read {name} from {handle:#x}: {absent}")
        self._persist(tpm.create_primary(self._fd, hierarchy, template, password), handle)
        return tpm.read_public(self._fd, handle)

    def _persist(self, transient: int, handle: int) -> None:
        try:
            tpm.evict_control(self._fd, transient, handle, self._owner)
        finally:
            tpm.flush(self._fd, transient)

    def public(self) -> tuple[bytes, bytes]:
        return self._public

    def import_key(self, key: bytes) -> None:
        """Replace the device's key; the endorsement hierarchy is asked too, as in an activation."""
        probe = tpm.create_hmac_key(self._fd, tpm.ENDORSEMENT, self._endorsement, key)
        tpm.flush(self._fd, probe)
        self._forget()
        self._persist(tpm.create_hmac_key(self._fd, tpm.OWNER, self._owner, key), self._auth_key)

    def _forget(self) -> None:
        try:
            tpm.read_public(self._fd, self._auth_key)
        except tpm.TpmError:
            return
        tpm.evict_control(self._fd, self._auth_key, self._auth_key, self._owner)

    def sign(self, data: bytes) -> bytes:
        return tpm.hmac(self._fd, self._auth_key, data)
