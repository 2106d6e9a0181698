"""systemd's word on units, as a real one printed it; credentials; and texts that must not be seen."""

import copy
import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.host import systemd
from agent.host.root import Root
from agent.host.systemd import Secret, Unit

_TRANSCRIPT = Path(__file__).parents[1] / "data" / "transcripts" / "unit-properties.txt"
_SERVICES = ("aziot-edged", "aziot-identityd", "aziot-keyd", "aziot-certd", "aziot-tpmd")


def systemctl(root: Path, script: str) -> Root:
    """Put a systemctl of our own below a root."""
    program = root / "usr" / "bin" / "systemctl"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Root(str(root))


def printing(root: Path, text: str) -> Root:
    (root / "answer").write_text(text)
    return systemctl(root, f"/bin/cat {root}/answer")


def test_a_healthy_runtime_as_a_real_systemd_showed_it(tmp_path: Path) -> None:
    shown = _TRANSCRIPT.read_text().split("--- stdout\n")[1].split("--- stderr")[0]

    units = systemd.show(printing(tmp_path, shown), _SERVICES)

    assert units is not None
    assert [(unit.name.removesuffix(".service"), unit.runs, unit.restarting) for unit in units] == [
        (name, True, False) for name in _SERVICES
    ]
    assert units[0] == Unit(
        "aziot-edged.service", "loaded", "active", "running", "success", pid=2156, enabled="enabled"
    )


_CRASHING = """Result=exit-code
NRestarts=3
ExecMainStatus=1
MainPID=0
Id=aziot-tpmd.service
LoadState=loaded
ActiveState=activating
SubState=auto-restart
UnitFileState=disabled
InvocationID=6be7e0ba
ActiveEnterTimestampMonotonic=1500000

Id=nothing.service
LoadState=not-found
ActiveState=inactive
NRestarts=[not set]
"""


def test_a_crash_loop_and_a_unit_that_is_not_installed(tmp_path: Path) -> None:
    units = systemd.show(printing(tmp_path, _CRASHING), ("aziot-tpmd.service", "nothing.service"))

    assert units is not None
    crashing, absent = units
    assert (crashing.runs, crashing.restarting, crashing.restarts) == (False, True, 3)
    assert (crashing.exit_status, crashing.active_since_s, crashing.invocation) == (1, 1.5, "6be7e0ba")
    assert (absent.load, absent.runs, absent.restarts, absent.pid) == ("not-found", False, 0, 0)


@pytest.mark.parametrize("sub", ["auto-restart", "auto-restart-queued"])  # the latter since systemd 254
def test_a_first_restart_is_one_before_it_is_counted(tmp_path: Path, sub: str) -> None:
    shown = _CRASHING.replace("auto-restart", sub).replace("NRestarts=3", "NRestarts=0")

    units = systemd.show(printing(tmp_path, shown), ("aziot-tpmd.service", "nothing.service"))

    assert units is not None
    assert units[0].restarting


def test_it_is_asked_once_for_all_units_by_name(tmp_path: Path) -> None:
    root = systemctl(tmp_path, f'echo "$@" >{tmp_path}/asked')

    assert systemd.show(root, ("one.service", "two.socket")) == ()

    words = (tmp_path / "asked").read_text().split()
    assert words[:2] == ["show", "-p"]
    assert words[3:] == ["one.service", "two.socket"]


def test_no_systemctl_or_no_systemd_behind_it_is_no_answer(tmp_path: Path) -> None:
    assert systemd.show(Root(str(tmp_path)), ("one",)) is None
    assert systemd.show(systemctl(tmp_path, "echo Id=one; exit 1"), ("one",)) is None


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    (folder / name).chmod(0o600)
    return folder


def test_the_services_own_credential_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = put(tmp_path / "own", "tpm-owner-auth", b"own")
    put(tmp_path / "etc/credstore", "tpm-owner-auth", b"etc")
    put(tmp_path / "run/credstore", "tpm-owner-auth", b"run")
    root = Root(str(tmp_path))
    found = []

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(own))
    found.append(systemd.credential(root, "tpm-owner-auth"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    found.append(systemd.credential(root, "tpm-owner-auth"))
    os.unlink(tmp_path / "etc/credstore/tpm-owner-auth")
    found.append(systemd.credential(root, "tpm-owner-auth"))

    assert [secret.reveal() for secret in found if secret] == ["own", "etc", "run"]
    assert systemd.credential(root, "est-password") is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"word\n", "word"),
        (b"word\n\n", "word\n"),
        (b" w ord ", " w ord "),
        (b"", ""),
        ("w\u00f6".encode(), "w\u00f6"),
    ],
)
def test_one_final_newline_is_not_part_of_it(data: bytes, text: str, tmp_path: Path) -> None:
    put(tmp_path / "etc/credstore", "x", data)

    assert systemd.credential(Root(str(tmp_path)), "x") == Secret(text)


def test_a_credential_that_is_no_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "etc/credstore/x").mkdir(parents=True)

    with pytest.raises(OSError, match="not a regular file"):
        systemd.credential(Root(str(tmp_path)), "x")


_RENDERINGS: tuple[Callable[[Secret], str], ...] = (
    repr,
    str,
    "{}".format,
    "{:>20}".format,
    "{!r}".format,
    lambda secret: f"{secret}",
    lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - one more way
    lambda secret: str([secret]),
    lambda secret: str({"a": (secret,)}),
    lambda secret: json.dumps({"a": secret}, default=str),
    lambda secret: "".join(traceback.format_exception(ValueError("bad", secret))),
    lambda secret: repr(copy.deepcopy(secret)),
)


@pytest.mark.parametrize("render", _RENDERINGS)
def test_a_secret_is_never_seen(render: Callable[[Secret], str]) -> None:
    shown = render(Secret("open sesame"))

    assert "sesame" not in shown
    assert "****" in shown


def test_a_secret_is_no_text_to_join_or_to_write_as_json() -> None:
    secret = Secret("open sesame")

    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(secret)
    assert not isinstance(secret, str)
    assert not hasattr(secret, "__dict__")


def test_secrets_are_compared_by_what_they_hide() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a").reveal() == "a"
