"""Every check, in order, and what they found."""

from collections.abc import Callable, Iterator
from importlib import import_module

from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Finding
from cloison.base import Span

Check = Callable[[Clinic], Iterator[Finding]]

CHECKS = {
    "D-ENFORCE": "enforcing:enforcing",
    "D-DNS-PORT": "dns:ports",
    "D-NOSELECT": "nobody:nobody",
    "D-PORT": "ports:ports",
    "D-CANARY": "versions:versions",
    "D-DNS": "dns:dns",
    "D-GW": "gateways:gateways",
    "D-LB": "balancers:balancers",
    "D-IPBLOCK-DEAD": "blocks:blocks",
    "D-PROBE": "probes:probes",
    "D-HOSTNET": "enforcing:host_network",
    "D-CALL": "depends:depends",
    "D-API": "api:api",
    "D-WEBHOOK": "webhook:webhook",
    "D-SCRAPE": "scrape:scrape",
    "D-METRICS": "halves:halves",
    "D-IMDS": "metadata:imds",
    "D-PEER": "peers:peers",
    "D-JOB": "jobs:jobs",
    "D-CERT": "certificates:certificates",
    "D-TELEMETRY": "telemetry:telemetry",
    "D-READ": "unread:unread",
}
"""Where each check is, by its name: module and function of this package. A row is all it takes.

Checks that name a cause come before those that see what it does. Each of them examines the cluster
as it is once the changes proposed before are made, so that nothing is told twice.
"""

_NOWHERE = Span("", 0, 0)


def examine(clinic: Clinic, checks: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """Return what checks find, the worst first.

    Args:
        clinic: What to examine.
        checks: Names of checks; all when none is given.
    """
    wanted = [name for name in CHECKS if not checks or name in checks]
    found: list[Finding] = []
    for name in wanted:
        found += _load(name)(clinic)
        clinic = clinic.mended()
    return tuple(sorted(found, key=_order))


def _load(name: str) -> Check:
    module, _, function = CHECKS[name].partition(":")
    check: Check = getattr(import_module(f"cloison.analyses.doctor.{module}"), function)
    return check


def _order(finding: Finding) -> tuple[object, ...]:
    named = finding.workload
    return (
        -finding.severity.rank,
        named.namespace if named is not None else "",
        finding.code,
        str(named) if named is not None else "",
        finding.span or _NOWHERE,
        finding.message,
    )
