"""`egress` as published."""

from collections.abc import Iterator, Sequence

import msgspec

from cloison.analyses.egress.called import called
from cloison.analyses.egress.model import Destination, Egress, Leaver, Opener, Outward, Reach, Seen
from cloison.ir.fidelity import Verdict
from cloison.platform.ranges import NamedRange, RangeKind
from cloison.report.about import About, Judged
from cloison.report.documents import parts
from cloison.report.documents.judged import Counted, SuppressedFinding, counted, suppressed


class OpenedBy(parts.Base, frozen=True):
    """Who opens a destination; `owner` is whose policy it is, as its annotation says."""

    text: str
    policy: parts.PolicyRef | None
    rule: int | None
    owner: str | None
    file: str | None
    line: int | None
    column: int | None


class DestinationOpen(parts.Base, frozen=True):
    """Something outside that is open: addresses, or a DNS name whose addresses are not known.

    `in` says which ranges with names all the addresses lie in; where that is none, `holds` which
    they have all of and `holdsSome` which they have some of. `requests` says with which requests
    it is open, null for all.
    """

    name: str | None
    addresses: list[str]
    in_: list[str] = msgspec.field(name="in")
    holds: list[str]
    holds_some: list[str]
    traffic: list[parts.Traffic]
    verdict: Verdict
    requests: str | None
    opened_by: list[OpenedBy]
    caveats: list[str]


class SourceSeen(parts.Base, frozen=True):
    """The source address that the outside sees; `towards` is empty for everything."""

    text: str
    known: bool
    towards: str
    source: str
    detail: str
    file: str | None
    line: int | None


class Side(parts.Base, frozen=True):
    """What pods that the same policies govern may reach outside.

    `isolated` says whether any policy restricts their egress, `onNode` that none is asked.
    """

    reach: Reach
    isolated: bool
    on_node: bool
    destinations: list[DestinationOpen]


class LeavingWorkload(parts.Base, frozen=True):
    """A workload; it has several sides where its pods are governed differently."""

    workload: parts.WorkloadEndpoint
    reach: Reach
    owner: str | None
    file: str | None
    line: int | None
    sides: list[Side]
    seen: list[SourceSeen]
    proxies: list[str]
    is_proxy: bool


class Range(parts.Base, frozen=True):
    """An address range with a name."""

    name: str
    kind: RangeKind
    addresses: list[str]
    source: str


class ReachSummary(parts.Base, frozen=True):
    """How many workloads reach how much outside."""

    everything: int
    internet: int
    some: int
    undetermined: int
    none: int


class EgressSaid(parts.Envelope, frozen=True):
    """Where workloads may go outside the cluster, as what, and past whom."""

    workloads: list[LeavingWorkload]
    reaches: ReachSummary
    proxies: list[parts.WorkloadEndpoint]
    gateways: list[str]
    ranges: list[Range]
    lacking: list[str]
    caveats: list[parts.CaveatSaid]
    findings: list[parts.Finding]
    suppressed: list[SuppressedFinding]
    summary: Counted


DOCUMENT = EgressSaid


def document(result: Judged[Egress], about: About) -> EgressSaid:
    """Return where workloads may go as published."""
    found = result.answer
    sides: dict[int, Side] = {}
    for leaver in found.workloads:
        for outward in leaver.outward:
            if id(outward) not in sides:
                sides[id(outward)] = _side(outward, found.ranges)
    counts = found.counts
    return EgressSaid(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        workloads=[
            _leaver(each, [sides[id(outward)] for outward in each.outward])
            for each in found.workloads
        ],
        reaches=ReachSummary(
            everything=counts.get(Reach.EVERYTHING, 0),
            internet=counts.get(Reach.INTERNET, 0),
            some=counts.get(Reach.SOME, 0),
            undetermined=counts.get(Reach.UNDETERMINED, 0),
            none=counts.get(Reach.NONE, 0),
        ),
        proxies=[
            parts.WorkloadEndpoint(namespace=p.namespace, name=p.name, type=p.kind)
            for p in found.proxies
        ],
        gateways=list(found.gateways),
        ranges=[
            Range(
                name=each.name,
                kind=each.kind,
                addresses=list(each.addresses.ranges()),
                source=each.source,
            )
            for each in found.ranges
        ],
        lacking=list(found.lacking),
        caveats=parts.caveats(found.caveats),
        findings=[parts.finding(each) for each in result.findings],
        suppressed=suppressed(result.suppressed),
        summary=counted(result),
    )


def _leaver(each: Leaver, sides: list[Side]) -> LeavingWorkload:
    return LeavingWorkload(
        workload=parts.WorkloadEndpoint(
            namespace=each.id.namespace, name=each.id.name, type=each.id.kind
        ),
        reach=each.reach,
        owner=each.owner,
        file=each.span.file if each.span else None,
        line=each.span.line if each.span else None,
        sides=sides,
        seen=[_seen(one) for one in each.seen],
        proxies=list(each.proxies),
        is_proxy=each.is_proxy,
    )


def _seen(one: Seen) -> SourceSeen:
    return SourceSeen(
        text=one.text,
        known=one.known,
        towards=one.towards,
        source=one.source,
        detail=one.detail,
        file=one.span.file if one.span else None,
        line=one.span.line if one.span else None,
    )


def _side(outward: Outward, ranges: Sequence[NamedRange]) -> Side:
    return Side(
        reach=outward.reach,
        isolated=outward.isolated,
        on_node=outward.hosted,
        destinations=[_destination(each, ranges) for each in outward.destinations],
    )


def _destination(each: Destination, ranges: Sequence[NamedRange]) -> DestinationOpen:
    what = called(each.addresses, ranges)
    return DestinationOpen(
        name=each.name,
        addresses=list(each.addresses.ranges()),
        in_=list(what.inside),
        holds=list(what.whole),
        holds_some=list(what.part),
        traffic=parts.traffic(each.traffic),
        verdict=each.verdict,
        requests=each.requests,
        opened_by=[_opener(one) for one in each.openers],
        caveats=parts.caveat_ids(each.caveats),
    )


def _opener(one: Opener) -> OpenedBy:
    span = one.span
    return OpenedBy(
        text=one.text,
        policy=parts.policy_ref(one.policy) if one.policy else None,
        rule=one.rule,
        owner=one.owner,
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


HEADER = (
    "namespace",
    "workload",
    "kind",
    "reach",
    "owner",
    "destination",
    "is",
    "traffic",
    "verdict",
    "requests",
    "opened_by",
    "policy_owner",
    "file",
    "line",
    "seen_as",
)


def rows(result: Judged[Egress]) -> Iterator[Sequence[object]]:
    """Iterate over destinations, one row for each workload and opener; one for those with none."""
    ranges = result.answer.ranges
    for each in result.answer.workloads:
        who = (each.id.namespace, each.id.name, each.id.kind, str(each.reach), each.owner or "")
        seen = "; ".join(f"{s.text} ({s.towards})" if s.towards else s.text for s in each.seen)
        places = [place for outward in each.outward for place in outward.destinations]
        for place in places:
            where = place.name or str(place.addresses)
            what = called(place.addresses, ranges).text
            for one in place.openers:
                yield (
                    *who,
                    where,
                    what,
                    str(place.traffic),
                    str(place.verdict),
                    place.requests or "",
                    one.text,
                    one.owner or "",
                    one.span.file if one.span else "",
                    one.span.line if one.span else "",
                    seen,
                )
        if not places:
            yield (*who, *("",) * 10)
