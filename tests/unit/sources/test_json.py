"""JSON: located, in bulk, and both the same."""

import io
import json as standard
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloison.base import Diagnostic
from cloison.resources.documents import Document, Node, RawObject
from cloison.sources import bulk, json, read, reader
from tests.unit.sources.test_yaml import PLAIN

PODS = {
    "apiVersion": "v1",
    "metadata": {"é": "ü"},
    "kind": "List",
    "items": [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{n}", "x": "é\n😀" * n}}
        for n in range(5)
    ],
}


def found(text: str) -> tuple[list[object], list[Diagnostic]]:
    """Return the plain values and the diagnostics."""
    every = list(json.documents(text, "x.json"))
    values = [one.plain() for one in every if isinstance(one, Node)]
    return values, [one for one in every if isinstance(one, Diagnostic)]


def test_positions() -> None:
    text = '{"a": 1,\n  "é": [true,\n {"b" : "x"}]}'
    (root,) = json.documents(text, "x.json")
    assert isinstance(root, Node)
    node = root.get("é", 1, "b")
    assert node is not None
    assert (node.line, node.column, node.key_line, node.key_column) == (3, 9, 3, 3)
    node = root.get("é", 0)
    assert node is not None
    assert (node.line, node.column) == (2, 9)


def test_concatenated_documents() -> None:
    assert found('{"a": 1}\n{"b": 2}[3]')[0] == [{"a": 1}, {"b": 2}, [3]]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ('{"a": NaN}', "SRC008", 1, 7),
        ('{"a": -Infinity}', "SRC008", 1, 7),
        ('{"a": 1e999}', "SRC008", 1, 7),
        ('{"a": 1\n "b": 2}', "SRC010", 2, 2),
        ('{"a": }', "SRC010", 1, 7),
        ('{"a": 1,}', "SRC010", 1, 9),
        ("{'a': 1}", "SRC010", 1, 2),
        ('{"a": "x', "SRC010", 1, 7),
        ('{"a": 1', "SRC010", 1, 8),
        ('[1, "\\q"]', "SRC010", 1, 6),
        ("nothing", "SRC010", 1, 1),
        ("[" * 100_000, "SRC005", 1, 101),
        ('{"a":' * 100_000, "SRC005", 1, 501),
    ],
)
def test_broken_json(text: str, code: str, line: int, column: int) -> None:
    values, (diagnostic,) = found(text)
    assert values == []
    assert diagnostic.code == code
    assert diagnostic.span is not None
    assert (diagnostic.span.line, diagnostic.span.column) == (line, column)


def test_duplicate_keys() -> None:
    values, (diagnostic,) = found('{"a": 1,\n "a": 2}')
    assert values == [{"a": 2}]
    assert diagnostic.code == "SRC004"
    assert "line 1, column 2" in diagnostic.message


def test_integers_beyond_int64_are_floats_as_in_go() -> None:
    assert found("[9223372036854775807, 9223372036854775808, 1.0]")[0] == [
        [9223372036854775807, 9.223372036854775808e18, 1.0]
    ]
    assert found("1" * 5000)[1][0].code == "SRC008"


def test_half_a_character_is_replaced_as_in_go() -> None:
    assert found(r'{"\ud83d": "a\udc00", "b": "\ud83d\ude00"}')[0] == [
        {"\ufffd": "a\ufffd", "b": "\U0001f600"}
    ]


def test_large_input_that_is_no_list_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LARGEST_LOCATED", 10)
    path = tmp_path / "x.json"
    path.write_text('{"kind": "List",\n "apiVersion": "v1", "items": [1,, 2]}')
    (diagnostic,) = read([str(path)], bulk_from=0)
    assert isinstance(diagnostic, Diagnostic)
    assert diagnostic.code == "SRC019"
    assert diagnostic.span is not None
    assert (diagnostic.span.line, diagnostic.span.column) == (2, 34)
    path.write_text(
        '{"kind": "List",\n "apiVersion": "v1", "items": [\n1, {"kind":"A","apiVersion":"v1"}]}'
    )
    number, item = read([str(path)], bulk_from=0)
    assert isinstance(number, Diagnostic)
    assert isinstance(item, RawObject)
    assert (number.code, item.line, item.column) == ("SRC016", 3, 4)
    assert item.locate().root.get("kind", "x") is None


@given(value=PLAIN, indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_dumped_values_read_back(*, value: object, indent: int | None, ascii_only: bool) -> None:
    text = standard.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert found(text) == ([value], [])


def flat(node: Node) -> object:
    """Return a tree with its positions, the given fields' own excluded."""
    value = node.value
    at = (node.line, node.column, node.key_line, node.key_column)
    if isinstance(value, dict):
        return at, {key: flat(inner) for key, inner in value.items()}
    return at, [flat(inner) for inner in value] if isinstance(value, list) else value


def both(text: str) -> tuple[list[object], list[object]]:
    """Read a List with positions, and in bulk with each item located."""

    def run(bulk_from: int) -> list[object]:
        result: list[object] = []
        for one in read(["-"], stdin=io.BytesIO(text.encode()), bulk_from=bulk_from):
            item: object = one
            if isinstance(one, RawObject):
                item = document = one.locate()
                root = document.root
                assert (one.line, one.column) == (root.line, root.column)
                kind, version = root.get("kind"), root.get("apiVersion")
                assert kind is not None
                assert version is not None
                assert (one.kind, one.api_version) == (kind.value, version.value)
            result.append(flat(item.root) if isinstance(item, Document) else item)
        return result

    return run(1 << 40), run(0)


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
@pytest.mark.parametrize("separators", [None, (" ,", " : ")])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_bulk_and_located_agree(
    indent: int | str | None,
    separators: tuple[str, str] | None,
    *,
    ascii_only: bool,
) -> None:
    text = standard.dumps(PODS, indent=indent, separators=separators, ensure_ascii=ascii_only)
    located, raw = both(text)
    assert located == raw
    assert len(raw) == 5


@pytest.mark.parametrize(
    "items",
    [
        "",
        '{"kind": "Pod"}',
        '1, "x", null, [], {"kind": 5, "apiVersion": "v1"}, {"apiVersion": "v1", "kind": "Pod"}',
        '{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"é"}},\n {"spec":1}, 5]}',
        '{"apiVersion":"v1","kind":"List","items":[\n{"apiVersion":"v1","kind":"A"}], "x": 1}',
        '{"apiVersion":"v1","kind":"AllowList"},\n\n{"apiVersion":"v1","kind":"A"}',
        '{"apiVersion":"v1","kind":"A","items":[1]}',
    ],
)
def test_bulk_and_located_agree_on_odd_items(items: str) -> None:
    for kind in ("List", "PodList"):
        text = (
            f'\n {{"metadata": {{}}, "kind": "{kind}", "apiVersion": "v1", "items" : [ {items} ]}}'
        )
        located, raw = both(text)
        assert located == raw


def test_lists_nested_without_end_are_cut() -> None:
    text = '{"apiVersion":"v1","kind":"Pod"}'
    for _ in range(12):
        text = f'{{"apiVersion":"v1","kind":"List","items":[{text}]}}'
    located, raw = both(text)
    assert located == raw
    assert [d.code for d in raw if isinstance(d, Diagnostic)] == ["SRC017"]


@pytest.mark.parametrize(
    "text",
    [
        '{"kind":"List","apiVersion":"v1","items":[],"items":[{"kind":"A","apiVersion":"v1"}]}',
        '{"kind":"List","apiVersion":"v1","items":null}',
        '{"kind":"List","apiVersion":"v1"}',
        '{"kind":"A","apiVersion":"v1"}{"kind":"B","apiVersion":"v1"}',
        '{"kind":"List","apiVersion":"v1","items":[',
        "[" * 5000,
    ],
)
def test_what_is_no_list_falls_back(text: str) -> None:
    with pytest.raises(bulk.NotBulkError):
        bulk.objects(memoryview(text.encode()), "x.json")
    located, raw = both(text)
    assert located == raw


def test_bytes_that_are_no_utf8_in_an_item() -> None:
    data = b'{"kind":"List","apiVersion":"v1","items":[{"kind":"\xff","apiVersion":"v1"}]}'
    (diagnostic,) = bulk.objects(memoryview(data), "x.json")
    assert isinstance(diagnostic, Diagnostic)
    assert diagnostic.code == "SRC003"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'"x": ' + b"[" * 120 + b"]" * 120, "SRC005"),
        (b'"x": 1e999', "SRC008"),
        (b'"x": "\xff"', "SRC003"),
    ],
)
def test_an_item_that_cannot_be_located_says_why(body: bytes, code: str) -> None:
    """The bulk decoder passes over what it does not look at; reading again finds it."""
    head = b'{"kind": "Pod", "apiVersion": "v1", '
    data = b'{"kind":"List","apiVersion":"v1","items":[%s%s}, %s"y": 1}]}' % (head, body, head)
    items = bulk.objects(memoryview(data), "x.json")
    first = next(items)
    assert isinstance(first, RawObject)
    assert first.locate().root.plain() == {"kind": "Pod", "apiVersion": "v1"}
    reason, second = items
    assert isinstance(reason, Diagnostic)
    assert reason.code == code
    assert isinstance(second, RawObject)
    assert second.locate().root.get("y") is not None
