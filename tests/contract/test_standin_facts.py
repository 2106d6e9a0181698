"""The stand-in runtime behaves as the real one did where no transcript is: its lies, loops and waits."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.contract import states
from tests.contract.states import applied, apply, provisioned, tpm
from tests.contract.transcripts import active, shell, wait
from tests.standins.layout import CONTROL
from tests.standins.machine import Machine, build_machine
from tests.standins.unixhttp import Answer, ask

DEVICE_INFO = "/var/lib/aziot/identityd/device_info"


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with states.new(str(tmp_path_factory.mktemp("m"))) as made:
        yield made


def _journal(machine: Machine, unit: str) -> str:
    return shell(machine, f"journalctl -u {unit} -o cat --no-pager").out


def _edit(machine: Machine, old: str, new: str) -> None:
    path = machine.path("/etc/aziot/config.toml")
    with open(path, encoding="utf-8") as source:
        text = source.read()
    assert old in text
    with open(path, "w", encoding="utf-8") as target:
        target.write(text.replace(old, new))


def _identity(machine: Machine, *, what: str = "device", method: str = "POST") -> Answer:
    target = f"/identities/{what}?api-version=2021-12-01"
    document = {"type": "aziot"} if method == "POST" else None
    return ask(machine.path("/run/aziot/identityd.sock"), (method, target), document, 10)


def _shows(machine: Machine, unit: str, text: str) -> Callable[[], bool]:
    return lambda: text in _journal(machine, unit)


def test_a_changed_scope_has_no_effect_while_there_is_a_backup(machine: Machine) -> None:
    provisioned(machine)
    machine.fault(enrolled={"id_scope": "0ne00000001", "registration_ids": {}})
    _edit(machine, "0ne00000001", "0ne99999999")
    apply(machine)
    assert _identity(machine, what="provisioning", method="GET").document["scope_id"] == "0ne99999999"
    assert _identity(machine).document["spec"]["deviceId"] == "dev-tpm-1"
    assert "Provisioned with backup for dev-tpm-1." in _journal(machine, "aziot-identityd")


@pytest.mark.parametrize(
    ("faults", "cause"),
    [
        ({"cloud": "401"}, "missing field `authenticationKey` at line 1 column 142"),
        ({"cloud": "clock-behind"}, "Unauthorized"),
        ({"cloud": "clock-hour-behind"}, "(certificate is not yet valid)"),
        ({"cloud": "500"}, "Internal server error"),
        ({"cloud": "unreachable"}, "Connection refused (os error 111)"),
        ({"cloud": "disabled"}, "expected one of `assigned`, `assigning`, `failed`"),
        ({"enrolled": {"id_scope": "other"}}, "missing field `authenticationKey` at line 1 column 142"),
        ({"tpm_auth": {"owner": "secret"}}, "internal error"),
    ],
)
def test_a_registration_that_fails_is_a_crash_loop_with_its_cause(
    machine: Machine, faults: dict[str, object], cause: str
) -> None:
    machine.fault(**faults)
    applied(machine)
    wait(_shows(machine, "aziot-identityd", "Scheduled restart job, restart counter is at 2."))
    assert f"{cause}\n" in _journal(machine, "aziot-identityd")
    assert not os.path.exists(machine.path(DEVICE_INFO))
    machine.fault(cloud=None, enrolled=None, tpm_auth=None)
    wait(lambda: os.path.exists(machine.path(DEVICE_INFO)))


def test_a_hierarchy_password_is_told_by_tpmd_alone_and_accepted_when_configured(machine: Machine) -> None:
    machine.fault(tpm_auth={"owner": "secret"})
    applied(machine)
    auth = "!!! caused by: tpm:session(1):authorization failure without DA implications"
    wait(_shows(machine, "aziot-tpmd", auth))
    with open(machine.path("/etc/aziot/config.toml"), "a", encoding="utf-8") as target:
        target.write('\n[tpm.hierarchy_authorization]\nowner = "secret"\n')
    apply(machine)
    wait(lambda: os.path.exists(machine.path(DEVICE_INFO)))


@pytest.mark.parametrize("cloud", ["throttled", "hanging"])
def test_a_cloud_that_keeps_it_waiting_leaves_identityd_running_and_silent(
    machine: Machine, cloud: str
) -> None:
    machine.fault(cloud=cloud, time_scale=1)
    applied(machine)
    wait(_shows(machine, "aziot-tpmd", "Starting server..."))
    wait(_shows(machine, "aziot-identityd", "Provisioning starting. Reason: Startup"))
    assert active(machine, "aziot-identityd") == "active"
    assert _journal(machine, "aziot-identityd").endswith("Provisioning starting. Reason: Startup\n")
    with pytest.raises(TimeoutError):
        ask(machine.path("/run/aziot/identityd.sock"), ("GET", "/identities/provisioning"), timeout_s=0.2)


def test_a_hub_that_refuses_makes_it_register_again_and_keeps_the_backup(machine: Machine) -> None:
    provisioned(machine)
    machine.fault(hub="refuses", cloud="401")
    assert shell(machine, "iotedge system restart").status == 0
    reprovisioning = "Could not reconcile Identities with current device data. Reprovisioning."
    wait(_shows(machine, "aziot-identityd", reprovisioning))
    wait(_shows(machine, "aziot-identityd", "no valid device backup was found: DPS client error"))
    assert os.path.exists(machine.path(DEVICE_INFO))


def test_a_tpm_taken_away_is_noticed_at_the_next_restart_only(machine: Machine) -> None:
    provisioned(machine)
    states.unplug(machine)
    assert _identity(machine).status == 200
    assert shell(machine, "iotedge system restart").status == 0
    wait(_shows(machine, "aziot-tpmd", "tpm0: No such file or directory"))
    wait(_shows(machine, "aziot-identityd", "caused by: Connection reset by peer (os error 104)"))
    assert "Provisioned with backup for dev-tpm-1." in _journal(machine, "aziot-identityd")


def test_a_tpm_at_another_index_is_found_only_when_it_is_named(machine: Machine) -> None:
    tpm(machine, allowed=True)
    for name in ("tpmrm0", "tpm0"):
        machine.unplug(name)
    machine.plug("tpmrm1", machine.path("/dev/chip"))
    apply(machine)
    wait(_shows(machine, "aziot-tpmd", "Could not open any default TCTI device file"))
    with open(machine.path("/etc/aziot/config.toml"), "a", encoding="utf-8") as target:
        target.write('\n[tpm]\ntcti = "device:/dev/tpmrm1"\n')
    apply(machine)
    wait(lambda: os.path.exists(machine.path(DEVICE_INFO)))


def _payload(machine: Machine, content: str, mode: int) -> None:
    os.makedirs(machine.path("/etc/ours"))
    os.chmod(machine.path("/etc/ours"), mode)
    with open(machine.path("/etc/ours/payload.json"), "w", encoding="utf-8") as target:
        target.write(content)
    uri = 'payload = { uri = "file:///etc/ours/payload.json" }'
    _edit(machine, 'id_scope = "0ne00000001"', f'id_scope = "0ne00000001"\n{uri}')


@pytest.mark.parametrize(
    ("content", "mode", "cause"),
    [
        ("{}", 0o700, "Permission denied (os error 13)"),
        ("{modelId: 1}", 0o755, "key must be a string at line 1 column 2"),
    ],
)
def test_a_payload_that_aziotid_cannot_read_or_parse_is_a_crash_loop(
    machine: Machine, content: str, mode: int, cause: str
) -> None:
    _payload(machine, content, mode)
    machine.fault(payload="denied" if mode == 0o700 and os.geteuid() else None)
    applied(machine)
    invalid = 'caused by: parameter "provisioning.payload" has an invalid value'
    wait(_shows(machine, "aziot-identityd", invalid))
    wait(_shows(machine, "aziot-identityd", f"caused by: {cause}"))


def test_a_mode_below_a_table_is_ignored_without_a_word(machine: Machine) -> None:
    _edit(machine, 'auto_reprovisioning_mode = "Dynamic"\n', "")
    _edit(machine, 'source = "dps"', 'source = "dps"\nauto_reprovisioning_mode = "nonsense"\nx = 1')
    assert shell(machine, "iotedge config apply").err == ""
    generated = shell(machine, "cat /etc/aziot/edged/config.d/00-super.toml").out
    assert 'auto_reprovisioning_mode = "Dynamic"\n' in generated


def test_the_watcher_writes_the_backup_again_while_the_restart_is_still_to_come(machine: Machine) -> None:
    provisioned(machine)
    os.unlink(machine.path(DEVICE_INFO))
    machine.fault(apply_hang="before-restart")
    with subprocess.Popen([machine.path("/usr/bin/iotedge"), "config", "apply"], stdout=subprocess.DEVNULL):
        wait(lambda: os.path.exists(machine.path(DEVICE_INFO)))
        machine.fault(apply_hang=None)
    reconciled = "Identity reconciliation started. Reason: ConfigurationFileUpdate"
    assert reconciled in _journal(machine, "aziot-identityd")


@pytest.mark.parametrize(
    ("point", "written"), [("before-write", 0), ("mid-write", 2), ("before-restart", 5), ("mid-restart", 5)]
)
def test_apply_can_be_killed_where_a_test_wants_it(machine: Machine, point: str, written: int) -> None:
    machine.fault(apply_hang=point)
    program = machine.path("/usr/bin/iotedge")
    with subprocess.Popen([program, "config", "apply"], stdout=subprocess.PIPE) as running:
        wait(lambda: os.path.exists(machine.path(f"/var/lib/standin/apply-at-{point}")))
        running.kill()
    folders = [machine.path(f"/etc/aziot/{name}/config.d") for name in ("keyd", "certd", "identityd", "tpmd")]
    folders.append(machine.path("/etc/aziot/edged/config.d"))
    assert sum(len(os.listdir(folder)) for folder in folders) == written
    machine.fault(apply_hang=None)
    apply(machine)


def test_rules_that_name_a_user_of_later_do_nothing_until_they_are_read_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with build_machine(str(tmp_path_factory.mktemp("m")), runtime=False) as machine:
        tpm(machine, allowed=True)
        before = os.stat(machine.path("/dev/tpmrm0"))
        assert not os.path.exists(machine.path("/usr/bin/iotedge"))
        assert active(machine, "aziot-tpmd.socket") == "inactive"
        machine.install_runtime()
        assert active(machine, "aziot-tpmd.socket") == "active"
        shell(machine, "udevadm trigger")
        assert os.stat(machine.path("/dev/tpmrm0")).st_uid == before.st_uid
        shell(machine, "udevadm control --reload; udevadm trigger --subsystem-match=tpmrm; udevadm settle")
        assert os.geteuid() or os.stat(machine.path("/dev/tpmrm0")).st_uid == 998


def test_a_machine_never_configured_boots_with_edged_failed_for_good(machine: Machine) -> None:
    machine.stop()
    machine.start(boot=True)
    wait(lambda: active(machine, "aziot-edged") == "failed")
    assert "    aziot-edged             Down - failed \n" in shell(machine, "iotedge system status").out


def test_a_killed_daemon_is_seen_by_its_pidfd_and_restarted(machine: Machine) -> None:
    provisioned(machine)
    pid = int(machine.systemctl("show", "-P", "MainPID", "aziot-tpmd")["out"])
    watched = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    wait(lambda: machine.systemctl("show", "-P", "NRestarts", "aziot-tpmd")["out"] == "1\n")
    os.close(watched)
    shown = shell(machine, "journalctl -u aziot-tpmd -o json -n 200").out.splitlines()
    ends = [entry for entry in map(json.loads, shown) if "code=killed, status=9/KILL" in entry["MESSAGE"]]
    assert [entry["UNIT"] for entry in ends] == ["aziot-tpmd.service"]
    assert "_SYSTEMD_INVOCATION_ID" not in ends[0]


def test_everything_ends_with_the_process_that_switched_it_on(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = str(tmp_path_factory.mktemp("m"))
    build_machine(root)
    code = (
        "import sys; from tests.standins.machine import Machine; m = Machine(sys.argv[1]); m.start();"
        "print(m.systemctl('show', '-P', 'MainPID', 'docker')['out'], flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        engine = int(parent.stdout.readline())
        watched = os.pidfd_open(engine)
        parent.kill()
    wait(lambda: not os.path.exists(f"/proc/{engine}") or _is_zombie(engine))
    os.close(watched)
    assert os.path.exists(os.path.join(root, CONTROL))


def _is_zombie(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="ascii") as source:
        return source.read().split()[2] == "Z"


def test_the_engine_that_is_down_refuses_and_answers_again(machine: Machine) -> None:
    apply(machine)
    machine.fault(engine="down", containers=["edgeAgent"])
    assert "Connection refused (os error 111)" in shell(machine, "iotedge config apply").err
    machine.fault(engine=None)
    apply(machine)
    answer = ask(machine.path("/var/run/docker.sock"), ("GET", "/v1.41/containers/json?all=true"))
    assert [box["Names"] for box in answer.document] == [["/edgeAgent"]]


def test_a_dead_udevd_changes_nothing(machine: Machine) -> None:
    machine.fault(udev="dead")
    assert shell(machine, "udevadm control --reload").status == 1
    assert shell(machine, "udevadm trigger").status == 0
