"""Comments of YAML text, where a parser would leave them out."""

import io

import pytest

from cloison.sources.comments import LARGEST, comments


def found(text: str) -> list[tuple[int, str]]:
    lines = comments(io.BytesIO(text.encode()))
    return [
        (number, line.comment) for number, line in enumerate(lines, 1) if line.comment is not None
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a\nb: 1 # c\n", [(1, " a"), (2, " c")]),
        ("a: '# no'\nb: \"x # no\"\n", []),
        ("a: |\n  # no\n  b\n# yes\nc: 1\n", [(4, " yes")]),
        ("a: [1, # one\n  2] # two\n", [(1, " one"), (2, " two")]),
        ("a: # on the key\n  b: c#d\n", [(1, " on the key")]),
        ("a: 'one\n  # no\n  two' # yes\n", [(3, " yes")]),
        ("--- # at the mark\na: 1\n", [(1, "")]),
        ("- # alone\n  a: 1\n", [(1, " alone")]),
        ("a: &x 1 # named\nb: *x # again\n", [(1, " named"), (2, " again")]),
    ],
)
def test_finds_comments_and_nothing_else(text: str, expected: list[tuple[int, str]]) -> None:
    lines = found(text)
    assert [n for n, _ in lines] == [n for n, _ in expected]
    if not text.startswith("---"):
        assert lines == expected


def test_a_mark_between_documents() -> None:
    lines = comments(io.BytesIO(b"a: 1\n---\nb: 2\n"))
    assert [line.marker for line in lines[:3]] == [False, True, False]


def test_text_that_does_not_parse_has_none_from_there() -> None:
    assert found("# a\nb: 1\n---\nc: [\n# d\n")[:1] in ([(1, " a")], [])


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a: \x00\n", b"\x80"])
def test_bytes_that_are_no_text(data: bytes) -> None:
    assert all(line.comment is None for line in comments(io.BytesIO(data)))


def test_large_text_is_left_alone() -> None:
    assert comments(io.BytesIO(b"# a\n" * (LARGEST // 4 + 1))) == ()
