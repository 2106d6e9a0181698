"""Generated config.toml documents: valid ones with tables of ours and of others, and odd ones."""

from collections.abc import Mapping

from hypothesis import strategies as st

from agent.edge.config_text import KeyPath, Value

Intended = Mapping[KeyPath, Value | None]
Chunk = tuple[str, KeyPath | None]  # whole lines, and the key or table of ours that they hold

TOP: list[KeyPath] = [("auto_reprovisioning_mode",), ("hostname",)]
PROVISIONING: list[KeyPath] = [
    ("provisioning", name) for name in ("source", "global_endpoint", "id_scope", "payload")
]
ATTESTATION: list[KeyPath] = [("provisioning", "attestation", name) for name in ("method", "registration_id")]
TPM: list[KeyPath] = [("tpm", "tcti")]
AUTHORIZATION: list[KeyPath] = [("tpm", "hierarchy_authorization", name) for name in ("owner", "endorsement")]
OWN = [*TOP, *PROVISIONING, *ATTESTATION, *TPM, *AUTHORIZATION]

TEXTS = st.one_of(
    st.sampled_from(["dps", "a#b", 'q"q', "[tpm]", "x = 1", "\\", "'''", "é\n", "\x7f", ""]),
    st.text(max_size=8),
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    TEXTS, st.booleans(), st.integers(-5, 5), st.fixed_dictionaries({"uri": TEXTS})
)
INTENTIONS = st.dictionaries(st.sampled_from(OWN), st.one_of(st.none(), VALUES))

_OWN_SPELLINGS = st.sampled_from(
    [
        *('"dps"', "'dps'", '"a#b=c"', "'''x'''", "1", "true", "-0.0", "nan", '{ uri = "x" }', "{}"),
        '"""\nid_scope = "x"\n[tpm]\n# y"""',
        '[ 1, # ]\n  "]",\n]',
        "1979-05-27T07:32:00Z",
    ]
)
_FOREIGN_SPELLINGS = st.sampled_from(
    [
        *(
            '"x"',
            "nan",
            "-inf",
            "1_000",
            "0xff",
            "07:32:00",
            "[]",
            "{ a.b = 1, c = [{}] }",
            "'a = \"b\" # c'",
        ),
        '"""\n[provisioning]\nsource = "trap"\n\\\n  # [tpm]"""',
        "'''\n[tpm]\n'''",
        '[\n  [1, 2], # [tpm]\n\n  { a = "]" }\n]',
        '"""x"""""',
        "[ '''\n]\n''' ]",
    ]
)
_FOREIGN_NAMES = st.sampled_from(["f{}", "'f {}'", '"f#={}"', "f{}.a.b", "'f.{}' . \"c=\""])
REMARKS = st.sampled_from(
    ["\n", "\n", "  \t\n", "# x\n", "  # [provisioning]\n", '#id_scope = "x"\n', "## [[tpm]] \n", '# """\n']
)


@st.composite
def _key_lines(draw: st.DrawFn, name: str, values: st.SearchStrategy[str]) -> str:
    indent = draw(st.sampled_from(["", "", "  ", "\t"]))
    sign = draw(st.sampled_from([" = ", "=", "\t=  "]))
    tail = draw(st.sampled_from(["", "", "  ", "  # mine = 1", "\t#"]))
    return f"{indent}{name}{sign}{draw(values)}{tail}\n"


def _quoted(draw: st.DrawFn, name: str) -> str:
    return draw(st.sampled_from([name, name, f'"{name}"', f"'{name}'"]))


@st.composite
def _bodies(draw: st.DrawFn, own: list[KeyPath], mark: str) -> list[Chunk]:
    """The inside of a table: some keys of ours, some of others, remarks between them."""
    present = draw(st.lists(st.sampled_from(own), unique=True)) if own else []
    chunks: list[Chunk] = [
        (draw(_key_lines(_quoted(draw, path[-1]), _OWN_SPELLINGS)), path) for path in present
    ]
    for number in range(draw(st.integers(0, 2))):
        name = draw(_FOREIGN_NAMES).format(f"{mark}{number}")
        chunks.insert(draw(st.integers(0, len(chunks))), (draw(_key_lines(name, _FOREIGN_SPELLINGS)), None))
    for remark in draw(st.lists(REMARKS, max_size=3)):
        chunks.insert(draw(st.integers(0, len(chunks))), (remark, None))
    return chunks


@st.composite
def _tables(draw: st.DrawFn, table: KeyPath, own: list[KeyPath], mark: str) -> list[Chunk]:
    header = ".".join(_quoted(draw, name) for name in table)
    tail = draw(st.sampled_from(["", "", "  # mine"]))
    return [(f"[ {header} ]{tail}\n", table if own else None), *draw(_bodies(own, mark))]


@st.composite
def _families(draw: st.DrawFn, members: Mapping[KeyPath, list[KeyPath]]) -> list[Chunk]:
    """The tables of one top-level name, parents first, some of them absent."""
    present = [table for table in members if draw(st.booleans())]
    return [chunk for table in present for chunk in draw(_tables(table, members[table], table[-1][:2]))]


@st.composite
def _foreign_tables(draw: st.DrawFn, number: int) -> list[Chunk]:
    header = draw(st.sampled_from(["[t{}]", "[t{}.'a b'.c]", "[[t{}]]", "[agent.t{}]"])).format(number)
    return [(f"{header}\n", None), *draw(_bodies([], f"t{number}"))]


@st.composite
def _documents(draw: st.DrawFn) -> list[Chunk]:
    """A valid document in which keys of ours, if any, stand in plain tables."""
    provisioning = {
        ("provisioning",): PROVISIONING,
        ("provisioning", "own"): [],
        ("provisioning", "attestation"): ATTESTATION,
    }
    tpm = {("tpm",): TPM, ("tpm", "hierarchy_authorization"): AUTHORIZATION}
    foreign = [draw(_foreign_tables(number)) for number in range(draw(st.integers(0, 3)))]
    sections = draw(st.permutations([draw(_families(provisioning)), draw(_families(tpm)), *foreign]))
    return [chunk for section in [draw(_bodies(TOP, "top")), *sections] for chunk in section]


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[Chunk]]:
    """A document's text with its line ends and with or without the last of them, and its chunks."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    chunks = [(chunk.replace("\n", end), own) for chunk, own in draw(_documents())]
    text = "".join(chunk for chunk, _ in chunks)
    bare = text.removesuffix(end)
    is_last_line_blank = bare == "" or bare.endswith(end)
    return (text if is_last_line_blank or draw(st.booleans()) else bare), chunks


_ODD = """
[provisioning]
[provisioning.attestation]
[provisioning.attestation.x]
[provisioning.payload]
[provisioning.source]
[[provisioning]]
[tpm]
[tpm.hierarchy_authorization]
[[tpm.hierarchy_authorization]]
[agent]
[[agent.x]]
[hostname]
provisioning = { source = 'x' }
provisioning.source = 'x'
attestation = { method = 'x' }
attestation.method = 'x'
payload.uri = 'x'
tpm.tcti = 'x'
tpm = 1
hostname.x = 1
hostname = 'x'
source = 'x'
owner = 'x'
# x
x = '''
'''
x = [
]
"a
= 1
"""
FRAGMENTS = st.lists(st.sampled_from(_ODD.splitlines()), max_size=7).map("\n".join)
