"""Policies that tell what speaks for them: in annotations what stays, in comments what was seen."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from cloison.analyses.contract.compile.edges import reason_of
from cloison.analyses.contract.compile.model import Compiled, Sheet
from cloison.analyses.ends import PodsEnd
from cloison.analyses.past.course import HOUR
from cloison.analyses.past.link import Link
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.recommend.evidence import evidence
from cloison.analyses.recommend.model import Backed, Evidence, Fused, Ground
from cloison.base.words import few, plural, some
from cloison.ir.allowlist import Allowlist, Opening, PortRange
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Direction
from cloison.resources.names import printable
from cloison.resources.world import WorkloadId


def telling(compiled: Compiled, fused: Fused, prefix: str) -> Compiled:
    """Return policies that tell what speaks for them.

    Args:
        compiled: The policies.
        fused: What they are made of.
        prefix: What annotations begin with.
    """
    said = {printable(reason_of(each.entry)): each for each in fused.backed}
    backed = {each.entry.name: each for each in fused.backed}
    window = shown(fused.watch)
    return replace(
        compiled,
        sheets=tuple(
            _shutting(_sheet(each, said, backed, window, prefix), compiled.shut, prefix)
            for each in compiled.sheets
        ),
    )


def _shutting(sheet: Sheet, shut: Collection[WorkloadId], prefix: str) -> Sheet:
    """Return a default deny that names whom it shuts without a policy of their own."""
    whom = sorted(str(each) for each in shut if each.namespace == sheet.namespace)
    if sheet.workloads or not whom:
        return sheet
    note = {f"{prefix}/shut": f"no policy of their own, as no labels select them: {few(whom)}"}
    lists = (replace(e, annotations={**e.annotations, **note}) for e in sheet.lists)
    return replace(sheet, lists=tuple(lists))


def _sheet(
    sheet: Sheet,
    said: Mapping[str, Backed],
    backed: Mapping[str, Backed],
    window: str,
    prefix: str,
) -> Sheet:
    mine = [backed[name] for name in sheet.entries if name in backed]
    reviews = [each.review for each in mine if each.review is not None]
    dates = [*reviews, *(each.entry.expires for each in mine if each.entry.expires is not None)]
    more = {f"{prefix}/evidence": window}
    unowned = [each for each in mine if Ground.CONTRACT not in each.evidence.grounds]
    if unowned:
        said_already = sheet.lists[0].annotations.get(f"{prefix}/reason")
        told = f"{plural(len(unowned), 'call')} that flows or manifests show, and no contract says"
        more[f"{prefix}/reason"] = f"{said_already}; {told}" if said_already else told
    if dates:
        more[f"{prefix}/expires"] = min(dates).isoformat()
    whose = frozenset(sheet.workloads)
    return replace(sheet, lists=tuple(_told(each, whose, said, more) for each in sheet.lists))


def _told(
    one: Allowlist,
    whose: frozenset[WorkloadId],
    said: Mapping[str, Backed],
    more: Mapping[str, str],
) -> Allowlist:
    notes = dict(sorted({**one.annotations, **more}.items()))
    told = tuple(_opening(each, whose, said) for each in one.openings)
    return replace(one, annotations=notes, openings=told)


def _opening(opening: Opening, whose: frozenset[WorkloadId], said: Mapping[str, Backed]) -> Opening:
    lines = (
        f"{each} [{_line(_narrowed(said[each], opening, whose))}]" if each in said else each
        for each in opening.reasons
    )
    return replace(opening, reasons=tuple(lines))


def _narrowed(each: Backed, opening: Opening, whose: frozenset[WorkloadId]) -> Backed:
    """Return a call with what was seen of one rule only: others speak for others."""
    mine = [link for link in each.links if _is_of(link, opening, whose)]
    if len(mine) == len(each.links):
        return each
    got = evidence(mine, (), UNWATCHED, contract=True)
    narrow = replace(
        each.evidence,
        count=got.count,
        hours=got.hours,
        first=got.first,
        last=got.last,
        ports=got.ports,
        sources=got.sources,
    )
    unseen = () if got.count else ("of this rule nothing was seen",)
    return replace(each, evidence=narrow, notes=(*unseen, *each.notes))


def _is_of(link: Link, opening: Opening, whose: frozenset[WorkloadId]) -> bool:
    """Return whether an edge is one that a rule of some workloads lets through."""
    ends = (link.source, link.destination)
    own, other = ends if opening.direction is Direction.EGRESS else ends[::-1]
    if whose and not (isinstance(own, PodsEnd) and own.workload.id in whose):
        return False
    if opening.ports and not any(_holds(each, link) for each in opening.ports):
        return False
    peer = opening.peer
    if not isinstance(peer, PodsMatch) or not isinstance(other, PodsEnd):
        return True
    if peer.namespace is not None and peer.namespace != other.workload.id.namespace:
        return False
    return any(peer.pods.matches(pod.labels) for pod in other.workload.endpoints)


def _holds(ports: PortRange, link: Link) -> bool:
    """Return whether an edge's port is one of a rule; of those with names nobody asks here."""
    if ports.protocol != link.key.protocol or ports.first is None or ports.name is not None:
        return ports.protocol == link.key.protocol
    if ports.protocol.startswith("ICMP"):
        return ports.first == link.key.port  # `last` is a code
    return ports.first <= link.key.port <= (ports.first if ports.last is None else ports.last)


def _line(each: Backed) -> str:
    found = each.evidence
    times = (seen(found),) if found.count else ()
    return "; ".join((*times, f"{found.sure}: {found.why}", *each.notes))


def seen(found: Evidence) -> str:
    """Return how often something was seen, and when."""
    if not found.count:
        return "not seen"
    times = plural(found.count, "connection")
    hours = f" in {plural(found.hours, 'hour')}" if found.hours else ""
    ports = [each for each in found.ports if each.sources]
    differ = len({each.count for each in ports}) > 1
    apart = f" ({some([f'{e.count} on {e.port}' for e in ports], 4)})" if differ else ""
    return f"{times}{apart}{hours}, {_span(found.first, found.last)}, by {', '.join(found.sources)}"


def _span(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return "nobody says when"
    one, other = day(first), day(last)
    return f"on {one}" if one == other else f"{one} to {other}"


def day(time: int) -> str:
    """Return the day of a time in microseconds, in UTC."""
    return datetime.fromtimestamp(time / 1_000_000, UTC).date().isoformat()


def shown(watch: Watch) -> str:
    """Return when anybody watched."""
    hours = watch.hours
    if not hours:
        return "nobody watched"
    span = _span(hours[0] * HOUR, hours[-1] * HOUR)
    return f"{span}, {len(hours)} of {plural(hours[-1] - hours[0] + 1, 'hour')} watched"
