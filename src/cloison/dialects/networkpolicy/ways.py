"""Ways that single enforcers have with rules: what one comes to, or comes to besides.

Which of them an enforcer has, its profile says.
"""

from collections.abc import Iterator
from dataclasses import replace

from cloison.algebra import AddressSet
from cloison.dialects.networkpolicy import model
from cloison.dialects.networkpolicy.cidr import parse_cidr
from cloison.dialects.reading.negative import perhaps
from cloison.ir.peers import AllOf, BlockMatch, NodesMatch, NoneOf, PeerMatch, PodsMatch
from cloison.ir.policy import EVERY_TRAFFIC, Action, Direction, Peer, Rule
from cloison.ir.profile import Reading
from cloison.resources.world import World


def rules(found: Rule, reading: Reading) -> Iterator[Rule]:
    """Yield what a rule comes to: itself, in parts, and what it denies.

    Args:
        found: As the API has it.
        reading: How the enforcer reads.
    """
    if reading.names_need_pods and found.direction is Direction.EGRESS and found.traffic.named:
        yield from _by_names(found)
    else:
        yield found
    if reading.sticky_holes is not None:
        holes = tuple(_holes(found))
        if holes:
            quirk = reading.sticky_holes
            yield replace(
                found,
                action=Action.DENY,
                peers=holes,
                traffic=EVERY_TRAFFIC,
                condition=quirk.reason,
                caveats=(*found.caveats, quirk.caveat),
            )


def _by_names(found: Rule) -> Iterator[Rule]:
    """Yield a rule about pods with its port names, and about everybody else without them."""
    pods = tuple(each for each in found.peers if isinstance(each.match, PodsMatch))
    others = tuple(each for each in found.peers if each not in pods)
    if pods:
        yield replace(found, peers=pods)
    if others:
        yield replace(found, peers=others, traffic=replace(found.traffic, named=()))


def _holes(found: Rule) -> Iterator[Peer]:
    """Yield what the blocks of a rule leave out. Pods have entries of their own, which win."""
    for each in found.peers:
        if isinstance(each.match, BlockMatch):
            for text in each.match.holes:
                hole = parse_cidr(text)
                if hole is not None:
                    block = BlockMatch(hole.addresses, text)
                    yield Peer(AllOf((block, NoneOf((PodsMatch(),)))), each.span)


def besides(
    written: model.NetworkPolicyPeer, match: PeerMatch, reading: Reading, world: World | None
) -> Iterator[PeerMatch]:
    """Yield who else meets a peer that goes by labels.

    Args:
        written: The peer.
        match: Whom it is by the API.
        reading: How the enforcer reads.
        world: The inventory, as far as it is known.
    """
    if not isinstance(match, PodsMatch):
        return
    if reading.host_namespace is not None and match.namespace is None:
        labels = dict(reading.host_labels)
        # An empty selector of pods beside labels of that namespace is how its vendor says it.
        empty = written.pod_selector is not None and written.pod_selector.empty
        whole = written.pod_selector is None or (empty and bool(match.namespaces))
        if whole and match.namespaces.matches(labels):
            yield perhaps(NodesMatch(), reading.host_namespace)
    if reading.host_pods and world is not None:
        yield from _on_hosts(match, world)


def _on_hosts(match: PodsMatch, world: World) -> Iterator[PeerMatch]:
    """Yield the addresses of pods on the network of their node that a peer finds by labels."""
    points = []
    for workload in world.workloads.values():
        namespace = world.namespaces.get(workload.id.namespace)
        labels = namespace.labels if namespace is not None else {}
        here = match.namespace in (None, workload.id.namespace)
        if here and match.namespaces.matches(labels):
            points += [
                point
                for end in workload.endpoints
                if end.shape.host_network and match.pods.matches(end.labels)
                for point in end.addresses
            ]
    if points:
        yield BlockMatch(AddressSet.points(tuple(points)), "host-network pods")


def whole(block: BlockMatch, reading: Reading) -> BlockMatch:
    """Return a block as the enforcer programs it, which may be less than a whole family."""
    if not block.whole or not reading.whole_v6:
        return block
    held = AddressSet()
    for text in reading.whole_v6:
        part = parse_cidr(text)
        if part is not None:
            held |= part.addresses
    if not block.addresses & held:
        return block  # it is one of IPv4
    return replace(block, addresses=block.addresses & held, whole=False)
