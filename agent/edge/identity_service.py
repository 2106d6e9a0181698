"""The runtime's identity service: which device it says this is. Asked only while its unit already runs."""

import json
import re
from enum import StrEnum

from agent.host.network import ask_unix
from agent.host.root import Root
from agent.values import dataclass

_SOCKET = "/run/aziot/identityd.sock"
_DEVICE = "/identities/device?api-version=2020-09-01"
_TIMEOUT_S = 5.0
# What a hub and a device can be called, and somewhat more: printable ASCII, and not longer (IoT Hub has 128
# characters for a device, DNS 253 for a host, which may have a port). Whatever else comes is no answer.
_HUB, _DEVICE_ID = re.compile("[!-~]{1,260}"), re.compile("[!-~]{1,128}")
_OK, _BAD_REQUEST, _UNAUTHORISED = 200, 400, 401


class AnswerKind(StrEnum):
    """How the identity service answered; NO_ANSWER is what one gives that has not finished provisioning."""

    NOT_ASKED = "not-asked"
    DEVICE = "device"
    NO_DEVICE = "no-device"
    NO_ANSWER = "no-answer"
    REFUSED = "refused"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    """What the identity service said of the device: the hub and device id where there is one."""

    kind: AnswerKind = AnswerKind.NOT_ASKED
    hub: str = ""
    device_id: str = ""


def ask_device(root: Root, *, timeout_s: float = _TIMEOUT_S) -> DeviceAnswer:
    """Ask which device this is. It answers from memory: the cloud is not contacted."""
    try:
        answer = ask_unix(root.path(_SOCKET), "POST", _DEVICE, body={"type": "aziot"}, timeout_s=timeout_s)
    except OSError:
        return DeviceAnswer(AnswerKind.NOBODY)
    if answer is None:
        return DeviceAnswer(AnswerKind.NO_ANSWER)
    if answer.status != _OK:
        kinds = {_BAD_REQUEST: AnswerKind.NO_DEVICE, _UNAUTHORISED: AnswerKind.REFUSED}
        return DeviceAnswer(kinds.get(answer.status, AnswerKind.NO_ANSWER))
    return _device_of(answer.body)


def _device_of(body: bytes) -> DeviceAnswer:
    try:
        spec = json.loads(body)["spec"]
        hub, device_id = spec["hubName"], spec["deviceId"]
        named = _HUB.fullmatch(hub) and _DEVICE_ID.fullmatch(device_id)
    except (ValueError, KeyError, TypeError, RecursionError):
        named = None
    return DeviceAnswer(AnswerKind.DEVICE, hub, device_id) if named else DeviceAnswer(AnswerKind.NO_ANSWER)
