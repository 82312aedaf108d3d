"""The search for a flow that shows something, over all that two panes can exchange."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cloison.algebra import ANY, TrafficSet
from cloison.analyses.relate.pairs import FAMILIES, Pair, Pairs
from cloison.analyses.relate.panes import Cell, Pane, Panes, Twins, panes
from cloison.analyses.relate.stand import HORIZON, Side, Stand
from cloison.engine import Engine
from cloison.ir.policy import Action, Direction, Relative, RelativeMatch
from cloison.ir.ruleset import Outcome

Stands = Sequence[Stand]
Shown = tuple[TrafficSet, TrafficSet]
"""Traffic that certainly shows what is looked for, and traffic that may show it besides."""
Seen = dict[tuple[int, ...], tuple[Shown, tuple[Outcome, ...]]]
_KEPT = 100_000
"""Answers that are remembered."""


class Judge(ABC):
    """Says what traffic shows that a relation does not hold."""

    @abstractmethod
    def shown(self, leaving: Stands, entering: Stands) -> Shown:
        """Return the traffic that shows it, given what is made of it at both ends."""

    @abstractmethod
    def quiet(self, stands: Stands) -> bool:
        """Return whether nothing can be shown, whatever the other end does."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Traffic between two units that shows it.

    Args:
        pair: The two, and how they stand to each other.
        traffic: All such traffic between them.
    """

    pair: Pair
    traffic: TrafficSet


@dataclass
class Hits:
    """The first hits of a search.

    Args:
        sure: Traffic that certainly shows it.
        maybe: Traffic that may.
    """

    sure: Hit | None = None
    maybe: Hit | None = None

    def wants(self, shown: Shown) -> bool:
        """Return whether what was shown is news."""
        return bool(shown[0] or (shown[1] and self.maybe is None))

    def take(self, shown: Shown, pair: Pair) -> bool:
        """Note what was shown; return whether the search is over."""
        sure, maybe = shown
        if sure:
            self.sure = Hit(pair, sure)
        elif maybe and self.maybe is None:
            self.maybe = Hit(pair, maybe)
        return self.sure is not None


@dataclass
class Hunt:
    """One search.

    Args:
        sides: The sets of policies.
        judge: What is looked for.
        pairs: Finds pairs of units in products.
        leaving: Panes of everybody who sends, by family.
        entering: Panes of everybody who listens, by family.
        seen: What was shown already, by what is made of it at both ends; that is kept too, so that
            its identity stands for it. Searches of one judge may share it.
    """

    sides: Sequence[Side]
    judge: Judge
    pairs: Pairs
    leaving: Mapping[int, Panes]
    entering: Mapping[int, Panes]
    hits: Hits = field(default_factory=Hits)
    seen: Seen = field(default_factory=dict)

    def run(self) -> Hits:
        """Search everywhere."""
        for family in sorted(self.leaving):
            leaving, entering = self.leaving[family], self.entering[family]
            for (out, here), (into, there) in self._meetings(leaving, entering):
                shown = self._shown(here.stands, there.stands)
                if self.hits.wants(shown):
                    sources, targets = out.units & there.peers, into.units & here.peers
                    pair = self.pairs.unrelated(sources, targets, family)
                    if pair is not None and self.hits.take(shown, pair):
                        return self.hits
        for pair in self._related():
            leaving_stands, entering_stands = stands(self.sides, pair)
            shown = self.judge.shown(leaving_stands, entering_stands)
            if self.hits.wants(shown) and self.hits.take(shown, pair):
                break
        return self.hits

    def _shown(self, leaving: Stands, entering: Stands) -> Shown:
        outcomes = tuple(stand.outcome for stand in (*leaving, *entering))
        key = tuple(map(id, outcomes))
        found = self.seen.get(key)
        if found is not None:
            return found[0]
        shown = self.judge.shown(leaving, entering)
        if not any(outcome.undetermined & HORIZON for outcome in outcomes):
            # Nothing but the outcomes counts then, and they are few.
            if len(self.seen) > _KEPT:
                self.seen.clear()
            self.seen[key] = (shown, outcomes)
        return shown

    def _meetings(
        self, leaving: Panes, entering: Panes
    ) -> Iterator[tuple[tuple[Pane, Cell], tuple[Pane, Cell]]]:
        """Iterate over cells that meet and may show something.

        What is the same at both ends shows nothing.
        """
        for out, here in self._changed(leaving):
            for index in entering.among(here.peers):
                into = entering.panes[index]
                for there in into.cells:
                    if there.peers.intersect(out.units) and not self.judge.quiet(there.stands):
                        yield (out, here), (into, there)
        for into, there in self._changed(entering):
            for index in leaving.among(there.peers):
                out = leaving.panes[index]
                for here in out.cells:
                    if (
                        here.same
                        and here.peers.intersect(into.units)
                        and not self.judge.quiet(here.stands)
                    ):
                        yield (out, here), (into, there)

    def _changed(self, known: Panes) -> Iterator[tuple[Pane, Cell]]:
        for index in known.touched:
            pane = known.panes[index]
            for cell in pane.cells:
                if not cell.same and not self.judge.quiet(cell.stands):
                    yield pane, cell

    def _related(self) -> Iterator[Pair]:
        """Iterate over pairs that stand to each other in a special way, one of each kind."""
        alone = not all(free_with_itself(side.engine) for side in self.sides)
        for family in sorted(self.leaving):
            leaving, entering = self.leaving[family], self.entering[family]
            if alone:
                for known in (leaving, entering):
                    for index in known.touched:
                        yield from self.pairs.alone(known.panes[index].units)
            if self.pairs.hosts:
                yield from self._with_nodes(leaving, entering, family)

    def _with_nodes(self, leaving: Panes, entering: Panes, family: int) -> Iterator[Pair]:
        pods, hosts = self.pairs.pods, self.pairs.hosts
        # Between two nodes policies are asked only where some name nodes.
        policed = any(side.engine.governed & hosts for side in self.sides)
        for ours, theirs in ((pods, hosts), (hosts, pods), *([(hosts, hosts)] if policed else ())):
            for number in leaving.among(ours):
                out = leaving.panes[number]
                changed = number in leaving.touched
                for other in entering.among(theirs) if changed else entering.touched:
                    into = entering.panes[other]
                    for there in into.cells:
                        sources = out.units & there.peers & ours
                        for here in out.cells if sources else ():
                            targets = into.units & here.peers & theirs
                            if targets:
                                yield from self.pairs.with_nodes(sources, targets, family)


def search(
    sides: Sequence[Side], judge: Judge, twins: Twins, lent: frozenset[int] = frozenset()
) -> Hits:
    """Search everything that several sets of policies, all of one world, are about.

    Args:
        sides: The sets of policies.
        judge: What is looked for.
        twins: Which of them show nothing where they are the same.
        lent: Addresses that ends of unknown address were given.
    """
    leaving, entering = (
        {family: panes(sides, direction, family, twins) for family in FAMILIES}
        for direction in (Direction.EGRESS, Direction.INGRESS)
    )
    return Hunt(sides, judge, Pairs(sides[0].engine, lent), leaving, entering).run()


def stands(sides: Sequence[Side], pair: Pair) -> tuple[tuple[Stand, ...], tuple[Stand, ...]]:
    """Return what each set of policies makes of a pair, leaving and entering."""
    out, into = Direction.EGRESS, Direction.INGRESS
    leaving = (
        side.at(pair.source, pair.target, out, pair.relations, pair.family) for side in sides
    )
    entering = (
        side.at(pair.target, pair.source, into, pair.relations, pair.family) for side in sides
    )
    return tuple(leaving), tuple(entering)


def free_with_itself(engine: Engine) -> bool:
    """Return whether a pod's traffic with itself passes whatever policies say."""
    return all(
        any(
            rule.action is Action.ALLOW
            and rule.traffic.must == ANY
            and any(p.match == RelativeMatch(Relative.SELF) for p in rule.peers)
            for rule in layer.builtin
            if rule.direction is direction
        )
        for layer in engine.policies.layers
        for direction in Direction
    )
