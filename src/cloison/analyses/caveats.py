"""Which caveats an answer carries: what it stands on that is open, unknown or assumed."""

from collections.abc import Iterable, Iterator

from cloison.algebra import L4, TrafficSet
from cloison.analyses.question import Party
from cloison.analyses.resolve import covers
from cloison.engine import Engine, Point, UnitKind
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import Action, BlockMatch, Direction, PodsMatch, Policy, Rule
from cloison.ir.profile import NamedPorts
from cloison.resources.objects import NAMESPACE_NAME_LABEL, ContainerKind


def point_caveats(
    engine: Engine, point: Point, subject: Party, peer: Party, asked: TrafficSet, verdict: Verdict
) -> tuple[Caveat, ...]:
    """Return the caveats of one enforcement point's verdict, sorted."""
    found: set[Caveat] = set()
    found.update(_host_subject(engine, point, subject))
    if not engine.profile.enforces and engine.policies.policies:
        found.add(known.CNI_NOT_ENFORCING)
    if point.decision is not None and point.decision.policies and not point.builtin_sure:
        found.update(_by_rules(engine, point, subject, peer, asked, verdict))
    if point.builtin is not None and not point.builtin_sure and verdict is not Verdict.ALLOWED:
        found.add(known.OWN_NODE_UNKNOWN)
    return tuple(sorted(found))


def _by_rules(
    engine: Engine, point: Point, subject: Party, peer: Party, asked: TrafficSet, verdict: Verdict
) -> Iterator[Caveat]:
    decision, piece = point.decision, point.piece
    if decision is None or piece is None:
        return
    if not asked <= L4 and point.outcome.undetermined & (asked - L4):
        yield known.NON_L4
    for policy in decision.policies:
        if policy.opaque is not None:
            yield policy.opaque.caveat
    matching = [b for b, _ in piece.rules if (b.traffic | b.may_traffic) & asked]
    allowing = [b for b in matching if b.rule.action is Action.ALLOW]
    unit = engine.table.units[peer.unit]
    by_block = [b for b in allowing if b.blocks is not None and peer.unit in b.blocks]
    if allowing and len(by_block) == len(allowing):
        if unit.kind is UnitKind.POD:
            yield known.CNI_IPBLOCK_POD
        elif unit.kind in (UnitKind.NODE, UnitKind.HOST):
            yield known.CNI_IPBLOCK_NODE
    yield from _written(engine, [b.rule for b in allowing], peer)
    if not allowing or len(by_block) == len(allowing):
        yield from _unknown_address(engine, point, peer, asked)
    if verdict is not Verdict.ALLOWED and _own_node(engine, point, subject, peer):
        yield known.OWN_NODE_EGRESS
    if verdict is not Verdict.ALLOWED:
        yield from _host_peer(engine, point, peer, asked)
    sctp = TrafficSet.protocol("SCTP")
    if asked <= sctp and allowing and engine.profile.sctp is not True:
        yield known.SCTP_SUPPORT
    yield from _unknown_labels(engine, point, peer, asked)
    yield from _named_ports(engine, point, subject, peer, asked)
    if not engine.profile.end_port and _ranges(decision.policies, point.direction):
        yield known.END_PORT_SUPPORT


def _written(engine: Engine, rules: Iterable[Rule], peer: Party) -> Iterator[Caveat]:
    """The peer is allowed only by blocks, and one is written as not every server takes it."""
    found = []
    for rule in rules:
        for declared in rule.peers:
            matched = engine.binder.peer(declared)
            if peer.unit not in matched.must and peer.unit not in matched.may:
                continue
            if not isinstance(declared.match, BlockMatch):
                return
            if declared.match.caveat is not None:
                found.append(declared.match.caveat)
    yield from found


def _unknown_address(
    engine: Engine, point: Point, peer: Party, asked: TrafficSet
) -> Iterator[Caveat]:
    """A block stood in a rule for this traffic, and the peer's address is not known."""
    unit = engine.table.units[peer.unit]
    if unit.exact or point.decision is None:
        return
    for bound in point.decision.rules:
        if not (bound.traffic | bound.may_traffic) & asked:
            continue
        if any(isinstance(p.match, BlockMatch) for p in bound.rule.peers):
            pod = unit.kind is UnitKind.POD
            yield known.POD_ADDRESS_UNKNOWN if pod else known.NODE_ADDRESS_UNKNOWN
            return


def _unknown_labels(
    engine: Engine, point: Point, peer: Party, asked: TrafficSet
) -> Iterator[Caveat]:
    """A rule selects namespaces by labels that the peer's namespace, not read, may have."""
    if peer.endpoint is None or point.decision is None:
        return
    home = engine.world.namespaces[peer.endpoint.namespace]
    if home.span is not None:
        return
    for bound in point.decision.rules:
        if not (bound.traffic | bound.may_traffic) & asked:
            continue
        for declared in bound.rule.peers:
            match = declared.match
            if isinstance(match, PodsMatch) and match.namespace is None:
                keys = match.namespaces.keys - {NAMESPACE_NAME_LABEL}
                if keys and match.pods.matches(peer.endpoint.labels):
                    yield known.NAMESPACE_LABELS_UNKNOWN
                    return


def _own_node(engine: Engine, point: Point, subject: Party, peer: Party) -> bool:
    """Whether a pod's way to its own node was judged by its egress rules."""
    unit = engine.table.units[peer.unit]
    if point.direction is not Direction.EGRESS or engine.profile.own_node_egress is not None:
        return False
    if unit.kind not in (UnitKind.NODE, UnitKind.HOST):
        return False
    node = subject.endpoint.shape.node if subject.endpoint else None
    theirs = unit.node or (peer.endpoint.shape.node if peer.endpoint else None)
    return node is None or theirs is None or node == theirs


def _host_subject(engine: Engine, point: Point, subject: Party) -> Iterator[Caveat]:
    """A policy would select this end if it were not on its node's network."""
    if engine.table.units[point.subject].kind is not UnitKind.HOST or subject.endpoint is None:
        return
    for policy in engine.ordered:
        if point.direction in policy.isolates and covers(engine, policy, subject.endpoint):
            yield known.HOSTNETWORK
            return


def _host_peer(engine: Engine, point: Point, peer: Party, asked: TrafficSet) -> Iterator[Caveat]:
    """A selector would match the peer if it were not on its node's network."""
    kind = engine.table.units[peer.unit].kind
    if kind is not UnitKind.HOST or peer.endpoint is None or point.decision is None:
        return
    labels = engine.world.namespaces[peer.endpoint.namespace].labels
    for bound in point.decision.rules:
        if not (bound.traffic | bound.may_traffic) & asked:
            continue
        for declared in bound.rule.peers:
            match = declared.match
            if not isinstance(match, PodsMatch) or not match.pods.matches(peer.endpoint.labels):
                continue
            if match.namespace == peer.endpoint.namespace or (
                match.namespace is None and match.namespaces.matches(labels)
            ):
                yield known.HOSTNETWORK
                return


def _named_ports(
    engine: Engine, point: Point, subject: Party, peer: Party, asked: TrafficSet
) -> Iterator[Caveat]:
    """A rule by port name met a pod whose declarations leave the number open."""
    end = subject if point.direction is Direction.INGRESS else peer
    if end.endpoint is None or point.decision is None or not asked <= L4:
        return
    names = {
        (named.name, named.protocol)
        for policy in point.decision.policies
        for rule in policy.rules_for(point.direction)
        for named in rule.traffic.named
    }
    for name, protocol in sorted(names, key=str):
        ports = [p for p in end.endpoint.ports if p.name == name and protocol in (None, p.protocol)]
        if not any(TrafficSet.ports(p.protocol, p.number) & asked for p in ports):
            continue
        regular = {p.number for p in ports if p.container is ContainerKind.REGULAR}
        if not regular:
            yield known.NAMED_PORT_CONTAINER
        if len(regular) > 1:
            yield known.NAMED_PORT_AMBIGUOUS
    if names and engine.profile.named_ports is not NamedPorts.PER_POD:
        yield known.NAMED_PORT_AMBIGUOUS


def _ranges(policies: tuple[Policy, ...], direction: Direction) -> bool:
    """Whether any policy has rules by number at all, where `endPort` might have been cut."""
    return any(rule.traffic.must for p in policies for rule in p.rules_for(direction))
