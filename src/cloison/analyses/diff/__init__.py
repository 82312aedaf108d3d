"""`diff`: what is different between two snapshots, and because of which policies."""

from cloison.analyses.diff.answer import Diff
from cloison.analyses.diff.comparison import compare
from cloison.analyses.diff.lines import ChangeLine
from cloison.analyses.diff.policies import PolicyChange, PolicyKind
from cloison.analyses.diff.shifts import Change, Kind, Reasons, Seen, Shift, together
from cloison.analyses.diff.snapshots import change

__all__ = [
    "Change",
    "ChangeLine",
    "Diff",
    "Kind",
    "PolicyChange",
    "PolicyKind",
    "Reasons",
    "Seen",
    "Shift",
    "change",
    "compare",
    "together",
]
