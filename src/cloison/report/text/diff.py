"""`diff` for people: what was opened first, with the policies responsible."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cloison import algebra
from cloison.algebra import ANY, L4, TrafficSet
from cloison.analyses.connectivity import EndRef, Passage
from cloison.analyses.diff import (
    ChangeLine,
    Diff,
    Kind,
    PolicyChange,
    PolicyKind,
    Reasons,
    Seen,
    Shift,
)
from cloison.analyses.explain import Decider
from cloison.ir.when import Moved, union
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import at, count, listed, wrapped
from cloison.report.text.map import Words
from cloison.report.text.requests import with_example

_SIGN = {Kind.OPENED: "+", Kind.CLOSED: "-", Kind.CHANGED: "~"}
_STYLE = {Kind.OPENED: ("yellow",), Kind.CLOSED: ("cyan",), Kind.CHANGED: ()}
"""As in the pictures: what was opened is no good news, and red and green are alike to many."""
_LINES = 200
"""Lines about workloads of both sides, for each kind of change, that are printed."""
_BUT = 8
"""Names in a row from which it is worth to say which are missing instead."""
_LONE = 12
"""Lines about workloads of one side only that are printed; the rest is summed up."""
_NAMES = 5
"""Policies that isolate an end which are named one by one."""
_POLICIES = 24
"""Policies that are listed; the rest is counted."""


def lines(result: Diff, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of a diff."""
    if not result.ends:
        yield "no workload was read, so there is nothing to compare"
        yield from closing(about, look)
        return
    words = Words(result.ends)
    both = [line for line in result.lines if not _lone(line.shift)]
    for kind in (Kind.OPENED, Kind.CHANGED, Kind.CLOSED):
        found = _folded(line for line in both if line.kind is kind)
        if found:
            yield look.paint(str(kind).upper(), "bold")
            shown = found if look.verbose else _largest(found, _LINES)
            yield from _explained(shown, result, words, look)
            yield from _rest(found, shown)
            yield ""
    for seen in (Seen.AFTER, Seen.BEFORE):
        yield from _one_side(result, seen, words, look)
    if result or look.verbose:
        yield from _policies(result.policies, look)
    yield summary(result)
    if any(_doubtful(shift) for shift, _ in result.shifts()):
        yield "? nobody can say: the specification is silent or a fact is missing"
    yield from _caveats(result, look)
    yield from closing(about, look)


def summary(result: Diff) -> str:
    """Return in one sentence what is different."""
    if not result:
        known = "no difference in connectivity"
        if result.policies:
            number = len(result.policies)
            known += f"; {count(number, 'policy')} differ{'s' * (number == 1)} without effect"
    else:
        numbers = result.counts
        known = ", ".join(
            f"{count(numbers[kind], 'edge') if first else numbers[kind]} {kind}"
            for first, kind in zip((True, False, False), _ORDER, strict=True)
        )
        if not numbers[Kind.OPENED] and result.opens:
            known += "; traffic was opened on edges that were there before"
    return f"{known}; only part was asked for" if result.partial else known


_ORDER = (Kind.OPENED, Kind.CHANGED, Kind.CLOSED)


def _lone(shift: Shift) -> bool:
    return (shift.src, shift.dst) != (Seen.BOTH, Seen.BOTH)


def _explained(
    found: Sequence[ChangeLine], result: Diff, words: Words, look: Look
) -> Iterator[str]:
    """Iterate over edges, those that the same policies are responsible for together."""
    groups: dict[tuple[Reasons, bool], list[ChangeLine]] = {}
    for line in found:
        groups.setdefault((line.reasons, line.joint), []).append(line)
    for (reasons, joint), members in groups.items():
        for line in members:
            yield from _edge(line, result, words, look)
        for when, deciders in (("before", reasons.before), ("after", reasons.after)):
            if deciders:
                said = "; ".join(told(deciders, joint=joint))
                yield from wrapped(said, look, f"    {when + ':':<8}")


def _folded(lines: Iterable[ChangeLine]) -> list[ChangeLine]:
    """Return lines with those of workloads and their own replicas in one, without destinations."""
    found: list[ChangeLine] = []
    alone: dict[ChangeLine, list[EndRef]] = {}
    for line in lines:
        if line.sources == line.destinations and len(line.sources) == 1:
            alone.setdefault(replace(line, sources=(), destinations=()), []).extend(line.sources)
        else:
            found.append(line)
    return found + [replace(line, sources=tuple(ends)) for line, ends in alone.items()]


def _pairs(lines: Iterable[ChangeLine]) -> int:
    return sum(line.pairs if line.destinations else len(line.sources) for line in lines)


def _largest(lines: Sequence[ChangeLine], limit: int) -> Sequence[ChangeLine]:
    """Return no more lines than the limit, those that stand for most, in their order."""
    if len(lines) <= limit:
        return lines
    ranked = sorted(range(len(lines)), key=lambda place: (-_pairs([lines[place]]), place))
    return [lines[place] for place in sorted(ranked[: limit - 1])]


def _rest(lines: Sequence[ChangeLine], shown: Sequence[ChangeLine]) -> Iterator[str]:
    """Say how much is not printed, if anything."""
    rest = _pairs(lines) - _pairs(shown)
    if rest:
        yield f"    and {count(rest, 'edge')} more; -o json or -o csv lists them"


def _edge(line: ChangeLine, result: Diff, words: Words, look: Look) -> Iterator[str]:
    sources = _names(line.sources, line.destinations, result, words)
    destinations = _names(line.destinations, line.sources, result, words) or "its own replicas"
    if not line.destinations and len(line.sources) > 1:
        sources = f"each of {sources}"
    sign = look.paint(_SIGN[line.kind], "bold", *_STYLE[line.kind])
    moved = ", ".join(
        f"{mark} {traffic}" if line.kind is Kind.CHANGED else traffic
        for mark, traffic in moves(line.shift)
    )
    text = f"{sources} -> {destinations}: {moved}"
    yield from wrapped(text, look, f"  {sign} ", "      ")


def _names(ends: Sequence[EndRef], others: Sequence[EndRef], result: Diff, words: Words) -> str:
    """Return ends in few words: those that are missing, where nearly all are meant.

    An end never means itself on the other side, so a lone one is not missed there.
    """
    said = words.of(ends)
    if len(said) > _BUT:
        meant = {*ends, *(others if len(others) == 1 else ())}
        missing = [end for end in result.ends if end.kind != "node" and end not in meant]
        but = words.of(missing) if missing else []
        if len(but) * 2 < len(said) and not any(end.kind in ("node", "ip") for end in ends):
            return f"* but {', '.join(but)}" if but else "*"
    return ", ".join(said)


def moves(shift: Shift) -> list[tuple[str, str]]:
    """Return the traffic that has moved, each with its sign; `?` where nobody can say."""
    if not shift.before.when and not shift.after.when:
        return _plain(shift.before, shift.after)
    some = union(each.traffic for each in (*shift.before.when, *shift.after.when))
    rest = [Passage(p.allowed - some, p.undetermined - some) for p in (shift.before, shift.after)]
    return sorted([*_plain(*rest), *map(_requests, shift.requests)], key=lambda move: move[0])


def _requests(moved: Moved) -> tuple[str, str]:
    """Say with which requests traffic has come to pass, or no longer does, with one of them."""
    mark = f" ({moved.mark})" if len(moved.mark) > 1 else moved.mark and f" {moved.mark}"
    every = moved.requests == algebra.EVERY_REQUEST
    asks = "" if every else f" when {with_example(moved.requests)}"
    return "+" if moved.gained else "-", f"{moved.traffic}{mark}{asks}"


def _plain(before: Passage, after: Passage) -> list[tuple[str, str]]:
    passed, passes = (p.allowed | p.undetermined for p in (before, after))
    found = (
        ("+", after.allowed - passed, ""),
        ("+", after.undetermined - passed, " ?"),
        ("+", after.allowed & before.undetermined, " (? before)"),
        ("-", before.allowed - passes, ""),
        ("-", before.undetermined - passes, " ?"),
        ("-", before.allowed & after.undetermined, " (? after)"),
    )
    return [(sign, f"{_said(traffic)}{mark}") for sign, traffic, mark in found if traffic]


def _said(traffic: TrafficSet) -> str:
    """Return traffic in few words: a first policy takes 250 protocols without a name away."""
    others = ANY - L4
    if traffic == ANY or not traffic >= others:
        return str(traffic)
    if traffic == others:
        return "any but TCP, UDP and SCTP"
    return f"{traffic - others}, any but TCP, UDP and SCTP"


def _doubtful(shift: Shift) -> bool:
    unclear = any(each.undetermined for p in (shift.before, shift.after) for each in p.when)
    return unclear or bool(shift.before.open or shift.after.open)


def told(deciders: Iterable[Decider], *, joint: bool = False) -> Iterator[str]:
    """Iterate over what decided; policies that isolate the same, and allow nothing, together.

    Args:
        deciders: What decided.
        joint: Each of them decided on some edge of a line, none on all of them.
    """
    isolating: dict[str, list[Decider]] = {}
    passing: set[str] = set()
    rest: list[str] = []
    for each in deciders:
        if each.rule is not None:
            passing.add(str(each.direction))
        if each.policy is not None and each.rule is None:
            isolating.setdefault(str(each.direction), []).append(each)
        elif each.policy is not None:
            rest.append(f"{each.text}{at(each.span)}")
        elif each.text == "default":
            rest.append(f"no policy isolates {each.direction}")
        else:
            rest.append(f"{each.direction}: {each.text}" if each.direction else each.text)
    if joint:
        yield from rest[:_NAMES]
        if len(rest) > _NAMES:
            yield f"{count(len(rest) - _NAMES, 'rule')} more"
    else:
        yield from rest
    for direction, held in isolating.items():
        names = [str(each.policy) for each in held]
        if joint:
            yield f"{direction} isolated by {listed(names, _NAMES)}"
        elif direction in passing:
            continue  # other traffic of the edge passes here, and a rule says which
        elif len(held) == 1:
            yield f"{held[0].text}{at(held[0].span)}"
        else:
            yield f"no {direction} rule of {listed(names, _NAMES)} allows it"


def _one_side(result: Diff, seen: Seen, words: Words, look: Look) -> Iterator[str]:
    """Iterate over what there is to say of ends that exist on one side only."""
    ends = result.new_ends if seen is Seen.AFTER else result.removed_ends
    if not ends:
        return
    found = _folded(x for x in result.lines if seen in (x.shift.src, x.shift.dst))
    kind = Kind.OPENED if seen is Seen.AFTER else Kind.CLOSED
    yield from wrapped(
        f"{listed([words.one(end) for end in ends])}; {count(_pairs(found), 'edge')} {kind} with "
        f"{'it' if len(ends) == 1 else 'them'}",
        look,
        look.paint(f"{'NEW' if seen is Seen.AFTER else 'GONE'} ", "bold"),
        "  ",
    )
    shown = found if look.verbose else _largest(found, _LONE)
    for line in shown:
        yield from _edge(line, result, words, look)
    yield from _rest(found, shown)
    yield ""


def _policies(changes: Sequence[PolicyChange], look: Look) -> Iterator[str]:
    if not changes:
        return
    yield look.paint("POLICIES", "bold")
    mixed = len({change.id.kind for change in changes}) > 1
    for change in changes[:_POLICIES]:
        kind = f"{change.id.kind} " if mixed else ""
        yield f"  {change.kind}: {kind}{_policy(change)}"
    if len(changes) > _POLICIES:
        yield f"  and {len(changes) - _POLICIES} more"
    yield ""


def _policy(change: PolicyChange) -> str:
    if change.kind is PolicyKind.RENAMED:
        return f"{change.was} to {change.id}{at(change.after)}"
    return f"{change.id}{at(change.after or change.before)}"


def _caveats(result: Diff, look: Look) -> Iterator[str]:
    before, after = set(result.caveats_before), set(result.caveats_after)
    for caveat in sorted(before | after):
        side = "" if caveat in before & after else " (before)" if caveat in before else " (after)"
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}{side}: ", "  ")
