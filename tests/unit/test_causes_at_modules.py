"""Why edgeAgent does not run: what engine and watchdog said on runtime 1.6, and the code for it."""

from typing import Any

import pytest

from agent.codes import Code, Finding, modules
from agent.edge.causes_at_modules import fault, needs_a_word, progress
from agent.edge.container import ABSENT, Container
from agent.edge.evidence import EDGED
from agent.edge.identity_service import DeviceAnswer
from tests.unit.edge_agent import (
    CREATE,
    IMAGE,
    MADE,
    PULL,
    PULLS,
    RUNS,
    START,
    STARTED,
    WALL_S,
    device,
    ended,
    exited,
    failed,
    refused,
    rounds,
    running,
)
from tests.unit.witnesses import NOW_S, unit

_GET = f'HTTP 500 Internal Server Error: Get "https://{IMAGE}/v2/":'
_HEAD = f'HTTP 500 Internal Server Error: Head "https://{IMAGE}/v2/agent/manifests/1.6":'
_HUB = "Failed to update $edgeAgent identity: Hub client error"
AGAIN = (*ended(), *STARTED)


def _code(found: Finding | None) -> Code | None:
    return found.code if found else None


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (
            f"{_GET} dial tcp: lookup mcr.test on [::1]:53: read: connection refused",
            modules.REGISTRY_UNREACHABLE,
        ),
        (f"{_GET} net/http: request canceled (Client.Timeout exceeded)", modules.REGISTRY_UNREACHABLE),
        ("deadline has elapsed", modules.REGISTRY_UNREACHABLE),
        (f"{_HEAD} no basic auth credentials", modules.UNAUTHORISED),
        (f"{_HEAD} unauthorized: authentication required, visit https://x.test", modules.UNAUTHORISED),
        ("HTTP 500 Internal Server Error: unauthorized", modules.UNAUTHORISED),
        ("HTTP 500 Internal Server Error: denied", modules.UNAUTHORISED),
        (f"HTTP 404 Not Found: pull access denied for {IMAGE}, may not exist", modules.UNAUTHORISED),
        (f"HTTP 404 Not Found: manifest for {IMAGE} not found: manifest unknown", modules.NO_IMAGE),
        ("HTTP 500 Internal Server Error: manifest unknown", modules.NO_IMAGE),
        ("HTTP 404 Not Found: name unknown", modules.NO_IMAGE),
        (
            'HTTP 500 Internal Server Error: {"message":"no matching manifest for linux/amd64 in the list"}',
            modules.WRONG_ARCHITECTURE,
        ),
        (
            "HTTP 500 Internal Server Error: toomanyrequests: You have reached your limit.",
            modules.PULL_FAILED,
        ),
        ("HTTP 500 Internal Server Error: mkdir /x: permission denied", modules.PULL_FAILED),
        ("HTTP 500 Internal Server Error: write /x: no space left on device", modules.PULL_FAILED),
    ],
)
def test_a_pull_that_fails_is_told_by_the_engines_words(words: str, wanted: Code) -> None:
    found = fault(device(None, (*PULLS, *refused(PULL, words))))

    assert _code(found) is wanted
    assert found is not None
    facts = dict(found.facts)
    assert facts.get("image", IMAGE) == IMAGE
    assert "HTTP" not in facts.get("reason", "")
    assert "{" not in facts.get("reason", "")


def test_an_image_that_is_not_there_and_not_to_be_fetched() -> None:
    words = f"HTTP 404 Not Found: No such image: {IMAGE}"

    assert fault(device(None, refused(CREATE, words))) == modules.NOT_PRELOADED(image=IMAGE)


@pytest.mark.parametrize(
    ("failure", "words", "wanted"),
    [
        (CREATE, "HTTP 400 Bad Request: invalid mode: rwx", modules.NOT_CREATED(reason="invalid mode: rwx")),
        (START, "HTTP 500 Internal Server Error: port taken", modules.NOT_STARTED(reason="port taken")),
        (
            START,
            "HTTP 500 Internal Server Error: exec format error",
            modules.WRONG_ARCHITECTURE(image=f"{IMAGE}.2", reason="exec format error"),
        ),
    ],
)
def test_a_container_that_is_refused(failure: str, words: str, wanted: Finding) -> None:
    assert fault(device(exited(state="created", finished_s=0.0), refused(failure, words))) == wanted


def test_a_failure_without_the_engines_words_is_told_by_its_own() -> None:
    assert fault(device(None, failed("Failed to remove Edge runtime: x: remove"))) == modules.NOT_STARTED(
        reason="remove"
    )
    assert fault(device(None, failed("gone"))) == modules.NOT_STARTED(reason="gone")


def test_an_identity_that_the_hub_does_not_give() -> None:
    lines = (
        *failed(_HUB),
        "caused by: client error (Connect)",
        "caused by: Connection refused (os error 111)",
    )

    assert fault(device(None, lines)) == modules.IDENTITY_REFUSED(reason="Connection refused (os error 111)")
    assert fault(device(None, failed(_HUB))) == modules.IDENTITY_REFUSED(reason="Hub client error")


def test_the_image_is_unknown_where_nobody_named_it() -> None:
    found = fault(device(None, refused(CREATE, "No such image")))

    assert found == modules.NOT_PRELOADED(image="the one under `[agent.config]` in config.toml")


# What is no fault


@pytest.mark.parametrize(
    ("container", "changes"),
    [
        (running(), {}),
        (Container(), {}),
        (exited(), {"answer": DeviceAnswer()}),
    ],
)
def test_where_it_runs_or_nobody_knows_nothing_is_told(container: Container, changes: dict[str, Any]) -> None:
    lines = refused(PULL, "denied")
    seen = device(container, lines, **changes)

    assert fault(seen) is None
    assert progress(seen) is None


@pytest.mark.parametrize("lines", [(PULLS,), (RUNS, ended()), ((*PULLS, *MADE),)])
def test_what_is_not_there_yet_is_progress(lines: tuple[tuple[str, ...], ...]) -> None:
    seen = device(None, *lines)

    assert fault(seen) is None
    assert _code(progress(seen)) is (modules.PULLING if lines == (PULLS,) else modules.STARTING)


@pytest.mark.parametrize("pulls_for_s", [10.0, 61.0, 80.0])
def test_a_pull_that_goes_on_after_one_that_failed_got_through(pulls_for_s: float) -> None:
    entries = rounds((*PULLS, *refused(PULL, "denied")), PULLS, last_s=NOW_S - pulls_for_s)
    seen = device(journal=entries)

    if pulls_for_s == 80:
        assert progress(seen) == modules.PULLING(image=IMAGE)
    else:
        assert _code(fault(seen)) is modules.UNAUTHORISED
        assert progress(seen) is None


def test_a_failure_that_was_overcome_is_history() -> None:
    seen = device(exited(finished_s=0.0, state="created"), refused(PULL, "denied"), (*PULLS, *MADE, *STARTED))

    assert fault(seen) is None


# A container that ends


def test_once_is_no_loop() -> None:
    once = device(exited(), RUNS, AGAIN)
    up_again = device(running(started_s=WALL_S - 20, finished_s=WALL_S - 30), RUNS, AGAIN)

    assert (fault(once), progress(once)) == (None, modules.STARTING())
    assert (fault(up_again), progress(up_again)) == (None, modules.RESTARTED(seconds=20))


def test_the_round_in_which_edged_starts_what_it_stopped_does_not_count() -> None:
    assert fault(device(exited(), AGAIN, AGAIN)) is None
    assert _code(fault(device(exited(), AGAIN, AGAIN, AGAIN))) is modules.CRASH_LOOP
    cut = rounds(AGAIN, AGAIN, begins=False)
    assert _code(fault(device(exited(), journal=cut))) is modules.CRASH_LOOP


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        (exited(), "exit status 1"),
        (exited(error="no entry"), "no entry"),
        (exited(last_words="Unhandled exception"), "Unhandled exception"),
        (exited(last_words="x", out_of_memory=True), "it was killed for want of memory"),
        (running(started_s=WALL_S - 5, finished_s=WALL_S - 30), "exit status 0"),
    ],
)
def test_a_loop_is_told_by_the_last_that_is_known(container: Container, reason: str) -> None:
    assert fault(device(container, RUNS, AGAIN, AGAIN)) == modules.CRASH_LOOP(reason=reason)


def test_a_loop_of_the_engines_own_making_counts_too() -> None:
    assert _code(fault(device(exited(state="restarting", restarts=4)))) is modules.CRASH_LOOP
    assert fault(device(running(restarts=4))) is None


def test_a_program_for_another_processor_ends_at_once() -> None:
    words = "exec /app/agent: exec format error"

    assert fault(device(exited(last_words=words), RUNS, AGAIN, AGAIN)) == modules.WRONG_ARCHITECTURE(
        image=f"{IMAGE}.2", reason=words
    )


def test_old_restarts_and_starts_that_failed_make_no_loop() -> None:
    old = rounds(RUNS, AGAIN, AGAIN, last_s=NOW_S - 280)
    refusals = (refused(START, "x"), (*ended(), *refused(START, "port taken")))

    assert fault(device(exited(), journal=old)) is None
    assert fault(device(exited(), AGAIN, AGAIN, *refusals)) == modules.NOT_STARTED(reason="port taken")


# A watchdog that does not look


@pytest.mark.parametrize(
    ("up_s", "looked_s", "wanted_s"), [(900, 301, 301), (900, 300, None), (100, 900, None), (400, None, 400)]
)
def test_a_watchdog_that_looks_no_more(up_s: float, looked_s: float | None, wanted_s: int | None) -> None:
    entries = () if looked_s is None else rounds(RUNS, last_s=NOW_S - looked_s)
    edged = {EDGED: unit(EDGED, active_since_s=NOW_S - up_s)}
    wanted = None if wanted_s is None else modules.NOT_RUNNING(state=ABSENT, seconds=wanted_s)

    assert fault(device(journal=entries, units=edged)) == wanted


def test_a_long_pull_is_not_neglect() -> None:
    assert progress(device(journal=rounds(PULLS, last_s=NOW_S - 3600))) == modules.PULLING(image=IMAGE)


# Whom to ask


@pytest.mark.parametrize(
    ("container", "wanted"),
    [
        (Container(), False),
        (Container(ABSENT), True),
        (exited(), True),
        (running(), False),
        (running(started_s=WALL_S - 10), False),
        (running(started_s=WALL_S - 10, finished_s=WALL_S - 20), True),
        (running(started_s=WALL_S - 121, finished_s=WALL_S - 130), False),
        (running(started_s=WALL_S - 10, restarts=1), True),
    ],
)
def test_the_journal_is_read_only_of_what_is_in_doubt(container: Container, wanted: bool) -> None:
    assert needs_a_word(container, WALL_S) is wanted
