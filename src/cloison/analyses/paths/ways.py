"""From a question about a name to the ways its call may take, and to one answer."""

from collections.abc import Sequence
from dataclasses import replace

from cloison.algebra import NO_TRAFFIC
from cloison.analyses.ask import Explanation, Mend, Question
from cloison.analyses.ends import AnyEnd, EntryEnd, NodeEnd, PodsEnd, ServiceEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.paths.calls import call, led_out
from cloison.analyses.paths.entries import inwards, outwards
from cloison.analyses.paths.lookup import Ask
from cloison.analyses.paths.model import Hop, HopRole, Way
from cloison.analyses.paths.nodeports import by_node
from cloison.analyses.paths.serving import planes_of
from cloison.analyses.paths.site import Site
from cloison.analyses.paths.which import is_call, may_leave
from cloison.analyses.paths.whoever import settled, unread
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat, Verdict


def ways(engine: Engine, site: Site, question: Question, ask: Ask) -> tuple[Way, ...]:
    """Return the ways a call may take; none where it is a single hop as it was asked.

    Args:
        engine: Who decides.
        site: What leads traffic where it goes.
        question: What is asked.
        ask: Judges a hop.

    Raises:
        QuestionError: A hop cannot be asked about.
    """
    if isinstance(question.source, EntryEnd):
        planes = planes_of(question.source.entry)
        ways_out = outwards(engine, question, question.source, ask)
        return tuple(settled(way, planes, ask, engine) for way in ways_out)
    if isinstance(question.destination, EntryEnd):
        planes = planes_of(question.destination.entry)
        ways_in = inwards(engine, site, question, question.destination, ask)
        return tuple(settled(way, planes, ask, engine) for way in ways_in)
    if isinstance(question.source, AnyEnd):
        return ()
    if not is_call(question):
        return led_out(engine, site, question, ask) if may_leave(question) else ()
    if isinstance(question.source, PodsEnd) and question.source.gone:
        return ()
    if isinstance(question.destination, NodeEnd):
        found = tuple(by_node(engine, question, question.destination, ask))
    else:
        found = tuple(
            unread(way, question, ask, engine) for way in call(engine, site, question, ask)
        )
    if not found:
        return ()
    plain = len(found) == 1 and len(found[0].hops) == 1 and found[0].stop is None
    # What is asked is one connection, and nothing leads it elsewhere.
    if not plain or _is_outside(question) or found[0].notes:
        return found
    return found if found[0].hops[0].question != question or found[0].hops[0].why else ()


def _is_outside(question: Question) -> bool:
    """Return whether an outside address of a Service is called, whose source is not certain."""
    end = question.destination
    return isinstance(end, ServiceEnd) and end.outside and isinstance(question.source, PodsEnd)


def joined(question: Question, found: tuple[Way, ...]) -> Explanation:
    """Return one answer about all ways: reasons are those of the first hop that stops it.

    Args:
        question: What was asked.
        found: Its ways, at least one.
    """
    counting = tuple(way for way in found if not way.copy) or found
    verdicts = {way.verdict for way in counting}
    verdict = verdicts.pop() if len(verdicts) == 1 else Verdict.MIXED
    worst = min(counting, key=lambda way: _BADNESS.index(way.verdict))
    telling = _telling(worst)
    answer = telling.answer if telling is not None else None
    told = [hop for way in found for hop in way.asked if hop.role is not HopRole.LOOKUP]
    answers = [hop.answer for hop in told if hop.answer is not None]
    notes = [note for way in found for note in way.notes]
    notes += [note for each in answers for note in each.notes]
    own = [h.caveats for way in found for h in way.hops if h.role is not HopRole.LOOKUP]
    lacking = (way.stop for way in counting if way.verdict is Verdict.UNDETERMINED)
    own += [(stop.caveat,) for stop in lacking if stop is not None and stop.caveat is not None]
    if any(way.lookup not in (None, Verdict.ALLOWED) for way in found):
        own.append((known.NAME_LOOKUP,))
    if answer is None:
        return Explanation(
            question,
            verdict,
            NO_TRAFFIC,
            None,
            (),
            (),
            merge_caveats([*own, *(each.caveats for each in answers)]),
            tuple(dict.fromkeys(notes)),
            ways=found,
        )
    return replace(
        answer,
        question=question,
        verdict=verdict,
        caveats=merge_caveats([*own, answer.caveats, *_standing(counting, verdict)]),
        notes=tuple(dict.fromkeys(notes)),
        mending=lambda _: _mends(counting),
        ways=found,
    )


def _telling(way: Way) -> Hop | None:
    """Return the hop whose reasons are those of a way; None where no policy is the reason.

    Lookups are told beside the call (`Way.lookup`), and are never the reason for its verdict.
    """
    if way.first is not None:
        return way.first
    own = [hop for hop in way.asked if hop.role is not HopRole.LOOKUP]
    if way.stop is not None or way.verdict is Verdict.UNDETERMINED:
        return None
    return own[-1] if own else None


def _standing(found: Sequence[Way], verdict: Verdict) -> list[tuple[Caveat, ...]]:
    """Return the caveats of every hop, where all have to let the call through for the verdict."""
    if verdict is not Verdict.ALLOWED:
        return []
    asked = [hop for way in found for hop in way.asked if hop.role is not HopRole.LOOKUP]
    return [hop.answer.caveats for hop in asked if hop.answer is not None]


def _mends(found: Sequence[Way]) -> tuple[Mend, ...]:
    """Return the changes that every hop needs that does not let all of it through, each once."""
    changes: dict[tuple[str, str, str], Mend] = {}
    for way in found:
        for hop in way.asked:
            for each in hop.answer.mend if hop.answer is not None else ():
                changes.setdefault((each.text, each.lines, each.manifest), each)
    return tuple(changes.values())


_BADNESS = (Verdict.DENIED, Verdict.MIXED, Verdict.UNDETERMINED, Verdict.ALLOWED)
