"""What an enforcer reads in a NetworkPolicy, where that is not what the API says.

The facts are the profile's: labels that it does not see, directions that it does not ask
`policyTypes` about, peers that are more to it than what is written.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cloison.algebra import NO_TRAFFIC, LabelSelector, TrafficSet
from cloison.base import Sharing
from cloison.dialects.networkpolicy import model
from cloison.dialects.networkpolicy.ways import whole
from cloison.dialects.reading.negative import NO_PODS, beyond, perhaps
from cloison.dialects.reading.ports import port_names
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import AllOf, BlockMatch, NodesMatch, NoneOf, PeerMatch, PodsMatch
from cloison.ir.policy import Direction, Peer
from cloison.ir.profile import LabelFilter, Profile
from cloison.resources.world import World


@dataclass(frozen=True)
class Reader:
    """Who reads policies, and in which cluster.

    Args:
        profile: Who enforces.
        world: The inventory, as far as it is known.
        share: Keeps the matches that policies have in common.
        kept: Which labels policies see, as far as any asked: by key, and whether of a namespace.
    """

    profile: Profile
    world: World | None = None
    share: Sharing = field(default_factory=Sharing)
    kept: dict[tuple[str, bool], bool] = field(default_factory=dict)

    def types(self, policy: model.NetworkPolicy) -> frozenset[model.PolicyType]:
        """Return the directions that a policy isolates, in which its rules count."""
        found = policy.effective_types
        if self.profile.reading.every_list:
            found |= {each for each in model.PolicyType if policy.rules(each)}
        return found

    def visible(self, selector: LabelSelector, *, namespaces: bool = False) -> LabelSelector:
        """Return what a selector comes to that is asked of the labels that policies see.

        Args:
            selector: On the labels that there are.
            namespaces: Whether those are of namespaces.
        """
        seen = self.profile.visible
        if seen is None or not selector:
            return selector
        if all(self._keeps(seen, key, namespaces=namespaces) for key in selector.keys):
            return selector
        return seen.seen(selector, namespaces=namespaces)

    def _keeps(self, seen: LabelFilter, key: str, *, namespaces: bool) -> bool:
        """Return whether policies see a label: one answer for all policies that ask for it."""
        found = self.kept.get((key, namespaces))
        if found is None:
            found = seen.keeps_of_namespace(key) if namespaces else seen.keeps(key)
            self.kept[key, namespaces] = found
        return found

    def matches(
        self, match: PeerMatch, direction: Direction, namespace: str
    ) -> Iterator[PeerMatch]:
        """Yield whom a peer is to the enforcer, any of them; the first is the peer as written.

        Args:
            match: Whom it is by the API.
            direction: Of its rule.
            namespace: Of its policy.
        """
        reading = self.profile.reading
        if isinstance(match, BlockMatch):
            own = reading.block_and_own if direction is Direction.INGRESS else None
            yield from self._block(match)
            if own is not None:
                yield perhaps(PodsMatch(namespace=namespace), own)
        elif isinstance(match, PodsMatch):
            yield PodsMatch(
                match.namespace,
                self.visible(match.namespaces, namespaces=True),
                self.visible(match.pods),
            )
            yield from beyond(match, reading)
        else:
            yield match

    def caveats(
        self, rule: model.NetworkPolicyRule, direction: Direction, peers: Iterable[Peer]
    ) -> Iterator[Caveat]:
        """Yield what answers carry that rest on a rule, for ways of the enforcer's own.

        Args:
            rule: As written.
            direction: Its direction.
            peers: Whom it is about to the enforcer.
        """
        reading = self.profile.reading
        table, own = reading.cluster_names, reading.block_and_own
        if direction is Direction.EGRESS:
            if table is not None and self.world is not None and _named(rule):
                yield table.caveat
        elif own is not None and own.reason is None and _of_blocks(rule):
            yield own.caveat
        if reading.beyond_pods is not None and any(each.match in NO_PODS for each in peers):
            yield reading.beyond_pods.caveat

    def _block(self, block: BlockMatch) -> Iterator[PeerMatch]:
        profile = self.profile
        inside: list[PeerMatch] = []
        if block.whole and profile.reading.whole_outside:
            inside += [NodesMatch()] if profile.block_matches_nodes else []
            inside += [PodsMatch()] if profile.block_matches_pods else []
        block = whole(block, profile.reading)
        yield AllOf((block, NoneOf(tuple(inside)))) if inside else block
        if profile.reading.block_of_pods is not None:
            yield perhaps(PodsMatch(), profile.reading.block_of_pods)

    def numbers(self, name: str, protocol: str) -> TrafficSet:
        """Return the port that a name stands for in the whole cluster; none where pods differ."""
        found = self._names.get((name, protocol), frozenset())
        if len(found) != 1:
            return NO_TRAFFIC
        return TrafficSet.ports(protocol, *found)

    @cached_property
    def _names(self) -> Mapping[tuple[str, str], frozenset[int]]:
        """Numbers of each port name and protocol, over all pods on the pod network."""
        return {} if self.world is None else port_names(self.world)


def _named(rule: model.NetworkPolicyRule) -> bool:
    return any(isinstance(each.port, str) for each in rule.ports or ())


def _of_blocks(rule: model.NetworkPolicyRule) -> bool:
    return any(each.ip_block is not None for each in rule.peers or ())
