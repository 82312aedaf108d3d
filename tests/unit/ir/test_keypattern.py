"""Patterns of label keys, held against Python's own regular expressions."""

import random
import re

import pytest

from cloison.ir.keypattern import LONGEST, MOST_REPEATS, KeyPattern, KeyPatternError
from cloison.ir.profile import LabelFilter

PIECES = ("a", "b", ".", "a?", "b*", ".*", "a+", ".?", r"\.", r"b\-", "[a.]", "[a-b]*", "[-b]?")


def test_takes_what_regular_expressions_take() -> None:
    rng = random.Random(6)
    for _ in range(3000):
        text = "".join(rng.choices(PIECES, k=rng.randint(1, 7))) + rng.choice(("", "", "$"))
        key = "".join(rng.choices("ab.-", k=rng.randint(0, 9)))
        match = re.match(text, key, re.DOTALL)
        assert KeyPattern(text).taken(key) == (match and match.end()), (text, key)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a|b", "`|`"),
        ("(a)", "`(`"),
        ("[^ab]", "`[`"),
        ("[]", "`[`"),
        ("[b-a]", "`[b-a]`"),
        ("a$b", "`$`"),
        ("a{2}", "`{`"),
        ("*beta", "`*`"),
        (r"\d", r"`\d`"),
        ("a\\", "is not understood"),
        ("a" * (LONGEST + 1), "longer than any key"),
        ("a*" * (MOST_REPEATS + 1), "repeats more than"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, why: str) -> None:
    with pytest.raises(KeyPatternError, match=re.escape(why)):
        KeyPattern(text)


def test_the_worst_that_is_accepted_ends_at_once() -> None:
    worst = KeyPattern(".*" * MOST_REPEATS + "x.")
    assert worst.taken("a" * (LONGEST - 1) + "x") is None
    assert worst.taken("a" * LONGEST) is None


def test_the_shortest_hiding_pattern_counts() -> None:
    """As the enforcer compares them: the longest that shows against the shortest that hides."""
    patterns = [KeyPattern(text) for text in ("app.io", "app", "app.io/part")]
    seen = LabelFilter(tuple(patterns[:1]), tuple(patterns[1:]))
    assert seen.keeps("app.io/part")
    assert not LabelFilter((patterns[0],), (patterns[2],)).keeps("app.io/part")


def test_what_shows_something_hides_the_rest_where_only_that_is_seen() -> None:
    seen = LabelFilter((KeyPattern("app"),), (), only=True, namespaces="ns.")
    assert [seen.keeps(key) for key in ("app", "apps", "team")] == [True, True, False]
    assert not seen.keeps_of_namespace("app")
