"""`map --exposure`: what workloads are open to beyond the pods of the input.

`regions` are pods by the labels they and their namespace need, `faces` those that a declared peer
matches; `cells` tells them apart. `peers` and `subjects` say in `parts` what policies do with them
as either end, `layers` and `meeting` what passes all of them; `openings` makes the answer of it.
"""

from cloison.analyses.exposure.openings import (
    Exposed,
    Exposure,
    Opening,
    expose,
    is_open,
    sort_key,
)
from cloison.analyses.exposure.regions import ACCOUNT, EVERY_POD, NODE, Homes, Region, asked_of

__all__ = [
    "ACCOUNT",
    "EVERY_POD",
    "NODE",
    "Exposed",
    "Exposure",
    "Homes",
    "Opening",
    "Region",
    "asked_of",
    "expose",
    "is_open",
    "sort_key",
]
