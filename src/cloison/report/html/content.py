"""What an html report is made of."""

from dataclasses import dataclass

from cloison.analyses.connectivity import Map
from cloison.analyses.diff import Diff
from cloison.analyses.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Side:
    """One world that a report can be asked about.

    Args:
        ledger: Its decisions.
        asked: What follows `cloison why SRC DST` to ask more about it: `-f manifests/`; None
            where it cannot be asked about.
        label: What to call it; empty where there is one only.
    """

    ledger: Ledger
    asked: str | None = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A map, or a difference, together with the reasons for every cell of it.

    Args:
        result: What the matrix shows.
        sides: One world for a map, before and after for a difference. Without any, cells say
            what passes and not why.
        title: What the page is called.
        scope: What part was asked for, in flags; empty for all of it.
    """

    result: Map | Diff
    sides: tuple[Side, ...]
    title: str = "Who may talk to whom"
    scope: str = ""
