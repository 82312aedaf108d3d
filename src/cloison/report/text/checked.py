"""`contract check` for people: what came of it, broken guardrails, then what else is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from shlex import quote

from cloison.analyses.contract.breach import Breach
from cloison.analyses.contract.examine import BLANK, BROKEN, UNASKED, UNPROVED, UNZONED, Check
from cloison.analyses.contract.prove import Proof, Status
from cloison.ir.fidelity import Verdict
from cloison.report.about import About, Judged, Look
from cloison.report.text.closing import closing
from cloison.report.text.judged import findings, tally
from cloison.report.text.layout import at, count, listed, table, wrapped

_STYLES = {
    Status.BROKEN: ("bold", "red"),
    Status.UNDETERMINED: ("bold", "yellow"),
    Status.UNASKED: ("bold", "yellow"),
    Status.HOLDS: ("green",),
}
_TOLD = (BROKEN, UNPROVED, UNASKED, BLANK, UNZONED)
"""Findings that text tells in a place of their own."""


def lines(result: Judged[Check], about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of what came of a contract."""
    found = result.answer
    yield from wrapped(summary(found), look, "", "  ")
    for proof in found.proofs:
        if proof.status is not Status.HOLDS:
            yield ""
            yield from _proof(proof, found.options, look)
    holding = [_held(each) for each in found.proofs if each.status is Status.HOLDS]
    if holding:
        yield ""
        yield from wrapped(", ".join(holding), look, f"{look.paint('hold', 'green')}: ", "  ")
    yield ""
    shown = tuple(each for each in result.findings if each.code not in _TOLD)
    yield from findings(replace(result, findings=shown), look, columns=True)
    yield from _unzoned(result, look)
    yield from _blanks(result, look)
    for caveat in sorted({c for proof in found.proofs for c in proof.caveats}):
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    yield tally(result)
    yield from closing(about, look)


def _held(proof: Proof) -> str:
    """Return the name of a guardrail that holds, with what that stands on."""
    on = ", ".join(each.id for each in proof.caveats)
    return f"{proof.guardrail.name} ({on})" if on else proof.guardrail.name


def summary(found: Check) -> str:
    """Return what came of a contract, in a sentence without its end."""
    contract = found.contract
    said = [
        f"{number} {_words(status, number)}" for status in Status if (number := found.count(status))
    ] or ["none"]
    name = f"contract {' and '.join(contract.names)}" if contract.names else "the contract"
    guardrails = count(len(found.proofs), "guardrail")
    edges = count(len(found.edges.edges), "intended edge")
    dependencies = "dependency" if len(contract.dependencies) == 1 else "dependencies"
    return (
        f"{name}: {guardrails} ({', '.join(said)}), "
        f"{len(contract.dependencies)} {dependencies} ({edges}), "
        f"{count(len(contract.externals), 'external')}"
    )


def _proof(proof: Proof, options: Sequence[str], look: Look) -> Iterator[str]:
    head = look.paint(str(proof.status), *_STYLES[proof.status])
    span = proof.guardrail.span
    place = f" ({span})" if span else ""
    yield f"{head}: {proof.guardrail.name}{place}"
    if proof.guardrail.reason:
        yield from wrapped(proof.guardrail.reason, look, "  reason: ")
    if proof.message:
        yield from wrapped(proof.message, look, "  because: ")
    if proof.help:
        yield from wrapped(proof.help, look, "  help: ")
    for each in proof.breaches[:1]:
        yield from _breach(each, options, look)
    others = proof.breaches[1:]
    for each in others:
        also = f"{each.source.text} -> {each.destination.text} on {each.traffic}"
        yield from wrapped(also, look, "  also: ", "    ")
    if proof.more:
        yield "  and others"


def _breach(breach: Breach, options: Sequence[str], look: Look) -> Iterator[str]:
    can = "permitted" if breach.verdict is Verdict.ALLOWED else "may be permitted"
    asks = f", with {breach.request}" if breach.request is not None else ""
    given = f", given {breach.given}" if breach.given else ""
    text = f"{breach.source.text} -> {breach.destination.text} on {breach.traffic}{asks}{given}"
    yield from wrapped(text, look, f"  {can}: ", "    ")
    for each in breach.deciders:
        direction = f" ({each.direction})" if each.direction else ""
        yield from wrapped(f"{each.text}{direction}{at(each.span)}", look, "  by: ", "    ")
    yield from wrapped(breach.mend, look, "  mend: ", "    ")
    yield f"  see: cloison why {' '.join(quote(each) for each in (*breach.arguments, *options))}"


def _words(status: Status, number: int) -> str:
    if status is Status.HOLDS:
        return "holds" if number == 1 else "hold"
    return "cannot be asked" if status is Status.UNASKED else str(status)


def _unzoned(result: Judged[Check], look: Look) -> Iterator[str]:
    """Yield the workloads that no zone holds, together."""
    if any(each.code == UNZONED for each in result.findings):
        places = result.answer.placed.places
        names = [str(name) for name, place in places.items() if place.zone is None]
        head = look.paint(f"warning[{UNZONED}]", "bold", "yellow")
        yield from wrapped(listed(names), look, f"{head}: in no zone: ", "  ")
        yield "  help:   place them under `workloads`"
        yield ""


def _blanks(result: Judged[Check], look: Look) -> Iterator[str]:
    """Yield what dependencies leave open, those together that leave open the same."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, blank in result.answer.blanks.items():
        alike.setdefault(blank, []).append(name)
    if not alike or not any(each.code == BLANK for each in result.findings):
        return
    yield "left open of the ten primitives of an access path:"
    rows = [(f"{', '.join(each)}:", ", ".join(blank)) for blank, each in alike.items()]
    if all(len(names) <= look.width // 2 for names, _ in rows):
        yield from table(rows, indent="  ")
    else:
        for names, said in rows:
            yield from wrapped(f"{names} {said}", look, "  ", "    ")
    yield ""
