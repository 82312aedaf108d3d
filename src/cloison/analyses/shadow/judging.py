"""Verdicts on observed edges, all of them at once."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from cloison.algebra import RequestSet, TrafficSet, UndecidedError
from cloison.algebra.addresses import parse_address
from cloison.analyses.ask import Question, verdict_only
from cloison.analyses.ends import AddressEnd, End, NameEnd, NodeEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.explain import case_outcome
from cloison.analyses.question import Traffic, cases
from cloison.analyses.reconcile.kinds import State
from cloison.analyses.reconcile.pairs import Placed
from cloison.analyses.reconcile.passing import Passages, Passing
from cloison.analyses.reconcile.seen import NODES, Outside, SeenEnd, ref
from cloison.analyses.replay import Batch, Code, columns, replay
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.names import names_within
from cloison.ir.ruleset import Outcome
from cloison.ir.when import union, within

_T = TypeVar("_T")

_VERDICTS: Final = {
    Code.ALLOWED: Verdict.ALLOWED,
    Code.DENIED: Verdict.DENIED,
    Code.UNDETERMINED: Verdict.UNDETERMINED,
    Code.MIXED: Verdict.MIXED,
}
_STATES: Final = {
    State.YES: Verdict.ALLOWED,
    State.NO: Verdict.DENIED,
    State.UNCLEAR: Verdict.UNDETERMINED,
    State.PARTLY: Verdict.MIXED,
}

FromOwnNode = Callable[[End, TrafficSet], bool]
"""Whether nodes send some traffic only to pods of their own: kubelets, which probe."""


def _never(_end: End, _traffic: TrafficSet) -> bool:
    return False


Lookups = Callable[[Placed], bool]
"""Whether an edge is one of lookups: whatever is requested over it, it is a name."""


def _none(_placed: Placed) -> bool:
    return False


@dataclass(frozen=True)
class Asked:
    """An observed edge as it is asked about.

    Args:
        placed: The edge.
        source: Who calls; of pods, those that have the labels that were seen, and of nodes the
            one that was seen, where that is known.
        destination: Who is called; outside, the very address that was seen where it is known.
        traffic: With what.
        address: The address that was seen of a destination that is asked about by its name: rules
            may be about either.
    """

    placed: Placed
    source: End
    destination: End
    traffic: Traffic
    address: End | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """Which nodes its ends are, where that is known."""
        ends = (self.source, self.destination)
        return tuple(end.node.name for end in ends if isinstance(end, NodeEnd))

    @property
    def question(self) -> Question:
        """What is asked."""
        return Question(self.source, self.destination, self.traffic)


@dataclass(frozen=True)
class Asker:
    """Makes questions of observed edges.

    Args:
        engine: Whose world.
    """

    engine: Engine
    _ends: dict[object, End] = field(default_factory=dict, compare=False)
    _traffics: dict[tuple[str | None, int | None, int | None], Traffic] = field(
        default_factory=dict, compare=False
    )

    def asked(self, placed: Placed) -> Asked:
        """Return an observed edge as it is asked about."""
        seen = placed.seen
        key = (seen.protocol, seen.port, seen.icmp_type)
        traffic = self._traffics.get(key)
        if traffic is None:
            text = f"{seen.protocol}/{seen.port}" if seen.port else str(placed.traffic)
            traffic = self._traffics[key] = Traffic(text, placed.traffic)
        source = self._end(placed.source, seen.source)
        destination = self._end(placed.destination, seen.destination)
        outside, address = placed.destination, None
        if isinstance(destination, NameEnd) and isinstance(outside, Outside) and outside.address:
            address = self._kept(outside.address)
        return Asked(placed, source, destination, traffic, address)

    def _end(self, end: End | Outside, seen: SeenEnd) -> End:
        if isinstance(end, Outside):
            return self._outside(end)
        if end == NODES:
            return self._node(seen)
        if not isinstance(end, PodsEnd):
            return self._ends.setdefault(ref(end), end)
        key = (end.workload.id, end.endpoints, end.gone, seen.labels)
        found = self._ends.get(key)
        if found is None:
            found = self._ends[key] = self._wearing(end, seen.labels)
        return found

    def _node(self, seen: SeenEnd) -> End:
        """Return the node that was seen; any where neither a name nor an address tells which."""
        nodes = self.engine.world.nodes
        found = nodes.get(seen.workload or "")
        if found is None and seen.ip is not None:
            with suppress(ValueError):  # records may hold anything in the place of an address
                found = nodes.get(self.engine.node_addresses.get(parse_address(seen.ip), ""))
        if found is None:
            return NODES
        return self._ends.setdefault(("node", found.name), NodeEnd(f"node:{found.name}", found))

    def _wearing(self, end: PodsEnd, labels: tuple[str, ...] | None) -> PodsEnd:
        """Return those of some pods that have the labels that were seen; all where none has."""
        table = self.engine.table
        if not labels or len(table.workload_units(end.workload.id)) < _SEVERAL:
            return end
        worn = set(labels)
        kept = tuple(
            index
            for index in end.endpoints
            if worn <= {f"{k}={v}" for k, v in table.endpoints[index].labels.items()}
        )
        return replace(end, endpoints=kept) if kept else end

    def _outside(self, end: Outside) -> End:
        """Return the name where rules are about it, else the address."""
        name, address = end.name, end.address
        ruled = isinstance(name, NameEnd) and any(self.engine.hosts.of(n) for n in name.names)
        chosen = name if ruled or address is None else address
        if chosen is None:
            msg = "an end outside has an address or a name"
            raise ValueError(msg)
        return self._kept(chosen)

    def _kept(self, end: NameEnd | AddressEnd) -> End:
        return self._ends.setdefault((type(end), end.text), end)


_SEVERAL: Final = 2
_OPEN: Final = (Verdict.MIXED, Verdict.UNDETERMINED)
_GOODNESS: Final = (Verdict.DENIED, Verdict.MIXED, Verdict.UNDETERMINED, Verdict.ALLOWED)
"""What counts of two ways in which one connection may be let through: the better."""


@dataclass(frozen=True)
class Judge:
    """Says what becomes of observed edges.

    Args:
        engine: Who decides.
        own: Whether nodes send some traffic only to pods of their own.
        lookups: Whether an edge is one of lookups.
    """

    engine: Engine
    own: FromOwnNode = _never
    lookups: Lookups = _none

    def verdicts(self, asked: Sequence[Asked]) -> list[Verdict]:
        """Return the verdict on each of some edges, in order."""
        found = self._asked(asked)
        again = [
            (place, replace(each, destination=each.address))
            for place, each in enumerate(asked)
            if each.address is not None and found[place] is not Verdict.ALLOWED
        ]
        others = self._asked([each for _, each in again])
        for (place, _), other in zip(again, others, strict=True):
            found[place] = max(found[place], other, key=_GOODNESS.index)
        for place, each in enumerate(asked):
            if found[place] in _OPEN and self._passes_every_lookup(each):
                found[place] = Verdict.ALLOWED
        return found

    def _passes_every_lookup(self, asked: Asked) -> bool:
        """Return whether an edge is one of lookups, and passes whatever name is asked for."""
        nodes = SomeNodeEnd | NodeEnd
        ends = (asked.source, asked.destination)
        if not self.lookups(asked.placed) or any(isinstance(end, nodes) for end in ends):
            return False
        try:
            every = RequestSet.dns(names_within("*").strings)
            return all(
                _passes(case_outcome(self.engine, case), case.traffic, every)
                for case in cases(self.engine, *ends, asked.traffic)
            )
        except (QuestionError, UndecidedError):
            return False

    def _asked(self, asked: Sequence[Asked]) -> list[Verdict]:
        if not asked:
            return []
        ends, traffics = _Places[End](), _Places[Traffic]()
        rows = [
            (ends.place(each.source), ends.place(each.destination), traffics.place(each.traffic))
            for each in asked
        ]
        batch = Batch(ends.items, traffics.items, *columns(rows))
        passages = Passages(self.engine)
        codes = replay(self.engine, batch, lambda question: self._one(passages, question))
        return [_VERDICTS[Code(code)] for code in codes.tolist()]

    def _one(self, passages: Passages, question: Question) -> Verdict:
        """Return the verdict on one edge that has no place in a table."""
        source, destination = question.source, question.destination
        nodes = SomeNodeEnd | NodeEnd
        if not (isinstance(source, nodes) or isinstance(destination, nodes)):
            return verdict_only(self.engine, question)
        traffic = question.traffic.traffic
        verdict = _passing(passages.between(source, destination), traffic)
        if isinstance(source, nodes) and verdict in _OPEN and self.own(destination, traffic):
            # Whichever node calls a pod so is the pod's own, though nobody may know which that is.
            if isinstance(source, NodeEnd):
                verdict = _passing(passages.between(NODES, destination), traffic)
            return Verdict.ALLOWED if verdict is Verdict.MIXED else verdict
        return verdict


def _passes(outcome: Outcome, traffic: TrafficSet, requests: RequestSet) -> bool:
    """Return whether all of some traffic passes, with whichever of some requests."""
    left = traffic - outcome.allowed
    asked = within(outcome.when, left)
    return left <= union(each.traffic for each in asked) and all(
        requests <= each.allowed for each in asked
    )


def _passing(found: Passing, traffic: TrafficSet) -> Verdict:
    if traffic & found.conditional:
        return Verdict.UNDETERMINED
    states = [_STATES[state] for state, _ in found.states(traffic)]
    return states[0] if len(states) == 1 else Verdict.MIXED


class _Places(Generic[_T]):
    """Numbers different objects in the order in which they turn up."""

    def __init__(self) -> None:
        self.items: list[_T] = []
        self._places: dict[int, int] = {}

    def place(self, item: _T) -> int:
        """Return the number of an object; whoever asks keeps one object for what is alike."""
        found = self._places.setdefault(id(item), len(self.items))
        if found == len(self.items):
            self.items.append(item)
        return found
