"""Sets of texts agree with Python's `re` and with greenery, and obey the laws of sets."""

import re
from itertools import product

from greenery import parse as greenery
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cloison.algebra.budget import UndecidedError
from cloison.algebra.concrete import matches
from cloison.algebra.regex import PatternError
from cloison.algebra.strings import EVERY_STRING, NO_STRINGS, StringSet

ATOMS = ("a", "b", "/", "[ab]", "[^a]", "[^/]", "[a-c]", r"\.", "")
TEXTS = ["".join(each) for n in range(5) for each in product("ab/x", repeat=n)]


def grown(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    counts = st.sampled_from(("*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}"))
    return st.one_of(
        st.tuples(parts, parts).map("".join),
        st.tuples(parts, parts).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(parts, counts).map(lambda two: f"({two[0]}){two[1]}"),
    )


patterns = st.recursive(st.sampled_from(ATOMS), grown, max_leaves=8)
anchored = st.recursive(
    st.sampled_from((*ATOMS, "^", "$", r"\A", "a*?", "(?i:A)", r"\w", r"\S", "(?:b)")),
    grown,
    max_leaves=8,
)
sets = patterns.map(StringSet.pattern)
texts = st.one_of(st.sampled_from(TEXTS), st.text("ab/x.", max_size=9))


@given(anchored)
def test_membership_is_what_re_says(text: str) -> None:
    found = StringSet.pattern(text)
    # `$` of Python also stands before a newline at the end; no text here has one.
    held = re.compile(text, re.ASCII)
    members = [t for t in TEXTS if held.fullmatch(t)]
    assert [t for t in TEXTS if t in found] == members
    assert [t for t in TEXTS[::7] if matches(text, t)] == [t for t in TEXTS[::7] if t in found]


@settings(max_examples=60)
@given(patterns, patterns)
def test_relations_are_what_greenery_says(one: str, other: str) -> None:
    a, b = StringSet.pattern(one), StringSet.pattern(other)
    fsm, its = greenery(one).to_fsm(), greenery(other).to_fsm()
    assert (a <= b) is fsm.issubset(its)
    assert (a == b) is fsm.equivalent(its)
    assert a.isdisjoint(b) is fsm.isdisjoint(its)
    assert bool(a - b) is (not (fsm - its).empty())
    assert len(a) >= len(fsm.reduce().states) - 1


@given(sets, sets, sets)
def test_the_laws_of_sets(a: StringSet, b: StringSet, c: StringSet) -> None:
    assert ~~a == a
    assert ~(a | b) == ~a & ~b
    assert ~(a & b) == ~a | ~b
    assert (a | b) | c == a | (b | c)
    assert a & (b | c) == (a & b) | (a & c)
    assert (a + b) + c == a + (b + c)
    assert a - b == a & ~b
    assert a | ~a == EVERY_STRING
    assert a & ~a == NO_STRINGS
    assert a & b <= a <= a | b
    assert hash(a | b) == hash(b | a)


@given(sets, sets)
def test_relations_follow_from_operations(a: StringSet, b: StringSet) -> None:
    assert (a <= b) is (not a - b)
    assert (a >= b) is (b <= a)
    assert (a == b) is (a <= b <= a)
    assert a.isdisjoint(b) is (not a & b)


@given(sets, sets, texts)
def test_operations_are_what_they_say_of_each_text(a: StringSet, b: StringSet, text: str) -> None:
    assert (text in a | b) is (text in a or text in b)
    assert (text in a & b) is (text in a and text in b)
    assert (text in a - b) is (text in a and text not in b)
    assert (text in a + b) is any(text[:n] in a and text[n:] in b for n in range(len(text) + 1))
    assert (text in a.before("/")) is (f"{text}/" in a)
    assert (text in a.replaced({"a": "b/", "x": ""})) is (
        text.replace("a", "b/").replace("x", "") in a
    )
    assert (text.upper() in a.any_case()) is (text in a)


@given(sets)
def test_examples_are_members_and_the_shortest(a: StringSet) -> None:
    found = a.example()
    assert (found is None) is (not a)
    if found is not None:
        assert found in a
        assert not any(t in a for t in TEXTS if len(t) < len(found))


@given(patterns)
def test_all_texts_of_small_sets_are_found(text: str) -> None:
    a = StringSet.pattern(text) & StringSet.pattern("[ab/x]{0,4}")
    assert a.texts(len(TEXTS)) == tuple(sorted((t for t in TEXTS if t in a), key=_by_length))
    assert a.texts(0) == (() if not a else None)


def _by_length(text: str) -> tuple[int, str]:
    return len(text), text


@given(anchored)
def test_what_is_written_means_the_same(text: str) -> None:
    found = StringSet.pattern(text)
    written = str(found)
    assume(not written.startswith("<"))
    assert StringSet.pattern(written) == found
    assert str(StringSet.pattern(written)) == written
    assert bool(re.compile(written.replace(r"\x{", "")))


@given(st.text(r"ab()[]{}|*+?^$\.-:,0123dwsPi<>=!QE", max_size=14))
def test_nothing_that_is_typed_does_harm(text: str) -> None:
    try:
        found = StringSet.pattern(text)
    except (PatternError, UndecidedError):
        return
    try:
        held = re.compile(text.replace("(?U", "(?s"), re.ASCII)
    except (re.error, OverflowError):
        return
    if "\\" not in text and "[[" not in text and "{," not in text and "[:" not in text:
        assert [t for t in TEXTS if t in found] == [t for t in TEXTS if held.fullmatch(t)]
