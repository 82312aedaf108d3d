"""The policy IR, decided flow by flow.

It shares the IR, the world and set membership with Cloison, and nothing of the engine: no
units, no bitmaps, no signatures. What it does is the meaning of the IR.

**Flow.** A source, a destination, one point of the traffic axis, an IP family. An address
that belongs to a live pod or to a node is that pod or node.

**Points.** Each layer has two enforcement points: egress at the source, ingress at the
destination. The flow is *denied* if some point certainly denies, else *undetermined* if some
point possibly denies, else *allowed*. A point whose end is no subject allows. A subject is a
pod with a network of its own, and a node, or host-network pod on it, that some enforced policy
names in `nodes`; a host-network pod on an unknown node may be one if any policy names nodes, so
there allow is possible besides. A profile that does not enforce is one without policies;
built-in rules and defaults stay.

**Possibilities.** Evaluation at a point keeps the set of outcomes that are possible; the
point is determined iff that set has one member. A match is `NO`, `MAY` or `MUST`. A rule
that must match contributes its outcome and ends the evaluation; a rule that may match
contributes its outcome *and* evaluation goes on as if it had not matched. Matches are taken
to be independent of each other.

**Order of one point.** The layer's built-in rules of that direction, top to bottom, as in a
first-match band; an opaque policy (below); the layer's tiers in order; the layer's default.

**Tier.** Its policies are those that are enforced, belong to it and select the subject; one
that may select it has rules that may match at most, and may isolate. The band yields some of:
allow, deny, pass, nothing matched. *Allow* and *deny* end the point. *Pass* goes to the next
tier without meeting the tier's end. *Nothing matched* meets the end if the tier has one and any
of its policies isolates the direction: allow or deny inside `end_scope`, or pass; beyond the
scope, both allow and deny are possible. An end that is only possible, since no policy certainly
isolates, is met besides going on. Then, if policies of the tier end both directions, one that
isolates the other direction only allows. Otherwise it goes to the next tier. `log` rules never
matter.

- `UNION`: any allow allows; else any deny denies; else any pass passes.
- `DENY_OVERRIDES`: any deny denies; else any allow allows; else any pass passes.
- `FIRST_MATCH`: policies by ascending `order`, in each the rules of the direction from top
  to bottom; the first match decides. Policies of equal order may be tried in any order: the
  own first match of each is possible, and evaluation goes on past them only if it can go on
  past all.

**Opaque.** An enforced opaque policy that selects, or may select, the subject makes both allow
and deny possible, in the directions it isolates, after the built-in rules and before everything
else, in the layer that has its tier, or in the first layer if none has.

**Match of a rule.** The least of: its peers (any of them), its traffic, its subjects (any of
them, asked of the subject itself; nothing there is relative), `MAY` if it has a condition
or asks for source ports, and what it makes of the request: `MAY` if it asks for one and none is
known, or nobody can say whether this is one of those.

- pods: never a host-network pod. Where nodes are asked for and the pod's is unknown, `MAY`;
- block: by the end's addresses of the flow's family: all inside `MUST`, some `MAY`. An end
  whose addresses are unknown is in a block only if that is the whole of the flow's family,
  holes aside: it is taken to be outside those. The profile may
  say that pods, or nodes and host-network pods, are never matched by blocks;
- groups: like a block of all addresses of all groups whose labels match; the whole of a family
  if every address of it is there;
- names: an address outside the cluster. `MUST` if somebody said that a name the match covers
  stands for it; else not if somebody said what else it is called, and `MAY` otherwise if the
  match has a wildcard or a name nobody resolved;
- nodes: a node, or a host-network pod on it, by the node's labels; `MAY` if the node is
  unknown, or known by name only;
- self: the same live pod; a template's pod and itself are two replicas;
- own node, other node: a node or a host-network pod, compared with the subject's node. If
  either is unknown, a point is looked at both ways. Nothing else is ever on a node;
- own pod: for a subject on a node's network, a pod with a network of its own, by its node;
  `MAY` if either is unknown;
- returned: no flow asked about here goes through a Service;
- unknown: `MAY`;
- any of: the best of its parts; all of: the least; none of: the opposite of the best.

Traffic matches by number, or by a port name that stands for it, and does not where an excepted
port name stands for it. Named ports are looked up on the destination if it is a pod with a
network of its own: declared there, by a container that counts,
with that number and the flow's protocol. Under `UNION` the declarations of every pod count
that the policy selects, or may select, on ingress; under `WHOLE_PROTOCOL`
any port of the protocol does, on such a pod.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from cloison.algebra import L4, PORT_PROTOCOLS, AddressSet, TrafficSet
from cloison.ir.fidelity import Verdict
from cloison.ir.names import NamePattern
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import (
    Action,
    Combine,
    Direction,
    LayerSpec,
    Mode,
    NamedPort,
    Policy,
    PolicySet,
    Rule,
    TierSpec,
)
from cloison.ir.profile import NamedPorts, OtherProtocols, Profile
from cloison.resources.objects import ContainerKind, ContainerPort, Node
from cloison.resources.world import PodEndpoint, World
from tests.oracle.ir_ends import Ends
from tests.oracle.ir_ways import (
    EITHER,
    OPEN,
    WAY_OF,
    End,
    Match,
    Way,
    Ways,
    at_best,
    pass_goes_on,
    traffic_point,
)

if TYPE_CHECKING:
    from cloison.algebra import Request


class IROracle:
    """Answers flows over a world and its policies.

    Args:
        world: The inventory.
        policies: Declared policies with their layers.
        profile: Who enforces.
        names: What DNS names stand for, as far as somebody said it.
        complete: Whether no other names have addresses.
        request: The request that is made; None where nobody knows it.
    """

    def __init__(
        self,
        world: World,
        policies: PolicySet,
        profile: Profile,
        names: Mapping[str, AddressSet] | None = None,
        *,
        complete: bool = False,
        request: "Request | None" = None,
    ) -> None:
        self.request = request
        self.world = world
        self.profile = profile
        self.groups = policies.groups
        self.names = names or {}
        self.complete = complete
        self.layers = policies.layers
        self.enforced = [
            p for p in policies.policies if p.mode is Mode.ENFORCED and profile.enforces
        ]
        self._owners: dict[int, End] = {}
        # What is asked of every flow, and stays; the ends are kept, so that ids stay theirs.
        self._about: dict[tuple[int, int], tuple[End, Match]] = {}
        self._asked: dict[int, tuple[End, Match]] = {}
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
                point = Point(self, layer, subject, peer, direction, target, traffic, family)
                outcomes.append(point.outcome())
        if any(outcome == {Way.DENY} for outcome in outcomes):
            return Verdict.DENIED
        if any(Way.DENY in outcome for outcome in outcomes):
            return Verdict.UNDETERMINED
        return Verdict.ALLOWED

    def tiers(
        self, layer: LayerSpec, ends: tuple[End, End], direction: Direction, flow: tuple[int, int]
    ) -> Iterator[tuple[str, Ways]]:
        """Iterate over the tiers of a layer that a connection may come to.

        Each comes with how evaluation can leave it; at the end that is the layer's default, under
        no name.

        Args:
            layer: The layer.
            ends: The subject and its peer.
            direction: The subject's direction.
            flow: Point of the traffic axis, and the address family.
        """
        target = ends[1] if direction is Direction.EGRESS else ends[0]
        point = Point(self, layer, *ends, direction, target, *flow)
        if Way.ON not in point.builtin():
            return
        for tier in layer.tiers:
            ways = point.tier(tier)
            yield tier.name, ways
            if Way.ON not in ways:
                return
        yield "", frozenset((WAY_OF[layer.default],))

    def resolve(self, end: End) -> End:
        """Return the pod or node an address belongs to, if any."""
        return self._owners.get(end, end) if isinstance(end, int) else end

    def is_pod(self, end: End) -> bool:
        """Return whether policies and selectors see an end as a pod."""
        if not isinstance(end, PodEndpoint):
            return False
        return not end.shape.host_network

    def selects(self, match: PodsMatch, end: End) -> Match:
        """Return whether a pod match holds of an end."""
        if not isinstance(end, PodEndpoint) or not self.is_pod(end):
            return Match.NO
        if match.namespace is not None:
            if end.namespace != match.namespace:
                return Match.NO
        elif not match.namespaces.matches(self.world.namespaces[end.namespace].labels):
            return Match.NO
        account = self.world.account_labels(end.namespace, end.shape.service_account)
        if not match.pods.matches(end.labels) or not match.accounts.matches(account):
            return Match.NO
        if match.nodes is None or end.shape.node in match.nodes:
            return Match.MUST
        return Match.MAY if match.nodes and end.shape.node is None else Match.NO

    def applies(self, policy: Policy, end: End) -> Match:
        """Return whether a policy is about an end."""
        known = self._about.get((id(policy), id(end)))
        if known is None:
            pods = max((self.selects(each, end) for each in policy.subjects), default=Match.NO)
            known = end, max(pods, self._named_node(policy, end))
            self._about[id(policy), id(end)] = known
        return known[1]

    def _named_node(self, policy: Policy, end: End) -> Match:
        on_node, name = self.node_of(end)
        if not on_node or not policy.nodes:
            return Match.NO
        if name is None:
            return Match.MAY
        return Match.MUST if name in policy.nodes else Match.NO

    def is_subject(self, end: End) -> Match:
        """Return whether policies are asked about an end at all."""
        if self.is_pod(end):
            return Match.MUST
        known = self._asked.get(id(end))
        if known is None:
            known = end, max((self._named_node(p, end) for p in self.enforced), default=Match.NO)
            self._asked[id(end)] = known
        return known[1]

    def addresses(self, end: End) -> tuple[int, ...]:
        """Return the addresses of an end, as far as known."""
        if isinstance(end, int):
            return (end,)
        if isinstance(end, NamePattern):
            return ()
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


class Point(Ends):
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
        super().__init__(oracle, subject, peer, family)
        self.layer = layer
        self.direction = direction
        self.target = target
        self.traffic = traffic

    def outcome(self) -> Ways:
        """Return the possible outcomes: allow, deny or both."""
        if self.same is None and self.apart():
            ways: Ways = frozenset()
            for self.same in (True, False):
                ways |= self._outcome()
            self.same = None
            return ways
        return self._outcome()

    def _outcome(self) -> Ways:
        asked = self.oracle.is_subject(self.subject)
        if asked is Match.NO:
            return OPEN
        steps = [self.builtin(), self.opaque()]
        steps += [self.tier(tier) for tier in self.layer.tiers]
        steps.append(frozenset((WAY_OF[self.layer.default],)))
        ways = self._in_turn(steps)
        return ways if asked is Match.MUST else ways | OPEN

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
        return pass_goes_on(ways)

    def opaque(self) -> Ways:
        here = {tier.name for tier in self.layer.tiers}
        known = {tier.name for layer in self.oracle.layers for tier in layer.tiers}
        first = self.layer is self.oracle.layers[0]
        for policy in self.oracle.enforced:
            placed = policy.tier in here or (first and policy.tier not in known)
            governs = policy.opaque is not None and self.direction in policy.isolates
            if placed and governs and self.oracle.applies(policy, self.subject):
                return EITHER
        return frozenset((Way.ON,))

    def tier(self, tier: TierSpec) -> Ways:
        policies = [
            p
            for p in self.oracle.enforced
            if p.tier == tier.name and self.oracle.applies(p, self.subject)
        ]
        ways = self._in_turn(
            self._band(combine, [p for p in policies if p.band == number])
            for number, combine in enumerate(tier.bands)
        )
        if tier.end is None:
            return pass_goes_on(ways)
        end = EITHER
        if self.traffic in tier.end_scope:
            end = frozenset((WAY_OF[tier.end],))
        here = self._surest(p for p in policies if self.direction in p.isolates)
        closing = self._surest(
            p
            for p in policies
            if tier.ends_both and p.isolates and self.direction not in p.isolates
        )
        ways = self._in_turn([ways, at_best(here, end), at_best(closing, OPEN)])
        return pass_goes_on(ways)

    def _surest(self, policies: Iterable[Policy]) -> Match:
        """Return whether any of some policies is about the subject."""
        found = (self.oracle.applies(p, self.subject) for p in policies)
        return max(found, default=Match.NO)

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

    def _request(self, rule: Rule) -> Match:
        if rule.request is None:
            return Match.MUST
        known = None if self.oracle.request is None else rule.request.matches(self.oracle.request)
        return {True: Match.MUST, None: Match.MAY, False: Match.NO}[known]

    def _matches(self, policy: Policy | None, rule: Rule) -> Match:
        asks_more = rule.condition is not None or rule.sources is not None
        subjects = rule.subjects
        return min(
            self.oracle.applies(policy, self.subject) if policy else Match.MUST,
            max((self.match(peer.match, self.peer) for peer in rule.peers), default=Match.NO),
            Match.MUST
            if subjects is None
            else max((self.match(each, self.subject) for each in subjects), default=Match.NO),
            self._traffic(policy, rule),
            Match.MAY if asks_more else Match.MUST,
            self._request(rule),
        )

    def _traffic(self, policy: Policy | None, rule: Rule) -> Match:
        traffic = rule.traffic
        if any(self._named(policy, rule, name) for name in traffic.excepted):
            return Match.NO
        if self.traffic in traffic.must:
            return Match.MUST
        named = self.traffic not in traffic.without
        if named and any(self._named(policy, rule, name) for name in traffic.named):
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
        if self.profile.last_port_name:
            same = [port for port in declared if port.name == name.name and self._counts(port)]
            declared = same[-1:]
        if strategy is NamedPorts.UNION and rule.direction is Direction.INGRESS and policy:
            pods = (pod for pod in self.oracle.pods() if self.oracle.applies(policy, pod))
            declared = [port for pod in pods if self.oracle.is_pod(pod) for port in pod.ports]
        return any(self._declares(port, name) for port in declared)

    def _counts(self, port: ContainerPort) -> bool:
        return port.container is ContainerKind.REGULAR or self.profile.init_container_ports

    def _declares(self, port: ContainerPort, name: NamedPort) -> bool:
        return (
            self._counts(port)
            and port.name == name.name
            and name.protocol in (None, port.protocol)
            and self.traffic in L4
            and self.traffic == traffic_point(port.protocol, port.number)
        )
