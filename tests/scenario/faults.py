"""Ways in which a device goes wrong, each made with the machine's own means or the stand-in's faults."""

import json
import os
import signal
from collections.abc import Callable

from tests.scenario.stage import CONFIG, RULE, Stage, set_owner_password, wait
from tests.standins.unixhttp import ask, connect

PAYLOAD = "/srv/payload.json"
PASSWORD = "correct horse"  # noqa: S105  # the software TPM's
PUBLISHED_RULE = 'KERNEL=="tpm0", SUBSYSTEM=="tpm", OWNER="aziottpm", MODE="0660"\n'
LATER_RULE = 'SUBSYSTEM=="tpm|tpmrm", OWNER="root", GROUP="root", MODE="0600"\n'
_CONDITION = "/etc/systemd/system/aziot-tpmd.service.d/condition.conf"
NEVER_FETCHED = """
[agent]
name = "edgeAgent"
type = "docker"
imagePullPolicy = "never"
[agent.config]
image = "mcr.microsoft.com/azureiotedge-agent:1.6"
"""
MISPLACED = 'auto_reprovisioning_mode = "AlwaysOnStartup"\n'
_BY_HAND = """# made by a person
[provisioning]
source = "dps"
global_endpoint = "https://global.azure-devices-provisioning.net"
id_scope = "0ne00000001"
payload = {{ uri = "file://{payload}" }}

[provisioning.attestation]
method = "tpm"
registration_id = "{registration_id}"
"""


def restart(stage: Stage) -> None:
    stage.iotedge("system", "restart")


def restart_machine(stage: Stage, number: int = 0) -> None:
    """Do what a restart of the machine does: udevd reads its rules, the TPM appears, the daemons start."""
    stage.unplug()
    stage.machine.run("udevadm", "control", "--reload")
    stage.plug(number)
    restart(stage)


def fault(**switched: object) -> Callable[[Stage], None]:
    """Give what switches faults of the stand-in."""

    def switch(stage: Stage) -> None:
        stage.machine.fault(**switched)

    return switch


def nothing(_stage: Stage) -> None:
    """Mend nothing: it passes by itself."""


def no_rule(stage: Stage) -> None:
    os.unlink(stage.path(RULE))
    restart_machine(stage)


def no_rule_and_no_udev(stage: Stage) -> None:
    no_rule(stage)
    stage.machine.fault(udev="dead")  # from then on; the restart of the machine has done away with the rule


def published_rule(stage: Stage) -> None:
    stage.write(RULE, PUBLISHED_RULE)
    restart_machine(stage)


def later_rule(stage: Stage) -> None:
    stage.write("/etc/udev/rules.d/zz-local.rules", LATER_RULE)
    restart_machine(stage)


def no_later_rule(stage: Stage) -> None:
    os.unlink(stage.path("/etc/udev/rules.d/zz-local.rules"))
    restart_machine(stage)


def tpm_gone(stage: Stage) -> None:
    stage.unplug()


def tpm_gone_and_restarted(stage: Stage) -> None:
    stage.unplug()
    restart(stage)


def tpm_back(stage: Stage) -> None:
    stage.plug()


def tpm_at_one(stage: Stage) -> None:
    stage.unplug()
    stage.plug(1)


def tpm_at_zero(stage: Stage) -> None:
    stage.unplug(1)
    stage.plug()


def other_scope(stage: Stage) -> None:
    stage.settings({"dps": {"id_scope": "0ne00000002"}})


def reprovision(stage: Stage) -> None:
    assert stage.run("reprovision", "--yes").status == 0


def other_registration_id(stage: Stage) -> None:
    stage.settings({"dps": {"registration_id": "line-4"}})


def old_registration_id(stage: Stage) -> None:
    stage.settings({"dps": {"registration_id": None}})


def backup_lost(stage: Stage) -> None:
    stage.machine.fault(cloud="401")
    assert stage.iotedge("system", "reprovision").returncode == 1


def backup_lost_and_restarted(stage: Stage) -> None:
    backup_lost(stage)
    restart(stage)


def cloud_is_well(stage: Stage) -> None:
    stage.machine.fault(cloud=None, hub=None)


def cloud_is_well_and_reprovision(stage: Stage) -> None:
    cloud_is_well(stage)
    reprovision(stage)


def hub_is_back(stage: Stage) -> None:
    cloud_is_well(stage)
    restart(stage)


def hub_refuses(stage: Stage) -> None:
    stage.machine.fault(hub="refuses")
    restart(stage)


def offline(stage: Stage) -> None:
    stage.machine.fault(cloud="unreachable", hub="unreachable")
    restart(stage)


def masked(stage: Stage) -> None:
    stage.systemctl("mask", "aziot-tpmd.service")
    restart(stage)


def unmasked(stage: Stage) -> None:
    stage.systemctl("unmask", "aziot-tpmd.service")
    restart(stage)


def stopped(stage: Stage) -> None:
    stage.iotedge("system", "stop")


def socket_stopped(stage: Stage) -> None:
    stage.systemctl("stop", "aziot-tpmd.socket")


def socket_given_up(stage: Stage) -> None:
    """Forbid a daemon to start by a condition; the first who asks it makes systemd give its socket up."""
    stage.write(_CONDITION, "[Unit]\nConditionPathExists=/srv/not-there\n")
    stage.systemctl("daemon-reload")
    stage.systemctl("stop", "aziot-tpmd.service")
    stage.systemctl("start", "aziot-tpmd.socket")
    _knock(stage, "aziot-tpmd")


def socket_given_up_by_its_service(stage: Stage) -> None:
    """Let a daemon end at once, without a failure, each time that somebody asks it."""
    stage.machine.fault(quits="tpmd")
    stage.systemctl("stop", "aziot-tpmd.service")
    stage.systemctl("start", "aziot-tpmd.socket")
    _knock(stage, "aziot-tpmd")


def _knock(stage: Stage, service: str) -> None:
    with connect(stage.path(f"/run/aziot/{service.removeprefix('aziot-')}.sock")):
        wait(lambda: stage.systemctl("show", "-P", "ActiveState", f"{service}.socket") == "failed")


def socket_taken_back(stage: Stage) -> None:
    """Do what the code's remedy says."""
    stage.machine.fault(quits=None)
    stage.write(_CONDITION, "")
    stage.systemctl("daemon-reload")
    stage.systemctl("reset-failed", "aziot-tpmd.socket", "aziot-tpmd.service")
    stage.systemctl("restart", "aziot-tpmd.service")


def not_preloaded(stage: Stage) -> None:
    """Have edgeAgent's image never fetched, and take it from the device, as a new image of the disk does."""
    stage.write(CONFIG, stage.read(CONFIG) + NEVER_FETCHED, 0o600)
    assert stage.iotedge("config", "apply").returncode == 0
    wait(stage.edge_agent_runs)  # its start is not to meet its removal
    edge_agent_removed(stage)


def fetched_again(stage: Stage) -> None:
    stage.edit(CONFIG, 'imagePullPolicy = "never"\n', "")
    assert stage.iotedge("config", "apply").returncode == 0


def edge_agent_removed(stage: Stage) -> None:
    ask(stage.path("/run/docker.sock"), ("DELETE", "/containers/edgeAgent?force=1"))


def hub_away_and_edge_agent_removed(stage: Stage) -> None:
    stage.machine.fault(hub="unreachable")
    edge_agent_removed(stage)


def _by_hand(stage: Stage, payload: str, mode: int) -> None:
    assert stage.run("tpm", "ensure").status == 0
    shown = json.loads(stage.run("identity", "--json").out)
    stage.write(PAYLOAD, payload, mode)
    stage.write(CONFIG, by_hand(shown["registration_id"]), 0o600)


def by_hand(registration_id: str) -> str:
    """Give the configuration of a person who follows the published procedure, with a payload."""
    return _BY_HAND.format(payload=PAYLOAD, registration_id=registration_id)


def payload_unreadable(stage: Stage) -> None:
    _by_hand(stage, '{"modelId": "line"}', 0o600)
    if os.geteuid() != 0:
        stage.machine.fault(payload="denied")


def payload_readable(stage: Stage) -> None:
    os.chmod(stage.path(PAYLOAD), 0o644)
    stage.machine.fault(payload=None)


def payload_broken(stage: Stage) -> None:
    _by_hand(stage, "{modelId: line}", 0o644)


def payload_mended(stage: Stage) -> None:
    stage.write(PAYLOAD, "{}")


def password_set(stage: Stage) -> None:
    assert stage.run("tpm", "ensure").status == 0
    _set_password(stage)


def password_set_on_empty_tpm(stage: Stage) -> None:
    _set_password(stage)


def _set_password(stage: Stage) -> None:
    set_owner_password(stage.tpm, PASSWORD)
    stage.machine.fault(tpm_auth={"owner": PASSWORD})


def password_given(stage: Stage) -> None:
    stage.write("/etc/credstore/tpm-owner-auth", PASSWORD, 0o600)


def engine_down(stage: Stage) -> None:
    stage.systemctl("stop", "docker.socket", "docker.service")


def engine_up(stage: Stage) -> None:
    stage.systemctl("start", "docker.socket", "docker.service")


def engine_down_and_settings_changed(stage: Stage) -> None:
    engine_down(stage)
    stage.settings({"runtime": {"auto_reprovisioning_mode": "OnErrorOnly"}})


def hostname_changed(stage: Stage) -> None:
    stage.machine.fault(containers=["edgeAgent"])
    stage.settings({"runtime": {"hostname": "new-name"}})


def hostname_put_back(stage: Stage) -> None:
    stage.settings({"runtime": {"hostname": "e2e"}})


def misplaced_key(stage: Stage) -> None:
    stage.write(CONFIG, stage.read(CONFIG) + MISPLACED, 0o600)


def edged_settings_bad(stage: Stage) -> None:
    stage.write("/etc/aziot/edged/config.d/50-local.toml", "watchdog = \n")
    restart(stage)


def edged_settings_mended(stage: Stage) -> None:
    os.unlink(stage.path("/etc/aziot/edged/config.d/50-local.toml"))
    restart(stage)


def killed(stage: Stage) -> None:
    """Kill a daemon, and let systemd start it again."""
    _kill(stage)
    wait(lambda: _main_pid(stage) != 0)


def killed_and_down(stage: Stage) -> None:
    """Kill a daemon whose next start is some seconds away."""
    stage.machine.fault(time_scale=1)
    _kill(stage)


def broken(stage: Stage) -> None:
    """Let a daemon end at each start, and see two of them."""
    stage.machine.fault(broken="keyd")
    _kill(stage)
    journalctl = ("journalctl", "-o", "cat", "-u", "aziot-keyd.service")
    wait(lambda: stage.machine.run(*journalctl).stdout.count("Scheduled restart job") > 1)


def _kill(stage: Stage) -> None:
    pid = _main_pid(stage)
    os.kill(pid, signal.SIGKILL)
    wait(lambda: _main_pid(stage) != pid)


def _main_pid(stage: Stage) -> int:
    return int(stage.systemctl("show", "-P", "MainPID", "aziot-keyd.service"))
