"""What a remedy says of one line: the line itself, or a command that shows none of it."""

import tomllib

import pytest

from agent.codes import AgentError
from agent.edge.config_mends import Edit, edited
from agent.edge.config_text import parse


def remedy(text: str) -> str:
    with pytest.raises(AgentError) as caught:
        parse(text)
    return caught.value.finding.remedy


@pytest.mark.parametrize(
    "text",
    [
        '[tpm.hierarchy_authorization]\nowner = "ge\\heim"\n',
        "[tpm.hierarchy_authorization]\nendorsement = geheim\n",
        "[watchdog]\nowner: geheim\nx=1\n",
        "[cert_issuance.est.auth]\npassword = geheim\n",
        "[agent.env]\nMODE = geheim\n",
        "[preloaded_keys]\nmine = geheim\n",
        "[provisioning]\nconnection_string = HostName=h;DeviceId=d;SharedAccessKey=geheim\n",
        "symmetric_key: geheim\nx = 1\n",
        "[provisioning.attestation]\nsymmetric_key = { value = geheim }\n",
    ],
)
def test_a_secret_by_name_or_place_is_in_no_remedy(text: str) -> None:
    said = remedy(text)

    assert "heim" not in said
    assert "*" not in said.replace(r"{", ""), "stars would be written by whoever follows it"
    assert "LC_ALL=C sed" in said


def test_what_is_no_secret_is_spelt() -> None:
    assert 'write line 1 as `hostname = "edge-1"`' in remedy("hostname = edge-1\n")


def test_a_comment_is_not_shown() -> None:
    assert "hall" not in remedy("hostname = edge-1 # hall\n")


def test_edits_are_made_from_the_end() -> None:
    assert tomllib.loads(edited("a = b c", (Edit(4, 4, '"'), Edit(7, 7, '"')))) == {"a": "b c"}
