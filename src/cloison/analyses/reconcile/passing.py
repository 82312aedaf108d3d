"""What passes between two ends, for each of their pods and for some."""

from dataclasses import dataclass, field

from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.analyses.ends import End, NameEnd
from cloison.analyses.explain import case_outcome
from cloison.analyses.question import Traffic, cases
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.when import union

_EVERYTHING = Traffic(None, ANY)


@dataclass(frozen=True, slots=True)
class Passing:
    """What passes between two ends.

    Args:
        every: Traffic that passes between all their pods, with every request.
        some: Traffic that passes between some of them, or with some requests.
        maybe: Traffic of which nobody can say, for some of them.
        conditional: The part of it all that hangs on requests.
    """

    every: TrafficSet = NO_TRAFFIC
    some: TrafficSet = NO_TRAFFIC
    maybe: TrafficSet = NO_TRAFFIC
    conditional: TrafficSet = NO_TRAFFIC


@dataclass(frozen=True)
class Passages:
    """Finds what passes between ends; the same pair is looked at once.

    Args:
        engine: Who decides.
    """

    engine: Engine
    _known: dict[tuple[End, End], Passing] = field(default_factory=dict, compare=False)

    def between(self, source: End, destination: End) -> Passing:
        """Return what passes from one end to another; nothing where that cannot be asked."""
        key = (source, destination)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._between(source, destination)
        return found

    def _between(self, source: End, destination: End) -> Passing:
        engine = self.engine
        if isinstance(destination, NameEnd):
            engine = engine.with_hosts(destination.names)
        every, some = ANY, NO_TRAFFIC
        maybe, conditional = NO_TRAFFIC, NO_TRAFFIC
        asked = False
        try:
            for case in cases(engine, source, destination, _EVERYTHING):
                outcome = case_outcome(engine, case)
                asked = True
                hanging = union(each.traffic for each in outcome.when if each.mixed)
                every &= outcome.allowed
                some |= outcome.allowed | hanging
                maybe |= outcome.undetermined - hanging
                conditional |= hanging
        except QuestionError:
            return Passing(maybe=ANY)
        return Passing(every, some, maybe, conditional) if asked else Passing(maybe=ANY)
