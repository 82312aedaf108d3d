"""What has changed from one look to the next."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloison.analyses.drift.model import Drift, Finding, State


@dataclass(frozen=True, slots=True)
class Moved:
    """What has changed since the last look.

    Args:
        began: Findings that stand now, and did not then.
        over: Those that are resolved now.
        accepted: Those that somebody answers for now.
        suspected: What was seen for the first time, and too seldom.
        gone: Keys of what stood then, and is so no more.
        standing: How many findings stand now.
    """

    began: tuple[Finding, ...] = ()
    over: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    suspected: tuple[Finding, ...] = ()
    gone: tuple[str, ...] = ()
    standing: int = 0

    def __bool__(self) -> bool:
        """Return whether anything has changed."""
        return bool(self.began or self.over or self.accepted or self.suspected or self.gone)


def states(found: Drift) -> dict[str, State]:
    """Return how far everything has come, by key; what was put together is told one by one."""
    return {
        key: each.state for each in (*found.findings, *found.suspects) for key in _members(each)
    }


def moved(found: Drift, was: Mapping[str, State]) -> Moved:
    """Return what has changed.

    Args:
        found: What is found now.
        was: How far everything had come at the last look: see `states`.
    """
    some: dict[State, list[Finding]] = {state: [] for state in State}
    for each in (*found.findings, *found.suspects):
        if any(was.get(key) is not each.state for key in _members(each)):
            some[each.state].append(each)
    suspected = [
        each
        for each in (*some[State.NEW], *some[State.SUSPECT])
        if not any(key in was for key in _members(each))
    ]
    now = states(found)
    gone = (key for key, state in was.items() if state is State.CONFIRMED and key not in now)
    return Moved(
        tuple(some[State.CONFIRMED]),
        tuple(some[State.RESOLVED]),
        tuple(some[State.ACKNOWLEDGED]),
        tuple(suspected),
        tuple(gone),
        sum(each.state is State.CONFIRMED for each in found.findings),
    )


def _members(found: Finding) -> tuple[str, ...]:
    return tuple(str(each.key) for each in found.members or (found.sign,))
