"""A cube with a cell of every kind, and what else an answer to `reconcile` may hold."""

from dataclasses import replace
from pathlib import Path

from cloison.analyses.reconcile.reconciled import Reconciled
from cloison.analyses.reconcile.seen import Became, Seen, SeenEnd
from cloison.app.contract import agreed
from cloison.app.reconcile import put
from cloison.app.session import Session

HOUR = 3_600_000_000
START = 1_767_225_600_000_000


def pod(name: str) -> SeenEnd:
    """Return a workload of the example as records tell it."""
    namespace, _, rest = name.partition("/")
    return SeenEnd("pod", namespace, rest, "Deployment")


def seen(source: SeenEnd, destination: SeenEnd, port: int, became: Became = "allowed") -> Seen:
    """Return an observed edge."""
    ends = (START, START + HOUR)
    return Seen(source, destination, "TCP", port, became, 7, *ends, ("hubble",))


OUTSIDE = SeenEnd("world", ip="198.51.100.7")
PORTAL, API = pod("web/case-portal"), pod("case-management/case-api")
EDGES = (
    seen(OUTSIDE, pod("platform-ingress/public-gateway"), 8443),
    seen(PORTAL, API, 8080),
    seen(PORTAL, pod("evidence/evidence-api"), 8080),
    seen(pod("sandbox/case-api"), API, 8080, "denied"),
    seen(pod("payments/payments-api"), OUTSIDE, 443, "audited"),
    seen(SeenEnd("host", ip="192.0.2.1"), API, 8080),
    seen(pod("nowhere/none"), API, 8080),
    replace(seen(PORTAL, API, 8080), initiator="unknown"),
)


def watched(session: Session) -> Reconciled:
    """Return the cube of the example and a few flows."""
    found = put(session, agreed(session), EDGES, Path("flows"), (START, None))
    return replace(found, options=("-f", "examples/case-management"))
