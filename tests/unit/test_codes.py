"""Every row of the registry can be shown: named after its family, unmistakable, and in words for a person."""

import re
from types import SimpleNamespace

import pytest

from agent.codes import AgentError, Code, ExitCode, Phase, Severity, catalogue

FAMILIES = catalogue.families()
ROWS = [pytest.param(family, row, id=row.name) for family, rows in FAMILIES.items() for row in rows]
TEXTS = ("summary", "explanation", "remedy")


def a_code(name: str = "family.name", phase: Phase = Phase.WAITING) -> Code:
    return Code(name, phase, Severity.NOTICE, "{what} happened", "{why}.", "do {what}.")


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_a_name_is_its_module_and_kebab_case(family: str, row: Code) -> None:
    assert re.fullmatch(rf"{family.replace('_', '-')}\.[a-z0-9]+(-[a-z0-9]+)*", row.name)


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_the_texts_are_ascii_and_not_empty(family: str, row: Code) -> None:
    for name in TEXTS:
        text = getattr(row, name)
        assert text.strip() == text
        assert text
        assert text.isascii()


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_a_summary_is_one_line_that_fits_a_status_display(family: str, row: Code) -> None:
    assert "\n" not in row.summary
    assert len(row.summary) <= 120
    assert not row.summary.endswith(".")


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_explanations_and_remedies_are_sentences(family: str, row: Code) -> None:
    assert row.explanation.endswith((".", "}"))  # a fact may be a list of problems
    assert row.remedy.endswith(".")


_FIRST = r"[A-Z{`]"  # a fact or a name of the machine's own may stand first
_TO_TYPE = re.compile(
    r"\b(?:edge-provisioner (?:\w+|--)|iotedge (?:config|system)|systemctl|journalctl|timedatectl|apt-get"
    r"|dmesg|sudo|tpm2_\w+|udevadm|findmnt|namei|df -|ls -|mv |rm |cp )"
    r"|(?<![\w/.])/(?:etc|var|run|usr|dev|root)\b"
)


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_the_rows_speak_with_one_voice(family: str, row: Code) -> None:
    for name in TEXTS:
        text = getattr(row, name)
        assert re.match(_FIRST, text)
        assert not re.search(r"(?<!\w)'", text), (
            "quotes are double, and what a person types stands in backticks"
        )
        assert not re.search(r"\b(?:cannot|\w+(?<!ca)n't|please|this agent)\b", text, re.IGNORECASE)


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_what_a_person_types_stands_in_backticks_without_a_full_stop(family: str, row: Code) -> None:
    parts = row.remedy.split("`")

    assert len(parts) % 2, "a backtick without its partner"
    assert not _TO_TYPE.search("|".join(parts[::2]))
    assert not [typed for typed in parts[1::2] if typed.endswith(".")]


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_a_code_leaves_time_to_look(family: str, row: Code) -> None:
    """A code that shows late is told later; what is left must be enough for a look now and then."""
    assert row.shows_after_s >= 0
    assert row.slack_s == row.visible_within_s - row.shows_after_s >= 30


def test_message_ids_are_128_bits_and_unique() -> None:
    ids = {row.message_id for row in catalogue.all_codes()}

    assert len(ids) == len(catalogue.all_codes())
    assert all(re.fullmatch("[0-9a-f]{32}", message_id) for message_id in ids)


def test_a_message_id_never_changes() -> None:
    """Journal catalogs and people's filters hold on to these; this one was computed by sha256sum(1)."""
    known = "4d8a8410f368d88c1ce6bec23440e585"

    assert {row.name: row.message_id for row in catalogue.all_codes()}["settings.missing"] == known


@pytest.mark.parametrize("name", ["runtime.no-such", "no-such.code", "registry.code", "catalogue", "", ".."])
def test_a_name_that_no_row_has_is_a_key_error(name: str) -> None:
    """A status or a command line may have anything there, a code of a later version for one."""
    with pytest.raises(KeyError):
        catalogue.by_name(name)


def test_the_catalogue_is_sorted_and_holds_every_family() -> None:
    names = [row.name for row in catalogue.all_codes()]

    assert names == sorted(names)
    assert "settings.missing" in names
    assert "registry" not in FAMILIES


def test_two_rows_of_one_name_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "families", lambda: {"one": (a_code(),), "two": (a_code(),)})

    with pytest.raises(ValueError, match=r"family\.name"):
        catalogue.all_codes()


def test_only_rows_of_a_module_are_its_family(monkeypatch: pytest.MonkeyPatch) -> None:
    row = a_code()
    monkeypatch.setattr(catalogue, "import_module", lambda _: SimpleNamespace(ROW=row, LIMIT=3))

    assert set(catalogue.families().values()) == {(row,)}


def test_a_text_for_no_case_in_particular_names_its_facts() -> None:
    assert catalogue.without_facts("{what} {{x}}", a_code()) == "<what> {x}"


def test_a_finding_fills_its_facts_in() -> None:
    finding = a_code()(what="it", why="because", more=3)

    assert (finding.summary, finding.explanation, finding.remedy) == ("it happened", "because.", "do it.")
    assert finding == a_code()(more=3, why="because", what="it")


def test_a_missing_fact_is_named() -> None:
    with pytest.raises(TypeError, match=r"family\.name needs what, why"):
        a_code()()


@pytest.mark.parametrize(
    ("name", "phase", "status"),
    [
        ("tpm.absent", Phase.HELD, ExitCode.HELD),
        ("settings.bad", Phase.HELD, ExitCode.USAGE),
        ("settings.none", Phase.UNCONFIGURED, ExitCode.UNFINISHED),
        ("x.y", Phase.WAITING, ExitCode.UNFINISHED),
        ("x.y", Phase.PROVISIONING, ExitCode.UNFINISHED),
        ("x.y", Phase.DEGRADED, ExitCode.FAILED),
        ("x.y", Phase.PROVISIONED, ExitCode.DONE),
    ],
)
def test_exit_codes_follow_the_phase_and_bad_settings_are_usage(name: str, phase: Phase, status: int) -> None:
    assert a_code(name, phase).exit_code == status


def test_severities_have_the_priorities_of_syslog() -> None:
    assert [severity.priority for severity in Severity] == [6, 5, 4, 3]


def test_an_error_carries_its_finding_and_reads_as_its_summary() -> None:
    error = AgentError(a_code()(what="it", why="because"))

    assert str(error) == "family.name: it happened"
    assert error.finding.code == a_code()


def test_a_row_is_found_by_its_name() -> None:
    assert catalogue.by_name("settings.missing").phase is Phase.UNCONFIGURED
    with pytest.raises(KeyError):
        catalogue.by_name("settings.no-such")
