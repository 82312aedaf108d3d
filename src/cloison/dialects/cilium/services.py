"""Services that rules name: `toServices`.

A Service with a selector stands for the pods that the selector finds, whatever its ports. One
without stands for the addresses of its endpoints, as blocks do.

Source: cilium/cilium pkg/policy/k8s/service.go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import LabelSelector
from cloison.base import Span
from cloison.dialects.cilium import caveats, labels
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import ANY, K8S
from cloison.dialects.cilium.model_rules import Requirement, ServiceRef
from cloison.dialects.reading.blocks import together
from cloison.ir.groups import exactly
from cloison.ir.peers import AnyOf, PeerMatch, UnknownMatch
from cloison.ir.policy import Peer
from cloison.resources.objects import Service


@dataclass(frozen=True, slots=True)
class Meant:
    """What `toServices` comes to.

    Args:
        peers: Whom the Services that were found stand for.
        found: Whether any was found that stands for anybody.
    """

    peers: tuple[Peer, ...]
    found: bool


def meant(refs: Sequence[ServiceRef], cluster: Cluster) -> Meant:
    """Return whom some references stand for."""
    found: list[Peer] = []
    for ref in refs:
        for service in _services(ref, cluster):
            found += _peers(service, ref.span, cluster)
    return Meant(tuple(found), bool(found))


def _services(ref: ServiceRef, cluster: Cluster) -> Iterator[Service]:
    for (namespace, name), service in cluster.world.services.items():
        if ref.namespace not in (None, "", namespace) or service.redirected:
            continue
        if name == ref.name if ref.selector is None else _selected(ref, service):
            yield service


def _selected(ref: ServiceRef, service: Service) -> bool:
    requirements = ref.selector.requirements if ref.selector is not None else ()
    return all(
        labels.asked(each).matches(service.labels if each.source in (ANY, K8S) else {})
        for each in requirements
    )


def _peers(service: Service, span: Span | None, cluster: Cluster) -> Iterator[Peer]:
    if service.selector:
        own = LabelSelector.of(service.selector).requirements
        wanted = [Requirement(K8S, each.key, each.operator, each.values) for each in own]
        pods = labels.pods((*wanted, labels.in_namespace(service.namespace)), cluster)
        # A selector on labels that policies do not see is there, and finds nobody.
        yield from (Peer(match, span) for match in pods or (AnyOf(()),))
        return
    mine = [
        each
        for each in cluster.world.slices
        if (each.namespace, each.service) == (service.namespace, service.name)
    ]
    matches: tuple[PeerMatch, ...]
    if mine:
        texts = (text for each in mine for end in each.endpoints for text in end.addresses)
        matches = exactly(together(texts))
    else:
        reason = f"the endpoints of Service {service.namespace}/{service.name}"
        matches = (UnknownMatch(reason, caveats.SERVICE_ENDPOINTS),)
    yield from (Peer(match, span) for match in matches)
