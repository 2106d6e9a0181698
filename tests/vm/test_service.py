"""The service under systemd: hung, its runtime killed, its TPM with a password, its journal."""

import json
import re

import pytest

from tests.vm import witness
from tests.vm.conftest import Bench
from tests.vm.stages import PROVISIONED, SETTINGS, says, settings

_SOON = """\
[Service]
WatchdogSec=8s
TimeoutAbortSec=2s
RestartSec=1s
"""


@pytest.mark.takes(25)
def test_a_daemon_that_hangs_is_killed_by_the_watchdog_and_started_again(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    machine.write("/run/systemd/system/edge-provisioner.service.d/soon.conf", _SOON)
    machine.run("systemctl daemon-reload && systemctl restart edge-provisioner")
    machine.wait(PROVISIONED)
    hung = witness.show(machine, "edge-provisioner", "MainPID")

    machine.run("systemctl kill -s STOP edge-provisioner")
    machine.wait(
        f"[ $(systemctl show -P MainPID edge-provisioner) != {hung} ] && systemctl is-active edge-provisioner"
    )

    said = machine.run("journalctl -b --no-pager -o cat _PID=1 -u edge-provisioner")
    assert "Watchdog timeout" in said
    assert witness.show(machine, "edge-provisioner", "NRestarts") == "1"
    machine.wait(PROVISIONED)
    assert witness.restarts(machine) == 1


@pytest.mark.takes(100)
def test_a_daemon_of_the_runtime_that_ends_again_and_again_is_noticed_and_left_to_systemd(
    bench: Bench,
) -> None:
    machine = bench.copy("provisioned")
    for _ in range(3):
        before = witness.show(machine, "aziot-keyd", "MainPID")
        machine.run("systemctl kill -s KILL aziot-keyd")
        machine.wait(
            f"[ $(systemctl show -P MainPID aziot-keyd) != {before} ] && systemctl is-active aziot-keyd"
        )
    machine.wait(
        "journalctl -q -b -t edge-provisioner EDGE_PROVISIONER_CODE=runtime.restarted | grep -q . "
        f"&& {PROVISIONED}"
    )
    # Not NRestarts: systemd 257 forgets it where the socket is restarted too.
    assert machine.run("journalctl -q -b -u aziot-keyd -o cat | grep -c 'Scheduled restart job'") == "3\n"

    witness.fault(machine, broken="keyd")
    machine.run("systemctl kill -s KILL aziot-keyd")
    machine.wait(says("runtime.crash-loop"))
    witness.fault(machine, broken=None)
    machine.wait(PROVISIONED)

    assert witness.restarts(machine) == 1, "a runtime that recovers by itself was restarted"
    assert witness.device(machine)["deviceId"]


@pytest.mark.takes(50)
def test_a_tpm_with_a_password_is_used_with_the_credential(bench: Bench) -> None:
    machine = bench.copy("with-runtime")
    machine.run("TPM2TOOLS_TCTI=device:/dev/tpmrm0 tpm2_changeauth -c owner s3cr3t-0wner")
    machine.run("install -m 700 -d /etc/credstore")
    machine.write("/etc/credstore/tpm-owner-auth", "s3cr3t-0wner", 0o600)

    machine.write(SETTINGS, settings())
    machine.wait(PROVISIONED)

    assert len(witness.persistent(machine)) == 3
    assert witness.sign(machine)
    assert machine.run(f"stat -c '%a %U' {witness.CONFIG}") == "600 root\n"
    assert "s3cr3t" in machine.read(witness.CONFIG)
    assert "s3cr3t" not in machine.run("journalctl -b --no-pager; cat /run/edge-provisioner/status.json")
    assert "s3cr3t" not in machine.run("systemctl status edge-provisioner; edge-provisioner plan")


@pytest.mark.takes(25)
def test_every_event_has_its_fields_and_the_catalog_explains_it(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    machine.run("systemctl stop aziot-edged aziot-tpmd; systemctl reload edge-provisioner")
    machine.wait(says("runtime.stopped"))

    events = witness.ours(machine)

    assert events
    assert events == witness.ours(machine, "-u", "edge-provisioner.service")
    for event in events:
        assert re.fullmatch("[0-9a-f]{32}", event["MESSAGE_ID"])
        assert {"EDGE_PROVISIONER_CODE", "EDGE_PROVISIONER_REMEDY", "EDGE_PROVISIONER_TRANSACTION"} <= set(
            event
        )
        explained = machine.run(f"journalctl -x -q --no-pager MESSAGE_ID={event['MESSAGE_ID']}")
        assert "Subject: " in explained, event["EDGE_PROVISIONER_CODE"]
        assert f"edge-provisioner explain {event['EDGE_PROVISIONER_CODE']}" in explained
    document = json.loads(machine.run("edge-provisioner status --json", status=None))
    assert document["remedy"] in machine.run(
        "systemctl status edge-provisioner; edge-provisioner status", status=None
    )
