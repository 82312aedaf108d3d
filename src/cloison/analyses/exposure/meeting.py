"""Both ends met: what passes between units and pods that are not in the input."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from cloison.algebra import FAMILY, AddressSet, LabelSet, UndecidedError
from cloison.analyses.exposure.faces import NO_CAVEATS, Caveats
from cloison.analyses.exposure.layers import MOST_PARTS, all_of, both, by_layer
from cloison.analyses.exposure.parts import Part, left_open
from cloison.analyses.exposure.peers import concerns, towards_peers
from cloison.analyses.exposure.regions import EVERY_POD, Homes, Region, named, not_named
from cloison.analyses.exposure.subjects import Match, Subjects
from cloison.engine import Engine, UnitKind
from cloison.engine.partition import partition
from cloison.ir import caveats as known
from cloison.ir.flows import Flows
from cloison.ir.peers import BlockMatch, GroupsMatch, plain_matches
from cloison.ir.policy import Direction, Policy
from cloison.ir.ruleset import OPEN, BoundRule, Outcome

_FEW = 64
"""Parts to look through for what they have in common."""
Seen = tuple[tuple[int, int], ...]
"""How the policies of namespaces look at a unit: number of the context and class within it,
where the class is not that of units no rule matches. Units seen alike fare alike."""


@dataclass(frozen=True)
class View:
    """What the policies over pods that are not in the input do with one kind of unit.

    Args:
        new: What they do with those of a namespace that has no policies.
        shut: Namespaces whose policies let nothing through.
        limited: What the policies of the other namespaces do; those that do nothing are left out.
    """

    new: tuple[Part, ...]
    shut: frozenset[str]
    limited: tuple[tuple[str, tuple[Part, ...]], ...]


class Meeting:
    """Finds what passes, and remembers what units share.

    Args:
        engine: Who decides.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.homes = Homes({n: home.labels for n, home in engine.world.namespaces.items()})
        known_pods = engine.networks.pods
        ranges = [(family, known_pods & FAMILY[family]) for family in (4, 6)]
        self._places: list[tuple[int, AddressSet | None]] = [(f, r) for f, r in ranges if r]
        self._places = self._places or [(0, None)]
        self._contexts: dict[tuple[Direction, AddressSet | None], _Contexts] = {}
        self._about_places = {d: _about_places(engine.ordered, d) for d in Direction}
        self._about_ends = [r for p in engine.ordered for r in p.rules if r.subjects is not None]
        self._towards: dict[object, tuple[Part, ...]] = {}
        self._met: dict[object, tuple[Part, ...]] = {}
        self._held: dict[LabelSet, frozenset[str]] = {}
        self._rest: dict[tuple[LabelSet, frozenset[str]], LabelSet | None] = {}

    def parts(self, unit: int, direction: Direction) -> tuple[Part, ...]:
        """Return what passes between a unit and pods that are not in the input.

        The same object is returned for units that fare alike.

        Args:
            unit: A pod's unit.
            direction: Seen from it.
        """
        me = self.engine.table.units[unit]
        own = self._own(unit, direction)
        seen = self._context(_OTHER[direction], self._places[0][1]).seen(unit)
        key = (own, direction, seen, me.family)
        found = self._met.get(key)
        if found is None:
            parts = (
                met
                for family, place in self._places
                if len({family, me.family} - {0}) <= 1
                for met in self._at(unit, direction, place, (own, direction, place))
            )
            found = tuple(islice(parts, MOST_PARTS + 1))
            if len(found) > MOST_PARTS:
                found = (left_open(EVERY_POD),)
            self._met[key] = found
        return found

    def _own(self, unit: int, direction: Direction) -> object:
        """Return what a unit's own side of the answer hangs on; equal for those that fare alike."""
        if unit not in self.engine.governed:
            return None
        about = tuple(
            concerns(self.engine, rule, unit)
            for rule in self._about_ends
            if rule.direction is direction
        )
        return id(self.engine.decision(unit, direction)), about

    def _at(
        self, unit: int, direction: Direction, place: AddressSet | None, key: object
    ) -> Iterator[Part]:
        """Iterate over what passes to and from pods whose addresses lie at one place."""
        contexts = self._context(_OTHER[direction], place)
        view = contexts.view(contexts.seen(unit))
        if key not in self._towards:
            self._towards[key] = towards_peers(self.engine, self.homes, unit, direction, place)
        for part in self._towards[key]:
            if part.outcome.passing:
                yield from self._meet(part, view)

    def _context(self, direction: Direction, place: AddressSet | None) -> "_Contexts":
        """Return the policies of namespaces; the same for all places where none is asked for."""
        key = (direction, place if self._about_places[direction] else None)
        if key not in self._contexts:
            self._contexts[key] = _Contexts(self.engine, self.homes, *key)
        return self._contexts[key]

    def _meet(self, part: Part, view: View) -> Iterator[Part]:
        held = self._holds(part.region.namespaces)
        special = view.shut & held
        free = _open(view.new, EVERY_POD)
        for name, limits in view.limited:
            if name not in held:
                continue
            here = replace(part, region=replace(part.region, namespaces=named(name)))
            met = list(both(self.homes, here, limits))
            if not (free and _nothing_lost(here, met)):
                special |= {name}
                yield from met
                yield from _shared(here, met)
        key = (part.region.namespaces, special)
        if key not in self._rest:
            rest = self.homes.settle(Region(part.region.namespaces & not_named(special)))
            self._rest[key] = rest.namespaces if rest is not None else None
        namespaces = self._rest[key]
        if namespaces is not None:
            rest_of_it = replace(part, region=replace(part.region, namespaces=namespaces))
            yield from both(self.homes, rest_of_it, view.new)

    def _holds(self, namespaces: LabelSet) -> frozenset[str]:
        """Return the namespaces of the input with such labels."""
        found = self._held.get(namespaces)
        if found is None:
            labels = self.homes.labels
            found = frozenset(n for n, held in labels.items() if namespaces.matches(held))
            self._held[namespaces] = found
        return found


def _about_places(policies: Iterable[Policy], direction: Direction) -> bool:
    """Whether rules are about some subjects by their addresses."""
    return any(
        isinstance(match, BlockMatch | GroupsMatch)
        for policy in policies
        for rule in policy.rules_for(direction)
        for subject in rule.subjects or ()
        for match in plain_matches(subject)
    )


_OTHER = {Direction.INGRESS: Direction.EGRESS, Direction.EGRESS: Direction.INGRESS}


class _Contexts:
    """The namespaces with policies over pods that are not in the input.

    Context 0 is that of a namespace without policies of its own.

    Args:
        engine: Who decides.
        homes: The namespaces there are.
        direction: The direction of those pods.
        place: Where their addresses are known to lie.
    """

    def __init__(
        self, engine: Engine, homes: Homes, direction: Direction, place: AddressSet | None
    ) -> None:
        self.engine = engine
        self.homes = homes
        self.direction = direction
        governing = engine.governing(direction)
        local: dict[str, list[Policy]] = defaultdict(list)
        for policy in governing:
            for name in {s.namespace for s in policy.subjects if s.namespace is not None}:
                local[name].append(policy)
        everywhere = [p for p in governing if any(s.namespace is None for s in p.subjects)]
        order = {id(p): i for i, p in enumerate(governing)}
        self.names = sorted(local)
        under: list[tuple[Region, list[Policy]]] = [(EVERY_POD, everywhere)]
        for name in self.names:
            both = {order[id(p)]: p for p in (*everywhere, *local[name])}
            under.append((Region(named(name)), [both[i] for i in sorted(both)]))
        self._subjects = [
            [
                Subjects(engine, homes, whole, direction, some, place)
                for some in by_layer(engine, held)
            ]
            for whole, held in under
        ]
        self._classes: list[list[tuple[Match, ...]]] = []
        self._seen: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, (_, held) in enumerate(under):
            self._sort(number, held)
        self._parts: dict[tuple[int, int], tuple[Part, ...]] = {}
        self._views: dict[Seen, View] = {}

    def _sort(self, number: int, policies: Sequence[Policy]) -> None:
        """Sort units into classes: those that the same rules match in the same way."""
        binder, kinds = self.engine.binder, self.engine.table.kinds
        rules: list[BoundRule] = []
        for policy in policies:
            if self.direction is Direction.EGRESS:
                rules += binder.rules(policy, self.direction, ())
            else:
                rules += binder.unseen(policy, self.direction)
        inside = kinds[UnitKind.POD] | kinds[UnitKind.HOST]
        classes: dict[tuple[tuple[int, bool, Caveats], ...], int] = {(): 0}
        for key, members in partition(rules, binder.everybody):
            blocks = any(rules[i].blocks for i, _ in key)
            kind = None
            for unit in members & inside if key else ():
                if kind is None or blocks:
                    alike = tuple((i, sure, self._stands(rules[i], unit)) for i, sure in key)
                    kind = classes.setdefault(alike, len(classes))
                self._seen[unit].append((number, kind))
        self._classes.append(
            [tuple(Match(rules[i], sure, stands) for i, sure, stands in each) for each in classes]
        )

    def _stands(self, rule: BoundRule, unit: int) -> Caveats:
        """Return what an allow by a rule that matches a unit stands on."""
        if not rule.blocks or unit not in rule.blocks:
            return rule.caveats
        me = self.engine.table.units[unit]
        if me.kind is not UnitKind.POD:
            return rule.caveats | {known.CNI_IPBLOCK_NODE}
        unknown = NO_CAVEATS if me.exact else {known.POD_ADDRESS_UNKNOWN}
        return rule.caveats | {known.CNI_IPBLOCK_POD} | unknown

    def seen(self, unit: int) -> Seen:
        """Return how the policies look at a unit."""
        return tuple(self._seen.get(unit, ()))

    def view(self, seen: Seen) -> View:
        """Return what the policies do with units seen so."""
        found = self._views.get(seen)
        if found is None:
            known_classes = dict(seen)
            new = self._of(0, known_classes.get(0, 0))
            free = _open(new, EVERY_POD)
            shut, limited = set(), []
            for number, name in enumerate(self.names, 1):
                parts = self._of(number, known_classes.get(number, 0))
                if not parts:
                    shut.add(name)
                elif not (free and _open(parts, self._subjects[number][0].whole)):
                    limited.append((name, parts))
            found = self._views[seen] = View(new, frozenset(shut), tuple(limited))
        return found

    def _of(self, number: int, kind: int) -> tuple[Part, ...]:
        found = self._parts.get((number, kind))
        if found is None:
            matches = self._classes[number][kind]
            answers = (subjects.parts(matches) for subjects in self._subjects[number])
            found = self._parts[number, kind] = all_of(self.homes, answers)
        return found


def _open(parts: Sequence[Part], whole: Region) -> bool:
    """Whether everything passes, for every pod of a region."""
    return any(p.region == whole and p.outcome == OPEN and not p.caveats for p in parts)


def _shared(asked: Part, met: Sequence[Part]) -> Iterator[Part]:
    """Iterate over what passes for every pod of a region, told part by part: it is wider news."""
    if not 1 < len(met) <= _FEW:
        return
    for flows in dict.fromkeys(m.outcome.flows.allowed for m in met):
        able = [m for m in met if _within(flows, m.outcome.flows.allowed)]
        if flows and Homes.covered(asked.region, [m.region for m in able]):
            caveats = frozenset(c for m in able for c in m.caveats)
            yield Part(asked.region, Outcome.allowing(flows), caveats)


def _within(flows: Flows, allowed: Flows) -> bool:
    try:
        return flows <= allowed
    except UndecidedError:
        return False


def _nothing_lost(asked: Part, met: Iterable[Part]) -> bool:
    """Whether what one end lets pass also passes the other, for every pod of the region."""
    same = (
        each.region
        for each in met
        if each.outcome == asked.outcome
        and each.caveats <= asked.caveats
        and each.doubts <= asked.doubts
    )
    return Homes.covered(asked.region, same)
