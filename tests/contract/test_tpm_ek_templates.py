"""Endorsement keys of the TCG's other templates, made by tpm2-tools: named, kept, and removable."""

import hashlib
import json
import os
import subprocess

import pytest

from agent.cli import main
from agent.codes import Finding
from agent.tpm import keys, nodes
from agent.tpm.ek_templates import template_of
from tests.contract.tpm_asking import (
    EK,
    HOST,
    SRK,
    ensure,
    persistent_handles,
    public_by_tools,
    refusal,
    request,
    settle,
    tools,
)
from tests.standins.software_tpm import SoftwareTpm

ENDORSEMENT = bytes.fromhex("4000000b")
POLICY_SECRET, POLICY_OR = bytes.fromhex("00000151"), bytes.fromhex("00000171")
# EK Credential Profile, "PolicyC": PolicyAuthorizeNV of the handles 0x01c07f01 to 0x01c07f03.
POLICY_C = {
    "sha256": "3767e2edd43ff45a3a7e1eaefcef78643dca964632e7aad82c673a30d8633fde",
    "sha384": "d6032ce61f2fb3c240eb3cf6a33237ef2b6a16f4293c22b455e261cffd217ad5"
    "b4947c2d73e63005eed2dc2b3593d165",
    "sha512": "589ee1e146544716e8deafe6db247b01b81e9f9c7dd16b814aa159138749105f"
    "ba5388dd1dea702f35240c184933121e2c61b8f50d3ef91393a49a38c3f73fc8",
}
LOW = "fixedtpm|fixedparent|sensitivedataorigin|adminwithpolicy|restricted|decrypt"
HIGH = f"{LOW}|userwithauth"


def policy_a(algorithm: str) -> bytes:
    """Compute PolicySecret(TPM_RH_ENDORSEMENT) as part 3 has it."""
    zero = bytes(hashlib.new(algorithm).digest_size)
    inner = hashlib.new(algorithm, zero + POLICY_SECRET + ENDORSEMENT).digest()
    return hashlib.new(algorithm, inner).digest()


def policy_b(algorithm: str) -> bytes:
    """Compute PolicyOR(PolicyA, PolicyC)."""
    zero = bytes(hashlib.new(algorithm).digest_size)
    both = policy_a(algorithm) + bytes.fromhex(POLICY_C[algorithm])
    return hashlib.new(algorithm, zero + POLICY_OR + both).digest()


TEMPLATES = {
    "L-2 (ECC NIST P-256)": (policy_a, "sha256", "ecc256:aes128cfb", LOW),
    "H-1 (RSA 2048)": (policy_b, "sha256", "rsa2048:aes128cfb", HIGH),
    "H-2 (ECC NIST P-256)": (policy_b, "sha256", "ecc256:aes128cfb", HIGH),
    "H-3 (ECC NIST P-384)": (policy_b, "sha384", "ecc384:aes256cfb", HIGH),
    "H-4 (ECC NIST P-521)": (policy_b, "sha512", "ecc521:aes256cfb", HIGH),
    "H-6 (RSA 3072)": (policy_b, "sha384", "rsa3072:aes256cfb", HIGH),
}  # fmt: skip


def put(tpm: SoftwareTpm, template: str, hierarchy: str = "e") -> None:
    policy, algorithm, kind, attributes = TEMPLATES[template]
    with open(os.path.join(tpm.directory, "policy"), "wb") as target:
        target.write(policy(algorithm))
    primary = ("tpm2_createprimary", "-Q", "-C", hierarchy, "-g", algorithm, "-G", kind)
    tools(tpm, *primary, "-L", "policy", "-a", attributes, "-c", "ek.ctx")
    tools(tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "ek.ctx", EK)
    settle(tpm)


def told(tpm: SoftwareTpm) -> Finding:
    return refusal(keys.ensure, request(tpm))


def run_as_it_stands(command: str) -> None:
    """Run a command of a remedy, as a person types it."""
    done = subprocess.run(("sh", "-c", command), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_key_of_another_template_is_named_and_left_alone(software_tpm: SoftwareTpm, template: str) -> None:
    put(software_tpm, template)
    before = public_by_tools(software_tpm, EK)
    finding = told(software_tpm)

    assert finding.code.name == "tpm.foreign-ek"
    assert finding.summary.endswith(f": it is an endorsement key of the TCG's template {template}")
    assert "systemd-tpm2-setup" in finding.explanation
    assert public_by_tools(software_tpm, EK) == before
    assert persistent_handles(software_tpm) == [EK]


def test_the_remedy_for_a_key_of_another_template_works_as_it_stands(software_tpm: SoftwareTpm) -> None:
    put(software_tpm, "H-1 (RSA 2048)")
    look, mask, remove, once = (word for word in told(software_tpm).remedy.split("`")[1::2])

    assert (mask.split()[:2], once) == (["systemctl", "mask"], "edge-provisioner once")
    run_as_it_stands(look)
    run_as_it_stands(remove)
    settle(software_tpm)
    assert ensure(software_tpm).complete
    assert persistent_handles(software_tpm) == [SRK, EK]


def test_the_remedy_names_a_node_as_tools_want_it(
    software_tpm: SoftwareTpm, tmp_path: os.PathLike[str]
) -> None:
    put(software_tpm, "L-2 (ECC NIST P-256)")
    node = os.path.join(tmp_path, "tpmrm0")
    software_tpm.bridge(node).plug()
    finding = refusal(keys.ensure, keys.Request(nodes.node(node, node)))

    assert f"`tpm2_readpublic -T device:{node} -c {EK}`" in finding.remedy
    run_as_it_stands(finding.remedy.split("`")[1])


def test_a_template_in_the_wrong_hierarchy_is_no_standard_key(software_tpm: SoftwareTpm) -> None:
    put(software_tpm, "H-1 (RSA 2048)", hierarchy="o")
    finding = told(software_tpm)

    assert "it is no primary key of the endorsement hierarchy" in finding.summary
    assert "systemd-tpm2-setup" not in finding.explanation


def test_the_maker_s_high_range_keys_are_recognised(tmp_path: os.PathLike[str]) -> None:
    """swtpm_setup is an implementation of its own of the profile."""
    argv = ["swtpm_setup", "--tpm2", "--tpmstate", os.fspath(tmp_path), "--createek", "--rsa-keysize", "3072"]
    argv += ["--runas", "root"] if os.geteuid() == 0 else []
    subprocess.run(argv, check=True, capture_output=True)
    with SoftwareTpm(os.fspath(tmp_path)) as tpm:
        found = {template_of(public_by_tools(tpm, handle)) for handle in persistent_handles(tpm)}

    assert found == {"H-3", "H-6"}


@pytest.mark.parametrize("as_json", [False, True])
def test_show_names_the_template(
    software_tpm: SoftwareTpm, capsys: pytest.CaptureFixture[str], tmp_path: os.PathLike[str], as_json: bool
) -> None:
    words = ["--root", os.fspath(tmp_path), "tpm", "show", "--tpm", software_tpm.tcti]
    words += ["--json"] if as_json else []

    def shown() -> str:
        main(words)
        out = capsys.readouterr().out
        return str(json.loads(out)[0]["template"]) if as_json else out

    assert ("None" if as_json else "EK   absent") in shown()
    keys.ensure(HOST, request(software_tpm))
    assert "L-1 (RSA 2048), or the Azure C SDK's" in shown()
    tools(software_tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", EK)
    put(software_tpm, "H-2 (ECC NIST P-256)")
    assert "H-2 (ECC NIST P-256)" in shown()
