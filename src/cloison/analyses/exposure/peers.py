"""What a workload's own policies do with pods that are not in the input, region by region.

The answer is a list of parts, each a region and what passes there; what passes for one pod is
all that passes in any part it is in. Rules that allow add up, so each has its part and nobody
asks which of them hold together. Only what can take away is told apart first: rules that deny or
pass, and rules of several layers, which all have to agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import L4, AddressSet
from cloison.analyses.exposure.cells import Splitter, TooManyError, cells
from cloison.analyses.exposure.faces import NO_CAVEATS, Caveats, Face, Faces, Seat, doubted
from cloison.analyses.exposure.layers import all_of, by_layer, entangled
from cloison.analyses.exposure.parts import EVERY_POD, Part, left_open
from cloison.analyses.exposure.regions import Homes
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.peers import BlockMatch, plain_matches
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.ir.ruleset import OPEN, BoundRule, Outcome


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
    if unit not in engine.governed:
        return (Part(EVERY_POD, OPEN),)
    asked = _Asked(engine, homes, unit, direction, place)
    terms = engine.decision(unit, direction).terms
    policies = (*terms.policies, *(p for p in terms.closing if p not in terms.policies))
    return all_of(homes, (asked.of(some) for some in by_layer(engine, policies)))


def concerns(engine: Engine, rule: Rule, unit: int) -> bool | None:
    """Return whether a rule is surely (True) or possibly (False) about a unit of its policy."""
    if rule.subjects is None:
        return True
    return engine.binder.matcher.any_of(rule.subjects).holds(unit)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What `towards_peers` is asked."""

    engine: Engine
    homes: Homes
    unit: int
    direction: Direction
    place: AddressSet | None

    def of(self, policies: tuple[Policy, ...]) -> tuple[Part, ...]:
        """Return what some of the unit's policies do."""
        try:
            return tuple(_towards(self, policies))
        except TooManyError:
            return (left_open(EVERY_POD),)


def _towards(asked: _Asked, policies: tuple[Policy, ...]) -> Iterator[Part]:
    engine, homes, unit, direction = asked.engine, asked.homes, asked.unit, asked.direction
    decision = engine.decision(unit, direction)
    terms = decision.terms
    unsure = {id(policy) for policy in terms.unsure}
    among = {id(policy) for policy in policies}
    found: Sequence[BoundRule] = [r for r in decision.rules if id(r.policy) in among]
    if direction is Direction.EGRESS:
        found = [r for p in policies for r in engine.binder.unseen(p, direction)]
    known_faces = Faces(engine, homes)
    seat = Seat(asked.place)
    rules: list[BoundRule] = []
    faces: list[tuple[Face, ...]] = []
    for rule in found:
        about = concerns(engine, rule.rule, unit)
        if about is not None:
            seen_by = known_faces.any_of((p.match for p in rule.rule.peers), seat)
            rules.append(rule)
            sure = about and id(rule.policy) not in unsure
            faces.append(seen_by if sure else doubted(seen_by))
    layered = entangled(engine)
    apart = [i for i, r in enumerate(rules) if takes_away(r, layered=layered)]
    opaque = frozenset(p.opaque.caveat for p in policies if p.opaque is not None)
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
        outcome = engine.judge(direction, policies, chosen, unsure=terms.unsure)
        if terms.optional:
            outcome = outcome.unsure()
        return seen(outcome)

    for cell, held in cells(homes, EVERY_POD, splitters):
        base = judge(held)
        stands = frozenset(c for i, _ in held for c in rules[i].caveats)
        doubts = opaque.union(*(by_name(rules[i]) for i, _ in held))
        doubts = doubts.union(*(f.doubts for i, sure in held if not sure for f in faces[i]))
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
    return outcome.within(L4)


def by_name(rule: BoundRule) -> Caveats:
    """Return why a rule leaves traffic open that goes by names for numbers nobody knows."""
    unknown = rule.named and not rule.traffic
    return frozenset({known.NAMED_PORT_UNKNOWN}) if unknown else NO_CAVEATS


def _of_blocks(rule: BoundRule) -> Caveats:
    """Return what a rule stands on only where a block matches."""
    matches = (m for p in rule.rule.peers for m in plain_matches(p.match))
    return frozenset(m.caveat for m in matches if isinstance(m, BlockMatch) and m.caveat)
