"""Every check, in order, and what they found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module

from cloison.analyses.doctor.alike import merged
from cloison.analyses.doctor.assumed import told
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Finding
from cloison.base import Span

Check = Callable[[Clinic], Iterator[Finding]]

CHECKS = {
    "D-ENFORCE": "enforcing:enforcing",
    "D-DNS-PORT": "dns:ports",
    "D-NOSELECT": "nobody:nobody",
    "D-WEBHOOK": "webhook:webhook",
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
    "D-SCRAPE": "scrape:scrape",
    "D-METRICS": "halves:halves",
    "D-IMDS": "metadata:imds",
    "D-PEER": "peers:peers",
    "D-JOB": "jobs:jobs",
    "D-CERT": "certificates:certificates",
    "D-TELEMETRY": "telemetry:telemetry",
    "D-DEAD": "dead:dead",
    "D-READ": "unread:unread",
}
"""Where each check is, by its name: module and function of this package. A row is all it takes.

Checks that name a cause come before those that see what it does. Each of them examines the cluster
as it is once the changes proposed before are made, so that nothing is told twice. Where two see
what one cause does, the one that sees worse comes first: a webhook that stops all changes to the
cluster before any other Service.
"""

_NOWHERE = Span("", 0, 0)
_ROUNDS = 3
"""How often a check looks again at what its own proposals leave: one way may hide another."""


def examine(clinic: Clinic, checks: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """Return what checks find, the worst first.

    Args:
        clinic: What to examine.
        checks: Names of checks; all when none is given.
    """
    wanted = [name for name in CHECKS if not checks or name in checks]
    found: list[Finding] = []
    for name in wanted:
        check = _load(name)
        new = _numbered(merged(clinic, check(clinic)), found)
        found += new
        for _ in range(_ROUNDS):
            edits = [mend.edit for each in new for mend in each.mend if mend.edit]
            if not edits:
                break
            clinic = clinic.mended(edits)
            said = {(each.code, each.message) for each in found}
            left = merged(clinic, check(clinic))
            new = _numbered((e for e in left if e.mend and (e.code, e.message) not in said), found)
            found += new
    return tuple(sorted((told(clinic, each) for each in found), key=_order))


def _numbered(findings: Iterable[Finding], before: Sequence[Finding]) -> list[Finding]:
    """Return findings whose changes know when they were made up.

    Args:
        findings: The findings.
        before: Those that were made before.
    """
    number = sum(len(each.mend) for each in before)
    numbered = []
    for finding in findings:
        mends = []
        for mend in finding.mend:
            edit = None if mend.edit is None else replace(mend.edit, order=number)
            mends.append(replace(mend, edit=edit))
            number += 1
        numbered.append(replace(finding, mend=tuple(mends)))
    return numbered


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
