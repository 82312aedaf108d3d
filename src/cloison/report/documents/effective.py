"""`effective` as published."""

from collections.abc import Iterator, Sequence

from cloison.analyses.effective import Effective, NotSelecting, Section, Selecting, Side
from cloison.analyses.entries import Entry
from cloison.analyses.entries import Source as Said
from cloison.analyses.resolve import Resolved
from cloison.base import Span
from cloison.ir.policy import Action, Direction
from cloison.report.about import About
from cloison.report.documents import parts


class Source(parts.Base, frozen=True):
    """Who says so: a rule, a whole policy, a built-in rule or the default."""

    text: str
    policy: parts.PolicyRef | None
    rule: int | None
    file: str | None
    line: int | None
    column: int | None


class Matched(parts.Base, frozen=True):
    """A workload, and how many of its pods are matched out of how many."""

    namespace: str
    name: str
    type: str
    pods: int
    of: int


class Whom(parts.Base, frozen=True):
    """Whom a peer means here and now.

    `kind` is pods, block, groups, names, nodes, any, self, own-node, other-node, own-pod,
    several or unknown. `outside` holds address ranges outside the cluster, or null where none are
    asked for.
    """

    kind: str
    text: str
    workloads: list[Matched]
    nodes: list[str]
    outside: list[str] | None
    hint: str | None


class EntrySaid(parts.Base, frozen=True):
    """One line of what is let through, or of what else is done to it.

    `tier` is null for built-in rules and the default.
    """

    peer: str
    means: Whom
    traffic: str
    ports: list[parts.Traffic]
    action: Action
    sources: list[Source]
    remark: str | None
    tier: str | None


class TierSaid(parts.Base, frozen=True):
    """One tier that has a say: its policies, and what becomes of what its entries leave.

    Nothing comes to a tier that is not `asked`: an earlier one decides on everything.
    """

    name: str
    layer: str
    policies: list[Source]
    isolated_by: list[Source]
    otherwise: str
    asked: bool


class SideSaid(parts.Base, frozen=True):
    """One direction: whether it is isolated, what is let through, and what becomes of the rest.

    `tiers` is empty where there is no more to it than a list of what is let through; else the
    entries of each tier are asked in their order, before those of the next.
    """

    direction: Direction
    isolated: bool
    isolated_by: list[Source]
    text: str
    entries: list[EntrySaid]
    otherwise: str | None
    caveats: list[parts.CaveatSaid]
    tiers: list[TierSaid]


class SelectingSaid(parts.Base, frozen=True):
    """A policy that selects the workload."""

    policy: parts.PolicyRef
    selector: str
    isolates: list[Direction]
    governs: list[Direction]
    file: str | None
    line: int | None
    column: int | None
    remark: str | None


class NotSelectingSaid(parts.Base, frozen=True):
    """A policy of the namespace that does not select the workload, and by how much it misses."""

    policy: parts.PolicyRef
    text: str
    distance: int
    file: str | None
    line: int | None
    column: int | None


class SectionSaid(parts.Base, frozen=True):
    """Pods of the workload that the same policies govern."""

    pods: list[str]
    labels: dict[str, str]
    policies: list[SelectingSaid]
    sides: list[SideSaid]
    not_selecting: list[NotSelectingSaid]
    more_not_selecting: int
    remark: str | None


class EffectiveDocument(parts.Envelope, frozen=True):
    """Everything that governs one workload, whichever policy says it."""

    workload: parts.WorkloadEndpoint
    endpoint: str
    sections: list[SectionSaid]
    notes: list[str]


DOCUMENT = EffectiveDocument


def document(result: Effective, about: About) -> EffectiveDocument:
    """Return what governs a workload as published."""
    return EffectiveDocument(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        workload=parts.WorkloadEndpoint(
            namespace=result.workload.namespace,
            name=result.workload.name,
            type=result.workload.kind,
        ),
        endpoint=result.endpoint,
        sections=[_section(s) for s in result.sections],
        notes=list(result.notes),
    )


def _section(known: Section) -> SectionSaid:
    return SectionSaid(
        pods=list(known.pods),
        labels=dict(known.labels),
        policies=[_selecting(s) for s in known.selecting],
        sides=[_side(s) for s in known.sides],
        not_selecting=[_not_selecting(n) for n in known.others],
        more_not_selecting=known.more,
        remark=known.remark,
    )


def _selecting(known: Selecting) -> SelectingSaid:
    file, line, column = position(known.span)
    return SelectingSaid(
        policy=parts.policy_ref(known.policy),
        selector=known.selector,
        isolates=list(known.isolates),
        governs=list(known.governs),
        file=file,
        line=line,
        column=column,
        remark=known.remark,
    )


def _not_selecting(known: NotSelecting) -> NotSelectingSaid:
    file, line, column = position(known.span)
    return NotSelectingSaid(
        policy=parts.policy_ref(known.policy),
        text=known.text,
        distance=known.distance,
        file=file,
        line=line,
        column=column,
    )


def _side(known: Side) -> SideSaid:
    return SideSaid(
        direction=known.direction,
        isolated=known.isolated,
        isolated_by=[source(s) for s in known.isolated_by],
        text=known.text,
        entries=[entry(e) for e in known.entries],
        otherwise=known.otherwise,
        caveats=parts.caveats(known.caveats),
        tiers=[
            TierSaid(
                name=tier.name,
                layer=tier.layer,
                policies=[source(s) for s in tier.policies],
                isolated_by=[source(s) for s in tier.isolated_by],
                otherwise=tier.otherwise,
                asked=tier.asked,
            )
            for tier in known.tiers
        ],
    )


def entry(known: Entry) -> EntrySaid:
    """Return one line of what is let through as published."""
    return EntrySaid(
        peer=known.peer,
        means=means(known.resolved),
        traffic=known.traffic,
        ports=parts.traffic(known.ports),
        action=known.action,
        sources=[source(s) for s in known.sources],
        remark=known.remark,
        tier=known.tier,
    )


def means(known: Resolved) -> Whom:
    """Return whom a peer means as published."""
    return Whom(
        kind=known.kind,
        text=known.text,
        workloads=[
            Matched(
                namespace=w.workload.namespace,
                name=w.workload.name,
                type=w.workload.kind,
                pods=w.pods,
                of=w.of,
            )
            for w in known.workloads
        ],
        nodes=list(known.nodes),
        outside=list(known.outside.ranges()) if known.outside is not None else None,
        hint=known.hint,
    )


def source(known: Said) -> Source:
    """Return who says so as published."""
    file, line, column = position(known.span)
    return Source(
        text=known.text,
        policy=parts.policy_ref(known.policy) if known.policy else None,
        rule=known.rule,
        file=file,
        line=line,
        column=column,
    )


def position(span: Span | None) -> tuple[str | None, int | None, int | None]:
    """Return file, line and column, or nothing of them."""
    return (span.file, span.line, span.column) if span else (None, None, None)


HEADER = (
    "workload",
    "pods",
    "direction",
    "isolated",
    "action",
    "peer",
    "means",
    "traffic",
    "sources",
    "remark",
    "tier",
)


def rows(result: Effective) -> Iterator[Sequence[object]]:
    """Iterate over the entries, one row each."""
    for section in result.sections:
        pods = " ".join(section.pods)
        for side in section.sides:
            for each in side.entries:
                yield (
                    str(result.workload),
                    pods,
                    str(side.direction),
                    "true" if side.isolated else "false",
                    str(each.action),
                    each.peer,
                    each.resolved.text,
                    each.traffic,
                    "; ".join(
                        s.text + (f" ({s.span.place})" if s.span else "") for s in each.sources
                    ),
                    each.remark or "",
                    each.tier or "",
                )
