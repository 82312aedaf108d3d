"""YAML: positions, recovery, and input that means harm."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml import safe_dump

from cloison.base import Diagnostic
from cloison.resources.documents import Node
from cloison.sources import yaml


def read(text: str | bytes) -> tuple[list[object], list[Diagnostic]]:
    """Return the plain values and the diagnostics of a stream."""
    data = text.encode() if isinstance(text, str) else text
    found = list(yaml.documents(io.BytesIO(data), "x.yaml"))
    values = [one.plain() for one in found if isinstance(one, Node)]
    return values, [one for one in found if isinstance(one, Diagnostic)]


def only(text: str | bytes) -> Diagnostic:
    """Return the one diagnostic of a stream."""
    (diagnostic,) = read(text)[1]
    return diagnostic


def place(diagnostic: Diagnostic) -> tuple[int, int]:
    """Return line and column."""
    assert diagnostic.span is not None
    return diagnostic.span.line, diagnostic.span.column


def test_positions_of_keys_and_values() -> None:
    text = "# c\r\nspec:\r\n  ports: [80, {é: 1}]\r\n  text: |\r\n    a\r\n---\r\n- b: c\r\n"
    first, second = yaml.documents(io.BytesIO(text.encode()), "x.yaml")
    assert isinstance(first, Node)
    assert isinstance(second, Node)

    def four(root: Node, *path: str | int) -> tuple[int, int, int, int]:
        node = root.get(*path)
        assert node is not None
        return node.line, node.column, node.key_line, node.key_column

    assert four(first, "spec") == (3, 3, 2, 1)
    assert four(first, "spec", "ports", 0) == (3, 11, 3, 11)
    assert four(first, "spec", "ports", 1, "é") == (3, 19, 3, 16)
    assert four(first, "spec", "text") == (4, 9, 4, 3)
    assert four(second, 0, "b") == (7, 6, 7, 3)
    assert first.plain() == {"spec": {"ports": [80, {"é": 1}], "text": "a\n"}}


@pytest.mark.parametrize(
    "text", ["", "\n", "# only\n# comments\n", "---\n---\n", "---\nnull\n", "\ufeff"]
)
def test_nothing_is_silently_nothing(text: str) -> None:
    assert read(text) == ([], [])


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a:\n\t- b", 2, 1, "tab"),
        ("a:\n  b: 1\n\tc: 2\n", 3, 1, "tab"),
        ("a: @x", 1, 4, "cannot start with `@`"),
        ("a: b: c", 1, 5, "`:` where no key can stand"),
        ("a:\n  - b\n c: d\n", 3, 2, "indentation"),
        ("a: 'x\nb: 1\n", 3, 1, "not closed before the end"),
        ("a: [1, 2\nb: 1\n", 2, 2, "not closed"),
        ("a: 1\nb\nc: 1\n", 3, 1, "without its `:`"),
        ("a: *b\n", 1, 4, "no anchor"),
        ("a: &a [*a]\n", 1, 8, "inside its own anchor"),
        ("a: !foo b\n", 1, 4, "tag `!foo`"),
        ("a: !!python/object:os.system b\n", 1, 4, "tag `!!python/object:os.system`"),
        ("a: .inf\n", 1, 4, "not a finite number"),
        ("a: {[b]: c}\n", 1, 5, "cannot be a key"),
        ("a: {~: c}\n", 1, 5, "null cannot be a key"),
        ("a: b\x01c\n", 1, 5, "control character U+0001"),
        ("a: b\x00c\n", 1, 5, "control character U+0000"),
    ],
)
def test_broken_documents_say_what_and_where(text: str, line: int, column: int, words: str) -> None:
    diagnostic = only(text)
    assert words in diagnostic.message
    assert place(diagnostic) == (line, column)
    assert diagnostic.severity == "error"
    assert diagnostic.effect


@pytest.mark.parametrize(
    "broken",
    [
        "a: [1",
        "a: 'x",
        'a: "x',
        "a: b: c",
        "a:\n\t- b",
        "a: !foo b",
        "a: *b",
        "a: .inf",
        "? [a]\n: b",
        "a: \x01",
        "%YAML 9.9",
        "a: {{ .Values.x }}",
        "[" * 200,
        "- " * 200 + "x",
    ],
)
def test_reading_goes_on_at_the_next_document(broken: str) -> None:
    text = f"ok: 1\n---\n{broken}\n---\nok: 2\n---\nok: 3\n---\n{broken}\n--- # comment\nok: 4\n"
    values, diagnostics = read(text)
    assert values == [{"ok": n} for n in (1, 2, 3, 4)]
    assert diagnostics
    assert all(d.severity == "error" for d in diagnostics)
    start = only(f"{broken}\n---\nok: 1\n")
    if "Values" not in broken:
        assert place(diagnostics[0])[0] == place(start)[0] + 2


def test_bytes_that_are_no_utf8_cost_one_document() -> None:
    text = b"ok: 1\n---\na: b\nc: \xff\xfe\n---\n\xc3\xa9: 2\n---\nbad: \xc3"
    values, diagnostics = read(text)
    assert values == [{"ok": 1}, {"é": 2}]
    assert [place(d) for d in diagnostics] == [(4, 4), (8, 6)]
    assert "byte 0xff is not UTF-8" in diagnostics[0].message


def test_characters_across_chunk_borders() -> None:
    for shift in range(5):
        text = "x" * (65_533 + shift - 3) + "é😀"
        assert read(f"a: {text}\n")[0] == [{"a": text}]


def test_utf_16_is_yaml_too() -> None:
    assert read("a: é\n---\nb: 1\n".encode("utf-16"))[0] == [{"a": "é"}, {"b": 1}]
    assert only(b"\xff\xfea").code == "SRC003"


def test_byte_order_mark() -> None:
    assert read("\ufeffa: 1\n")[0] == [{"a": 1}]


@pytest.mark.parametrize(
    "line",
    ["  name: {{ .Values.name }}", "{{- if .Values.on }}", '{{ include "x" . | nindent 4 }}'],
)
def test_templates_are_named_as_such_and_once(line: str) -> None:
    text = f"kind: A\nmetadata:\n{line}\n  b: [\n---\n{line}\n"
    diagnostic = only(text)
    assert diagnostic.code == "SRC002"
    assert diagnostic.help is not None
    assert "helm template" in diagnostic.help
    assert place(diagnostic)[0] == 3


def test_template_text_in_quotes_is_text() -> None:
    assert read("a: '{{ $labels.x }}'\nb: |\n  {{ c }}\n")[1] == []


def test_duplicate_keys_tell_both_places_and_the_last_wins() -> None:
    values, (diagnostic,) = read("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert values == [{"a": 1, "b": {"c": 2}}]
    assert diagnostic.code == "SRC004"
    assert place(diagnostic) == (4, 3)
    assert "line 3, column 3" in diagnostic.message
    assert read("1: a\n'1': b\n")[1][0].code == "SRC004"


def test_aliases_keep_the_place_of_their_key() -> None:
    (root,) = yaml.documents(io.BytesIO(b"a: &x {b: 1}\nc: *x\n"), "x.yaml")
    assert isinstance(root, Node)
    node = root.get("c")
    assert node is not None
    assert (node.line, node.column, node.key_line, node.key_column) == (1, 4, 2, 1)
    assert root.get("a", "b") is root.get("c", "b")


def test_merge_keys() -> None:
    text = "base: &b {x: 1, k: 1}\none: {<<: *b, k: 2}\ntwo: {k: 2, <<: [*b, {z: 3}]}\n"
    assert read(text)[0] == [
        {"base": {"x": 1, "k": 1}, "one": {"x": 1, "k": 2}, "two": {"k": 1, "z": 3, "x": 1}}
    ]


def laughs(levels: int, width: int, leaf: str = "lol") -> str:
    """Return the billion laughs."""
    lines = [f"a0: &a0 [{', '.join([leaf] * width)}]"]
    for level in range(1, levels):
        aliases = ", ".join([f"*a{level - 1}"] * width)
        lines.append(f"a{level}: &a{level} [{aliases}]")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "bomb",
    [
        laughs(9, 9),
        laughs(60, 2),
        laughs(3, 90, "x" * 5000),
        "a: &a x\nb: [" + "*a, " * 20_000 + "]\n",
        "a: &a " + "x" * 1_000_000 + "\nb: [" + "*a, " * 9_000 + "]\n",
        "a: &a {k: 1}\n" + "".join(f"b{n}: {{<<: *a}}\n" for n in range(10_001)),
    ],
)
def test_alias_bombs_are_refused(bomb: str) -> None:
    values, (diagnostic,) = read(bomb + "---\nok: 1\n")
    assert diagnostic.code == "SRC006"
    assert values == [{"ok": 1}]


def test_everyday_aliases_are_fine() -> None:
    text = laughs(3, 10)
    assert read(text)[1] == []


def test_depth() -> None:
    assert read("[" * 99 + "1" + "]" * 99)[1] == []
    assert only("[" * 100_000).code == "SRC005"
    assert only("{a: " * 100_000).code == "SRC005"


def test_huge_scalars_and_lines() -> None:
    assert read("a: " + "x" * 3_000_000 + "\n")[0] == [{"a": "x" * 3_000_000}]
    assert read("a: [" + "x" * 3_000_000 + "\n---\nb: 1\n")[0] == [{"b": 1}]


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda f: not f.is_integer())
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcxyz01-./ #:'\"", max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Values that JSON has. YAML leaves `+.5`-like words to each reader, so the keys are plain."""


@given(
    value=st.dictionaries(st.sampled_from(["a", "spec", "x y"]), PLAIN, max_size=3),
    flow=st.booleans(),
)
def test_dumped_values_read_back(value: object, *, flow: bool) -> None:
    # PyYAML leaves a few words unquoted that kubectl types, so all text is dumped in quotes.
    text = safe_dump(value, default_style='"', default_flow_style=flow, allow_unicode=True)
    assert read(text) == ([value], [])


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: [x, {y: 'z'}]\n---\n- &a !!int '5'\n- *a\n",
        "a: [\n---\nb: 1\n",
        "a: \x01\n---\nb: 1\n",
    ],
)
def test_the_parser_in_python_reads_the_same(text: str) -> None:
    def run(events: Callable[..., yaml.EventSource]) -> list[object]:
        found = yaml.documents(io.BytesIO(text.encode()), "x.yaml", events=events)
        return [(n.plain(), n.line, n.column) if isinstance(n, Node) else n.code for n in found]

    assert run(yaml.pure_events) == run(yaml.parser_events)


def test_progress_reaches_the_end_and_streams() -> None:
    text = "".join(f"a: {'x' * 500}\n---\n" for _ in range(1000)).encode()
    seen: list[int] = []
    for _ in yaml.documents(io.BytesIO(text), "x.yaml", consumed=seen.append):
        pass
    assert seen[-1] == len(text)
    assert len(seen) > 5
