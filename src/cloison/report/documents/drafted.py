"""`contract init` as published."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from cloison.analyses.draft.model import Draft, Drafted, Hint
from cloison.intent.write import write
from cloison.report.about import About
from cloison.report.documents import parts


class EvidenceFound(parts.Base, frozen=True):
    """What speaks for a dependency, and how sure that is: `low`, `medium` or `high`."""

    text: str
    confidence: str
    port: str
    place: parts.Place | None


class DependencyDrafted(parts.Base, frozen=True):
    """A dependency; `counts` is false where somebody has to confirm it before it is meant."""

    name: str
    from_: str
    to: str
    ports: list[str]
    counts: bool
    confidence: str
    evidence: list[EvidenceFound]


class QuestionOpen(parts.Base, frozen=True):
    """What was left out, and somebody should look at."""

    text: str
    place: parts.Place | None


class DraftSaid(parts.Envelope, frozen=True):
    """A drafted contract, as a document of its own form, and what speaks for its entries.

    `unclassified` has the workloads that no zone is proposed for.
    """

    contract: dict[str, Any]
    dependencies: list[DependencyDrafted]
    unclassified: list[str]
    questions: list[QuestionOpen]


DOCUMENT = DraftSaid


def document(result: Draft, about: About) -> DraftSaid:
    """Return a draft as published."""
    return DraftSaid(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=list(parts.findings(about)),
        contract=yaml.safe_load(write(result.contract)),
        dependencies=[
            *(_dependency(each, counts=True) for each in result.accepted),
            *(_dependency(each, counts=False) for each in result.suggested),
        ],
        unclassified=[str(each) for each in result.unclassified],
        questions=[QuestionOpen(text=e.text, place=parts.place(e.span)) for e in result.doubts],
    )


def _dependency(each: Drafted, *, counts: bool) -> DependencyDrafted:
    entry = each.entry
    return DependencyDrafted(
        name=entry.name,
        from_=entry.source.text,
        to=entry.destination.text,
        ports=[port.text for port in entry.ports],
        counts=counts,
        confidence=str(each.sure),
        evidence=[_evidence(hint) for hint in each.hints],
    )


def _evidence(hint: Hint) -> EvidenceFound:
    return EvidenceFound(
        text=hint.text,
        confidence=str(hint.sure),
        port=hint.edge.number,
        place=parts.place(hint.span),
    )


HEADER = ("from", "to", "ports", "counts", "confidence", "evidence")


def rows(result: Draft) -> Iterator[Sequence[object]]:
    """Iterate over the dependencies."""
    for counts, some in ((True, result.accepted), (False, result.suggested)):
        for each in some:
            entry = each.entry
            yield (
                entry.source.text,
                entry.destination.text,
                " ".join(port.text for port in entry.ports),
                counts,
                str(each.sure),
                "; ".join(hint.said for hint in each.hints),
            )
