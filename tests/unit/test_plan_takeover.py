"""Taking over a device takes over all of it: the keys of the way it had before go, and nothing else does."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.edge import config_text
from agent.edge.config_paths import OF_OTHER_WAYS
from agent.facts.snapshot import Snapshot
from agent.facts.steps import WriteConfig
from agent.plan.plan import plan
from tests.unit.snapshots import (
    ENDPOINT,
    OURS,
    SCOPE,
    after,
    by_hand,
    carried_out,
    changed,
    code,
    healthy,
    names,
    with_config,
)

_HEAD = """\
# line 4, by the integrator
allow_elevated_docker_permissions = false

"""
_TAIL = """
# the modules' own
[agent]
name = "edgeAgent"
type = "docker"

[agent.config]
image = "registry.example/agent:1.6"  # pinned

[agent.env]
device_id = "not ours"
"""
# Each source and attestation but ours (iotedge-facts 4.3), each in more than one notation.
WAYS = {
    "connection string": """\
[provisioning]
source = "manual"
connection_string = "HostName=hub.test;DeviceId=old;SharedAccessKey=hushhush"  # from the portal
""",
    "manual, sas": """\
[provisioning]
source = "manual"
iothub_hostname = "hub.test"
device_id = "old"

[provisioning.authentication]
# the key of the device
method = "sas"
device_id_pk = { value = "hushhush" }
""",
    "manual, sas, in a table below": """\
[provisioning]
source = "manual"
iothub_hostname = "hub.test"
device_id = "old"
[provisioning.authentication]
method = "sas"
[provisioning.authentication.device_id_pk]
value = "hushhush"
""",
    "manual, x509, inline": """\
[provisioning]
source = "manual"
iothub_hostname = "hub.test"
device_id = "old"
authentication = { method = "x509", identity_cert = "file:///c", identity_pk = "pkcs11:pin-value=hushhush" }
""",
    "manual, dotted": """\
[provisioning]
source = "manual"
iothub_hostname = "hub.test"
device_id = "old"
authentication.method = "sas"
authentication.device_id_pk.value = "hushhush"
""",
    "symmetric key": f"""\
[provisioning]
source = "dps"
global_endpoint = "{ENDPOINT}"
id_scope = "{SCOPE}"
[provisioning.attestation]
method = "symmetric_key"
registration_id = "line-4"
symmetric_key = {{ value = "hushhush" }}
""",
    "symmetric key in a table": f"""\
[provisioning]
source = "dps"
global_endpoint = "{ENDPOINT}"
id_scope = "{SCOPE}"
[provisioning.attestation]
method = "symmetric_key"
registration_id = "line-4"
[provisioning.attestation.symmetric_key]
value = "hushhush"
""",
    "symmetric key, all inline": f"""\
provisioning = {{ source = "dps", global_endpoint = "{ENDPOINT}", id_scope = "{SCOPE}", \
attestation = {{ method = "symmetric_key", registration_id = "l", symmetric_key.value = "hushhush" }} }} # all
""",
    "symmetric key, attestation inline": f"""\
[provisioning]
source = "dps"
global_endpoint = "{ENDPOINT}"
id_scope = "{SCOPE}"
attestation = {{ method = "symmetric_key", registration_id = "l", symmetric_key = {{ value = "hushhush" }} }}
""",
    "symmetric key, dotted from the top": f"""\
provisioning.source = "dps"
provisioning.global_endpoint = "{ENDPOINT}"
provisioning.id_scope = "{SCOPE}"
provisioning.attestation.method = "symmetric_key"
provisioning.attestation.registration_id = "l"
provisioning.attestation.symmetric_key.value = "hushhush"
provisioning.own.note = "kept"
""",
    "x509, files": f"""\
[provisioning]
source = "dps"
global_endpoint = "{ENDPOINT}"
id_scope = "{SCOPE}"
[provisioning.attestation]
method = "x509"
registration_id = "line-4"
identity_cert = "file:///etc/aziot/id.pem"
identity_pk = "pkcs11:token=edge;object=id?pin-value=hushhush"
""",
    "x509, est": f"""\
[provisioning]
source = "dps"
global_endpoint = "{ENDPOINT}"
id_scope = "{SCOPE}"
[provisioning.attestation]
method = "x509"
registration_id = "line-4"
[provisioning.attestation.identity_cert]
method = "est"
common_name = "line-4"
username = "line4"
password = "hushhush"
[provisioning.attestation.identity_cert.auto_renew]
rotate_key = true
threshold = "80%"
retry = "4%"
""",
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
PROFILE = settings(
    max_examples=150, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


def of(way: str) -> Snapshot:
    """Give a device that was provisioned so."""
    text = f"{way}{_TAIL}" if way.startswith("provisioning") else f"{_HEAD}{way}{_TAIL}"
    return with_config(by_hand(), text, applied=False)


def adopted(device: Snapshot) -> tuple[Snapshot, WriteConfig]:
    end, done = carried_out(changed(device, adopt=True))
    (step,) = (one for one in done if isinstance(one, WriteConfig))
    return changed(end, adopt=False), step


@each_way
def test_nothing_of_the_other_way_is_left_and_nothing_else_is_touched(way: str) -> None:
    device = of(way)
    end, _ = adopted(device)
    text = end.config.text or ""
    there = config_text.parse(text)

    assert "hushhush" not in text
    assert all(config_text.value_at(there, path) is None for path in OF_OTHER_WAYS)
    rest = iter(text.splitlines())
    assert all(line in rest for line in _TAIL.splitlines())
    assert [line for line in (device.config.text or "").splitlines() if line.lstrip().startswith("#")] == [
        line for line in text.splitlines() if line.lstrip().startswith("#") and line != "# all"
    ]
    before = config_text.parse(device.config.text or "")
    for name in before.keys() - {"provisioning"}:
        assert there[name] == before[name]
    assert plan(end).steps == ()
    assert [notice.code.name for notice in plan(end).notices] == []


@each_way
def test_it_is_shown_before_with_secrets_as_stars(way: str) -> None:
    found = plan(of(way))

    assert (code(found), found.steps) == ("config.other-provisioning", ())
    assert "hushhush" not in found.held_diff
    assert any(line.startswith("-") and "********" in line for line in found.held_diff.splitlines())
    assert adopted(of(way))[1].diff == found.held_diff


@each_way
def test_the_step_names_what_it_takes_out(way: str) -> None:
    _, step = adopted(of(way))
    words, _, gone = step.effect.partition(" and take ")

    assert words.startswith("write ")
    assert words.endswith(" into")
    assert gone.endswith(" out of /etc/aziot/config.toml")
    assert gone.split(" out of")[0].split(", ") == [".".join(path) for path in step.gone]


@each_way
def test_a_device_of_ours_that_was_turned_round_by_hand_is_held_and_taken_over_the_same_way(way: str) -> None:
    device = changed(of(way), history={"written": healthy().history.written})

    assert (code(plan(device)), plan(device).steps) == ("config.manual-edit", ())
    assert "hushhush" not in (adopted(device)[0].config.text or "")


# Left so by an earlier version, or by whoever changed the way by hand

DEAD = OURS.replace('source = "dps"\n', 'source = "dps"\nconnection_string = "SharedAccessKey=hushhush"\n')


def test_dead_keys_are_told_with_their_lines_and_the_command() -> None:
    found = plan(with_config(healthy(), DEAD))
    (notice,) = found.notices

    assert (names(found), code(found)) == ([], "runtime.provisioned")
    assert notice.code.name == "config.dead-keys"
    assert dict(notice.facts)["keys"] == "provisioning.connection_string (line 6)"
    assert "`edge-provisioner once --adopt`" in notice.remedy


def test_the_command_takes_them_out_and_applies_nothing() -> None:
    device = changed(with_config(healthy(), DEAD), adopt=True)
    found = plan(device)

    assert names(found) == ["write-config"]
    assert found.steps[0].effect == "take provisioning.connection_string out of /etc/aziot/config.toml"
    end = changed(after(device, found.steps[0]), adopt=False)
    assert end.config.text == OURS
    assert (plan(end).steps, plan(end).notices) == ((), ())


# Any notation at all


def _spelled(keys: list[tuple[str, ...]], folds: Iterator[bool], prefix: tuple[str, ...] = ()) -> str:
    """Write keys below a table: dotted, or with inline tables."""
    heads = list(dict.fromkeys(key[0] for key in keys))
    lines = []
    for head in heads:
        below = [key[1:] for key in keys if key[0] == head and len(key) > 1]
        if not below:
            lines.append(f'{head} = "x"')
        elif next(folds):
            inner = _spelled(below, folds).replace("\n", ", ")
            lines.append(f"{head} = {{ {inner} }}")
        else:
            lines += [f"{head}.{line}" for line in _spelled(below, folds).splitlines()]
    return "\n".join(lines)


_KEYS = [
    ("source",), ("id_scope",), ("device_id",), ("dynamic",), ("authentication", "method"),
    ("authentication", "device_id_pk", "value"), ("attestation", "method"), ("attestation", "extra", "a"),
    ("attestation", "symmetric_key", "value"), ("attestation", "identity_cert", "auto_renew", "retry"),
]  # fmt: skip


@PROFILE
@given(
    st.lists(st.sampled_from(_KEYS), unique=True, min_size=1),
    st.lists(st.booleans(), min_size=20, max_size=20),
    st.sampled_from(["[provisioning]\n", "", "hostname = 'x'\n[provisioning]  # p\n"]),
    st.sampled_from(["", "\n[tpm]\ntcti = 'device'\n", "\n# end"]),
)
def test_any_notation_is_taken_over_or_refused_whole(
    keys: list[tuple[str, ...]], folds: list[bool], head: str, tail: str
) -> None:
    below = keys if head else [("provisioning", *key) for key in keys]
    text = head + _spelled(below, iter(folds * 9)) + tail
    wanted = dict.fromkeys(OF_OTHER_WAYS) | {("provisioning", "source"): "dps"}
    edited = config_text.parse(config_text.edit(text, wanted, unfold=True))

    for path in OF_OTHER_WAYS:
        assert config_text.value_at(edited, path) is None
    foreign = [("provisioning", *key) for key in keys if key in (("dynamic",), ("attestation", "extra", "a"))]
    assert all(config_text.value_at(edited, path) == "x" for path in foreign)
    assert edited.keys() == {"provisioning", *config_text.parse(text)}
