"""What every check of drift works with: the cluster, what is meant, and what was seen of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final, Protocol

from cloison.algebra import AddressSet
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.contract.placed import Placed
from cloison.analyses.drift.edge import Edge
from cloison.analyses.drift.model import BLANK, Change, Code, Memory, Unjudged
from cloison.analyses.drift.windows import DAY, WEEK, Windows, poorly
from cloison.analyses.ends import End
from cloison.analyses.past.begun import Begun
from cloison.analyses.past.course import HOUR
from cloison.analyses.past.link import LinkKey
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.paths.site import Site
from cloison.analyses.question import Traffic
from cloison.analyses.reconcile.meant import Meant
from cloison.analyses.reconcile.seen import Outside
from cloison.base import Span
from cloison.engine import Engine
from cloison.intent import Contract
from cloison.ir.policy import Policy, PolicyId
from cloison.resources.world import APART, Workload, WorkloadId

_FRONT: Final = "Service"
"""Kind of what stands for a Service where enforcers see its address and not its pods."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where on something is drift.

    Args:
        unused: Covered hours after which a rule counts as unused that was never used.
        stopped: Those for one that was used: two weeks, as business goes by the week. Longer where
            it was used more seldom.
        learning: Hours after the first that was watched in which everything is taken as known.
        least: The share of events that has to be told for an hour to count.
        propagation: Microseconds that a change of policy takes to arrive, at most.
    """

    unused: int = 30 * DAY
    stopped: int = 2 * WEEK
    learning: int = WEEK
    least: float = 0.9
    propagation: int = 5 * 60 * 1_000_000


BOUNDS: Final = Bounds()
"""As they are unless somebody says otherwise."""


class Node(Protocol):
    """What one node's sources told in one hour, as a store tells it."""

    @property
    def node(self) -> str | None:
        """The node."""

    @property
    def hour(self) -> int:
        """The hour since 1970."""

    @property
    def events(self) -> int:
        """Records of flows."""

    @property
    def lost(self) -> int:
        """Events that were lost."""


class Gap(Protocol):
    """A span in which a live source could not be heard, as a store tells it."""

    @property
    def node(self) -> str | None:
        """The node of which nothing was heard; None for all."""

    @property
    def since(self) -> int:
        """Its start, in microseconds since 1970."""

    @property
    def until(self) -> int:
        """Its end."""


@dataclass(frozen=True, slots=True)
class Live:
    """A live source that is followed, as it stands now.

    Args:
        address: Where it is.
        now: The time, in microseconds since 1970.
        away: Since when it does not answer; None where it does.
        why: Why it does not.
    """

    address: str
    now: int
    away: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """A DaemonSet on every node's network: the network plugin's agent, or one it may depend on.

    Args:
        workload: The DaemonSet.
        title: Whose agent it is.
        ready: How many pods its status says are ready, and how many there should be; None where
            nothing says so.
        down: Nodes of pods that say they are not ready, with the pod's name.
        span: Where it is written.
    """

    workload: WorkloadId
    title: str
    ready: tuple[int, int] | None
    down: tuple[tuple[str, str], ...]
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Agents:
    """Who enforces policies.

    Args:
        found: Its agents, as far as they were read.
        resting: Nodes that are cordoned or drained.
        off: Why nothing is enforced; None where something is, or nobody knows.
    """

    found: tuple[Agent, ...] = ()
    resting: frozenset[str] = frozenset()
    off: str | None = None


NO_AGENTS: Final = Agents()
NO_NOTES: Final[Mapping[str, str]] = {}


@dataclass(frozen=True)
class Scene:
    """What checks work with.

    Args:
        engine: Who decides now.
        site: What leads traffic where it goes.
        today: The day it is.
        contract: What is meant; None where there is no contract.
        placed: What it says of workloads.
        wanted: The edges that are meant.
        published: What providers' lists say now, by external.
        notes: Annotations of policies, by policy.
        made: When policies were created, as far as a server says, by policy; microseconds since
            1970.
        prefix: What Cloison's annotations begin with.
        edges: What was seen.
        watch: When anybody watched.
        nodes: What each node told and lost, hour by hour.
        gaps: Spans in which a live source could not be heard.
        live: The live source that is followed; None where none is.
        changes: Changes of objects, in order of time.
        agents: Who enforces.
        before: The cluster as it was; None where nobody said.
        memory: What is remembered of the last run.
        bounds: From where on something is drift.
        ask: Answers a question; for what a finding's remedy is.
        proxies: Workloads by which others leave the cluster.
        exempt: Namespaces that no policy has to cover.
        until: Until when flows count, in microseconds since 1970; None for now.
        begun: Tells of some edges, from an hour on, what records show of how the connections of
            each of their links began; nothing where they do not show it.
    """

    engine: Engine
    site: Site
    today: date
    contract: Contract | None = None
    placed: Placed | None = None
    wanted: tuple[Meant, ...] = ()
    published: Mapping[str, AddressSet] = field(default_factory=dict)
    notes: Mapping[PolicyId, Mapping[str, str]] = field(default_factory=dict)
    prefix: str = "policy.cloison.dev"
    edges: tuple[Edge, ...] = ()
    watch: Watch = UNWATCHED
    nodes: Sequence[Node] = ()
    gaps: Sequence[Gap] = ()
    live: Live | None = None
    changes: tuple[Change, ...] = ()
    agents: Agents = NO_AGENTS
    before: "Scene | None" = None
    memory: Memory = BLANK
    bounds: Bounds = BOUNDS
    ask: Callable[[Question], Explanation | None] = lambda _: None
    proxies: frozenset[WorkloadId] = frozenset()
    exempt: frozenset[str] = frozenset()
    until: int | None = None
    begun: Callable[[Sequence[Edge], int | None], Mapping[LinkKey, Begun]] = lambda *_: {}
    made: Mapping[PolicyId, int] = field(default_factory=dict)
    _unjudged: list[Unjudged] = field(default_factory=list, compare=False)

    # What is there

    def workloads(self) -> Iterator[Workload]:
        """Yield the workloads that have pods, sorted by name."""
        for name, workload in self.engine.world.workloads.items():
            if workload.endpoints and name.namespace != APART and name.kind != _FRONT:
                yield workload

    def annotation(self, policy: Policy | PolicyId, key: str) -> str | None:
        """Return what an annotation of Cloison's says of a policy."""
        name = policy.id if isinstance(policy, Policy) else policy
        return self.notes.get(name, NO_NOTES).get(f"{self.prefix}/{key}")

    def skip(self, code: Code, reason: str, count: int = 1, noun: str = "edge") -> None:
        """Note that something could not be judged."""
        if count:
            self._unjudged.append(Unjudged(code, reason, count, noun))

    @property
    def unjudged(self) -> tuple[Unjudged, ...]:
        """What could not be judged: what has the same reason, together."""
        found: dict[tuple[Code, str, str], int] = {}
        for each in self._unjudged:
            key = (each.code, each.reason, each.noun)
            found[key] = found.get(key, 0) + each.count
        return tuple(Unjudged(c, r, n, noun) for (c, r, noun), n in sorted(found.items()))

    # When

    @cached_property
    def dark(self) -> frozenset[int]:
        """Watched hours in which too much was lost to say anything."""
        told: dict[int, list[int]] = {}
        for each in self.nodes:
            numbers = told.setdefault(each.hour, [0, 0])
            numbers[0] += each.events
            numbers[1] += each.lost
        poor = {
            hour for hour, (events, lost) in told.items() if poorly(events, lost, self.bounds.least)
        }
        return frozenset(poor | self._unheard())

    def _unheard(self) -> set[int]:
        """Return the hours of which too much went by while a live source could not be heard."""
        if not self.gaps:
            return set()
        heard: dict[int, set[str]] = {}
        for each in self.nodes:
            if each.node is not None and each.events:
                heard.setdefault(each.hour, set()).add(each.node)
        missed: dict[int, float] = {}
        for gap in self.gaps:
            for hour in range(gap.since // HOUR, gap.until // HOUR + 1):
                span = min(gap.until, (hour + 1) * HOUR) - max(gap.since, hour * HOUR)
                # What one node missed is its part of what all of them tell.
                share = 1 if gap.node is None else max(1, len(heard.get(hour, ())))
                missed[hour] = missed.get(hour, 0.0) + span / share
        most = (1 - self.bounds.least) * HOUR
        return {hour for hour, span in missed.items() if span > most}

    @cached_property
    def windows(self) -> Windows:
        """The hours that count."""
        return Windows(self.watch.hours).without(self.dark)

    @cached_property
    def began(self) -> int | None:
        """The first hour that was ever watched."""
        first = self.watch.hours[0] if self.watch.hours else None
        held = self.memory.began
        return first if held is None else held if first is None else min(first, held)

    @property
    def learned(self) -> int:
        """The first hour in which something new is new."""
        return (self.began or 0) + self.bounds.learning

    def unsettled(self, namespaces: Sequence[str]) -> frozenset[int]:
        """Return the hours in which a change of policies or pods was still on its way."""
        found: set[int] = set()
        for each in self.changes:
            here = not each.namespace or each.namespace in namespaces
            if each.time is not None and here and each.kind in UNSETTLING:
                first = each.time // HOUR
                last = (each.time + 2 * self.bounds.propagation) // HOUR
                found.update(range(first, last + 1))
        return frozenset(found)

    @cached_property
    def changed(self) -> int | None:
        """The hour after the last change of a policy, as far as anybody tells."""
        times = [each.time for each in self.changes if each.time and each.kind in POLICIES]
        told = max(times, default=None)
        return None if told is None else (told + 2 * self.bounds.propagation) // HOUR + 1

    # Who decides

    def question(self, edge: Edge) -> Question | None:
        """Return what `why` is asked about an edge; None where an end cannot be asked about."""
        source, destination = map(asked_end, edge.ends)
        if source is None or destination is None:
            return None
        port = str(edge.port) if edge.port >= 0 else ""
        text = f"{edge.protocol}/{port}" if port else edge.protocol
        return Question(source, destination, Traffic(text, edge.links[0].traffic))


POLICIES: Final = frozenset(
    (
        "adminnetworkpolicies",
        "baselineadminnetworkpolicies",
        "ciliumclusterwidenetworkpolicies",
        "ciliumnetworkpolicies",
        "clusternetworkpolicies",
        "globalnetworkpolicies",
        "globalnetworksets",
        "networkpolicies",
        "networksets",
        "tiers",
    )
)
"""Kinds of policies, as audit logs write them."""
UNSETTLING: Final = POLICIES | {
    "cronjobs",
    "daemonsets",
    "deployments",
    "namespaces",
    "statefulsets",
}
"""Kinds whose change takes a while to arrive at every node."""


def asked_end(end: End | Outside) -> End | None:
    """Return an observed end as an end of questions; None for one that cannot be asked about."""
    if isinstance(end, Outside):
        return end.address or end.name
    return end
