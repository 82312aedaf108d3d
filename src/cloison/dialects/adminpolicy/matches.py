"""From peers and ports of the model to matches of the IR."""

import ipaddress
from collections.abc import Iterator

from cloison.algebra import (
    ANY,
    EVERYTHING,
    FAMILY,
    NO_TRAFFIC,
    AddressSet,
    LabelSelector,
    Operator,
    Requirement,
    TrafficSet,
)
from cloison.base import Sharing
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.terms import PROTOCOLS, usable
from cloison.dialects.reading.negative import beyond
from cloison.dialects.reading.selectors import compile_selector
from cloison.ir.caveats import RULE_UNUSABLE
from cloison.ir.names import names_below
from cloison.ir.peers import (
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NodesMatch,
    PeerMatch,
    PodsMatch,
    UnknownMatch,
)
from cloison.ir.policy import EVERY_TRAFFIC, NamedPort, Peer, TrafficMatch
from cloison.ir.profile import Profile
from cloison.resources.objects import NAMESPACE_NAME_LABEL


def compile_peer(peer: model.Peer, profile: Profile, share: Sharing) -> Iterator[Peer]:
    """Iterate over whom a peer matches; a list of blocks comes to one match each."""
    if unusable_peer(peer):
        text = "a selector that no enforcer can use"
        yield Peer(UnknownMatch(text, RULE_UNUSABLE), peer.span)
    elif peer.namespaces is not None:
        selector = compile_selector(peer.namespaces)
        match: PeerMatch = share(PodsMatch(namespaces=selector))
        if profile.groups_prefix is not None:
            groups = GroupsMatch(_prefixed(selector, profile.groups_prefix))
            match = share(AnyOf((match, groups)))
        more = beyond(PodsMatch(namespaces=selector), profile.reading, clustered=False)
        # A cluster is only demanded of pods. Source: pkg/k8s/cluster_network_policy.go.
        found = (match, *map(share, more))
        yield from (Peer(each, peer.span, any_cluster=True) for each in found)
    elif peer.pods is not None:
        pods = selected(model.Subject(pods=peer.pods))
        yield Peer(share(pods), peer.span)
        yield from (Peer(share(each), peer.span) for each in beyond(pods, profile.reading))
    elif peer.nodes is not None:
        yield Peer(share(NodesMatch(compile_selector(peer.nodes))), peer.span)
    elif peer.domain_names is not None:
        names = tuple(sorted({names_below(name) for name in peer.domain_names}))
        yield Peer(share(NamesMatch(names)), peer.span)
    else:
        for text in peer.networks or ():
            yield Peer(share(compile_block(text)), peer.span)


def compile_block(text: str) -> BlockMatch:
    """Return the addresses of a block.

    Raises:
        ValueError: it is no address block.
    """
    addresses = AddressSet.block(str(ipaddress.ip_network(text, strict=False)))
    return BlockMatch(addresses, text, whole=addresses in FAMILY.values())


def compile_traffic(rule: model.Rule) -> tuple[TrafficMatch, bool]:
    """Return the traffic that a rule matches, and whether an entry of it is unusable.

    Without ports or protocols it is all traffic, ICMP and the rest included.
    """
    if rule.ports is None and rule.protocols is None:
        return EVERY_TRAFFIC, False
    must = may = NO_TRAFFIC
    names: list[str] = []
    for port in rule.ports or ():
        if port.named_port is not None:
            names.append(port.named_port)
        sure, perhaps = _old_port(port)
        must |= sure
        may |= perhaps
    for entry in rule.protocols or ():
        if entry.destination_named_port is not None:
            names.append(entry.destination_named_port)
        for protocol, at in zip(PROTOCOLS, (entry.tcp, entry.udp, entry.sctp), strict=True):
            if at is not None:
                low, high = at.range or (at.number or 0, at.number or 0)
                must |= TrafficSet.ports(protocol, low, high)
    named = tuple(NamedPort(name) for name in dict.fromkeys(names))
    return TrafficMatch(must, may - must, named), bool(may)


def unusable(*selectors: model.LabelSelector | model.NamespacedPod | None) -> bool:
    """Return whether no enforcer can use one of some selectors."""
    for each in selectors:
        if isinstance(each, model.NamespacedPod):
            if unusable(each.pod_selector, each.namespace_selector):
                return True
        elif each is not None:
            labels = ((Operator.IN, k, (v,)) for k, v in each.match_labels.items())
            asked = ((e.operator, e.key, e.values) for e in each.match_expressions)
            if any(usable(*one) is not None for one in (*labels, *asked)):
                return True
    return False


def unusable_peer(peer: model.Peer) -> bool:
    """Return whether no enforcer can use a selector of a peer."""
    return unusable(peer.namespaces, peer.pods, peer.nodes)


def selected(subject: model.Subject) -> PodsMatch:
    """Return whom a subject selects; a selector that cannot be used is taken for everything."""
    pods = subject.pods
    if pods is None:
        usable_ = not unusable(subject.namespaces)
        return PodsMatch(namespaces=compile_selector(subject.namespaces) if usable_ else EVERYTHING)
    where, which = pods.namespace_selector, pods.pod_selector
    return PodsMatch(
        namespaces=EVERYTHING if unusable(where) else compile_selector(where),
        pods=EVERYTHING if unusable(which) else compile_selector(which),
    )


def _old_port(port: model.Port) -> tuple[TrafficSet, TrafficSet]:
    """Return the traffic that an entry of `ports` certainly and possibly matches."""
    if port.port_number is not None:
        low = high = port.port_number.port
        protocol = port.port_number.protocol or "TCP"
    elif port.port_range is not None:
        low, high = port.port_range.start, port.port_range.end
        protocol = port.port_range.protocol or "TCP"
    else:
        return NO_TRAFFIC, NO_TRAFFIC
    if low > high:
        return NO_TRAFFIC, NO_TRAFFIC
    if protocol in PROTOCOLS:
        return TrafficSet.ports(protocol, low, high), NO_TRAFFIC
    if protocol.upper() in PROTOCOLS:
        return NO_TRAFFIC, TrafficSet.ports(protocol.upper(), low, high)
    return NO_TRAFFIC, ANY


def _prefixed(selector: LabelSelector, prefix: str) -> LabelSelector:
    """Return a selector on namespaces as one on groups, which carry those labels prefixed."""
    if not selector:
        # Groups of no namespace have none of them.
        return LabelSelector.of({}, [Requirement(prefix + NAMESPACE_NAME_LABEL, Operator.EXISTS)])
    asked = (Requirement(prefix + r.key, r.operator, r.values) for r in selector.requirements)
    return LabelSelector.of({}, asked)
