"""Rules that cannot be put together: what is asked of one port of one peer by different parsers.

The policy of an endpoint under both is not computed, and it keeps the one it had, which nobody
can say. So whatever such an endpoint does is open.

Source: cilium/cilium pkg/policy/l4.go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from cloison.algebra import TrafficSet
from cloison.dialects.cilium import caveats
from cloison.dialects.cilium.l7 import Condition
from cloison.dialects.cilium.near import both
from cloison.ir.peers import PeerMatch, UnknownMatch
from cloison.ir.policy import Action, Direction, Policy, Rule


@dataclass(frozen=True, slots=True)
class _Parsed:
    """Traffic that goes through a parser.

    Args:
        place: Which of the policies.
        direction: The direction.
        parser: The parser.
        match: A peer, as written.
        traffic: The traffic.
    """

    place: int
    direction: Direction
    parser: str
    match: PeerMatch
    traffic: TrafficSet


def conflicts(policies: Sequence[Policy]) -> Iterator[tuple[int, Policy]]:
    """Yield, by the place of the first, what stands for policies that cannot be put together."""
    parsed = [each for place, policy in enumerate(policies) for each in _parsed(place, policy)]
    by_peer: dict[tuple[Direction, PeerMatch], dict[str, list[_Parsed]]] = {}
    for each in parsed:
        of_peer = by_peer.setdefault((each.direction, each.match), {})
        of_peer.setdefault(each.parser, []).append(each)
    seen: set[tuple[int, int]] = set()
    for held in by_peer.values():
        for one, other in combinations(sorted(held), 2):
            for a, b in product(held[one], held[other]):
                pair = (a.place, b.place)
                if pair not in seen and not a.traffic.isdisjoint(b.traffic):
                    seen.add(pair)
                    yield from _unknown(a.place, policies[a.place], policies[b.place])


def _parsed(place: int, policy: Policy) -> Iterator[_Parsed]:
    for rule in policy.rules:
        parser = _parser(rule) if rule.action is Action.ALLOW else None
        if parser is not None:
            for peer in rule.peers:
                traffic = rule.traffic.must
                yield _Parsed(place, rule.direction, parser, peer.match, traffic)


def _parser(rule: Rule) -> str | None:
    asked = rule.request
    if isinstance(asked, Condition):
        return "http" if asked.http is not None else "dns" if asked.names is not None else None
    return rule.condition if caveats.L7_NOT_MODELLED in rule.caveats else None


def _unknown(place: int, one: Policy, other: Policy) -> Iterator[tuple[int, Policy]]:
    subjects = tuple(
        found for a in one.subjects for b in other.subjects if (found := both(a, b)) is not None
    )
    nodes = one.nodes & other.nodes
    if subjects or nodes:
        why = UnknownMatch(
            "rules ask different parsers about one port of one peer", caveats.PARSERS_DIFFER
        )
        every = frozenset(Direction)
        yield (
            place,
            replace(one, subjects=subjects, nodes=nodes, isolates=every, rules=(), opaque=why),
        )
