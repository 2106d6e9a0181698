"""How a device is when nothing is left to do: told from the witnesses, the record and the time."""

import pytest

from agent.codes import Code, Finding, Phase, apply, cloud, identity, modules, runtime, tpm
from agent.edge.container import ABSENT, Container
from agent.edge.evidence import CERTD, EDGED, IDENTITYD, KEYD, TPMD
from agent.edge.identity_service import AnswerKind, DeviceAnswer
from agent.facts.history import Attempt
from agent.plan import verdict
from agent.plan.plan import plan
from tests.unit.edge_agent import CREATE, IMAGE, PULL, PULLS, refused, rounds
from tests.unit.journals import ENDED, journal, said
from tests.unit.snapshots import (
    DEVICE,
    ENDPOINT,
    HUB,
    NOW_S,
    REGISTRATION_ID,
    SCOPE,
    by_hand,
    carried_out,
    changed,
    healthy,
    settings_of,
    with_unit,
)

PROVISIONED = runtime.PROVISIONED(device_id=DEVICE, hub=HUB)


def test_a_device_that_works_is_provisioned() -> None:
    assert plan(healthy()).finding == PROVISIONED


@pytest.mark.parametrize(
    ("up_s", "left"), [(0.0, 10), (0.5, 10), (9.0, 1), (9.9, 1), (10.0, None), (5000.0, None)]
)
def test_it_has_to_stay_up_for_a_while(up_s: float, left: int | None) -> None:
    device = with_unit(healthy(), TPMD, active_since_s=NOW_S - up_s)
    wanted = PROVISIONED if left is None else runtime.PROVING(seconds=left, device_id=DEVICE, hub=HUB)

    assert plan(device).finding == wanted


def test_an_idle_daemon_is_not_waited_for() -> None:
    assert plan(with_unit(healthy(), TPMD, active="inactive", active_since_s=NOW_S)).finding == PROVISIONED


@pytest.mark.parametrize("name", [KEYD, CERTD])
def test_a_daemon_that_is_first_asked_for_later_does_not_begin_it_again(name: str) -> None:
    assert plan(with_unit(healthy(), name, active_since_s=NOW_S)).finding == PROVISIONED


def test_where_systemd_says_nothing_nothing_is_known() -> None:
    assert plan(changed(healthy(), runtime={"units": None})).finding == runtime.UNKNOWN()


def test_an_answer_without_units_proves_nothing() -> None:
    assert plan(changed(healthy(), runtime={"units": ()})).finding == runtime.PROVING(
        seconds=10, device_id=DEVICE, hub=HUB
    )


def test_a_cause_comes_before_all_else() -> None:
    device = with_unit(healthy(), IDENTITYD, load="masked")

    assert plan(device).finding == runtime.UNIT_MASKED(unit="aziot-identityd")


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [({}, 0, False), ({}, 3, False), ({IDENTITYD: 3}, 3, False), ({IDENTITYD: 2}, 3, True)],
)
def test_a_restart_is_one_since_the_last_look(before: dict[str, int], now: int, told: bool) -> None:
    device = changed(with_unit(healthy(), IDENTITYD, restarts=now), runtime={"restarts_before": before})
    wanted = runtime.RESTARTED(unit="aziot-identityd") if told else PROVISIONED

    assert plan(device).finding == wanted


def test_the_cloud_is_told_with_what_was_registered() -> None:
    lines = (*said("Failed to provision", "caused by: missing field `authenticationKey` at line 1"), *ENDED)
    looping = with_unit(healthy(), IDENTITYD, active="activating", sub="auto-restart", restarts=4)
    device = changed(
        looping,
        runtime={"answer": DeviceAnswer(), "journal": journal(IDENTITYD, lines)},
        history={"identity": None},
    )
    unrecorded = changed(device, history={"written": ()})
    unknown = changed(unrecorded, config={"generated": {}})
    not_enrolled = cloud.NOT_ENROLLED(id_scope=SCOPE, registration_id=REGISTRATION_ID)

    assert plan(device).finding == not_enrolled
    assert verdict.judge(unrecorded, settings_of(unrecorded)) == not_enrolled
    assert verdict.judge(unknown, settings_of(unknown)) == cloud.NOT_ENROLLED(
        id_scope=SCOPE, registration_id="unknown"
    )


def test_a_lost_backup_counts_for_a_device_that_had_an_identity() -> None:
    lost = changed(healthy(), runtime={"backup": False, "answer": DeviceAnswer(AnswerKind.NO_DEVICE)})

    assert plan(lost).finding == identity.BACKUP_LOST()
    assert plan(changed(lost, history={"identity": None})).finding == identity.NOT_KNOWN()


# An identity that the runtime keeps whatever the settings say


@pytest.mark.parametrize(
    ("dps", "wanted", "had"),
    [
        ({"id_scope": "0ne9"}, "id scope 0ne9", f"id scope {SCOPE}"),
        (
            {"registration_id": "line-4"},
            "registration id line-4",
            f"registration id {REGISTRATION_ID}",
        ),
        ({"global_endpoint": "https://dps.example"}, "endpoint https://dps.example", f"endpoint {ENDPOINT}"),
        (
            {"id_scope": "0ne9", "registration_id": "line-4"},
            "id scope 0ne9, registration id line-4",
            f"id scope {SCOPE}, registration id {REGISTRATION_ID}",
        ),
    ],
)
def test_another_identity_is_written_and_applied_and_still_not_had(
    dps: dict[str, str], wanted: str, had: str
) -> None:
    device, done = carried_out(changed(healthy(), settings={"dps": dps}))

    assert [step.name for step in done] == ["write-config", "apply-config"]
    assert plan(device).finding == identity.CACHED(wanted=wanted, had=had, device_id=DEVICE)
    assert plan(device).holds


def test_a_slash_at_the_endpoints_end_is_no_other_identity() -> None:
    assert (
        plan(changed(healthy(), settings={"dps": {"global_endpoint": f"{ENDPOINT}/"}})).finding == PROVISIONED
    )


@pytest.mark.parametrize("answer", [DeviceAnswer(AnswerKind.DEVICE, "hub-2.test", DEVICE)])
def test_another_device_is_no_cached_identity(answer: DeviceAnswer) -> None:
    device = changed(healthy(), runtime={"answer": answer}, history={"identity": {"id_scope": "0ne9"}})

    assert plan(device).finding == runtime.PROVISIONED(device_id=DEVICE, hub="hub-2.test")


def test_a_device_without_a_record_of_its_identity_has_none_cached() -> None:
    device, _ = carried_out(by_hand())

    assert plan(device).finding == PROVISIONED


# edgeAgent


def test_an_image_that_nobody_names_is_the_one_that_was_applied() -> None:
    agent = {"edge_agent": Container(ABSENT), "journal": rounds(refused(CREATE, "No such image"))}
    edged = '[agent.config]\nimage = "registry.test/agent:1.6"\n'
    named = changed(healthy(), runtime=agent)
    text = f"{named.config.generated['edged']}{edged}"

    named = changed(named, config={"generated": {**named.config.generated, "edged": text}})

    assert plan(named).finding == modules.NOT_PRELOADED(image="registry.test/agent:1.6")


def test_what_ails_edge_agent_is_told_of_a_device_that_is_well_otherwise() -> None:
    agent = {"edge_agent": Container(ABSENT), "journal": rounds((*PULLS, *refused(PULL, "denied")))}
    device = changed(healthy(), runtime=agent)
    other = changed(device, settings={"dps": {"id_scope": "0ne9"}})
    young = with_unit(device, TPMD, active_since_s=NOW_S)

    assert plan(device).finding == modules.UNAUTHORISED(image=IMAGE, reason="denied")
    assert plan(device).notices == ()
    assert plan(carried_out(other)[0]).finding != plan(device).finding
    assert plan(young).finding == runtime.PROVING(seconds=10, device_id=DEVICE, hub=HUB)
    assert plan(young).notices == ()


def test_what_is_not_there_yet_is_a_notice_beside() -> None:
    agent = {"edge_agent": Container(ABSENT), "journal": rounds(PULLS)}
    device = with_unit(changed(healthy(), runtime=agent), EDGED, active_since_s=NOW_S - 20)

    assert plan(device).finding == PROVISIONED
    assert plan(device).notices == (modules.PULLING(image=IMAGE),)
    assert plan(healthy()).notices == ()


# A TPM that is not there


@pytest.mark.parametrize(
    "trouble", [tpm.ABSENT(), tpm.NO_DRIVER(source="x"), tpm.NODE_ABSENT(device="/dev/tpmrm1")]
)
def test_a_tpm_that_is_absent_is_a_loss_for_a_provisioned_device_only(trouble: Finding) -> None:
    absent = changed(healthy(), tpm={"trouble": trouble, "node": ""})
    node = dict(trouble.facts).get("device", "no /dev/tpm*")

    assert plan(absent).finding == runtime.TPM_GONE(node=node)
    assert plan(changed(absent, tpm={"node": "/dev/tpmrm0"})).finding == runtime.TPM_GONE(node="/dev/tpmrm0")
    assert plan(changed(absent, history={"identity": None})).finding == trouble


def test_other_trouble_is_told_as_it_is() -> None:
    trouble = tpm.BUSY(device="/dev/tpm0")
    troubled = changed(healthy(), tpm={"trouble": trouble})

    assert plan(troubled).finding == trouble


# What an apply failed with


@pytest.mark.parametrize(
    ("code", "facts", "wanted"),
    [
        ("apply.failed", (("reason", "x"), ("status", "1")), apply.FAILED(reason="x", status=1)),
        ("apply.of-the-future", (), apply.FAILED(status="unknown", reason="apply.of-the-future")),
        ("apply.failed", (("of", "old"),), apply.FAILED(status="unknown", reason="apply.failed")),
    ],
)
def test_a_recorded_failure_is_given_back(
    code: str, facts: tuple[tuple[str, str], ...], wanted: Finding
) -> None:
    assert verdict.finding_of(Attempt("", code, facts, 1, "boot-1", 0.0)) == wanted


# When to look again


@pytest.mark.parametrize(
    ("finding", "since_s", "wanted_s"),
    [
        (PROVISIONED, 0.0, 300.0),
        (PROVISIONED, 1e6, 300.0),
        (runtime.PROVING(seconds=7, device_id=DEVICE, hub=HUB), 100.0, 7.0),
        (apply.SETTLING(node="/dev/tpmrm0", seconds=3), 0.0, 3.0),
        (runtime.UNKNOWN(), 40.0, 10.0),
        (runtime.UNKNOWN(), 1e6, 300.0),
    ],
)
def test_young_trouble_is_looked_at_soon_and_old_trouble_at_the_interval(
    finding: Finding, since_s: float, wanted_s: float
) -> None:
    assert verdict.look_again_s(finding, since_s=since_s, interval_s=300.0) == wanted_s


def test_no_look_comes_at_once() -> None:
    for finding in (runtime.STARTING(), tpm.ABSENT()):
        assert verdict.look_again_s(finding, since_s=0.0, interval_s=300.0) == 10.0
    assert verdict.look_again_s(tpm.ABSENT(), since_s=0.0, interval_s=1.0) == 1.0
    assert runtime.STARTING.phase is Phase.PROVISIONING


def test_a_try_that_the_tpm_counts_is_made_rarely() -> None:
    refused = tpm.AUTH_FAILED(device="/dev/tpmrm0", step="reading", rc="0x98e")

    assert verdict.look_again_s(refused, since_s=0.0, interval_s=300.0) == 3600.0


@pytest.mark.parametrize(
    ("finding", "notices", "follows"),
    [
        (runtime.STARTING(), (), cloud.SILENT),
        (cloud.SILENT(seconds=21), (), cloud.THROTTLED),
        (runtime.RESTARTED(unit="aziot-keyd"), (), runtime.CRASH_LOOP),
        (PROVISIONED, (modules.STARTING(),), modules.PULL_FAILED),
        (PROVISIONED, (modules.PULLING(image=IMAGE),), modules.NOT_STARTED),
        (PROVISIONED, (modules.RESTARTED(seconds=3),), modules.CRASH_LOOP),
        (modules.CRASH_LOOP(reason="x"), (), runtime.PROVISIONED),
    ],
)
def test_what_may_follow_unheard_is_looked_for_within_its_time(
    finding: Finding, notices: tuple[Finding, ...], follows: Code
) -> None:
    """However old the finding is: it may begin right after a look, and then must last before it shows."""
    pause_s = verdict.look_again_s(finding, since_s=1e6, interval_s=3600.0, notices=notices)

    assert 0 < pause_s + follows.shows_after_s <= follows.visible_within_s


def test_a_notice_that_nothing_follows_from_changes_nothing() -> None:
    notices = (runtime.VERSION_UNTESTED(version="9"),)

    assert verdict.look_again_s(PROVISIONED, since_s=0.0, interval_s=300.0, notices=notices) == 300.0


@pytest.mark.parametrize(
    ("finding", "proven"),
    [
        (runtime.PROVISIONED(device_id="dev", hub="hub"), True),
        (modules.NOT_PRELOADED(image="agent:1.6"), True),
        (runtime.PROVING(seconds=3, device_id="dev", hub="hub"), False),
        (runtime.ENGINE_DOWN(), False),
    ],
)
def test_an_identity_is_proven_before_its_modules_run(finding: Finding, proven: bool) -> None:
    assert verdict.proves_identity(finding) is proven
