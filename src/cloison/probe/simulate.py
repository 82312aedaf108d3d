"""The runner that asks the engine: nothing is sent anywhere."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from cloison.analyses.ask import Explanation, Question, ask
from cloison.analyses.ends import End, Names
from cloison.analyses.explain import CaseAnswer, explain_case
from cloison.analyses.matrix import Matrix, Row, RowResult
from cloison.analyses.parties import Party
from cloison.analyses.paths.which import through_entry
from cloison.analyses.question import Case, Traffic, parse_traffic
from cloison.analyses.request import looked_at, readings, requested
from cloison.base import Diagnostic, QuestionError
from cloison.engine import Engine

if TYPE_CHECKING:
    from cloison.algebra import Request

Calls: TypeAlias = Callable[[Question], Explanation]


def run(
    engine: Engine,
    rows: Iterable[Row],
    *,
    names: Names | None = None,
    diagnostics: tuple[Diagnostic, ...] = (),
    calls: Calls | None = None,
) -> Matrix:
    """Answer every row with the engine.

    Args:
        engine: Who decides.
        rows: What is expected.
        names: Finds the ends the rows name; in the engine's world by default.
        diagnostics: What reading the rows brought to light, handed on.
        calls: Answers rows about a gateway, whose ways have several hops; without it they cannot
            be asked.

    Cost: a look-up per row, one explanation for each distinct pair of like ends and traffic,
    and a full one with nearest misses for each row that does not pass.
    """
    asker = _Asker(engine, names or Names(engine), calls)
    return Matrix.of(tuple(asker.result(row) for row in rows), diagnostics)


Readings: TypeAlias = "tuple[tuple[bool | None, ...], Request | None]"
"""What each rule that asks for a request makes of one; that, where it is known in part only."""


@dataclass(slots=True)
class _Asker:
    """Remembers what it has looked up and explained; lives for one run."""

    engine: Engine
    names: Names
    calls: Calls | None = None
    _ends: dict[str, End | QuestionError] = field(default_factory=dict)
    _traffic: dict[tuple[str | None, str], Traffic | QuestionError] = field(default_factory=dict)
    _explained: dict[tuple[object, ...], CaseAnswer] = field(default_factory=dict)
    _answers: dict[tuple[object, ...], Explanation] = field(default_factory=dict)
    _engines: dict[Readings, Engine] = field(default_factory=dict)

    def result(self, row: Row) -> RowResult:
        if row.faults or row.expect is None:
            return _refused(row)
        try:
            answer = self._answer(row)
            if answer.verdict is not row.expect.verdict and not through_entry(answer.question):
                # Whoever looks into a failure wants the rule that came nearest.
                engine, _ = self._requested(answer.question.request)
                answer = replace(ask(engine, answer.question), notes=answer.notes)
        except QuestionError as error:
            return RowResult(row, None, passed=False, error=error.message, help=error.help)
        verdict = answer.verdict
        return RowResult(
            row,
            verdict,
            verdict is row.expect.verdict,
            answer.deciders,
            answer.caveats,
            answer.witnesses,
            answer.notes,
        )

    def _answer(self, row: Row) -> Explanation:
        key = (row.source, row.destination, row.port, row.protocol, row.application)
        found = self._answers.get(key)
        if found is None:
            request, said = row.application.request(), row.application.over(self._said(row))
            ends = self._end(row.source), self._end(row.destination)
            question = Question(*ends, said, request=request, application=row.application)
            if self.calls is not None and through_entry(question):
                found = self.calls(question)
            else:
                engine, read = self._requested(request)
                found = ask(engine, question, lambda e, c: self._explain(e, c, read))
            notes = (*found.notes, *self._about_application(row, found))
            # Only what a result shows is kept: a hundred thousand answers are a lot.
            found = replace(found, cases=(), notes=notes)
            self._answers[key] = found
        return found

    def _about_application(self, row: Row, answer: Explanation) -> Iterator[str]:
        """Say what the application part of a row does to the answer."""
        asked = " and ".join(row.application.said)
        if not asked:
            return
        looks = any(caveat.id == "HTTP_RULE" for caveat in answer.caveats)
        if looks or looked_at(self.engine, answer.cases):
            yield f"a policy here looks at {asked}: {answer.question.request} was asked"
        elif any(caveat.id == "POLICY_NOT_MODELLED" for caveat in answer.caveats):
            yield f"whether a policy that is not modelled looks at {asked} is not known"
        else:
            yield f"no policy here looks at {asked}: the answer is that of addresses and ports"

    def _end(self, text: str) -> End:
        found = self._ends.get(text)
        if found is None:
            try:
                found = self.names.end(text)
            except QuestionError as error:
                found = error
            self._ends[text] = found
        if isinstance(found, QuestionError):
            raise _again(found)
        return found

    def _said(self, row: Row) -> Traffic:
        key = (row.port, row.protocol)
        found = self._traffic.get(key)
        if found is None:
            try:
                found = parse_traffic(row.port, row.protocol)
            except QuestionError as error:
                found = error
            self._traffic[key] = found
        if isinstance(found, QuestionError):
            raise _again(found)
        return found

    def _requested(self, request: "Request | None") -> tuple[Engine, Readings]:
        """Return who judges a request, one for all that policies cannot tell apart."""
        if request is None:
            return self.engine, ((), None)
        answers = readings(self.engine, request)
        read = answers, request if None in answers else None
        found = self._engines.get(read)
        if found is None:
            found = self._engines[read] = requested(self.engine, request)
        return found, read

    def _explain(self, engine: Engine, case: Case, read: Readings) -> CaseAnswer:
        # Beyond its unit, an explanation looks at labels, ports and the namespace of a pod.
        key = (
            *_side(case.source),
            *_side(case.destination),
            case.out_of,
            case.into,
            case.traffic,
            read,
        )
        found = self._explained.get(key)
        if found is None:
            found = self._explained[key] = explain_case(engine, case, misses=False)
        return replace(found, case=case)


def _side(party: Party) -> tuple[object, ...]:
    endpoint = party.endpoint
    if endpoint is None:
        return party.unit, None, None
    return party.unit, id(endpoint.shape), endpoint.namespace


def _again(error: QuestionError) -> QuestionError:
    """Return a fresh error: one that is raised again and again grows its traceback."""
    return type(error)(error.message, error.help)


def _refused(row: Row) -> RowResult:
    if row.faults:
        first = row.faults[0]
        return RowResult(row, None, passed=False, error=first.message, help=first.help)
    message = "the row does not say what to expect"
    return RowResult(row, None, passed=False, error=message, help="write allow or deny")
