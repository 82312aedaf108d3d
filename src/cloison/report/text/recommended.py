"""`recommend` for people: what one needs in the first minute, then everything behind it."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from cloison.analyses.recommend.model import Asking, Backed, Opening, Question, Recommended
from cloison.analyses.recommend.ready import Readiness
from cloison.analyses.recommend.tell import seen, shown
from cloison.base.words import few, some
from cloison.report.about import About, Judged, Look
from cloison.report.text.closing import closing
from cloison.report.text.judged import findings, tally
from cloison.report.text.layout import count, table, wrapped

_TITLES = {
    Asking.DENIED: "denied by policy",
    Asking.PERSON: "as by a person",
    Asking.SCAN: "a scan",
    Asking.UNCLEAR: "unclear",
    Asking.EXPIRED: "expired",
    Asking.STRANGER: "not in the input",
}
_OPENED = 40
"""Pairs that are opened of which each is told."""
_SHOWN = 3
"""Reasons for which policies are not proved that the first lines tell."""
_LINK = 1 << 64
"""Addresses of a link of IPv6."""
_WAYS = 2
"""Directions of a workload."""


def lines(result: Judged[Recommended], about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of what is recommended."""
    found = result.answer
    for word, sentence in summary(found):
        yield from wrapped(sentence, look, f"{look.paint(f'{word}:', 'bold')} ", "  ")
    yield ""
    refused = found.refused
    through = [each for each in found.fused.backed if each.entry.name not in refused]
    if through:
        yield "let through:"
        for each in through:
            yield from _call(each, look)
        yield ""
    if refused:
        yield "NOT LET THROUGH, or not all of it:"
        for each in found.fused.backed:
            if each.entry.name in refused:
                yield from _call(each, look, refused[each.entry.name])
        yield ""
    added = found.result.compiled.added
    if added:
        yield "added for the platform:"
        rows = [
            (each.role, each.source, "->", each.destination, ", ".join(each.ports))
            for each in added
        ]
        yield from (f"  {line.rstrip()}" for line in table(rows))
        yield ""
    yield from _opened(found.proof.openings, look)
    if found.fused.questions:
        yield "asked, and shut until a contract says it:"
        for question in found.fused.questions:
            yield from _question(question, look)
        yield ""
    if found.fused.aside:
        yield "set aside, as no policy of a pod is about it:"
        for one in found.fused.aside:
            what = f"{one.ends[0]} -> {one.ends[1]} on {some(one.ports)}"
            times = count(one.count, "connection")
            yield from wrapped(f"{what}: {one.why} ({times})", look, "  ", "    ")
        yield ""
    yield from _not_ready(found.readiness, look)
    yield from _files(found)
    yield from findings(result, look)
    yield tally(result)
    yield from closing(about, look)


def summary(found: Recommended) -> Iterator[tuple[str, str]]:
    """Yield what one needs first: a word, and a sentence without its end."""
    fused, proof = found.fused, found.proof
    spaces = count(len(found.result.compiled.namespaces), "namespace")
    made = f"{count(found.policies, 'policy')} for {count(len(found.workloads), 'workload')}"
    edges = count(proof.expected, "observed edge")
    calls = count(len(fused.backed), "call")
    head = f"{made} in {spaces}, as {found.result.target}"
    yield "recommended", f"{head}, from {calls} and {edges} ({shown(fused.watch)})"
    yield ("proved" if found.proved else "NOT PROVED"), _proved(found)
    more = "nothing" if not (proof.opened or proof.closed or proof.changed) else None
    moved = f"{count(proof.opened, 'pair')} opened, {proof.closed} closed, {proof.changed} changed"
    yield "against today", more or moved
    if fused.questions:
        kinds = [each.asking for each in fused.questions]
        said = ", ".join(f"{kinds.count(k)} {_TITLES[k]}" for k in Asking if k in kinds)
        yield "asked", f"{count(len(kinds), 'question')}: {said}"
    else:
        yield "asked", "nothing"
    yield "ready", _ready(found)


def _proved(found: Recommended) -> str:
    proof, read = found.proof, found.result.read_back
    passing = proof.expected - len(proof.lost) - len(proof.unsure)
    said = [f"{passing} of {count(proof.expected, 'observed edge')} that are meant pass"]
    if proof.refused:
        shut = proof.refused - len(proof.leaks) - proof.ungoverned
        said.append(f"{shut} of {proof.refused} in question do not")
    if proof.ungoverned:
        said.append(f"{proof.ungoverned} of these are of no policy here")
    if read is not None:
        said.append(f"{read.through} of {count(read.asked, 'call')} let through as written")
        if read.guardrails:
            said.append(f"{read.holding} of {count(read.guardrails, 'guardrail')} hold")
    why = "; ".join(found.unproved[:_SHOWN])
    more = f"; and {len(found.unproved) - _SHOWN} more" if found.unproved[_SHOWN:] else ""
    return ", ".join(said) + (f"; because of {why}{more}" if why else "")


def _opened(every: Sequence[Opening], look: Look) -> Iterator[str]:
    """Yield what policy stops today, so that nobody opens it without having seen it."""
    if not every:
        return
    yield "opened, though policy stops it today:"
    for each in every[:_OPENED]:
        by = f": {few(each.shut)}" if each.shut else ""
        what = f"{each.source} -> {each.destination} on {each.traffic}{by}"
        yield from wrapped(what, look, "  ", "    ")
    if len(every) > _OPENED:
        yield f"  and {count(len(every) - _OPENED, 'pair')} more: -o json has them"
    yield ""


def _call(each: Backed, look: Look, refused: str | None = None) -> Iterator[str]:
    entry, found = each.entry, each.evidence
    ports = ", ".join(port.text for port in entry.ports) or "everything"
    owner = f" ({entry.owner})" if entry.owner else ""
    what = f"{entry.source} -> {entry.destination} on {ports}"
    yield from wrapped(f"{entry.name}{owner}: {what}", look, "  ", "    ")
    wide = (_wider(each.widened),) if each.widened else ()
    times = seen(found) if found.count else found.why
    sure = ": ".join((str(found.sure), ", ".join(found.grounds))) if found.grounds else found.sure
    said = (str(sure), times, *each.notes, *wide)
    if refused is not None:
        yield from wrapped(refused, look, "    ", "      ")
    yield from wrapped("; ".join(said), look, "    ", "      ")


def _wider(addresses: int) -> str:
    """Return how many addresses are opened, those of whole links of IPv6 as such.

    >>> _wider(44), _wider((1 << 64) - 4)
    ('44 addresses more than were seen', 'all addresses of one /64, of which few were seen')
    """
    links = -(-addresses // _LINK)
    if addresses < _LINK // 2:
        return f"{count(addresses, 'address')} more than were seen"
    return f"all addresses of {'one' if links == 1 else links} /64, of which few were seen"


def _question(each: Question, look: Look) -> Iterator[str]:
    ports = f" on {some(each.ports)}" if each.ports else ""
    head = f"{_TITLES[each.asking]}: {each.ends[0]} -> {each.ends[1]}{ports}"
    times = []
    if each.count:
        times.append(f"{each.count} let through")
    if each.denied:
        times.append(f"{each.denied} denied")
    told = f" ({', '.join(times)})" if times else ""
    yield from wrapped(f"{head}: {each.why}{told}", look, "  ", "    ")
    if each.write is not None:
        yield f"    write: {each.write}"


def _ready(found: Recommended) -> str:
    every = found.readiness
    if not found.fused.watch:
        none = f"0 of {count(len(found.workloads), 'workload')}"
        return f"{none}; nobody watched: what they do is not known"
    by_workload = groupby(every, key=lambda each: each.workload)
    ways = [(name, [each.ready for each in group]) for name, group in by_workload]
    ready = sum(all(each) for _, each in ways)
    said = f"{ready} of {count(len(ways), 'workload')}"
    lacks = {one.text for each in every for one in each.missing}
    return f"{said}; missing: {few(lacks)}" if lacks else said


def _not_ready(every: Sequence[Readiness], look: Look) -> Iterator[str]:
    """Yield what is missing, and of whom, those that lack the same together."""
    lacking: dict[tuple[str, ...], list[str]] = {}
    for each in every:
        if not each.ready:
            key = tuple(one.text for one in each.missing)
            lacking.setdefault(key, []).append(f"{each.workload} {each.direction}")
    if lacking:
        yield "not ready to be enforced:"
        for missing, whose in sorted(lacking.items(), key=lambda item: item[1]):
            yield from wrapped(f"{_whose(whose)}: {'; '.join(missing)}", look, "  ", "    ")
        yield ""


def _whose(names: Sequence[str]) -> str:
    """Return workloads, both of their directions as one."""
    words = [each.rsplit(" ", 1) for each in names]
    found: dict[str, list[str]] = {}
    for name, way in words:
        found.setdefault(name, []).append(way)
    return some([n if len(w) == _WAYS else f"{n} ({w[0]})" for n, w in found.items()], 4)


def _files(found: Recommended) -> Iterator[str]:
    result = found.result
    if result.directory is None:
        yield "the policies: --policies prints them, --write DIR writes them"
    else:
        yield f"written to {result.directory}:"
        rows = [(each.path, str(each.state)) for each in result.files]
        yield from (f"  {line}" for line in table(rows))
    yield ""
