"""A stream of Hubble Relay from a real gRPC server on the loopback address."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

import pytest

from cloison.base import SourceError
from cloison.flows.relay import Relay, Tls, Wanted, stream
from cloison.flows.schema import Coverage, Flow, Record
from tests.support.relay import Ring, flow, kill, message, moment, serving

grpc = pytest.importorskip("grpc")
trustme = pytest.importorskip("trustme")

NAME = "ui.hubble-relay.cilium.io"


def _all(relay: Relay, wanted: Wanted | None = None, **more: Any) -> list[Record]:
    told = stream(relay, wanted or Wanted(since=0), pause=_no_pause, **more)
    return [record for records in told for record in records]


def _no_pause(_seconds: float) -> None:
    """Tests wait for nothing."""


def _ids(records: list[Record]) -> list[str | None]:
    return [record.obs_id for record in records if isinstance(record, Flow)]


def _coverage(records: list[Record]) -> list[Coverage]:
    return [record for record in records if isinstance(record, Coverage)]


def _flows(first: int, last: int, node: str = "c/a") -> list[Any]:
    return [flow(node, 1000.0 + number, f"{node}-{number}") for number in range(first, last)]


def _named(first: int, last: int, node: str = "c/a") -> list[str]:
    return [f"{node}-{number}" for number in range(first, last)]


def test_flows_become_rows() -> None:
    ring = Ring(
        [flow("c/a", 1000.25, "u1", destination_service={"name": "api", "namespace": "shop"})]
    )
    with serving(ring) as (port, _):
        (row,) = _all(Relay(f"127.0.0.1:{port}"))
    assert isinstance(row, Flow)
    assert (row.time, row.verdict, row.event, row.node) == (1_000_250_000, "allowed", "trace", "a")
    assert (row.src_pod, row.dst_pod, row.dst_port) == ("web-6b687c8dcb-zn5s2", "api-0", 8080)
    assert (row.svc_name, row.is_reply, row.opens, row.obs_id) == ("api", False, True, "u1")


def test_what_is_asked_for() -> None:
    ring = Ring()
    with serving(ring) as (port, _):
        relay = Relay(f"127.0.0.1:{port}")
        _all(relay, Wanted(since=1_500_000, until=2_000_001))
        _all(relay, Wanted(last=7))
    assert ring.asked[0].since.seconds == 1
    assert ring.asked[0].since.nanos == 500_000_000
    assert (ring.asked[0].until.seconds, ring.asked[0].until.nanos) == (2, 1000)
    assert (ring.asked[1].number, ring.asked[1].HasField("since")) == (7, False)
    assert not ring.asked[1].follow


def test_mutual_tls_and_its_failures() -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    server = ours.issue_cert("*.hubble-relay.cilium.io")
    client, stranger = ours.issue_cert("cloison.example"), theirs.issue_cert("cloison.example")
    keys = grpc.ssl_server_credentials(
        [(server.private_key_pem.bytes(), server.cert_chain_pems[0].bytes())],
        ours.cert_pem.bytes(),
        require_client_auth=True,
    )

    def tls(ca: Any, who: Any, name: str = NAME) -> Tls:
        cert = who and who.cert_chain_pems[0].bytes()
        return Tls(ca.cert_pem.bytes(), cert, who and who.private_key_pem.bytes(), name)

    with serving(Ring(_flows(0, 3)), keys) as (port, _):
        address = f"127.0.0.1:{port}"
        assert _ids(_all(Relay(address, tls(ours, client)))) == _named(0, 3)
        for bad in (
            tls(theirs, client),  # a server that we do not know
            tls(ours, client, "relay.example"),  # one of another name
            tls(ours, stranger),  # a server that does not know us
            tls(ours, None),  # or wants to
            None,  # nothing is encrypted
        ):
            with pytest.raises(SourceError, match="cannot be reached"):
                _all(Relay(address, bad))


def test_a_server_that_restarts_loses_nothing_and_counts_nothing_twice() -> None:
    ring = Ring(_flows(0, 6), busy=True)
    with ExitStack() as stack:
        port, server = stack.enter_context(serving(ring))
        told = stream(Relay(f"127.0.0.1:{port}"), Wanted(since=0), pause=_no_pause)
        found = [record for records in islice(told, 6) for record in records]
        kill(server, ring)
        # What happens in the meantime.
        later = Ring([*ring.held, *_flows(6, 10)])
        stack.enter_context(serving(later, port=port))
        found += [record for records in told for record in records]
    assert _ids(found) == _named(0, 10)
    assert not _coverage(found)
    assert later.asked[0].since.seconds == 1005 - 10


def test_a_connection_that_breaks_again_and_again() -> None:
    held = [one for pair in zip(_flows(0, 20), _flows(0, 20, "c/b"), strict=True) for one in pair]
    ring = Ring(held, cuts=[3, 0, 7, 30, 30])
    with serving(ring) as (port, _):
        found = _all(Relay(f"127.0.0.1:{port}"))
    assert sorted(_ids(found), key=str) == sorted(_named(0, 20) + _named(0, 20, "c/b"))
    assert not _coverage(found)
    assert len(ring.asked) == 6


def test_flows_without_ids_are_as_many_as_they_were() -> None:
    alike = [flow("c/a", 1000.0) for _ in range(3)]
    ring = Ring([*alike, flow("c/a", 1001.0)], cuts=[2, 3])
    with serving(ring) as (port, _):
        found = _all(Relay(f"127.0.0.1:{port}"))
    assert [record.time for record in found if isinstance(record, Flow)] == [
        *[1_000_000_000] * 3,
        1_001_000_000,
    ]


def test_a_clock_that_is_ahead_hides_no_flows_of_others() -> None:
    ahead = flow("c/fast", 5000.0, "fast")
    ring = Ring([*_flows(0, 2), ahead], cuts=[3])
    ring.held = [ahead, *_flows(0, 4)]
    with serving(ring) as (port, _):
        found = _all(Relay(f"127.0.0.1:{port}"))
    assert _ids(found) == ["fast", *_named(0, 4)]


def test_what_a_ring_buffer_overwrote_meanwhile_is_not_covered() -> None:
    ring = Ring(_flows(0, 3), busy=True)
    with ExitStack() as stack:
        port, server = stack.enter_context(serving(ring))
        told = stream(Relay(f"127.0.0.1:{port}"), Wanted(since=0), pause=_no_pause)
        found = [record for records in islice(told, 3) for record in records]
        kill(server, ring)
        stack.enter_context(serving(Ring(_flows(50, 52)), port=port))
        found += [record for records in told for record in records]
    (gap,) = _coverage(found)
    assert (gap.node, gap.since, gap.until) == ("a", 1_002_000_000, 1_050_000_000)
    assert "ring buffer" in gap.reason
    assert _ids(found) == _named(0, 3) + _named(50, 52)


def test_losses_and_nodes_that_are_away_are_told_once() -> None:
    lost = {"source": 1, "num_events_lost": 12, "first": moment(1000.5), "last": moment(1001)}
    gone = {"state_change": 2, "node_names": ["c/b", "c/d"], "message": "no route"}
    held = [
        *_flows(0, 2),
        message("c/a", 1001.5, lost_events=lost),
        message("c/relay", 1001.6, node_status=gone),
        *_flows(2, 4),
    ]
    ring = Ring(held, cuts=[5])
    with serving(ring) as (port, _):
        found = _all(Relay(f"127.0.0.1:{port}"))
    assert _ids(found) == _named(0, 4)
    assert _coverage(found) == [
        Coverage(
            since=1_000_500_000,
            until=1_001_000_000,
            node="a",
            lost=12,
            reason="lost in PERF_EVENT_RING_BUFFER",
        ),
        Coverage(since=1_001_600_000, node="b", reason="NODE_UNAVAILABLE: no route"),
        Coverage(since=1_001_600_000, node="d", reason="NODE_UNAVAILABLE: no route"),
    ]


def test_following_goes_on_when_a_server_ends_a_stream_in_order() -> None:
    ring = Ring(_flows(0, 3))
    with serving(ring) as (port, _):
        relay = Relay(f"127.0.0.1:{port}")
        told = stream(relay, Wanted(since=0, follow=True), pause=_no_pause)
        found = [record for records in islice(told, 3) for record in records]
        ring.held += _flows(3, 5)
        found += [record for records in islice(told, 2) for record in records]
        told.close()
    assert _ids(found) == _named(0, 5)
    assert ring.asked[0].follow


def test_streams_that_tell_nothing_are_asked_for_ever_less_often() -> None:
    pauses: list[float] = []
    ring = Ring(_flows(0, 1), cuts=[1, *[0] * 9])
    with serving(ring) as (port, _):
        relay = Relay(f"127.0.0.1:{port}", patience=62)
        told = stream(relay, Wanted(since=0), pause=pauses.append)
        assert len(list(islice(told, 1))) == 1
        with pytest.raises(SourceError, match="cannot be reached"):
            next(told)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED"])
def test_a_refusal_is_final(code: str) -> None:
    ring = Ring(cuts=[0, 0], code=grpc.StatusCode[code])
    with serving(ring) as (port, _), pytest.raises(SourceError, match=code) as caught:
        _all(Relay(f"127.0.0.1:{port}"))
    assert caught.value.help
    assert len(ring.asked) == 1


def test_nobody_there() -> None:
    with serving(Ring()) as (port, _):
        pass
    with pytest.raises(SourceError, match="cannot be reached: UNAVAILABLE") as caught:
        _all(Relay(f"127.0.0.1:{port}"))
    assert "hubble-relay" in (caught.value.help or "")


class _Garbage:
    """What is no message: it ends in the middle of a field."""

    time = message("", 0).time

    SerializeToString = staticmethod(lambda: b"\x0a\xff\x01")


def _unreadable() -> Iterator[Any]:
    yield _Garbage()
    yield flow("c/a", 1001.0, "port", l4={"TCP": {"source_port": 70_000}})
    yield message("c/a", 1002.0, flow={"time": {"seconds": 1 << 60}, "uuid": "far", "verdict": 1})


def test_what_cannot_be_read_is_counted_as_lost() -> None:
    ring = Ring([flow("c/a", 1000.0, "one"), *_unreadable(), flow("c/a", 1003.0, "two")])
    with serving(ring) as (port, _):
        found = _all(Relay(f"127.0.0.1:{port}"), Wanted())
    assert _ids(found) == ["one", "two"]
    assert [one.lost for one in _coverage(found)] == [1, 1, 1]
    assert all("could not be read" in one.reason for one in _coverage(found))
