"""How a set of traffic is called, where nearly all of it is meant."""

import pytest

from cloison.algebra import ANY, TrafficSet

HTTP = TrafficSet.ports("TCP", 80)
L4 = TrafficSet.protocol("TCP") | TrafficSet.protocol("UDP") | TrafficSet.protocol("SCTP")


@pytest.mark.parametrize(
    ("traffic", "said"),
    [
        (ANY, "any"),
        (ANY - HTTP, "any but TCP/80"),
        (ANY - HTTP - TrafficSet.ports("UDP", 53, 54), "any but TCP/80, UDP/53-54"),
        (ANY - L4, "any but TCP, UDP, SCTP"),
        (ANY - TrafficSet.icmp(8), "any but ICMP/type 8"),
        (L4, "any TCP, UDP or SCTP"),
        (L4 - HTTP, "TCP/1-79,81-65535, UDP, SCTP"),
        (HTTP | TrafficSet.protocol(50), "TCP/80, 50"),
    ],
)
def test_what_is_left_out_is_said_where_that_is_less(traffic: TrafficSet, said: str) -> None:
    assert str(traffic) == said
