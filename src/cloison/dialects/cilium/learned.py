"""Names that hold only once they are looked up: which rules by DNS name an answer can make true.

A rule of `toFQDNs` is about addresses that the DNS proxy of the node has seen in answers, and it
sees only those of queries that a rule with `rules.dns` leads through it. So it holds for a pod
where one on its node may look the name up that way, itself or another, and nowhere else.

Source: Cilium documentation, Layer 3 policies and Layer 7 policies; cilium/cilium pkg/fqdn.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.dialects.cilium import caveats
from cloison.dialects.cilium.cluster import Cluster, Places
from cloison.dialects.cilium.near import Near, within
from cloison.dialects.cilium.resolver import limits
from cloison.dialects.cilium.widened import Widening
from cloison.ir.names import NamePattern, Stars
from cloison.ir.peers import AllOf, NamesMatch, PodsMatch, UnknownMatch
from cloison.ir.policy import Peer, Policy, Rule

EVERY_NAME = (NamePattern("*", Stars.PARTS),)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Names that some pods may look up through the proxy.

    Args:
        subjects: The pods, any of these.
        nodes: The nodes, for queries of their own.
        names: The names.
        places: Where pods run that may besides those subjects; None for nowhere.
    """

    subjects: tuple[PodsMatch, ...]
    nodes: frozenset[str]
    names: tuple[NamePattern, ...]
    places: Places | None = None


class Lookups(Near[Lookup]):
    """Lookups, and where pods run that may make them.

    Args:
        items: The lookups.
        cluster: Where pods run.
        perhaps: Those of which it is not known whether they are let through.
    """

    def __init__(
        self, items: Iterable[Lookup], cluster: Cluster, perhaps: "Lookups | None" = None
    ) -> None:
        super().__init__(items)
        self.perhaps = perhaps
        found: dict[tuple[NamePattern, ...], list[Lookup]] = {}
        for each in self.items:
            found.setdefault(each.names, []).append(each)
        self._alike = found
        self._cluster = cluster
        self._places: dict[tuple[NamePattern, ...], Places] = {}

    def by_names(self) -> Iterator[tuple[Lookup, Places]]:
        """Iterate over one lookup for all of the same names, with where any of them is made."""
        for names, held in self._alike.items():
            places = self._places.get(names)
            if places is None:
                every = [self._cluster.nodes_of(each.subjects) for each in held]
                every += [each.places for each in held if each.places is not None]
                nodes = frozenset(node for each in every for node in each.nodes)
                unknown = any(each.unknown for each in every)
                places = self._places[names] = Places(nodes, unknown)
            yield held[0], places


def lookups(policies: Sequence[Policy], others: Sequence[Policy], cluster: Cluster) -> Lookups:
    """Return what policies lead through the DNS proxy.

    Args:
        policies: Cilium's own.
        others: What stands beside them.
        cluster: What they are compiled in.
    """
    found: list[Lookup] = []
    perhaps: list[Lookup] = []
    wider: Widening | None = None
    if any(map(_by_name, (rule for policy in policies for rule in policy.rules))):
        tiers = {policy.tier for policy in policies}
        wider = Widening((*policies, *(each for each in others if each.tier in tiers)), cluster)
    for policy in policies:
        for limit in limits((policy,)).items:
            found.append(Lookup(limit.subjects, limit.nodes, limit.names))
            for each in wider.of(policy, limit) if wider is not None else ():
                if each.subjects or each.nodes or each.places is not None:
                    more = found if each.sure else perhaps
                    more.append(Lookup(each.subjects, each.nodes, EVERY_NAME, each.places))
    return Lookups(found, cluster, Lookups(perhaps, cluster) if perhaps else None)


def with_lookups(policy: Policy, known: Lookups) -> Policy:
    """Return a policy whose rules by DNS name are about names that can be learned."""
    if not any(map(_by_name, policy.rules)):
        return policy
    rules = tuple(each for rule in policy.rules for each in _learned(rule, policy, known))
    return replace(policy, rules=rules)


def unlearned(policy: Policy, known: Lookups) -> Iterator[tuple[Rule, Peer]]:
    """Yield the rules by DNS name, and their peers, that no answer can ever make true."""
    for rule in policy.rules:
        for peer in rule.peers:
            name = _name(peer)
            if name is not None and not known.perhaps and not _asked_for(name, known.items):
                yield rule, peer


def _by_name(rule: Rule) -> bool:
    return any(_name(peer) is not None for peer in rule.peers)


def _name(peer: Peer) -> NamePattern | None:
    match = peer.match
    return match.names[0] if isinstance(match, NamesMatch) else None


def _asked_for(name: NamePattern, known: Iterable[Lookup]) -> bool:
    return any(each.meets(name) is not False for held in known for each in held.names)


def _learned(rule: Rule, policy: Policy, known: Lookups) -> Iterator[Rule]:
    """Yield a rule as far as names can be learned: by all it is about, by some, perhaps."""
    named = [(peer, name) for peer in rule.peers if (name := _name(peer)) is not None]
    if not named:
        yield rule
        return
    others = tuple(peer for peer in rule.peers if _name(peer) is None)
    noted = replace(rule, caveats=(*rule.caveats, caveats.NAMES_LEARNED))
    near = known.to(policy)
    mine = [each for each in near if _all_of(policy, each)]
    sure = tuple(part for peer, name in named for part in _parts(peer, name, mine))
    yield replace(noted if sure else rule, peers=(*others, *sure))
    rest = [(peer, name) for peer, name in named if not _covered(name, mine)]
    if rest:
        for lookup in near:
            parts = tuple(part for peer, name in rest for part in _parts(peer, name, [lookup]))
            if lookup.subjects and parts and lookup not in mine:
                yield replace(noted, peers=parts, subjects=lookup.subjects)
        yield from _by_others(rule, noted, rest, known)
        if known.perhaps is not None:
            yield from _by_some(rule, policy, [peer for peer, _ in rest], known.perhaps)


def _by_others(
    rule: Rule, noted: Rule, rest: Sequence[tuple[Peer, NamePattern]], known: Lookups
) -> Iterator[Rule]:
    """Yield a rule for names that others on the same node may look up."""
    perhaps: list[Peer] = []
    for lookup, places in known.by_names():
        parts = tuple(part for peer, name in rest for part in _parts(peer, name, [lookup]))
        if places.nodes and parts:
            here = (PodsMatch(nodes=places.nodes),)
            yield replace(noted, peers=parts, subjects=here)
        if places.unknown:
            perhaps += parts
        perhaps += (peer for peer, name in rest if _overlaps(name, lookup))
    if perhaps:
        yield _perhaps(rule, dict.fromkeys(perhaps))


def _by_some(rule: Rule, policy: Policy, peers: Sequence[Peer], perhaps: Lookups) -> Iterator[Rule]:
    """Yield a rule for names of which it is not known whether they may be looked up."""
    unsure = _perhaps(rule, peers)
    for lookup in perhaps.to(policy):
        if _all_of(policy, lookup):
            yield unsure
            return
        if lookup.subjects:
            yield replace(unsure, subjects=lookup.subjects)
    for _, places in perhaps.by_names():
        if places.unknown:
            yield unsure
        elif places.nodes:
            yield replace(unsure, subjects=(PodsMatch(nodes=places.nodes),))


def _perhaps(rule: Rule, peers: Iterable[Peer]) -> Rule:
    """Return a rule of which it is not known whether an answer makes it true."""
    reason = "whether the name was looked up through the DNS proxy of the node"
    unknown = UnknownMatch(reason, caveats.NAME_NOT_LEARNED)
    peers = tuple(replace(peer, match=AllOf((unknown, peer.match))) for peer in peers)
    return replace(rule, peers=peers, caveats=(*rule.caveats, caveats.NAME_NOT_LEARNED))


def _covered(name: NamePattern, mine: Iterable[Lookup]) -> bool:
    return any(each.holds(name) for held in mine for each in held.names)


def _overlaps(name: NamePattern, lookup: Lookup) -> bool:
    """Whether some of a pattern's names may be looked up, and which is hard to say."""
    inside = any(name.holds(each) for each in lookup.names)
    return not inside and not _covered(name, [lookup]) and _asked_for(name, [lookup])


def _parts(peer: Peer, name: NamePattern, mine: Sequence[Lookup]) -> Iterator[Peer]:
    """Yield as much of a name pattern as certain lookups can certainly learn."""
    if _covered(name, mine):
        yield peer
        return
    inside = (each for held in mine for each in held.names if name.holds(each))
    for each in dict.fromkeys(inside):
        yield replace(peer, match=NamesMatch((each,)))


def _all_of(policy: Policy, lookup: Lookup) -> bool:
    """Whether all whom a policy is about are among those who look up."""
    if policy.nodes:
        return policy.nodes <= lookup.nodes
    return all(any(within(mine, other) for other in lookup.subjects) for mine in policy.subjects)
