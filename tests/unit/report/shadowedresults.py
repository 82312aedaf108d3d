"""What a candidate would have denied, with a connection of every kind."""

from dataclasses import replace

from cloison.analyses.past.course import Course
from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.seen import Loss, Seen, SeenEnd
from cloison.analyses.shadow.model import Shadow
from cloison.app.session import Session
from cloison.app.shadow import Recorded, Wanted, shadowed
from tests.unit.report.reconciledresults import API, EDGES, HOUR, OUTSIDE, PORTAL, START, pod, seen

_FIRST = START // HOUR
RESOLVER = pod("kube-system/coredns")
LOOKUPS = tuple(
    replace(seen(each, RESOLVER, 53), protocol=protocol)
    for each in (PORTAL, API)
    for protocol in ("UDP", "TCP")
)
MORE = (
    seen(OUTSIDE, pod("platform-ingress/public-gateway"), 8443, "denied"),
    seen(API, pod("payments/payments-api"), 8080),
    seen(PORTAL, API, 8080, "unknown"),
    replace(
        seen(API, OUTSIDE, 443), destination=SeenEnd("world", ip="198.51.100.7", name="a.test")
    ),
)


def _dated(each: Seen) -> Seen:
    return replace(each, course=Course((_FIRST, _FIRST + 2), (each.count - 1, 1), 0))


def cast(before: Session, after: Session, by: str | None = None) -> Shadow:
    """Return what a candidate would have done to a few flows.

    Args:
        before: The cluster as it is.
        after: The cluster with the candidate.
        by: By what denied connections are summed up.
    """
    some = tuple(_dated(each) for each in (*EDGES, *LOOKUPS, *MORE))
    watch = Watch({"hubble": (_FIRST, _FIRST + 2)}, (Loss(3, "ring buffer", "node-1"),))
    recorded = Recorded(some, watch, "flows")
    wanted = Wanted(("candidate.yaml",), span=(START, None))
    return replace(shadowed(before, after, recorded, wanted), by=by)
