"""A change of policies made in a lab that runs, and what became of traffic meanwhile."""

from dataclasses import dataclass
from enum import StrEnum

from cloison.analyses.measured import Agreement, Cell


class Deed(StrEnum):
    """What was done with an object."""

    ADDED = "added"
    REPLACED = "replaced"
    DELETED = "deleted"
    APPLIED = "applied"
    """Added or replaced: of what policies only refer to, it is not told which."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Done:
    """An object that a change is about.

    Args:
        deed: What was done with it.
        kind: Its kind.
        name: Its name, with its namespace if it has one.
    """

    deed: Deed
    kind: str
    name: str


class Held(StrEnum):
    """What became of a connection that was open when policies changed."""

    LIVED = "lived"
    DIED = "died"
    NONE = "none"
    """There was none: nothing was to be closed, or it could not be opened."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A flow whose prediction the change turned round.

    Args:
        cell: A new connection after the change: predicted and measured.
        opened: Whether it is open now; otherwise it was before.
        held: What became of a connection that was open before.
    """

    cell: Cell
    opened: bool
    held: Held = Held.NONE


@dataclass(frozen=True, slots=True)
class Applied:
    """The answer to `lab apply`.

    Args:
        done: What was done with each object, sorted.
        nodes: Nodes whose packet filters were replaced.
        flows: Flows on declared ports whose prediction changed, those that closed first.
        more: How many such flows there are besides, which were not tried.
        keeps: What the profile says of connections that are open: whether policies that change
            leave them alone; None where it does not say.
        notes: What there is to know besides.
    """

    done: tuple[Done, ...]
    nodes: tuple[str, ...]
    flows: tuple[Changed, ...] = ()
    more: int = 0
    keeps: bool | None = None
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether everything that was tried came out as predicted."""
        return all(each.cell.agreement is Agreement.AGREES for each in self.flows) and (
            not self.surprising
        )

    @property
    def differs(self) -> bool:
        """Whether something that was tried came out otherwise than predicted."""
        return bool(self.surprising) or any(
            each.cell.agreement is Agreement.DIFFERS for each in self.flows
        )

    @property
    def surprising(self) -> tuple[Changed, ...]:
        """Connections that did not fare as the profile says."""
        wrong = {True: Held.DIED, False: Held.LIVED}
        if self.keeps is None:
            return ()
        return tuple(each for each in self.flows if each.held is wrong[self.keeps])
