"""What each kind of setting takes and refuses, and how values are written back as TOML."""

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings import kinds
from agent.settings.kinds import Kind, Refused
from agent.settings.table import OnManualEdit

TAKEN: list[tuple[Kind[object], list[object]]] = [
    (kinds.TEXT, ["", "x"]),
    (kinds.SECONDS, [1, 0.2, 30 * 86400]),
    (kinds.seconds_up_to(900), [0.2, 900, 900.0]),
    (kinds.COUNT, [1, 1000]),
    (kinds.PATH, ["/", "/usr/bin/iotedge", "/with space"]),
    (kinds.PATH_OR_NONE, ["", "/a"]),
    (
        kinds.URL,
        ["https://global.azure-devices-provisioning.net", "http://127.0.0.1:8080/", "https://[::1]:1/a", "HTTPS://x"],
    ),
    (kinds.URL_OR_NONE, ["", "https://est.example:8443/.well-known/est"]),
    (kinds.ID_SCOPE, ["", "0ne00112233", "0cn0000ABCD"]),
    (
        kinds.REGISTRATION_ID,
        [
            "auto", "ek-sha256", "ek-base32", "line4", "a", "-", "a.b_c:d-e", "a" * 128,
            "{hostname}", "line4-{machine_id}", "{serial}.{hostname}", "a" * 127 + "{serial}",
        ],
    ),
    (
        kinds.DEVICE,
        [
            "auto", "/dev/tpm0", "/dev/tpmrm12", "ek:000b", "ek:" + "0aF9" * 17,
            "swtpm:host=127.0.0.1,port=2321", "device:/dev/tpmrm0", "tabrmd:bus_name=com.intel.tss2.Tabrmd",
            "libtss2-tcti-mssim.so.0:host=x",
        ],
    ),
    (kinds.HOSTNAME, ["pin", "follow", "line4", "Edge-7.plant.example", "a" * 63, "192.168.1.7"]),
    (kinds.RENEWAL, ["1%", "80%", "99%", "90min", "10day"]),
    (kinds.choice(OnManualEdit), ["hold", "restore"]),
]  # fmt: skip
REFUSED: list[tuple[Kind[object], list[object]]] = [
    (kinds.TEXT, [1, True, None, [], {}]),
    (kinds.TEXTS, ["x", ["x", 1], {}]),
    (kinds.SECONDS, [0, -1, -0.1, True, "1", math.nan, math.inf, 30 * 86400 + 1]),
    (kinds.seconds_up_to(900), [0, 900.5, 901, "900"]),
    (kinds.COUNT, [0, -1, 1.0, True, "1"]),
    (kinds.PATH, ["", "iotedge", "./x", "/a\nb", 1]),
    (kinds.PATH_OR_NONE, ["a"]),
    (
        kinds.URL,
        [
            "", "global.azure-devices-provisioning.net", "ftp://x", "https://", "https:///x",
            "https://<host>/x y", "https://user:word@x", "https://user@x", "https://x?a=b", "https://x#a", "https://x:port",
            "https://x:0", "https://x:65536", "https://[::1", "https://\u00fc.example", "https://x\n", 1,
        ],
    ),
    (kinds.URL_OR_NONE, ["x", 1]),
    (kinds.ID_SCOPE, ["<your id scope>", "0ne 00112233", "0ne-1", "{id}", "\u0660", 12]),
    (
        kinds.REGISTRATION_ID,
        [
            "", "Line4", "line 4", "a" * 129, "line4.", "line4_", "line4:", "{serail}", "{}",
            "{hostname", "hostname}", "{{hostname}}", "{hostname}.", "a" * 128 + "{serial}", "\u00fc", 4,
        ],
    ),
    (
        kinds.DEVICE,
        [
            "", "tpm0", "/dev/tpm", "/dev/tty0", "/dev/tpmrm0 ", "ek:", "ek:xyz", "ek:" + "0" * 69, "swtpm",
            "swtpm:host=a b", ":x", "/dev/tpm\u0661", 0,
        ],
    ),
    (kinds.HOSTNAME, ["", "-a", "a-", "a..b", "a_b", "a" * 64, ".".join(["a" * 63] * 4), "a\n", 7]),
    (kinds.RENEWAL, ["", "0%", "100%", "80 %", "10days", "4h", "1.5day", "\u0661%", 80]),
    (kinds.choice(OnManualEdit), ["", "Hold", "keep", True]),
    (kinds.JSON_OBJECT, ["{}", [], {"a": math.nan}, {"a": [{"b": math.inf}]}, {"a": None}]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in TAKEN for value in values])
def test_taken(kind: Kind[object], value: object) -> None:
    assert kind.parse(value) == value


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in REFUSED for value in values])
def test_refused(kind: Kind[object], value: object) -> None:
    with pytest.raises(Refused):
        kind.parse(value)


def test_an_array_becomes_a_tuple() -> None:
    assert kinds.TEXTS.parse(["a", "b"]) == ("a", "b")


def test_a_choice_becomes_its_member() -> None:
    assert kinds.choice(OnManualEdit).parse("restore") is OnManualEdit.RESTORE


def test_a_payload_is_any_json_object() -> None:
    payload = {"modelId": "dtmi:com:example:Line;1", "n": [1, 2.5, True, {"x": {}}]}

    assert kinds.JSON_OBJECT.parse(payload) == payload


def test_an_unknown_placeholder_is_named() -> None:
    with pytest.raises(Refused) as caught:
        kinds.REGISTRATION_ID.parse("{hostname}-{serail}")
    assert caught.value.detail == "no such placeholder: {serail}"


JSON_LIKE = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(value=JSON_LIKE)
def test_a_value_written_as_toml_reads_back_the_same(value: object) -> None:
    assert tomllib.loads(f"x = {kinds.toml_value(value)}") == {"x": value}


def test_none_is_written_as_an_empty_table() -> None:
    assert kinds.toml_value(None) == kinds.toml_value({}) == "{}"


@given(key=st.text())
def test_a_key_written_as_toml_reads_back_the_same(key: str) -> None:
    written = kinds.toml_key(key)

    assert tomllib.loads(f"{written} = 1") == {key: 1}
