"""`cni` for people: who enforces, which policies nobody does, what to know."""

from collections.abc import Iterator
from dataclasses import replace

from cloison.analyses.enforcement import (
    LOUD,
    NOBODY,
    Enforcement,
    Fact,
    KindOf,
    State,
    summary,
)
from cloison.platform.traits import TITLES, Basis, Stands
from cloison.report.about import About, Judged, Look
from cloison.report.text.closing import closing
from cloison.report.text.judged import findings, tally
from cloison.report.text.layout import at, count, listed, wrapped

_MARKS = {Stands.SOUND: " ", Stands.MIND: "*", Stands.BAD: "!", Stands.UNKNOWN: "?"}
_STYLES = {Stands.SOUND: "", Stands.MIND: "", Stands.BAD: "red", Stands.UNKNOWN: "yellow"}
_SHOWN = 2
"""Objects that are named where a fact is about many."""
_NAMED = 40
"""Policies that are named where nobody enforces any."""


def lines(result: Judged[Enforcement], about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of who enforces."""
    found = result.answer
    said = summary(found, about.profile)
    shown = result
    if found.state in LOUD:
        kind, _, rest = said.partition(": ")
        yield from wrapped(rest, look, look.paint(f"{kind.upper()}: ", "bold", "red"), "  ")
        loud = [each for each in found.findings if each.code == NOBODY]
        shown = replace(result, findings=tuple(d for d in result.findings if d not in loud))
        for each in loud:
            yield from wrapped(each.effect or "", look, "  effect: ")
            yield from wrapped(each.help or "", look, "  help: ")
        yield from _nothing(found.kinds, look)
    else:
        style = "green" if found.state is State.ENFORCED else "yellow"
        yield look.paint(said, "bold", style)
    yield from _installed(found, look)
    if found.kinds and found.state not in LOUD:
        yield ""
        yield from _kinds(found.kinds, look)
    told = list(findings(shown, look))
    if told:
        yield ""
        yield from told[:-1]
    if found.facts:
        yield ""
        yield from _facts(found.facts, look)
    elif found.state not in LOUD:
        yield ""
        yield "name an enforcer with --cni to read what it does where it has the choice"
    yield ""
    yield tally(result)
    yield from closing(about, look)


def _nothing(kinds: tuple[KindOf, ...], look: Look) -> Iterator[str]:
    """Iterate over the policies that do nothing, by name."""
    left = _NAMED
    for kind in kinds:
        names = [f"{each.name}{at(each.span)}" for each in kind.objects]
        if names:
            yield f"  {count(len(names), kind.named)} without effect:"
        for name in names[: max(left, 0)]:
            yield from wrapped(name, look, "    ")
        if len(names) > max(left, 0):
            yield f"    and {len(names) - max(left, 0)} more; -o json has all"
        left -= len(names)


def _installed(found: Enforcement, look: Look) -> Iterator[str]:
    for one in found.installed:
        does = {True: "enforces", False: "does not enforce", None: "may enforce"}[one.enforces]
        version = f" {one.version}" if one.version else ""
        yield from wrapped(f"{one.title}{version} {does}: {one.why}", look, "  ", "    ")
        for each in one.evidence:
            yield from wrapped(f"{each.shown}{at(each.span)}", look, "    seen: ")
        if one.source:
            yield from wrapped(one.source, look, "    source: ")
    for shared in found.together:
        yield from wrapped(shared.text, look, "  ", "    ")
        for each in shared.evidence:
            yield from wrapped(f"{each.shown}{at(each.span)}", look, "    seen: ")
    for each in found.grounds:
        yield from wrapped(f"{each.shown}{at(each.span)}", look, "  seen: ")


def _kinds(kinds: tuple[KindOf, ...], look: Look) -> Iterator[str]:
    for kind in kinds:
        word = {True: "enforced", False: "IGNORED", None: "not known"}[kind.enforced]
        number = len(kind.objects)
        names = "" if kind.enforced else f": {listed([o.name for o in kind.objects])}"
        yield from wrapped(f"{kind.named}: {number} here{names}", look, f"  {word:<10}")


def _facts(facts: tuple[Fact, ...], look: Look) -> Iterator[str]:
    """Iterate over what the enforcer does; what is unknown altogether is summed up."""
    yield "what to know before relying on it"
    yield "  ! passes though policies say it is closed   * to keep in mind   ? not known"
    silent = []
    for fact in facts:
        trait = fact.trait
        if trait.stands is Stands.UNKNOWN and not trait.source:
            silent.append(TITLES[trait.topic])
            continue
        lead = f"  {_MARKS[trait.stands]} {TITLES[trait.topic]}: "
        says = (
            look.paint(trait.says, "bold", _STYLES[trait.stands])
            if (look.color and _STYLES[trait.stands])
            else trait.says
        )
        yield f"{lead}{says}"
        yield from wrapped(trait.text, look, "      ")
        if trait.seen is not None:
            yield from wrapped(f"{trait.seen.shown}{at(trait.seen.span)}", look, "      set: ")
        if fact.number:
            names = [f"{each.shown}{at(each.span)}" for each in fact.touches[:_SHOWN]]
            more = f" and {fact.number - len(names)} more" if fact.number > len(names) else ""
            said = f"{count(fact.number, fact.of)}: {', '.join(names)}{more}"
            yield from wrapped(said, look, "      here: ", "        ")
        yield from wrapped(_source(fact), look, "      source: ", "        ")
    if silent:
        yield from wrapped(
            f"nothing that was read says what it does about {listed(silent, 20)}", look, "  ? "
        )


def _source(fact: Fact) -> str:
    trait = fact.trait
    version = f", as of {trait.version}" if trait.version else ""
    basis = "not confirmed" if trait.basis is Basis.UNCONFIRMED else str(trait.basis)
    return f"{trait.source} ({basis}{version})"
