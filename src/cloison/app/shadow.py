"""What enforcing a candidate would have done to the connections that a store recorded."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.advice import Advice
from cloison.analyses.ask import Mend, Question
from cloison.analyses.connectivity import MapOptions
from cloison.analyses.diff.shifts import unexplained
from cloison.analyses.ends import End
from cloison.analyses.mend import Proposal, proposals
from cloison.analyses.past import sorts as past_sorts
from cloison.analyses.past.called import called_alike
from cloison.analyses.past.link import LET, LinkKey, link_key
from cloison.analyses.past.watch import UNWATCHED, Watch
from cloison.analyses.question import Traffic
from cloison.analyses.reconcile.pairs import Placed, Unplaced, placed
from cloison.analyses.reconcile.seen import Finder, Seen, missed, ref
from cloison.analyses.reconcile.sources import Sort, assumed
from cloison.analyses.shadow.edges import edges, judged, today
from cloison.analyses.shadow.findings import findings
from cloison.analyses.shadow.frontports import FrontPorts
from cloison.analyses.shadow.judging import FromOwnNode, Judge
from cloison.analyses.shadow.mending import merged
from cloison.analyses.shadow.model import Edge, Fate, Finding, Shadow, Weight
from cloison.analyses.shadow.unused import excess, unseen, used
from cloison.analyses.shadow.weighing import Scales
from cloison.app.answers import hop, with_ends
from cloison.app.mends import writable, write
from cloison.app.past import past, span_of
from cloison.app.proposed import remarks, unjudged
from cloison.app.reconcile import Span
from cloison.app.seennames import taught
from cloison.app.shadowsorts import sorts
from cloison.base import QuestionError, unhurried
from cloison.intent import Contract

if TYPE_CHECKING:
    from cloison.app.session import Session

Told = Callable[[str], None]
"""Is told what is being done."""

MENDED: Final = 100
"""Findings of which it is looked up how to mend them."""
_TOGETHER: Final = 64
"""Edges of a finding that are asked what they lack."""
LINES: Final = 200
"""Lines of what is opened, closed and left over that are told."""
_OTHER: Final = {"TCP": "UDP", "UDP": "TCP"}
"""Protocols of lookups, each with the other."""
_GATEWAY: Final = "reserved:ingress"
"""What names call the end that enforcers have for a gateway of their own."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked about a candidate.

    Args:
        candidate: Where it was read from, as it was named.
        whole: Whether it takes the place of all policies.
        span: When flows count.
        namespace: Only edges with an end in it are told.
    """

    candidate: tuple[str, ...] = ()
    whole: bool = False
    span: Span = (None, None)
    namespace: str | None = None


def _silent(_text: str) -> None:
    return None


def shadow(
    before: "Session",
    after: "Session",
    store: Path,
    wanted: Wanted | None = None,
    told: Told = _silent,
) -> Shadow:
    """Return what enforcing a candidate would have done to recorded connections.

    Args:
        before: The cluster as it is, read with `runtime`.
        after: The cluster with the candidate; both as `what_if` returns them.
        store: The store of flows.
        wanted: What is asked.
        told: Is told what is being done.

    Raises:
        SourceError: There is no such store, or it cannot be read.
    """
    told("reading flows")
    span = (wanted or Wanted()).span
    found, watch = past(store, span)
    other = span_of(store) if not watch and span != (None, None) else None
    return shadowed(before, after, Recorded(found, watch, str(store), other), wanted, told)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded.

    Args:
        seen: Observed edges, with their courses.
        watch: When anybody watched.
        store: Where they are from.
        held: The first hour and the last that are there, where none is of the time in question.
    """

    seen: tuple[Seen, ...]
    watch: Watch = UNWATCHED
    store: str = ""
    held: tuple[int, int] | None = None


def shadowed(
    before: "Session",
    after: "Session",
    recorded: Recorded,
    wanted: Wanted | None = None,
    told: Told = _silent,
) -> Shadow:
    """Return what enforcing a candidate would have done to recorded connections.

    Args:
        before: The cluster as it is, read with `runtime`.
        after: The cluster with the candidate.
        recorded: What was recorded.
        wanted: What is asked.
        told: Is told what is being done.
    """
    asked = wanted or Wanted()
    seen = recorded.seen
    before, _, here_before, _ = _placed(before, seen)
    after, learned, here, strangers = _placed(after, seen)
    with unhurried():
        told(f"judging {len(here):,} observed edges")
        scales = Scales(after.site)
        was = today(here_before, _judge(before, Scales(before.site)))
        every = edges(judged(here, _judge(after, scales), was, before.engine), after.engine, scales)
        if any(each.fate is Fate.DENIED for each in every):
            told("sorting what would be denied")
            every = _sorted(every, sorts(before, here_before, recorded.watch))
        home = asked.namespace
        shown = tuple(e for e in every if home is None or home in e.namespaces)
        told("looking for the rules that are missing")
        grouped = tuple(_mended(after, findings(shown)))
        told("comparing with the policies of today")
        options = MapOptions(namespace=asked.namespace)
        # Who is responsible for each change takes longest, and is not told here.
        difference = replace(before.diff(after, options), explain=unexplained)
        told("looking at what was never used")
        gone = missed(after.engine.world, recorded.watch.lost)
        cube = unseen(after.map(options), here, strangers, gone)
        left, more = excess(cube, LINES)
        return Shadow(
            asked.candidate,
            asked.whole,
            shown,
            grouped,
            difference,
            used(difference, every, cube, LINES),
            left,
            tuple(strangers),
            max(0, len(difference.lines) - LINES),
            more,
            recorded.watch,
            recorded.store,
            asked.span,
            tuple(sorted({name for each in seen for name in each.adapters})),
            learned,
            asked.namespace,
            remarks=tuple(remarks(after)),
            partial=after.proposed is not None and bool(after.proposed.refused),
            unjudged=bool(unjudged(after)),
            held=recorded.held,
        )


def _placed(
    session: "Session", seen: tuple[Seen, ...]
) -> "tuple[Session, tuple[str, ...], list[Placed], list[Unplaced]]":
    """Return a session that knows the ends that were seen, what it learned, and who they are."""
    if any(end.entity == "gateway" for each in seen for end in each.ends):
        session = with_ends(session, _GATEWAY)
    session, learned = taught(session, Contract(), seen)
    here, strangers = placed(seen, Finder(session.names, session.engine.world))
    return session, learned, called_alike(here), strangers


def _judge(session: "Session", scales: Scales) -> Judge:
    return Judge(
        session.engine,
        _probed(session),
        lambda each: scales.asks_names(link_key(each), each.destination),
    )


_ODD: Final = (past_sorts.Sort.PERSON, past_sorts.Sort.SCAN)
"""What nobody is to allow unasked."""


def _odd(found: past_sorts.Judged) -> bool:
    """Return whether an edge is none of an application's; or was stopped more often than not."""
    link = found.link
    mostly = link.count("denied") > link.count(*LET)
    return found.sort in _ODD or (found.sort is past_sorts.Sort.DENIED and mostly)


def _sorted(
    every: tuple[Edge, ...], found: Mapping[LinkKey, past_sorts.Judged]
) -> tuple[Edge, ...]:
    """Return edges, those that would be denied with what they are, where that is odd."""
    odd = {key: each for key, each in found.items() if _odd(each)}
    return tuple(
        replace(edge, sort=odd[edge.key].sort, why=odd[edge.key].why)
        if edge.fate is Fate.DENIED and edge.key in odd
        else edge
        for edge in every
    )


def _probed(session: "Session") -> FromOwnNode:
    """Return what tells whether nodes send some traffic only to pods of their own."""
    probes: dict[object, TrafficSet] = {}
    for each in assumed(session.engine, session.site):
        if each.sort is Sort.PROBE:
            key = ref(each.destination)
            probes[key] = probes.get(key, TrafficSet()) | each.traffic

    def own(end: End, traffic: TrafficSet) -> bool:
        return traffic <= probes.get(ref(end), TrafficSet())

    return own


def _mended(session: "Session", found: Sequence[Finding]) -> Iterator[Finding]:
    """Yield findings, the first of them with what to add so that they get through."""
    ports = FrontPorts(session.engine)
    for each in found[:MENDED]:
        fronts = ports.of(each.edges[:_TOGETHER])
        mends = _mends(session, each) if each.sort is None else ()
        yield replace(each, mends=mends, fronts=fronts)
    yield from found[MENDED:]


def _mends(session: "Session", finding: Finding) -> tuple[Mend, ...]:
    """Return what to add to the candidate so that the edges of a finding get through."""
    origins = session.origins
    changes: list[Proposal | Advice] = []
    many = 2 * _TOGETHER if finding.weight is Weight.DNS else _TOGETHER
    for question in islice(_questions(finding), many):
        try:
            answer = hop(session, question)
        except QuestionError:
            continue
        changes += proposals(session.engine, answer, lambda name: writable(name, origins))
    return write(merged(session.engine, finding.weight, changes), origins, session.profile)


def _questions(finding: Finding) -> Iterator[Question]:
    """Yield what the candidate is asked about a finding; of lookups each by UDP and by TCP.

    What is too long for an answer by UDP is asked for again by TCP, sooner or later.
    """
    asked: set[object] = set()
    for edge in finding.edges:
        other = _OTHER.get(edge.key.protocol) if finding.weight is Weight.DNS else None
        for question in edge.questions:
            also = TrafficSet.ports(other, edge.key.port) if other else NO_TRAFFIC
            text = f"{other}/{edge.key.port}"
            for each in (question, replace(question, traffic=Traffic(text, also))):
                traffic = each.traffic.traffic
                key = (id(each.source), id(each.destination), traffic)
                if traffic and key not in asked:
                    asked.add(key)
                    yield each
