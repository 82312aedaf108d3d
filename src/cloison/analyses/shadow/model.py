"""What a candidate would have done, as values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from cloison.algebra import TrafficSet
from cloison.analyses.ask import Mend, Question
from cloison.analyses.connectivity import EndRef, Line
from cloison.analyses.diff import Diff
from cloison.analyses.diff.lines import ChangeLine
from cloison.analyses.ends import End
from cloison.analyses.explain import Decider
from cloison.analyses.past.course import Course
from cloison.analyses.past.link import Link, LinkKey, shown
from cloison.analyses.past.sorts import Sort
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.reconcile.pairs import Unplaced
from cloison.analyses.reconcile.seen import Outside, ref
from cloison.base import Span
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import Direction, PolicyId


class Fate(StrEnum):
    """What a candidate makes of connections that were seen; the order is that of telling."""

    DENIED = "denied"
    """They got through, and would not."""
    UNDETERMINED = "undetermined"
    """Nobody can say whether they would get through, or some pods' would and others' not."""
    ALIKE = "as-today"
    """Nobody can say, and the candidate decides as policies of today do, whatever is requested."""
    UNCLEAR = "unclear"
    """No record says whether they got through."""
    OPENED = "opened"
    """They were denied, and would get through."""
    STILL = "still-denied"
    """They were denied, and would be."""
    PASSING = "passing"
    """They got through, and would."""


class Was(StrEnum):
    """What became of connections, as records tell it."""

    LET = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


class Weight(StrEnum):
    """What breaks when an edge is denied; the worst first."""

    DNS = "dns"
    """Names do not resolve: every call by name fails."""
    GATEWAY = "gateway"
    """Who comes in from outside does not reach what is behind."""
    PLATFORM = "platform"
    """Probes, the API server, metrics, certificates: what the platform does for everybody."""
    CALL = "call"
    """One workload does not reach one other."""


RANK = {weight: place for place, weight in enumerate(Weight)}


@dataclass(frozen=True, slots=True)
class Side:
    """One enforcement point that does not let an edge through: where a rule is missing.

    Args:
        direction: `egress` of the source, or `ingress` of the destination.
        deciders: What stops it: policies that isolate without a rule that lets it through, rules
            that deny, or a default.
    """

    direction: Direction
    deciders: tuple[Decider, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What stops an edge.

    Args:
        sides: Which sides do not let it through.
        caveats: What stands in the way of an answer.
        requests: Whether requests decide, which flows do not tell.
    """

    sides: tuple[Side, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    requests: bool = False


@dataclass(frozen=True, slots=True)
class FrontPort:
    """A rule that names the port of a Service, where policies see the one that it leads to.

    Args:
        rule: The rule, as people name it.
        span: Where it is written.
        service: The Service.
        protocol: The protocol.
        port: The Service's port, which the rule names.
        target: The pods' port, which it should name.
    """

    rule: str
    span: Span | None
    service: str
    protocol: str
    port: int
    target: int

    def __str__(self) -> str:
        """Render what is wrong, and what would be right."""
        return (
            f"allows {self.protocol}/{self.port}, the port of Service {self.service}: policies see "
            f"the pods' own port, so write {self.target}"
        )


UNTOLD = Told()
"""Nothing is known of it."""


def _nothing() -> Told:
    return UNTOLD


@dataclass(frozen=True)
class Edge:
    """What was seen of an edge, as far as one thing becomes of it.

    Args:
        fate: What becomes of it.
        was: What became of its connections, as records tell it.
        link: What was seen: the connections of that fate only.
        course: Those of them that count: that got through, that were denied, or neither.
        weight: What breaks when it is denied.
        before: What policies of today make of it; None where its ends are not there today.
        after: What the candidate makes of it.
        telling: Finds out what stops it, when somebody first looks: that takes longer.
        questions: Of one that would be denied, what the candidate was asked.
        nodes: Which nodes its ends are, as far as that is known.
        sort: What it is, where it is no application's, as far as anybody can tell: a person's
            trial, or part of a scan; None otherwise.
        why: Why it is called so, as part of a sentence.
    """

    fate: Fate
    was: Was
    link: Link
    course: Course
    weight: Weight
    before: Verdict | None
    after: Verdict
    telling: Callable[[], Told] = field(default=_nothing, compare=False, repr=False)
    questions: tuple[Question, ...] = field(default=(), compare=False, repr=False)
    nodes: tuple[str, ...] = ()
    sort: Sort | None = None
    why: str = ""

    @cached_property
    def told(self) -> Told:
        """What stops it."""
        return self.telling()

    @property
    def sides(self) -> tuple[Side, ...]:
        """Which enforcement points do not let it through."""
        return self.told.sides

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What stands in the way of an answer, where there is none."""
        return self.told.caveats

    @property
    def requests(self) -> bool:
        """Whether requests decide, which flows do not tell."""
        return self.told.requests

    @property
    def key(self) -> LinkKey:
        """What it is known by."""
        return self.link.key

    @property
    def connections(self) -> int:
        """How many connections, each once however many sources told of it."""
        return self.course.total

    @property
    def pods(self) -> tuple[str, ...]:
        """Pods of the source that were seen, as far as records name them."""
        return tuple(sorted({s.source.pod for s in self.link.seen if s.source.pod is not None}))

    @property
    def ambiguous(self) -> int:
        """How many of its connections, at most, had an address that several held at that time."""
        return min(self.connections, sum(each.ambiguous for each in self.link.seen))

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that were seen of ends outside, as far as records tell them."""
        ends = (
            (self.link.source, [seen.source.ip for seen in self.link.seen]),
            (self.link.destination, [seen.destination.ip for seen in self.link.seen]),
        )
        found = {ip for end, ips in ends if isinstance(end, Outside) for ip in ips if ip}
        return tuple(sorted(found))

    @property
    def namespaces(self) -> tuple[str, str]:
        """The namespaces of its ends; empty for an end that has none."""
        one, other = self.link.source, self.link.destination
        return _home(one), _home(other)

    @property
    def sort_key(self) -> tuple[int, int, LinkKey]:
        """What breaks everything first; then by connections."""
        return RANK[self.weight], -self.connections, self.key


def _home(end: End | Outside) -> str:
    return "" if isinstance(end, Outside) else ref(end).namespace


@dataclass(frozen=True)
class Finding:
    """Denied edges that break together, and what is missing for all of them.

    Args:
        weight: What breaks.
        edges: The edges, most connections first.
        mends: What to add to the candidate, in the dialect in use; empty where nobody can write
            it, or should without asking, and None where that was not looked for.
        fronts: Rules that would let it through, did they not name the port of a Service.
    """

    weight: Weight
    edges: tuple[Edge, ...]
    mends: tuple[Mend, ...] | None = None
    fronts: tuple[FrontPort, ...] = ()

    @property
    def sort(self) -> Sort | None:
        """What all of it is, where it is no application's; None otherwise."""
        return self.edges[0].sort

    @property
    def why(self) -> str:
        """Why it is called so, as part of a sentence."""
        return self.edges[0].why

    @property
    def course(self) -> Course:
        """When, of all edges together."""
        return Course.together(each.course for each in self.edges)

    @property
    def connections(self) -> int:
        """How many connections would be denied."""
        return sum(each.connections for each in self.edges)

    @property
    def today(self) -> bool:
        """Whether policies of today deny it as well, though it got through."""
        return all(each.before is Verdict.DENIED for each in self.edges)

    @property
    def sources(self) -> dict[str, int]:
        """Connections by who calls, most first."""
        return counted((shown(each.key.source), each.connections) for each in self.edges)

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports."""
        return tuple(sorted({str(each.link.traffic) for each in self.edges}))

    @property
    def sides(self) -> tuple[Side, ...]:
        """Which enforcement points do not let it through, each once."""
        return tuple(dict.fromkeys(side for each in self.edges for side in each.sides))

    @property
    def sort_key(self) -> tuple[bool, int, bool, int, LinkKey]:
        """What breaks everything first; then what the candidate is to blame for.

        What is no application's comes last.
        """
        odd = self.sort is not None
        return odd, RANK[self.weight], self.today, -self.connections, self.edges[0].key


def counted(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return sums by name, greatest first."""
    found: dict[str, int] = {}
    for name, number in rows:
        found[name] = found.get(name, 0) + number
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True, slots=True)
class Used:
    """A line of a difference, and what was seen of what it closes or opens.

    Args:
        line: The line.
        lost: Connections that got through, over what it closes.
        gained: Connections that were denied, over what it opens.
        known: Whether use would have been seen.
    """

    line: ChangeLine
    lost: int
    gained: int
    known: bool = True


@dataclass(frozen=True, slots=True)
class Unused:
    """A line of what a candidate still permits, that was never seen.

    Args:
        line: The line.
        known: Whether it would have been seen, had it been used.
    """

    line: Line
    known: bool


Ends: TypeAlias = tuple[EndRef, EndRef]
Traffics: TypeAlias = dict[Ends, TrafficSet]


@dataclass(frozen=True)
class Shadow:
    """What enforcing a candidate would have done to recorded connections.

    Args:
        candidate: Where it was read from, as it was named.
        whole: Whether it takes the place of all policies, or is laid over them.
        edges: All edges that were seen, by fate, the worst first.
        findings: Those that got through and would be denied, put together.
        diff: What it opens and closes against today, whether that was used or not.
        changes: The lines of that, with what was used of them.
        excess: What it would still permit, and never happened.
        unplaced: Edges that were seen, and whose ends are not known.
        more_changes: How many lines of what it opens and closes are left out.
        more_excess: How many of what was never seen.
        watch: When anybody watched, and what was lost.
        store: Where the flows are from.
        span: When they count, in microseconds since 1970.
        adapters: Which sources tell of them.
        learned: DNS names whose addresses are taken from flows.
        namespace: Only edges with an end in it are told.
        by: By what denied connections are summed up: one of `tables.BY`.
        remarks: What a reader must know of the candidate first.
        partial: Whether a part of the candidate was refused, and is not judged.
        unjudged: Whether nobody knows what the profile makes of policies of the candidate.
        held: The first hour and the last that the store has anything of, where that is of another
            time than was asked about; None otherwise.
    """

    candidate: tuple[str, ...]
    whole: bool
    edges: tuple[Edge, ...]
    findings: tuple[Finding, ...]
    diff: Diff
    changes: tuple[Used, ...] = ()
    excess: tuple[Unused, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    more_changes: int = 0
    more_excess: int = 0
    watch: Watch = UNWATCHED
    store: str = ""
    span: tuple[int | None, int | None] = (None, None)
    adapters: tuple[str, ...] = ()
    learned: tuple[str, ...] = ()
    namespace: str | None = None
    by: str | None = None
    remarks: tuple[str, ...] = ()
    partial: bool = False
    unjudged: bool = False
    held: tuple[int, int] | None = None
    _fates: dict[Fate, tuple[Edge, ...]] = field(default_factory=dict, compare=False, repr=False)

    def of(self, fate: Fate) -> tuple[Edge, ...]:
        """Return the edges of one fate, the worst first."""
        if not self._fates:
            for each in Fate:
                self._fates[each] = tuple(edge for edge in self.edges if edge.fate is each)
        return self._fates[fate]

    def connections(self, fate: Fate) -> int:
        """Return how many connections are of one fate."""
        return sum(each.connections for each in self.of(fate))

    @property
    def seen(self) -> int:
        """How many connections were seen whose ends are known."""
        return sum(each.connections for each in self.edges)

    @property
    def stray(self) -> int:
        """How many connections could not be placed."""
        return sum(each.seen.count for each in self.unplaced)

    @property
    def changed(self) -> frozenset[PolicyId | None]:
        """Policies that the candidate brings, or has other than today."""
        return frozenset(each.id for each in self.diff.policies)

    @property
    def hours(self) -> int:
        """How many hours there are from the first that was watched to the last."""
        hours = self.watch.hours
        return hours[-1] - hours[0] + 1 if hours else 0

    @property
    def opens(self) -> bool:
        """Whether it lets anything through that policies of today do not."""
        return self.diff.opens

    @property
    def unanswered(self) -> bool:
        """Whether what was asked could not be answered: of all the candidate, of what was seen."""
        return self.partial or not self.edges

    @property
    def unsettled(self) -> bool:
        """Whether connections are undetermined, and the profile does not enforce the candidate."""
        return self.unjudged and bool(self.of(Fate.UNDETERMINED))

    def found(self, kind: str) -> bool:
        """Return whether there is what `--fail-on` names."""
        if kind == "opens":
            return self.opens
        fates = {"denied": Fate.DENIED, "undetermined": Fate.UNDETERMINED}
        return kind in fates and bool(self.of(fates[kind]))
