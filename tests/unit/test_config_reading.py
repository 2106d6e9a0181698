"""config.toml is read: what is refused and where, what a key means, where it stands, what a diff shows."""

import textwrap
from collections.abc import Mapping

import pytest

from agent.codes import AgentError
from agent.edge.config_diff import unified_diff
from agent.edge.config_schema import misplaced
from agent.edge.config_text import (
    KeyPath,
    Value,
    differences,
    edit,
    line_of,
    parse,
    read,
    value_at,
)

HOSTNAME = ("hostname",)
SOURCE = ("provisioning", "source")
SCOPE = ("provisioning", "id_scope")
PAYLOAD = ("provisioning", "payload")
METHOD = ("provisioning", "attestation", "method")
TCTI = ("tpm", "tcti")
OWNER = ("tpm", "hierarchy_authorization", "owner")


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def refusal(text: str, intended: Mapping[KeyPath, Value | None]) -> tuple[str, dict[str, str]]:
    with pytest.raises(AgentError) as caught:
        edit(text, intended)
    return caught.value.finding.code.name, dict(caught.value.finding.facts)


@pytest.mark.parametrize(
    ("text", "line", "table", "what"),
    [
        ('provisioning = { source = "dps" }', 1, "provisioning", "inline table"),
        ('x = 1\nprovisioning.source = "dps"', 2, "provisioning", "dotted keys"),
        ('[provisioning]\nattestation.method = "x"', 2, "provisioning.attestation", "dotted keys"),
        ('[provisioning]\nattestation = { method = "x" }', 2, "provisioning.attestation", "inline table"),
        ('[[provisioning]]\nsource = "dps"', 1, "provisioning", "array of tables"),
        ('[provisioning.attestation]\nmethod = "x"\n[provisioning]', 3, "provisioning", "sub-table"),
        (
            "[provisioning]\n[agent]\n[provisioning.attestation]",
            3,
            "provisioning.attestation",
            "other tables",
        ),
        ('[provisioning]\n[provisioning.id_scope]\nx = ""', 2, "provisioning.id_scope", "one key"),
        ('[provisioning]\nid_scope.x = ""', 2, "provisioning.id_scope", "one key"),
        ('provisioning = "dps"', 1, "provisioning", "inline table"),
    ],
)
def test_tables_of_ours_in_an_odd_shape_are_refused(text: str, line: int, table: str, what: str) -> None:
    code, facts = refusal(text, {SCOPE: "0ne1", METHOD: "tpm"})

    assert (code, facts["line"], facts["table"]) == ("config.shape-refused", str(line), table)
    assert what in facts["what"]


def test_payload_as_a_table_of_another_meaning_is_refused() -> None:
    code, facts = refusal('[provisioning.payload]\nuri = "a"', {PAYLOAD: {"uri": "b"}})

    assert (code, facts["line"], facts["table"]) == ("config.shape-refused", "1", "provisioning.payload")


def test_odd_shapes_of_others_are_kept() -> None:
    text = dedent(
        """
        agent = { name = "x", config.image = "y" }
        edge_ca.cert = "z"
        tpm.tcti = "device"
        [[listen]]
        a.b = 1
        [provisioning]
        own.x = 1
        source = "manual"
        [[provisioning.own.list]]
        """
    )

    assert edit(text, {SOURCE: "dps", TCTI: "device"}) == text.replace("manual", "dps")


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ('a = 1\r\nb = "x', "2", "7", "Unterminated string"),
        ("a = " + "1" * 5000, "?", "?", "Exceeds the limit"),
        ("a = " + "[" * 50_000, "?", "?", "recursion"),
        ("a = { b = c, d = " + "[" * 3_000, "1", "11", "Invalid value"),
    ],
)
def test_invalid_toml_is_named_with_its_place(text: str, line: str, column: str, reason: str) -> None:
    code, facts = refusal(text, {SCOPE: "0ne1"})

    assert (code, facts["line"], facts["column"]) == ("config.invalid-toml", line, column)
    assert reason.lower() in facts["reason"].lower()


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (b"\xef\xbb\xbfa = 1", "1", "byte order mark"),
        (b"a = 1\r\n# caf\xe9\n", "2", "0xe9"),
        (b"# \xed\xa0\x80", "1", "0xed"),
    ],
)
def test_bytes_that_are_not_utf8_are_named_with_their_line(text: bytes, line: str, what: str) -> None:
    with pytest.raises(AgentError) as caught:
        read(text)

    facts = dict(caught.value.finding.facts)
    assert (caught.value.finding.code.name, facts["line"]) == ("config.not-utf8", line)
    assert what in facts["what"]


def test_bytes_keep_their_line_ends() -> None:
    assert read("é = 1\r\n".encode()) == "é = 1\r\n"


def test_value_at_is_none_where_there_is_no_such_key() -> None:
    document = parse("[[a]]\nb = 1\n[c]\nd = 2")

    assert value_at(document, ("c", "d")) == 2
    assert value_at(document, ("a", "b")) is None
    assert value_at(document, ("c", "e")) is None
    assert value_at(document, ()) == document


def test_line_of_a_key_a_table_or_the_value_that_holds_it() -> None:
    text = '# x\nagent = { name = "x" }\n[provisioning.attestation]\nmethod = "tpm"\n'

    assert line_of(text, ("agent", "name")) == 2
    assert line_of(text, ("provisioning",)) == 3
    assert line_of(text, METHOD) == 4
    assert line_of(text, SCOPE) is None


def test_top_level_keys_below_a_table_are_misplaced() -> None:
    text = dedent(
        """
        hostname = "a"
        [provisioning]
        auto_reprovisioning_mode = "Dynamic"
        attestation.hostname = "b"
        [agent.env]
        hostname = "c"
        """
    )

    assert [(one.key, one.line) for one in misplaced(text)] == [
        ("provisioning.auto_reprovisioning_mode", 3),
        ("provisioning.attestation.hostname", 4),
    ]


@pytest.mark.parametrize(
    ("text", "home"),
    [
        ("[provisioning]\nregistration_id = 'x'", "`registration_id` under `[provisioning.attestation]`"),
        ("[agent]\nhostname = 'x'", "`hostname` at the top of the file, above the first [table]"),
        (
            "[edge_ca]\ncloud_timeout_sec = 70",
            "`cloud_timeout_sec` at the top of the file, above the first [table]",
        ),
        ("tcti = 'device'", "`tcti` under `[tpm]`"),
        ("device_id = 'd'", "`device_id` under `[provisioning]`"),
        ("cleanup_time = '00:00'", "`cleanup_time` under `[image_garbage_collection]`"),
        ("dynamic_reprovisioning = true", "`auto_reprovisioning_mode` at the top of the file"),
        ("[certificates]\ndevice_ca_pk = 'x'", "`pk` under `[edge_ca]`"),
    ],
)
def test_a_key_without_effect_is_told_where_it_would_have_one(text: str, home: str) -> None:
    (one,) = misplaced(text)

    assert one.home == home


@pytest.mark.parametrize(
    "text",
    [
        "[agent.env]\nhostname = 'x'\nid_scope = 'x'", "[agent.config.createOptions]\nhostname = 'x'",
        "[provisioning.payload]\nregistration_id = 'x'", "[preloaded_keys]\ntcti = 'file:///x'",
        "[cert_issuance.est.urls]\nhostname = 'x'", "[provisioning]\nattestation = { registration_id = 'x' }",
        "[site]\nowner = 'x'", "[edge_ca.subject]\nowner = 'x'", "[unknown]\nname = 'x'",
        "[tpm]\ntcti = 'device'", "hostname = 'x'",
    ],
)  # fmt: skip
def test_names_of_the_users_own_and_keys_in_their_place_are_no_alarm(text: str) -> None:
    assert misplaced(text) == ()


@pytest.mark.parametrize(("written", "meant"), [("1", True), ("true", 1), ("1.0", 1), ('"1"', 1), ("[1]", 1)])
def test_equal_means_the_same_type_too(written: str, meant: Value) -> None:
    assert differences(parse(f"hostname = {written}"), {HOSTNAME: meant}) == (HOSTNAME,)


def test_mapping_differs_in_its_names_and_values() -> None:
    document = parse('[provisioning]\npayload = { uri = "a" }')

    assert differences(document, {PAYLOAD: {"uri": "a"}}) == ()
    assert differences(document, {PAYLOAD: {"uri": "b"}}) == (PAYLOAD,)
    assert differences(document, {PAYLOAD: {"uri": "a", "x": 1}}) == (PAYLOAD,)
    assert differences(document, {SOURCE: {"uri": "a"}}) == (SOURCE,)


def test_diff_is_empty_where_nothing_changes() -> None:
    assert unified_diff("a = 1\n", "a = 1\n", "config.toml", ()) == ""


def test_diff_shows_a_file_without_final_newline_as_diff_does() -> None:
    assert unified_diff("a = 1", "a = 2\n", "config.toml", ()) == dedent(
        """
        --- config.toml
        +++ config.toml
        @@ -1 +1 @@
        -a = 1
        \\ No newline at end of file
        +a = 2
        """
    )


def test_diff_shows_that_a_secret_changed_and_not_what_it_is() -> None:
    before = '[tpm.hierarchy_authorization]\nowner = "old" # mine\n'

    diff = unified_diff(before, edit(before, {OWNER: "new"}), "config.toml", [OWNER[:2]])

    assert diff.splitlines()[3:] == [
        " [tpm.hierarchy_authorization]",
        '-owner = "********" # mine',
        '+owner = "********" # mine',
    ]


@pytest.mark.parametrize(
    "text",
    [
        'tpm = { hierarchy_authorization = { owner = "hush" } }\n',
        'tpm.hierarchy_authorization.owner = "hush"\n',
        '[tpm]\nhierarchy_authorization.endorsement = """\nhush\n"""\n',
        '[[tpm.hierarchy_authorization]]\nowner = "hush"\n',
    ],
)
def test_diff_stars_a_secret_in_every_shape(text: str) -> None:
    diff = unified_diff(text, "", "config.toml", [OWNER[:2]])

    assert "hush" not in diff
    assert '"********"' in diff
