"""From a question about a name to the ways its call may take, and to one answer."""

from collections.abc import Iterator
from dataclasses import replace

from cloison.analyses.ask import Explanation, Question
from cloison.analyses.ends import EntryEnd, PodsEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.paths.entries import inwards, outwards
from cloison.analyses.paths.lookup import Ask, lookups
from cloison.analyses.paths.model import Hop, HopRole, Way
from cloison.analyses.paths.site import Site
from cloison.analyses.paths.which import by_name
from cloison.analyses.question import State
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict


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
        return tuple(outwards(engine, question, question.source, ask))
    if isinstance(question.destination, EntryEnd):
        return tuple(inwards(engine, question, question.destination, ask))
    if question.state is not State.NEW or not by_name(question):
        return ()
    return (Way(tuple(_named(engine, site, question, ask))),)


def _named(engine: Engine, site: Site, question: Question, ask: Ask) -> Iterator[Hop]:
    if isinstance(question.source, PodsEnd):
        yield from lookups(engine, site, question.source, ask)
    yield Hop(HopRole.CALL, question, answer=ask(question))


def joined(question: Question, found: tuple[Way, ...]) -> Explanation:
    """Return one answer about all ways: reasons are those of the first hop that stops it.

    Args:
        question: What was asked.
        found: Its ways, at least one, with a hop that was judged on each.
    """
    verdicts = {way.verdict for way in found}
    verdict = verdicts.pop() if len(verdicts) == 1 else Verdict.MIXED
    worst = min(found, key=lambda way: _BADNESS.index(way.verdict))
    telling = worst.first or worst.asked[-1]
    answer = telling.answer
    if answer is None:
        msg = "a way on which nobody was asked"
        raise ValueError(msg)
    caveats = merge_caveats([*(hop.caveats for way in found for hop in way.hops), answer.caveats])
    notes = (note for way in found for hop in way.asked if hop.answer for note in hop.answer.notes)
    return replace(
        answer,
        question=question,
        verdict=verdict,
        caveats=caveats,
        notes=tuple(dict.fromkeys(notes)),
        ways=found,
    )


_BADNESS = (Verdict.DENIED, Verdict.MIXED, Verdict.UNDETERMINED, Verdict.ALLOWED)
