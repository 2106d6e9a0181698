"""A software TPM for each test that wants one."""

from collections.abc import Iterator

import pytest

from tests.standins.software_tpm import SoftwareTpm


@pytest.fixture
def software_tpm() -> Iterator[SoftwareTpm]:
    """Give an empty TPM that is switched on."""
    with SoftwareTpm() as tpm:
        yield tpm
