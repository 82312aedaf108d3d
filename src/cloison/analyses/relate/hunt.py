"""The search for a flow that shows something, over all that two panes can exchange."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cloison.algebra import ANY, TrafficSet, UndecidedError
from cloison.analyses.relate.pairs import FAMILIES, Pair, Pairs
from cloison.analyses.relate.panes import Cell, Pane, Panes, Twins, panes
from cloison.analyses.relate.stand import HORIZON, Side, Stand
from cloison.engine import Engine
from cloison.ir.flows import Flows
from cloison.ir.peers import Relative, RelativeMatch
from cloison.ir.policy import Action, Direction
from cloison.ir.ruleset import Outcome

if TYPE_CHECKING:
    from cloison.algebra import RequestSet

Stands = Sequence[Stand]
Shown = tuple[Flows, Flows]
"""Flows that certainly show what is looked for, and those that may show it besides."""
Seen = dict[tuple[int, ...], tuple[Shown, tuple[Outcome, ...]]]
_KEPT = 100_000
"""Answers that are remembered."""


class Judge(ABC):
    """Says what flows show that a relation does not hold."""

    @abstractmethod
    def shown(self, leaving: Stands, entering: Stands) -> Shown:
        """Return the flows that show it, given what is made of them at both ends.

        Raises:
            UndecidedError: It takes more work than is put up with.
        """

    @abstractmethod
    def quiet(self, stands: Stands) -> bool:
        """Return whether nothing can be shown, whatever the other end does."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Traffic between two units that shows it.

    Args:
        pair: The two, and how they stand to each other.
        traffic: All such traffic between them that shows it with the same requests.
        requests: The requests; None for all.
    """

    pair: Pair
    traffic: TrafficSet
    requests: "RequestSet | None" = None

    @classmethod
    def of(cls, pair: Pair, found: Flows) -> "Hit":
        """Return the first of some flows between two units."""
        return cls(pair, *next(found.pieces))

    @property
    def flows(self) -> Flows:
        """The traffic with its requests."""
        if self.requests is None:
            return Flows(self.traffic)
        return Flows.of(self.traffic, self.requests)


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
            self.sure = Hit.of(pair, sure)
        elif maybe and self.maybe is None:
            self.maybe = Hit.of(pair, maybe)
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
            shown = shown_by(self.judge, leaving_stands, entering_stands)
            if self.hits.wants(shown) and self.hits.take(shown, pair):
                break
        return self.hits

    def _shown(self, leaving: Stands, entering: Stands) -> Shown:
        outcomes = tuple(stand.outcome for stand in (*leaving, *entering))
        key = tuple(map(id, outcomes))
        found = self.seen.get(key)
        if found is not None:
            return found[0]
        shown = shown_by(self.judge, leaving, entering)
        if not any(map(_vague, outcomes)):
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


def shown_by(judge: Judge, leaving: Stands, entering: Stands) -> Shown:
    """Return the flows that show something; where requests are too much work, without them.

    Then traffic of which requests decide is undetermined.
    """
    try:
        return judge.shown(leaving, entering)
    except UndecidedError:
        return judge.shown(*(tuple(map(_plain, each)) for each in (leaving, entering)))


def _plain(stand: Stand) -> Stand:
    found = stand.outcome
    return replace(stand, outcome=replace(found, when=())) if found.when else stand


def _vague(outcome: Outcome) -> bool:
    """Whether nobody can say of some traffic, or of requests on it, and that counts."""
    if not outcome.undetermined & HORIZON:
        return False
    return not outcome.when or bool(outcome.flows.undetermined.within(HORIZON))


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
