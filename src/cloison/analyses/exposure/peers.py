"""What a workload's own policies do with pods that are not in the input, region by region.

The answer is a list of parts, each a region and what passes there; what passes for one pod is
all that passes in any part it is in. Rules that allow add up, so each has its part and nobody
asks which of them hold together. Only what can take away is told apart first: rules that deny or
pass, and rules of several layers, which all have to agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import ANY, L4, NO_TRAFFIC, AddressSet
from cloison.analyses.exposure.cells import Splitter, TooManyError, cells
from cloison.analyses.exposure.regions import EVERY_POD, Homes, Region
from cloison.engine import Engine, UnitKind
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import (
    Action,
    AnyMatch,
    BlockMatch,
    Direction,
    Peer,
    PodsMatch,
    UnknownMatch,
)
from cloison.ir.ruleset import OPEN, BoundRule, Outcome

Caveats = frozenset[Caveat]
NO_CAVEATS: Caveats = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """What passes for the pods of a region, at least.

    Args:
        region: Which pods.
        outcome: What passes; what is undetermined only where policy speaks.
        caveats: What this stands on.
        doubts: Why some of it is undetermined, besides.
    """

    region: Region
    outcome: Outcome
    caveats: Caveats = NO_CAVEATS
    doubts: Caveats = NO_CAVEATS


def left_open(region: Region) -> Part:
    """Return the part to answer with where pods cannot all be told apart."""
    return Part(region, Outcome(NO_TRAFFIC, ANY), doubts=frozenset({known.PODS_NOT_TOLD_APART}))


def towards_peers(
    engine: Engine, homes: Homes, unit: int, direction: Direction, place: AddressSet | None
) -> tuple[Part, ...]:
    """Return what a unit's policies do with pods that are not in the input.

    Args:
        engine: Who decides.
        homes: The namespaces there are.
        unit: The unit whose policies are asked.
        direction: Its direction.
        place: Where the other pods' addresses are known to lie.
    """
    if engine.table.units[unit].kind is not UnitKind.POD:
        return (Part(EVERY_POD, OPEN),)
    try:
        return tuple(_towards(engine, homes, unit, direction, place))
    except TooManyError:
        return (left_open(EVERY_POD),)


def _towards(
    engine: Engine, homes: Homes, unit: int, direction: Direction, place: AddressSet | None
) -> Iterator[Part]:
    decision = engine.decision(unit, direction)
    rules: Sequence[BoundRule] = decision.rules
    if direction is Direction.EGRESS:
        rules = [r for p in decision.policies for r in engine.binder.unseen(p, direction)]
    faces = [[f for p in r.rule.peers for f in _faces(engine, homes, p, place)] for r in rules]
    layered = len(engine.policies.layers) > 1
    apart = [i for i, r in enumerate(rules) if takes_away(r, layered=layered)]
    opaque = frozenset(p.opaque.caveat for p in decision.policies if p.opaque is not None)
    splitters = [
        Splitter(
            i,
            [f.region for f in faces[i] if f.sure],
            [f.region for f in faces[i] if not f.sure],
        )
        for i in apart
    ]

    def judge(matched: Sequence[tuple[int, bool]]) -> Outcome:
        chosen = tuple((rules[i], sure) for i, sure in sorted(matched))
        return seen(engine.judge(direction, decision.policies, chosen))

    for cell, held in cells(homes, EVERY_POD, splitters):
        base = judge(held)
        stands = frozenset(c for i, _ in held for c in rules[i].caveats)
        doubts = opaque.union(*(by_name(rules[i]) for i, _ in held))
        yield Part(cell, base, stands, doubts)
        for i, rule in enumerate(rules):
            if i in apart:
                continue
            for face in faces[i]:
                outcome = judge([*held, (i, face.sure)])
                region = homes.settle(cell & face.region)
                if region is not None and outcome != base:
                    written = stands | (rule.caveats - _of_blocks(rule)) | face.caveats
                    yield Part(region, outcome, written, doubts | face.doubts | by_name(rule))


def takes_away(rule: BoundRule, *, layered: bool) -> bool:
    """Return whether a rule may close what another one opens, so that they do not add up."""
    if rule.rule.action is Action.LOG:
        return False
    return layered or rule.rule.action is not Action.ALLOW


def seen(outcome: Outcome) -> Outcome:
    """Return as much of an outcome as the whole picture shows."""
    return Outcome(outcome.allowed, outcome.undetermined & L4)


def by_name(rule: BoundRule) -> Caveats:
    """Return why a rule leaves traffic open that goes by names for numbers nobody knows."""
    unknown = rule.named and not rule.traffic
    return frozenset({known.NAMED_PORT_UNKNOWN}) if unknown else NO_CAVEATS


@dataclass(frozen=True, slots=True)
class _Face:
    """How one peer of a rule looks at pods that are not in the input."""

    region: Region
    sure: bool = True
    caveats: Caveats = NO_CAVEATS
    doubts: Caveats = NO_CAVEATS


def _faces(engine: Engine, homes: Homes, peer: Peer, place: AddressSet | None) -> Iterator[_Face]:
    match = peer.match
    if isinstance(match, PodsMatch):
        region = homes.settle(Region.of(match))
        if region is not None:
            yield _Face(region)
    elif isinstance(match, AnyMatch):
        yield _Face(EVERY_POD)
    elif isinstance(match, BlockMatch):
        sure = engine.binder.in_block(match, place)
        if sure is not None:
            caveats = {known.CNI_IPBLOCK_POD, known.POD_ADDRESS_UNKNOWN}
            if match.caveat is not None:
                caveats.add(match.caveat)
            doubts = NO_CAVEATS if sure else frozenset({known.POD_ADDRESS_UNKNOWN})
            yield _Face(EVERY_POD, sure, frozenset(caveats), doubts)
    elif isinstance(match, UnknownMatch):
        yield _Face(EVERY_POD, sure=False, doubts=frozenset({match.caveat}))


def _of_blocks(rule: BoundRule) -> Caveats:
    """Return what a rule stands on only where a block matches."""
    matches = (p.match for p in rule.rule.peers)
    return frozenset(m.caveat for m in matches if isinstance(m, BlockMatch) and m.caveat)
