"""`shadow` as published."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from cloison.analyses.connectivity import Line
from cloison.analyses.ends import End
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.sorts import Sort
from cloison.analyses.reconcile.seen import Outside
from cloison.analyses.reconcile.seen import ref as ref_of
from cloison.analyses.shadow.model import (
    Edge,
    Fate,
    Finding,
    FrontPort,
    Shadow,
    Side,
    Unused,
    Used,
    Was,
    Weight,
)
from cloison.analyses.shadow.tables import Sum, start, sums
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.ends import ref
from cloison.report.documents.reconciled import decided, loss, stray, told_time
from cloison.report.documents.reconciledparts import DecidedBy, Loss, Stray
from cloison.report.documents.why import Mend, mends


class SideSaid(parts.Base, frozen=True):
    """An enforcement point that does not let an edge through, and what stops it there."""

    direction: Direction
    decided_by: list[DecidedBy]


class EdgeSaid(parts.Base, frozen=True):
    """What was seen of an edge.

    `was` is what became of its `connections` as records tell it, `before` what policies of today
    make of them (null where its ends are not there today), `after` what the candidate does.
    `hours` are its connections by the hour in which they were seen, by its beginning; of `undated`
    ones nobody says when. `requests` says that it hangs on requests, which flows do not tell.
    `pods` are of the source, as far as records name them; `nodes` are its ends that are nodes, as
    far as records and Node objects tell which; `addresses` those that were seen of an end outside.
    At most `ambiguous` connections had an address that several held at that time.
    """

    src: parts.Endpoint
    dst: parts.Endpoint
    src_name: str
    dst_name: str
    protocol: str
    port: int | None
    traffic: list[parts.Traffic]
    weight: Weight
    was: Was
    before: Verdict | None
    after: Verdict
    connections: int
    ambiguous: int
    first: str | None
    last: str | None
    hours: dict[str, int]
    undated: int
    pods: list[str]
    nodes: list[str]
    addresses: list[str]
    sources: list[str]
    missing: list[SideSaid]
    requests: bool
    caveats: list[str]


class CallerSaid(parts.Base, frozen=True):
    """How many connections of a caller would be denied."""

    name: str
    connections: int


class FrontSaid(parts.Base, frozen=True):
    """A rule that names the `port` of a Service, where policies see the pods' own, `target`."""

    rule: str
    place: parts.Place | None
    service: str
    protocol: str
    port: int
    target: int


class FindingSaid(parts.Base, frozen=True):
    """Edges that got through and would be denied, and that lack the same.

    `mends` are what to add to the candidate; empty where nobody can write it, null where that was
    not looked for, as there are many findings. Where `sort` says `person` or `scan`, it looks like
    no application's, `why` says why, and nobody should let it through unasked. `today` says that
    policies of today deny it, too.
    `fronts` are rules that would let it through, did they not name the port of a Service.
    """

    weight: Weight
    connections: int
    hours: int
    first: str | None
    last: str | None
    today: bool
    callers: list[CallerSaid]
    edges: list[EdgeSaid]
    mends: list[Mend] | None
    fronts: list[FrontSaid]
    sort: Sort | None
    why: str


class CountSaid(parts.Base, frozen=True):
    """How much there is of one kind."""

    edges: int
    connections: int


class CountsSaid(parts.Base, frozen=True):
    """How much there is of each kind."""

    denied: CountSaid
    undetermined: CountSaid
    as_today: CountSaid
    unclear: CountSaid
    opened: CountSaid
    still_denied: CountSaid
    passing: CountSaid
    unplaced: CountSaid


class MovedSaid(parts.Base, frozen=True):
    """What the candidate closes or opens, of every source to every destination.

    `connections` were seen over it: that got through, of what is closed; that were denied, of what
    is opened. Where it is not `known`, there may have been some: no source tells of these ends, or
    some of their flows were lost.
    """

    src: list[parts.Endpoint]
    dst: list[parts.Endpoint]
    traffic: list[parts.Traffic]
    connections: int
    known: bool


class UnusedSaid(parts.Base, frozen=True):
    """What the candidate permits and was never seen, of every source to every destination.

    Where it is not `known`, it may have been used: no source tells of these ends, or some of their
    flows were lost.
    """

    src: list[parts.Endpoint]
    dst: list[parts.Endpoint]
    traffic: list[parts.Traffic]
    known: bool


class GapSaid(parts.Base, frozen=True):
    """Hours between others in which no source told anything."""

    since: str | None
    until: str | None


class WatchSaid(parts.Base, frozen=True):
    """What flows there are: in how many hours anybody watched, and what they say they lost."""

    store: str
    sources: list[str]
    since: str | None
    until: str | None
    first: str | None
    last: str | None
    hours: int
    span: int
    gaps: list[GapSaid]
    lost: list[Loss]
    names: list[str]


class SumSaid(parts.Base, frozen=True):
    """Connections that would be denied and have a caller, an edge, namespaces or an hour in common.

    Of an hour `name` is its beginning, and null for those of which nobody says when.
    """

    name: str | None
    edges: int
    connections: int
    hours: int


class ShadowedSaid(parts.Envelope, frozen=True):
    """What enforcing a candidate would have done to the connections that were recorded.

    `whole` says that it takes the place of all policies. `findings` are what got through and would
    be denied, what breaks everything first. `opens` says whether it lets anything through that
    policies of today do not, whether it was tried or not. `closed`, `opened` and `unused` are of
    the map, and may be cut: `moreChanges` and `moreUnused` say how many lines are left out.
    `remarks` say what the answer is not about, such as parts of the candidate that were refused.
    """

    candidate: list[str]
    whole: bool
    remarks: list[str]
    flows: WatchSaid
    counts: CountsSaid
    by: str | None
    sums: list[SumSaid]
    findings: list[FindingSaid]
    undetermined: list[EdgeSaid]
    as_today: list[EdgeSaid]
    unclear: list[EdgeSaid]
    allowed: list[EdgeSaid]
    still_denied: list[EdgeSaid]
    opens: bool
    closes: bool
    closed: list[MovedSaid]
    opened: list[MovedSaid]
    more_changes: int
    unused: list[UnusedSaid]
    more_unused: int
    unplaced: list[Stray]
    caveats: list[parts.CaveatSaid]


DOCUMENT = ShadowedSaid


def document(result: Shadow, about: About) -> ShadowedSaid:
    """Return what a candidate would have done, as published."""
    told = {fate: [_edge(each) for each in result.of(fate)] for fate in _LISTED}
    return ShadowedSaid(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        candidate=list(result.candidate),
        whole=result.whole,
        remarks=list(result.remarks),
        flows=_watch(result),
        counts=_counts(result),
        by=result.by,
        sums=[_sum(each) for each in told_sums(result)],
        findings=[_finding(each) for each in result.findings],
        undetermined=told[Fate.UNDETERMINED],
        as_today=told[Fate.ALIKE],
        unclear=told[Fate.UNCLEAR],
        allowed=told[Fate.OPENED],
        still_denied=told[Fate.STILL],
        opens=result.diff.opens,
        closes=result.diff.closes,
        closed=[_moved(each, lost=True) for each in result.changes if each.line.shift.closes],
        opened=[_moved(each, lost=False) for each in result.changes if each.line.shift.opens],
        more_changes=result.more_changes,
        unused=[_unused(each) for each in result.excess],
        more_unused=result.more_excess,
        unplaced=[stray(each) for each in result.unplaced],
        caveats=parts.caveats(sorted({c for each in result.edges for c in each.caveats})),
    )


_LISTED = (Fate.UNDETERMINED, Fate.ALIKE, Fate.UNCLEAR, Fate.OPENED, Fate.STILL)


def told_sums(result: Shadow) -> tuple[Sum, ...]:
    """Return the sums that are asked for."""
    return () if result.by is None else sums(result.of(Fate.DENIED), result.by)


def _sum(each: Sum) -> SumSaid:
    name = each.name or (None if each.hour is None else told_time(start(each.hour)))
    return SumSaid(
        name=name,
        edges=each.edges,
        connections=each.connections,
        hours=len(each.course.hours),
    )


def _counts(result: Shadow) -> CountsSaid:
    def counted(fate: Fate) -> CountSaid:
        return CountSaid(edges=len(result.of(fate)), connections=result.connections(fate))

    return CountsSaid(
        denied=counted(Fate.DENIED),
        undetermined=counted(Fate.UNDETERMINED),
        as_today=counted(Fate.ALIKE),
        unclear=counted(Fate.UNCLEAR),
        opened=counted(Fate.OPENED),
        still_denied=counted(Fate.STILL),
        passing=counted(Fate.PASSING),
        unplaced=CountSaid(edges=len(result.unplaced), connections=result.stray),
    )


def _watch(result: Shadow) -> WatchSaid:
    watch = result.watch
    since, until = map(told_time, result.span)
    return WatchSaid(
        store=result.store,
        sources=list(result.adapters),
        since=since,
        until=until,
        first=told_time(start(watch.hours[0])) if watch else None,
        last=told_time(start(watch.hours[-1] + 1)) if watch else None,
        hours=len(watch.hours),
        span=result.hours,
        gaps=[
            GapSaid(since=told_time(start(one)), until=told_time(start(other + 1)))
            for one, other in watch.gaps
        ],
        lost=[loss(each) for each in watch.lost],
        names=list(result.learned),
    )


def _finding(found: Finding) -> FindingSaid:
    course = found.course
    first, last = ends_of(course)
    return FindingSaid(
        weight=found.weight,
        connections=found.connections,
        hours=len(course.hours),
        first=first,
        last=last,
        today=found.today,
        callers=[CallerSaid(name=n, connections=each) for n, each in found.sources.items()],
        edges=[_edge(each) for each in found.edges],
        mends=None if found.mends is None else mends(found.mends),
        fronts=[_front(each) for each in found.fronts],
        sort=found.sort,
        why=found.why,
    )


def _front(each: FrontPort) -> FrontSaid:
    return FrontSaid(
        rule=each.rule,
        place=parts.place(each.span),
        service=each.service,
        protocol=each.protocol,
        port=each.port,
        target=each.target,
    )


def ends_of(course: Course) -> tuple[str | None, str | None]:
    """Return when the first hour of a course begins, and when the last one ends."""
    if not course.hours:
        return None, None
    return told_time(course.hours[0] * HOUR), told_time((course.hours[-1] + 1) * HOUR)


def _edge(each: Edge) -> EdgeSaid:
    link, key, course = each.link, each.key, each.course
    return EdgeSaid(
        src=_end(link.source),
        dst=_end(link.destination),
        src_name=link.names[0],
        dst_name=link.names[1],
        protocol=key.protocol,
        port=None if key.port < 0 else key.port,
        traffic=parts.traffic(link.traffic),
        weight=each.weight,
        was=each.was,
        before=each.before,
        after=each.after,
        connections=each.connections,
        ambiguous=each.ambiguous,
        first=told_time(link.first()),
        last=told_time(link.last()),
        hours={_hour(h): n for h, n in zip(course.hours, course.counts, strict=True)},
        undated=course.undated,
        pods=list(each.pods),
        nodes=list(each.nodes),
        addresses=list(each.addresses),
        sources=list(link.adapters),
        missing=[_side(side) for side in each.sides],
        requests=each.requests,
        caveats=parts.caveat_ids(each.caveats),
    )


@lru_cache(maxsize=1 << 14)
def _hour(hour: int) -> str:
    return told_time(start(hour)) or ""


def _end(end: End | Outside) -> parts.Endpoint:
    """Return an end as published; one outside by its name where that is known."""
    if isinstance(end, Outside):
        known = end.name or end.address
        return parts.AddressEndpoint(ranges=[]) if known is None else ref(ref_of(known))
    return ref(ref_of(end))


def _side(side: Side) -> SideSaid:
    return SideSaid(direction=side.direction, decided_by=[decided(each) for each in side.deciders])


def _moved(used: Used, *, lost: bool) -> MovedSaid:
    line = used.line
    return MovedSaid(
        src=[ref(end) for end in line.sources],
        dst=[ref(end) for end in line.destinations],
        traffic=parts.traffic(line.shift.lost if lost else line.shift.gained),
        connections=used.lost if lost else used.gained,
        known=used.known,
    )


def _unused(each: Unused) -> UnusedSaid:
    line: Line = each.line
    return UnusedSaid(
        src=[ref(end) for end in line.sources],
        dst=[ref(end) for end in line.destinations],
        traffic=parts.traffic(line.passage.allowed),
        known=each.known,
    )


HEADER = (
    "fate",
    "source",
    "destination",
    "protocol",
    "port",
    "weight",
    "connections",
    "hours",
    "first",
    "last",
    "before",
    "after",
    "missing",
    "by",
)


def rows(result: Shadow) -> Iterator[Sequence[object]]:
    """Iterate over all edges that were seen, a row each; then those that cannot be placed."""
    for each in result.edges:
        key, link = each.key, each.link
        yield (
            str(each.fate),
            *link.names,
            key.protocol,
            "" if key.port < 0 else key.port,
            str(each.weight),
            each.connections,
            len(each.course.hours),
            told_time(link.first()) or "",
            told_time(link.last()) or "",
            str(each.before or ""),
            str(each.after),
            "; ".join(str(side.direction) for side in each.sides),
            "; ".join(by.text for side in each.sides for by in side.deciders),
        )
    for lone in result.unplaced:
        seen = lone.seen
        names = (str(seen.source), str(seen.destination))
        port = "" if seen.port is None else seen.port
        first, last = (told_time(time) or "" for time in (seen.first, seen.last))
        shown = (*names, seen.protocol or "", port, "", seen.count, "", first, last)
        yield ("unplaced", *shown, *[""] * (len(HEADER) - len(shown) - 2), lone.why)
