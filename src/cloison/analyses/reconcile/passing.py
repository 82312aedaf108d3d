"""What passes between two ends, for each of their pods and for some."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import End, NameEnd, NodeEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.explain import case_outcome
from cloison.analyses.parties import Party
from cloison.analyses.question import Case, Traffic, cases
from cloison.analyses.reconcile.kinds import State
from cloison.analyses.reconcile.seen import NODES, ref
from cloison.analyses.request import requested
from cloison.base import QuestionError
from cloison.engine import Engine, UnitKind
from cloison.engine.related import ON_ONE_NODE, ON_OTHER_NODES, UNRELATED, Relations
from cloison.ir.ruleset import Outcome
from cloison.ir.when import union
from cloison.resources.objects import Node

if TYPE_CHECKING:
    from cloison.algebra import Request

_EVERYTHING = Traffic(None, ANY)

Kinds: TypeAlias = tuple[tuple[Node, ...], ...]
"""Nodes, those together that no policy tells apart."""


@dataclass(frozen=True, slots=True)
class Passing:
    """What passes between two ends.

    Args:
        every: Traffic that passes between all their pods, with some request at least.
        some: Traffic that passes between some of them, likewise.
        maybe: Traffic of which nobody can say, for some of them.
        conditional: The part of it all that hangs on requests.
    """

    every: TrafficSet = NO_TRAFFIC
    some: TrafficSet = NO_TRAFFIC
    maybe: TrafficSet = NO_TRAFFIC
    conditional: TrafficSet = NO_TRAFFIC

    def states(self, traffic: TrafficSet) -> Iterator[tuple[State, TrafficSet]]:
        """Yield the parts of some traffic by whether they are permitted."""
        sure = traffic - self.maybe
        parts = {
            State.YES: sure & self.every,
            State.PARTLY: (sure & self.some) - self.every,
            State.UNCLEAR: traffic & self.maybe,
            State.NO: sure - self.some,
        }
        return ((state, part) for state, part in parts.items() if part)


UNKNOWN = Passing(maybe=ANY)


@dataclass(frozen=True)
class Passages:
    """Finds what passes between ends; the same pair is looked at once.

    Args:
        engine: Who decides.
    """

    engine: Engine
    _known: "dict[tuple[EndRef, EndRef, Request | None], Passing]" = field(
        default_factory=dict, compare=False
    )
    _engines: "dict[Request | None, Engine]" = field(default_factory=dict, compare=False)

    @cached_property
    def _kinds(self) -> Kinds:
        # Neither requests nor names that are called tell nodes apart.
        return kinds_of_nodes(self.engine)

    def between(self, source: End, destination: End, request: "Request | None" = None) -> Passing:
        """Return what passes from one end to another; unknown where that cannot be asked.

        Args:
            source: Who calls.
            destination: Who is called.
            request: The request that is made; any may be where none is given.
        """
        key = (ref(source), ref(destination), request)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._between(source, destination, request)
        return found

    def from_other_nodes(self, destination: End) -> TrafficSet:
        """Return traffic that passes from some node to pods that are on another.

        What a node sends its own pods passes whatever policies say: it is left out.
        """
        found = NO_TRAFFIC
        try:
            for case in apart(self.engine, NODES, destination, kinds=self._kinds):
                if case.out_of != ON_ONE_NODE:
                    found |= _passing(case_outcome(self.engine, case)).some
        except QuestionError:
            return NO_TRAFFIC
        return found

    def _between(self, source: End, destination: End, request: "Request | None") -> Passing:
        if request not in self._engines:
            self._engines[request] = requested(self.engine, request)
        engine = self._engines[request]
        if isinstance(destination, NameEnd):
            engine = engine.with_hosts(destination.names)
        outcomes: list[Passing] = []
        named: dict[str, list[Passing]] = defaultdict(list)
        try:
            for case in apart(engine, source, destination, kinds=self._kinds):
                told = _passing(case_outcome(engine, case))
                told = _doubted(told, engine, case)
                if engine.table.units[case.destination.unit].kind is UnitKind.NAMED:
                    named[case.source.text].append(told)
                else:
                    outcomes.append(told)
        except QuestionError:
            return UNKNOWN
        outcomes += map(_of_name, named.values())
        return reduce(_joined, outcomes) if outcomes else UNKNOWN


def apart(
    engine: Engine,
    source: End,
    destination: End,
    traffic: Traffic = _EVERYTHING,
    kinds: Kinds | None = None,
) -> Iterator[Case]:
    """Yield the cases between two ends; a node that opens connections may be a pod's own.

    Where policies are about the addresses of nodes, any node is each that is known.

    Args:
        engine: Who decides.
        source: Who calls.
        destination: Who is called.
        traffic: With what.
        kinds: What `kinds_of_nodes` returns, from who asks often.

    Raises:
        QuestionError: That cannot be asked.
    """
    from_any, to_any = map(_any_node, (source, destination))
    # Where policies are not about addresses of nodes, nothing is to be told by these.
    by_address = (from_any or to_any) and engine.profile.block_matches_nodes
    kinds = (kinds_of_nodes(engine) if kinds is None else kinds) if by_address else ()
    if to_any and kinds:
        for each in kinds:
            yield from apart(engine, source, NodeEnd(destination.text, each[0]), traffic, kinds)
        return
    if not from_any or not kinds:
        for case in cases(engine, source, destination, traffic):
            if isinstance(source, SomeNodeEnd):
                for relation in (ON_ONE_NODE, ON_OTHER_NODES):
                    yield replace(case, out_of=relation, into=relation)
            else:
                yield case
        return
    homes = _homes(destination)
    for each in kinds:
        relations = _standing(frozenset(node.name for node in each), homes, engine)
        told: set[tuple[int, Relations]] = set()
        for case in cases(engine, NodeEnd(source.text, each[0]), destination, traffic):
            for relation in (case.into,) if case.into == UNRELATED else relations:
                if (case.destination.unit, relation) not in told:
                    told.add((case.destination.unit, relation))
                    yield replace(case, out_of=relation, into=relation)


def _any_node(end: End) -> bool:
    return isinstance(end, SomeNodeEnd) and end.node is None and not end.passing


def kinds_of_nodes(engine: Engine) -> Kinds:
    """Return the nodes of an engine's world, those together that no policy tells apart."""
    found: dict[object, list[Node]] = defaultdict(list)
    for node in engine.world.nodes.values():
        units = engine.table.by_node[node.name]
        found[tuple(engine.likeness(unit, apart=False) for unit in units)].append(node)
    return tuple(map(tuple, found.values()))


def _homes(end: End) -> frozenset[str | None]:
    """Return the nodes that pods of an end are on; None among them where one is not known."""
    if not isinstance(end, PodsEnd):
        return frozenset((None,))
    return frozenset(each.shape.node for each in end.workload.endpoints) or frozenset((None,))


def _standing(
    nodes: frozenset[str], homes: frozenset[str | None], engine: Engine
) -> tuple[Relations, ...]:
    """Return how some nodes may stand to pods: as their own, as another, or either."""
    own = bool(nodes & homes) or not homes <= engine.world.nodes.keys()
    relations = (ON_ONE_NODE,) if own else ()
    return relations if len(nodes) == 1 and nodes == homes else (*relations, ON_OTHER_NODES)


def _passing(outcome: Outcome) -> Passing:
    hanging = union(each.traffic for each in outcome.when if each.mixed)
    passes = outcome.allowed | hanging
    return Passing(passes, passes, outcome.undetermined - hanging, hanging)


def _doubted(found: Passing, engine: Engine, case: Case) -> Passing:
    """Return what passes where a node's address is not known: what blocks let through, perhaps."""
    if not nowhere(engine, case):
        return found
    perhaps = ANY - found.some - found.maybe
    if perhaps:
        perhaps &= _at_blocks(engine, case)
    return replace(found, maybe=found.maybe | perhaps) if perhaps else found


def nowhere(engine: Engine, case: Case) -> bool:
    """Return whether policies may be about a node of a case by an address that is not known."""
    return engine.profile.block_matches_nodes and any(_lost(engine, u) for u in _units(case))


def _units(case: Case) -> tuple[int, int]:
    return case.source.unit, case.destination.unit


def _lost(engine: Engine, unit: int) -> bool:
    found = engine.table.units[unit]
    return found.kind is UnitKind.NODE and found.addresses is None


def _at_blocks(engine: Engine, case: Case) -> TrafficSet:
    """Return what passes for addresses outside, in the place of a node of which none is known."""
    outside = engine.alike(engine.table.kinds[UnitKind.EXTERNAL])
    sides = [
        [Party(u, each.text) for u in outside] if _lost(engine, each.unit) else [each]
        for each in (case.source, case.destination)
    ]
    found = NO_TRAFFIC
    for source, destination in product(*sides):
        one = replace(case, source=source, destination=destination)
        found |= _passing(case_outcome(engine, one)).some
    return found


def _joined(one: Passing, other: Passing) -> Passing:
    return Passing(
        one.every & other.every,
        one.some | other.some,
        one.maybe | other.maybe,
        one.conditional | other.conditional,
    )


def _of_name(found: Iterable[Passing]) -> Passing:
    """Return what passes to a name, of which nobody knows whether it has both address families."""
    joined = reduce(_joined, found)
    return replace(joined, some=joined.every, maybe=joined.maybe | (joined.some - joined.every))
