"""`relate`: relations over all flows of a world, of two sets of policies or about one."""

from cloison.analyses.relate.answer import (
    Flow,
    Found,
    Overlap,
    Part,
    Related,
    Relation,
    Told,
    Uncaptured,
)
from cloison.analyses.relate.one import relate_one
from cloison.analyses.relate.two import relate_two
from cloison.analyses.relate.union import union_of

__all__ = [
    "Flow",
    "Found",
    "Overlap",
    "Part",
    "Related",
    "Relation",
    "Told",
    "Uncaptured",
    "relate_one",
    "relate_two",
    "union_of",
]
