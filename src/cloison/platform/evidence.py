"""What the input says of the cluster it is from, and where."""

from dataclasses import dataclass

from cloison.base import Span


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that gives something away.

    Args:
        of: What it speaks for: a platform's name, a profile's (without a version the newest), an
            enforcer's.
        shown: What says so, for people: `DaemonSet kube-system/calico-node (v3.32.1)`.
        span: Where that stands; None where it stands in no one place.
    """

    of: str
    shown: str
    span: Span | None = None
