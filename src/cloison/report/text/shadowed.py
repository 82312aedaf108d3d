"""`shadow` for people: what a candidate would have broken, what breaks everything first."""

from collections.abc import Iterator, Sequence

from cloison.algebra import TrafficSet
from cloison.analyses.ask import Mend
from cloison.analyses.diff.shifts import Shift
from cloison.analyses.explain import Decider
from cloison.analyses.past.sorts import Sort
from cloison.analyses.shadow.model import Edge, Fate, Finding, Shadow, Weight
from cloison.analyses.shadow.tables import Sum, start
from cloison.ir.caveats import NODE_ADDRESS_UNKNOWN
from cloison.report.about import About, Look
from cloison.report.documents.reconciled import told_time
from cloison.report.documents.shadowed import ends_of, told_sums
from cloison.report.text.closing import closing
from cloison.report.text.layout import at, count, listed, table, wrapped

WORDS = {
    Weight.DNS: "names do not resolve",
    Weight.GATEWAY: "nobody outside comes in, or a gateway reaches what is behind it no more",
    Weight.PLATFORM: "what the platform does for everybody stops",
    Weight.CALL: "a call fails",
}
"""What breaks, in words."""
FATES = {
    Fate.UNDETERMINED: "undetermined",
    Fate.ALIKE: "undetermined, as they are today",
    Fate.UNCLEAR: "of which no record says whether they got through",
    Fate.OPENED: "denied until now, and would get through",
    Fate.STILL: "denied already, and still would be",
}
"""What becomes of connections besides, in words."""
_MOST = 12
"""Findings, edges and lines that are shown."""
_ROWS = 168
"""Rows of sums that are shown: the hours of a week."""
_FEW = 4
"""Changes of one finding that are shown, and what decides."""


def lines(result: Shadow, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of what a candidate would have done."""
    for sentence in summary(result):
        yield from wrapped(sentence, look, "", "  ")
    yield from _sums(result)
    for finding in result.findings[:_MOST]:
        yield ""
        yield from _finding(finding, result, look)
    if len(result.findings) > _MOST:
        yield ""
        yield f"and {count(len(result.findings) - _MOST, 'more finding')}: -o json has them all"
    for fate in FATES:
        yield from _others(fate, result, look)
    yield from _changes(result, look)
    yield from _unused(result, look)
    yield from _strays(result, look)
    yield from closing(about, look)


def summary(result: Shadow) -> Iterator[str]:
    """Iterate over the sentences that say what was asked, of what, and what it came to."""
    names = " and ".join(result.candidate) or "the candidate"
    way = "in place of all policies" if result.whole else "laid over the policies of today"
    yield f"candidate {names}, {way}"
    yield from result.remarks
    yield _flows(result)
    yield from doubts(result)
    yield outcome(result)


def outcome(result: Shadow) -> str:
    """Return how many connections would be denied, and what becomes of the others."""
    denied = result.of(Fate.DENIED)
    if not result.edges:
        return "no connection was seen whose ends are known: nothing can be said"
    said = "nothing that got through would be denied"
    if denied:
        said = f"{connections(result.connections(Fate.DENIED))} over {count(len(denied), 'edge')}"
        odd = sum(each.connections for each in denied if each.sort is not None)
        of = "" if not odd else f", {odd:,} of them as by a person or a scan, or mostly stopped"
        said = f"would be denied: {said}, of {result.seen:,} that were seen{of}"
    others = [
        f"{result.connections(fate):,} {words}"
        for fate, words in ((Fate.PASSING, "get through as before"), *FATES.items())
        if result.of(fate)
    ]
    return "; ".join([said, *others])


def connections(number: int) -> str:
    """Return a number of connections in words."""
    return f"{number:,} connection{'' if number == 1 else 's'}"


def _flows(result: Shadow) -> str:
    watch = result.watch
    by = f" ({', '.join(result.adapters)})" if result.adapters else ""
    if not watch:
        since, until = (told_time(each) for each in result.span)
        named = (("since", since), ("until", until))
        when = "".join(f" {word} {time}" for word, time in named if time)
        if result.held is not None:
            one, other = result.held
            there = f"from {told_time(start(one))} to {told_time(start(other + 1))}"
            return f"{result.store} has no flows{when}: what it has is {there}"
        help_ = "; `cloison flows status` says when there are any" if when else ""
        return f"there are no flows with a time in {result.store}{by}{when}{help_}"
    first, last = (told_time(start(h)) for h in (watch.hours[0], watch.hours[-1] + 1))
    hours = f"{len(watch.hours):,} of {count(result.hours, 'hour')} were watched"
    return f"flows of {result.store}{by}, {first} to {last}: {hours}"


def doubts(result: Shadow) -> Iterator[str]:
    """Iterate over the sentences that say what flows do not tell."""
    lost = [each for each in result.watch.lost if each.events or each.sampled > 1]
    if lost:
        events = sum(each.events for each in lost)
        reasons = ", ".join(sorted({each.reason for each in lost if each.reason}))
        many = f"{events:,} events lost by sources" if events else "sources kept a sample"
        by = f" ({reasons})" if reasons else ""
        yield f"{many}{by}: there were more connections than are counted here"
    quiet = {each.reason for each in result.watch.lost if each.gap}
    if quiet:
        yield f"hours of silence from {', '.join(sorted(quiet))}: what was not seen may have been"
    if result.unplaced:
        yield (
            f"not placed, and in no count: {connections(result.stray)} over "
            f"{count(len(result.unplaced), 'edge')}"
        )
    if result.learned:
        yield f"addresses as flows show them: {listed(list(result.learned))}"


def _sums(result: Shadow) -> Iterator[str]:
    found = told_sums(result)
    if not found:
        return
    yield ""
    yield f"denied by {result.by}:"
    rows = (
        (f"{each.connections:,}", count(each.edges, "edge"), named(each)) for each in found[:_ROWS]
    )
    yield from table(rows, indent="  ")
    if len(found) > _ROWS:
        yield f"  and {count(len(found) - _ROWS, 'more row')}: -o json has them all"


def named(each: Sum) -> str:
    """Return what connections of a sum have in common, in words."""
    if each.hour is not None:
        return told_time(start(each.hour)) or ""
    return each.name or "at no known time"


def _finding(finding: Finding, result: Shadow, look: Look) -> Iterator[str]:
    word = look.paint("denied", "bold", "red")
    yield from wrapped(headline(finding), look, f"{word}: ", "  ")
    yield from wrapped(effect(finding), look, "  effect: ", "    ")
    yield from wrapped(when(finding, result), look, "  seen: ", "    ")
    if finding.today:
        yield "  policies of today deny it as well, though it got through"
    callers = list(finding.sources.items())
    if len(callers) > 1:
        yield from table(((f"{number:,}", name) for name, number in callers[:_MOST]), indent="    ")
        if len(callers) > _MOST:
            yield f"    and {count(len(callers) - _MOST, 'more caller')}"
    for sentence in missing(finding, result):
        yield from wrapped(sentence, look, "  missing: ", "    ")
    for sentence in ports(finding):
        yield from wrapped(sentence, look, "  port: ", "    ")
    yield from _mends(finding.mends, look)


ODD = {
    Sort.PERSON: "looks like a person's doing",
    Sort.SCAN: "looks like a scan",
    Sort.DENIED: "was stopped more often than not",
}
"""What is no application's, in words."""


def effect(finding: Finding) -> str:
    """Return what breaks; of what is no application's, what to ask first."""
    if finding.sort is None:
        return WORDS[finding.weight]
    return (
        f"no application breaks, as far as can be told: it {ODD[finding.sort]} ({finding.why}); "
        "ask who did it before anything of it is let through"
    )


def headline(finding: Finding) -> str:
    """Return who would reach whom no more, with how many connections."""
    callers = list(finding.sources)
    who = callers[0] if len(callers) == 1 else f"{len(callers)} callers"
    whom = listed(list(dict.fromkeys(edge.link.names[1] for edge in finding.edges)), 3)
    name = "DNS: " if finding.weight is Weight.DNS else ""
    where = f"{whom} on {', '.join(finding.ports)}"
    return f"{name}{who} -> {where}: {connections(finding.connections)}"


def when(finding: Finding, result: Shadow) -> str:
    """Return in which hours it was seen, and of which pods."""
    course = finding.course
    first, last = ends_of(course)
    said = f"in {len(course.hours)} of {count(len(result.watch.hours), 'watched hour')}"
    if first is not None:
        said += f", {first} to {last}"
    if course.undated:
        said += f"; of {course.undated:,} nobody says when"
    pods = sorted({pod for edge in finding.edges for pod in edge.pods})
    said += f"; from {listed(pods, 4)}" if pods else ""
    nodes = sorted({name for edge in finding.edges for name in edge.nodes})
    return f"{said}; {_nodes(nodes)}" if nodes else said


def _nodes(names: Sequence[str]) -> str:
    return f"{'node' if len(names) == 1 else 'nodes'} {listed(list(names), 4)}"


def missing(finding: Finding, result: Shadow) -> Iterator[str]:
    """Iterate over the sentences that say which side lacks a rule, and what stops it there."""
    ways: dict[str, dict[str, dict[Decider, None]]] = {}
    for edge in finding.edges:
        for side in edge.sides:
            of = edge.link.names[0 if side.direction == "egress" else 1]
            held = ways.setdefault(str(side.direction), {}).setdefault(of, {})
            held.update(dict.fromkeys(side.deciders))
    for way, some in ways.items():
        # Of many callers one policy each is enough: those of the candidate, where it has any.
        limit = _FEW if len(some) == 1 else 1
        alike: dict[str, list[str]] = {}
        for of, held in some.items():
            alike.setdefault(_by(tuple(held), result, limit), []).append(of)
        said = [f"{listed(names, _FEW)} ({by})" for by, names in alike.items()]
        yield f"{way} of {listed(said, _FEW)}"


def ports(finding: Finding) -> Iterator[str]:
    """Iterate over the sentences that say which rules name the port of a Service."""
    yield from (f"{each.rule}{at(each.span)} {each}" for each in finding.fronts[:_FEW])


def _by(deciders: Sequence[Decider], result: Shadow, limit: int) -> str:
    ordered = sorted(deciders, key=lambda each: each.policy not in result.changed)
    said = [f"{each.text}{at(each.span)}" for each in ordered[:limit]]
    more = [f"{len(ordered) - limit} more"] if len(ordered) > limit else []
    return " and ".join([", ".join(said), *more]) or "nobody knows what"


def _mends(mends: Sequence[Mend] | None, look: Look) -> Iterator[str]:
    groups: dict[str, list[Mend]] = {}
    for mend in mends or ():
        groups.setdefault(mend.lines or mend.manifest, []).append(mend)
    for lines_, alike in list(groups.items())[:_FEW]:
        for mend in alike[:_FEW]:
            place = f"  {mend.file}:{mend.line}" if mend.file and mend.line else ""
            yield from wrapped(f"{mend.text}{place}", look, "  mend: ", "    ")
        if len(alike) > _FEW:
            yield f"  mend: and the same to {len(alike) - _FEW} more: -o json has them all"
        for line in lines_.rstrip("\n").splitlines():
            yield f"    {line}" if line else ""
        also = sorted({name for mend in alike for name in mend.also})
        if also:
            yield from wrapped(listed(also), look, "  this also opens: ", "    ")
    if len(groups) > _FEW:
        yield f"  mend: and {len(groups) - _FEW} more: -o json has them all"


def _others(fate: Fate, result: Shadow, look: Look) -> Iterator[str]:
    found = result.of(fate)
    if not found:
        return
    yield ""
    style = ("bold", "yellow") if fate is Fate.UNDETERMINED else ("cyan",)
    word = look.paint(str(fate), *style)
    yield f"{word}: {FATES[fate]}"
    for edge in found[:_MOST]:
        which = f" ({_nodes(edge.nodes)})" if edge.nodes else ""
        text = f"{edge.connections:,} {edge.key}{which}{reason(edge)}"
        yield from wrapped(text, look, "  ", "    ")
    if len(found) > _MOST:
        yield f"  and {count(len(found) - _MOST, 'more edge')}: -o json has them all"


def reason(edge: Edge) -> str:
    """Return why nobody can say, where that is so."""
    if edge.fate not in (Fate.UNDETERMINED, Fate.ALIKE, Fate.UNCLEAR):
        return ""
    if edge.fate is Fate.UNCLEAR:
        return f": the candidate makes of it {edge.after}"
    if edge.requests:
        return ": it depends on the request, which flows do not tell"
    said = [each.text for each in edge.caveats] or ["some of their pods get through, others do not"]
    if NODE_ADDRESS_UNKNOWN in edge.caveats:
        said.append("read the Node objects too, or say --node-cidr")
    return f": {'; '.join(said)}"


def _changes(result: Shadow, look: Look) -> Iterator[str]:
    if not result.changes:
        return
    yield ""
    yield "against today:"
    for used in result.changes[:_MOST]:
        line = used.line
        ends = (listed([str(e) for e in side], 4) for side in (line.sources, line.destinations))
        who = " -> ".join(ends)
        for word, traffic, seen, style in (
            ("opens", line.shift.gained, used.gained, "yellow"),
            ("closes", line.shift.lost, used.lost, "cyan"),
        ):
            if traffic:
                text = f"{who} on {traffic}, {tried(seen, word, known=used.known)}"
                painted = look.paint(moved(word, line.shift, traffic), style)
                yield from wrapped(text, look, f"  {painted}: ", "    ")
    left = result.more_changes + max(0, len(result.changes) - _MOST)
    if left:
        yield f"  and {count(left, 'more line')}: cloison diff --what-if shows them all"


def moved(word: str, shift: Shift, traffic: TrafficSet) -> str:
    """Return what a candidate does with traffic; `may` where nobody can say what becomes of it."""
    return f"may {word.removesuffix('s')}" if traffic <= shift.after.undetermined else word


def tried(seen: int, word: str, *, known: bool) -> str:
    """Return what was seen over what a candidate opens or closes, in words."""
    if not seen:
        return "never seen" if known else "not seen, which does not say that it is not used"
    return f"{connections(seen)}{' denied' if word == 'opens' else ''}"


def _unused(result: Shadow, look: Look) -> Iterator[str]:
    for known, words in (
        (True, "still permitted, and never seen:"),
        (False, "still permitted, and not seen; whether it is used is not known:"),
    ):
        found = [each.line for each in result.excess if each.known is known]
        if not found:
            continue
        yield ""
        yield words
        for line in found[:_MOST]:
            ends = (listed([str(e) for e in side], 4) for side in (line.sources, line.destinations))
            yield from wrapped(f"{' -> '.join(ends)} on {line.passage.allowed}", look, "  ", "    ")
        left = len(found) - len(found[:_MOST]) + (0 if known else result.more_excess)
        if left:
            yield f"  and {count(left, 'more line')}"


def _strays(result: Shadow, look: Look) -> Iterator[str]:
    if not result.unplaced:
        return
    yield ""
    yield "not placed:"
    ranked = strays(result)
    for why, number in ranked[:_MOST]:
        yield from wrapped(f"{number:,}: {why}", look, "  ", "    ")
    if len(ranked) > _MOST:
        yield f"  and {len(ranked) - _MOST} more reasons; -o json has all"


def strays(result: Shadow) -> list[tuple[str, int]]:
    """Return why edges are not placed, with how many connections each is of, most first."""
    alike: dict[str, int] = {}
    for each in result.unplaced:
        alike[each.why] = alike.get(each.why, 0) + each.seen.count
    return sorted(alike.items(), key=lambda item: (-item[1], item[0]))
