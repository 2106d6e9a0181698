"""The six libraries are those the run is about: the distribution's, or with `make test-newest` PyPI's."""

import importlib
import os
import sysconfig

import pytest

_LIBRARIES = ("tpm2_pytss", "tomlkit", "sdnotify", "pyudev", "cryptography", "structlog")
_NEWEST = os.environ.get("EDGE_PROVISIONER_LIBRARIES") == "newest"
_FOLDER = sysconfig.get_path("purelib") if _NEWEST else "/usr/lib/python3/dist-packages"


@pytest.mark.parametrize("name", _LIBRARIES)
def test_a_library_comes_from_where_it_should(name: str) -> None:
    place = importlib.import_module(name).__file__

    assert place is not None
    assert place.startswith(os.path.realpath(_FOLDER) + os.sep)
