"""udev events without a kernel device: umockdev's mock machine, driven from here."""

import os
import subprocess
import sys
from types import TracebackType
from typing import Self

_MOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mock_devices.py")


class MockDevices:
    """A mock machine with TPM nodes to announce; a process with `environment` gets its events by pyudev."""

    def __enter__(self) -> Self:
        self._mock = subprocess.Popen(
            ["/usr/bin/umockdev-wrapper", sys.executable, _MOCK],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.place = self._answer()
        return self

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process see the mock machine."""
        return {"UMOCKDEV_DIR": self.place, "LD_PRELOAD": "libumockdev-preload.so.0"}

    def do(self, action: str, name: str) -> None:
        """Let a device come ("add"), "change" or go ("remove"); the event has been sent when this returns."""
        if self._mock.stdin is not None:
            self._mock.stdin.write(f"{action} {name}\n")
            self._mock.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        return self._mock.stdout.readline().strip() if self._mock.stdout else ""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mock.communicate(timeout=20)
