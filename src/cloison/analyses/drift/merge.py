"""Findings put together: many callers of one new destination are one finding, and not many."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from cloison.analyses.drift.model import Code, Evidence, Finding, Key, Sign, State, Step
from cloison.analyses.past.course import Course
from cloison.analyses.past.link import shown
from cloison.base.words import few, plural

MANY: Final = 3
"""Findings from which on they are told as one."""
ANY: Final = "*"
"""What stands for many in the key of a merged finding."""
_MERGED: Final = (Code.DENIED, Code.NEW_FLOW, Code.BYPASS, Code.NOT_ENFORCED)
_ORDER: Final = (State.CONFIRMED, State.ACKNOWLEDGED, State.RESOLVED, State.SUSPECT, State.NEW)


def merged(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with those put together that differ in their source, or destination, only.

    What counts is never hidden behind what does not: only findings of one state, new ones apart,
    are put together.

    Args:
        found: The findings.
    """
    left = list(found)
    for by_destination in (True, False):
        groups: dict[object, list[Finding]] = defaultdict(list)
        rest: list[Finding] = []
        for each in left:
            if each.members or each.key.code not in _MERGED:
                rest.append(each)
                continue
            key = each.key
            end = key.destination if by_destination else key.source
            alike = (key.code, end, key.protocol, key.port, each.sign.meant)
            groups[(*alike, each.state, each.new, by_destination)].append(each)
        for some in groups.values():
            rest += [_one(some, by_destination=by_destination)] if len(some) >= MANY else some
        left = rest
    return tuple(_grouped(left))


def _grouped(found: Iterable[Finding]) -> Iterable[Finding]:
    """Yield findings, those of a group that its check named as one."""
    groups: dict[object, list[Finding]] = defaultdict(list)
    for each in found:
        if each.sign.group and not each.members:
            groups[(each.key.code, each.sign.group, each.state, each.new)].append(each)
        else:
            yield each
    for some in groups.values():
        if len(some) < MANY:
            yield from some
            continue
        if some[0].key.code is Code.UNUSED:
            yield _policy(some)
            continue
        first = some[0]
        names = [str(w) for each in some for w in each.sign.workloads]
        key = replace(first.key, source=f"{first.sign.namespaces[0]}/{ANY}")
        message = first.sign.message.replace(names[0], few(names), 1)
        sign = _joined(
            some,
            key,
            message.replace("it reaches", "they reach").replace("reaches it", "reaches them"),
        )
        yield _finding(some, sign)


def _policy(some: Sequence[Finding]) -> Finding:
    """Return the parts of one policy that nobody uses any more as one finding."""
    first = some[0]
    (said,) = first.sign.group
    briefs = [each.sign.brief for each in some]
    key = replace(first.key, destination=ANY, port="")
    head = f"{plural(len(some), 'part')} of {said} are not used any more"
    joined = _joined(some, key, f"{head}: {few(briefs)}")
    atom = None if joined.atom is None else replace(joined.atom, text=said)
    remove = Step(f"take out of {said} what is {few(briefs, len(briefs))}")
    return _finding(some, replace(joined, atom=atom, remove=remove))


def _one(some: Sequence[Finding], *, by_destination: bool) -> Finding:
    first = some[0]
    key = first.key
    many = [each.key.source if by_destination else each.key.destination for each in some]
    names = few(map(shown, many))
    if by_destination:
        key = replace(key, source=ANY)
        head = f"{plural(len(many), 'caller')} ({names}) -> {shown(key.destination)}"
    else:
        key = replace(key, destination=ANY)
        head = f"{shown(key.source)} -> {plural(len(many), 'destination')} ({names})"
    rest = first.sign.message.partition(" on ")[2]
    return _finding(some, _joined(some, key, f"{head} on {rest}"))


def _joined(some: Sequence[Finding], key: Key, message: str) -> Sign:
    signs = [each.sign for each in some]
    course = Course.together(each.course for each in signs)
    worst = max((each.severity for each in signs), key=lambda severity: severity.rank)
    return replace(
        signs[0],
        key=key,
        severity=worst,
        message=message,
        workloads=tuple(dict.fromkeys(w for each in signs for w in each.workloads)),
        course=course,
        evidence=(
            *_sum(course),
            *tuple(dict.fromkeys(e for each in signs for e in each.evidence))[:MANY],
        ),
        namespaces=tuple(dict.fromkeys(n for each in signs for n in each.namespaces)),
        allow=steps(each.allow for each in signs),
        remove=steps(each.remove for each in signs),
    )


def _sum(course: Course) -> Iterable[Evidence]:
    """Yield how much was seen of all of it: what follows is said of each."""
    if course.total:
        times, hours = plural(course.total, "connection"), plural(len(course.hours), "hour")
        yield Evidence(f"{times} in {hours}, all of them together")


def steps(some: Iterable[Step | None]) -> Step | None:
    """Return what settles each of some findings, as one step.

    Objects of which each step says only what it would change itself are told by these changes:
    applied one after the other, each would take back the one before.
    """
    known = [each for each in some if each is not None]
    if not known:
        return None
    texts = few(dict.fromkeys(each.text for each in known))
    if any(each.lines for each in known):
        lines = dict.fromkeys(each.lines or each.manifest for each in known)
        return Step(texts, "", "".join(lines))
    manifests = [each.manifest for each in known if each.manifest]
    objects = all(each.startswith("apiVersion:") for each in manifests)
    return Step(texts, ("---\n" if objects else "").join(manifests))


def _finding(some: Sequence[Finding], sign: Sign) -> Finding:
    first = some[0]
    return replace(
        first,
        sign=sign,
        first=min((e.first for e in some if e.first is not None), default=None),
        last=max((e.last for e in some if e.last is not None), default=None),
        confirmed=min((e.confirmed for e in some if e.confirmed is not None), default=None),
        resolved=max((e.resolved for e in some if e.resolved is not None), default=None),
        members=tuple(each.sign for each in some),
    )


def order(found: Finding) -> tuple[object, ...]:
    """Return by what findings are sorted: what counts first, then the worst."""
    return (
        not found.counts,
        _ORDER.index(found.state),
        -found.sign.severity.rank,
        int(found.key.code.removeprefix("D")),
        found.key,
    )
