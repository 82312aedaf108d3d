"""What the doctor finds: a way that is closed and should not be, or open and should not be."""

from dataclasses import dataclass
from enum import StrEnum

from cloison.analyses.ask import Mend
from cloison.base import Diagnostic, Severity, Span
from cloison.ir.fidelity import Caveat
from cloison.resources.world import WorkloadId


class Mode(StrEnum):
    """How it shows: the ways in which segmentation goes wrong."""

    DNS = "F1"
    """Names do not resolve."""
    GATEWAY = "F2"
    """A gateway does not reach its backend."""
    SCRAPE = "F3"
    """Metrics are not collected."""
    MESH = "F4"
    """Certificates, webhooks or a mesh's control plane are cut off."""
    DEPENDENCY = "F5"
    """An application does not reach what it depends on."""
    VERSION = "F6"
    """Only one version of a workload fails."""
    NEIGHBOUR = "F7"
    """Pods of the same namespace still get in."""
    BROAD = "F8"
    """More gets in than was meant."""
    NO_EFFECT = "F9"
    """A policy does nothing."""
    HEALTH = "F10"
    """Health checks of nodes or load balancers fail."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that a finding stands on.

    Args:
        text: What it says, in a sentence without its end.
        span: Where that is written; None where it is not written in one place.
    """

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is broken, about to break, or open that should not be.

    Args:
        code: Stable code, three letters and three digits: `DNS001`.
        check: The check that found it: `D-DNS`.
        severity: An error is an outage or a hole for certain; a warning one that depends on
            something the input does not say.
        message: What is wrong, in one line.
        effect: What happens, or will.
        help: What to do.
        mode: How it shows.
        workload: The workload that suffers, the first where there are several; None where it is no
            workload, or nobody can tell.
        workloads: All workloads that one cause makes suffer, where there are several.
        object: What it is about: `Deployment web/portal`.
        span: Where that, or the line to change, is written.
        evidence: What it stands on, the most telling first.
        mend: The narrowest change that mends it, where policies can; apply all of it.
        caveats: What is not known for certain.
        source: Who says that it is so: a document or specification.
    """

    code: str
    check: str
    severity: Severity
    message: str
    effect: str
    help: str
    mode: Mode | None = None
    workload: WorkloadId | None = None
    workloads: tuple[WorkloadId, ...] = ()
    object: str | None = None
    span: Span | None = None
    evidence: tuple[Evidence, ...] = ()
    mend: tuple[Mend, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    source: str | None = None

    @property
    def everybody(self) -> tuple[WorkloadId, ...]:
        """All workloads that it says suffer."""
        return self.workloads or (() if self.workload is None else (self.workload,))

    @property
    def diagnostic(self) -> Diagnostic:
        """The finding without its evidence and mends, as other findings are."""
        return Diagnostic(
            self.code,
            self.severity,
            self.message,
            self.span,
            self.object,
            self.effect,
            self.help,
            self.source,
        )
