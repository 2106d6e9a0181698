"""What is made of the identity service's answer, whoever answers in its place."""

import json

import pytest

from agent.edge import identity_service
from agent.edge.identity_service import AnswerKind, DeviceAnswer
from agent.host.network import Answer
from agent.host.root import Root


def _made_of(body: bytes, monkeypatch: pytest.MonkeyPatch) -> DeviceAnswer:
    monkeypatch.setattr(identity_service, "ask_unix", lambda *_, **__: Answer(200, body))
    return identity_service.ask_device(Root())


def _spec(hub: object, device_id: object) -> bytes:
    return json.dumps({"type": "aziot", "spec": {"hubName": hub, "deviceId": device_id}}).encode()


@pytest.mark.parametrize("device_id", ["dev-tpm-1", "d" * 128, "line(4):%41=@$,*?!._'"])
def test_a_device_and_its_hub_are_named(device_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _made_of(_spec("hub.test:8443", device_id), monkeypatch)

    assert found == DeviceAnswer(AnswerKind.DEVICE, "hub.test:8443", device_id)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b'{"spec":' * 100_000,
        b'{"spec":' + b"9" * 100_000 + b"}",
        b"[1]",
        b"null",
        b"{}",
        b'{"spec":{"hubName":"\xff","deviceId":"x"}}',
        _spec("hub.test", "d" * 129),
        _spec("h" * 900_000, "dev-tpm-1"),
        _spec(["hub.test"], {"dev": 1}),
        _spec("hub.test", "\ud800"),
        _spec("hub.test", "dev\x1b[2J"),
        _spec("hub.test", "dev\n"),
        _spec("", ""),
    ],
    ids=range(14),
)
def test_what_can_be_no_device_is_no_answer(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """As aziotid after a break-in could send it: a look goes on, and nothing of it is kept or shown."""
    assert _made_of(body, monkeypatch) == DeviceAnswer(AnswerKind.NO_ANSWER)
