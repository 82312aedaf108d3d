"""Patterns of DNS names, in each language that has some."""

import random

import pytest

from cloison.ir.names import NamePattern, Stars, exact_name, names_below, names_within

# The table of cilium/cilium pkg/fqdn/matchpattern: what each pattern covers, and what it does not.
WITHIN = [
    ("*", "www.example.com", True),
    ("**", "www.example.com", True),
    ("*.example.com", "a.example.com", True),
    ("*.example.com", "example.com", False),
    ("*.example.com", "a.b.example.com", False),
    ("**.example.com", "a.example.com", True),
    ("**.example.com", "a.b.example.com", True),
    ("**.example.com", "example.com", False),
    ("*example.com", "example.com", True),
    ("*example.com", "badexample.com", True),
    ("*example.com", "a.example.com", False),
    ("api-*.example.com", "api-1.example.com", True),
    ("api-*.example.com", "api-.example.com", True),
    ("api-*.example.com", "api.example.com", False),
    ("api-*.example.com", "api-1.x.example.com", False),
    ("foo.**.com", "foo.a.com", True),
    ("foo.**.com", "foo.a.b.com", False),
    ("API.*.com.", "api.x.com", True),
    ("*.example.com", "ü.example.com", False),
]


@pytest.mark.parametrize(("pattern", "name", "expected"), WITHIN)
def test_stars_within_labels(pattern: str, name: str, *, expected: bool) -> None:
    found = names_within(pattern)
    assert found.covers(name) is expected
    assert (name in found.strings) is expected


def test_before_two_stars_were_several_labels_they_were_one() -> None:
    shallow = names_within("**.example.com", deep=False)
    assert shallow.covers("a.example.com")
    assert not shallow.covers("a.b.example.com")
    assert shallow.strings == names_within("*.example.com").strings


def test_a_star_of_whole_labels_is_any_number_of_them() -> None:
    below = names_below("*.Example.com.")
    names = ("a.example.com", "a.b.example.com", "example.com", "badexample.com", "ü.example.com")
    assert [below.covers(name) for name in names] == [True, True, False, False, True]
    assert [name in below.strings for name in names] == [True, True, False, False, True]


def test_a_pattern_without_stars_is_a_name_in_every_language() -> None:
    plain = NamePattern("api.example.com")
    for made in (exact_name, names_below, names_within):
        assert made("API.example.com.") == plain
    assert plain.exact
    assert exact_name("*.example.com") != names_below("*.example.com")


@pytest.mark.parametrize(
    ("one", "other", "holds", "meets"),
    [
        (names_below("*.example.com"), names_within("**.example.com"), True, True),
        (names_within("**.example.com"), names_within("*.example.com"), True, True),
        (names_within("*.example.com"), names_within("**.example.com"), False, True),
        (names_within("api-*.x.com"), names_within("*-eu.x.com"), False, True),
        (names_within("a*.x.com"), names_within("b*.x.com"), False, False),
        (names_within("*"), names_below("*.x"), True, True),
        (exact_name("a.x"), names_within("*.x"), False, True),
        (names_within("*.x"), exact_name("a.x"), True, True),
    ],
)
def test_patterns_are_compared_as_sets(
    one: NamePattern, other: NamePattern, *, holds: bool, meets: bool
) -> None:
    assert one.holds(other) is holds
    assert one.meets(other) is meets
    assert other.meets(one) is meets


def test_a_name_is_looked_up_as_its_set_says() -> None:
    rng = random.Random(6)
    for _ in range(400):
        stars = rng.choice(list(Stars))
        text = ".".join(
            "".join(rng.choice("ab**-") for _ in range(rng.randint(1, 3)))
            for _ in range(rng.randint(1, 3))
        )
        if stars is Stars.LABELS:
            text = f"*.{text.replace('*', 'a')}"
        pattern = names_within(text) if stars in (Stars.NONE, Stars.PARTS) else None
        pattern = pattern or NamePattern(text, stars)
        strings = pattern.strings
        for _ in range(20):
            name = "".join(rng.choice("ab-..") for _ in range(rng.randint(1, 7)))
            assert pattern.covers(name) == (name in strings), (pattern, name)


def test_a_long_pattern_takes_no_long_time() -> None:
    pattern = names_within("*a" * 100 + ".com")
    assert not pattern.covers("a" * 250 + "b.com")
