"""The end of planning: a concern that knows why nothing more may be done raises it. Pure."""

from agent.codes import Finding


class StopError(Exception):
    """Planning ends here with a finding; steps found before it stay in the plan.

    `held_diff` is the change of config.toml that a hold keeps from being made.
    """

    def __init__(self, finding: Finding, held_diff: str = "") -> None:
        """Take the finding."""
        super().__init__(finding.code.name)
        self.finding = finding
        self.held_diff = held_diff
