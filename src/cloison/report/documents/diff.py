"""`diff` as published. JSON prints its edges one by one: see `streamed`."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import EndRef, Passage
from cloison.analyses.diff import Change, Diff, Kind, PolicyChange, PolicyKind, Reasons, Seen, Shift
from cloison.analyses.explain import Decider
from cloison.analyses.request import usual
from cloison.ir.when import Moved
from cloison.report.about import About
from cloison.report.documents import ends, parts
from cloison.report.documents.map import Passes, cells, verdicts
from cloison.report.documents.why import DecidedBy, decided_by


class Responsible(parts.Base, frozen=True):
    """What decided before and after, at the enforcement points that answer differently."""

    before: list[DecidedBy]
    after: list[DecidedBy]


class Edge(parts.Base, frozen=True):
    """Traffic between two ends between which nothing passes on the other side.

    As in a map, a pair of ends with traffic that passes and traffic that may pass has two edges.
    `srcExists` and `dstExists` say on which sides an end exists: `both`, `before` (it is gone)
    or `after` (it is new).
    """

    src: parts.Endpoint
    dst: parts.Endpoint
    traffic: list[parts.Traffic]
    verdict: Passes
    when: list[str]
    caveats: list[str]
    src_exists: Seen
    dst_exists: Seen
    responsible: Responsible


class MovedRequests(parts.Base, frozen=True):
    """Requests with which traffic has come to pass, or no longer passes, with one of them.

    `certain` is false where they pass, or passed, only perhaps.
    """

    traffic: list[parts.Traffic]
    moved: Literal["gained", "lost"]
    certain: bool
    requests: str
    example: str


class ChangedEdge(parts.Base, frozen=True):
    """A pair of ends between which something passes on both sides, but not the same.

    `gained` has moved up from denied through undetermined to allowed, `lost` has moved down; of
    traffic that passes with some requests, `requests` says which of these have.
    """

    src: parts.Endpoint
    dst: parts.Endpoint
    before: list[parts.Traffic]
    before_undetermined: list[parts.Traffic]
    after: list[parts.Traffic]
    after_undetermined: list[parts.Traffic]
    before_when: list[parts.When]
    after_when: list[parts.When]
    gained: list[parts.Traffic]
    lost: list[parts.Traffic]
    requests: list[MovedRequests]
    caveats: list[str]
    responsible: Responsible


class PolicyChanged(parts.Base, frozen=True):
    """A policy that is not the same on both sides, with or without effect.

    `was` is its name before, where it was renamed.
    """

    policy: parts.PolicyRef
    change: PolicyKind
    before: parts.Place | None
    after: parts.Place | None
    was: parts.PolicyRef | None


class EndChanged(parts.Base, frozen=True):
    """An end that exists on one side only: `before`, it is gone, or `after`, it is new."""

    end: parts.Endpoint
    exists: Seen


class Caveats(parts.Base, frozen=True):
    """What the answer stands on, on each side."""

    before: list[parts.CaveatSaid]
    after: list[parts.CaveatSaid]


class DiffDocument(parts.Envelope, frozen=True):
    """Connectivity opened, closed and changed between two sources."""

    caveats: Caveats
    policies: list[PolicyChanged]
    ends: list[EndChanged]
    opened: list[Edge]
    closed: list[Edge]
    changed: list[ChangedEdge]


DOCUMENT = DiffDocument


def head(result: Diff, about: About) -> DiffDocument:
    """Return the document without its edges."""
    lone = [(end, Seen.BEFORE) for end in result.removed_ends]
    lone += [(end, Seen.AFTER) for end in result.new_ends]
    return DiffDocument(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        caveats=Caveats(
            before=parts.caveats(result.caveats_before), after=parts.caveats(result.caveats_after)
        ),
        policies=[_policy(change) for change in result.policies],
        ends=[
            EndChanged(end=ends.ref(end), exists=exists)
            for end, exists in sorted(lone, key=lambda each: each[0].sort_key)
        ],
        opened=[],
        closed=[],
        changed=[],
    )


def document(result: Diff, about: About) -> DiffDocument:
    """Return a diff as published."""
    changes = {kind: list(result.of(kind)) for kind in Kind}
    return msgspec.structs.replace(
        head(result, about),
        opened=[edge for change in changes[Kind.OPENED] for edge in _edges(change)],
        closed=[edge for change in changes[Kind.CLOSED] for edge in _edges(change)],
        changed=[_changed(change) for change in changes[Kind.CHANGED]],
    )


def streamed(result: Diff, kind: Kind) -> Iterator[list[str]]:
    """Iterate over the changes of one kind as JSON, each exactly what its document gives.

    Those of one source come at a time. What is the same of many is spelled once: there may be
    millions, of a few thousand ends and policies.
    """
    spelled = _Spelled()
    for src, run in result.runs(kind):
        start = f'{{"src":{spelled.end(src)},"dst":'
        yield [
            f"{start}{spelled.end(dst)}{tail}"
            for dst, shift, why in run
            for tail in spelled.tails(shift, why)
        ]


class _Spelled:
    """What is said of edges, as JSON; lives for one answer."""

    def __init__(self) -> None:
        self._ends: dict[EndRef, str] = {}
        self._deciders: dict[Decider, str] = {}
        self._shifts: dict[Shift, tuple[str, ...]] = {}
        # By identity, which is quicker than to compare; what is compared is kept with it.
        self._tails: dict[tuple[int, int], tuple[Shift, Reasons, tuple[str, ...]]] = {}

    def end(self, end: EndRef) -> str:
        """Return an end."""
        found = self._ends.get(end)
        if found is None:
            found = self._ends[end] = _json(ends.ref(end))
        return found

    def tails(self, shift: Shift, why: Reasons) -> tuple[str, ...]:
        """Return what follows the ends, for each edge of a change."""
        found = self._tails.get((id(shift), id(why)))
        if found is None:
            if len(self._tails) > _KEPT:
                self._tails.clear()
            before, after = (",".join(map(self._decider, each)) for each in (why.before, why.after))
            said = f'"responsible":{{"before":[{before}],"after":[{after}]}}}}'
            tails = tuple(head + said for head in self._heads(shift))
            found = self._tails[id(shift), id(why)] = (shift, why, tails)
        return found[2]

    def _heads(self, shift: Shift) -> tuple[str, ...]:
        """Return what stands between the ends and who is responsible, which comes last."""
        found = self._shifts.get(shift)
        if found is None:
            change = Change(_NOBODY, _NOBODY, shift)
            ends_ = f'{{"src":{self.end(_NOBODY)},"dst":{self.end(_NOBODY)}'
            nobody = f'"responsible":{_json(_responsible(change.reasons))}}}'
            found = self._shifts[shift] = tuple(
                _json(edge).removeprefix(ends_).removesuffix(nobody) for edge in _published(change)
            )
        return found

    def _decider(self, decider: Decider) -> str:
        found = self._deciders.get(decider)
        if found is None:
            found = self._deciders[decider] = _json(decided_by(decider))
        return found


_NOBODY = EndRef("pod")
_KEPT = 10_000
"""Tails that are remembered; where every pair has its own there may be millions."""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _published(change: Change) -> Iterator[Edge | ChangedEdge]:
    if change.kind is Kind.CHANGED:
        yield _changed(change)
    else:
        yield from _edges(change)


def _edges(change: Change) -> Iterator[Edge]:
    passage = change.after if change.kind is Kind.OPENED else change.before
    for verdict, traffic, when in verdicts(passage):
        yield Edge(
            src=ends.ref(change.src),
            dst=ends.ref(change.dst),
            traffic=parts.traffic(traffic),
            verdict=verdict,
            when=when,
            caveats=parts.caveat_ids(passage.about(traffic)),
            src_exists=change.shift.src,
            dst_exists=change.shift.dst,
            responsible=_responsible(change.reasons),
        )


def _changed(change: Change) -> ChangedEdge:
    before, after = change.before, change.after
    return ChangedEdge(
        src=ends.ref(change.src),
        dst=ends.ref(change.dst),
        before=parts.traffic(before.allowed),
        before_undetermined=parts.traffic(before.open),
        after=parts.traffic(after.allowed),
        after_undetermined=parts.traffic(after.open),
        before_when=parts.when(before.when),
        after_when=parts.when(after.when),
        gained=parts.traffic(change.gained),
        lost=parts.traffic(change.lost),
        requests=[_requests(each) for each in change.shift.requests],
        caveats=parts.caveat_ids({*before.caveats, *after.caveats}),
        responsible=_responsible(change.reasons),
    )


def _requests(known: Moved) -> MovedRequests:
    return MovedRequests(
        traffic=parts.traffic(known.traffic),
        moved="gained" if known.gained else "lost",
        certain=not known.mark,
        requests=str(known.requests),
        example=str(usual(known.requests)),
    )


def _responsible(reasons: Reasons) -> Responsible:
    return Responsible(
        before=[decided_by(each) for each in reasons.before],
        after=[decided_by(each) for each in reasons.after],
    )


def _policy(change: PolicyChange) -> PolicyChanged:
    return PolicyChanged(
        policy=parts.policy_ref(change.id),
        change=change.kind,
        before=parts.place(change.before),
        after=parts.place(change.after),
        was=parts.policy_ref(change.was) if change.was else None,
    )


HEADER = (
    "change",
    "srcKind",
    "srcNamespace",
    "src",
    "dstKind",
    "dstNamespace",
    "dst",
    "before",
    "beforeUndetermined",
    "after",
    "afterUndetermined",
    "gained",
    "lost",
    "srcExists",
    "dstExists",
    "decidedBefore",
    "decidedAfter",
    "requests",
)


def rows(result: Diff) -> Iterator[Sequence[object]]:
    """Iterate over the changes, one row each: opened, changed, closed."""
    moved: dict[Shift, tuple[str, ...]] = {}
    for kind in (Kind.OPENED, Kind.CHANGED, Kind.CLOSED):
        for src, run in result.runs(kind):
            for dst, shift, why in run:
                if shift not in moved:
                    moved[shift] = _moved(shift)
                yield (
                    kind,
                    *cells(src),
                    *cells(dst),
                    *moved[shift],
                    shift.src,
                    shift.dst,
                    "; ".join(each.text for each in why.before),
                    "; ".join(each.text for each in why.after),
                    "; ".join(map(_told, shift.requests)),
                )


def _moved(shift: Shift) -> tuple[str, ...]:
    traffic = (*_traffic(shift.before), *_traffic(shift.after))
    return (*traffic, _text(shift.gained), _text(shift.lost))


def _told(known: Moved) -> str:
    mark = f" {known.mark}" if known.mark else ""
    return f"{'+' if known.gained else '-'} {known.traffic}{mark} when {known.requests}"


def _traffic(passage: Passage) -> tuple[str, str]:
    return _text(passage.allowed), _text(passage.open)


def _text(traffic: TrafficSet) -> str:
    return str(traffic) if traffic else ""
