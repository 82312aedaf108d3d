"""Which ends get a node of their own, and which are folded together because there are too many.

Nodes are numbered by their place in the picture.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef
from cloison.report.picture.graph import Group, Node, folded_id, group_id, node_id
from cloison.report.text.layout import count, listed
from cloison.report.text.map import Words, addresses_text

NODES = 150
"""Nodes there may be in a picture."""

_BLOCKS = 32
"""Characters of a list of blocks; the rest of a longer one is counted."""

_OUTSIDE, _NODES = "\x01outside", "\x01nodes"
_OUT = frozenset((_OUTSIDE, _NODES))
"""Homes of ends that stand in no namespace; no namespace is called so."""


@dataclass(frozen=True)
class Fold:
    """Ends put into nodes.

    Args:
        ends: Every end there is.
        shown: Places of those that are in the picture.
        folded: Homes (namespaces, outside, nodes) that are one node each.
        others: Namespaces that are one node all together.
        unconnected: How many workloads were left out for lack of room.
    """

    ends: Sequence[EndRef]
    shown: BitMap
    folded: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    unconnected: int = 0

    @cached_property
    def homes(self) -> Mapping[str, tuple[int, ...]]:
        """Places of the shown ends by their home; namespaces in order, then nodes, outside."""
        found: dict[str, list[int]] = defaultdict(list)
        for place in self.shown:
            found[_home(self.ends[place])].append(place)
        return {home: tuple(found[home]) for home in sorted(found, key=_rank)}

    @cached_property
    def _members(self) -> tuple[tuple[Node, tuple[int, ...]], ...]:
        found: list[tuple[Node, tuple[int, ...]]] = []
        words = Words(self.ends)
        rest: list[int] = []
        for home, places in self.homes.items():
            if home in self.others:
                rest += places
            elif home in self.folded:
                found.append((_folded(home, places, words, self.ends), places))
            else:
                alike = Counter(self.ends[p].name for p in places)
                found += [(_single(self.ends[p], words, alike), (p,)) for p in places]
        if rest:
            names = sorted(self.others)
            node = Node(
                folded_id("others", names),
                "others",
                f"{count(len(names), 'more namespace')}",
                count(len(rest), "workload"),
                None,
                len(rest),
                tuple(f"{name}/*" for name in names),
            )
            found.append((node, tuple(rest)))
        return tuple(found)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, as the picture has them."""
        return tuple(node for node, _ in self._members)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Frames around nodes."""
        framed = {node.group for node in self.nodes}
        every = (Group(group_id(h), h) for h in self.homes if h not in _OUT)
        return tuple(group for group in every if group.id in framed)

    @cached_property
    def place(self) -> Mapping[int, int]:
        """For each shown end the number of its node."""
        return {p: number for number, (_, places) in enumerate(self._members) for p in places}

    def of(self, ends: BitMap) -> Mapping[int, int]:
        """Return how many of some ends are in each node."""
        place = self.place
        found: dict[int, int] = defaultdict(int)
        for end in ends:
            found[place[end]] += 1
        return found

    def notes(self) -> Iterator[str]:
        """Iterate over sentences about what is not shown, or not by itself."""
        if self.unconnected:
            number = self.unconnected
            yield f"{count(number, 'workload')} without a connection {_are(number)} not drawn."
        names = sorted(self.folded - _OUT)
        if names:
            one = "is" if len(names) == 1 else "are each"
            yield (
                f"{count(len(names), 'namespace')} {one} drawn as one node, "
                f"to keep the picture readable: {listed(names)}."
            )
        if self.others:
            yield f"{count(len(self.others), 'namespace')} are drawn together as one node."
        if _OUTSIDE in self.folded:
            number = len(self.homes[_OUTSIDE])
            yield f"{count(number, 'block')} of addresses outside are drawn as one node."

    def further(self) -> Sequence["Fold"]:
        """Return ever coarser pictures, to choose the first that is simple enough.

        One home after the other is folded, the biggest first; when every home is, the smallest
        half of the namespaces is taken together, and half of what is left.
        """
        homes = sorted(self.homes, key=lambda h: (-len(self.homes[h]), _rank(h)))
        rest = [h for h in homes if h not in self.folded and len(self.homes[h]) > 1]
        found = []
        folded, others = self.folded, self.others
        for home in rest:
            if home not in others:
                folded |= {home}
                found.append(replace(self, folded=folded, others=others))
        spaces = [h for h in homes if h not in _OUT and h not in others]
        while len(spaces) > 1:
            half = (len(spaces) + 1) // 2
            spaces, taken = spaces[:half], frozenset(spaces[half:])
            folded, others = folded - taken, others | taken
            found.append(replace(self, folded=folded, others=others))
        return found


def fold(ends: Sequence[EndRef], connected: BitMap, limit: int, *, whole: bool) -> Fold:
    """Put ends into at most `limit` nodes.

    First what has no connection is left out, then the biggest namespaces become one node each.

    Args:
        ends: Every end.
        connected: Places of those with an edge.
        limit: How many nodes there may be.
        whole: Whether unconnected workloads belong in the picture, if there is room.
    """
    shown = BitMap(connected)
    if whole:
        shown |= BitMap(i for i, end in enumerate(ends) if end.kind in ("workload", "pod"))
    left_out = 0
    if len(shown) > limit:
        left_out = len(shown) - len(connected)
        shown = BitMap(connected)
    found = Fold(ends, shown, unconnected=left_out)
    sizes = {home: len(places) for home, places in found.homes.items()}
    folded: set[str] = set()
    visible = len(shown)
    for home in sorted(sizes, key=lambda h: (-sizes[h], _rank(h))):
        if visible <= limit or sizes[home] == 1:
            break
        visible -= sizes[home] - 1
        folded.add(home)
    others: list[str] = []
    if visible > limit:
        spaces = sorted((h for h in sizes if h not in _OUT), key=lambda h: (-sizes[h], h))
        others = spaces[max(0, len(spaces) - (visible - limit) - 1) :]
    return replace(found, folded=frozenset(folded).difference(others), others=frozenset(others))


def _home(end: EndRef) -> str:
    if end.kind in ("ip", "external-name"):
        return _OUTSIDE
    return _NODES if end.kind == "node" else end.namespace


def _rank(home: str) -> tuple[int, str]:
    return ((_NODES, _OUTSIDE).index(home) + 1 if home in _OUT else 0, home)


def _single(end: EndRef, words: Words, alike: Mapping[str, int]) -> Node:
    name = words.one(end)
    if end.addresses is not None:
        label = _blocks(addresses_text(end.addresses))
        return Node(node_id(end), "ip", label, "outside", names=(name,))
    if end.kind == "node":
        return Node(node_id(end), "node", end.name, "node", names=(name,))
    if end.kind == "external-name":
        return Node(node_id(end), "ip", name, "outside", names=(name,))
    kind = end.type or end.kind.capitalize()
    label = end.name if alike[end.name] == 1 else f"{kind.lower()}/{end.name}"
    note = _note(kind, end)
    return Node(node_id(end), end.kind, label, note, group_id(end.namespace), names=(name,))


def _note(kind: str, end: EndRef) -> str:
    """Return what kind of thing an end is, and what it is for others."""
    said = [kind]
    for each in end.roles:
        if each.role == "front":
            said += (f"to {name}" for name in each.of[:1])
        else:
            said.append("behind load balancer" if each.role == "load-balancer" else each.role)
    return ", ".join(said)


def _blocks(text: str) -> str:
    """Return blocks of addresses in few words.

    >>> _blocks("any but 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16")
    'any but 10.0.0.0/8 and 2 more'
    """
    first, *rest = text.split(", ")
    return f"{first} and {len(rest)} more" if len(text) > _BLOCKS and rest else text


def _folded(home: str, places: Sequence[int], words: Words, ends: Sequence[EndRef]) -> Node:
    size = len(places)
    names = tuple(words.one(ends[p]) for p in places)
    if home == _OUTSIDE:
        return Node(
            folded_id("outside"), "outside", "outside", count(size, "block"), None, size, names
        )
    if home == _NODES:
        return Node(folded_id("nodes"), "nodes", "nodes", count(size, "node"), None, size, names)
    kinds = {ends[p].kind for p in places}
    word = "workload" if kinds <= {"workload", "pod"} else "end"
    note = count(size, next(iter(kinds)) if len(kinds) == 1 else word)
    return Node(folded_id("namespace", (home,)), "namespace", home, note, None, size, names)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
