"""What the agent advises is typed in as it stands, and mends the thing."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.scenario.stage import CHECKOUT, CONFIG, SCOPE, Ended, Stage, run_command
from tests.scenario.test_others_decisions import by_hand
from tests.standins.layout import RUNTIME_USERS

Run = Callable[..., Ended]
FOLDER = "/etc/aziot"


@contextmanager
def mounts_of_its_own() -> Iterator[Run]:
    """Give what runs commands in one mount namespace, which ends with the block."""
    keeper = ("unshare", "--mount", "cat")
    with subprocess.Popen(keeper, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as held:
        assert held.stdin
        assert held.stdout
        held.stdin.write(b"there\n")
        held.stdin.flush()
        if held.stdout.readline() != b"there\n":
            pytest.skip("NOT TESTED HERE, mounts: unshare is refused")
        enter = ("nsenter", f"--mount=/proc/{held.pid}/ns/mnt", f"--wd={CHECKOUT}")
        yield lambda *argv: run_command((*enter, *argv))
        held.stdin.close()


def typed(stage: Stage, remedy: str, **places: str) -> list[str]:
    """Give the commands of a remedy, for a machine that lies below a folder."""
    commands = re.findall(r"`([^`]+)`", remedy)
    below = [re.sub(r"(?<![\w/.])/etc(?=/)", stage.path("/etc"), command) for command in commands]
    for name, place in places.items():
        below = [re.sub(rf"\b{name}\b", place, command) for command in below]
    return below


def told(stage: Stage, code: str) -> str:
    """Give the remedy of what was found, which has to be this."""
    status = stage.status()
    assert status["code"] == code
    return str(status["remedy"])


def made_nothing(stage: Stage) -> bool:
    rule = stage.path("/etc/udev/rules.d/tpmaccess.rules")
    return "EvictControl" not in stage.tpm.commands() and not os.path.exists(rule)


# The daemons of the stage don't see what is mounted here: where files come to lie elsewhere, an apply is all.
def shell(run: Run, *commands: str) -> None:
    for command in commands:
        ended = run("sh", "-c", command)
        assert ended.status == 0, f"{command}: {ended.err}"


def test_a_read_only_folder_is_made_writable(stage: Stage) -> None:
    folder = stage.path(FOLDER)
    with mounts_of_its_own() as run:
        shell(run, f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}")

        assert run(*stage.argv("once")).status == 4
        remedy = told(stage, "config.unwritable")
        assert made_nothing(stage)

        shell(run, *(one for one in typed(stage, remedy) if one.startswith(("findmnt", "mount"))))
        run(*stage.argv("once", "--wait", "30"))
    assert stage.status()["code"] == "runtime.provisioned"


@pytest.mark.parametrize("adopt", [(), ("--adopt",)], ids=["", "adopt"])
@pytest.mark.parametrize("fixed", ["folder", "file"])
def test_a_fixed_file_or_folder_is_loosened(stage: Stage, fixed: str, adopt: tuple[str, ...]) -> None:
    stage.write(CONFIG, "# somebody's\n", 0o600)
    place = stage.path(CONFIG if fixed == "file" else FOLDER)
    if subprocess.run(["chattr", "+i", place], capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED HERE, chattr: the file system has no attributes")
    try:
        planned = stage.run("plan")
        assert planned.status == 4
        assert f"{CONFIG} can't be written: Operation not permitted" in planned.out
        assert stage.once(*adopt)["code"] == "config.unwritable"
        assert made_nothing(stage)

        commands = typed(stage, told(stage, "config.unwritable"))
        shell(lambda *argv: run_command(argv), *(one for one in commands if "attr" in one))
    finally:
        subprocess.run(["chattr", "-i", place], check=True)
    assert stage.provision()["code"] == "runtime.provisioned"
    assert "# somebody's" in stage.read(CONFIG)


def test_a_mounted_file_gives_way_to_its_mounted_folder(stage: Stage) -> None:
    stage.write(CONFIG, "# the image's\n", 0o600)
    stage.write("/data/config.toml", "# the data partition's\n", 0o600)
    with mounts_of_its_own() as run:
        shell(run, f"mount --bind {stage.path('/data/config.toml')} {stage.path(CONFIG)}")
        assert run(*stage.argv("once")).status == 4
        remedy = told(stage, "config.mount-point")
        assert made_nothing(stage)

        commands = typed(stage, remedy, DIR=stage.path("/data/aziot"))
        first = [one for one in commands if one.startswith(("findmnt", "cp", "umount", "mount"))][:4]
        shell(run, *first)
        assert "-> write auto_reprovisioning_mode" in run(*stage.argv("once")).out

    written = stage.read("/data/aziot/config.toml")
    assert "# the data partition's" in written
    assert 'id_scope = "0ne00000001"' in written
    assert stage.read(CONFIG) == "# the image's\n"


def test_a_mounted_file_that_need_not_lie_elsewhere_is_unmounted(stage: Stage) -> None:
    stage.write(CONFIG, "# the image's\n", 0o600)
    with mounts_of_its_own() as run:
        shell(run, f"mount --bind {stage.path(CONFIG)} {stage.path(CONFIG)}")
        assert run(*stage.argv("once", "--adopt")).status == 4
        remedy = told(stage, "config.mount-point")

        shell(run, typed(stage, remedy)[-2])  # the last but `edge-provisioner once`
        run(*stage.argv("once", "--wait", "30"))
    assert stage.status()["code"] == "runtime.provisioned"


def test_a_full_file_system_is_made_room_on(stage: Stage) -> None:
    stage.write(CONFIG, "# somebody's\n", 0o600)
    folder = stage.path(FOLDER)
    with mounts_of_its_own() as run:
        fill = f"cp -a {folder} {folder}.kept && mount -t tmpfs -o size=64k,mode=755 full {folder} && "
        fill += f"cp -a {folder}.kept/. {folder} && {{ cat /dev/zero >{folder}/filler 2>/dev/null || true; }}"
        shell(run, fill)
        assert run(*stage.argv("once")).status == 4
        remedy = told(stage, "config.unwritable")

        shell(run, *(one for one in typed(stage, remedy) if one.startswith("df")), f"rm {folder}/filler")
        assert "-> run `iotedge config apply`" in run(*stage.argv("once")).out


def _left_unapplied(stage: Stage) -> None:
    """Leave config.toml as a script does whose last step failed; the agent has no settings yet."""
    stage.settings({"dps": {"id_scope": None}})
    by_hand(stage)
    planned = stage.run("plan").out.splitlines()
    assert planned[1].startswith(f"unconfigured: {CONFIG} is written, but was never")
    assert set(stage.runtime_says().values()) == {"Ready"}
    stage.once()
    first, *_ = stage.run("status").out.splitlines()
    assert first.startswith(f"unconfigured: {CONFIG} is written, but was never applied")


def test_a_config_toml_that_waits_is_applied_by_hand(stage: Stage) -> None:
    _left_unapplied(stage)
    command, *_ = typed(stage, told(stage, "config.never-applied"))

    assert stage.iotedge(*command.split()[1:]).returncode == 0

    assert stage.once()["code"] == "settings.missing"


def test_a_config_toml_that_waits_is_applied_by_the_agent(stage: Stage) -> None:
    _left_unapplied(stage)
    said = typed(stage, told(stage, "config.never-applied"))
    assert said[1:3] == ["id_scope", "[dps]"]

    stage.settings({"dps": {"id_scope": SCOPE}})

    assert stage.provision()["code"] == "runtime.provisioned"


@pytest.mark.parametrize(
    ("name", "way"), [("edge host", "machine"), ("localhost", "settings"), ("k\u00e4lte", "settings")]
)
def test_a_host_name_that_will_not_do_gives_way_to_one_that_does(stage: Stage, name: str, way: str) -> None:
    stage.write("/etc/hostname", f"{name}\n")
    assert stage.once()["code"] in ("apply.hostname-impossible", "apply.hostname-unset")
    assert not os.path.exists(stage.path(CONFIG))

    if way == "machine":
        stage.write("/etc/hostname", "line-4\n")  # `hostnamectl hostname NAME`
    else:
        stage.settings({"runtime": {"hostname": "line-4"}})

    assert stage.provision()["code"] == "runtime.provisioned"
    assert 'hostname = "line-4"' in stage.read(CONFIG)


def test_an_images_host_name_is_told_before_the_first_apply_and_then_left(stage: Stage) -> None:
    stage.write("/etc/hostname", "raspberrypi\n")
    planned = stage.run("plan").out
    assert "The host name raspberrypi is about to be fixed: many devices have it from their image" in planned

    stage.write("/etc/hostname", "line-4\n")

    assert "is about to be fixed" not in stage.run("plan").out
    assert [notice["code"] for notice in stage.provision()["notices"]] == []


def test_a_name_that_is_warned_of_is_told_before_the_first_apply(stage: Stage) -> None:
    stage.write("/etc/hostname", "edge_host\n")

    planned = stage.run("plan").out

    assert "The host name edge_host is one that `iotedge check` warns of: its parts must be" in planned
    assert "write auto_reprovisioning_mode" in planned


def test_the_snap_gives_way_to_the_packages(base: str) -> None:
    with Stage(base, runtime=False) as stage:
        stage.plug()
        os.makedirs(stage.path("/snap/azure-iot-edge/current"))
        stage.once()
        remedy = told(stage, "runtime.snap")
        assert typed(stage, remedy)[-2:] == ["snap remove azure-iot-edge", "apt-get install aziot-edge"]

        shutil.rmtree(stage.path("/snap/azure-iot-edge"))
        assert stage.once()["code"] == "runtime.not-installed"
        stage.machine.install_runtime()

        assert stage.provision()["code"] == "runtime.provisioned"


def test_a_system_that_systemd_runs_after_all_is_provisioned(stage: Stage) -> None:
    os.rmdir(stage.path("/run/systemd/system"))
    assert stage.once()["code"] == "runtime.no-systemd"

    os.makedirs(stage.path("/run/systemd/system"))

    assert stage.provision()["code"] == "runtime.provisioned"


NAMING_KEY = '[edge_ca]\ncert = "file:///k/c.pem"\npk = "file:///k/edge-ca.pem"\n'
KEY = "/k/edge-ca.pem"


def _key(stage: Stage, *options: str) -> None:
    """Make a private key where config.toml names one, as root does."""
    os.makedirs(stage.path("/k"), exist_ok=True)
    words = ("openssl", "genpkey", "-algorithm", "ed25519", "-out", stage.path(KEY), *options)
    subprocess.run(words, check=True, capture_output=True)
    os.chmod(stage.path(KEY), 0o600)


def _of_key(stage: Stage) -> tuple[str, list[str]]:
    """Look, and give what is told of the key, and the commands that are advised."""
    stage.once()
    (notice,) = [one for one in stage.status()["notices"] if one["code"] == "config.key-unusable"]
    uid, gid, *_ = RUNTIME_USERS["aziotks"]
    commands = [
        one.replace("aziotks:aziotks", f"{uid}:{gid}").replace("/k/", stage.path("/k") + "/")
        for one in re.findall(r"`([^`]+)`", notice["remedy"])
    ]
    assert [one.split()[0] for one in commands[-2:]] == ["ls", "head"]
    return notice["summary"], commands


def test_a_key_that_root_made_is_given_to_the_key_service(stage: Stage) -> None:
    stage.write(CONFIG, NAMING_KEY, 0o600)
    _key(stage)
    summary, commands = _of_key(stage)
    assert summary == f"The private key {KEY} (config.toml, line 6: edge_ca.pk) can't be read by user aziotks"
    assert stage.path(KEY) in stage.status()["judged"]  # so that the watcher looks again when it changes

    shell(lambda *argv: run_command(argv), *commands)

    assert stage.provision()["notices"] == []


def test_a_pass_phrase_is_taken_off(stage: Stage) -> None:
    stage.write(CONFIG, NAMING_KEY, 0o600)
    _key(stage, "-aes256", "-pass", "pass:secret")
    summary, commands = _of_key(stage)
    assert "has a pass phrase" in summary

    typed_in = [one.replace("pkey", "pkey -passin pass:secret") for one in commands]  # what it asks for
    shell(lambda *argv: run_command(argv), *typed_in)

    assert stage.provision()["notices"] == []


def test_a_closed_folder_on_the_way_to_a_key_is_told_and_opened(stage: Stage) -> None:
    stage.write(CONFIG, NAMING_KEY, 0o600)
    _key(stage)
    os.chown(stage.path(KEY), *RUNTIME_USERS["aziotks"][:2])
    os.chmod(stage.path("/k"), 0o700)
    stage.once()
    (notice,) = [one for one in stage.status()["notices"] if one["code"] == "config.key-unusable"]
    assert "`chmod o+x /k`" in notice["remedy"]

    os.chmod(stage.path("/k"), 0o701)

    assert stage.provision()["notices"] == []


def test_a_proxy_by_tls_is_told_of_a_unit_and_gone_when_its_address_is_mended(stage: Stage) -> None:
    place = "/etc/systemd/system/aziot-identityd.service.d/proxy.conf"
    stage.write(place, '[Service]\nEnvironment="https_proxy=https://user:s3cr3t@proxy.test:3128"\n')
    stage.systemctl("daemon-reload")
    stage.provision()
    (notice,) = [one for one in stage.status()["notices"] if one["code"] == "runtime.proxy-by-tls"]
    assert notice["summary"].startswith("The proxy of aziot-identityd.service begins with https://")
    assert "s3cr3t" not in json.dumps(stage.status()) + stage.heard

    stage.edit(place, "https://user", "http://user")
    first, scheme, reload, restart = re.findall(r"`([^`]+)`", notice["remedy"])
    assert (first, scheme) == ("systemctl cat aziot-identityd.service", "http://")
    assert (reload, restart) == ("systemctl daemon-reload", "iotedge system restart")
    stage.systemctl(*reload.split()[1:])
    stage.iotedge(*restart.split()[1:])

    assert "runtime.proxy-by-tls" not in [one["code"] for one in stage.provision().get("notices", [])]
