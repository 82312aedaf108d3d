"""Which rule of an entry gets a request."""

import pytest

from cloison.algebra import Request
from cloison.analyses.paths.choosing import choose
from cloison.platform.routes.model import EntryKind, Listener, Match, PathKind, RouteRule

HTTP = Listener("http", 80, "HTTP")
GATEWAY, INGRESS = EntryKind.GATEWAY, EntryKind.INGRESS
EXACT, OWN = PathKind.EXACT, PathKind.OWN


def rule(
    name: str, *matches: Match, hosts: tuple[str, ...] = (), created: str | None = None
) -> RouteRule:
    return RouteRule(f"HTTPRoute n/{name}", (HTTP,), hosts, matches=matches, created=created)


ROOT, RED = rule("root"), rule("red", Match("/red"))


def chosen(kind: EntryKind, request: Request, *rules: RouteRule) -> list[str]:
    found = choose(kind, rules, (HTTP,), request)
    more = [*(["?"] if found.unsettled else []), *(["none"] if found.perhaps_none else [])]
    return [each.route.rpartition("/")[2] for each in found.rules] + more


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", ["root"]),
        ("/red", ["red"]),
        ("/red/a?b=c", ["red"]),
        ("/redder", ["root"]),
        ("/red/deep", ["deep"]),
    ],
)
@pytest.mark.parametrize("kind", [GATEWAY, INGRESS])
def test_the_closest_path_gets_it(kind: EntryKind, path: str, expected: list[str]) -> None:
    deep = rule("deep", Match("/red/deep", EXACT))
    assert chosen(kind, Request(method="GET", path=path), ROOT, RED, deep) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((RED, rule("get", Match("/red", method="GET"))), ["get"]),
        ((RED, rule("post", Match("/red", method="POST"))), ["red"]),
        ((RED, rule("one", Match("/red", headers=(("X-A", "1"),)))), ["one"]),
        ((RED, rule("two", Match("/red", headers=(("X-A", "2"),)))), ["red"]),
        # What the request says nothing of may be so or not.
        ((RED, rule("b", Match("/red", headers=(("x-b", "1"),)))), ["red", "b"]),
        ((rule("b", Match("/red", headers=(("x-b", "1"),))),), ["b", "none"]),
        ((RED, rule("query", Match("/red", query=(("q", "1"),)))), ["query"]),
        ((RED, rule("query", Match("/red", query=(("q", "2"),)))), ["red"]),
        # Where a pattern stands is left to whoever serves it.
        ((RED, rule("pattern", Match("/r.*", OWN))), ["red", "pattern", "?"]),
        ((rule("pattern", Match("/r.*", OWN)),), ["pattern", "?", "none"]),
        # The older route, then the first by name; none is known to be older without a time.
        (
            (rule("b", created="2024-01-01T00:00:00Z"), rule("a", created="2025-01-01T00:00:00Z")),
            ["b"],
        ),
        (
            (rule("b", created="2024-01-01T00:00:00Z"), rule("a", created="2024-01-01T00:00:00Z")),
            ["a"],
        ),
        ((rule("b"), rule("a")), ["b", "a", "?"]),
        ((rule("a", Match("/red")), rule("a", Match("/red"), Match("/x"))), ["a"]),
    ],
)
def test_what_settles_it_between_like_paths(
    rules: tuple[RouteRule, ...], expected: list[str]
) -> None:
    request = Request(method="GET", path="/red?q=1", headers=(("x-a", "1"),))
    assert chosen(GATEWAY, request, *rules) == expected


def test_a_closer_host_comes_before_a_longer_path() -> None:
    named = rule("named", hosts=("a.example",))
    wild = rule("wild", Match("/red/deep"), hosts=("*.example",))
    request = Request(method="GET", path="/red/deep", host="a.example:443")
    for kind in (GATEWAY, INGRESS):
        assert chosen(kind, request, RED, wild, named) == ["named"]
    # A host that is not told leaves it open which of them it is, and settles what shares hosts.
    untold = Request(method="GET", path="/red")
    other = rule("red", Match("/red"), hosts=("a.example",))
    assert chosen(GATEWAY, untold, named, other, ROOT) == ["red", "root"]


def test_a_star_of_an_ingress_is_one_label() -> None:
    wild = rule("wild", hosts=("*.example",))
    request = Request(method="GET", path="/", host="a.b.example")
    assert chosen(GATEWAY, request, wild) == ["wild"]
    assert chosen(INGRESS, request, wild) == []
