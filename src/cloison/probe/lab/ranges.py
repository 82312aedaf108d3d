"""New addresses for what has none: out of the way of everything else, and the same each time."""

from collections.abc import Iterable, Iterator, Mapping

from cloison.algebra import NO_ADDRESSES, AddressSet
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.engine.addressbook import AddressBook
from cloison.ir.peers import BlockMatch, GroupsMatch, NamesMatch, plain_matches
from cloison.ir.policy import Policy

_PODS = (
    ("10.244.0.0/16", "10.42.0.0/16", "172.30.0.0/16", "192.168.128.0/18", "100.96.0.0/16"),
    ("fd00:10:244::/64", "fd00:10:42::/64", "fdb3:1bd5:39aa::/64", "2001:db8:10::/64"),
)
_NODES = (
    ("172.18.0.0/16", "10.89.0.0/16", "192.168.240.0/20", "100.120.0.0/16", "198.18.0.0/16"),
    ("fc00:172:18::/64", "fd00:10:89::/64", "fdb3:1bd5:39ab::/64", "2001:db8:11::/64"),
)
_SERVICES = (
    ("10.96.0.0/16", "10.43.0.0/16", "172.31.0.0/16", "192.168.208.0/20", "100.112.0.0/16"),
    ("fd00:10:96::/112", "fd00:10:43::/112", "fdb3:1bd5:39ac::/112", "2001:db8:12::/112"),
)
_AT_THE_EDGES = (0, 255)
"""Last octets that look like the name of a network, or of everybody in it."""


class Ranges:
    """Gives addresses, each once; lives for one plan.

    Args:
        engine: Policies bound to the world as declared.
        taken: Addresses that are somebody's already, by what has them: `pod`, `node`, `service`
            or anything else.
    """

    def __init__(self, engine: Engine, taken: Mapping[str, Iterable[int]]) -> None:
        known = {kind: frozenset(points) for kind, points in taken.items()}
        held = {kind: AddressSet((p, p) for p in points) for kind, points in known.items()}
        self._taken = {point for points in known.values() for point in points}
        said = engine.networks
        blocks = tuple(_blocks(engine))
        given = {"pod": said.pods, "node": said.nodes, "service": said.services}
        self._next: dict[tuple[str, int], Iterator[int]] = {}
        for kind, (four, six) in (("pod", _PODS), ("node", _NODES), ("service", _SERVICES)):
            # Beside its like is where a newcomer belongs, among others it is not.
            others = NO_ADDRESSES
            for name in {*given, *held} - {kind}:
                others |= given.get(name, NO_ADDRESSES) | held.get(name, NO_ADDRESSES)
            for family, candidates in ((4, four), (6, six)):
                own = given[kind].family(family)
                if given[kind] and not own:
                    continue  # they said where addresses come from, and none are of this family
                ranked = _ranked(candidates, others, blocks)
                self._next[kind, family] = _points([own, *ranked] if own else ranked)

    def give(self, kind: str, within: Iterable[str] = ()) -> tuple[int, ...]:
        """Return an address of each family.

        Args:
            kind: What for: `pod`, `node` or `service`.
            within: Blocks to take them from while there are any left.

        Raises:
            QuestionError: There are none left.
        """
        found = []
        for family in (4, 6):
            for block in within:
                key = block, family
                if key not in self._next:
                    self._next[key] = _points([_parsed(block).family(family)])
            source = (*((block, family) for block in within), (kind, family))
            usable = [key for key in source if key in self._next]
            point = next((p for key in usable for p in self._next[key] if self._free(p)), None)
            if point is not None:
                self._taken.add(point)
                found.append(point)
        if not found:
            msg = f"there are no addresses left for a {kind}"
            raise QuestionError(msg, "give a larger block, or a smaller world")
        return tuple(found)

    def _free(self, point: int) -> bool:
        return point not in self._taken


def _parsed(block: str) -> AddressSet:
    try:
        return AddressSet.block(block)
    except ValueError:
        return NO_ADDRESSES


def _points(ranges: Iterable[AddressSet]) -> Iterator[int]:
    """Iterate over addresses that a host can have, never all at once: there are many."""
    for each in ranges:
        for low, high in each.spans:
            point = low if low == high else low + 1
            while point <= high:
                if low == high or point & 0xFF not in _AT_THE_EDGES:
                    yield point
                point += 1


def _ranked(
    candidates: Iterable[str], taken: AddressSet, blocks: tuple[AddressSet, ...]
) -> list[AddressSet]:
    """Return blocks, those first in which nobody is and of which no policy says anything."""
    parsed = [AddressSet.block(text) for text in candidates]
    return sorted(
        parsed, key=lambda each: (bool(each & taken), sum(bool(each & block) for block in blocks))
    )


def _blocks(engine: Engine) -> Iterator[AddressSet]:
    """Iterate over all blocks that policies mention."""
    book = AddressBook(engine.policies.groups, engine.networks.names)
    for policy in engine.ordered:
        for match in _matches(policy):
            if isinstance(match, BlockMatch):
                yield match.addresses
            elif isinstance(match, GroupsMatch):
                yield book.group(match.labels)
            elif isinstance(match, NamesMatch):
                yield book.named(match)[0]


def _matches(policy: Policy) -> Iterator[object]:
    yield from policy.subjects
    for rule in policy.rules:
        for peer in rule.peers:
            yield from plain_matches(peer.match)
        for match in rule.subjects or ():
            yield from plain_matches(match)
