"""Whole answers: a question, followed to the flows it stands for, with reasons and mends."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from cloison import algebra
from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.algebra.paths import Answered
from cloison.analyses.application import NOTHING_SAID, Application
from cloison.analyses.edit import Edit
from cloison.analyses.ends import AddressEnd, AnyEnd, End, NameEnd, PodsEnd, ServiceEnd
from cloison.analyses.explain import (
    CaseAnswer,
    Decider,
    ExplainCase,
    case_outcome,
    explain_case,
    merge_caveats,
    verdict_of,
)
from cloison.analyses.imagine import imagine
from cloison.analyses.named import naming_notes
from cloison.analyses.question import Case, State, Traffic, cases
from cloison.analyses.replies import reply_verdict
from cloison.analyses.request import as_read, by_proxy, passed_over, requested, usual
from cloison.analyses.services import Followed, follow
from cloison.analyses.untranslated import applies, judged
from cloison.engine import Engine, UnitKind
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.profile import Profile
from cloison.ir.when import Split, When, met, union, within

if TYPE_CHECKING:
    from cloison.algebra import Request
    from cloison.analyses.paths.model import Way


@dataclass(frozen=True, slots=True)
class Question:
    """Who wants to reach whom, with what.

    Args:
        source: Who connects.
        destination: Who listens.
        traffic: What is asked.
        state: What the packet is to its connection. A reply shares the fate of the
            connection it belongs to, whose opener is the source here; one to untracked traffic
            belongs to none.
        family: Ask only about IPv4 (4) or IPv6 (6); None asks about all there is.
        request: The request that is made, or what is known of it; None says nothing of one.
        application: That as it was written.
    """

    source: End
    destination: End
    traffic: Traffic
    state: State = State.NEW
    family: int | None = None
    request: "Request | None" = None
    application: Application = NOTHING_SAID

    def __str__(self) -> str:
        """Render as people would ask it."""
        port = f" on {self.traffic.text}" if self.traffic.text else ""
        return f"{self.source.text} -> {self.destination.text}{port}"


@dataclass(frozen=True, slots=True)
class Witness:
    """One concrete flow of a mixed answer.

    Args:
        verdict: What becomes of it.
        source: Who connects.
        destination: Who listens.
        traffic: What is sent.
        request: The request made on it, where that decides.
    """

    verdict: Verdict
    source: str
    destination: str
    traffic: TrafficSet
    request: "Request | None" = None

    def __str__(self) -> str:
        """Render the flow."""
        asks = f" with {self.request}" if self.request else ""
        return f"{self.source} -> {self.destination} on {self.traffic}{asks}"


@dataclass(frozen=True, slots=True)
class Mend:
    """A change somebody can apply.

    Args:
        text: What to do, in one line.
        lines: The lines to add to an existing object; empty when it is new.
        manifest: The whole object as it should be.
        file: Where the object is written, None when it is new.
        line: Its line.
        also: Other endpoints it opens the traffic to, or from.
        edit: What it does to the policy; None where nobody can say that.
    """

    text: str
    manifest: str
    lines: str = ""
    file: str | None = None
    line: int | None = None
    also: tuple[str, ...] = ()
    edit: Edit | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Explanation:
    """An answer with its reasons.

    Args:
        question: What was asked.
        verdict: The verdict on all of it.
        allowed: Traffic that every pair of ends lets pass.
        when: Traffic that every pair lets pass with some requests and not with others.
        instead: Traffic that is denied with this request, and passes with others.
        refusal: What a client sees whose request is denied though its connection is made; None
            where that is not so, or not known.
        shown: The case whose path is shown: the one that stops the traffic, if any does.
        cases: Every case, in order; of many, one for each outcome.
        witnesses: For a mixed verdict one flow each way.
        caveats: What the verdict stands on.
        notes: How the question was understood.
        mending: Finds the change that would let denied traffic through.
        ways: Where the call comes to several hops, those; reasons are then of the first that
            does not let it through.
    """

    question: Question
    verdict: Verdict
    allowed: TrafficSet
    shown: CaseAnswer | None
    cases: tuple[CaseAnswer, ...]
    witnesses: tuple[Witness, ...]
    caveats: tuple[Caveat, ...]
    notes: tuple[str, ...]
    when: tuple[When, ...] = ()
    instead: tuple[When, ...] = ()
    refusal: str | None = None
    mending: "Callable[[Explanation], tuple[Mend, ...]] | None" = field(
        default=None, compare=False, repr=False
    )
    ways: "tuple[Way, ...]" = ()

    @cached_property
    def mend(self) -> tuple[Mend, ...]:
        """The change that would let denied traffic through; apply all of it.

        It is found when somebody first looks: that takes longer than the answer.
        """
        return self.mending(self) if self.mending else ()

    @property
    def deciders(self) -> tuple[Decider, ...]:
        """What decided."""
        return self.shown.decided_by if self.shown else ()

    @property
    def decided_by(self) -> tuple[str, ...]:
        """What decided, as text."""
        return tuple(d.text for d in self.deciders)

    def __str__(self) -> str:
        """Render the verdict, the question and what decided, in one line."""
        by = ", ".join(self.decided_by)
        return f"{self.verdict}: {self.question}" + (f" ({by})" if by else "")


def ask(engine: Engine, question: Question, explain: ExplainCase = explain_case) -> Explanation:
    """Answer a question.

    Args:
        engine: Who decides.
        question: What is asked.
        explain: Explains one case; who asks many questions passes one that remembers.

    Raises:
        QuestionError: the question cannot be asked of these ends.
    """
    early = _without_engine(question, engine.profile)
    if early is not None:
        return early
    engine = requested(engine, question.request)
    if applies(engine, question):
        return judged(engine, question, ask)
    anybody = [e for e in (question.source, question.destination) if isinstance(e, AnyEnd)]
    lacking: str | None = None
    if anybody:
        engine, lacking = imagine(engine, anybody)
    followed = _follow(engine, question)
    engine = _naming(engine, followed)
    asked = [case for f in followed for case in _cases(engine, question, f)]
    answers = [explain(engine, case) for case in _telling(engine, asked)]
    caveats = merge_caveats([*(a.caveats for a in answers), *(f.caveats for f in followed)])
    said = (*_notes(question, followed, answers), *naming_notes(engine, answers))
    notes = tuple(dict.fromkeys((*said, *_read(engine, question))))
    if not answers:
        return _nobody(question, notes, caveats)
    verdict = _overall(engine, ((a.case, a.verdict) for a in answers))
    notes = (*notes, *_by_family(engine, answers))
    worst = min(answers, key=lambda a: _BADNESS[a.verdict])
    shown = next((a for a in answers if a.verdict is verdict), worst)
    if verdict is Verdict.MIXED:
        shown = worst
    allowed = answers[0].outcome.allowed & answers[0].case.traffic
    for answer in answers[1:]:
        allowed &= answer.outcome.allowed | _outside(answer)
    if verdict is not Verdict.MIXED:
        used = [a for a in answers if a.verdict is verdict] or answers
        caveats = merge_caveats([*(a.caveats for a in used), *(f.caveats for f in followed)])
    witnesses = tuple(_witnesses(answers)) if verdict is Verdict.MIXED else ()
    if lacking is not None and verdict is not Verdict.MIXED:
        verdict = Verdict.UNDETERMINED
        notes = (*notes, f"more kinds of pods could exist than were tried: {lacking}")
    pods = [e for e in (question.source, question.destination) if isinstance(e, PodsEnd)]
    if any(engine.table.endpoints[i].pending for end in pods for i in end.endpoints):
        caveats = merge_caveats([caveats, (known.POD_PENDING,)])
    if question.state is State.REPLY:
        replied, note = reply_verdict(engine, answers, verdict)
        if note is not None:
            verdict, allowed, notes = replied, NO_TRAFFIC, (*notes, note)
    if question.request is not None and verdict is not Verdict.ALLOWED:
        caveats = merge_caveats([caveats, *passed_over(answers)])
    unclear = engine.profile.keeps_connections is not False
    if question.state is State.ESTABLISHED and unclear and verdict is not Verdict.ALLOWED:
        # Whether a connection outlives the policy that would refuse it now is the CNI's affair.
        verdict, caveats = Verdict.UNDETERMINED, merge_caveats([caveats, (known.ESTABLISHED,)])
    return Explanation(
        question,
        verdict,
        allowed,
        shown,
        tuple(answers),
        witnesses,
        caveats,
        notes,
        _when(answers) if verdict is Verdict.MIXED else (),
    )


_BADNESS = {
    Verdict.DENIED: 0,
    Verdict.MIXED: 1,
    Verdict.UNDETERMINED: 2,
    Verdict.ALLOWED: 3,
}


def _telling(engine: Engine, asked: Sequence[Case]) -> Sequence[Case]:
    """Return the cases to explain: all of a few, one for each outcome of many."""
    if len(asked) <= _FEW:
        return asked
    first: dict[object, Case] = {}
    for case in asked:
        outcome = case_outcome(engine, case)
        part = (outcome.allowed & case.traffic, outcome.undetermined & case.traffic)
        first.setdefault((*part, within(outcome.when, case.traffic), case.traffic), case)
    return list(first.values())


_FEW = 64


def _outside(answer: CaseAnswer) -> TrafficSet:
    """A port by name means other numbers elsewhere; those are not this case's to judge."""
    return NO_TRAFFIC if answer.case.traffic else answer.outcome.allowed


def _when(answers: Sequence[CaseAnswer]) -> tuple[When, ...]:
    """Return what all cases let pass with some requests only."""
    if not any(within(a.outcome.when, a.case.traffic) for a in answers):
        return ()
    found: Split = (ANY, NO_TRAFFIC, ())
    for answer in answers:
        outcome, asked = answer.outcome, answer.case.traffic
        passing = outcome.allowed | _outside(answer)
        found = met(found, (passing, outcome.undetermined & asked, within(outcome.when, asked)))
    return found[2]


def _overall(engine: Engine, told: Iterable[tuple[Case, Verdict]]) -> Verdict:
    """Return the verdict on several cases."""
    verdicts: set[Verdict] = set()
    named: dict[str, set[Verdict]] = defaultdict(set)
    for case, verdict in told:
        if engine.table.units[case.destination.unit].kind is UnitKind.NAMED:
            named[case.source.text].add(verdict)
        else:
            verdicts.add(verdict)
    for each in named.values():
        # Nobody knows whether that name has addresses of both families.
        verdicts.add(each.pop() if len(each) == 1 else Verdict.UNDETERMINED)
    return verdicts.pop() if len(verdicts) == 1 else Verdict.MIXED


def _by_family(engine: Engine, answers: Sequence[CaseAnswer]) -> Iterator[str]:
    """Say that only the family, which nobody knows of a name's addresses, leaves it open."""
    named: dict[str, dict[int, set[Verdict]]] = defaultdict(lambda: defaultdict(set))
    for each in answers:
        unit = engine.table.units[each.case.destination.unit]
        if unit.kind is UnitKind.NAMED and unit.family:
            named[each.case.destination.text][unit.family].add(each.verdict)
    for text, held in sorted(named.items()):
        told = {family: found.copy().pop() for family, found in held.items() if len(found) == 1}
        if len(told) == len(held) and set(told.values()) == {Verdict.ALLOWED, Verdict.DENIED}:
            said = " and ".join(f"over IPv{family} {told[family]}" for family in sorted(told))
            yield (
                f"{text} is {said}, and of which family its addresses are is not known: "
                "--family asks about one"
            )


def _cases(engine: Engine, question: Question, followed: Followed) -> Iterator[Case]:
    return cases(
        engine,
        followed.source,
        followed.destination,
        followed.traffic,
        question.family,
        returned=followed.returned,
    )


def _follow(engine: Engine, question: Question) -> list[Followed]:
    if isinstance(question.destination, ServiceEnd):
        return follow(engine, question.source, question.destination, question.traffic)
    return [Followed(question.source, question.destination, question.traffic)]


def _naming(engine: Engine, followed: Iterable[Followed]) -> Engine:
    """Return an engine that knows the names that are asked about, if any is."""
    names = [n for f in followed if isinstance(f.destination, NameEnd) for n in f.destination.names]
    if not names:
        return engine
    if any(map(engine.binder.matcher.book.knows, names)):
        # It has no address, so policies are asked as if nobody had said so.
        said = {name: held for name, held in engine.networks.names.items() if held}
        networks = replace(engine.networks, names=said, complete=False)
        engine = Engine(engine.world, engine.policies, engine.profile, networks)
    return engine.with_hosts(tuple(names))


def _without_engine(question: Question, profile: Profile) -> Explanation | None:
    """Answer what no policy is asked about."""
    source, destination = question.source, question.destination
    for end in (source, destination):
        if isinstance(end, PodsEnd) and end.gone:
            return _plain(question, Verdict.UNDETERMINED, known.POD_FINISHED)
        pods = end.workload.endpoints if isinstance(end, PodsEnd) else ()
        if isinstance(end, PodsEnd) and end.single and pods and all(p.pending for p in pods):
            return _plain(question, Verdict.UNDETERMINED, known.POD_PENDING)
    if isinstance(destination, AddressEnd) and destination.loopback:
        note = "loopback traffic never leaves the pod, and no policy sees it"
        return _plain(question, Verdict.ALLOWED, None, note)
    if question.state is State.ESTABLISHED and profile.keeps_connections:
        note = "what belongs to an open connection passes before any policy is asked"
        return _plain(question, Verdict.ALLOWED, None, note)
    return None


def _plain(
    question: Question, verdict: Verdict, caveat: Caveat | None, note: str | None = None
) -> Explanation:
    allowed = question.traffic.traffic if verdict is Verdict.ALLOWED else NO_TRAFFIC
    return Explanation(
        question,
        verdict,
        allowed,
        None,
        (),
        (),
        (caveat,) if caveat else (),
        tuple(n for n in (question.source.note, question.destination.note, note) if n),
    )


def let_through(question: Question) -> Explanation:
    """Return the answer that all of it is let through, for who knows and asks for no reasons."""
    return _plain(question, Verdict.ALLOWED, None)


def _nobody(question: Question, notes: tuple[str, ...], caveats: tuple[Caveat, ...]) -> Explanation:
    return Explanation(
        question,
        Verdict.UNDETERMINED,
        NO_TRAFFIC,
        None,
        (),
        (),
        caveats,
        (*notes, "there is nobody at one end of this question"),
    )


def _notes(
    question: Question, followed: Sequence[Followed], answers: Sequence[CaseAnswer]
) -> tuple[str, ...]:
    notes = [question.source.note, question.destination.note]
    notes += [note for f in followed for note in f.notes]
    if any(a.case.foreign for a in answers):
        notes.append("the two ends share no address family; policies were asked all the same")
    return tuple(dict.fromkeys(n for n in notes if n))


def _read(engine: Engine, question: Question) -> Iterator[str]:
    """Say as what a proxy reads the path of a request, where that is not how it is sent."""
    if question.request is None or engine.policies.request is None:
        return
    read = as_read(engine.profile, question.request)
    match by_proxy(engine.profile, question.request):
        case Answered.REDIRECTED:
            yield (
                f"where a proxy looks, it sends nothing on and redirects to {read.path} "
                f"({engine.profile.normalises}): whoever follows it asks for that"
            )
            return
        case Answered.REJECTED:
            yield "where a proxy looks, it sends nothing on and answers 400: no path is like that"
            return
        case None:
            pass
    if read != question.request:
        yield f"the proxy reads the path as {read.path} ({engine.profile.normalises})"


def _witnesses(answers: Sequence[CaseAnswer]) -> Iterator[Witness]:
    """Yield one flow for each verdict that occurs, worst first."""
    for verdict in (Verdict.DENIED, Verdict.UNDETERMINED, Verdict.ALLOWED):
        for answer in answers:
            case: Case = answer.case
            when = within(answer.outcome.when, case.traffic)
            some = union(each.traffic for each in when)
            part = {
                Verdict.DENIED: answer.outcome.denied,
                Verdict.UNDETERMINED: answer.outcome.undetermined - some,
                Verdict.ALLOWED: answer.outcome.allowed,
            }[verdict] & case.traffic
            some = union(each.traffic for each in when if each.given)
            part = part or (some if verdict is not Verdict.UNDETERMINED else part)
            if part:
                yield Witness(verdict, case.source.text, case.destination.text, part)
                break
            found = next(_requests(verdict, when), None)
            if found is not None:
                yield Witness(verdict, case.source.text, case.destination.text, *found)
                break


def _requests(
    verdict: Verdict, when: Iterable[When]
) -> "Iterator[tuple[TrafficSet, Request | None]]":
    """Yield traffic with an example of a request with which it has a verdict."""
    for each in when:
        sets = {
            Verdict.DENIED: each.denied,
            Verdict.UNDETERMINED: algebra.NO_REQUESTS if each.given else each.undetermined,
            Verdict.ALLOWED: each.allowed,
        }
        if sets[verdict]:
            yield each.traffic, usual(sets[verdict])


def verdict_only(engine: Engine, question: Question) -> Verdict:
    """Return the verdict without its reasons.

    Raises:
        QuestionError: the question cannot be asked of these ends.
    """
    early = _without_engine(question, engine.profile)
    if early is not None:
        return early.verdict
    ends = (question.source, question.destination)
    anybody = any(isinstance(e, AnyEnd) for e in ends)
    if question.state is not State.NEW or anybody or applies(engine, question):
        return ask(engine, question).verdict
    engine = requested(engine, question.request)
    followed = _follow(engine, question)
    engine = _naming(engine, followed)
    found = [
        (c, verdict_of(case_outcome(engine, c), c.traffic))
        for f in followed
        for c in _cases(engine, question, f)
    ]
    return _overall(engine, found) if found else Verdict.UNDETERMINED
