"""Regular expressions as trees."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from cloison.algebra.characters import CharSet


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of a set."""

    chars: CharSet


@dataclass(frozen=True, slots=True)
class Edge:
    """Nothing, at the start of the text or at its end."""

    at_end: bool


@dataclass(frozen=True, slots=True)
class Cat:
    """One after the other; without parts, the empty text."""

    parts: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Alt:
    """Either; without parts, nothing at all. At most one part is a set of characters."""

    parts: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, `low` to `high` times; None for without end."""

    part: "Node"
    low: int
    high: int | None


Node: TypeAlias = Chars | Edge | Cat | Alt | Repeat

EMPTY = Cat()
NOTHING = Alt()


def cat(parts: Iterable[Node]) -> Node:
    """Return parts one after the other."""
    found: list[Node] = []
    for part in parts:
        if part == NOTHING:
            return NOTHING
        if isinstance(part, Cat):
            found += part.parts
        else:
            found.append(part)
    return found[0] if len(found) == 1 else Cat(tuple(found))


def alt(parts: Iterable[Node]) -> Node:
    """Return the choice between parts, without repeats; sets of characters become one."""
    chars = CharSet()
    found: dict[Node, None] = {}
    place: int | None = None
    for part in parts:
        for each in part.parts if isinstance(part, Alt) else (part,):
            if isinstance(each, Chars):
                place = len(found) if place is None else place
                chars |= each.chars
            else:
                found[each] = None
    made = list(found)
    if place is not None:
        made.insert(place, Chars(chars))
    return made[0] if len(made) == 1 else Alt(tuple(made))


def literal(text: str) -> Node:
    """Return the expression of one text."""
    return cat(Chars(CharSet.of(char)) for char in text)


def repeat(part: Node, low: int, high: int | None) -> Node:
    """Return a part some times; repeats of what may be said at once become one."""
    if part == EMPTY or high == 0:
        return EMPTY
    if (low, high) == (1, 1):
        return part
    if isinstance(part, Repeat) and part.low <= 1:
        # So many of one to n, or of none to n: no number in between is left out.
        most = None if high is None or part.high is None else high * part.high
        return Repeat(part.part, low if part.low else 0, most)
    return Repeat(part, low, high)
