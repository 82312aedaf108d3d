"""Drift with a finding of every kind, and what else an answer to `drift` may hold."""

from dataclasses import replace

from cloison.analyses.drift.model import Accepted, Change, Drift
from cloison.analyses.past.course import HOUR
from tests.support.drifting import (
    BASE,
    DAY,
    START,
    WEEK,
    Heard,
    allow,
    contract,
    deny,
    flow,
    look,
    past,
    policy,
    space,
    workload,
)

LATE = range(WEEK + 50, WEEK + 60)
NOW = range(14 * DAY - 12, 14 * DAY)
CLUSTER = (
    *BASE,
    space("ops", zone="app"),
    workload("ops", "tool"),
    deny("ops"),
    space("bare"),
    *(workload("bare", name) for name in ("one", "two", "three")),
    policy("shop", "typo", "{podSelector: {matchLabels: {app: wep}}, policyTypes: [Ingress]}"),
    allow("shop", "out", "api", "to", "{ipBlock: {cidr: 0.0.0.0/0}}", None),
    allow("data", "from-app", "db", "from", "{namespaceSelector: {matchLabels: {zone: app}}}"),
    contract(
        "    - {name: old, from: shop/web, to: shop/api, ports: [81], owner: o, reason: r, "
        "expires: 2026-01-01}\n"
    ),
)
"""A cluster in which much has gone astray."""


def astray() -> Drift:
    """Return what has drifted there: new, known, accepted, resolved and suspected."""
    change = Change(
        "patch namespaces ops", (START + 9) * HOUR, "eve", "ops", "namespaces", "ops", ("zone=app",)
    )
    known = past(
        flow("shop/web", "shop/api", range(14 * DAY)),
        flow("shop/web", "data/StatefulSet/db", NOW, 5432, "denied"),
        flow("shop/api", "data/StatefulSet/db", range(240, 250), 5432, "denied"),
        flow("shop/api", "198.51.100.7", LATE, 443),
        flow("shop/api", "203.0.113.7", [WEEK + 70], 443),
        flow("shop/web", "data/StatefulSet/db", NOW, 80),
        nodes=[Heard("n1", hour, 60, 60 if hour in NOW else 0) for hour in range(14 * DAY - 12)],
        changes=(change,),
    )
    before = tuple(each.replace("zone: app", "zone: none", 1) for each in CLUSTER)
    accepted = (Accepted("D4|bare/*|egress", "team-a", "2027-01-01", "nobody lives there"),)
    found = look(CLUSTER, known, before=before, accepted=accepted)
    return replace(found, store="flows", against="before/", gone=("D4|old/Deployment/x|ingress",))


def quiet() -> Drift:
    """Return what has drifted in a cluster without flows: one workload has no policy."""
    return look((*BASE, space("bare"), workload("bare", "one")), past(days=0))
