"""`portability --between` for people: differences by the fact they are owed to."""

import re
from collections.abc import Iterable, Iterator, Sequence

from cloison.analyses.between import Between, Difference
from cloison.ir.fidelity import Verdict
from cloison.platform.differences import Fact
from cloison.report.about import About, Look
from cloison.report.lacking import sentences
from cloison.report.text.diff import told
from cloison.report.text.layout import STYLE, count, wrapped
from cloison.report.text.map import Words
from cloison.report.text.requests import asks

_LINES = 60
"""Lines of one fact that are printed."""
_UNSAID = "no single fact"


def lines(result: Between, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of a comparison."""
    names = (result.first.name, result.second.name)
    if not result.ends:
        yield "no workload was read, so there is nothing to compare"
        yield from _lacking(about, look)
        return
    words = Words(result.ends)
    for (facts, alone), found in _groups(result.differences):
        yield from _head(facts, names, look, alone=alone)
        shown = found if look.verbose else found[:_LINES]
        for each in shown:
            yield from _difference(each, names, words, look)
        rest = sum(each.pairs for each in found[len(shown) :])
        if rest:
            yield f"    and {count(rest, 'edge')} more; -o json or -o csv lists them"
        yield ""
    yield summary(result)
    if result.aside:
        yield ""
        yield look.paint("BESIDES, ON NO EDGE", "bold")
        for fact in result.aside:
            yield from wrapped(_said(fact, names), look, "  ", "    ")
        yield ""
    yield from _caveats(result, look)
    yield from _lacking(about, look)


def summary(result: Between) -> str:
    """Return in one sentence what differs."""
    names = f"{result.first.name} and {result.second.name}"
    if not result:
        known = f"{names} make the same of these policies"
    else:
        verb = "differs" if result.edges == 1 else "differ"
        known = f"{count(result.edges, 'edge')} {verb} between {names}"
        if any(Verdict.UNDETERMINED in (each.first, each.second) for each in result.differences):
            known += "; undetermined: nobody can say what that one does"
    return f"{known}; only part was asked for" if result.partial else known


def _groups(
    found: Iterable[Difference],
) -> Iterator[tuple[tuple[tuple[Fact, ...], bool], list[Difference]]]:
    """Yield differences that are owed to the same facts together, in the order they come."""
    groups: dict[tuple[tuple[str, ...], bool], list[Difference]] = {}
    for each in found:
        key = (tuple(fact.id for fact in each.facts), each.alone)
        groups.setdefault(key, []).append(each)
    for held in groups.values():
        yield (held[0].facts, held[0].alone), held


def _head(
    facts: Sequence[Fact], names: tuple[str, str], look: Look, *, alone: bool
) -> Iterator[str]:
    if not facts:
        yield look.paint(_UNSAID.upper(), "bold")
        return
    if len(facts) > 1:
        said = "each by itself" if alone else "together"
        yield look.paint(f"OWED TO {len(facts)} FACTS, {said.upper()}", "bold")
    for fact in facts:
        styled = [look.paint(line, "bold") for line in wrapped(_said(fact, names), look, "", "  ")]
        yield from styled


def _said(fact: Fact, names: tuple[str, str]) -> str:
    return f"{fact.title}: {fact.first} ({names[0]}), {fact.second} ({names[1]})"


def _difference(
    each: Difference, names: tuple[str, str], words: Words, look: Look
) -> Iterator[str]:
    sources, destinations = (", ".join(words.of(x)) for x in (each.sources, each.destinations))
    if each.sources == each.destinations and len(each.sources) == 1:
        destinations = "its own replicas"
    traffic = f"{each.traffic}{asks(each.requests, example=True)}"
    ends = f"{sources} -> {destinations}: {traffic}"
    plain = "\n".join(wrapped(f"{ends}: {each.first}, {each.second}", look, "  ", "      "))

    def painted(found: re.Match[str]) -> str:
        first, second = (
            look.paint(found[n], STYLE[v]) for n, v in ((1, each.first), (3, each.second))
        )
        return f"{first}{found[2]}{second}"

    # Painted last: colours have no width, and wrapping would count them.
    yield from re.sub(r"(\w+)(,\s+)(\w+)\Z", painted, plain).split("\n")
    for name, verdict, deciders in (
        (names[0], each.first, each.reasons.before),
        (names[1], each.second, each.reasons.after),
    ):
        said = "; ".join(told(deciders, joint=each.joint))
        if said:
            yield from wrapped(f"{verdict} by {name}: {said}", look, "      ", "        ")
    if each.caveats:
        ids = ", ".join(dict.fromkeys(caveat.id for caveat in each.caveats))
        yield from wrapped(f"stands on {ids}", look, "      ", "        ")


def _lacking(about: About, look: Look) -> Iterator[str]:
    for sentence in sentences(about):
        yield from (look.paint(line, "yellow") for line in wrapped(sentence, look, "", "  "))


def _caveats(result: Between, look: Look) -> Iterator[str]:
    first, second = set(result.caveats_first), set(result.caveats_second)
    for caveat in sorted(first | second):
        side = ""
        if caveat not in first & second:
            side = f" ({result.first.name if caveat in first else result.second.name})"
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}{side}: ", "  ")
