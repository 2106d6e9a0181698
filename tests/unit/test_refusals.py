"""What the runtime would refuse is seen in the file: with its line, and a remedy that is enough."""

import re

import pytest

from agent.edge import config_text
from agent.edge.refusals import refusals
from agent.facts.snapshot import Snapshot
from agent.plan.plan import plan
from tests.standins import superconfig, toml_errors
from tests.unit.snapshots import OURS, by_hand, changed, code, fresh, healthy, names, with_config

AGENT = '[agent]\nname = "edgeAgent"\ntype = "docker"\n[agent.config]\nimage = "x"\n'
# What is added to a good file: at its top or its end; the key that is told, and its line.
REFUSED = {
    "a child of another edge": ('parent_hostname = "up"\n', "", "parent_hostname", 1),
    "the same by its other name": ('local_gateway_hostname = "up"\n', "", "local_gateway_hostname", 1),
    "the template's timeout": ("cloud_timeout_sec = 10\n", "", "cloud_timeout_sec", 1),
    "a timeout in quotes": ('cloud_timeout_sec = "70"\n', "", "cloud_timeout_sec", 1),
    "retries below none": ("cloud_retries = -1\n", "", "cloud_retries", 1),
    "a flag in quotes": (
        'allow_elevated_docker_permissions = "false"\n', "", "allow_elevated_docker_permissions", 1,
    ),
    "the template's key index": ("", '\n[tpm]\nauth_key_index = "0x00_01_00"\n', "tpm.auth_key_index", 14),
    "too large a key index": ("", "\n[tpm]\nauth_key_index = 0x800000\n", "tpm.auth_key_index", 14),
    "agent.env alone": ("", '\n[agent.env]\nRuntimeLogLevel = "debug"\n', "agent", 13),
    "agent.config alone": ("", '\n[agent.config]\nimage = "x"\n', "agent", 13),
    "an agent without its image": ("", "\n" + AGENT.replace('image = "x"\n', ""), "agent.config", 16),
    "half a connect": ("", '\n[connect]\nworkload_uri = "unix:///x"\n', "connect", 13),
    "half an engine": ("", '\n[moby_runtime]\nuri = "unix:///var/run/docker.sock"\n', "moby_runtime", 13),
    "three of four": ("", "\n[aziot_max_requests]\nkeyd = 1\n", "aziot_max_requests", 13),
    "an empty edge_ca": ("", "\n[edge_ca]\n", "edge_ca", 13),
    "a renewal of nothing": (
        "", '\n[edge_ca.auto_renew]\nrotate_key = true\nthreshold = "80%"\nretry = "4%"\n', "edge_ca", 13,
    ),
}  # fmt: skip
each_refused = pytest.mark.parametrize(("top", "end", "key", "line"), REFUSED.values(), ids=REFUSED)
TAKEN = (
    "", AGENT, AGENT + '[agent.env]\nx = "y"\n', "[edge_ca]\nauto_generated_edge_ca_expiry_days = 90\n",
    '[edge_ca]\nmethod = "est"\n', '[edge_ca]\ncert = "file:///c"\npk = "file:///k"\n',
    "[tpm]\nauth_key_index = 0x00_01_00\n", "[unknown]\n", '[agents]\nname = "x"\n',
)  # fmt: skip


def stand_in_takes(text: str) -> bool:
    try:
        superconfig.parse(text)
    except (superconfig.RefusedError, toml_errors.TomlError):
        return False
    return True


def provisioned(text: str, *, applied: bool) -> Snapshot:
    """Give a device of ours whose config.toml somebody has edited."""
    seen = with_config(healthy(), text, applied=False)
    return seen if applied else changed(seen, config={"generated": {}})


@each_refused
def test_what_the_runtime_refuses_is_said_before_anything_is_made(
    top: str, end: str, key: str, line: int
) -> None:
    found = plan(with_config(fresh(), top + OURS + end, applied=False))
    facts = dict(found.finding.facts) if found.finding else {}

    assert not stand_in_takes(top + OURS + end)
    assert (names(found), code(found), found.holds) == ([], "apply.would-refuse", True)
    assert (facts["key"], facts["line"]) == (key, str(line))


@each_refused
def test_a_device_on_which_nothing_is_to_be_applied_is_told_and_left_alone(
    top: str, end: str, key: str, line: int
) -> None:
    found = plan(provisioned(top + OURS + end, applied=True))

    assert (names(found), code(found)) == ([], "runtime.provisioned")
    assert [dict(one.facts)["line"] for one in found.notices if one.code.name == "config.refused-later"] == [
        str(line)
    ]


@each_refused
def test_a_persons_word_does_not_help(top: str, end: str, key: str, line: int) -> None:
    other = (top + OURS + end).replace('"tpm"', '"symmetric_key"')
    found = plan(changed(by_hand(other) if not end else with_config(by_hand(), other), adopt=True))

    assert (names(found), code(found)) == ([], "apply.would-refuse")


@pytest.mark.parametrize("table", TAKEN)
def test_what_the_runtime_takes_is_taken(table: str) -> None:
    text = f"{OURS}\n{table}"

    assert stand_in_takes(text)
    assert list(refusals(config_text.parse(text), "1.6.0")) == []


@pytest.mark.parametrize(
    ("version", "value", "refused"),
    [("1.6.0", 69, True), ("", 69, True), ("1.4.8", 10, False), ("1.4.8", 0, True), ("1.4.9", 10, True),
     ("1.4.20", 10, True), ("1.5.3", 70, False)],
)  # fmt: skip
def test_the_least_timeout_is_that_of_the_version(version: str, value: int, refused: bool) -> None:
    assert bool(list(refusals({"cloud_timeout_sec": value}, version))) is refused


@pytest.mark.parametrize("mode", ['"dynamic"', "true", "[]"])
def test_a_mode_that_there_is_not_is_told_where_it_is_left_to_the_file(mode: str) -> None:
    (one,) = refusals(config_text.parse(f"auto_reprovisioning_mode = {mode}\n"), "1.6.0")

    assert one.path == ("auto_reprovisioning_mode",)


# The remedies, carried out literally


def spelled(mend: str) -> list[str]:
    """Give the whole lines that a remedy spells."""
    return [f"{line}\n" for line in re.findall(r"`([^`]*)`", mend) if " = " in line]


def carried_out(mend: str, text: str, key: str, line: int) -> str:
    """Do what a remedy says: a line in another's place, lines below a header, or what is wrong gone."""
    lines, header = text.splitlines(keepends=True), f"[{key}]\n"
    at = line - 1
    if "in its place" in mend:
        lines[at : at + 1] = spelled(mend)
    elif not header.startswith("[") or not spelled(mend):
        assert "elete" in mend
        lines[at:] = [] if text.startswith(OURS) else lines[at + 1 :]
    else:
        rest = lines[at + 1 :] if lines[at] == header else lines[at:]
        lines[at:] = [header, *spelled(mend), *rest]
    return "".join(lines)


@each_refused
def test_the_remedy_is_enough(top: str, end: str, key: str, line: int) -> None:
    text = top + OURS + end
    (one, *_) = refusals(config_text.parse(text), "1.6.0")

    assert stand_in_takes(carried_out(one.mend, text, key, line))
