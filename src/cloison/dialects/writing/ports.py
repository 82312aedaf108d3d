"""Traffic of a rule in the pieces that rules are written in: a protocol and its ports."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloison.algebra import ANY, L4, MAX_PORT, PORT_PROTOCOLS, TrafficSet
from cloison.dialects.writing.errors import UnsayableError
from cloison.ir.policy import TrafficMatch

_CODES = 255
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Ports:
    """Traffic of one protocol, or all there is.

    Args:
        protocol: `TCP`, `ICMP`, a number as text; None for everything, or where a port by
            name may have any.
        numbers: Ranges of ports, inclusive; empty for all of them, unless there are names.
        named: Ports by name.
        icmp: An ICMP type, and perhaps a code.
    """

    protocol: str | None = None
    numbers: tuple[tuple[int, int], ...] = ()
    named: tuple[str, ...] = ()
    icmp: tuple[int, ...] | None = None


def everything(traffic: TrafficMatch) -> bool:
    """Return whether a rule leaves traffic to itself: all of it, as far as it is defined."""
    return traffic.must == ANY or (traffic.must == L4 and traffic.may == ANY - L4)


def only_with_ports(traffic: TrafficSet) -> None:
    """Check that traffic is of protocols with ports, which is all that some languages know.

    Raises:
        UnsayableError: Some is not.
    """
    beyond = traffic - L4
    if not beyond:
        return
    few = len(list(beyond.entries())) <= _SHOWN
    what = str(beyond) if few else "protocols besides TCP, UDP and SCTP without all of these"
    raise UnsayableError(
        f"the language has no words for {what}",
        "icmp",
        "notICMP",
        "notProtocol",
        "protocol",
        "notPorts",
        "action",
    )


def port_groups(traffic: TrafficMatch) -> Sequence[Ports]:
    """Return the traffic of a rule, protocol by protocol.

    Raises:
        ValueError: Some of it is no whole protocol, range of ports or type of ICMP.
    """
    if everything(traffic):
        return (Ports(),)
    found: list[Ports] = []
    for protocol in PORT_PROTOCOLS:
        whole = TrafficSet.protocol(protocol)
        part = traffic.must & whole
        named = tuple(n.name for n in traffic.named if n.protocol == protocol)
        if part == whole:
            found.append(Ports(protocol))
        elif part or named:
            ranges = tuple((e.low or 1, e.high or MAX_PORT) for e in part.entries())
            found.append(Ports(protocol, ranges, named))
    for entry in (traffic.must - L4).entries():
        if entry.low is None or entry.high is None:
            found.append(Ports(entry.protocol))
        elif entry.low == entry.high:
            found.append(Ports(entry.protocol, icmp=divmod(entry.low, 256)))
        elif entry.low % 256 == 0 and entry.high == entry.low + _CODES:
            found.append(Ports(entry.protocol, icmp=(entry.low // 256,)))
        else:
            msg = f"{entry.protocol} in part"
            raise ValueError(msg)
    free = tuple(n.name for n in traffic.named if n.protocol is None)
    if free:
        found.append(Ports(None, (), free))
    return found
