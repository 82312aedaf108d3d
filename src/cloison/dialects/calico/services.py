"""Services in rules: the endpoints that EndpointSlices list.

Source: projectcalico/calico felix/serviceindex/serviceindex.go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import (
    ANY,
    NO_ADDRESSES,
    NO_TRAFFIC,
    PORT_PROTOCOLS,
    AddressSet,
    LabelSelector,
    TrafficSet,
)
from cloison.dialects.calico import caveats
from cloison.dialects.calico.entities import Choice
from cloison.ir.fidelity import Caveat
from cloison.ir.groups import exactly
from cloison.ir.peers import PodsMatch, UnknownMatch
from cloison.ir.policy import EVERY_TRAFFIC, NamedPort, TrafficMatch
from cloison.resources.objects import EndpointSlice, Service, ServicePort
from cloison.resources.world import World


@dataclass(frozen=True, slots=True)
class Backends:
    """Endpoints of a Service that listen alike.

    Args:
        choice: Who they are.
        traffic: What they listen on.
        caveats: What an answer that rests on them carries.
    """

    choice: Choice
    traffic: TrafficMatch
    caveats: tuple[Caveat, ...] = ()


def backends(namespace: str, name: str, world: World) -> tuple[Backends, ...]:
    """Return the endpoints of a Service. Whether they are ready does not count.

    Args:
        namespace: Where the Service lives.
        name: Its name.
        world: What is in the input: EndpointSlices, or else the Service itself.
    """
    mine = [each for each in world.slices if (each.namespace, each.service) == (namespace, name)]
    if mine:
        return tuple(_sliced(mine))
    service = world.services.get((namespace, name))
    if service is not None and not service.selector and world.slices:
        return ()  # its endpoints are kept by hand, and the input has slices but none of its own
    if service is None or not service.selector:
        text = f"the endpoints of Service {namespace}/{name}"
        unknown = UnknownMatch(text, caveats.SERVICE_UNKNOWN)
        return (Backends((unknown,), EVERY_TRAFFIC, (caveats.SERVICE_UNKNOWN,)),)
    match = PodsMatch(namespace, pods=LabelSelector.of(service.selector))
    return (Backends((match,), _targets(service), (caveats.SERVICE_BACKENDS,)),)


def _sliced(slices: Sequence[EndpointSlice]) -> Iterator[Backends]:
    """Yield the endpoints that listen on the same ports, slices put together."""
    found: dict[tuple[ServicePort, ...], AddressSet] = {}
    for each in slices:
        addresses = found.get(each.ports, NO_ADDRESSES)
        for endpoint in each.endpoints:
            for text in endpoint.addresses:
                try:
                    addresses |= AddressSet.address(text)
                except ValueError:
                    continue  # an FQDN slice
        found[each.ports] = addresses
    for ports, addresses in found.items():
        listening = NO_TRAFFIC
        for port in ports:
            if port.protocol in PORT_PROTOCOLS:
                listening |= TrafficSet.ports(port.protocol, port.port)
        yield Backends(exactly(addresses), TrafficMatch(listening))


def _targets(service: Service) -> TrafficMatch:
    """Return what the pods of a Service listen on."""
    must, named = NO_TRAFFIC, []
    for port in service.ports:
        if port.protocol not in PORT_PROTOCOLS:
            continue
        if isinstance(port.target, str):
            named.append(NamedPort(port.target, port.protocol))
        else:
            must |= TrafficSet.ports(port.protocol, port.target or port.port)
    return TrafficMatch(must, named=tuple(named))


def only(match: TrafficMatch, about: TrafficSet) -> TrafficMatch:
    """Return those of some traffic that are of certain protocols."""
    if about == ANY:
        return match
    named = tuple(
        each
        for each in match.named
        if each.protocol is None or TrafficSet.protocol(each.protocol) <= about
    )
    return TrafficMatch(match.must & about, named=named)
