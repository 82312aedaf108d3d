"""`map --exposure` as published: edges with pods that are not in the input."""

from collections.abc import Iterator, Sequence

import msgspec

from cloison.algebra import LabelSelector, Operator
from cloison.analyses.connectivity import EndRef
from cloison.analyses.exposure import Exposure, Opening, is_open
from cloison.ir.policy import Direction
from cloison.report.about import About
from cloison.report.documents import ends, parts
from cloison.report.documents.map import Passes, cells


class ExposureEdge(parts.Base, frozen=True):
    """Traffic that a workload may exchange with pods that are not in the input.

    One end is of kind `any-pod`: every pod whose labels, and whose namespace's labels, the
    selectors match, less what `except` matches. A pod that several edges speak of may do what any
    of them says. `direction` is seen from the workload: `ingress` when the pods are the source.
    `open` says that no label is asked for: any pod of a new namespace will do. The other fields
    are those of an edge of `map`.
    """

    direction: Direction
    open: bool
    src: parts.Endpoint
    dst: parts.Endpoint
    traffic: list[parts.Traffic]
    verdict: Passes
    when: list[str]
    caveats: list[str]


class ExposureDocument(parts.Envelope, frozen=True):
    """What workloads are open to, and may reach, beyond the pods of the input.

    `namespaces` are those of the input; every other name is that of a new namespace. Edges that
    are `open` come first; of the rest those that ask for little.
    """

    caveats: list[parts.CaveatSaid]
    namespaces: list[str]
    edges: list[ExposureEdge]


DOCUMENT = ExposureDocument


def head(result: Exposure, about: About) -> ExposureDocument:
    """Return the document without its edges."""
    return ExposureDocument(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        caveats=parts.caveats(result.caveats),
        namespaces=sorted(result.homes.labels),
        edges=[],
    )


def document(result: Exposure, about: About) -> ExposureDocument:
    """Return an exposure as published."""
    return msgspec.structs.replace(head(result, about), edges=list(edges(result)))


def edges(result: Exposure) -> Iterator[ExposureEdge]:
    """Iterate over the edges, sorted."""
    for direction, member, opening, namespaces, pods in _told(result):
        here = ends.ref(member)
        there = parts.AnyPodEndpoint(
            namespace_selector=_selector(namespaces),
            pod_selector=_selector(pods),
            except_=[_selector(each) for each in opening.region.excepted()],
        )
        inward = direction is Direction.INGRESS
        yield ExposureEdge(
            direction=direction,
            open=is_open(opening.region),
            src=there if inward else here,
            dst=here if inward else there,
            traffic=parts.traffic(opening.traffic),
            verdict="allowed" if opening.sure else "undetermined",
            when=_when(opening),
            caveats=parts.caveat_ids(opening.caveats),
        )


def _told(
    result: Exposure,
) -> Iterator[tuple[Direction, EndRef, Opening, LabelSelector, LabelSelector]]:
    """Iterate over the openings of each workload, those that are open first."""
    order = list(Direction)
    found = [
        (e.direction, member, opening)
        for e in result.exposed
        for member in e.members
        for opening in e.openings
    ]
    # The sort is stable: the openings of one workload stay in their own order.
    found.sort(key=lambda f: (not is_open(f[2].region), order.index(f[0]), f[1].sort_key))
    for direction, member, opening in found:
        for namespaces, pods in opening.region.selectors():
            yield direction, member, opening, namespaces, pods


def _selector(known: LabelSelector) -> parts.Selector:
    """Return a selector as manifests write it: equality under `matchLabels`."""
    plain: dict[str, str] = {}
    expressions: list[parts.SelectorRequirement] = []
    for requirement in known.requirements:
        if requirement.operator is Operator.IN and len(requirement.values) == 1:
            plain[requirement.key] = requirement.values[0]
        else:
            expressions.append(
                parts.SelectorRequirement(
                    key=requirement.key,
                    operator=requirement.operator,
                    values=list(requirement.values),
                )
            )
    return parts.Selector(match_labels=plain, match_expressions=expressions)


HEADER = (
    "direction",
    "kind",
    "namespace",
    "name",
    "namespaceSelector",
    "podSelector",
    "except",
    "open",
    "traffic",
    "verdict",
    "caveats",
    "when",
)


def rows(result: Exposure) -> Iterator[Sequence[object]]:
    """Iterate over the edges, one row each; selectors are written as `kubectl -l` takes them."""
    for direction, member, opening, namespaces, pods in _told(result):
        yield (
            direction,
            *cells(member),
            str(namespaces),
            str(pods),
            "; ".join(str(each) for each in opening.region.excepted()),
            "true" if is_open(opening.region) else "false",
            str(opening.traffic),
            opening.verdict,
            " ".join(parts.caveat_ids(opening.caveats)),
            " and ".join(_when(opening)),
        )


def _when(opening: Opening) -> list[str]:
    return [] if opening.requests is None else [str(opening.requests)]
