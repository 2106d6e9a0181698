"""The stage for scenario tests; its path is short because it holds sockets."""

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

from tests.scenario.stage import Stage


@pytest.fixture(name="base")
def base_folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="ep-")
    os.chmod(folder, 0o755)  # noqa: S103  # the runtime's users search it
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(name="stage")
def stage_of_a_new_device(base: str) -> Iterator[Stage]:
    """A machine with the runtime installed and its TPM plugged in; nothing is configured yet."""
    with Stage(base) as made:
        made.plug()
        yield made


@pytest.fixture(name="provisioned")
def stage_of_a_provisioned_device(stage: Stage) -> Stage:
    """The same, provisioned by the agent."""
    stage.provision()
    return stage
