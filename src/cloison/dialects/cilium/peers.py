"""Whom an element of a policy is about: one kind of peer, or everybody where none is written.

A list that is written empty is nobody, whatever stands beside it; lists of names, Services and
groups are the exception: an empty one is as if it were not written.

Source: cilium/cilium pkg/policy/utils (RulesToPolicyEntries), pkg/policy/types.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cloison.base import Span
from cloison.dialects.cilium import blocks, caveats, entities, labels, names, services
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import NODE
from cloison.dialects.cilium.labels import Scope
from cloison.dialects.cilium.model_rules import Element, Fqdn, Selector
from cloison.dialects.cilium.unsettled import U2
from cloison.ir.peers import AllOf, AnyMatch, AnyOf, NamesMatch, NodesMatch, PeerMatch, UnknownMatch
from cloison.ir.policy import Peer


@dataclass(frozen=True, slots=True)
class Peers:
    """Whom an element is about.

    Args:
        peers: Any of these; empty is nobody.
        wildcard: Whether they are everybody because nobody is named, which counts only where
            ports or ICMP types are.
        names: Names that peers outside the cluster are looked up by.
    """

    peers: tuple[Peer, ...] = ()
    wildcard: bool = False
    names: tuple[Fqdn, ...] = ()


def of(element: Element, scope: Scope, *, resolves: bool = True) -> Peers:
    """Return whom an element is about.

    Args:
        element: The element.
        scope: What selectors are read with.
        resolves: Whether Services are looked up: only where elements let through. One that denies
            is left with Services that it never finds. Source: pkg/policy/k8s/service.go.
    """
    lists = (
        element.endpoints,
        element.cidrs,
        element.cidr_sets,
        element.entities,
        element.nodes,
    )
    if any(each is not None and not each for each in lists):
        return Peers()
    found = _nodes_together(tuple(_listed(element, scope)))
    services_ = element.services or ()
    meant = services.meant(services_ if resolves else (), scope.cluster)
    found += meant.peers
    fqdns = element.fqdns or ()
    if any(lists) or fqdns or element.groups or meant.found:
        return Peers(found, names=fqdns)
    if services_:
        return _unresolved(element, scope.cluster)
    return Peers((Peer(AnyMatch(), element.span),), wildcard=True)


def _listed(element: Element, scope: Scope) -> Iterator[Peer]:
    cluster, share = scope.cluster, scope.cluster.share
    for selector in element.endpoints or ():
        span = selector.span or element.span
        yield from (Peer(share(match), span) for match in labels.peers(selector, scope))
    yield from blocks.of_texts(element.cidrs or (), element.span, cluster)
    yield from blocks.of_rules(element.cidr_sets or (), cluster)
    for entity in element.entities or ():
        matches = entities.matches(entity, cluster)
        yield from (Peer(share(match), element.span) for match in matches)
    for selector in element.nodes or ():
        yield from _nodes(selector, selector.span or element.span, cluster)
    if element.groups:
        world = AnyOf((labels.world(4, cluster), labels.world(6, cluster)))
        unknown = UnknownMatch("the addresses of a cloud's groups", caveats.CLOUD_GROUPS)
        yield Peer(AllOf((unknown, world)), element.span)


def _nodes_together(peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
    """Return peers with every node in place of the own and the others, however they are related."""
    both = {*labels.OWN_NODE, *labels.OTHER_NODES}
    if not both <= {each.match for each in peers}:
        return peers
    found = (replace(p, match=NodesMatch()) if p.match in both else p for p in peers)
    return tuple(dict.fromkeys(found))


def _nodes(selector: Selector, span: Span | None, cluster: Cluster) -> Iterator[Peer]:
    """Yield nodes by their labels; the subject's own is never among them."""
    found = labels.nodes(selector, cluster, NODE)
    if found is None:
        return
    wanted, plain = found
    parts: list[PeerMatch] = [NodesMatch(wanted), *labels.OTHER_NODES]
    if not plain:
        parts.append(labels.one(labels.api_server(cluster)))
    yield Peer(cluster.share(AllOf(tuple(parts))), span)


def _unresolved(element: Element, cluster: Cluster) -> Peers:
    """Return whom Services are of which none is there: open where ports are named, else nobody."""
    if cluster.switches.u2 is U2.NOTHING:
        return Peers()
    if cluster.switches.u2 is U2.EVERY_DESTINATION:
        return Peers((Peer(AnyMatch(), element.span),), wildcard=True)
    unknown = UnknownMatch("what Services that are not there select", caveats.SERVICE_UNRESOLVED)
    return Peers((Peer(unknown, element.span),), wildcard=True)


def named(fqdns: Iterable[Fqdn], span: Span | None, cluster: Cluster) -> tuple[Peer, ...]:
    """Return the peers that names stand for, as written."""
    return tuple(
        Peer(NamesMatch((names.pattern(each, cluster),)), each.span or span) for each in fqdns
    )
