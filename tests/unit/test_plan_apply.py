"""`iotedge config apply` stops all modules: when it is run, when it waits, and when it is not needed."""

import pytest

from agent.codes import Finding, Phase, apply
from agent.edge.engine import EngineState
from agent.facts.history import Attempt, Intent
from agent.facts.snapshot import Snapshot
from agent.plan.plan import plan
from tests.unit.snapshots import (
    BOOT,
    NOW_S,
    after,
    by_hand,
    changed,
    code,
    fresh,
    healthy,
    names,
)

FAILED = apply.FAILED(status=1, reason="it broke")
GUARD = apply.HOSTNAME_GUARD(old="e2e", new="line4")
SCOPE_NOW = {"dps": {"id_scope": "0ne00999999"}}


def unapplied(device: Snapshot) -> Snapshot:
    """Give a device whose identityd was told something else than config.toml says."""
    stale = (device.config.generated["identityd"] or "").replace("tpm", "x509")
    return changed(device, config={"generated": {**device.config.generated, "identityd": stale}})


def failed_before(device: Snapshot, finding: Finding = FAILED, **changes: object) -> Snapshot:
    """Give a device on which the apply of this config.toml failed; it may be repeated in a minute."""
    attempt = Attempt(device.config.digest, finding.code.name, finding.facts, 1, BOOT, NOW_S + 60)
    return changed(device, history={"failed_apply": changed(attempt, **changes)})


def begun(device: Snapshot, step: str, boot_id: str = BOOT, since_s: float = NOW_S) -> Snapshot:
    """Give a device on which a step was begun when its daemons were up already."""
    return changed(device, history={"intent": Intent(step, "t-1", boot_id, since_s)})


@pytest.mark.parametrize("device", [healthy(), by_hand()])
@pytest.mark.parametrize("answer", [None, "restarting"])
def test_nothing_is_applied_that_the_daemons_were_told_however_they_are(
    device: Snapshot, answer: str | None
) -> None:
    unwell = changed(device, runtime={"units": (), "backup": False, "engine": EngineState.DOWN})

    assert "apply-config" not in names(plan(unwell))


def test_what_the_daemons_were_not_told_is_named() -> None:
    (step,) = plan(unapplied(healthy())).steps

    assert step.effect == (
        "run `iotedge config apply` (provisioning.attestation.method is not applied yet); "
        "this restarts the runtime and all modules"
    )


def test_a_young_node_is_let_settle() -> None:
    found = plan(changed(fresh(), tpm={"settles_in_s": 2.1}))

    assert names(found)[-1] == "write-config"
    assert found.finding == apply.SETTLING(node="/dev/tpmrm0", seconds=3)


def test_an_apply_that_runs_is_not_joined() -> None:
    found = plan(changed(unapplied(healthy()), runtime={"change_pid": 4711}))

    assert names(found) == []
    assert found.finding == apply.RUNNING(pid=4711)


def test_an_apply_that_runs_is_waited_for_even_if_all_is_told() -> None:
    assert code(plan(changed(healthy(), runtime={"change_pid": 4711}))) == "apply.running"


def test_nothing_is_applied_while_packages_are_installed() -> None:
    """Seen on a booted machine: edged, started before its package was configured, lacked its groups."""
    busy = {"installer_pid": 4712}
    first = plan(changed(fresh(), runtime=busy))
    later = plan(changed(unapplied(healthy()), runtime=busy))
    well = plan(changed(healthy(), runtime=busy))

    assert names(first)[-1] == "write-config"
    assert first.finding == apply.PACKAGES_BUSY(pid=4712)
    assert (names(later), later.finding) == ([], apply.PACKAGES_BUSY(pid=4712))
    assert code(well) == "runtime.provisioned"


@pytest.mark.parametrize("engine", list(EngineState))
def test_the_engine_is_needed_from_the_second_apply_on(engine: EngineState) -> None:
    first = plan(changed(fresh(), runtime={"engine": engine}))
    second = plan(changed(unapplied(healthy()), runtime={"engine": engine}))

    assert names(first)[-1] == "apply-config"
    if engine is EngineState.DOWN:
        assert (names(second), code(second)) == ([], "apply.engine-down")
    else:
        assert names(second) == ["apply-config"]


def reapplied(device: Snapshot, **changes: object) -> Snapshot:
    """Give a device whose config.toml was applied a second time; a third may follow in a minute."""
    attempt = Attempt(device.config.digest, "apply.undone", (), 1, BOOT, NOW_S + 60)
    return changed(device, history={"reapplied": changed(attempt, **changes)})


def test_what_somebody_undoes_again_and_again_is_not_applied_each_time() -> None:
    found = plan(reapplied(unapplied(healthy())))

    assert (names(found), code(found)) == ([], "apply.undone")
    assert dict(found.finding.facts if found.finding else ())["service"] == "aziot-identityd"
    assert code(plan(reapplied(healthy()))) == "runtime.provisioned"


@pytest.mark.parametrize(
    "change", [{"retry_at_s": NOW_S}, {"boot_id": "another"}, {"config_digest": "another"}], ids=str
)
def test_it_is_applied_after_the_pause_or_when_it_is_another_matter(change: dict[str, object]) -> None:
    assert names(plan(reapplied(unapplied(healthy()), **change))) == ["apply-config"]


def test_a_person_has_it_applied_at_once() -> None:
    assert names(plan(changed(reapplied(unapplied(healthy())), insist=True))) == ["apply-config"]


# After a failure


@pytest.mark.parametrize(
    "finding",
    [FAILED, apply.UNPROVEN(service="aziot-tpmd", about="tpm.tcti", fault="x"), apply.TIMED_OUT(seconds=600)],
)
def test_a_failed_apply_is_not_repeated_before_its_pause_is_over(finding: Finding) -> None:
    device = failed_before(unapplied(healthy()), finding)

    assert plan(device).steps == ()
    assert plan(device).finding == finding
    assert names(plan(changed(device, moment={"monotonic_s": NOW_S + 60}))) == ["apply-config"]


def test_what_a_person_must_mend_is_a_hold() -> None:
    found = plan(failed_before(unapplied(healthy()), GUARD, retry_at_s=1e15))

    assert found.finding == GUARD
    assert found.holds


@pytest.mark.parametrize(
    "reason",
    [
        {"insist": True},
        {"moment": {"boot_id": "boot-2"}},
        {"config": {"digest": "another"}},
    ],
)
def test_a_persons_word_a_new_boot_and_another_file_end_the_pause(reason: dict[str, object]) -> None:
    device = failed_before(unapplied(healthy()), GUARD, retry_at_s=1e15)

    assert names(plan(changed(device, **reason))) == ["apply-config"]


def test_the_pause_is_of_the_file_that_failed_and_not_of_the_one_that_takes_its_place() -> None:
    device = failed_before(unapplied(healthy()), GUARD, retry_at_s=1e15)
    found = plan(changed(device, settings=SCOPE_NOW))

    assert names(found) == ["write-config", "apply-config"]
    assert found.finding is None


def test_a_failure_of_another_version_of_the_agent_is_still_one() -> None:
    found = plan(failed_before(unapplied(healthy()), code="apply.of-the-future", facts=()))

    assert found.finding == apply.FAILED(status="unknown", reason="apply.of-the-future")


def test_a_failure_is_forgotten_where_nothing_is_to_be_applied() -> None:
    assert code(plan(failed_before(healthy()))) == "runtime.provisioned"


# After being killed


def test_an_apply_that_was_cut_off_in_this_boot_is_followed_by_one_restart() -> None:
    device = begun(healthy(), "apply-config")
    (step,) = plan(device).steps

    assert step.effect == ("run `iotedge system restart`: an apply was killed before its services were back")
    assert plan(after(device, step)).steps == ()


def test_an_apply_that_came_to_its_end_without_us_needs_no_restart() -> None:
    assert plan(begun(healthy(), "apply-config", since_s=1.0)).steps == ()


def test_an_apply_that_may_not_be_repeated_yet_leaves_its_services_running_all_the_same() -> None:
    device = begun(failed_before(unapplied(healthy())), "apply-config")
    found = plan(device)

    assert names(found) == ["restart-runtime"]
    assert found.finding == FAILED


def test_a_reboot_has_restarted_everything_already() -> None:
    assert plan(begun(healthy(), "apply-config", "boot-0")).steps == ()


def test_another_step_that_was_cut_off_is_just_looked_at_again() -> None:
    assert plan(begun(healthy(), "write-config")).steps == ()


def test_an_apply_that_was_cut_off_too_early_is_done_again() -> None:
    assert names(plan(begun(unapplied(healthy()), "apply-config"))) == ["apply-config"]


def test_a_hold_is_a_phase_and_no_phase_else() -> None:
    waiting = plan(changed(fresh(), tpm={"settles_in_s": 2.1}))

    assert waiting.finding is not None
    assert waiting.finding.code.phase is Phase.WAITING
    assert not waiting.holds
