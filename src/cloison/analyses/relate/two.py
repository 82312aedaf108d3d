"""Relations of two sets of policies over one world."""

from collections.abc import Sequence
from dataclasses import replace

from cloison.algebra import UndecidedError
from cloison.analyses.relate.align import aligned
from cloison.analyses.relate.answer import Flow, Related, Relation
from cloison.analyses.relate.hunt import Hit, Hits, Judge, search, stands
from cloison.analyses.relate.judges import (
    Contained,
    Equivalent,
    Forbids,
    Interferes,
    Permits,
    explicit,
)
from cloison.analyses.relate.panes import Twins
from cloison.analyses.relate.placing import TOO_MANY, placed, rests, supposing, unplaced
from cloison.analyses.relate.stand import Side
from cloison.analyses.relate.witness import flow
from cloison.analyses.survey import standing_caveats
from cloison.engine import Networks
from cloison.ir.caveats import EVERY_PLACEMENT, POD_ADDRESS_UNKNOWN
from cloison.ir.policy import Action, LayerSpec, PolicySet
from cloison.ir.profile import Profile
from cloison.resources.world import World

_NAMING = (Relation.PERMITS, Relation.FORBIDS, Relation.INTERFERES)


def relate_two(
    relation: Relation,
    world: World,
    sets: tuple[PolicySet, PolicySet],
    profile: Profile,
    networks: Networks,
) -> Related:
    """Answer whether a relation of two sets of policies holds.

    Args:
        relation: Which relation.
        world: The inventory both are applied to.
        sets: The first and the second.
        profile: Who enforces.
        networks: The cluster's address ranges.
    """
    first, second = sets
    named = rules_only(first) if relation in _NAMING else []
    others = rules_only(second) if relation is Relation.INTERFERES else []
    engines = aligned(world, (first, *named, second, *others), profile, networks)
    place = 1 + len(named)
    its = tuple(range(1, place))
    theirs = tuple(range(place + 1, place + 1 + len(others)))
    judge, twins = _judge(relation, its, place, theirs)
    sides = tuple(Side(engine) for engine in engines)
    hits = search(sides, judge, twins)
    caveats = {c for engine in (engines[0], engines[place]) for c in standing_caveats(engine)}
    places = (its, place, theirs)
    if not unplaced(engines[0], sets):
        return replace(_answer(relation, sides, hits, places), caveats=tuple(sorted(caveats)))
    if hits.sure is not None and not rests(engines, hits.sure):
        caveats.discard(POD_ADDRESS_UNKNOWN)
        return replace(_answer(relation, sides, hits, places), caveats=tuple(sorted(caveats)))
    anywhere = placed(engines[0], sets)
    if anywhere is None:
        return Related(relation, None, reason=TOO_MANY, caveats=tuple(sorted(caveats)))
    every = (first, *named, second, *others)
    sides = tuple(Side(each) for each in aligned(anywhere.world, every, profile, networks))
    hits = search(sides, judge, twins, anywhere.lent)
    found = _answer(relation, sides, hits, places, anywhere.lent)
    caveats = caveats - {POD_ADDRESS_UNKNOWN} | {EVERY_PLACEMENT}
    return replace(found, caveats=tuple(sorted(caveats)))


def rules_only(known: PolicySet) -> list[PolicySet]:
    """Return a set for each layer in which only rules of that layer allow.

    What a layer would allow by default, at the end of a tier or of its own accord is denied
    there; what it allows all the same, a rule names.
    """
    found = []
    for number, layer in enumerate(known.layers):
        if any(tier.bands for tier in layer.tiers):
            layers = (*known.layers[:number], _strict(layer), *known.layers[number + 1 :])
            found.append(replace(known, layers=layers))
    return found


def _strict(layer: LayerSpec) -> LayerSpec:
    tiers = tuple(
        replace(tier, end=Action.DENY) if tier.end is Action.ALLOW else tier for tier in layer.tiers
    )
    return replace(layer, tiers=tiers, default=Action.DENY, builtin=())


def _judge(
    relation: Relation, its: Sequence[int], place: int, theirs: Sequence[int]
) -> tuple[Judge, Twins]:
    match relation:
        case Relation.EQUIVALENT:
            return Equivalent(), [(0, 1)]
        case Relation.CONTAINED:
            return Contained(), [(0, 1)]
        case Relation.PERMITS:
            return Permits(its, place), [(0, place)]
        case Relation.FORBIDS:
            return Forbids(its, place), None
        case _:
            twins = [(0, place), *zip(its, theirs, strict=False)]
            return Interferes(its, place, theirs), twins if len(its) == len(theirs) else None


def _answer(
    relation: Relation,
    sides: Sequence[Side],
    hits: Hits,
    places: tuple[Sequence[int], int, Sequence[int]],
    lent: frozenset[int] = frozenset(),
) -> Related:
    hit = hits.sure or hits.maybe
    if hit is None:
        return Related(relation, relation is not Relation.INTERFERES)
    its, place, theirs = places
    named = (_named(sides, hit, 0, its), _named(sides, hit, place, theirs))
    shown = flow(hit, sides[0].engine, sides[place].engine, named)
    if lent:
        shown = supposing(shown, hit, [side.engine for side in sides], lent)
    if hits.sure is not None:
        return Related(relation, relation is Relation.INTERFERES, shown)
    return Related(relation, holds=None, flow=shown, reason=_reason(shown))


def _named(sides: Sequence[Side], hit: Hit, place: int, named: Sequence[int]) -> bool | None:
    """Return whether rules of a side name all of a hit; None where nobody asked."""
    if not named:
        return None
    leaving, entering = stands(sides, hit.pair)
    try:
        return hit.flows <= explicit(leaving, entering, place, named).allowed
    except UndecidedError:
        return False


def _reason(shown: Flow) -> str:
    return (
        f"it depends on {shown.said} from {shown.src} to {shown.dst}, "
        "of which nobody can promise anything"
    )
