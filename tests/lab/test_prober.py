"""The prober against real packet filters and routes: what is told apart, and what is never lost."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from cloison.probe.lab.plan import Measured
from cloison.probe.lab.start import command, surroundings
from tests.lab.bench import LISTENING, ROUTERS, SERVICES, SOURCES, TARGETS, Found

PROHIBITED = "communication administratively prohibited"
BOTH = pytest.mark.parametrize("version", [4, 6])
EACH = pytest.mark.parametrize("protocol", LISTENING)
ANY = pytest.mark.parametrize("protocol", [*LISTENING, "ICMP"])


@pytest.fixture(scope="module")
def found(machine: None) -> Found:
    line = [*command(), "--mount-proc", sys.executable, "-W", "error", "-m", "tests.lab.bench"]
    root = Path(__file__).parents[2]
    done = subprocess.run(line, capture_output=True, check=False, cwd=root, env=surroundings())
    assert done.returncode == 0, done.stderr.decode()
    assert not done.stderr, done.stderr.decode()
    return msgspec.json.decode(done.stdout, type=Found)


def one(
    found: Found,
    target: str,
    protocol: str = "TCP",
    port: int = 80,
    *,
    source: str = "here",
    address: str = "",
    source_port: int = 0,
) -> Measured:
    """The one probe of that kind."""
    address = address or (TARGETS[4] if source == "there" else SOURCES[6 if ":" in target else 4])
    wanted = source, address, target, protocol, port, source_port, None
    (result,) = (m for p, m in found.single if msgspec.structs.astuple(p) == wanted)
    return result


@BOTH
@EACH
def test_who_answered_and_which_peer_it_saw(found: Found, version: int, protocol: str) -> None:
    result = one(found, TARGETS[version], protocol)
    station, address, port = result.detail.split(" ")
    assert result.outcome == "open"
    assert (station, address) == ("there", SOURCES[version])
    assert int(port) >= 32768


@BOTH
def test_an_echo_is_answered(found: Found, version: int) -> None:
    assert one(found, TARGETS[version], "ICMP", 0).outcome == "open"


@BOTH
@EACH
def test_nothing_listens(found: Found, version: int, protocol: str) -> None:
    result = one(found, TARGETS[version], protocol, 90)
    assert result.outcome == "refused"
    if protocol == "UDP":
        assert result.detail.endswith(f"port unreachable from {TARGETS[version]}")


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (4, "ICMP 3/2 protocol unreachable from 10.1.0.1"),
        (6, "ICMPv6 4/1 unrecognized next header from fd01::1"),
    ],
)
def test_nobody_speaks_the_protocol(found: Found, version: int, words: str) -> None:
    result = one(found, ROUTERS[version], "SCTP")
    assert (result.outcome, result.detail) == ("refused", words)


@BOTH
@EACH
def test_a_filter_drops(found: Found, version: int, protocol: str) -> None:
    result = one(found, TARGETS[version], protocol, 81)
    assert (result.outcome, result.detail) == ("dropped", "")
    assert result.attempts >= 2


@BOTH
@EACH
@pytest.mark.parametrize(("port", "words"), [(82, PROHIBITED), (84, "port unreachable")])
def test_a_router_rejects(found: Found, version: int, protocol: str, port: int, words: str) -> None:
    result = one(found, TARGETS[version], protocol, port)
    assert result.outcome == "no-route"
    assert result.detail.endswith(f" {words} from {ROUTERS[version]}")


@BOTH
def test_a_reset_says_nothing_about_who_sent_it(found: Found, version: int) -> None:
    assert one(found, TARGETS[version], "TCP", 83).outcome == "refused"


@BOTH
@EACH
def test_the_filter_of_the_source_drops(found: Found, version: int, protocol: str) -> None:
    result = one(found, TARGETS[version], protocol, 85)
    assert result.outcome == "dropped"
    # A stream's own packets vanish quietly; with all else the sender is told.
    assert (result.detail == "") == (protocol == "TCP")


@BOTH
@EACH
def test_an_address_that_leads_elsewhere(found: Found, version: int, protocol: str) -> None:
    assert one(found, SERVICES[version], protocol).detail.startswith("there ")
    assert one(found, SERVICES[version], protocol, 81).outcome == "dropped"
    assert one(found, SERVICES[version], protocol, 90).outcome == "refused"


@pytest.mark.parametrize(
    ("target", "outcome", "words"),
    [
        ("10.9.1.1", "dropped", ""),
        ("10.9.2.1", "no-route", "ICMP 3/1 host unreachable from 10.1.0.1"),
        ("10.9.3.1", "no-route", f"ICMP 3/13 {PROHIBITED} from 10.1.0.1"),
        ("fd09:1::1", "dropped", ""),
        ("fd09:2::1", "no-route", "ICMPv6 1/0 no route to destination from fd01::1"),
        ("fd09:3::1", "no-route", f"ICMPv6 1/1 {PROHIBITED} from fd01::1"),
    ],
)
def test_routes_of_a_router(found: Found, target: str, outcome: str, words: str) -> None:
    result = one(found, target)
    assert (result.outcome, result.detail) == (outcome, words)


@ANY
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("10.8.1.1", "a route of the source is a blackhole"),
        ("10.8.2.1", "No route to host"),
        ("10.8.3.1", "a route of the source prohibits it"),
    ],
)
def test_routes_of_the_source(found: Found, target: str, words: str, protocol: str) -> None:
    result = one(found, target, protocol)
    assert (result.outcome, result.detail, result.attempts) == ("no-route", words, 1)


@ANY
def test_no_route_at_all(found: Found, protocol: str) -> None:
    result = one(found, "10.200.0.1", protocol, source="there")
    assert (result.outcome, result.detail) == ("no-route", "Network is unreachable")


@ANY
def test_to_oneself(found: Found, protocol: str) -> None:
    assert one(found, TARGETS[4], protocol, source="there").outcome == "open"


@EACH
def test_a_source_port_that_was_asked_for(found: Found, protocol: str) -> None:
    result = one(found, TARGETS[4], protocol, source_port=4444)
    assert result.detail == f"there {SOURCES[4]} 4444"


def test_the_same_port_for_several_at_once(found: Found) -> None:
    assert [m.detail for m in found.alike] == [f"there {SOURCES[4]} 5555"] * 8


@EACH
def test_probes_that_cannot_be_made(found: Found, protocol: str) -> None:
    odd = (
        one(found, TARGETS[4], protocol, address="10.7.7.7"),
        one(found, TARGETS[4], protocol, address="localhost"),
        one(found, "localhost", protocol),
        one(found, TARGETS[6], protocol, address=SOURCES[4]),
        one(found, TARGETS[4], protocol, 70000),
        one(found, TARGETS[4], protocol, source="nowhere", address=SOURCES[4]),
        one(found, TARGETS[4], "DCCP"),
    )
    assert {m.outcome for m in odd} == {"failed"}
    assert all(m.detail for m in odd)


def test_every_closed_port_says_so(found: Found) -> None:
    """None of the answers falls victim to a rate limit."""
    assert Counter(m.outcome for m in found.closed) == {"refused": 300}


def test_thousands_at_once(found: Found) -> None:
    assert len(found.many) == 2000
    assert all(m.outcome == ("open" if p.port == 80 else "dropped") for p, m in found.many)
    assert 3 * sum(m.outcome == "dropped" for _, m in found.many) == pytest.approx(2000, abs=10)


def test_one_attempt_counts_once(found: Found) -> None:
    assert found.once.outcome == "dropped"
    assert found.packets == found.once.attempts


def test_held_connections_feel_a_new_filter(found: Found) -> None:
    stream, datagrams, never = found.held
    assert stream
    assert datagrams
    assert never == 0
    assert found.still == [
        [True, True, False],
        [False, False, False],
        [True, True, False],
        [False, False, False],
    ]


def test_who_asks_by_http_is_answered_by_http(found: Found) -> None:
    status, body = found.fetched
    assert status == 200
    assert body.startswith(f"there {SOURCES[4]} ")
