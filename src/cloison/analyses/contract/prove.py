"""Guardrails proved over the engine for every flow, or broken by one that is shown.

What is forbidden is a few boxes: sets of ends, and traffic. What passes is the engine's rectangles,
which hold every pair of ends once. Where a box and a rectangle meet, the guardrail is broken; where
no two do, it holds for every flow. Pods that may come are in the world that is asked, one for each
combination of labels that policies or the contract tell apart.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice, product

from cloison.algebra import L4
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.contract.anynode import anywhere
from cloison.analyses.contract.apart import Apart
from cloison.analyses.contract.breach import Breach, Meeting, breach, preference
from cloison.analyses.contract.ends import Ends
from cloison.analyses.contract.sets import Box, Sets
from cloison.analyses.contract.standing import standing
from cloison.analyses.ends import AnyEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.imagine import imagine
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.intent import Contract, EndForm, Guardrail
from cloison.intent.read import ends_of
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.names import exact_name, host_name
from cloison.ir.peers import PodsMatch
from cloison.ir.ruleset import Outcome
from cloison.resources.objects import NAMESPACE_NAME_LABEL, Namespace

SHOWN = 5
"""Pairs of ends that are shown of a broken guardrail."""

_MOST_PAIRS = 50_000
"""Pairs of unlike ends that are asked about ICMP before it is left open."""
_ENOUGH = 8
"""Pairs of which nobody can say it, after which no more are looked for."""

NOT_ALL_TRIED = "more kinds of pods could exist than were tried"
"""Why a guardrail of which nothing was found broken is not proved."""


class Status(StrEnum):
    """What came of a guardrail."""

    HOLDS = "holds"
    """No flow that it forbids is permitted."""
    BROKEN = "broken"
    """A flow that it forbids is permitted."""
    UNDETERMINED = "undetermined"
    """A flow that it forbids may be permitted; nobody can say."""
    UNASKED = "unasked"
    """It names what is not there."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one guardrail.

    Args:
        guardrail: The guardrail.
        status: What came of it.
        breaches: Flows that it forbids and that pass, or may pass; the most telling first.
        more: Whether other pairs of ends are in the same case.
        caveats: What the answer stands on.
        message: Why it is undetermined without a flow to show, or could not be asked.
        help: What to do about that.
    """

    guardrail: Guardrail
    status: Status
    breaches: tuple[Breach, ...] = ()
    more: bool = False
    caveats: tuple[Caveat, ...] = ()
    message: str | None = None
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Proved:
    """What came of the guardrails of a contract.

    Args:
        proofs: What came of each, in order.
        sets: The sets that were asked about; None where there is no guardrail.
        forbidden: The flows that each forbids, by its name; none of one that could not be asked.
    """

    proofs: tuple[Proof, ...] = ()
    sets: Sets | None = None
    forbidden: Mapping[str, Sequence[Box]] = field(default_factory=dict)


def prove(contract: Contract, ends: Ends) -> Proved:
    """Return what came of each guardrail of a contract, in order.

    Traffic of a pod's own node is left out, as in maps: most plugins let it pass always.

    Args:
        contract: The contract.
        ends: Finds what it names.
    """
    if not contract.guardrails:
        return Proved()
    sets, lacking = whole(contract, ends)
    unasked: dict[str, Proof] = {}
    forbidden: dict[str, Sequence[Box]] = {}
    for guardrail in contract.guardrails:
        try:
            forbidden[guardrail.name] = sets.forbidden(guardrail)
        except QuestionError as error:
            proof = Proof(guardrail, Status.UNASKED, message=str(error), help=error.help)
            unasked[guardrail.name] = proof
    found = _meetings(sets.engine, list(forbidden.values()))
    meetings = dict(zip(forbidden, found, strict=True))
    proofs = (
        unasked.get(each.name)
        or _proof(sets, each, forbidden[each.name], meetings[each.name], lacking)
        for each in contract.guardrails
    )
    return Proved(tuple(proofs), sets, forbidden)


def whole(contract: Contract, ends: Ends) -> tuple[Sets, str | None]:
    """Return the sets of a world with pods that may come, and why not all kinds are in it."""
    engine = ends.names.engine
    existing = len(engine.table.endpoints)
    told = list(_told(contract))
    missing = {m.namespace for m in told if m.namespace} - engine.world.namespaces.keys()
    if missing:
        spaces = {n: Namespace(n, {NAMESPACE_NAME_LABEL: n}) for n in missing}
        homes = dict(sorted({**engine.world.namespaces, **spaces}.items()))
        world = replace(engine.world, namespaces=homes)
        engine = Engine(world, engine.policies, engine.profile, engine.networks)
    engine, lacking = imagine(engine, [AnyEnd("any:")], told)
    hosts = [h for external in contract.externals for h in external.hosts]
    every = [e for g in contract.guardrails for e in ends_of(g)]
    hosts += [e.rest for e in every if e.form is EndForm.HOST and "*" not in e.rest]
    engine = engine.with_hosts([exact_name(host_name(each)) for each in hosts])
    return Sets(engine, ends, existing), lacking


def _told(contract: Contract) -> Iterator[PodsMatch]:
    """Yield what a contract tells pods apart by."""
    for placed in contract.workloads:
        if placed.match.selector is not None:
            yield PodsMatch(placed.match.namespace, pods=placed.match.selector)
        elif placed.match.name is None:
            yield PodsMatch(placed.match.namespace)
    for end in (end for each in contract.guardrails for end in ends_of(each)):
        if end.form is EndForm.ANY and end.rest:
            yield PodsMatch(end.rest)
        elif end.pods is not None:
            yield PodsMatch(end.pods.namespace, namespaces=end.pods.namespaces, pods=end.pods.pods)


def _meetings(engine: Engine, asked: Sequence[Sequence[Box]]) -> list[list[Meeting]]:
    """Return, for each list of boxes, where they meet what passes."""
    units = [
        [(box, box.sources.units(engine), box.destinations.units(engine)) for box in boxes]
        for boxes in asked
    ]
    found: list[list[Meeting]] = [[] for _ in asked]
    apart = Apart.of(engine)
    for rectangle in engine.rectangles():
        for place, boxes in enumerate(units):
            for box, sources, destinations in boxes:
                here = rectangle.sources & sources
                there = rectangle.destinations & destinations if here else here
                asked_about = rectangle.outcome.passing & box.traffic
                if not (there and asked_about):
                    continue
                for some, others in apart.together(here, there):
                    met = _meet(rectangle.outcome, rectangle.caveats, box, some, others)
                    found[place] += met
                if not apart.narrow:
                    again = apart.again(engine, asked_about, here, there)
                    for outcome, some, others in again:
                        found[place] += _meet(outcome, frozenset(), box, some, others)
    for place, boxes in enumerate(units if apart.narrow else ()):
        for box, sources, destinations in boxes:
            for outcome, some, others in apart.again(engine, box.traffic, sources, destinations):
                found[place] += _meet(outcome, frozenset(), box, some, others)
    for place, boxes in enumerate(units):
        for box, sources, destinations in boxes:
            found[place] += anywhere(engine, box, sources, destinations)
            if box.stated and not box.traffic <= L4:
                found[place] += _beyond(engine, box, sources, destinations)
    return found


def _beyond(engine: Engine, box: Box, here: BitMap, there: BitMap) -> Iterator[Meeting]:
    """Yield where nobody can say what becomes of ICMP: rectangles leave that out."""
    wanted = box.traffic - L4
    pairs = product(engine.alike(here), engine.alike(there))
    found = 0
    for source, destination in islice(pairs, _MOST_PAIRS):
        open_ = engine.outcome(source, destination).undetermined & wanted
        if open_:
            yield Meeting(Verdict.UNDETERMINED, box, BitMap([source]), BitMap([destination]), open_)
            found += 1
            if found == _ENOUGH:
                return
    if next(pairs, None) is not None:
        yield Meeting(Verdict.UNDETERMINED, box, here, there, wanted)


def _meet(
    outcome: Outcome, caveats: frozenset[Caveat], box: Box, here: BitMap, there: BitMap
) -> Iterator[Meeting]:
    passing = outcome.allowed & box.traffic
    if not box.stated:
        passing = passing & L4 or passing
    if passing:
        yield Meeting(Verdict.ALLOWED, box, here, there, passing, caveats=caveats)
    open_ = outcome.undetermined & box.traffic
    if not box.stated:
        open_ &= L4
    for each in outcome.when:
        asked = each.traffic & open_
        if asked and each.mixed:
            sure = bool(each.allowed) or bool(each.given)
            verdict = Verdict.ALLOWED if sure else Verdict.UNDETERMINED
            requests = each.allowed or each.undetermined
            yield Meeting(verdict, box, here, there, asked, requests, each.given, caveats)
            open_ -= asked
    if open_:
        yield Meeting(Verdict.UNDETERMINED, box, here, there, open_, caveats=caveats)


def _proof(
    sets: Sets,
    guardrail: Guardrail,
    boxes: Sequence[Box],
    meetings: Iterable[Meeting],
    lacking: str | None,
) -> Proof:
    found = sorted((pair for each in meetings for pair in each.pairs(sets)), key=preference)
    once = {(pair.verdict, pair.names): pair for pair in reversed(found)}
    first = [pair for pair in found if once[pair.verdict, pair.names] is pair]
    broken = [pair for pair in first if pair.verdict is Verdict.ALLOWED]
    chosen = broken or first
    breaches = tuple(breach(sets, pair) for pair in chosen[:SHOWN])
    caveats = merge_caveats(each.caveats for each in breaches)
    more = len(chosen) > SHOWN
    if broken:
        return Proof(guardrail, Status.BROKEN, breaches, more, caveats)
    if breaches:
        return Proof(guardrail, Status.UNDETERMINED, breaches, more, caveats)
    if lacking is not None and _open(sets, boxes):
        return Proof(
            guardrail, Status.UNDETERMINED, message=NOT_ALL_TRIED, help=lacking, caveats=caveats
        )
    return Proof(guardrail, Status.HOLDS, caveats=tuple(sorted(standing(sets, guardrail, boxes))))


def _open(sets: Sets, boxes: Iterable[Box]) -> bool:
    """Return whether boxes hold pods that may come."""
    sides = (box.sources.pods | box.destinations.pods for box in boxes)
    return any(side and side.max() >= sets.existing for side in sides)
