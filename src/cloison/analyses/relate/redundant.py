"""Policies and rules that could go without changing what is permitted.

Each is left out on its own, and only what it touches is looked at again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cloison.analyses.relate.align import aligned
from cloison.analyses.relate.answer import Part
from cloison.analyses.relate.hunt import Hits, Hunt, Seen, search
from cloison.analyses.relate.judges import Equivalent
from cloison.analyses.relate.pairs import FAMILIES, Pairs
from cloison.analyses.relate.panes import Cell, Pane, Panes, panes, same
from cloison.analyses.relate.stand import Side
from cloison.engine import Engine
from cloison.engine.decide import Decision
from cloison.ir.policy import Action, Direction, Policy, Rule
from cloison.ir.ruleset import OPEN

_Views = Mapping[int, Panes]


def redundant(engine: Engine, lent: frozenset[int] = frozenset()) -> Iterator[Part]:
    """Iterate over the policies and rules of which each could go, all others staying.

    A rule goes and its policy still isolates as it did. Rules that only log are left out:
    they are not there to permit anything.

    Args:
        engine: The policies, bound.
        lent: Addresses that ends of unknown address were given.
    """
    search = _Search(engine, lent)
    for policy in sorted(
        engine.ordered, key=lambda p: (p.id.kind, p.id.namespace or "", p.id.name)
    ):
        found = search.without(policy)
        if found.sure is None:
            yield Part(policy.id, span=policy.span, sure=found.maybe is None)
        for rule in policy.rules:
            if rule.action is not Action.LOG and policy.opaque is None:
                found = search.without(policy, rule)
                if found.sure is None:
                    yield Part(
                        policy.id,
                        rule.direction,
                        rule.index,
                        rule.span or policy.span,
                        found.maybe is None,
                    )


class _Search:
    """Panes of everything as it is; lives for one question."""

    def __init__(self, engine: Engine, lent: frozenset[int]) -> None:
        self.engine = engine
        self.lent = lent
        self.whole = Side(engine)
        self.pairs = Pairs(engine, lent)
        self.seen: Seen = {}
        self.open = all(engine.judge(d, (), ()) == OPEN for d in Direction) and all(
            rule.action is Action.ALLOW for la in engine.policies.layers for rule in la.builtin
        )
        """Whether an end that no policy selects may do as it likes."""
        self.views: dict[Direction, _Views] = {
            direction: {f: _twice(panes([self.whole], direction, f, None)) for f in FAMILIES}
            for direction in Direction
        }
        self.governed: dict[tuple[Direction, int], dict[int, list[int]]] = {}
        for direction, views in self.views.items():
            for family, view in views.items():
                by_policy: dict[int, list[int]] = {}
                for number, pane in enumerate(view.panes):
                    for decision in pane.decisions:
                        for policy in _voices(decision):
                            by_policy.setdefault(id(policy), []).append(number)
                self.governed[direction, family] = by_policy

    def without(self, policy: Policy, rule: Rule | None = None) -> Hits:
        """Return flows that pass or are stopped only because of a policy, or a rule of it."""
        if policy.nodes and rule is None and not self.open:
            return self._bound_again(policy)
        left = Side(self.engine, policy, rule)
        views = {
            direction: {
                family: self._touched(view, left, policy, direction, family)
                for family, view in views.items()
            }
            for direction, views in self.views.items()
        }
        leaving, entering = views[Direction.EGRESS], views[Direction.INGRESS]
        sides = (self.whole, left)
        hunt = Hunt(sides, Equivalent(), self.pairs, leaving, entering, seen=self.seen)
        return hunt.run()

    def _bound_again(self, policy: Policy) -> Hits:
        """Search as if another set had been given: who is a subject at all may change."""
        engine = self.engine
        known = engine.policies
        kept = tuple(each for each in known.policies if each is not policy)
        sets = (known, replace(known, policies=kept))
        sides = [Side(e) for e in aligned(engine.world, sets, engine.profile, engine.networks)]
        return search(sides, Equivalent(), [(0, 1)], self.lent)

    def _touched(
        self, view: Panes, left: Side, policy: Policy, direction: Direction, family: int
    ) -> Panes:
        places = self.governed[direction, family].get(id(policy), [])
        if left.rule is not None and left.rule.direction is not direction:
            places = []
        if not places:
            return replace(view, touched=())
        changed = list(view.panes)
        for place in places:
            changed[place] = _redone(changed[place], left)
        return replace(view, panes=tuple(changed), touched=tuple(places))


def _twice(view: Panes) -> Panes:
    """Return panes with everything as it is on both sides."""
    doubled = tuple(
        Pane(
            pane.units,
            tuple(Cell(cell.peers, cell.stands * 2, same=True) for cell in pane.cells),
            pane.decisions,
        )
        for pane in view.panes
    )
    return replace(view, panes=doubled, touched=())


def _redone(pane: Pane, left: Side) -> Pane:
    cells = []
    for cell in pane.cells:
        was = cell.stands[0]
        now = left.left(was)
        cells.append(Cell(cell.peers, (was, now), same(was, now)))
    return Pane(pane.units, tuple(cells), pane.decisions)


def _voices(decision: Decision | None) -> list[Policy]:
    if decision is None:
        return []
    terms = decision.terms
    return list({id(p): p for p in (*terms.policies, *terms.closing)}.values())
