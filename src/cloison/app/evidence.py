"""What decides in the cube where a command alone does not say it: of excess, and of nodes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.explain import Decider, explain_case
from cloison.analyses.question import split_port
from cloison.analyses.reconcile.asked import Asked, asked_as, called_as, namesakes
from cloison.analyses.reconcile.kinds import Cell, Kind, State
from cloison.analyses.reconcile.passing import apart
from cloison.analyses.reconcile.seen import NODES, workload_ref
from cloison.analyses.reconcile.surplus import Surplus, one_port, with_asked
from cloison.app.seennames import names_said
from cloison.base import QuestionError
from cloison.ir.fidelity import Caveat, Verdict
from cloison.resources.world import World

if TYPE_CHECKING:
    from cloison.analyses.ask import Explanation
    from cloison.app.session import Session

_PAIRS: Final = 8
"""Pairs of a line of which is told what lets them through."""
_QUESTIONS: Final = 2_000
"""Questions about more than one pair of each line, of all lines."""


def with_evidence(
    session: "Session", found: Sequence[Surplus], learned: Sequence[str] = ()
) -> tuple[Surplus, ...]:
    """Return excess with what lets it through, and with the command that shows it.

    Of a line of many pairs it is told of the first few; in a cluster that is so open that there
    are thousands of lines, of the first of each.

    Args:
        session: Who answers.
        found: The excess.
        learned: Names whose addresses are taken from flows.
    """
    asker = _Asker(session, namesakes(session.world), declared(session.world), learned)
    most = _PAIRS if len(found) * _PAIRS <= _QUESTIONS else 1
    return tuple(with_asked(each, asker.about(each, most)) for each in found)


def of_node(
    session: "Session", cell: Cell, shared: frozenset[tuple[str, str]]
) -> tuple[Decider, ...]:
    """Return what decides of a cell that is called from a node, as no command can ask it.

    Which node it is no cell says, but the engine can: the pod's own, or another one.

    Args:
        session: Who answers.
        cell: The cell.
        shared: Names that several workloads have.
    """
    wanted = {State.YES: Verdict.ALLOWED, State.NO: Verdict.DENIED}.get(cell.state)
    found: list[Decider] = []
    for name in called_as(cell.destination, cell, session.world, shared)[:1]:
        port = one_port(cell.traffic, cell.traffic)
        try:
            every = tuple(apart(session.engine, NODES, session.names.end(name)))
        except QuestionError:
            continue
        answers = [explain_case(session.engine, replace(each, traffic=port)) for each in every]
        alike = [each for each in answers if wanted in (None, each.verdict)]
        found += (by for each in alike or answers for by in each.decided_by)
    return tuple(dict.fromkeys(found))


def declared(world: World) -> Mapping[EndRef, TrafficSet]:
    """Return the ports that workloads declare."""
    found: dict[EndRef, TrafficSet] = {}
    for name, workload in world.workloads.items():
        ports = {(p.protocol, p.number) for pod in workload.endpoints for p in pod.ports}
        traffic = NO_TRAFFIC
        for protocol, number in ports:
            traffic |= TrafficSet.ports(protocol, number)
        found[workload_ref(name)] = traffic
    return found


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks about excess.

    Args:
        session: Who answers.
        shared: Names that several workloads have.
        ports: The ports that workloads declare.
        learned: Names whose addresses are taken from flows.
    """

    session: "Session"
    shared: frozenset[tuple[str, str]]
    ports: Mapping[EndRef, TrafficSet]
    learned: Sequence[str]

    def about(self, line: Surplus, most: int) -> Asked:
        """Return how one pair of a line is asked about, and what decides for some of them."""
        words: tuple[str, ...] = ()
        deciders: list[Decider] = []
        caveats: list[Caveat] = []
        for source, destination in line.pairs(most):
            found = self._pair(line, source, destination)
            if found is None:
                continue
            said, answer = found
            words = words or said
            deciders += _deciders(answer, line.verdict)
            caveats += () if line.permitted else answer.caveats
        first = sorted(dict.fromkeys(deciders), key=lambda each: each.rule is None)
        return Asked(words, tuple(first), tuple(sorted(set(caveats))))

    def _pair(
        self, line: Surplus, source: EndRef, destination: EndRef
    ) -> "tuple[tuple[str, ...], Explanation] | None":
        """Return a question about a pair that is answered as its line says, and its answer.

        What passes for some of its pods only is answered so for some.
        """
        partly = None
        for words, answer in self._answers(line, source, destination):
            if answer.verdict is line.verdict:
                return words, answer
            if answer.verdict is Verdict.MIXED:
                partly = partly or (words, answer)
        return partly

    def _answers(
        self, line: Surplus, source: EndRef, destination: EndRef
    ) -> "Iterator[tuple[tuple[str, ...], Explanation]]":
        port = one_port(line.traffic, self.ports.get(destination, NO_TRAFFIC))
        one = Cell(Kind.UNDOCUMENTED, source, destination, port, State.YES)
        for caller, called, _ in asked_as(one, self.session.world, self.shared):
            try:
                answer = self.session.why(caller, called)
            except QuestionError:
                continue
            told = names_said(self.session, (caller, split_port(called)[0]), self.learned)
            yield () if told is None else (caller, called, *told), answer


def _deciders(answer: "Explanation", verdict: Verdict) -> tuple[Decider, ...]:
    """Return what decides where the answer is what is looked for."""
    alike = (case for case in answer.cases if case.verdict is verdict)
    case = next(alike, answer.shown)
    return () if case is None else case.decided_by
