"""The .deb itself: the same bytes each time, nothing where it should not be, and lintian is content."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import agent
from tests.package.debian_tree import PROJECT, Machine, build, run

EVERY_FILE = """\
/usr/bin/edge-provisioner
/usr/lib/systemd/catalog/edge-provisioner.catalog
/usr/lib/systemd/system-preset/80-edge-provisioner.preset
/usr/lib/systemd/system/edge-provisioner.path
/usr/lib/systemd/system/edge-provisioner.service
/usr/lib/tmpfiles.d/edge-provisioner.conf
/usr/share/bash-completion/completions/edge-provisioner
/usr/share/doc/edge-provisioner/changelog.gz
/usr/share/doc/edge-provisioner/copyright
/usr/share/doc/edge-provisioner/examples/agent.toml
/usr/share/edge-provisioner/tpmaccess.rules
/usr/share/fish/vendor_completions.d/edge-provisioner.fish
/usr/share/man/man5/edge-provisioner.toml.5.gz
/usr/share/man/man8/edge-provisioner.8.gz
/usr/share/python3/runtime.d/edge-provisioner.rtupdate
/usr/share/zsh/vendor-completions/_edge-provisioner
""".splitlines()
PROGRAMS = {"/usr/bin/edge-provisioner", "/usr/share/python3/runtime.d/edge-provisioner.rtupdate"}


def field(package: Path, name: str) -> str:
    return run("dpkg-deb", "-f", package, name).strip()


def test_the_version_is_the_same_everywhere(package: Path) -> None:
    changelog = (PROJECT / "packaging/debian/changelog").read_text()
    newest = re.match(r"edge-provisioner \(([^)]+)\)", changelog)

    assert newest is not None
    assert newest[1] == agent.__version__ == field(package, "Version")


def test_built_again_it_is_the_same_to_the_byte(package: Path, tmp_path: Path) -> None:
    assert build(tmp_path / "again").read_bytes() == package.read_bytes()


def modules() -> Iterator[Path]:
    return (path.relative_to(PROJECT) for path in (PROJECT / "agent").rglob("*.py"))


def test_it_holds_the_code_and_what_belongs_to_it_and_nothing_else(tree: Path) -> None:
    found = {f"/{path.relative_to(tree)}" for path in tree.rglob("*") if not path.is_dir()}
    code = {name for name in found if name.startswith("/usr/lib/edge-provisioner/")}

    assert sorted(found - code) == EVERY_FILE
    assert code == {f"/usr/lib/edge-provisioner/{name}" for name in modules()}


def test_settings_have_a_folder_and_no_file(tree: Path) -> None:
    assert [str(path.relative_to(tree)) for path in sorted((tree / "etc").rglob("*"))] == [
        "etc/edge-provisioner",
        "etc/edge-provisioner/agent.toml.d",
    ]


def test_owners_and_modes(package: Path) -> None:
    for line in run("dpkg-deb", "-c", package).splitlines():
        mode, owner, *_, name = line.split()
        program = name.removeprefix(".") in PROGRAMS
        expected = "drwxr-xr-x" if mode.startswith("d") else "-rwxr-xr-x" if program else "-rw-r--r--"
        assert (mode, owner) == (expected, "root/root"), line


def test_the_rule_lies_inert_outside_of_udevs_folders(tree: Path) -> None:
    assert (tree / "usr/share/edge-provisioner/tpmaccess.rules").read_bytes() == (
        PROJECT / "udev/tpmaccess.rules"
    ).read_bytes()
    assert not list(tree.rglob("rules.d"))


def test_it_needs_packages_of_the_distribution_only(package: Path) -> None:
    needed = {re.split(r"[ :(]", word.strip())[0] for word in field(package, "Depends").split(",")}

    assert needed == {
        "python3",
        "python3-cryptography",
        "python3-pyudev",
        "python3-sdnotify",
        "python3-structlog",
        "python3-tomlkit",
        "python3-tpm2-pytss",
    }
    assert "aziot-edge" in field(package, "Recommends")
    assert field(package, "Architecture") == "all"


@pytest.mark.timeout(300)
def test_lintian_is_content(machine: Machine, package: Path) -> None:
    """With every level of tag shown; lintian wants to be an ordinary user."""
    machine.write(f"/tmp/{package.name}", package.read_bytes())
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    lintian = ("lintian", "--display-info", "--pedantic", "--fail-on", "error,warning,info,pedantic")

    said = machine.run(*nobody, *lintian, f"/tmp/{package.name}")

    assert said == ""
