"""config.toml is edited in place: what changes, where new lines go, what stays, what is shown."""

import textwrap
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from agent.codes import AgentError
from agent.edge import config_splice
from agent.edge.config_statements import Source
from agent.edge.config_text import (
    KeyPath,
    Value,
    edit,
    parse,
    value_at,
)

MODE = ("auto_reprovisioning_mode",)
HOSTNAME = ("hostname",)
SOURCE = ("provisioning", "source")
SCOPE = ("provisioning", "id_scope")
PAYLOAD = ("provisioning", "payload")
METHOD = ("provisioning", "attestation", "method")
TCTI = ("tpm", "tcti")
OWNER = ("tpm", "hierarchy_authorization", "owner")

WHOLE: Mapping[KeyPath, Value | None] = MappingProxyType(
    {
        MODE: "Dynamic",
        HOSTNAME: "line-4",
        SOURCE: "dps",
        SCOPE: "0ne00112233",
        PAYLOAD: MappingProxyType({"uri": "file:///etc/aziot/payload.json"}),
        METHOD: "tpm",
        TCTI: None,
    }
)
WHOLE_TEXT = """\
auto_reprovisioning_mode = "Dynamic"
hostname = "line-4"

[provisioning]
source = "dps"
id_scope = "0ne00112233"
payload = { uri = "file:///etc/aziot/payload.json" }

[provisioning.attestation]
method = "tpm"
"""
TEMPLATE = """\
# ====
# Name
# ====
# hostname = "a-device"


# ====
# Provisioning
# ====

# auto_reprovisioning_mode = Dynamic

## By hand
# [provisioning]
# source = "manual"

# [[listen]]
# uri = "x"
"""


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def refusal(text: str, intended: Mapping[KeyPath, Value | None]) -> tuple[str, dict[str, str]]:
    with pytest.raises(AgentError) as caught:
        edit(text, intended)
    return caught.value.finding.code.name, dict(caught.value.finding.facts)


def test_file_is_made_from_nothing() -> None:
    assert edit("", WHOLE) == WHOLE_TEXT


def test_second_edit_gives_the_very_same_string() -> None:
    text = edit(TEMPLATE, WHOLE)

    assert edit(text, WHOLE) is text


def test_template_keeps_every_byte_and_top_keys_stand_above_its_first_commented_table() -> None:
    """A person who uncomments a table of the template must not swallow our top-level keys."""
    head, tail = TEMPLATE.split("## By hand")
    top, tables = WHOLE_TEXT.split("[provisioning]\n")

    assert edit(TEMPLATE, WHOLE) == f"{head}{top}## By hand{tail}\n[provisioning]\n{tables}"


def test_comments_without_any_table_are_followed_by_everything() -> None:
    assert edit("# mine\n", WHOLE) == "# mine\n\n" + WHOLE_TEXT


def test_changed_value_leaves_name_spacing_comment_and_line_end() -> None:
    text = "[provisioning]\r\n\t'id_scope'   =\t'0ne\\#1' \t# of \"line\" = 4\r\nx = 1"

    assert edit(text, {SCOPE: 'a"b'}) == text.replace("'0ne\\#1'", '"a\\"b"')


def test_values_equal_in_meaning_are_not_touched() -> None:
    text = dedent(
        r"""
        "host\u006eame" = '''line-4'''
        provisioning = { source = "dps", attestation.method = "tpm" }
        """
    )

    assert edit(text, {HOSTNAME: "line-4", SOURCE: "dps", METHOD: "tpm", TCTI: None}) is text


def test_new_key_goes_below_the_keys_of_its_table_with_their_indent() -> None:
    text = dedent(
        """
        [provisioning]
          source = "dps"
        # about the agent

        [agent]
        name = "edgeAgent"
        """
    )

    expected = text.replace('"dps"\n', '"dps"\n  id_scope = "0ne1"\n')
    assert edit(text, {SOURCE: "dps", SCOPE: "0ne1"}) == expected


def test_new_top_level_key_goes_below_the_others() -> None:
    text = 'cloud_retries = 2  # two\n\n# edge\n[agent]\nname = "x"\n'

    assert edit(text, {HOSTNAME: "a"}) == text.replace("# two\n", '# two\nhostname = "a"\n')


def test_new_top_level_key_stays_clear_of_the_comment_about_the_first_table() -> None:
    text = "# Line 4\n\n# the agent\n[agent]\n"

    assert edit(text, {HOSTNAME: "a"}) == '# Line 4\n\nhostname = "a"\n\n# the agent\n[agent]\n'


def test_comment_that_begins_the_file_stays_its_beginning() -> None:
    assert edit("# Line 4\n[agent]\n", {HOSTNAME: "a"}) == '# Line 4\n\nhostname = "a"\n\n[agent]\n'


def test_new_table_comes_right_after_the_tables_it_belongs_to() -> None:
    text = dedent(
        """
        [provisioning]
        source = "dps"
        [provisioning.own]
        x = 1

        # modules
        [agent]
        name = "x"
        """
    )

    expected = text.replace("x = 1\n", 'x = 1\n\n[provisioning.attestation]\nmethod = "tpm"\n')
    assert edit(text, {SOURCE: "dps", METHOD: "tpm"}) == expected


def test_new_table_comes_above_its_sub_table_and_the_comment_about_that() -> None:
    text = '# site\n\n# password\n[tpm.hierarchy_authorization]\nowner = "x"\n'

    expected = text.replace("# password", '[tpm]\ntcti = "device:/dev/tpmrm1"\n\n# password')
    assert edit(text, {TCTI: "device:/dev/tpmrm1"}) == expected


def test_text_inside_a_multi_line_string_is_never_taken_for_toml() -> None:
    text = dedent(
        """
        note = '''
        [provisioning]
        id_scope = "trap"
        # [tpm]'''
        [agent]
        list = [ # ]
          ["a]"], { x = "}" },
        ]
        """
    )

    edited = edit(text, {HOSTNAME: "a", SCOPE: "0ne1"})

    expected = text.replace("[tpm]'''\n", "[tpm]'''\nhostname = \"a\"\n")
    assert edited == expected + '\n[provisioning]\nid_scope = "0ne1"\n'


def test_missing_final_newline_stays_missing() -> None:
    assert edit("[agent]\r\nx = 1", {TCTI: "a"}) == '[agent]\r\nx = 1\r\n\r\n[tpm]\r\ntcti = "a"'
    assert edit('x = 1\nhostname = "b"', {HOSTNAME: "a"}) == 'x = 1\nhostname = "a"'


def test_value_over_several_lines_is_replaced_whole() -> None:
    text = '[provisioning]\nid_scope = """\n0ne\n""" # here\nsource = "dps"\n'

    assert edit(text, {SCOPE: "0ne1"}) == '[provisioning]\nid_scope = "0ne1" # here\nsource = "dps"\n'


def test_key_below_an_empty_table_header() -> None:
    assert edit("[tpm]\n[agent]\n", {TCTI: "a"}) == '[tpm]\ntcti = "a"\n[agent]\n'


def test_removed_key_takes_its_line_along() -> None:
    text = '[tpm]\ntcti = "a"  # ours\nauth_key_index = 5\n'

    assert edit(text, {TCTI: None}) == "[tpm]\nauth_key_index = 5\n"
    assert edit('hostname = "a"\n# end', {HOSTNAME: None}) == "# end"


def test_table_emptied_by_us_goes_too_and_blank_lines_do_not_pile_up() -> None:
    once = edit(edit(WHOLE_TEXT, {TCTI: "device:/dev/tpmrm1"}), {TCTI: None})
    twice = edit(edit(once, {TCTI: "device:/dev/tpmrm1"}), {TCTI: None})

    assert once == WHOLE_TEXT + "\n"
    assert twice == once


def test_tables_emptied_by_us_go_together() -> None:
    text = '[tpm]\ntcti = "a"\n[tpm.hierarchy_authorization]\nowner = "b"\n'

    assert edit(text, {TCTI: None, OWNER: None}) == ""
    assert edit(text, {OWNER: None}) == '[tpm]\ntcti = "a"\n'
    assert edit('[tpm.hierarchy_authorization]\nowner = "b"\n', {OWNER: None}) == ""


@pytest.mark.parametrize(
    "text",
    [
        'x = 1\n# mine\n[tpm]\ntcti = "a"\n',
        '[tpm] # mine\ntcti = "a"\n',
        '[tpm]\n# mine\ntcti = "a"\n\n[agent]\n',
        '[tpm]\ntcti = "a"\n# mine\n\n# about the agent\n[agent]\n',
    ],
)
def test_emptied_table_with_a_comment_of_its_own_stays(text: str) -> None:
    assert edit(text, {TCTI: None}) == text.replace('tcti = "a"\n', "")


def test_emptied_table_goes_although_the_next_one_has_a_comment() -> None:
    assert edit('[tpm]\ntcti = "a"\n\n# mine\n[agent]\n', {TCTI: None}) == "\n# mine\n[agent]\n"


def test_payload_as_a_table_of_the_same_meaning_stays() -> None:
    text = '[provisioning]\nsource = "manual"\n[provisioning.payload]\nuri = "a"\n'

    assert edit(text, {SOURCE: "dps", PAYLOAD: {"uri": "a"}}) == text.replace("manual", "dps")


def test_foreign_values_that_equal_nothing_do_not_hinder_the_proof() -> None:
    assert edit("x = nan\n", {HOSTNAME: "a"}) == 'x = nan\nhostname = "a"\n'


def test_values_of_all_kinds_are_spelled() -> None:
    value: Value = {"text": "\x7fé\n", "truth": True, "count": -5, "odd name": {"inner": ""}}

    text = edit("", {("provisioning", "payload"): value})

    assert text.count("\n") == 2
    assert value_at(parse(text), PAYLOAD) == value


@pytest.mark.parametrize("spelled", ["", '"x"\nintruder = 1', '"another"'])
def test_edit_that_cannot_be_proven_gives_nothing(monkeypatch: pytest.MonkeyPatch, spelled: str) -> None:
    """Whatever the part that spells a value does wrong, the proof sees it."""
    monkeypatch.setattr(config_splice, "spelled", lambda _: spelled)

    code, facts = refusal("[agent]\n", {HOSTNAME: "x", TCTI: None})

    assert (code, facts["keys"]) == ("config.edit-not-proven", "hostname")


def test_edit_that_loses_a_line_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "replaced", lambda *_: 'hostname = "x"\n')

    assert refusal("# mine\n", {HOSTNAME: "x"})[0] == "config.edit-not-proven"
