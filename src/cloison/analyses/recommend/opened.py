"""What is opened against today: policy stops it, and it is let through from now on."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cloison.analyses.diff import Diff, Kind
from cloison.analyses.diff.shifts import reasons_of, unexplained
from cloison.analyses.recommend.model import Opening

_EXPLAINED: Final = 200
"""Pairs of which it is looked up what stops them today: each takes as long as a `why`."""


def openings(moved: Diff) -> Iterator[Opening]:
    """Yield pairs of ends between which more passes than today, in order.

    Args:
        moved: What is different from today.
    """
    plain = replace(moved, explain=unexplained)
    found = (each for each in plain.of(Kind.OPENED, Kind.CHANGED) if each.shift.opens)
    for number, each in enumerate(found):
        shut: tuple[str, ...] = ()
        if number < _EXPLAINED:
            reasons = reasons_of(moved.explain, each.src, each.dst, each.shift)
            shut = tuple(dict.fromkeys(one.text for one in reasons.before))
        yield Opening(str(each.src), str(each.dst), str(each.shift.gained), shut)
