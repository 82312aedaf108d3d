"""Sets of requests as people read them, and the ways to write a path that are told apart."""

import random
from dataclasses import replace

import pytest

from cloison.algebra.budget import TooLargeError
from cloison.algebra.requests import EVERY_REQUEST, NO_REQUESTS, Request, RequestSet
from cloison.algebra.strings import StringSet
from cloison.algebra.values import ABSENT, ANY_TEXT, PRESENT, Values
from cloison.algebra.variants import VARIANTS, Trap, left_out, other_case, traps

http, of, pattern = RequestSet.http, StringSet.of, StringSet.pattern
ADMIN = Values.of(of("admin"))


@pytest.mark.parametrize(
    ("found", "written"),
    [
        (NO_REQUESTS, "none"),
        (EVERY_REQUEST, "any"),
        (http(), "any HTTP request"),
        (http(of("POST"), of("/payments/reservations")), "POST /payments/reservations"),
        (http(of("GET"), StringSet.prefix("/api/")), "GET /api/.*"),
        (http(of("GET")), "GET (any path)"),
        (http(path=of("/a.b")), r"(any method) /a\.b"),
        (http(path=~of("/a")), "(any method) (not /a)"),
        (http(of("GET"), of("/a")) | http(path=of("/b")), "(any method) /b or GET /a"),
        (http(host=of("x")), "any HTTP request, host x"),
        (http(of("GET"), headers={"X-Role": ADMIN}), "GET (any path), header x-role: admin"),
        (http(of("GET"), headers={"X-Role": PRESENT}), "GET (any path), header x-role: (any)"),
        (http(of("GET"), headers={"X-Role": ABSENT}), "GET (any path), no header x-role"),
        (
            http() - http(headers={"x-role": ADMIN}),
            "any HTTP request, header x-role: (not admin) if any",
        ),
        (RequestSet.dns(of("a.b")), r"DNS a\.b"),
        (RequestSet.dns(ANY_TEXT), "DNS (any name)"),
        (RequestSet.sni(of("a.b")), r"TLS, SNI a\.b"),
        (RequestSet.dns(ANY_TEXT) | http(), "HTTP or DNS"),
        (~http(), "anything but HTTP"),
        (RequestSet.grpc(of("shop.Cart")), r"POST /shop\.Cart/[^/]+"),
        (http(of("GET"), host=of("x")) | http(headers={"h": ADMIN}), None),
    ],
)
def test_sets_are_written_for_people(found: RequestSet, written: str | None) -> None:
    expected = "GET (any path), host x or any HTTP request, header h: admin"
    assert str(found) == (expected if written is None else written)


def test_calls_are_requests() -> None:
    add = RequestSet.grpc(of("shop.Cart"), of("Add"))
    assert Request(method="POST", path="/shop.Cart/Add") in add
    assert Request(method="POST", path="/shop.Cart/Remove") not in add
    assert add <= http(of("POST"), StringSet.prefix("/shop.Cart/"))


def test_what_cannot_be_sent_makes_no_difference() -> None:
    assert http(path=pattern("/a.*")) == http(path=StringSet.prefix("/a"))


def test_asking_with_less_than_everything_known() -> None:
    read = http(of("GET"), pattern("/v1/.*"))
    asked = {text: RequestSet.of(Request(method="GET", path=text)) for text in ("/v1/a", "/x")}
    assert read.answers(asked["/v1/a"]) is True
    assert read.answers(asked["/x"]) is False
    assert read.answers(RequestSet.of(Request(path="/v1/a"))) is None
    assert read.answers(RequestSet.of(Request("dns", name="a"))) is False


@pytest.mark.parametrize(
    ("request_", "written"),
    [
        (Request(method="GET", path="/a"), "GET /a"),
        (Request(path="/a", host="x", headers=(("h", "v"), ("k", None))), "/a, host x, h: v, no k"),
        (Request(), "HTTP"),
        (Request("dns", name="a.b"), "DNS a.b"),
        (Request("other", sni="x"), "neither HTTP nor DNS, SNI x"),
    ],
)
def test_requests_are_written_for_people(request_: Request, written: str) -> None:
    assert str(request_) == written


def test_many_rules_end() -> None:
    with pytest.raises(TooLargeError):
        _many(200)
    with pytest.raises(TooLargeError):
        _either(20)
    with pytest.raises(TooLargeError):
        http(headers={f"h{number}": PRESENT for number in range(99)})


def _either(rules: int) -> RequestSet:
    found = EVERY_REQUEST
    for number in range(rules):
        one, other = (http(headers={f"{way}{number}": PRESENT}) for way in "gh")
        found &= one | other
    return found


def _many(rules: int) -> RequestSet:
    found = NO_REQUESTS
    for number in range(rules):
        found |= http(path=pattern(f".*/{number}/.{{9}}"), headers={f"h{number}": PRESENT})
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/public", {"trailing-slash", "query", "double-slash", "dot-segment"}),
        ("/public.*", {"double-slash", "dot-segment"}),
        ("/a/b", {v.name for v in VARIANTS}),
        (".*", set()),
        ("/v1/[^/]+", {v.name for v in VARIANTS} - {"encoded-letter"}),
    ],
)
def test_ways_to_write_a_path_that_are_told_apart(text: str, expected: set[str]) -> None:
    found = list(traps(pattern(text)))
    assert {trap.name for trap in found} == expected
    for trap in found:
        assert trap.inside in pattern(text)
        assert trap.outside not in pattern(text)
    longer = [trap for trap in found if len(trap.outside) > len(trap.inside)]
    assert list(left_out(pattern(text))) == longer


def test_what_is_told_of_a_request_may_be_long() -> None:
    read = RequestSet.http(of("GET"), pattern("/v1/.*"), headers={"a": Values(of("1"))})
    told = Request(method="GET", path=f"/v1/{'x' * 100_000}")
    assert str(read.given(told)) == "any, header a: 1"
    assert read.given(Request(method="GET", path="/v1/x\n")) == NO_REQUESTS
    assert read.given(replace(told, headers=(("a", "1"),))) == EVERY_REQUEST
    assert read.given(replace(told, headers=(("a", None),))) == NO_REQUESTS
    tls = RequestSet.sni(of("a"))
    assert tls.given(Request(None, sni="a")) == ~RequestSet.dns(ANY_TEXT)


def test_case_and_queries() -> None:
    assert other_case(of("/a")) == Trap("letter-case", "/a", "/A")
    assert other_case(pattern("(?i)/a")) is None
    paths = of("/a") + pattern(r"([?].*)?")
    assert [t.name for t in traps(paths, VARIANTS[1:2])] == []


@pytest.mark.parametrize("seed", range(20))
def test_a_request_is_looked_up_as_all_that_it_may_be(seed: int) -> None:
    rng = random.Random(seed)
    sets = [
        RequestSet.http(StringSet.of("GET"), StringSet.pattern("/a/.*")),
        RequestSet.http(None, StringSet.of("/b"), StringSet.of("x")),
        RequestSet.http(headers={"h": Values(StringSet.of("1"), absent=True)}),
        RequestSet.sni(StringSet.of("x.example.com")),
        RequestSet.dns(StringSet.pattern(r".*\.example\.com")),
    ]
    known = sets[rng.randrange(5)]
    for _ in range(3):
        other = sets[rng.randrange(5)]
        known = rng.choice((known | other, known & other, known - other, ~known))
    for kind in ("http", "dns", "other", None):
        request = Request(
            kind,
            rng.choice((None, "GET", "PUT")) if kind == "http" else None,
            rng.choice((None, "/a/1", "/b")) if kind == "http" else None,
            rng.choice((None, "x")) if kind == "http" else None,
            rng.choice(((), (("h", "1"),), (("h", None),))) if kind == "http" else (),
            rng.choice((None, "x.example.com")) if kind != "dns" else None,
            rng.choice((None, "a.example.com", "b.org")) if kind == "dns" else None,
        )
        assert known.holds(request) is known.answers(RequestSet.of(request)), (known, request)
