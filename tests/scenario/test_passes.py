"""Whole passes from a new device to a provisioned one, with nothing to do, and disturbed."""

import functools
import json
import os
import subprocess

import pytest

from agent.codes import AgentError, modules
from agent.facts.request import Request
from agent.facts.snapshot import Because
from agent.host import locks
from agent.host.root import Root
from agent.passes import lock, one_pass
from tests.scenario import faults
from tests.scenario.stage import CHECKOUT, CONFIG, DEADLINE_S, HISTORY, INSIDE, STATUS, Stage, tree

PROVISIONED = "runtime.provisioned"
PAYLOAD = "/etc/aziot/edge-provisioner-payload.json"
READING = {"ReadPublic", "0x17b"}  # 0x17b: the GetRandom that tpm2-tss sends when it opens a node
GARBAGE = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe\x00",
    "half": b'{"schema": 1, "wri',
    "another schema": b'{"schema": 99}',
    "a list": b"[]",
    "fields of wrong types": b'{"schema": 1, "written": 5, "tpm": [], "units": 7, "ek_public": 1}',
    "no hex": b'{"schema": 1, "ek_public": "zz"}',
    "parts that are not there": b'{"schema": 1, "failed_apply": {"code": "x"}, "identity": {}, "writer": {}}',
    "nested without end": b"[" * 100_000,
}


def test_one_command_provisions_a_new_device(stage: Stage) -> None:
    ended = stage.run("once", "--wait", "30")

    assert ended.status == 0
    assert [line.split()[1] for line in ended.out.splitlines() if line.startswith("->")] == [
        "make", "write", "write", "run",
    ]  # fmt: skip
    assert "provisioned: Provisioned as dev-tpm-1 on hub.test:8443" in ended.out
    status = stage.status()
    assert (status["phase"], status["code"]) == ("provisioned", PROVISIONED)
    assert (status["device_id"], status["hub"]) == ("dev-tpm-1", "hub.test:8443")
    assert f'registration_id = "{status["registration_id"]}"' in stage.read(CONFIG)
    assert os.stat(stage.path(CONFIG)).st_mode & 0o777 == 0o600
    assert {name: unit["state"] for name, unit in status["units"].items()} == dict.fromkeys(
        (f"aziot-{name}" for name in ("edged", "identityd", "keyd", "certd", "tpmd")), "active"
    )
    commands = stage.tpm.commands()
    assert (commands.count("CreatePrimary"), commands.count("EvictControl")) == (2, 2)


def test_a_second_pass_does_nothing(provisioned: Stage) -> None:
    folders = [provisioned.path(f"/{name}") for name in ("etc", "var/lib/aziot", "var/lib/edge-provisioner")]
    provisioned.tpm.commands()
    heard, edged, before = provisioned.heard, provisioned.edged(), [tree(folder) for folder in folders]

    command = provisioned.run("once")

    assert (command.status, command.out.count("\n")) == (0, 1)
    assert set(provisioned.tpm.commands()) <= READING
    assert provisioned.watched_look()["code"] == PROVISIONED
    assert provisioned.tpm.commands() == []
    assert [tree(folder) for folder in folders] == before
    assert (provisioned.heard, provisioned.edged()) == (heard, edged)


def test_the_runtime_is_installed_later(base: str) -> None:
    with Stage(base, runtime=False) as stage:
        stage.plug()

        waiting = stage.once()

        assert (waiting["phase"], waiting["code"]) == ("waiting", "runtime.not-installed")
        assert "CreatePrimary" in stage.tpm.commands()
        assert not os.path.exists(stage.path("/etc/aziot"))
        stage.machine.install_runtime()
        assert stage.provision()["device_id"] == "dev-tpm-1"


def test_the_tpm_appears_later(base: str) -> None:
    with Stage(base) as stage:
        waiting = stage.once()

        assert (waiting["phase"], waiting["code"]) == ("waiting", "tpm.absent")
        assert not os.path.exists(stage.path(CONFIG))
        stage.plug()
        assert stage.provision()["tpm"]["node"] == "/dev/tpmrm0"


def test_a_machine_that_is_starting_is_not_called_stopped(provisioned: Stage) -> None:
    provisioned.machine.stop()
    provisioned.machine.start()  # up to the sockets, which come before aziot-edged

    assert provisioned.once()["code"] == "runtime.starting"
    provisioned.systemctl("start", "aziot-edged.service")
    assert provisioned.provision()["device_id"] == "dev-tpm-1"


def test_two_at_once_make_one_device(stage: Stage) -> None:
    argv = stage.argv("once", "--wait", "30")
    both = [
        subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    said = [one.communicate(timeout=2 * DEADLINE_S)[0] for one in both]

    assert [one.returncode for one in both] == [0, 0]
    assert "".join(said).count("-> run `iotedge config apply`") == 1
    assert stage.tpm.commands().count("EvictControl") == 2


def test_who_finds_the_lock_held_names_its_holder(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Root(stage.machine.root)
    with lock.hold(root, "once"):
        with pytest.raises(AgentError) as refused, lock.hold(root, "reprovision", patience_s=0.1):
            pass
        monkeypatch.setenv(INSIDE, "1")
        monkeypatch.setattr(lock, "hold", functools.partial(lock.hold, patience_s=0.1))
        ended = stage.run("once")

    holder = f"`edge-provisioner once` (process {os.getpid()})"
    assert holder in refused.value.finding.summary
    assert (ended.status, ended.out) == (3, "")
    assert ended.err.startswith("agent.locked: ")
    assert holder in ended.err
    assert not os.path.exists(stage.path(STATUS))


def test_a_pass_of_the_services_is_not_taken_for_somebodys(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, holders = Root(stage.machine.root), []
    monkeypatch.setattr(one_pass, "pass_under_lock", lambda *_: holders.append(lock.holder(root)))

    for because in (Because.COMMAND, Because.TIMER):
        one_pass.run_pass(Request(root, None, because), print, bool)

    assert [holder.split("`")[1] for holder in holders] == ["edge-provisioner once", "edge-provisioner run"]


def test_the_runtimes_own_table_is_asked_for_where_a_daemon_is_down_and_not_while_it_starts(
    stage: Stage,
) -> None:
    faults.fault(cloud="500")(stage)
    assert stage.look_until("cloud.server-error")[-1]["runtime_says"] == {}

    faults.edged_settings_bad(stage)

    assert stage.once()["runtime_says"]["aziot-edged"].startswith("Down failed")


def test_damaged_records_are_survived(provisioned: Stage) -> None:
    config, edged = provisioned.read(CONFIG), provisioned.edged()
    for how, data in GARBAGE.items():
        provisioned.write(HISTORY, data)
        provisioned.write(STATUS, data)
        provisioned.heard = ""

        assert provisioned.run("plan").status == 0, how
        looked = provisioned.provision()

        assert "agent.history-damaged" in provisioned.heard, how
        with open(provisioned.path(f"{HISTORY}.damaged"), "rb") as aside:
            assert aside.read() == data
        written = dict(json.loads(provisioned.read(HISTORY))["written"])
        assert written["provisioning.attestation.registration_id"] == looked["registration_id"] != ""
    assert (provisioned.read(CONFIG), provisioned.edged()) == (config, edged)


def test_plan_changes_nothing(stage: Stage) -> None:
    own = tuple(stage.path(f"/var/{folder}/standin") for folder in ("log", "lib"))
    before = tree(stage.machine.root, but=own)

    ended = stage.run("plan", "--json")

    steps = [step["name"] for step in json.loads(ended.out)["steps"]]
    assert [name for name in steps if name not in ("grant-access", "apply-config")] == [
        "ensure-keys", "install-rule", "write-config",
    ]  # fmt: skip
    assert "+id_scope = " in ended.out
    assert set(stage.tpm.commands()) <= {*READING, "GetCapability", "CreatePrimary", "FlushContext"}
    assert tree(stage.machine.root, but=own) == before
    stage.provision()
    before = tree(stage.machine.root, but=own)
    assert stage.run("plan").out.startswith("nothing to do\nprovisioned: ")
    assert tree(stage.machine.root, but=own) == before


def test_status_says_whether_anybody_is_looking(stage: Stage) -> None:
    none_yet = stage.run("status")
    assert (none_yet.status, none_yet.out) == (3, "")
    assert "the agent is not running" in none_yet.err

    stage.once()
    assert "The agent is not running: it looked last at " in stage.run("status").out
    assert stage.status()["running"] is False

    with locks.locked(stage.path("/run/edge-provisioner/watcher.lock"), note=b"{}"):
        assert "not running" not in stage.run("status").out
        assert stage.status()["running"] is True


def test_bad_settings_are_answered_with_2_and_mended(stage: Stage) -> None:
    good = stage.read("/etc/edge-provisioner/agent.toml")
    stage.write("/etc/edge-provisioner/agent.toml", "[dps]\nid_scop = 5\n[tmp]\n")
    before = tree(stage.path("/etc"))

    ended = stage.run("once")

    assert (ended.status, stage.status()["code"]) == (2, "settings.invalid")
    assert stage.run("plan").status == 2
    assert (tree(stage.path("/etc")), stage.tpm.commands()) == (before, [])
    stage.write("/etc/edge-provisioner/agent.toml", good)
    assert stage.provision()["device_id"] == "dev-tpm-1"


def test_the_payload_is_readable_where_it_is_read(stage: Stage) -> None:
    stage.settings({"dps": {"payload": {"modelId": "dtmi:com:example:Line;1"}}})

    stage.provision()

    assert json.loads(stage.read(PAYLOAD)) == {"modelId": "dtmi:com:example:Line;1"}
    assert f'payload = {{ uri = "file://{PAYLOAD}" }}' in stage.read(CONFIG)
    assert _rights(stage) == 0o640
    os.chmod(stage.path(PAYLOAD), 0o600)
    stage.provision()
    assert _rights(stage) == 0o640


def _rights(stage: Stage) -> int:
    """Give the payload's mode, having seen that aziotid's group has it."""
    found, reader = os.stat(stage.path(PAYLOAD)), Root(stage.machine.root).user("aziotid")
    assert reader is not None
    assert found.st_gid == reader.gid
    return found.st_mode & 0o777


def test_events_go_to_the_journal_where_there_is_one(stage: Stage) -> None:
    with stage.journal() as journal:
        status = stage.look_until("runtime.provisioned")[-1]
        event = journal.expect("runtime.provisioned")

    assert stage.heard == ""
    told = dict(line.split("=", 1) for line in event.decode().splitlines())
    assert told["EDGE_PROVISIONER_TRANSACTION"] == status["transaction"]
    assert told["MESSAGE"] == status["summary"]
    assert (told["PRIORITY"], len(told["MESSAGE_ID"])) == ("6", 32)


def test_an_identity_is_remembered_though_edge_agent_can_t_be_fetched(stage: Stage) -> None:
    stage.machine.fault(registry="unauthorised")
    stage.look_until(modules.UNAUTHORISED.name)

    assert json.loads(stage.read(HISTORY))["identity"]["device_id"] == "dev-tpm-1"
