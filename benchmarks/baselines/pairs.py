"""The plain way: for every pair of pods, go through the policies of both.

It works on the same IR as the engine, and keeps nothing from one pair to the next but which
policies a namespace has, as most analyzers do. What it says of a pair is complete: all TCP, UDP
and SCTP traffic that passes.
"""

from collections.abc import Iterator

from benchmarks.faults import NotSupportedError
from cloison.algebra import L4, NO_ADDRESSES, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.app.session import Session
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
)
from cloison.ir.policy import (
    Action,
    Combine,
    Direction,
    LayerSpec,
    NamedPort,
    Policy,
    Rule,
    TierSpec,
)
from cloison.resources.world import PodEndpoint

_FIRST = {
    Combine.UNION: (Action.ALLOW, Action.DENY, Action.PASS),
    Combine.DENY_OVERRIDES: (Action.DENY, Action.ALLOW, Action.PASS),
}
"""The order in which actions win where rules have none."""


class PairLoop:
    """Answers pairs of pods whose addresses are known.

    Args:
        session: The world and its policies.

    Raises:
        NotSupportedError: There is something that it does not know.
    """

    def __init__(self, session: Session) -> None:
        self._world = session.world
        self._profile = session.profile
        self._layers = session.policies.layers
        if any(tier.ends_both for layer in self._layers for tier in layer.tiers):
            raise NotSupportedError("tiers that end both directions")
        self._groups = session.policies.groups
        self._everywhere: list[Policy] = []
        self._of_home: dict[str, list[Policy]] = {}
        for policy in session.policies.policies:
            homes = {match.namespace for match in policy.subjects}
            if len(homes) == 1 and None not in homes:
                self._of_home.setdefault(str(*homes), []).append(policy)
            else:
                self._everywhere.append(policy)

    def passing(self, source: PodEndpoint, destination: PodEndpoint) -> TrafficSet:
        """Return the traffic of TCP, UDP and SCTP that passes between two pods."""
        found = self._point(source, destination, Direction.EGRESS, destination)
        return found and found & self._point(destination, source, Direction.INGRESS, destination)

    def _point(
        self, subject: PodEndpoint, peer: PodEndpoint, direction: Direction, target: PodEndpoint
    ) -> TrafficSet:
        """Return what a pod's policies let pass in one direction."""
        if subject == peer:
            return L4
        policies = [p for p in self._near(subject) if self._selects(p, subject)]
        found = L4
        for layer in self._layers:
            found &= self._layer(layer, policies, _Flow(self, peer, target, direction))
        return found

    def _near(self, subject: PodEndpoint) -> Iterator[Policy]:
        yield from self._of_home.get(subject.namespace, ())
        yield from self._everywhere

    def _layer(self, layer: LayerSpec, policies: list[Policy], flow: "_Flow") -> TrafficSet:
        left, allowed = L4, NO_TRAFFIC
        for tier in layer.tiers:
            here = [p for p in policies if p.tier == tier.name]
            if not here:
                continue
            more, left = self._tier(tier, here, flow, left)
            allowed |= more
        return allowed | left if layer.default is Action.ALLOW else allowed

    def _tier(
        self, tier: TierSpec, policies: list[Policy], flow: "_Flow", left: TrafficSet
    ) -> tuple[TrafficSet, TrafficSet]:
        """Return what a tier allows of some traffic, and what it leaves to the next one."""
        allowed = passed = NO_TRAFFIC
        for number, combine in enumerate(tier.bands):
            band = [p for p in policies if p.band == number]
            for rule in _in_order(combine, band, flow.direction):
                if not left:
                    break
                hit = left & flow.traffic(rule) if flow.matches(rule) else NO_TRAFFIC
                left -= hit
                if rule.action is Action.ALLOW:
                    allowed |= hit
                elif rule.action is Action.PASS:
                    passed |= hit
        if tier.end is not None and any(flow.direction in p.isolates for p in policies):
            if tier.end is Action.ALLOW:
                allowed |= left
            left = NO_TRAFFIC
        return allowed, left | passed

    def _selects(self, policy: Policy, pod: PodEndpoint) -> bool:
        return any(self.holds(match, pod) for match in policy.subjects)

    def holds(self, match: PeerMatch, pod: PodEndpoint) -> bool:
        """Return whether a match holds of a pod.

        Raises:
            NotSupportedError: Nobody can say without more than the pod itself.
        """
        match match:
            case PodsMatch():
                return self._labels(match, pod)
            case BlockMatch():
                return self._profile.block_matches_pods and _has(match.addresses, pod)
            case GroupsMatch():
                addresses = NO_ADDRESSES
                for group in self._groups:
                    if match.labels.matches(group.labels):
                        addresses |= group.addresses
                return self._profile.block_matches_pods and _has(addresses, pod)
            case AnyOf():
                return any(self.holds(each, pod) for each in match.matches)
            case AllOf():
                return all(self.holds(each, pod) for each in match.matches)
            case NoneOf():
                return not any(self.holds(each, pod) for each in match.matches)
            case AnyMatch():
                return True
        raise NotSupportedError(type(match).__name__)

    def _labels(self, match: PodsMatch, pod: PodEndpoint) -> bool:
        if match.namespace is not None and pod.namespace != match.namespace:
            return False
        home = self._world.namespaces[pod.namespace].labels
        if match.namespace is None and not match.namespaces.matches(home):
            return False
        account = self._world.account_labels(pod.namespace, pod.shape.service_account)
        return match.pods.matches(pod.labels) and match.accounts.matches(account)


class _Flow:
    """One direction between two pods; lives for one question."""

    def __init__(
        self, loop: PairLoop, peer: PodEndpoint, target: PodEndpoint, direction: Direction
    ) -> None:
        self._loop = loop
        self._peer = peer
        self._target = target
        self.direction = direction

    def matches(self, rule: Rule) -> bool:
        """Return whether a rule matches the peer."""
        return any(self._loop.holds(peer.match, self._peer) for peer in rule.peers)

    def traffic(self, rule: Rule) -> TrafficSet:
        """Return the traffic that a rule means between the two."""
        found = rule.traffic.must
        for name in rule.traffic.named:
            found |= self._named(name)
        for name in rule.traffic.excepted:
            found -= self._named(name)
        return found

    def _named(self, name: NamedPort) -> TrafficSet:
        found = NO_TRAFFIC
        for port in self._target.ports:
            if port.name == name.name and name.protocol in {None, port.protocol}:
                found |= TrafficSet.ports(port.protocol, port.number)
        return found


def _in_order(combine: Combine, policies: list[Policy], direction: Direction) -> Iterator[Rule]:
    """Iterate over the rules of a band, those that win first."""
    if combine is Combine.FIRST_MATCH:
        for policy in sorted(policies, key=lambda each: each.order):
            yield from policy.rules_for(direction)
        return
    for action in _FIRST[combine]:
        for policy in policies:
            yield from (r for r in policy.rules_for(direction) if r.action is action)


def _has(addresses: AddressSet, pod: PodEndpoint) -> bool:
    if not pod.addresses:
        raise NotSupportedError("a pod without an address")
    return any(address in addresses for address in pod.addresses)
