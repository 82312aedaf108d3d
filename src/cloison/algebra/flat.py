"""Sets of requests as plain tuples, in which they travel to another process."""

from typing import NamedTuple

from cloison.algebra.automata import Dfa
from cloison.algebra.fields import Diagram, Field, Fork, Part
from cloison.algebra.strings import StringSet
from cloison.algebra.values import Values

_EVERY, _NONE = -1, -2


class FlatArm(NamedTuple):
    """Where a part of what a field may hold goes on.

    Args:
        texts: Which of the automata says what it holds.
        absent: Whether the field may be left out.
        then: Which fork comes next; -1 where all of it is in the set, -2 where nothing is.
    """

    texts: int
    absent: bool
    then: int


class FlatFork(NamedTuple):
    """Where a field is asked for.

    Args:
        part: The number of the part.
        name: Which one, of headers.
        arms: Where each part of what it may hold goes on.
    """

    part: int
    name: str
    arms: tuple[FlatArm, ...]


class FlatRequests(NamedTuple):
    """A set of requests.

    Args:
        texts: The automata.
        forks: The forks; each leads only to earlier ones.
        first: Where to begin, as `FlatArm.then` says it.
    """

    texts: tuple[Dfa, ...]
    forks: tuple[FlatFork, ...]
    first: int


def flattened(diagram: Diagram) -> FlatRequests:
    """Return a diagram as plain tuples."""
    texts: dict[Dfa, int] = {}
    forks: dict[FlatFork, int] = {}
    known: dict[int, int] = {}

    def place(one: Diagram) -> int:
        if isinstance(one, bool):
            return _EVERY if one else _NONE
        if id(one) not in known:
            arms = tuple(
                FlatArm(
                    texts.setdefault(values.texts.automaton, len(texts)), values.absent, place(rest)
                )
                for values, rest in one.arms
            )
            made = FlatFork(int(one.field.part), one.field.name, arms)
            known[id(one)] = forks.setdefault(made, len(forks))
        return known[id(one)]

    first = place(diagram)
    return FlatRequests(tuple(texts), tuple(forks), first)


def raised(flat: FlatRequests) -> Diagram:
    """Return the diagram that was flattened."""
    texts = [StringSet.accepted(each) for each in flat.texts]
    made: list[Diagram] = []

    def at(place: int) -> Diagram:
        return place == _EVERY if place < 0 else made[place]

    for fork in flat.forks:
        arms = tuple((Values(texts[a.texts], a.absent), at(a.then)) for a in fork.arms)
        made.append(Fork(Field(Part(fork.part), fork.name), arms))
    return at(flat.first)
