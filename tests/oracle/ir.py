"""The policy IR, decided flow by flow.

It shares the IR, the world and set membership with Cloison, and nothing of the engine: no
units, no bitmaps, no signatures. What it does is the meaning of the IR.

**Flow.** A source, a destination, one point of the traffic axis, an IP family. An address
that belongs to a live pod or to a node is that pod or node. Two ends that are both outside
any pod are never asked about by a policy, so such a flow is allowed.

**Points.** Each layer has two enforcement points: egress at the source, ingress at the
destination. The flow is *denied* if some point certainly denies, else *undetermined* if some
point possibly denies, else *allowed*. A point whose end is no subject (a node, an address, a
host-network pod unless the profile makes those subjects) allows. A profile that does not
enforce is one without policies; built-in rules and defaults stay.

**Possibilities.** Evaluation at a point keeps the set of outcomes that are possible; the
point is determined iff that set has one member. A match is `NO`, `MAY` or `MUST`. A rule
that must match contributes its outcome and ends the evaluation; a rule that may match
contributes its outcome *and* evaluation goes on as if it had not matched. Matches are taken
to be independent of each other.

**Order of one point.** The layer's built-in rules of that direction, top to bottom, as in a
first-match band; an opaque policy (below); the layer's tiers in order; the layer's default.

**Tier.** Its policies are those that are enforced, belong to it and select the subject. The
band yields some of: allow, deny, pass, nothing matched. *Allow* and *deny* end the point.
*Pass* goes to the next tier without meeting the tier's end. *Nothing matched* meets the end
if the tier has one and any of its policies isolates the direction: allow or deny inside
`end_scope`, or pass; beyond the scope, both allow and deny are possible. Otherwise it goes
to the next tier. `log` rules never matter.

- `UNION`: any allow allows; else any deny denies; else any pass passes.
- `DENY_OVERRIDES`: any deny denies; else any allow allows; else any pass passes.
- `FIRST_MATCH`: policies by ascending `order`, in each the rules of the direction from top
  to bottom; the first match decides. Policies of equal order may be tried in any order: the
  own first match of each is possible, and evaluation goes on past them only if it can go on
  past all.

**Opaque.** An enforced opaque policy that selects the subject makes both allow and deny
possible, in the directions it isolates, after the built-in rules and before everything else,
in the layer that has its tier, or in the first layer if none has.

**Match of a rule.** The least of: its peers (any of them), its traffic, and `MAY` if it has
a condition or asks for source ports.

- pods: never a host-network pod, unless the profile treats those like others;
- block: by the end's addresses of the flow's family: all inside `MUST`, some `MAY`. An end
  whose addresses are unknown is in a block only if that is the whole of the flow's family,
  holes aside: it is taken to be outside those. The profile may
  say that pods, or nodes and host-network pods, are never matched by blocks;
- nodes: a node, or a host-network pod on it, by the node's labels; `MAY` if the node is
  unknown, or known by name only;
- self: the same live pod; a template's pod and itself are two replicas;
- own node, other node: a node or a host-network pod, compared with the subject's node; `MAY`
  if either is unknown. Nothing else is ever on a node;
- unknown: `MAY`.

Named ports are looked up on the destination if it is a pod with a network of its own (or the
profile treats host-network pods like others): declared there, by a container that counts,
with that number and the flow's protocol. Under `UNION` the declarations of every pod count
that the policy selects (ingress) or the rule's peers match (egress); under `WHOLE_PROTOCOL`
any port of the protocol does, on such a pod.
"""

from collections.abc import Iterable, Iterator
from enum import Enum, IntEnum
from itertools import groupby
from typing import TypeAlias

from cloison.algebra import (
    L4,
    PORT_PROTOCOLS,
    TrafficSet,
    family_of,
    protocol_number,
)
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import (
    Action,
    AnyMatch,
    BlockMatch,
    Combine,
    Direction,
    LayerSpec,
    Mode,
    NamedPort,
    NodesMatch,
    Peer,
    PodsMatch,
    Policy,
    PolicySet,
    Relative,
    RelativeMatch,
    Rule,
    TierSpec,
)
from cloison.ir.profile import NamedPorts, OtherProtocols, Profile
from cloison.resources.objects import ContainerKind, ContainerPort, Node
from cloison.resources.world import PodEndpoint, World

End: TypeAlias = PodEndpoint | Node | int
"""A pod, a node, or an address as a point of the address axis."""


class Match(IntEnum):
    """Whether something matches. `min` is "and", `max` is "or"."""

    NO = 0
    MAY = 1
    MUST = 2


class Way(Enum):
    """How evaluation can leave a rule, a band or a tier."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"
    ON = "on"
    """Nothing matched, or nothing decided: go on."""


Ways: TypeAlias = frozenset[Way]

OPEN: Ways = frozenset((Way.ALLOW,))
EITHER: Ways = frozenset((Way.ALLOW, Way.DENY))
WAY_OF = {Action.ALLOW: Way.ALLOW, Action.DENY: Way.DENY, Action.PASS: Way.PASS}


def traffic_point(protocol: str, port: int | None) -> int:
    """Return one point of the traffic axis; a protocol without ports is any of its points."""
    return protocol_number(protocol) << 16 | (port or 0)


class IROracle:
    """Answers flows over a world and its policies.

    Args:
        world: The inventory.
        policies: Declared policies with their layers.
        profile: Who enforces.
    """

    def __init__(self, world: World, policies: PolicySet, profile: Profile) -> None:
        self.world = world
        self.profile = profile
        self.layers = policies.layers
        self.enforced = [
            p for p in policies.policies if p.mode is Mode.ENFORCED and profile.enforces
        ]
        self._owners: dict[int, End] = {}
        for node in world.nodes.values():
            self._owners.update(dict.fromkeys(node.addresses, node))
        for endpoint in self.pods():
            if not endpoint.shape.host_network:
                self._owners.update(dict.fromkeys(endpoint.addresses, endpoint))

    def pods(self) -> Iterator[PodEndpoint]:
        """Iterate over every pod that can send and receive."""
        for workload in self.world.workloads.values():
            yield from workload.endpoints

    def verdict(self, src: End, dst: End, protocol: str, port: int | None, family: int) -> Verdict:
        """Return what becomes of one new connection, for protocol and port by name and number."""
        return self.decide(src, dst, traffic_point(protocol, port), family)

    def decide(self, src: End, dst: End, traffic: int, family: int) -> Verdict:
        """Return what becomes of one new connection.

        Args:
            src: Who connects.
            dst: Who listens.
            traffic: Point of the traffic axis.
            family: 4 or 6.
        """
        source, target = self.resolve(src), self.resolve(dst)
        outcomes = []
        for layer in self.layers:
            for subject, peer, direction in (
                (source, target, Direction.EGRESS),
                (target, source, Direction.INGRESS),
            ):
                point = _Point(self, layer, subject, peer, direction, target, traffic, family)
                outcomes.append(point.outcome())
        if any(outcome == {Way.DENY} for outcome in outcomes):
            return Verdict.DENIED
        if any(Way.DENY in outcome for outcome in outcomes):
            return Verdict.UNDETERMINED
        return Verdict.ALLOWED

    def resolve(self, end: End) -> End:
        """Return the pod or node an address belongs to, if any."""
        return self._owners.get(end, end) if isinstance(end, int) else end

    def is_pod(self, end: End) -> bool:
        """Return whether policies and selectors see an end as a pod."""
        if not isinstance(end, PodEndpoint):
            return False
        return not end.shape.host_network

    def selects(self, match: PodsMatch, end: End) -> bool:
        """Return whether a pod match holds of an end."""
        if not isinstance(end, PodEndpoint) or not self.is_pod(end):
            return False
        if match.namespace is not None:
            if end.namespace != match.namespace:
                return False
        elif not match.namespaces.matches(self.world.namespaces[end.namespace].labels):
            return False
        return match.pods.matches(end.labels)

    def addresses(self, end: End) -> tuple[int, ...]:
        """Return the addresses of an end, as far as known."""
        if isinstance(end, int):
            return (end,)
        if isinstance(end, PodEndpoint) and end.shape.host_network and not end.addresses:
            node = self.world.nodes.get(end.shape.node or "")
            return node.addresses if node else ()
        return end.addresses

    def node_of(self, end: End) -> tuple[bool, str | None]:
        """Return whether an end is on a node's network, and that node's name if known."""
        if isinstance(end, Node):
            return True, end.name
        if isinstance(end, PodEndpoint) and end.shape.host_network:
            return True, end.shape.node
        return False, None


class _Point:
    """One enforcement point and one flow. Lives for one question."""

    def __init__(
        self,
        oracle: IROracle,
        layer: LayerSpec,
        subject: End,
        peer: End,
        direction: Direction,
        target: End,
        traffic: int,
        family: int,
    ) -> None:
        self.oracle = oracle
        self.profile = oracle.profile
        self.layer = layer
        self.subject = subject
        self.peer = peer
        self.direction = direction
        self.target = target
        self.traffic = traffic
        self.family = family

    def outcome(self) -> Ways:
        """Return the possible outcomes: allow, deny or both."""
        if not self.oracle.is_pod(self.subject):
            return OPEN
        steps = [self.builtin(), self.opaque()]
        steps += [self.tier(tier) for tier in self.layer.tiers]
        steps.append(frozenset((WAY_OF[self.layer.default],)))
        return self._in_turn(steps)

    def _in_turn(self, steps: Iterable[Ways]) -> Ways:
        """Return what is possible when each step is taken only if the ones before go on."""
        possible: Ways = frozenset((Way.ON,))
        for step in steps:
            if Way.ON not in possible:
                break
            possible = possible - {Way.ON} | step
        return possible

    def builtin(self) -> Ways:
        rules = [r for r in self.layer.builtin if r.direction is self.direction]
        ways = self._in_turn(self._rule(None, rule) for rule in rules)
        return _pass_goes_on(ways)

    def opaque(self) -> Ways:
        here = {tier.name for tier in self.layer.tiers}
        known = {tier.name for layer in self.oracle.layers for tier in layer.tiers}
        first = self.layer is self.oracle.layers[0]
        for policy in self.oracle.enforced:
            placed = policy.tier in here or (first and policy.tier not in known)
            governs = policy.opaque is not None and self.direction in policy.isolates
            if placed and governs and self._selects(policy):
                return EITHER
        return frozenset((Way.ON,))

    def _selects(self, policy: Policy) -> bool:
        return any(self.oracle.selects(each, self.subject) for each in policy.subjects)

    def tier(self, tier: TierSpec) -> Ways:
        policies = [p for p in self.oracle.enforced if p.tier == tier.name and self._selects(p)]
        ways = self._in_turn(
            self._band(combine, [p for p in policies if p.band == number])
            for number, combine in enumerate(tier.bands)
        )
        isolated = any(self.direction in p.isolates for p in policies)
        if Way.ON in ways and isolated and tier.end is not None:
            end = EITHER
            if self.traffic in tier.end_scope:
                end = frozenset((WAY_OF[tier.end],))
            ways = ways - {Way.ON} | end
        return _pass_goes_on(ways)

    def _band(self, combine: Combine, policies: list[Policy]) -> Ways:
        if combine is Combine.FIRST_MATCH:
            return self._first_match(policies)
        if combine is Combine.UNION:
            return self._any_of(policies, (Action.ALLOW, Action.DENY, Action.PASS))
        return self._any_of(policies, (Action.DENY, Action.ALLOW, Action.PASS))

    def _any_of(self, policies: list[Policy], actions: tuple[Action, ...]) -> Ways:
        """Return what is possible when the first action that any rule takes wins."""
        return self._in_turn(
            self._rule(policy, rule)
            for action in actions
            for policy in policies
            for rule in policy.rules_for(self.direction)
            if rule.action is action
        )

    def _first_match(self, policies: list[Policy]) -> Ways:
        ordered = sorted(policies, key=lambda p: p.order)
        return self._in_turn(
            self._equals(list(same)) for _, same in groupby(ordered, key=lambda p: p.order)
        )

    def _equals(self, policies: list[Policy]) -> Ways:
        """Return what is possible when policies may be tried in any order."""
        each = [
            self._in_turn(self._rule(p, rule) for rule in p.rules_for(self.direction))
            for p in policies
        ]
        decided: Ways = frozenset().union(*each) - {Way.ON}
        return decided | {Way.ON} if all(Way.ON in ways for ways in each) else decided

    def _rule(self, policy: Policy | None, rule: Rule) -> Ways:
        on: Ways = frozenset((Way.ON,))
        if rule.action is Action.LOG:
            return on
        match self._matches(policy, rule):
            case Match.MUST:
                return frozenset((WAY_OF[rule.action],))
            case Match.MAY:
                return on | {WAY_OF[rule.action]}
        return on

    def _matches(self, policy: Policy | None, rule: Rule) -> Match:
        asks_more = rule.condition is not None or rule.sources is not None
        return min(
            max((self._peer(peer) for peer in rule.peers), default=Match.NO),
            self._traffic(policy, rule),
            Match.MAY if asks_more else Match.MUST,
        )

    def _peer(self, peer: Peer) -> Match:
        match = peer.match
        if isinstance(match, PodsMatch):
            return Match.MUST if self.oracle.selects(match, self.peer) else Match.NO
        if isinstance(match, BlockMatch):
            return self._block(match)
        if isinstance(match, NodesMatch):
            return self._nodes(match)
        if isinstance(match, RelativeMatch):
            return self._relative(match.relation)
        return Match.MUST if isinstance(match, AnyMatch) else Match.MAY

    def _block(self, match: BlockMatch) -> Match:
        on_node, _ = self.oracle.node_of(self.peer)
        seen = self.profile.block_matches_nodes if on_node else self.profile.block_matches_pods
        if not seen and not isinstance(self.peer, int):
            return Match.NO
        known = self.oracle.addresses(self.peer)
        if not known:
            return Match.MUST if match.whole and match.family == self.family else Match.NO
        inside = {a in match.addresses for a in known if family_of(a) == self.family}
        if inside == {True}:
            return Match.MUST
        return Match.MAY if True in inside else Match.NO

    def _nodes(self, match: NodesMatch) -> Match:
        on_node, name = self.oracle.node_of(self.peer)
        if not on_node:
            return Match.NO
        node = self.oracle.world.nodes.get(name or "")
        if node is None or node.span is None:
            return Match.MAY if match.nodes else Match.MUST
        return Match.MUST if match.nodes.matches(node.labels) else Match.NO

    def _relative(self, relation: Relative) -> Match:
        if relation is Relative.SELF:
            same = isinstance(self.peer, PodEndpoint) and self.peer.pod is not None
            return Match.MUST if same and self.peer == self.subject else Match.NO
        on_node, name = self.oracle.node_of(self.peer)
        if not on_node:
            return Match.NO
        own = self.subject.shape.node if isinstance(self.subject, PodEndpoint) else None
        if name is None or own is None:
            return Match.MAY
        return Match.MUST if (name == own) is (relation is Relative.OWN_NODE) else Match.NO

    def _traffic(self, policy: Policy | None, rule: Rule) -> Match:
        traffic = rule.traffic
        if self.traffic in traffic.must:
            return Match.MUST
        if any(self._named(policy, rule, name) for name in traffic.named):
            return Match.MUST
        if self.traffic not in traffic.may:
            return Match.NO
        match self.profile.other_protocols:
            case OtherProtocols.PORTLESS_RULES:
                return Match.MUST
            case OtherProtocols.DENIED:
                return Match.NO
        return Match.MAY

    def _named(self, policy: Policy | None, rule: Rule, name: NamedPort) -> bool:
        if not self.oracle.is_pod(self.target) or not isinstance(self.target, PodEndpoint):
            return False
        strategy = self.profile.named_ports
        if strategy is NamedPorts.WHOLE_PROTOCOL:
            protocols = (name.protocol,) if name.protocol else PORT_PROTOCOLS
            return any(self.traffic in TrafficSet.protocol(p) for p in protocols)
        declared: Iterable[ContainerPort] = self.target.ports
        if strategy is NamedPorts.UNION:
            declared = [port for pod in self._union(policy, rule) for port in pod.ports]
        return any(self._declares(port, name) for port in declared)

    def _union(self, policy: Policy | None, rule: Rule) -> Iterator[PodEndpoint]:
        for pod in self.oracle.pods():
            if rule.direction is Direction.INGRESS:
                if policy is not None and any(
                    self.oracle.selects(each, pod) for each in policy.subjects
                ):
                    yield pod
            elif any(
                isinstance(p.match, AnyMatch)
                or (isinstance(p.match, PodsMatch) and self.oracle.selects(p.match, pod))
                for p in rule.peers
            ):
                yield pod

    def _declares(self, port: ContainerPort, name: NamedPort) -> bool:
        counts = port.container is ContainerKind.REGULAR or self.profile.init_container_ports
        return (
            counts
            and port.name == name.name
            and name.protocol in (None, port.protocol)
            and self.traffic in L4
            and self.traffic == traffic_point(port.protocol, port.number)
        )


def _pass_goes_on(ways: Ways) -> Ways:
    return ways - {Way.PASS} | {Way.ON} if Way.PASS in ways else ways
