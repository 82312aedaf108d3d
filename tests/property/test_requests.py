"""Sets of requests obey the laws of sets, and agree with looking at each request's fields."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from cloison.algebra.requests import EVERY_REQUEST, NO_REQUESTS, Request, RequestSet
from cloison.algebra.strings import StringSet
from cloison.algebra.values import ABSENT, PRESENT, Values

METHODS = (None, "GET", "GET|POST", "P.*")
PATHS = (None, "/a", "/a/.*", "/[ab]", "/.*")
HOSTS = (None, "x", "x|y")
HEADERS: dict[str, Values] = {
    "": ABSENT,
    ".*": PRESENT,
    "k": Values.of(StringSet.of("k")),
    "(?!k$).*": Values.of(~StringSet.of("k")),
    "k?": Values(StringSet.of("k"), absent=True),
}
"""What a header may hold, by a regular expression of it, in which nothing is left out or empty."""

REQUESTS = [
    *(
        Request("http", method, path, host, (("h", header),), sni)
        for method, path, host, header, sni in product(
            ("GET", "POST", "X"), ("/a", "/b", "/a/b"), ("x", "z"), (None, "k", "l"), (None, "s")
        )
    ),
    *(Request("dns", name=name) for name in ("a.b", "c")),
    *(Request("other", sni=sni) for sni in (None, "s", "t")),
]


class Twice(NamedTuple):
    """A set, and what it should say of a request."""

    found: RequestSet
    holds: Callable[[Request], bool]


def _fits(pattern: str | None, text: str | None) -> bool:
    return pattern is None or re.fullmatch(pattern, text or "") is not None


def _texts(pattern: str | None) -> StringSet | None:
    return None if pattern is None else StringSet.pattern(pattern)


def web(method: str | None, path: str | None, host: str | None, header: str | None) -> Twice:
    headers = {} if header is None else {"H": HEADERS[header]}
    found = RequestSet.http(_texts(method), _texts(path), _texts(host), headers)
    return Twice(
        found,
        lambda request: (
            request.kind == "http"
            and _fits(method, request.method)
            and _fits(path, request.path)
            and _fits(host, request.host)
            and (header is None or _headed(header, dict(request.headers)["h"]))
        ),
    )


def _headed(pattern: str, value: str | None) -> bool:
    if value is None:
        return pattern in ("", "k?")
    return bool(pattern) and _fits(pattern, value)


def lookup(name: str) -> Twice:
    return Twice(
        RequestSet.dns(StringSet.pattern(name)),
        lambda request: request.kind == "dns" and _fits(name, request.name),
    )


def tls(name: str) -> Twice:
    return Twice(
        RequestSet.sni(StringSet.of(name)),
        lambda request: request.kind != "dns" and request.sni == name,
    )


single = st.one_of(
    st.builds(
        web,
        st.sampled_from(METHODS),
        st.sampled_from(PATHS),
        st.sampled_from(HOSTS),
        st.sampled_from((None, *HEADERS)),
    ),
    st.sampled_from((".*", "a\\.b", "c")).map(lookup),
    st.sampled_from(("s", "t")).map(tls),
)


def joined(a: Twice, b: Twice) -> Twice:
    return Twice(a.found | b.found, lambda r: a.holds(r) or b.holds(r))


def negated(a: Twice) -> Twice:
    return Twice(~a.found, lambda r: not a.holds(r))


both = st.recursive(
    single,
    lambda parts: st.one_of(st.builds(joined, parts, parts), parts.map(negated)),
    max_leaves=4,
)
sets = both.map(lambda twice: twice.found)


@given(both, both)
def test_operations_are_what_they_say_of_each_request(a: Twice, b: Twice) -> None:
    for found, holds in (
        a,
        joined(a, b),
        negated(a),
        (a.found & b.found, lambda r: a.holds(r) and b.holds(r)),
        (a.found - b.found, lambda r: a.holds(r) and not b.holds(r)),
    ):
        assert [r for r in REQUESTS if r in found] == [r for r in REQUESTS if holds(r)]


@given(both, st.sampled_from(REQUESTS))
def test_answers_are_of_all_that_a_request_may_be(a: Twice, request: Request) -> None:
    answer = a.found.answers(RequestSet.of(request))
    assert answer is None or answer is a.holds(request)
    known = replace(request, path=None) if request.kind == "http" else request
    if a.found.answers(RequestSet.of(known)) is not None:
        assert a.found.answers(RequestSet.of(known)) is answer


@given(sets, sets, sets)
def test_the_laws_of_sets(a: RequestSet, b: RequestSet, c: RequestSet) -> None:
    assert ~~a == a
    assert ~(a | b) == ~a & ~b
    assert (a | b) | c == a | (b | c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | b == b | a
    assert hash(a | b) == hash(b | a)
    assert a | ~a == EVERY_REQUEST
    assert a - a == NO_REQUESTS
    assert (a <= b) is ((a | b) == b)
    assert a.isdisjoint(b) is ((a & b) == NO_REQUESTS)


@given(sets, sets)
def test_equal_sets_are_written_alike_and_others_are_not(a: RequestSet, b: RequestSet) -> None:
    assert (str(a) == str(b)) is (a == b)
    assert str(a | b) == str(b | a)


@given(sets)
def test_an_example_is_a_member(a: RequestSet) -> None:
    found = a.example()
    assert (found is None) is (not a)
    assert found is None or found in a
