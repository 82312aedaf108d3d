"""Requests as a lab's proxy reads them, and what it makes of them."""

import pytest
from msgspec import json

from cloison.algebra import Request, RequestSet, StringSet, parse_address
from cloison.probe.lab.http import NotHttpError, answer, read_reply, read_request, written
from cloison.probe.lab.judge import Connection, Judge
from cloison.probe.lab.plan import Ask
from cloison.probe.lab.rulings import Condition, Judgement, NodeProxy, Ruling

ENDS = Connection(parse_address("10.0.0.1"), 40000, parse_address("10.0.0.9"), 80)


def head(*lines: str) -> bytes:
    return "\r\n".join((*lines, "", "")).encode()


def test_a_request_is_read_as_policies_compare_it() -> None:
    lines = ("GET /a?x=1 HTTP/1.1", "Host: api.x:80", "X-Role: a", "x-role: b", "X-Empty:")
    found = read_request(head(*lines))
    headers = (("x-role", "a,b"), ("x-empty", ""))
    assert found.request == Request("http", "GET", "/a?x=1", "api.x:80", headers)
    assert found.body == 0


def test_a_whole_address_says_the_host() -> None:
    found = read_request(head("GET http://api.x/a?b HTTP/1.1", "Host: other"))
    assert (found.request.path, found.request.host) == ("/a?b", "api.x")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("EHLO me",), "no request"),
        (("GET /a b HTTP/1.1",), "no request"),
        (("GET / HTTP/2.0",), "no request"),
        (("POST / HTTP/1.1", "Transfer-Encoding: chunked"), "length"),
        (("POST / HTTP/1.1", "Content-Length: -1"), "no number"),
        (("GET / HTTP/1.1", *(f"a{n}: b" for n in range(200))), "no headers"),
    ],
)
def test_what_is_not_taken_is_said(lines: tuple[str, ...], why: str) -> None:
    with pytest.raises(NotHttpError, match=why):
        read_request(head(*lines))


def test_a_path_that_is_not_utf_8_is_not_taken() -> None:
    with pytest.raises(NotHttpError, match="UTF-8"):
        read_request(b"GET /\xff HTTP/1.1\r\n\r\n")


def test_what_is_sent_on_is_on_a_connection_of_its_own() -> None:
    asked = read_request(head("PUT //a HTTP/1.1", "Host: x", "Connection: keep-alive", "A: b"))
    assert asked.sent_on("/a") == head("PUT /a HTTP/1.1", "Host: x", "A: b", "Connection: close")


def test_what_is_written_can_be_read() -> None:
    ask = Ask("POST", "/a", "api.x", (("X-Role", "admin"),))
    found = read_request(written(ask)).request
    assert (found.method, found.path, found.host) == ("POST", "/a", "api.x")
    assert dict(found.headers)["x-role"] == "admin"


def test_a_reply_is_read_once_it_is_whole() -> None:
    said = answer(403, "Access denied", "node:n1, ingress")
    assert [read_reply(said[:size]) for size in range(len(said))] == [None] * len(said)
    found = read_reply(said)
    assert found is not None
    assert (found.status, found.by, found.text) == (403, "node:n1, ingress", "Access denied")


def proxy(*rulings: Ruling, normalises: bool = True, may: RequestSet | None = None) -> NodeProxy:
    """A proxy as it arrives in the lab's process; the first condition is `GET /v1/.*`."""
    read = RequestSet.http(StringSet.of("GET"), StringSet.pattern("/v1/.*"))
    condition = Condition(read.packed(), None if may is None else may.packed())
    told = NodeProxy((Judgement("ingress", ("10.0.0.9",), rulings),), (condition,), normalises)
    return json.decode(json.encode(told), type=NodeProxy)


def decided(told: NodeProxy, method: str, path: str) -> tuple[bool | None, tuple[str, ...]]:
    found = Judge(told).decide(Request(method=method, path=path, host="x"), ENDS)
    return found.passes, found.keys


GET = Ruling("get", "allow", ("10.0.0.0-10.0.0.3",), ((80, 81),), request=0)
END = Ruling("end", "deny")


def test_the_first_ruling_that_matches_decides() -> None:
    told = proxy(GET, END)
    assert decided(told, "GET", "/v1/a") == (True, ("get",))
    assert decided(told, "POST", "/v1/a") == (False, ("end",))


@pytest.mark.parametrize(
    "other",
    [
        Ruling("get", "allow", ("10.0.0.2-10.0.0.3",), request=0),
        Ruling("get", "allow", None, ((81, 90),), request=0),
        Ruling("get", "allow", None, None, ((1, 1024),), request=0),
    ],
)
def test_rulings_are_about_peers_and_ports(other: Ruling) -> None:
    assert decided(proxy(other, END), "GET", "/v1/a") == (False, ("end",))


def test_who_passes_goes_on_behind_the_end_of_the_tier() -> None:
    passing = Ruling("pass", "pass", request=0, onward=2)
    told = proxy(passing, END, Ruling("later", "allow"))
    assert decided(told, "GET", "/v1/a") == (True, ("later",))
    assert decided(told, "GET", "/") == (False, ("end",))


def test_paths_are_compared_in_one_form_or_as_they_are_sent() -> None:
    assert decided(proxy(GET, END), "GET", "/x/../v1/a")[0]
    assert not decided(proxy(GET, END, normalises=False), "GET", "/x/../v1/a")[0]
    assert Judge(proxy(GET)).path(Request(path="//v1/./a")) == "/v1/a"


def test_of_what_nobody_can_say_nothing_is_said() -> None:
    told = proxy(GET, END, may=RequestSet.http(StringSet.of("POST")))
    assert decided(told, "POST", "/v1/a") == (None, ("get",))


def test_connections_of_others_pass() -> None:
    told = NodeProxy((Judgement("egress", ("10.0.0.9",), (END,)),), (), normalises=True)
    assert Judge(told).decide(Request(method="GET", path="/"), ENDS).passes
