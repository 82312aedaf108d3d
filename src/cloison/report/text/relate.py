"""`relate` for people: whether it holds, and what shows it."""

from collections.abc import Iterator

from cloison.analyses.connectivity import EndRef
from cloison.analyses.relate import Flow, Overlap, Part, Related, Relation, Told, Uncaptured
from cloison.ir.fidelity import Verdict
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import at, count, listed, wrapped
from cloison.report.text.requests import asks

_DEFAULT = "default"
_LISTED = 60
"""Things that are listed; the rest is counted."""
_SAID = {
    Relation.EQUIVALENT: ("A and B permit the same", "A and B do not permit the same"),
    Relation.CONTAINED: ("what A permits, B permits too", "A permits what B does not"),
    Relation.PERMITS: (
        "B permits what rules of A name",
        "rules of A name what B does not permit",
    ),
    Relation.FORBIDS: (
        "B permits nothing that rules of A name",
        "B permits what rules of A name",
    ),
    Relation.INTERFERES: (
        "rules of A name what no rule of B names",
        "what rules of A name, rules of B name too",
    ),
    Relation.REDUNDANT: (
        "each of these could go, all else staying, and nothing that is permitted would change",
        "no policy or rule could go without changing what is permitted",
    ),
    Relation.EMPTY: (
        "these policies select nothing, these rules name no flow",
        "every policy selects something and every rule names a flow",
    ),
    Relation.DISJOINT: (
        "no two policies select a common workload",
        "these policies select common workloads",
    ),
    Relation.ALL_CAPTURED: (
        "every workload is selected by some policy",
        "these workloads are selected by no policy",
    ),
}
_VERB = {
    Verdict.ALLOWED: "permits it",
    Verdict.DENIED: "stops it",
    Verdict.UNDETERMINED: "may permit it",
    Verdict.MIXED: "permits a part of it",
}


def lines(result: Related, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of an answer."""
    yield _head(result, look)
    if result.flow is not None:
        yield ""
        yield from _flow(result.flow, look)
    if result.found:
        yield ""
        yield from _found(result, look)
    yield ""
    if result.differing:
        names = listed(result.differing)
        said = f"the sources describe {names} differently; taken as B has it"
        yield from wrapped(said, look, "", "  ")
    for caveat in result.caveats:
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    yield from closing(about, look)


def _head(result: Related, look: Look) -> str:
    holds, fails = _SAID[result.relation]
    match result.holds:
        case True:
            return f"{look.paint('HOLDS', 'bold', 'green')}  {result.relation}: {holds}"
        case False:
            return f"{look.paint('DOES NOT HOLD', 'bold', 'yellow')}  {result.relation}: {fails}"
        case _:
            said = look.paint("UNDETERMINED", "bold", "yellow")
            return f"{said}  {result.relation}: {result.reason}"


def _flow(flow: Flow, look: Look) -> Iterator[str]:
    said = f"{flow.traffic}{asks(flow.requests, example=True)}"
    yield f"{_end(flow.src)} -> {_end(flow.dst)}: {said}"
    for end, place in ((flow.src, flow.if_src), (flow.dst, flow.if_dst)):
        if place is not None:
            yield from wrapped(f"were the address of {end} in {place}", look, "  ", "    ")
    for name, told in (("A", flow.first), ("B", flow.second)):
        yield from wrapped(_reasons(told), look, f"  {name} {_verb(told)}: ", "    ")


def _verb(told: Told) -> str:
    if told.named is None or told.verdict is not Verdict.ALLOWED:
        return _VERB[told.verdict]
    return "permits and names it" if told.named else "permits it by default"


def _reasons(told: Told) -> str:
    said = list(dict.fromkeys(f"{each.text}{at(each.span)}" for each in told.decided_by))
    rules = [each for each in said if each != _DEFAULT]
    return ", ".join(rules or said)


def _end(end: EndRef) -> str:
    return f"outside ({end})" if end.addresses is not None else str(end)


def _found(result: Related, look: Look) -> Iterator[str]:
    shown = result.found if look.verbose else result.found[:_LISTED]
    for each in shown:
        doubt = "" if each.sure else "? "
        match each:
            case Part():
                text = f"{each.text}{at(each.span)}"
            case Overlap():
                text = f"{each.first.text} and {each.second.text}: {_end(each.workload)}"
            case _:
                text = f"{_end(each.workload)}{at(each.span)}{_why(each)}"
        yield from wrapped(text, look, f"  {doubt}", "    ")
    more = len(result.found) - len(shown) + result.more
    if more:
        yield f"  and {more} more"
    if any(not each.sure for each in shown):
        yield "? nobody can say: the specification is silent or a fact is missing"
    yield _counted(result)


def _counted(result: Related) -> str:
    number = len(result.found) + result.more
    rules = sum(isinstance(each, Part) and each.rule is not None for each in result.found)
    if result.relation in (Relation.DISJOINT, Relation.ALL_CAPTURED):
        return count(number, "pair" if result.relation is Relation.DISJOINT else "workload")
    counts = ((number - rules, "policy"), (rules, "rule"))
    return ", ".join(count(each, noun) for each, noun in counts if each)


def _why(each: Uncaptured) -> str:
    if each.host_network:
        return ", on its node's network, where no policy sees it"
    return ", some of its pods" if each.partly else ""
