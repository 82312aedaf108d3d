"""`egress`: where workloads may go outside the cluster, as what, and past whom."""

from cloison.analyses.egress.model import (
    Destination,
    Egress,
    Leaver,
    Opener,
    Outward,
    Reach,
    Seen,
)
from cloison.analyses.egress.survey import Outside, survey

__all__ = [
    "Destination",
    "Egress",
    "Leaver",
    "Opener",
    "Outside",
    "Outward",
    "Reach",
    "Seen",
    "survey",
]
