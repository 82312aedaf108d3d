"""Which caveats an answer carries: what it stands on that is open, unknown or assumed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.algebra import L4, TrafficSet
from cloison.analyses.parties import Party
from cloison.analyses.resolve import covers, meets
from cloison.analyses.walk import Walk
from cloison.engine import Engine, Point, UnitKind
from cloison.engine.steps import Cause
from cloison.engine.units import Unit
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.peers import (
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NodesMatch,
    PeerMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
    UnknownMatch,
    plain_matches,
)
from cloison.ir.policy import Action, Combine, Direction, Policy, Rule
from cloison.ir.profile import NamedPorts
from cloison.ir.ruleset import BoundRule
from cloison.ir.when import within
from cloison.platform import DEFAULT_PROFILE
from cloison.resources.kinds import NETWORK_POLICY
from cloison.resources.objects import ACCOUNT_NAME_LABEL, NAMESPACE_NAME_LABEL, ContainerKind


def point_caveats(
    engine: Engine,
    point: Point,
    walk: Walk | None,
    subject: Party,
    peer: Party,
    asked: TrafficSet,
    verdict: Verdict,
) -> tuple[Caveat, ...]:
    """Return the caveats of one enforcement point's verdict in one layer, sorted.

    Args:
        engine: Who decided.
        point: The enforcement point.
        walk: The way through the layer; None where no policy applies to such an end.
        subject: Whose policies were asked.
        peer: The other end.
        asked: The traffic in question.
        verdict: The verdict on it.
    """
    found: set[Caveat] = set()
    found.update(_host_subject(engine, point, subject))
    found.update(_host_port(engine, point, asked))
    if not engine.profile.enforces and engine.policies.policies:
        found.add(known.CNI_NOT_ENFORCING)
    if engine.table.units[point.peer].kind is UnitKind.NAMED:
        found.add(known.NAME_ADDRESS_UNKNOWN)
    if walk is not None and walk.policies and not point.builtin_sure:
        found.update(_by_rules(_Reach.of(engine, point, walk, asked), subject, peer, verdict))
    then = engine.profile.own_node_then if verdict is not Verdict.DENIED else None
    if then is not None and _to_node(engine, point, subject, peer):
        found.add(then)
    if point.builtin is not None and not point.builtin_sure and verdict is not Verdict.ALLOWED:
        found.add(known.OWN_NODE_UNKNOWN)
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class _Reach:
    """What evaluation came to, on its way to the decision about some traffic.

    Args:
        engine: Who decided.
        point: The enforcement point.
        walk: The way through one layer.
        asked: The traffic in question.
        policies: The policies of tiers that were reached.
        rules: Their rules that speak of the traffic, whoever the peer is.
        acting: The rules that did something to it.
    """

    engine: Engine
    point: Point
    walk: Walk
    asked: TrafficSet
    policies: tuple[Policy, ...]
    rules: tuple[BoundRule, ...]
    acting: tuple[BoundRule, ...]

    @classmethod
    def of(cls, engine: Engine, point: Point, walk: Walk, asked: TrafficSet) -> "_Reach":
        tiers = [tier for tier in walk.tiers if tier.came is not None]
        names = {tier.spec.name for tier in tiers}
        rules = point.decision.rules if point.decision else ()
        return cls(
            engine,
            point,
            walk,
            asked,
            (*(p for tier in tiers for p in tier.policies), *walk.stray),
            tuple(
                b for b in rules if b.policy.tier in names and (b.traffic | b.may_traffic) & asked
            ),
            tuple(s.rule for tier in tiers for s in tier.steps if s.rule is not None),
        )

    @property
    def undetermined(self) -> TrafficSet:
        """What of the traffic in question is undetermined."""
        found = self.walk.outcome.undetermined & self.asked
        # Where one layer is all there is, more may be known than its steps show.
        alone = len(self.engine.policies.layers) == 1
        return found & self.point.outcome.undetermined if alone else found


def _by_rules(reach: _Reach, subject: Party, peer: Party, verdict: Verdict) -> Iterator[Caveat]:
    engine, point, asked = reach.engine, reach.point, reach.asked
    yield from _undefined(reach)
    yield from _in_doubt(reach)
    for policy in reach.policies:
        if policy.opaque is not None:
            yield policy.opaque.caveat
    allowing = [b for b in reach.acting if b.rule.action is Action.ALLOW]
    unit = engine.table.units[peer.unit]
    by_block = [b for b in allowing if b.blocks is not None and peer.unit in b.blocks]
    open_block = any(b.policy.id.kind == NETWORK_POLICY for b in by_block)
    if open_block and len(by_block) == len(allowing):
        if unit.kind is UnitKind.POD:
            yield known.CNI_IPBLOCK_POD
        elif unit.kind in (UnitKind.NODE, UnitKind.HOST):
            yield known.CNI_IPBLOCK_NODE
    if allowing and _node_has(point) and all(map(_of_blocks, allowing)):
        yield known.CNI_IPBLOCK_NODE
    yield from _written(engine, [b.rule for b in allowing], peer)
    if not allowing or len(by_block) == len(allowing):
        yield from _unknown_address(reach, peer)
    isolated = any(
        p.id.kind == NETWORK_POLICY for t in reach.walk.tiers if t.ended for p in t.policies
    )
    if isolated and verdict is not Verdict.ALLOWED and _own_node(engine, point, subject, peer):
        yield known.OWN_NODE_EGRESS
    if verdict is not Verdict.ALLOWED:
        yield from _host_peer(reach, peer)
    sctp = TrafficSet.protocol("SCTP")
    if asked <= sctp and allowing and engine.profile.sctp is not True:
        yield known.SCTP_SUPPORT
    yield from _unknown_labels(reach, peer)
    yield from _unknown_accounts(reach, subject, peer)
    yield from _named_ports(reach, subject, peer)
    if not engine.profile.end_port and _ranges(reach.policies, point.direction):
        yield known.END_PORT_SUPPORT
    if any(s.cause is Cause.BUILTIN and s.builtin is None for s in reach.walk.steps):
        yield known.HAIRPIN
    if engine.profile.name == DEFAULT_PROFILE and _per_direction(reach):
        yield known.BASELINE_DIRECTION


def _undefined(reach: _Reach) -> Iterator[Caveat]:
    """Traffic met a tier's end that does not define it, or that lets it through."""
    beyond = reach.undetermined - L4
    for tier in reach.walk.tiers:
        if tier.spec.end_caveat is not None and any(
            step.traffic & beyond and (step.action is None or not step.sure) for step in tier.steps
        ):
            yield tier.spec.end_caveat
        passed = tier.spec.passed_caveat
        ends = (step for step in tier.steps if step.cause is Cause.END)
        if passed is not None and any(step.action is Action.ALLOW for step in ends):
            yield passed


def _in_doubt(reach: _Reach) -> Iterator[Caveat]:
    """What the rules that acted stand on, and what kept others from acting for sure."""
    if any(conflict.traffic & reach.undetermined for conflict in reach.walk.conflicts):
        yield known.PRIORITY_TIE
    for bound in reach.acting:
        # Where the answer is the same either way, it does not stand on a condition.
        if bound.rule.condition is None or reach.undetermined:
            yield from bound.rule.caveats
    for each in within(reach.walk.outcome.when, reach.asked):
        yield from each.doubts
    matcher, point = reach.engine.binder.matcher, reach.point
    for step in reach.walk.steps:
        if step.sure or step.rule is None:
            continue
        if step.rule.rule.sources is not None:
            yield known.SOURCE_PORTS
        for match in _matches(step.rule.rule):
            # On either node, the answer may be the same.
            counts = reach.undetermined or not isinstance(match, RelativeMatch)
            if counts and matcher.holds(match, point.peer, point.relations) is False:
                yield from _open_match(match)
    for policy in reach.policies:
        if point.subject in reach.engine.binder.subjects(policy).may:
            told = reach.engine.table.units[point.subject].node in policy.doubtful
            yield known.NODE_LABELS_UNKNOWN if told else known.POD_NODE_UNKNOWN


def _matches(rule: Rule) -> Iterator[PeerMatch]:
    for declared in rule.peers:
        yield from plain_matches(declared.match)


def _open_match(match: PeerMatch) -> Iterator[Caveat]:
    """Return why a match holds only possibly; of addresses others tell."""
    match match:
        case UnknownMatch():
            yield match.caveat
        case NamesMatch():
            yield known.NAME_NOT_RESOLVED
        case RelativeMatch():
            yield known.OWN_NODE_UNKNOWN
        case PodsMatch():
            yield known.POD_NODE_UNKNOWN
        case NodesMatch():
            by_name = match.names is not None
            yield known.POD_NODE_UNKNOWN if by_name else known.NODE_LABELS_UNKNOWN


def _per_direction(reach: _Reach) -> bool:
    """Whether the answer would be another, did isolation in one direction end both.

    That is so where a tier that ends what it isolates has a policy for this end, though none
    for this direction, and a later one stops the traffic.
    """
    direction = reach.point.direction
    other = next(d for d in Direction if d is not direction)
    names = [tier.name for tier in reach.walk.layer.tiers]
    stopping = [
        names.index(step.tier)
        for step in reach.walk.steps
        if step.tier is not None and step.action is Action.DENY
    ]
    spoken = {tier.spec.name for tier in reach.walk.tiers}
    for place, tier in enumerate(reach.walk.layer.tiers):
        final = tier.end is Action.DENY and set(tier.bands) == {Combine.UNION}
        if not final or tier.name in spoken or not any(n > place for n in stopping):
            continue
        beside = reach.engine.decision(reach.point.subject, other).isolating
        if any(p.tier == tier.name for p in beside):
            return True
    return False


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


def _unknown_address(reach: _Reach, peer: Party) -> Iterator[Caveat]:
    """Rules for this traffic go by address, and whose that is, or what it is, is not known."""
    engine = reach.engine
    unit = engine.table.units[peer.unit]
    about = [match for bound in reach.rules for match in _matches(bound.rule)]
    if unit.kind is UnitKind.EXTERNAL:
        if not engine.node_addresses and any(isinstance(m, NodesMatch) for m in about):
            yield known.NODES_UNKNOWN
        named = [match for match in about if isinstance(match, NamesMatch)]
        without = [name for name, held in engine.networks.names.items() if named and not held]
        if any(match.covers(name) for match in named for name in without):
            yield known.NAME_WITHOUT_ADDRESS
        if engine.networks.complete and _unlisted(engine, unit, named):
            yield known.NAMES_COMPLETE
    by_address = [match for match in about if isinstance(match, BlockMatch | GroupsMatch)]
    if not unit.exact and by_address:
        if unit.kind is UnitKind.POD:
            yield known.POD_ADDRESS_UNKNOWN
            if engine.table.likely and any(peer.unit in b.may for b in reach.rules):
                yield known.POD_RANGE_LIKELY
        elif unit.addresses is not None and not any(peer.unit in b.may for b in reach.rules):
            return  # every address that it may have is in them, or none is
        elif unit.kind is not UnitKind.NAMED and engine.profile.block_matches_nodes:
            yield known.NODE_ADDRESS_UNKNOWN


def _unlisted(engine: Engine, unit: Unit, named: Iterable[NamesMatch]) -> bool:
    """Whether nobody said a name of an address, and rules go by others than those listed."""
    listed = engine.networks.names
    resolved = engine.binder.matcher.book.resolved
    if unit.addresses is None or not unit.addresses.isdisjoint(resolved):
        return False
    return any(not p.exact or p.text not in listed for match in named for p in match.names)


def _unknown_labels(reach: _Reach, peer: Party) -> Iterator[Caveat]:
    """A rule selects namespaces by labels that the peer's namespace, not read, may have."""
    if peer.endpoint is None:
        return
    home = reach.engine.world.namespaces[peer.endpoint.namespace]
    if home.span is not None:
        return
    for match in _pod_matches(reach.rules):
        if match.namespace is None:
            keys = match.namespaces.keys - {NAMESPACE_NAME_LABEL}
            if keys and match.pods.matches(peer.endpoint.labels):
                yield known.NAMESPACE_LABELS_UNKNOWN
                return


def _unknown_accounts(reach: _Reach, subject: Party, peer: Party) -> Iterator[Caveat]:
    """A selector looks at labels of a service account that was not read."""
    mine = [s for p in reach.policies for s in p.subjects]
    mine += [s for b in reach.rules for s in b.rule.subjects or () if isinstance(s, PodsMatch)]
    for party, matches in ((subject, mine), (peer, _pod_matches(reach.rules))):
        if party.endpoint is None:
            continue
        account = (party.endpoint.namespace, party.endpoint.shape.service_account)
        if account in reach.engine.world.accounts:
            continue
        if any(match.accounts.keys - {ACCOUNT_NAME_LABEL} for match in matches):
            yield known.ACCOUNT_LABELS_UNKNOWN
            return


def _pod_matches(rules: Iterable[BoundRule]) -> list[PodsMatch]:
    return [m for bound in rules for m in _matches(bound.rule) if isinstance(m, PodsMatch)]


def _own_node(engine: Engine, point: Point, subject: Party, peer: Party) -> bool:
    """Whether a pod's way to its own node was judged by its egress rules."""
    return engine.profile.own_node_egress is None and _to_node(engine, point, subject, peer)


def _to_node(engine: Engine, point: Point, subject: Party, peer: Party) -> bool:
    """Whether this is a pod's way to its own node, or may be."""
    unit = engine.table.units[peer.unit]
    pod = engine.table.units[point.subject].kind is UnitKind.POD
    if point.direction is not Direction.EGRESS or not pod:
        return False
    if unit.kind is UnitKind.EXTERNAL:
        return _node_has(point)
    if unit.kind not in (UnitKind.NODE, UnitKind.HOST):
        return False
    node = subject.endpoint.shape.node if subject.endpoint else None
    theirs = unit.node or (peer.endpoint.shape.node if peer.endpoint else None)
    return node is None or theirs is None or node == theirs


def _of_blocks(bound: BoundRule) -> bool:
    """Whether a rule of a NetworkPolicy is about blocks only."""
    peers = bound.rule.peers if bound.policy.id.kind == NETWORK_POLICY else ()
    return bool(peers) and all(isinstance(peer.match, BlockMatch) for peer in peers)


def _node_has(point: Point) -> bool:
    """Whether the peer is an address that the pod's own node has besides that of its object."""
    return Relative.OWN_NODE in point.relations.sure


def _host_subject(engine: Engine, point: Point, subject: Party) -> Iterator[Caveat]:
    """A policy would select this end if it were not on its node's network."""
    if engine.table.units[point.subject].kind is not UnitKind.HOST or subject.endpoint is None:
        return
    for policy in engine.ordered:
        if policy.id.kind != NETWORK_POLICY:
            continue
        if point.direction in policy.isolates and covers(engine, policy, subject.endpoint):
            yield known.HOSTNETWORK
            return


def _host_port(engine: Engine, point: Point, asked: TrafficSet) -> Iterator[Caveat]:
    """The destination is a node, of whose ports some lead to a pod."""
    target = point.subject if point.direction is Direction.INGRESS else point.peer
    unit = engine.table.units[target]
    if unit.kind is UnitKind.NODE and asked & engine.host_ports(unit.node):
        yield known.HOST_PORT


def _host_peer(reach: _Reach, peer: Party) -> Iterator[Caveat]:
    """A selector would match the peer if it were not on its node's network."""
    kind = reach.engine.table.units[peer.unit].kind
    if kind is not UnitKind.HOST or peer.endpoint is None:
        return
    world, endpoint = reach.engine.world, peer.endpoint
    rules = [b for b in reach.rules if b.policy.id.kind == NETWORK_POLICY]
    if any(meets(world, match, endpoint) for match in _pod_matches(rules)):
        yield known.HOSTNETWORK


def _named_ports(reach: _Reach, subject: Party, peer: Party) -> Iterator[Caveat]:
    """A rule by port name met a pod whose declarations leave the number open."""
    direction, asked = reach.point.direction, reach.asked
    end = subject if direction is Direction.INGRESS else peer
    if end.endpoint is None or not asked <= L4:
        return
    if reach.engine.profile.last_port_name:
        return
    names = {
        (named.name, named.protocol)
        for policy in reach.policies
        for rule in policy.rules_for(direction)
        for named in (*rule.traffic.named, *rule.traffic.excepted)
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
    if names and reach.engine.profile.named_ports is not NamedPorts.PER_POD:
        yield known.NAMED_PORT_AMBIGUOUS


def _ranges(policies: tuple[Policy, ...], direction: Direction) -> bool:
    """Whether any policy has rules by number at all, where `endPort` might have been cut."""
    own = (p for p in policies if p.id.kind == NETWORK_POLICY)
    return any(rule.traffic.must for p in own for rule in p.rules_for(direction))
