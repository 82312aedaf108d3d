"""Policies that tell what speaks for them: in annotations what stays, in comments what was seen."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from cloison.analyses.contract.compile.edges import reason_of
from cloison.analyses.contract.compile.model import Compiled, Sheet
from cloison.analyses.past.course import HOUR
from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.model import Backed, Evidence, Fused, Ground
from cloison.base.words import plural
from cloison.ir.allowlist import Allowlist, Opening
from cloison.resources.names import printable


def telling(compiled: Compiled, fused: Fused, prefix: str) -> Compiled:
    """Return policies that tell what speaks for them.

    Args:
        compiled: The policies.
        fused: What they are made of.
        prefix: What annotations begin with.
    """
    said = {printable(reason_of(each.entry)): _line(each) for each in fused.backed}
    backed = {each.entry.name: each for each in fused.backed}
    window = shown(fused.watch)
    return replace(
        compiled,
        sheets=tuple(_sheet(each, said, backed, window, prefix) for each in compiled.sheets),
    )


def _sheet(
    sheet: Sheet,
    said: Mapping[str, str],
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
    return replace(sheet, lists=tuple(_told(each, said, more) for each in sheet.lists))


def _told(one: Allowlist, said: Mapping[str, str], more: Mapping[str, str]) -> Allowlist:
    notes = dict(sorted({**one.annotations, **more}.items()))
    return replace(one, annotations=notes, openings=tuple(_opening(e, said) for e in one.openings))


def _opening(opening: Opening, said: Mapping[str, str]) -> Opening:
    lines = (f"{each} [{said[each]}]" if each in said else each for each in opening.reasons)
    return replace(opening, reasons=tuple(lines))


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
    return f"{times}{hours}, {_span(found.first, found.last)}, by {', '.join(found.sources)}"


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
