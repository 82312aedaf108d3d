"""Every check, in order, and what they found."""

from collections.abc import Callable, Iterator
from importlib import import_module

from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Finding
from cloison.base import Span

Check = Callable[[Clinic], Iterator[Finding]]

CHECKS = {
    "D-DNS": "dns:dns",
    "D-DNS-PORT": "dns:ports",
    "D-GW": "gateways:gateways",
    "D-PORT": "ports:ports",
    "D-CANARY": "versions:versions",
    "D-NOSELECT": "nobody:nobody",
    "D-CALL": "depends:depends",
    "D-API": "api:api",
    "D-WEBHOOK": "webhook:webhook",
    "D-TELEMETRY": "telemetry:telemetry",
}
"""Where each check is, by its name: module and function of this package. A row is all it takes."""

_NOWHERE = Span("", 0, 0)


def examine(clinic: Clinic, checks: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """Return what checks find, the worst first.

    Args:
        clinic: What to examine.
        checks: Names of checks; all when none is given.
    """
    wanted = [name for name in CHECKS if not checks or name in checks]
    return tuple(sorted((f for name in wanted for f in _load(name)(clinic)), key=_order))


def _load(name: str) -> Check:
    module, _, function = CHECKS[name].partition(":")
    check: Check = getattr(import_module(f"cloison.analyses.doctor.{module}"), function)
    return check


def _order(finding: Finding) -> tuple[object, ...]:
    named = finding.workload
    return (
        -finding.severity.rank,
        finding.code,
        str(named) if named is not None else "",
        finding.span or _NOWHERE,
        finding.message,
    )
