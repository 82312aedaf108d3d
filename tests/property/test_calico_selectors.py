"""Calico's selector language and the Boolean expressions behind it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloison.algebra import Operator, Requirement
from cloison.algebra.expressions import ALWAYS, NEVER, And, Const, Expression, Not, Or, Test
from cloison.dialects.calico.selector import (
    MAX_DEPTH,
    MAX_STORED,
    SelectorError,
    parse,
    text_of,
)

KEYS = ("a", "in", "projectcalico.org/namespace")
VALUES = ("", "x", "xy", "it's", 'say "x"')
PLENTY = 10_000


@st.composite
def requirements(draw: st.DrawFn) -> Requirement:
    operator = draw(st.sampled_from(list(Operator)))
    key = draw(st.sampled_from(KEYS))
    if operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST):
        return Requirement(key, operator)
    if operator.textual:
        return Requirement(key, operator, (draw(st.sampled_from(VALUES)),))
    values = draw(st.lists(st.sampled_from(VALUES), unique=True, max_size=3))
    return Requirement(key, operator, tuple(sorted(values)))


def _deeper(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, max_size=3).map(tuple)
    return inner.map(Not) | several.map(And) | several.map(Or)


leaves = requirements().map(Test) | st.booleans().map(Const)
expressions = st.recursive(leaves, _deeper, max_leaves=8)
labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from((*VALUES, "zz")))


@given(expressions, labels)
def test_what_is_written_is_read_back(expression: Expression, held: dict[str, str]) -> None:
    text = text_of(expression)
    again = parse(text)
    assert again.matches(held) is expression.matches(held)
    assert text_of(again) == text_of(parse(text_of(again)))


@given(expressions, labels)
def test_disjuncts_mean_the_same(expression: Expression, held: dict[str, str]) -> None:
    found = expression.disjuncts(PLENTY)
    assert found is not None
    assert any(all(r.matches(held) for r in each) for each in found) is expression.matches(held)
    opposite = Not(expression).disjuncts(PLENTY)
    assert opposite is not None
    assert any(all(r.matches(held) for r in each) for each in opposite) is not expression.matches(
        held
    )


@given(expressions)
def test_disjuncts_are_canonical(expression: Expression) -> None:
    found = expression.disjuncts(PLENTY)
    selectors = expression.selectors(PLENTY)
    assert found is not None
    assert selectors is not None
    assert list(found) == sorted(set(found))
    assert all(list(each) == sorted(set(each)) for each in found)
    assert all(selector.satisfiable() for selector in selectors)
    assert not any(set(a) < set(b) for a in found for b in found)
    again = Or(tuple(And(tuple(map(Test, each))) for each in found))
    assert again.disjuncts(PLENTY) == found


@given(expressions)
def test_keys_can_be_renamed(expression: Expression) -> None:
    renamed = expression.with_keys(lambda key: f"pcns.{key}")
    assert renamed.keys == {f"pcns.{key}" for key in expression.keys}
    assert renamed.with_keys(lambda key: key.removeprefix("pcns.")) == expression
    assert len(list(renamed.requirements())) == len(list(expression.requirements()))


@given(st.text(alphabet="a =!&|(){}'\",inhs\t\n", max_size=40))
@example("!" * 4000 + "has(a)")
@example("(" * 4000)
@example("(" * MAX_DEPTH + "has(a)" + ")" * MAX_DEPTH)
@example("has(" * 3000)
@example("a in {" + "'x'," * 3000 + "}")
@example(" && ".join("!(has(a) || !(b == 'x' && c != 'y'))" for _ in range(300)))
def test_any_text_is_a_selector_or_an_error_at_a_place(text: str) -> None:
    found = _read(text)
    if isinstance(found, SelectorError):
        assert 1 <= found.column <= len(text) + 1
        assert str(found) == f"column {found.column}: {found.message}"
        return
    assert parse(text_of(found)).keys == found.keys
    assert len(str(found)) < 8 * MAX_STORED


def _read(text: str) -> Expression | SelectorError:
    try:
        return parse(text)
    except SelectorError as error:
        return error


def test_what_is_too_long_or_too_deep_is_said() -> None:
    with pytest.raises(SelectorError, match="more than 64 brackets"):
        parse("(" * (MAX_DEPTH + 1) + "has(a)" + ")" * (MAX_DEPTH + 1))
    with pytest.raises(SelectorError, match="more than 16384 characters"):
        parse(" " * (MAX_STORED + 1))


def test_more_disjuncts_than_asked_for_are_not_given() -> None:
    pairs = " && ".join(f"(has(a{n}) || has(b{n}))" for n in range(12))
    expression = parse(pairs)
    assert expression.disjuncts(512) is None
    assert expression.selectors(512) is None
    opposite = Not(expression).disjuncts(512)
    assert opposite is not None
    assert len(opposite) == 12


def test_repeats_are_no_disjuncts() -> None:
    repeated = parse(" && ".join(["(has(a) || has(b))"] * 200))
    assert repeated.disjuncts(2) == parse("has(a) || has(b)").disjuncts(2)
    assert parse("a == 'x' && a == 'y'").disjuncts(8) == ()
    assert parse("has(a) || !has(a) && has(b)").disjuncts(8) == parse(
        "has(b) && !has(a) || has(a)"
    ).disjuncts(8)
    assert ALWAYS.disjuncts(1) == ((),)
    assert NEVER.disjuncts(1) == ()


def test_what_has_both_quotes_cannot_be_written() -> None:
    both = Test(Requirement("a", Operator.IN, ("'\"",)))
    with pytest.raises(ValueError, match="both kinds of quotes"):
        text_of(both)


def test_expressions_are_shown_to_people() -> None:
    shown = str(parse("a == 'x' && !(has(b) || all())"))
    assert shown == "a=x and not (b or everything)"
    assert str(NEVER) == "nothing"
