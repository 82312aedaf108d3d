"""`cloison flows ingest relay://...`, as it is typed, against a real gRPC server."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import plain_environment, run_here
from tests.support.relay import Ring, flow, message, moment, serving

grpc = pytest.importorskip("grpc")
trustme = pytest.importorskip("trustme")

NAME = "ui.hubble-relay.cilium.io"
START = 1_767_323_000


@dataclass
class Place:
    """A directory with keys, and what a server needs of these."""

    path: Path
    keys: Any

    def run(self, line: str, code: int = 0) -> str:
        """Run a command about flows; return what it prints, or says where it fails."""
        ran = run_here(("flows", *line.split()), self.path, plain_environment())
        assert ran.exit == code, ran.err
        return ran.out if code == 0 else ran.err

    def ingest(self, port: int, *, without: str = "", code: int = 0) -> str:
        """Read what a relay tells, with all its options but one."""
        told = {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem", "server-name": NAME}
        options = " ".join(f"--{name} {told[name]}" for name in told if name != without)
        return self.run(f"ingest relay://127.0.0.1:{port} --tls {options}", code)


@pytest.fixture
def here(tmp_path: Path) -> Place:
    authority = trustme.CA()
    server = authority.issue_cert("*.hubble-relay.cilium.io")
    client = authority.issue_cert("cloison.example")
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    (tmp_path / "cert.pem").write_bytes(client.cert_chain_pems[0].bytes())
    (tmp_path / "key.pem").write_bytes(client.private_key_pem.bytes())
    keys = grpc.ssl_server_credentials(
        [(server.private_key_pem.bytes(), server.cert_chain_pems[0].bytes())],
        authority.cert_pem.bytes(),
        require_client_auth=True,
    )
    return Place(tmp_path, keys)


def _flows(first: int, last: int) -> list[Any]:
    return [
        flow(
            "east/node-1",
            START + number,
            f"flow-{number}",
            l4={"TCP": {"source_port": 40_000 + number, "destination_port": 8080}},
        )
        for number in range(first, last)
    ]


def test_a_relay_that_breaks_and_loses_is_read_and_gone_on_with(here: Place) -> None:
    span = {"first": moment(START + 3), "last": moment(START + 4)}
    lost = {"source": 3, "num_events_lost": 12, **span}
    ring = Ring([*_flows(0, 4), message("east/node-1", START + 4, lost_events=lost), *_flows(5, 8)])
    ring.cuts = [3]
    with serving(ring, here.keys) as (port, _):
        assert "7 new flows" in here.ingest(port)
        assert len(ring.asked) == 2
        assert ring.asked[1].since.seconds >= START + 2 - 10

        ring.held += _flows(8, 10)
        assert "2 new flows" in here.ingest(port)
        assert ring.asked[2].since.seconds == START + 7 - 10
    status = here.run("status")
    assert "9 flows in" in status
    assert "node node-1" in status
    assert "12 events lost: lost in HUBBLE_RING_BUFFER" in status
    (said,) = json.loads(here.run("status -o json"))["lost"]
    assert (said["node"], said["events"]) == ("node-1", 12)
    (counted,) = json.loads(here.run("top -o json"))["lines"]
    assert (counted["source"], counted["destination"], counted["count"]) == (
        "shop/web",
        "shop/api",
        9,
    )


@pytest.mark.parametrize("without", ["ca", "server-name"])
def test_a_relay_that_nobody_vouches_for_is_not_read(here: Place, without: str) -> None:
    with serving(Ring(_flows(0, 3)), here.keys) as (port, _):
        assert "cannot be reached" in here.ingest(port, without=without, code=2)
        # Nothing half done is in the way of doing it right.
        assert "3 new flows" in here.ingest(port)


def _told(node: str, first: int, last: int, ahead: int = 0) -> list[Any]:
    return [
        flow(
            f"c/{node}",
            START + number + ahead,
            f"{node}-{number + ahead}",
            l4={"TCP": {"source_port": 20_000 + number, "destination_port": 8080}},
        )
        for number in range(first, last)
    ]


def _new(here: Place, *ports: int) -> list[str]:
    return [here.run(f"ingest relay://127.0.0.1:{port}").splitlines()[-1] for port in ports]


def test_each_relay_goes_on_where_it_was_itself(tmp_path: Path) -> None:
    """Whatever another one, or a file, told of later times."""
    here = Place(tmp_path, None)
    east, west = Ring(_told("n1", 0, 10)), Ring(_told("n2", 600, 610))
    with serving(east) as (one, _), serving(west) as (other, _):
        assert _new(here, one, other) == ["10 new flows in .cloison/flows"] * 2
        east.held += [*_told("n1", 10, 300), *_told("n1", 600, 620)]
        assert _new(here, one, other) == [f"{n} new flows in .cloison/flows" for n in (310, 0)]
        assert east.asked[-1].since.seconds == START + 9 - 10
    assert "330 flows in" in here.run("status")


def test_a_clock_that_is_ahead_hides_nothing(tmp_path: Path) -> None:
    here = Place(tmp_path, None)
    ahead = _told("n2", 0, 2, 100 * 366 * 86_400)
    ring = Ring([*_told("n1", 0, 10), *ahead])
    with serving(ring) as (port, _):
        assert _new(here, port) == ["12 new flows in .cloison/flows"]
        ring.held += [*_told("n1", 10, 110), *_told("n2", 50, 53)]
        assert _new(here, port, port) == [f"{n} new flows in .cloison/flows" for n in (103, 0)]


def test_a_node_that_is_heard_for_the_first_time_tells_all_it_holds(tmp_path: Path) -> None:
    here = Place(tmp_path, None)
    ring = Ring(_told("n1", 0, 100))
    with serving(ring) as (port, _):
        assert _new(here, port) == ["100 new flows in .cloison/flows"]
        ring.held += _told("n2", 20, 110)
        assert _new(here, port, port) == [f"{n} new flows in .cloison/flows" for n in (90, 0)]
        assert [each.since.seconds for each in ring.asked] == [0, START + 89, 0, START + 89]


def test_a_node_that_was_away_for_days_goes_on_where_it_was(tmp_path: Path) -> None:
    """And what its ring no longer holds is told as a gap."""
    here = Place(tmp_path, None)
    ring = Ring([*_told("n2", 0, 20), *_told("n1", 0, 10, 3 * 86_400)])
    with serving(ring) as (port, _):
        _new(here, port)
        ring.held += [*_told("n2", 20, 30), *_told("n2", 10, 15, 3 * 86_400)]
        assert _new(here, port) == ["15 new flows in .cloison/flows"]
        assert json.loads(here.run("status -o json"))["lost"] == []
        ring.held = [*_told("n1", 10, 12, 3 * 86_400), *_told("n2", 0, 5, 4 * 86_400)]
        assert _new(here, port) == ["7 new flows in .cloison/flows"]
        lost = {each["node"] for each in json.loads(here.run("status -o json"))["lost"]}
        assert "n2" in lost
