"""What a pass was asked: on which machine, why, and what a person allowed."""

from agent.facts.snapshot import Because
from agent.host.root import Root
from agent.values import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """Which machine to look at, why, and what a person allowed.

    `foresees` is asked by who only says what would be done: a key that is missing is made for a moment then.
    """

    root: Root
    settings_file: str | None = None
    because: Because = Because.COMMAND
    adopt: bool = False
    foresees: bool = False

    @property
    def wakes_tpm(self) -> bool:
        """Whether this look may speak to the TPM when the last one was well."""
        return self.because not in (Because.TIMER, Because.FILES)
