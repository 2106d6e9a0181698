"""What counts as a value that nobody filled in, and what is a name that people give."""

import pytest

from agent.settings.placeholders import is_placeholder

_STRING = "HostName={};DeviceId={};SharedAccessKey=bXkgc2VjcmV0IGtleSBvZiB0aGlydHkgdHdvIGJ5dGVzIQ=="


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "0ab1234C5D6", "my-device", "SCOPE_ID_HERE", "SCOPE_HERE", "id-scope-here",
        "<DPS_ID_SCOPE>",
        "REPLACE_WITH_ID_SCOPE", "REPLACE-ME", "replaceme", "INSERT_ID_SCOPE", "ENTER_YOUR_SCOPE",
        "fill-in", "FILL_ME",
        "your-hub", "{id_scope}", "{{ id_scope }}", "${ID_SCOPE}", "$env:IDSCOPE", "$(scope)",
        "$ID_SCOPE", "%ID_SCOPE%",
        "https://%DPS%/", "__ID_SCOPE__", "@@ID_SCOPE@@", "[Scope ID]", "0neXXXXXXXX",
        "0ne00XXXXXX", "changeme",
        "<ADD DEVICE CONNECTION STRING HERE>", _STRING.format("<hub>", "edge-1"),
        _STRING.format("hub.test", "<device>"),
        _STRING.format("your-hub.azure-devices.net", "edge-1"),
        "HostName=hub.test;DeviceId=edge-1;SharedAccessKey=your-key",
    ],
)  # fmt: skip
def test_what_a_template_left_is_a_placeholder(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "fill-station-3", "insert-machine-7", "replace-3", "enter-north", "gate-here",
        "line-4-here", "0ne00112233",
        "fill-instead", "https://global.azure-devices-provisioning.net/",
        "pkcs11:token=M%c3%bcller%20x?pin-value=1234",
        _STRING.format("hub.test", "fill-line-2"), _STRING.format("hub.test", "insert-your-coin"),
        _STRING.format("hub.test", "replace-me"),
    ],
)  # fmt: skip
def test_a_name_that_people_give_is_none(text: str) -> None:
    assert not is_placeholder(text)


@pytest.mark.parametrize("value", [None, 3, True, ["<x>"]])
def test_what_is_no_text_stands_for_nothing(value: object) -> None:
    assert not is_placeholder(value)
