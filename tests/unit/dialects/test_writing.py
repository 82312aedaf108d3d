"""Trees as YAML, and what rules are taken apart into."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cloison.algebra import ANY, AddressSet, LabelSelector, TrafficSet
from cloison.base import Span
from cloison.dialects.writing import At, Comments, rendered
from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.names import Names
from cloison.dialects.writing.shadow import Piece, Taking
from cloison.ir.peers import AnyMatch, BlockMatch, PeerMatch, PodsMatch
from cloison.ir.policy import Peer

HERE = Span("f", 3, 1)
TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "on",
        "1e3",
        "0o17",
        "a: b",
        "- x",
        "#",
        "a\nb\n",
        "a\n b",
        "\n",
        "|",
        "",
        "~",
        "::/0",
        "a\n\nb",
    ]
)
PLAIN = st.recursive(
    TEXTS | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, PLAIN, min_size=1, max_size=4))
def test_reads_back_as_written(value: dict[str, Any]) -> None:
    assert yaml.safe_load(rendered(value)) == value


def test_comments_stand_where_their_part_stands() -> None:
    item = At({"a": 1, "b": 2}, HERE)
    comments = Comments({HERE: (" above",)}, {HERE: " beside"}, (" below",))
    assert rendered({"items": [item, item]}, comments) == (
        "items:\n# above\n- a: 1  # beside\n  b: 2\n- a: 1\n  b: 2\n# below\n"
    )


def test_names_are_told_apart() -> None:
    names = Names({("P", "x"): frozenset({"a", "a-2"})})
    assert names.free("P", "x", "a") == "a-3"
    assert names.free("P", "y", "a") == "a"
    assert names.free("P", "y", "a", "a-x") == "a-x"


def pods(**labels: str) -> PodsMatch:
    return PodsMatch("x", pods=LabelSelector.of(labels))


def block(cidr: str) -> BlockMatch:
    return BlockMatch(AddressSet.block(cidr), cidr)


def piece(match: PeerMatch, traffic: TrafficSet = ANY) -> Piece:
    return Piece(Peer(match), traffic)


def left(one: Piece, other: Piece, *, blocks_match_pods: bool = True) -> list[tuple[str, str]]:
    found = Taking(blocks_match_pods).without([one], [other])
    return [(str(_said(each.peer.match)), str(each.traffic)) for each in found]


def _said(match: PeerMatch) -> object:
    match match:
        case PodsMatch():
            return match.pods
        case BlockMatch():
            return match.addresses
    return type(match).__name__


TCP = TrafficSet.protocol("TCP")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (piece(pods(a="1")), piece(AnyMatch()), []),
        (piece(pods(a="1")), piece(pods(a="2")), [("a=1", "any")]),
        (piece(pods(a="1")), piece(pods(b="2")), [("a=1,b!=2", "any")]),
        (
            piece(pods(a="1"), TCP),
            piece(pods(a="1"), TrafficSet.ports("TCP", 1, 99)),
            [("a=1", "TCP/100-65535")],
        ),
        (piece(block("10.0.0.0/8")), piece(block("10.0.0.0/9")), [("10.128.0.0/9", "any")]),
        (piece(block("10.0.0.0/8")), piece(block("11.0.0.0/8")), [("10.0.0.0/8", "any")]),
        (piece(AnyMatch()), piece(block("::/0")), [("0.0.0.0/0", "any")]),
    ],
)
def test_what_is_left(one: Piece, other: Piece, expected: list[tuple[str, str]]) -> None:
    assert left(one, other) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (piece(pods(a="1")), piece(block("10.0.0.0/8"))),
        (piece(block("10.0.0.0/8")), piece(pods(a="1"))),
        (piece(AnyMatch()), piece(pods(a="1"))),
    ],
)
def test_what_there_are_no_words_for(one: Piece, other: Piece) -> None:
    with pytest.raises(UnsayableError):
        left(one, other)


def test_blocks_that_match_no_pods_take_none() -> None:
    one, other = piece(pods(a="1")), piece(block("10.0.0.0/8"))
    assert left(one, other, blocks_match_pods=False) == [("a=1", "any")]
