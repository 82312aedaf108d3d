"""`map --exposure`: what workloads are open to beyond the pods of the input.

`regions` are pods by the labels they and their namespace need; `cells` tells them apart. `peers`
and `subjects` say what policies do with them as either end, `meeting` what passes both, and
`openings` makes the answer of it.
"""

from cloison.analyses.exposure.openings import (
    Exposed,
    Exposure,
    Opening,
    expose,
    is_open,
    sort_key,
)
from cloison.analyses.exposure.regions import EVERY_POD, Homes, Region

__all__ = [
    "EVERY_POD",
    "Exposed",
    "Exposure",
    "Homes",
    "Opening",
    "Region",
    "expose",
    "is_open",
    "sort_key",
]
