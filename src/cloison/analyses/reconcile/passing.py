"""What passes between two ends, for each of their pods and for some."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING

from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import End, NameEnd, SomeNodeEnd
from cloison.analyses.explain import case_outcome
from cloison.analyses.question import Case, Traffic, cases
from cloison.analyses.reconcile.kinds import State
from cloison.analyses.reconcile.seen import ref
from cloison.analyses.request import requested
from cloison.base import QuestionError
from cloison.engine import Engine, UnitKind
from cloison.engine.related import ON_ONE_NODE, ON_OTHER_NODES
from cloison.ir.ruleset import Outcome
from cloison.ir.when import union

if TYPE_CHECKING:
    from cloison.algebra import Request

_EVERYTHING = Traffic(None, ANY)


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

    def _between(self, source: End, destination: End, request: "Request | None") -> Passing:
        if request not in self._engines:
            self._engines[request] = requested(self.engine, request)
        engine = self._engines[request]
        if isinstance(destination, NameEnd):
            engine = engine.with_hosts(destination.names)
        outcomes: list[Passing] = []
        named: dict[str, list[Passing]] = defaultdict(list)
        try:
            for case in _cases(engine, source, destination):
                told = _passing(case_outcome(engine, case))
                if engine.table.units[case.destination.unit].kind is UnitKind.NAMED:
                    named[case.source.text].append(told)
                else:
                    outcomes.append(told)
        except QuestionError:
            return UNKNOWN
        outcomes += map(_of_name, named.values())
        return reduce(_joined, outcomes) if outcomes else UNKNOWN


def _cases(engine: Engine, source: End, destination: End) -> Iterator[Case]:
    """Yield the cases between two ends; a node that opens connections may be a pod's own."""
    for case in cases(engine, source, destination, _EVERYTHING):
        if isinstance(source, SomeNodeEnd):
            for relation in (ON_ONE_NODE, ON_OTHER_NODES):
                yield replace(case, out_of=relation, into=relation)
        else:
            yield case


def _passing(outcome: Outcome) -> Passing:
    hanging = union(each.traffic for each in outcome.when if each.mixed)
    passes = outcome.allowed | hanging
    return Passing(passes, passes, outcome.undetermined - hanging, hanging)


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
