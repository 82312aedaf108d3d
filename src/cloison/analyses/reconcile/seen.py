"""What was observed, and who that is in the world."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import AddressEnd, End, NameEnd, Names, NodeEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.past.course import Course
from cloison.base import QuestionError
from cloison.resources.world import Workload, WorkloadId, World

Became = Literal["allowed", "denied", "audited", "error", "unknown"]


@dataclass(frozen=True, slots=True)
class SeenEnd:
    """One end of an observed edge, as records tell it.

    Args:
        entity: What it is: `pod`, `host`, `apiserver`, `gateway`, `world`, `set` or `unknown`.
        namespace: Its namespace, if told.
        workload: Its workload's name, or the pod's own.
        kind: The workload's kind, if told.
        pod: One of its pods.
        labels: Its labels, as `key=value`.
        ip: Its address, where no name is known.
        name: The DNS name that it was looked up by.
    """

    entity: str
    namespace: str | None = None
    workload: str | None = None
    kind: str | None = None
    pod: str | None = None
    labels: tuple[str, ...] | None = None
    ip: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        """Render what is known of it."""
        if self.workload is not None:
            return f"{self.namespace}/{self.workload}" if self.namespace else self.workload
        return self.name or self.ip or self.entity


@dataclass(frozen=True, slots=True)
class Seen:
    """An observed edge.

    Args:
        source: Who opened the connections.
        destination: Who was called.
        protocol: Their protocol; None where no record says it.
        port: The destination's port; None where there is none, or no record says it.
        became: What became of them.
        count: How many there were.
        first: When the first was seen, in microseconds since 1970; None where nobody says.
        last: When the last was seen.
        adapters: Which sources tell of it.
        initiator: Whether `source` opened them: `known`, `inferred` or `unknown`.
        ambiguous: How many of them had an address that several held at that time.
        icmp_type: The type of ICMP; None where there is none, or no record says it.
        course: In which hours; None where that was not asked for.
    """

    source: SeenEnd
    destination: SeenEnd
    protocol: str | None
    port: int | None
    became: Became
    count: int
    first: int | None = None
    last: int | None = None
    adapters: tuple[str, ...] = ()
    initiator: str = "known"
    ambiguous: int = 0
    icmp_type: int | None = None
    course: Course | None = field(default=None, compare=False)

    @property
    def sure(self) -> int:
        """How many of them had ends that are beyond doubt."""
        return max(0, self.count - self.ambiguous)

    @property
    def ends(self) -> tuple[SeenEnd, SeenEnd]:
        """Who opened them, and who was called."""
        return self.source, self.destination


@dataclass(frozen=True, slots=True)
class Loss:
    """What a source says it lost, or left out; or hours of which it should have told, and did not.

    Args:
        events: How many events were lost, as far as told.
        reason: Why, in the source's words.
        node: Where; None where that is not told.
        sampled: One of this many was recorded.
        since: From when on; microseconds since 1970.
        until: Until when.
        gap: Whether nobody says that anything was lost: the source tells of nothing in that time.
    """

    events: int
    reason: str
    node: str | None = None
    sampled: int = 1
    since: int | None = None
    until: int | None = None
    gap: bool = False


Missed = frozenset[EndRef] | None
"""Workloads of which flows may be missing; None where they may be of all."""


def missed(world: World, lost: Iterable[Loss]) -> Missed:
    """Return whose connections may be missing in flows.

    What was lost on a node counts for the workloads that have pods there, and for those of which
    it is not known where their pods are: templates, and a node that nothing in the input is on.

    Args:
        world: The inventory.
        lost: What was lost.
    """
    nodes = {each.node for each in lost}
    if not nodes:
        return frozenset()
    on = {
        name: {each.shape.node for each in workload.endpoints if not each.finished}
        for name, workload in world.workloads.items()
    }
    known = {*world.nodes, *(node for held in on.values() for node in held)}
    if None in nodes or not nodes <= known:
        return None
    return frozenset(
        workload_ref(name) for name, held in on.items() if not held or None in held or held & nodes
    )


@dataclass(frozen=True, slots=True)
class Stranger:
    """An end of an observed edge that the input does not hold.

    Args:
        end: What records tell of it.
        why: Why it is nobody here.
    """

    end: SeenEnd
    why: str


@dataclass(frozen=True, slots=True)
class Outside:
    """An end of an observed edge outside the cluster.

    Args:
        address: Its address; None where no record says it.
        name: The name that it was looked up by; None where there is none.
    """

    address: AddressEnd | None
    name: NameEnd | AddressEnd | None


NODES: Final = SomeNodeEnd("a node")
"""Every node: what differs by the one that records name is asked of that one by `shadow`."""
_APART: Final = {"gateway": "reserved:ingress"}
"""Ends that enforcers have besides pods, by what records call them."""


@dataclass(frozen=True)
class Finder:
    """Finds who in the world the ends of observed edges are.

    Args:
        names: Finds ends by name.
        world: The world.
    """

    names: Names
    world: World
    _known: dict[SeenEnd, End | Outside | Stranger] = field(default_factory=dict, compare=False)

    def find(self, end: SeenEnd) -> End | Outside | Stranger:
        """Return who an end is; the same one for all that records tell alike."""
        found = self._known.get(end)
        if found is None:
            found = self._known[end] = self._find(end)
        return found

    def _find(self, end: SeenEnd) -> End | Outside | Stranger:
        if end.workload is not None and "service" in (end.entity, (end.kind or "").lower()):
            # It may be called as a workload is, and lead to others, on other ports.
            return self._named(end, f"svc:{end.namespace or 'default'}/{end.workload}")
        if end.workload is not None:
            workload = self._workload(end)
            if workload is None and end.entity == "host":
                return NODES  # called by its own name
            if workload is None:
                return Stranger(end, "no workload of the input is called so")
            name = workload.id
            return self._named(end, f"{name.namespace}/{name.kind}/{name.name}")
        if end.entity == "host":
            return NODES
        if end.entity in _APART:
            return self._named(end, _APART[end.entity])
        return self._outside(end)

    def _outside(self, end: SeenEnd) -> End | Outside | Stranger:
        name = None if end.name is None else self._named(end, f"dns:{end.name}")
        address = None if end.ip is None else self._named(end, end.ip)
        if isinstance(address, NodeEnd) or self._is_node(address):
            return NODES
        if address is not None and not isinstance(address, AddressEnd):
            return address
        if name is not None and not isinstance(name, NameEnd | AddressEnd):
            # A name that is none, or one inside, takes nothing from the address it was told with.
            if address is None:
                return name
            name = None
        if address is None and name is None:
            return Stranger(end, "no record says who it is")
        return Outside(address, name)

    def _is_node(self, end: End | Stranger | None) -> bool:
        """Return whether addresses are where the caller says that nodes are."""
        nodes = self.names.engine.networks.nodes
        return isinstance(end, AddressEnd) and end.addresses <= nodes

    def _named(self, end: SeenEnd, text: str) -> End | Stranger:
        try:
            return self.names.end(text)
        except QuestionError as error:
            return Stranger(end, str(error))

    def _workload(self, end: SeenEnd) -> Workload | None:
        """Return a workload by name and kind, else by a pod of it, else by exactly its labels."""
        called = self._by_name.get((end.namespace, end.workload or ""), [])
        alike = [each for each in called if each.id.kind == end.kind]
        if len(alike or called) == 1:
            return (alike or called)[0]
        if end.pod is not None and (found := self._by_pod.get((end.namespace, end.pod))):
            return found
        if end.labels is None or called:
            return None
        wearing = self._by_labels.get((end.namespace, end.labels), set())
        return self.world.workloads[next(iter(wearing))] if len(wearing) == 1 else None

    @cached_property
    def _by_name(self) -> dict[tuple[str | None, str], list[Workload]]:
        found: dict[tuple[str | None, str], list[Workload]] = defaultdict(list)
        for known, workload in self.world.workloads.items():
            found[known.namespace, known.name].append(workload)
        return found

    @cached_property
    def _by_pod(self) -> dict[tuple[str | None, str], Workload]:
        return {
            (each.namespace, each.pod): workload
            for workload in self.world.workloads.values()
            for each in workload.endpoints
            if each.pod is not None
        }

    @cached_property
    def _by_labels(self) -> dict[tuple[str | None, tuple[str, ...]], set[WorkloadId]]:
        found: dict[tuple[str | None, tuple[str, ...]], set[WorkloadId]] = defaultdict(set)
        for known, workload in self.world.workloads.items():
            for each in workload.endpoints:
                labels = tuple(sorted(f"{key}={value}" for key, value in each.labels.items()))
                found[each.namespace, labels].add(known)
        return found


def workload_ref(known: WorkloadId) -> EndRef:
    """Return a workload as answers name it."""
    if known.kind == "Pod":
        return EndRef("pod", known.namespace, known.name)
    return EndRef("workload", known.namespace, known.name, known.kind)


def ref(end: End) -> EndRef:
    """Return an end as answers name it; pods as their workload."""
    match end:
        case PodsEnd():
            return workload_ref(end.workload.id)
        case AddressEnd():
            return EndRef("ip", addresses=end.addresses)
        case NameEnd():
            return EndRef("external-name", name=end.text.removeprefix("dns:"))
        case NodeEnd():
            return EndRef("node", name=end.node.name)
        case SomeNodeEnd():
            return EndRef("node", name="")
        case _:
            return EndRef("external-name", name=end.text)
