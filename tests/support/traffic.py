"""Made-up traffic that tests share: a small shop, five weeks of it."""

from dataclasses import replace

from cloison.flows.generator.model import Call, Made, Place, Plan, Rollout, Service

HOUR = 3_600_000_000
START = 1_767_225_600_000_000  # 2026-01-01, a Thursday

PORTAL = Made("web", "portal", labels=("app=portal",))
API = Made("shop", "api", labels=("app=api", "version=v1"))
DATABASE = Made("shop", "db", "StatefulSet", ("app=db",), 1)
JOB = Made("shop", "report", "Job", ("app=report",), 1)
SCRAPER = Made("monitoring", "prometheus", "StatefulSet", ("app=prometheus",), 1)
PAYMENTS = Place("payments", ("203.0.113.9", "203.0.113.10"), "pay.example.com")
VISITORS = Place("visitors", ("198.51.100.7", "198.51.100.8", "198.51.100.9"))
APISERVER = Place("apiserver", ("192.0.2.1",), entity="apiserver")

SHOP = Plan(
    (
        Call(VISITORS, PORTAL, 8443, per_hour=0.8),
        Call(PORTAL, API, 8080, per_hour=1.2, service=Service("shop", "api", "10.96.0.7", 80)),
        Call(API, DATABASE, 5432, per_hour=1.2, service=Service("shop", "db", "10.96.0.8", 5432)),
        Call(API, PAYMENTS, 443, rhythm="rare"),
        Call(SCRAPER, API, 9090, per_hour=0.4),
        Call(API, DATABASE, 9187, "UDP", rhythm="daily"),
        Call(JOB, DATABASE, 5432, rhythm="weekly", at=3),
        Call(JOB, PAYMENTS, 443, rhythm="month-end", at=1),
        Call(API, APISERVER, 6443, rhythm="daily", at=5),
        Call(PORTAL, DATABASE, 5432, rhythm="once", at=300, sort="attack", denied="shop/db-in"),
        Call(DATABASE, PORTAL, 8443, rhythm="once", at=310, sort="person"),
    ),
    START,
    24 * 35,
    rollouts=(
        Rollout(API, 200, ("app=api", "version=v2")),
        Rollout(PORTAL, 400, ("app=portal",)),
    ),
    translated=frozenset({"visitors"}),
)
"""A shop: every rhythm, one attack that is denied, one person in a pod's shell, two updates."""


def short(plan: Plan = SHOP, hours: float = 48) -> Plan:
    """Return a plan that ends sooner."""
    return replace(plan, hours=hours)
