"""Edges that were seen, and questions about what was denied or looks like a person's doing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cloison.analyses.draft.model import WORLD, Doubt, Edge, Found, Hint, Need, Outside, Party, Sure
from cloison.analyses.draft.sight import Sight
from cloison.analyses.past.brief import FEW, below
from cloison.base.words import few
from cloison.ir.names import is_host_name
from cloison.platform.component import Role
from cloison.platform.customs import named_front
from cloison.resources.world import APART, WorkloadId

_LONG = 3
"""Stretches of time from which on it says something that an edge was seen in one only."""
_DNS_PORT = 53
_LET = ("allowed", "audited")
_PROTOCOLS = ("TCP", "UDP", "SCTP")


@dataclass(frozen=True, slots=True)
class End:
    """One end of an observed edge.

    Args:
        namespace: Its namespace; empty where it has none.
        workload: Its workload; empty where none is known.
        kind: That one's kind.
        entity: What it is: `pod`, `host`, `apiserver`, `world` and so on.
        address: Its address, where no name is known.
        name: A DNS name that it was looked up by.
    """

    namespace: str = ""
    workload: str = ""
    kind: str = ""
    entity: str = "unknown"
    address: str = ""
    name: str = ""

    def __str__(self) -> str:
        """Render for people."""
        if self.workload:
            return f"{self.namespace}/{self.workload}"
        return self.name or self.address or self.entity


@dataclass(frozen=True, slots=True)
class Observed:
    """An edge that was seen.

    Args:
        source: Who called.
        destination: Who was called.
        protocol: The protocol.
        port: The destination's port; None where nobody knows.
        verdict: What became of it.
        initiator: Whether it is known who called: `known`, `inferred` or `unknown`.
        count: How often.
        windows: In how many stretches of five minutes.
        first: When it was seen first, for people.
        last: When it was seen last.
    """

    source: End
    destination: End
    protocol: str
    port: int | None
    verdict: str
    initiator: str
    count: int
    windows: int
    first: str
    last: str

    @property
    def text(self) -> str:
        """The observation as a line."""
        when = f"on {self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        times = "once" if self.count == 1 else f"{self.count} times"
        windows = "one window" if self.windows == 1 else f"{self.windows} windows"
        return f"{self.verdict} {times} in {windows} of flows, {when}"

    @property
    def brief(self) -> bool:
        """Whether somebody could have done it by hand."""
        return self.windows <= 1 and self.count <= FEW


def seen(sight: Sight, observed: Iterable[Observed], hints: Iterable[Hint] = ()) -> Iterator[Found]:
    """Yield the edges that were seen.

    Args:
        sight: What to look at.
        observed: The edges.
        hints: Evidence of other kinds: who is led to from outside is a front.
    """
    every = tuple(observed)
    public = {each.edge.destination for each in hints if each.edge.source == WORLD}
    longest = max((each.windows for each in every), default=0)
    by_name: dict[tuple[str, str], list[WorkloadId]] = defaultdict(list)
    for name in sight.world.workloads:
        by_name[name.namespace, name.name].append(name)
    resolvers = {
        name
        for found in sight.clinic.site.components
        if found.component.role is Role.DNS
        for name in found.workloads
    }
    calls = _calls(by_name, every)
    outside: dict[Edge, list[Observed]] = defaultdict(list)
    for each in every:
        source, destination = (_party(by_name, end) for end in (each.source, each.destination))
        where = f"{each.source} to {each.destination}"
        on = f"{each.port or 'no known port'}/{each.protocol}"
        if each.destination.entity == "apiserver":
            if each.verdict in _LET:
                yield Need("apiserver", f"{each.source} calls it: {each.text}")
        elif destination in resolvers and each.port == _DNS_PORT:
            yield Need("dns", f"{each.source} asks it: {each.text}")
        elif each.verdict == "denied":
            yield Doubt(f"is {where} on {on} meant? {each.text}")
        elif each.verdict not in _LET or each.protocol not in _PROTOCOLS:
            yield Doubt(f"did {where} on {on} get through? {each.text}")
        elif "host" in (each.source.entity, each.destination.entity):
            why = "an end of it is a node: the kubelet, a node's port or what runs there"
            yield Doubt(f"{where} on {on} was seen, and {why}: {each.text}")
        elif source is None or destination is None:
            yield Doubt(f"{where} on {on} was seen, and an end of it is not here: {each.text}")
        elif WORLD in (source, destination):
            edge = Edge(source, destination, each.protocol, each.port)
            outside[edge].append(each)
        else:
            front = destination in public or named_front(each.destination.workload)
            back = front and each.brief and source in below(calls, destination)
            yield _hint(each, source, destination, back=back, long=longest > _LONG)
    for edge, some in outside.items():
        yield _beyond(edge, some)


def _beyond(edge: Edge, some: Iterable[Observed]) -> Hint:
    """Return evidence of what was seen with addresses outside, to be confirmed.

    An address says little of who it is, and the zone stands for all there are.
    """
    every = tuple(some)
    theirs = (each.source if edge.source == WORLD else each.destination for each in every)
    names = sorted({str(end) for end in theirs})
    first, last = min(each.first for each in every), max(each.last for each in every)
    times = sum(each.count for each in every)
    text = f"seen {times} times with addresses outside, {first} to {last}: {few(names)}"
    return Hint(edge, text, None, Sure.MEDIUM, ask=True)


def _calls(
    by_name: dict[tuple[str, str], list[WorkloadId]], every: Iterable[Observed]
) -> Mapping[Party, set[Party]]:
    """Return whom each party was seen to call."""
    calls: dict[Party, set[Party]] = defaultdict(set)
    for each in every:
        source, destination = (_party(by_name, end) for end in (each.source, each.destination))
        if each.verdict in _LET and source is not None and destination is not None:
            calls[source].add(destination)
    return calls


def _hint(each: Observed, source: Party, destination: Party, *, back: bool, long: bool) -> Hint:
    """Return an edge that was seen as evidence.

    Args:
        each: The observation.
        source: Who called.
        destination: Who was called.
        back: Whether it leads from behind a front to the front.
        long: Whether others were seen for longer than moments.
    """
    edge = Edge(source, destination, each.protocol, each.port)
    text = each.text
    if each.brief and (back or long or each.source.kind == "Pod"):
        how = "from behind a front to the front" if back else "in one moment only"
        text = f"{text}; {how}: a person may have tried it"
        return Hint(edge, text, None, Sure.LOW, ask=True)
    if each.initiator == "unknown" or each.port is None:
        return Hint(edge, f"{text}; who opened it is not known", None, Sure.LOW, ask=True)
    return Hint(edge, text, None, Sure.MEDIUM if each.brief else Sure.HIGH)


def _party(by_name: dict[tuple[str, str], list[WorkloadId]], end: End) -> Party | None:
    """Return an end of the draft; None where the input does not hold it."""
    if end.entity == "world":
        if end.name and is_host_name(end.name):
            return Outside(end.name)
        return WORLD
    found = by_name.get((end.namespace, end.workload), [])
    exact = [each for each in found if each.kind == end.kind]
    if len(exact or found) == 1 and (exact or found)[0].namespace != APART:
        return (exact or found)[0]
    return None
