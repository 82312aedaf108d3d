"""`validate` and `portability` as SARIF 2.1.0, which code hosts show beside the lines meant."""

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import quote

import msgspec

from cloison.base import Diagnostic, Severity
from cloison.report.about import About, Examination, Findings, Judged, Look
from cloison.report.documents import drifted
from cloison.report.documents.portability import diagnostics
from cloison.report.sarif_model import (
    ArtifactLocation,
    Location,
    LogicalLocation,
    Message,
    MultiformatMessageString,
    PhysicalLocation,
    Region,
    ReportingConfiguration,
    ReportingDescriptor,
    Result,
    Run,
    SarifLog,
    Suppression,
    Tool,
    ToolComponent,
)

if TYPE_CHECKING:
    from cloison.analyses.drift.model import Drift
    from cloison.analyses.portable import Portability

_LEVEL: dict[Severity, Literal["error", "warning", "note"]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}

_FAMILIES = {
    "API": "An API server that is out of reach",
    "CAN": "A version of a workload that policies forget",
    "CFG": "Settings",
    "CNI": "A network plugin that does not do what policies say",
    "CON": "A contract that is not kept, or cannot be read",
    "CRT": "Certificates that cannot be issued",
    "DEP": "A Service that the environment names and that is not reached",
    "DNS": "Names that do not resolve",
    "DRF": "Something that is not as it was, or as it is meant to be",
    "EGR": "A way out of the cluster that is wider than it should be",
    "GWY": "A gateway that does not reach what is behind it, or is not reached",
    "IPB": "Addresses in a policy that never arrive",
    "JOB": "A Job that policies forget, or cut off",
    "LBS": "A load balancer or node port that leads nowhere",
    "MET": "Cloud metadata that is open, or credentials that are not",
    "NPL": "A NetworkPolicy that the API server rejects or reads differently",
    "NPS": "A NetworkPolicy that says something else than it seems to",
    "OBJ": "A Kubernetes object that is not what its author meant",
    "PEE": "Replicas that do not reach each other, or that others reach",
    "POR": "A policy that not every enforcer takes, or reads alike",
    "PRB": "A probe that policies stop",
    "PRT": "A port in a policy that is not one of the pods",
    "SCR": "Metrics that are not collected",
    "SEL": "A selector that matches nobody, or more than was meant",
    "SRC": "Input that cannot be read as it is",
    "TEL": "Traces, logs or metrics that do not arrive",
    "TST": "A connectivity test that cannot be asked",
    "UNM": "An object that is not understood and may decide",
    "WHK": "A webhook that the API server does not reach",
}
"""What the findings of a family have in common, by the letters of their codes."""

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return a SARIF log of one run."""
    telling: Callable[[Diagnostic], str] = _told
    if kind == "portability":
        findings = Findings(diagnostics(cast("Portability", result)), 0)
    elif kind == "drifted":
        drift = cast("Drift", result)
        findings = Findings(drifted.diagnostics(drift), 0, drifted.accepted(drift))
        # Numbers in a message of drift change from run to run, and its key never does.
        telling = drifted.key_of
    elif kind == "doctor":
        examined = cast("Examination", result)
        said = tuple(each.diagnostic for each in examined.findings)
        findings = Findings(said, 0, examined.suppressed)
    elif kind in ("cni", "egress", "checked"):
        judged = cast("Judged[object]", result)
        findings = Findings(judged.findings, 0, judged.suppressed)
    else:
        findings = cast("Findings", result)
    accepted = [each.diagnostic for each in findings.suppressed]
    found = (*findings.diagnostics, *accepted)
    codes = sorted({d.code for d in found})
    driver = ToolComponent(
        name="cloison", version=about.version, rules=[_rule(code, found) for code in codes]
    )
    seen: Counter[str] = Counter()
    results = [
        _result(d, codes.index(d.code), _fingerprint(telling(d), seen))
        for d in findings.diagnostics
    ]
    for each in findings.suppressed:
        told = _fingerprint(telling(each.diagnostic), seen)
        one = _result(each.diagnostic, codes.index(each.diagnostic.code), told)
        # Where results are kept of several runs, one that is left out would count as mended.
        one.suppressions = [Suppression("external", status="accepted", justification=each.reason)]
        results.append(one)
    run = Run(tool=Tool(driver=driver), results=results, column_kind="unicodeCodePoints")
    log = SarifLog(version="2.1.0", runs=[run], field_schema=_SCHEMA)
    yield msgspec.json.format(msgspec.json.encode(log), indent=2).decode() + "\n"


def _rule(code: str, found: tuple[Diagnostic, ...]) -> ReportingDescriptor:
    """Return the rule of a code: what can be said of all its findings."""
    own = [d for d in found if d.code == code]
    worst = max((d.severity for d in own), key=lambda s: s.rank)
    sources = sorted({d.source for d in own if d.source})
    title = drifted.title(code) or _FAMILIES.get(code[:3], "A finding about the input")
    told = [f"{title}.", *(f"Source: {source}." for source in sources)]
    return ReportingDescriptor(
        id=code,
        short_description=MultiformatMessageString(text=f"{code}: {title}"),
        help=MultiformatMessageString(text="\n".join(told)),
        default_configuration=ReportingConfiguration(level=_LEVEL[worst]),
    )


def _result(diagnostic: Diagnostic, rule: int, fingerprint: str) -> Result:
    told = [
        diagnostic.message,
        f"Effect: {diagnostic.effect}" if diagnostic.effect else "",
        f"Help: {diagnostic.help}" if diagnostic.help else "",
        f"Source: {diagnostic.source}" if diagnostic.source else "",
    ]
    return Result(
        message=Message(text="\n".join(line for line in told if line)),
        rule_id=diagnostic.code,
        rule_index=rule,
        level=_LEVEL[diagnostic.severity],
        locations=_locations(diagnostic),
        partial_fingerprints={"cloison/v1": fingerprint},
    )


def _locations(diagnostic: Diagnostic) -> list[Location]:
    location = Location()
    span = diagnostic.span
    if span is not None:
        location.physical_location = PhysicalLocation(
            artifact_location=ArtifactLocation(uri=_uri(span.file)),
            region=Region(start_line=max(span.line, 1), start_column=max(span.column, 1)),
        )
    if diagnostic.object:
        named = LogicalLocation(fully_qualified_name=diagnostic.object, kind="resource")
        location.logical_locations = [named]
    return [location] if span or diagnostic.object else []


def _uri(file: str) -> str:
    """Return a path as a URI reference: relative as long as the path is.

    >>> _uri("policies/a b.yaml"), _uri("/srv/a.yaml")
    ('policies/a%20b.yaml', 'file:///srv/a.yaml')
    """
    path = quote(file, safe="/", errors="surrogatepass")
    return f"file://{path}" if path.startswith("/") else path


def _told(diagnostic: Diagnostic) -> str:
    """Return what tells a finding from others, but for the line that it is at."""
    file = diagnostic.span.file if diagnostic.span else ""
    return "\x00".join((diagnostic.code, file, diagnostic.object or "", diagnostic.message))


def _fingerprint(told: str, seen: Counter[str]) -> str:
    """Return what a finding is known by when its lines move: equal ones are numbered."""
    digest = sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
