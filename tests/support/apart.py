"""What is left of a difference after converting that is the language's, not the enforcers'."""

from cloison.analyses.diff import Diff
from cloison.app.compared import differences
from cloison.app.convert import Conversion, under
from cloison.platform.facts import differing

_OF_POLICIES = ("enforces-", "every-list", "order", "unknown-")
"""Facts about what policies come to together; all others are of enforcers, and no policy says
them: whom a block matches, what a port name stands for, which labels there are."""


def alike(found: Conversion) -> Diff:
    """Return what differs once the source's enforcer is of the target's mind about such facts."""
    mine, theirs = found.before.profile, found.profile
    for fact in differing(mine, theirs):
        if not fact.id.startswith(_OF_POLICIES):
            mine = fact.swap(mine, theirs) or mine
    return differences(under(found.before, mine), found.after)
