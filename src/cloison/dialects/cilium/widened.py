"""Rules about names, beside what lets every name through: the proxy sees such queries all the same.

A rule without names for the resolver's port lifts the limit of one with names, and queries still
go through the proxy, which learns from every answer. So does a direction that nothing closes.
What covers a part of the resolvers only leaves open whether that part is asked.

Source: cilium/cilium pkg/policy/l4.go; Cilium documentation, Layer 7 policies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from cloison.algebra import TrafficSet
from cloison.dialects.cilium.cluster import Cluster, Places
from cloison.dialects.cilium.identities import INIT
from cloison.dialects.cilium.labels import reserved_pods
from cloison.dialects.cilium.near import Near, both, within
from cloison.dialects.cilium.resolver import Limit
from cloison.dialects.cilium.rules import every_port
from cloison.dialects.cilium.switches import EnablePolicy
from cloison.dialects.cilium.unsettled import U3
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    NamesMatch,
    NodesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    RelativeMatch,
)
from cloison.ir.policy import Action, Direction, Policy, Rule


@dataclass(frozen=True, slots=True)
class Wider:
    """Who may look up every name.

    Args:
        subjects: The pods, any of these.
        nodes: The nodes.
        sure: Whether that is certain.
        places: Where pods run that certainly may, beside those subjects; None for nowhere.
    """

    subjects: tuple[PodsMatch, ...]
    nodes: frozenset[str]
    sure: bool
    places: Places | None = None


class Widening:
    """What stands beside rules about names.

    Args:
        policies: All that there are, of every language.
        cluster: What they are compiled in.
    """

    def __init__(self, policies: Sequence[Policy], cluster: Cluster) -> None:
        self._cluster = cluster
        self._plain = Near([each for each in policies if any(map(_plain, each.rules))])
        closing = [each for each in policies if Direction.EGRESS in each.isolates]
        self._closing = Near(closing)

    def of(self, policy: Policy, limit: Limit) -> Iterator[Wider]:
        """Yield who may look up more than the names of a rule of a policy."""
        if any(each.every for each in limit.names):
            return
        yield from self._open(policy)
        for other in self._plain.to(policy):
            for rule in filter(_plain, other.rules):
                sure = self._lifts(rule, limit)
                if sure is not False:
                    found = (both(one, two) for one in limit.subjects for two in other.subjects)
                    subjects = tuple(each for each in found if each is not None)
                    whole = rule.subjects is None and other.opaque is None
                    yield Wider(subjects, limit.nodes & other.nodes, bool(sure) and whole)

    def _open(self, policy: Policy) -> Iterator[Wider]:
        """Yield whom a policy is about that nothing closes, where rules only look at requests."""
        always = self._cluster.switches.enable_policy is EnablePolicy.ALWAYS
        if always or Direction.EGRESS in policy.isolates:
            return
        closing = self._closing.to(policy)
        # A pod without an identity yet is closed whatever policies say.
        closed = (reserved_pods(INIT), *(one for other in closing for one in other.subjects))
        subjects = tuple(
            one for one in policy.subjects if not any(within(one, two) for two in closed)
        )
        if closing:
            places = self._cluster.places_of(policy.subjects, closed)
            if places.nodes or places.unknown:
                yield Wider((), frozenset(), sure=True, places=places)
            told = not any(one.namespaces for one in (*policy.subjects, *closed))
            if told and not policy.nodes and not any(each.opaque for each in closing):
                return  # Which pods those are is known, and all of them are counted.
        if subjects or policy.nodes:
            yield Wider(subjects, policy.nodes, not closing)

    def _lifts(self, rule: Rule, limit: Limit) -> bool | None:
        """Return whether a rule lets every name through to the resolvers; None if it may."""
        u3 = self._cluster.switches.u3
        if every_port(rule):
            if u3 is U3.KEEPS:
                return False
            certain = u3 is U3.RELAXES
        else:
            certain = bool(rule.traffic.must & limit.traffic)
            by_name = not certain and not rule.traffic.may & limit.traffic
            if by_name:
                called = {self._called(rule, each, limit.traffic) for each in limit.peers}
                if called == {False}:
                    return False
                certain = called == {True}
        found = {self._covers(rule, each) for each in limit.peers}
        if found == {False}:
            return False
        return True if certain and found == {True} and rule.condition is None else None

    def _called(self, rule: Rule, resolver: PeerMatch, traffic: TrafficSet) -> bool | None:
        """Return whether all resolvers call a port so that some traffic is on it, or none does."""
        named = rule.traffic.named
        if not named or not self._of_pods(resolver):
            return False
        only = isinstance(resolver, PodsMatch)
        pods = self._cluster.ports_of(resolver if isinstance(resolver, PodsMatch) else PodsMatch())
        found = {
            any(
                not traffic.isdisjoint(TrafficSet.ports(port.protocol, port.number))
                for name in named
                for port in ports
                if port.name == name.name and name.protocol in (None, port.protocol)
            )
            for ports in pods
        }
        return found.pop() if len(found) == 1 and (only or found == {False}) else None

    def _covers(self, rule: Rule, resolver: PeerMatch) -> bool | None:
        """Return whether a rule's peers hold all of some resolvers, or none; None for a part."""
        matches = [peer.match for peer in rule.peers]
        if any(isinstance(each, AnyMatch) or each == resolver for each in matches):
            return True
        meeting = [each for each in matches if self._meet(each, resolver)]
        if not meeting:
            return False
        if not isinstance(resolver, PodsMatch):
            return None
        plain = [each for each in meeting if isinstance(each, PodsMatch)]
        if any(within(resolver, each) for each in plain):
            return True
        pods = self._cluster.pods_of(resolver)
        if not pods or len(plain) < len(meeting):
            return None
        inside = {pod for each in plain for pod in self._cluster.pods_of(each)}
        if pods <= inside:
            return True
        return None if pods & inside else False

    def _meet(self, one: PeerMatch, resolver: PeerMatch) -> bool:
        """Return whether two matches may find the same end."""
        if isinstance(one, PodsMatch) and isinstance(resolver, PodsMatch):
            return both(one, resolver) is not None
        if isinstance(one, BlockMatch) and isinstance(resolver, BlockMatch):
            return bool(one.addresses & resolver.addresses)
        return bool(self._kinds(one) & self._kinds(resolver))

    def _of_pods(self, match: PeerMatch) -> bool:
        """Return whether a match may find pods."""
        return _PODS in self._kinds(match)

    def _kinds(self, match: PeerMatch) -> frozenset[str]:
        """Return what a match may find."""
        match match:
            case PodsMatch():
                return frozenset({_PODS})
            case NodesMatch() | RelativeMatch():
                return frozenset({_NODES})
            case NamesMatch():
                return frozenset({_OUTSIDE})
            case BlockMatch():
                profile = self._cluster.profile
                pods = profile.block_matches_pods or profile.reading.block_of_pods is not None
                found = {_OUTSIDE: True, _PODS: pods, _NODES: profile.block_matches_nodes}
                return frozenset(kind for kind, may in found.items() if may)
            case AllOf(matches):
                return reduce(frozenset.intersection, map(self._kinds, matches), _EVERY)
            case AnyOf(matches):
                return frozenset(kind for each in matches for kind in self._kinds(each))
            case NoneOf(matches):
                return _EVERY - {_PODS} if PodsMatch() in matches else _EVERY
        return _EVERY


_PODS, _NODES, _OUTSIDE = "pods", "nodes", "outside"
_EVERY = frozenset({_PODS, _NODES, _OUTSIDE})


def _plain(rule: Rule) -> bool:
    """Whether it lets traffic out without asking about requests."""
    outward = rule.direction is Direction.EGRESS and rule.action is Action.ALLOW
    return outward and rule.request is None and bool(rule.peers)
