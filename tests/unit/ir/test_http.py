"""HTTP conditions as sets of requests, against what they say of one request after the other."""

import random

import pytest

from cloison.algebra import Request
from cloison.ir.http import HttpMatch

PIECES = ("/", "/", "a", "b", "pub", ".", "..", "%2e", "?", "#", "//", "x%2Fy")
MATCHES = (
    HttpMatch(),
    HttpMatch(methods=("GET",), prefixes=("/pub",)),
    HttpMatch(methods=("*",), exact=("/a/b", "/a/b/")),
    HttpMatch(exact=("/a",), prefixes=("/pub/", "/b")),
    HttpMatch(prefixes=("/",)),
    HttpMatch(exact=("/",)),
)


@pytest.mark.parametrize("by_segment", [True, False, None])
@pytest.mark.parametrize("number", range(len(MATCHES)))
def test_sets_say_nothing_else_of_a_request(number: int, *, by_segment: bool | None) -> None:
    match = MATCHES[number]
    match = HttpMatch(match.methods, match.exact, match.prefixes, by_segment)
    sets = match.requests()
    rng = random.Random(number)
    told = 0
    for _ in range(400):
        path = "/" + "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 5)))
        request = Request(method=rng.choice(("GET", "POST")), path=path)
        said = match.matches(request)
        possible = sets.may is not None and request in sets.may
        known = True if request in sets.must else None if possible else False
        # Of a path that can be written in a shorter way the sets leave open what it comes to.
        assert known is said or known is None, request
        told += known is not None
        if not set("%.") & set(path) and "//" not in path:
            assert known is said, request
    assert told > 100


def test_what_is_no_request_of_http_is_not_meant() -> None:
    assert HttpMatch().matches(Request(kind="dns", name="example.com")) is False
