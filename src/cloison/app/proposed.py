"""What a change holds, as far as it could be read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloison.base import Diagnostic, Severity, SourceError
from cloison.base.words import few
from cloison.resources.names import printable

if TYPE_CHECKING:
    from cloison.app.session import Session

_UNJUDGED: Final = {"CAL102": "calico", "CIL301": "cilium", "UNM001": "unmodelled"}
"""What is said where a profile has no place for policies, and the dialect these are of."""


@dataclass(frozen=True, slots=True)
class Part:
    """An object of a change, or a part of it that is none.

    Args:
        name: What it is called.
        stands: Whether the API server would take it.
        dialect: The dialect of policies that it is of; None for other objects.
    """

    name: str
    stands: bool
    dialect: str | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a change holds.

    Args:
        parts: Its objects, and what could not be read as one.
        repeated: Names of objects that it holds more than once.
    """

    parts: tuple[Part, ...] = ()
    repeated: tuple[str, ...] = ()

    @property
    def dialects(self) -> frozenset[str]:
        """The dialects of policies that were read."""
        return frozenset(each.dialect for each in self.parts if each.stands and each.dialect)

    @property
    def refused(self) -> tuple[str, ...]:
        """What was refused."""
        return tuple(dict.fromkeys(each.name for each in self.parts if not each.stands))


def proposed(parts: Sequence[Part], names: Iterable[str]) -> Proposed:
    """Return what a change holds.

    Args:
        parts: Its parts.
        names: The names of its objects, each as often as it occurs.
    """
    return Proposed(
        tuple(parts), tuple(name for name, often in Counter(names).items() if often > 1)
    )


def check_policies(before: "Session", after: "Session", names: Sequence[str]) -> None:
    """Make sure that a candidate holds a policy.

    Args:
        before: What is there without it.
        after: What is there with it.
        names: What it was read from.

    Raises:
        SourceError: Nothing of it could be read as a policy.
    """
    if after.proposed is None or after.proposed.dialects:
        return
    there = frozenset(before.read_diagnostics)
    new = [d for d in after.read_diagnostics if d not in there]
    faults = [d for d in new if d.severity is Severity.ERROR]
    why = "it holds none"
    help_ = "give policies in a language that Cloison reads, such as NetworkPolicy"
    if faults:
        at = f" ({faults[0].span})" if faults[0].span is not None else ""
        why, help_ = f"{faults[0].message}{at}", faults[0].help or help_
    msg = f"no policy could be read from {' and '.join(names)}: {why}"
    raise SourceError(printable(msg), help_)


def remarks(after: "Session") -> Iterator[str]:
    """Yield what a reader must know of a candidate before what comes of it."""
    found = after.proposed
    if found is None:
        return
    if found.refused:
        yield printable(
            f"NOT THE WHOLE CANDIDATE: {few(found.refused)} would be refused, and what follows is "
            "about the rest"
        )
    yield from (printable(f"{each.message}: {each.help}") for each in unjudged(after))
    if found.repeated:
        yield printable(
            f"the candidate holds {few(found.repeated)} more than once: the last counts"
        )


def unjudged(after: "Session") -> tuple[Diagnostic, ...]:
    """Return what says that nobody knows what the profile makes of policies of a candidate."""
    spoken = after.proposed.dialects if after.proposed is not None else frozenset[str]()
    return tuple(d for d in after.read_diagnostics if _UNJUDGED.get(d.code) in spoken)
