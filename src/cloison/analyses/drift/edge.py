"""Edges as drift tells them: what was seen of two ends on a port, addresses outside put together.

Whoever calls from the internet is one caller, and a service outside has more addresses than one:
by its name where flows tell one, by the contract's external where it has one, else by its block.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from cloison.algebra import NO_ADDRESSES, AddressSet
from cloison.analyses.ends import AddressEnd, End, PodsEnd
from cloison.analyses.past.course import Course
from cloison.analyses.past.link import Link, named, shown
from cloison.analyses.past.sorts import Judged, Sort
from cloison.analyses.reconcile.seen import Outside
from cloison.platform.components import Role
from cloison.platform.components import known as components
from cloison.platform.ranges import public
from cloison.resources.world import WorkloadId

WORLD: Final = "world"
"""What callers from the internet are called together."""
BALANCERS: Final = "load-balancers"
"""What callers are called together from where load balancers of clouds ask how backends are."""
_NEAR: Final = (24, 64)
"""Lengths of the prefixes, IPv4 and IPv6, within which addresses are taken for one's."""
_WORTH: Final = (Sort.LEGITIMATE, Sort.DENIED, Sort.UNCLEAR, Sort.PERSON, Sort.SCAN)
"""Sorts, the one that tells most first."""


@dataclass(frozen=True)
class Edge:
    """All that was seen of two ends on a port.

    Args:
        source: Who calls, as keys name it.
        destination: Who is called.
        protocol: The protocol.
        port: The port at the destination; -1 where there is none.
        meant: Whether the contract or the cluster means it.
        judged: What was seen, each with what it is.
    """

    source: str
    destination: str
    protocol: str
    port: int
    meant: bool
    judged: tuple[Judged, ...]

    @property
    def links(self) -> tuple[Link, ...]:
        """What was seen."""
        return tuple(each.link for each in self.judged)

    @cached_property
    def sort(self) -> Sort:
        """What it is."""
        return min((each.sort for each in self.judged), key=_WORTH.index)

    @property
    def why(self) -> str:
        """Why it is called so."""
        return next(each.why for each in self.judged if each.sort is self.sort)

    @cached_property
    def allowed(self) -> Course:
        """When connections got through."""
        return Course.together(each.allowed for each in self.links)

    @cached_property
    def denied(self) -> Course:
        """When policy stopped connections."""
        return Course.together(each.denied for each in self.links)

    @property
    def ends(self) -> tuple[End | Outside, End | Outside]:
        """One of its sources, and one of its destinations."""
        return self.links[0].source, self.links[0].destination

    @property
    def on(self) -> str:
        """Its port, for people."""
        return self.protocol if self.port < 0 else f"{self.port}/{self.protocol}"

    @property
    def text(self) -> str:
        """It, for people."""
        return f"{self._shown(self.source, 0)} -> {self._shown(self.destination, 1)} on {self.on}"

    def _shown(self, end: str, side: int) -> str:
        """Return an end for people: an address where there is only that one."""
        if not isinstance(self.ends[side], Outside):
            return shown(end)
        keys = {(link.key.source, link.key.destination)[side] for link in self.links}
        return next(iter(keys)) if len(keys) == 1 else end

    @property
    def port_text(self) -> str:
        """Its port, as keys write it."""
        return "" if self.port < 0 else str(self.port)

    @property
    def inside(self) -> tuple[WorkloadId, ...]:
        """The workloads among its ends, the caller first."""
        return tuple(end.workload.id for end in self.ends if isinstance(end, PodsEnd))

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of its ends."""
        return tuple(dict.fromkeys(each.namespace for each in self.inside))

    @cached_property
    def pods(self) -> int:
        """How many different pods called, as far as records tell: one of each edge's."""
        told = {e.source.pod for link in self.links for e in link.seen if e.source.pod is not None}
        return len(told)

    @property
    def adapters(self) -> tuple[str, ...]:
        """Which sources tell of it."""
        return tuple(sorted({name for link in self.links for name in link.adapters}))


def edges(
    judged: Iterable[Judged],
    meant: Callable[[Link], bool],
    known: Sequence[tuple[str, AddressSet]] = (),
) -> tuple[Edge, ...]:
    """Return edges, sorted, what is meant apart from what is not.

    Args:
        judged: What was seen.
        meant: Whether something is meant.
        known: Names of addresses outside, those of the contract's externals.
    """
    ordered = sorted(known, key=lambda item: (item[1].size(), item[0]))
    found: dict[tuple[str, str, str, int, bool], list[Judged]] = defaultdict(list)
    for each in judged:
        key = each.link.key
        source = _end(each.link, ordered, out=False)
        destination = _end(each.link, ordered, out=True)
        found[source, destination, key.protocol, key.port, meant(each.link)].append(each)
    return tuple(Edge(*key, tuple(some)) for key, some in sorted(found.items()))


def _end(link: Link, known: Sequence[tuple[str, AddressSet]], *, out: bool) -> str:
    end = link.destination if out else link.source
    if not isinstance(end, Outside):
        return link.key.destination if out else link.key.source
    if end.name is not None or end.address is None:
        seen = link.seen[0].destination if out else link.seen[0].source
        return named(end, seen)
    addresses = end.address.addresses
    for name, those in known:
        if addresses <= those and those.size() < public().size() // 2:
            return f"external:{name}"
    if not out and addresses <= _balancers():
        return BALANCERS
    if not out and addresses <= public():
        return WORLD
    return near(end.address)


@cache
def _balancers() -> AddressSet:
    """Return the addresses from which load balancers of clouds ask how backends are."""
    found = NO_ADDRESSES
    for each in components():
        if each.role is Role.LOAD_BALANCER:
            for block in each.blocks:
                found |= AddressSet.block(block)
    return found


def near(end: AddressEnd) -> str:
    """Return the block around an address within which others may be the same service's."""
    text = str(next(iter(end.addresses.blocks()), end.text))
    address, _, length = text.partition("/")
    near_by = _NEAR[":" in address]
    if length and int(length) <= near_by:
        return text
    try:
        return ", ".join(AddressSet.block(f"{address}/{near_by}").blocks())
    except ValueError:
        return text
