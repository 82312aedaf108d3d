"""Drift: what checks see, followed through its windows, put together and held against baselines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.drift.causes import Causes
from cloison.analyses.drift.checks import CHECKS, OF_POLICIES, STANDING, once, signs
from cloison.analyses.drift.merge import merged, order, steps
from cloison.analyses.drift.model import (
    Accepted,
    Atom,
    Code,
    Drift,
    Evidence,
    Finding,
    Known,
    Memory,
    Sign,
    State,
    Step,
)
from cloison.analyses.drift.rows import rows
from cloison.analyses.drift.scene import Scene
from cloison.analyses.drift.windows import STANDING as AT_ONCE
from cloison.analyses.drift.windows import Windows
from cloison.ir.fidelity import Verdict

_NEWEST: Final = 6
"""Covered hours in which what is seen for the first time is new."""
_EACH: Final = 4
"""Members of a finding of which remedies are told."""
_REMEDIES: Final = 60
"""Findings of which remedies are worked out: each asks the engine, and nobody reads more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Args:
        checks: Which checks; all when none is given.
        namespaces: Only findings about these; about all when none is given.
        accepted: Rows of baselines that count today.
        since: The first hour in which what is confirmed is new; None for what the last run knew
            nothing of.
        late: Rows of baselines whose last day has passed.
        unread: Places of documents that nobody could read.
    """

    checks: tuple[Code, ...] = ()
    namespaces: frozenset[str] = frozenset()
    accepted: tuple[Accepted, ...] = ()
    since: int | None = None
    late: tuple[Accepted, ...] = ()
    unread: tuple[str, ...] = ()


def examine(scene: Scene, wanted: Wanted) -> tuple[Drift, dict[str, Known]]:
    """Return what has drifted, and what to remember of its findings.

    Args:
        scene: The cluster, what is meant and what was seen.
        wanted: What is asked for.
    """
    every = [code for code in CHECKS if not wanted.checks or code in wanted.checks]
    codes = [code for code in every if not (wanted.unread and code in OF_POLICIES)]
    for code in every:
        if code not in codes:
            for place in wanted.unread:
                scene.skip(code, f"{place} cannot be read", noun="document")
    seen = signs(scene, codes)
    was = _before(scene, codes)
    follower = _Follower(scene, wanted, was)
    found = once(each for sign in seen if (each := follower.finding(sign)) is not None)
    kept = [each for each in found if _about(each, wanted.namespaces)]
    told = [f for f in kept if f.state not in (State.NEW, State.SUSPECT)]
    together = sorted(merged(told), key=order)
    remedied = [
        _placed(scene, _remedied(scene, each) if place < _REMEDIES else each)
        for place, each in enumerate(together)
    ]
    suspects = sorted((f for f in kept if f.state in (State.NEW, State.SUSPECT)), key=order)
    drift = Drift(
        findings=tuple(remedied),
        suspects=tuple(suspects),
        unjudged=scene.unjudged,
        rows=rows(scene, remedied),
        checks=tuple(codes),
        first=scene.windows.covered[0] if scene.windows.covered else None,
        last=scene.windows.covered[-1] if scene.windows.covered else None,
        covered=len(scene.windows.covered),
        lost=sum(each.lost for each in scene.nodes),
        learning=scene.learned if scene.began is not None else None,
        # What is not seen may be in what nobody could read.
        gone=() if wanted.unread else _gone(scene.memory, seen, codes),
        unread=wanted.unread if len(codes) < len(every) else (),
    )
    return drift, _remembered(scene.memory, found, seen, codes)


def _before(scene: Scene, codes: Sequence[Code]) -> frozenset[str]:
    """Return the keys of what was so in the cluster as it was."""
    if scene.before is None:
        return frozenset()
    return frozenset(
        str(each.key) for each in signs(scene.before, [c for c in codes if c in STANDING])
    )


def _about(found: Finding, namespaces: frozenset[str]) -> bool:
    return not namespaces or bool(namespaces & set(found.sign.namespaces))


class _Follower:
    """Follows signs through their windows; lives for one examination."""

    def __init__(self, scene: Scene, wanted: Wanted, was: frozenset[str]) -> None:
        self._scene = scene
        self._wanted = wanted
        self._was = was
        self._causes = Causes(scene)
        self._windows: dict[tuple[frozenset[int], bool], Windows] = {}

    def finding(self, sign: Sign) -> Finding | None:
        """Return what comes of a sign; None for one that nobody can judge."""
        known = self._scene.memory.findings.get(str(sign.key))
        found = self._standing(sign, known) if sign.pace is AT_ONCE else self._seen(sign, known)
        if found is None or found.state not in (State.CONFIRMED, State.RESOLVED):
            return found
        accepted = accepting(sign, self._wanted.accepted)
        if accepted is not None:
            return replace(found, state=State.ACKNOWLEDGED, new=False, accepted=accepted)
        late = accepting(sign, self._wanted.late)
        if late is not None:
            told = Evidence(f"{late.owner} accepted it until {late.until}, and that is over")
            return replace(found, sign=replace(sign, evidence=(told, *sign.evidence)))
        return found

    def _standing(self, sign: Sign, known: Known | None) -> Finding:
        """Return a finding of what is so now: nothing has to be waited for."""
        held = known is not None and known.state is State.CONFIRMED
        new = not held and str(sign.key) not in self._was
        first = known.first if held and known is not None else None
        state = State.SUSPECT if sign.doubt is not None else State.CONFIRMED
        before = self._causes.preceding(sign, None) if new else None
        return Finding(sign, state, new, first, None, first, preceded=before)

    def _seen(self, sign: Sign, known: Known | None) -> Finding | None:
        scene = self._scene
        windows = self._hours(scene.unsettled(sign.namespaces), dark=sign.dark)
        hours = sign.course.hours
        held = None if known is None or known.resolved is not None else known.confirmed
        if held is not None and hours:
            held = min(held, hours[0])
        passage = windows.follow(hours, sign.pace, held)
        if passage.muted:
            reason = "it was seen in hours that are not covered, or while a change was on its way"
            scene.skip(sign.key.code, reason, passage.muted, "hour")
        first = passage.first if known is None or known.first is None else known.first
        if first is None:
            return None
        if passage.confirmed is None or sign.doubt is not None:
            newest = windows.back(windows.end, _NEWEST)
            state = State.NEW if first >= newest else State.SUSPECT
            return Finding(sign, state, new=False, first=first, last=passage.last)
        state = State.CONFIRMED if passage.stands else State.RESOLVED
        new = self._is_new(passage.confirmed, known, stands=passage.stands)
        return Finding(
            sign,
            state,
            new,
            first,
            passage.last,
            passage.confirmed,
            passage.resolved,
            self._causes.preceding(sign, first),
        )

    def _hours(self, muted: frozenset[int], *, dark: bool) -> Windows:
        """Return the hours that count, without some."""
        found = self._windows.get((muted, dark))
        if found is None:
            every = Windows(self._scene.watch.hours) if dark else self._scene.windows
            found = self._windows[muted, dark] = every.without(muted)
        return found

    def _is_new(self, confirmed: int, known: Known | None, *, stands: bool) -> bool:
        """Return whether a finding was confirmed since the last run, or in the time in question."""
        if known is not None and known.state is State.ACKNOWLEDGED:
            return True  # what accepted it does so no more
        memory = self._scene.memory
        if known is not None and known.confirmed is not None:
            # Known already, unless it was over and has come back since.
            return memory.until is not None and confirmed > memory.until
        if self._wanted.since is not None:
            return confirmed >= self._wanted.since
        if memory.ran and memory.until is not None:
            return stands or confirmed > memory.until
        return stands


def accepting(sign: Sign, baseline: Iterable[Accepted]) -> Accepted | None:
    """Return the row of a baseline that accepts a sign; None where nobody does."""
    key = str(sign.key)
    return next((row for row in baseline if row.key == key or _like(key, row.key)), None)


def _like(key: str, pattern: str) -> bool:
    if "*" not in pattern:
        return False
    # Other characters that mean something in patterns stand for themselves.
    literal = pattern.replace("[", "[[]").replace("?", "[?]")
    return fnmatchcase(key, literal)


def _placed(scene: Scene, found: Finding) -> Finding:
    """Return a finding with a place to look at, where nothing of it has one: that of a workload."""
    sign = found.sign
    known = (sign.place, sign.atom and sign.atom.span, *(each.span for each in sign.evidence))
    if any(known):
        return found
    workloads = scene.engine.world.workloads
    spans = (workloads[name].span for name in sign.workloads if name in workloads)
    place = next((span for span in spans if span is not None), None)
    return replace(found, sign=replace(sign, place=place))


def _remedied(scene: Scene, found: Finding) -> Finding:
    """Return a finding with the smallest changes that would settle it, both ways.

    One that stands for several takes those of each: what lets one of them through leaves the others
    as they are.
    """
    sign = found.sign
    if found.state in (State.RESOLVED, State.ACKNOWLEDGED):
        return found
    if not found.members or all(each.asked is None for each in found.members):
        return replace(found, sign=_settled(scene, sign))
    each = [_settled(scene, member) for member in found.members[:_EACH]]
    left = len(found.members) - len(each)
    allow = steps(e.allow for e in each)
    remove = steps(e.remove for e in each)
    if left:
        more = f"; and likewise of {left} more: -o json has their keys under members"
        allow, remove = (
            step and (replace(step, text=step.text + more) if step.lines or step.manifest else step)
            for step in (allow, remove)
        )
    sign = replace(sign, atom=sign.atom or each[0].atom, allow=allow, remove=remove)
    return replace(found, sign=sign)


def _settled(scene: Scene, sign: Sign) -> Sign:
    """Return a sign with what settles it, where that can be asked."""
    answer = None if sign.asked is None else scene.ask(sign.asked)
    if answer is None:
        return sign
    atom = sign.atom or _atom(answer)
    if answer.verdict in (Verdict.DENIED, Verdict.MIXED):
        allow = _mended(answer.mend) if answer.mend else sign.allow
        remove = sign.remove or Step(
            "leave it denied, and stop the caller, or take the call out of it"
        )
    else:
        allow = sign.allow
        remove = sign.remove or _removal(answer)
    return replace(sign, atom=atom, allow=allow, remove=remove)


def _mended(mends: Sequence[Mend]) -> Step:
    """Return changes of policies as one: all of them are needed."""
    told = [f"# {each.text}\n{each.lines or each.manifest}".rstrip("\n") for each in mends]
    manifest = "---\n".join(each.manifest for each in mends if each.manifest)
    return Step("; ".join(each.text for each in mends), manifest, "\n".join(told) + "\n")


def _atom(answer: Explanation) -> Atom | None:
    first = next((d for d in answer.deciders if d.policy is not None), None)
    first = first or next(iter(answer.deciders), None)
    return None if first is None else Atom(first.text, first.span)


def _removal(answer: Explanation) -> Step:
    rules = [d for d in answer.deciders if d.policy is not None]
    if not rules:
        return Step("no policy restricts it: add a default deny, and what is needed beside it")
    where = f" ({rules[0].span.place})" if rules[0].span is not None else ""
    return Step(f"narrow {rules[0].text}{where}, so that it lets everything else through but this")


def _remembered(
    memory: Memory, found: Iterable[Finding], seen: Iterable[Sign], codes: Sequence[Code]
) -> dict[str, Known]:
    """Return what to remember of findings: those of checks that were not made as before."""
    made = {str(code) for code in codes}
    kept = {k: v for k, v in memory.findings.items() if k.partition("|")[0] not in made}
    for each in found:
        kept[str(each.key)] = Known(
            each.state, each.first, each.last, each.confirmed, each.resolved
        )
    # What flows tell no more, since the store keeps only so much, was there all the same.
    told = {str(sign.key) for sign in seen}
    for key, known in memory.findings.items():
        if key not in kept and key not in told and known.state is State.CONFIRMED and known.last:
            kept[key] = replace(known, state=State.RESOLVED, resolved=known.last)
    return dict(sorted(kept.items()))


def _gone(memory: Memory, seen: Iterable[Sign], codes: Sequence[Code]) -> tuple[str, ...]:
    """Return the keys of what stood in the last run, and of which nothing is seen any more."""
    made, there = {str(code) for code in codes}, {str(sign.key) for sign in seen}
    return tuple(
        key
        for key, known in memory.findings.items()
        if known.state is State.CONFIRMED and key not in there and key.partition("|")[0] in made
    )
