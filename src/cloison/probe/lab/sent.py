"""What a probe sends, as traffic."""

from cloison.algebra import TrafficSet

_ECHO = {4: TrafficSet.icmp(8, 0), 6: TrafficSet.icmp(128, 0, 6)}


def probe_traffic(protocol: str, port: int, family: int) -> TrafficSet:
    """Return what a probe sends; of ICMP an echo request."""
    if protocol != "ICMP":
        return TrafficSet.ports(protocol, port)
    return _ECHO[family]
