"""What a question says of the application, read and refused."""

import pytest

from cloison.algebra import Request
from cloison.analyses.application import Application, Said
from cloison.analyses.question import parse_traffic
from cloison.base import QuestionError


@pytest.mark.parametrize(
    ("said", "request_"),
    [
        ({}, None),
        ({"http": "GET /a"}, Request(method="GET", path="/a")),
        ({"http": "/a"}, Request(path="/a")),
        ({"http": "BREW"}, Request(method="BREW")),
        (
            {"http": '{"method": "GET", "host": "a:80", "headers": {"X-Role": "b", "y": null}}'},
            Request(method="GET", host="a:80", headers=(("x-role", "b"), ("y", None))),
        ),
        ({"grpc": "shop.v1.Cart/Add"}, Request(method="POST", path="/shop.v1.Cart/Add")),
        ({"grpc": "/Cart/Add"}, Request(method="POST", path="/Cart/Add")),
        ({"sni": "API.example.com."}, Request(kind=None, sni="api.example.com")),
        ({"dns": "_x._tcp.Example.com"}, Request(kind="dns", name="_x._tcp.example.com")),
        ({"http": "GET", "sni": "a.b"}, Request(method="GET", sni="a.b")),
        ({"grpc": "C/A", "sni": "a.b"}, Request(method="POST", path="/C/A", sni="a.b")),
    ],
)
def test_requests_are_read(said: Said, request_: Request | None) -> None:
    assert Application(**said).request() == request_


@pytest.mark.parametrize(
    "said",
    [
        {"http": ""},
        {"http": "{}"},
        {"http": '{"verb": "GET"}'},
        {"http": '{"method": 1}'},
        {"http": '{"method": "GET", "headers": ["a"]}'},
        {"http": '{"method": "GET", "headers": {"a b": "c"}}'},
        {"http": '{"method": "GET", "headers": {"A": "c", "a": "c"}}'},
        {"http": '{"method": "GET", "headers": {"a": "c\\n"}}'},
        {"http": '{"host": "a/b"}'},
        {"http": "GET " + "/a" * 5000},
        {"grpc": "Cart"},
        {"grpc": "a b/c"},
        {"sni": "*.example.com"},
        {"sni": ""},
        {"dns": "a..b"},
        {"dns": "a." * 200},
        {"http": "GET /", "grpc": "a/b"},
        {"dns": "a.b", "sni": "a.b"},
        {"dns": "a.b", "http": "GET /"},
    ],
)
def test_what_is_no_request_is_refused_with_help(said: Said) -> None:
    with pytest.raises(QuestionError) as caught:
        Application(**said).request()
    assert caught.value.help


def test_requests_go_over_what_can_carry_them() -> None:
    tcp, udp = parse_traffic("443"), parse_traffic("53/UDP")
    every, named = parse_traffic(None), parse_traffic("http")
    http, dns = Application(http="GET /"), Application(dns="a.b")
    assert str(http.over(every).traffic) == "TCP"
    assert str(dns.over(every).traffic) == "TCP, UDP"
    assert http.over(tcp) == tcp
    assert dns.over(udp) == udp
    assert http.over(named) == named
    assert Application().over(udp) == udp
    for said in (http, Application(sni="a.b"), Application(grpc="a/b")):
        with pytest.raises(QuestionError, match="over UDP/53"):
            said.over(udp)
    with pytest.raises(QuestionError, match="no name is looked up over"):
        dns.over(parse_traffic("icmp"))


def test_it_is_written_as_options_of_the_command_line() -> None:
    said = Application(http="GET /a b", sni="a.b")
    assert said.options == " --http 'GET /a b' --sni a.b"
    assert said.said == {"http": "GET /a b", "sni": "a.b"}
