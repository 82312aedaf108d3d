"""`map --exposure` for people: who could get in, or be reached, that is not here yet."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from cloison.algebra import LabelSelector, LabelSet, Requirement, ValueSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.exposure import (
    ACCOUNT,
    NODE,
    Exposure,
    Homes,
    Opening,
    Region,
    is_open,
    sort_key,
)
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Direction
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import count, listed, wrapped
from cloison.report.text.map import Words, columns
from cloison.report.text.requests import asks
from cloison.resources.objects import ACCOUNT_NAME_LABEL, NAMESPACE_NAME_LABEL

_TITLES = {
    (True, Direction.INGRESS): "OPEN to any pod that somebody creates, whatever its labels:",
    (True, Direction.EGRESS): "OPEN towards any pod that somebody creates, whatever its labels:",
    (False, Direction.INGRESS): "Reachable from pods that somebody creates with these labels:",
    (False, Direction.EGRESS): "Free to reach pods that somebody creates with these labels:",
}
_SUMS = {
    Direction.INGRESS: (
        "can be reached",
        "by any pod of a new namespace",
        "only by pods with the labels above",
        "by no pod that is not in the input",
    ),
    Direction.EGRESS: (
        "can reach",
        "any pod of a new namespace",
        "only pods with the labels above",
        "no pod that is not in the input",
    ),
}
"""The verb, and what it is said of."""
_KEYS = {f"{ACCOUNT}{ACCOUNT_NAME_LABEL}": ACCOUNT.rstrip("/")}
"""Keys that go by a shorter name here."""
_FEW = 3
"""Namespaces that are left out by name, however many are left."""


def lines(result: Exposure, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of an exposure."""
    if not result.ends:
        yield "no workload was read, so nothing is exposed"
        yield from closing(about, look)
        return
    words = Words(result.ends)
    spoken = _sections(result)
    for title, said in _TITLES.items():
        if title in spoken:
            wide, direction = title
            yield look.paint(said, "bold", *(["red"] if wide else []))
            rows = [_row(o, m, direction, result.homes, words) for o, m in spoken[title]]
            yield from columns([("FROM", "TO", "TRAFFIC")], rows, look)
            yield ""
    yield from wrapped(" ".join(_sums(result)), look)
    if any(not o.sure for e in result.exposed for o in e.openings):
        yield "? nobody can say: the specification is silent or a fact is missing"
    for caveat in _caveats(result):
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    yield from closing(about, look)


Row = tuple[list[str], list[str], str]
Section = list[tuple[Opening, tuple[EndRef, ...]]]


def _sections(result: Exposure) -> dict[tuple[bool, Direction], Section]:
    """Return the openings by what they are to the reader, each with all who have it."""
    found: dict[tuple[bool, Direction], dict[Opening, set[EndRef]]] = defaultdict(
        lambda: defaultdict(set)
    )
    for each in result.exposed:
        for opening in each.openings:
            found[is_open(opening.region), each.direction][opening].update(each.members)
    return {
        title: sorted(
            ((o, tuple(sorted(m, key=lambda end: end.sort_key))) for o, m in held.items()),
            key=lambda item: (sort_key(item[0]), [m.sort_key for m in item[1]]),
        )
        for title, held in found.items()
    }


def _row(
    opening: Opening,
    members: tuple[EndRef, ...],
    direction: Direction,
    homes: Homes,
    words: Words,
) -> Row:
    there, here = [peer_words(opening.region, homes)], words.of(members)
    traffic = f"{opening.traffic}{'' if opening.sure else ' ?'}{asks(opening.requests)}"
    return (there, here, traffic) if direction is Direction.INGRESS else (here, there, traffic)


def peer_words(region: Region, homes: Homes) -> str:
    """Return what to call the pods of a region.

    >>> from cloison.ir.policy import PodsMatch
    >>> peer_words(Region.of(PodsMatch(pods=LabelSelector.of({"app": "web"}))), Homes({}))
    'app=web in any namespace'
    """
    who = _either(region.pods) or "any pod"
    but = region.excepted()
    if len(but) == 1:
        who += f" but {_said(but[0])}"
    elif but:
        who += f" but those of {len(but)} selectors"
    return f"{who} in {_where(region, homes)}"


def _where(region: Region, homes: Homes) -> str:
    """Return what to call the namespaces of a region; short where that says the same."""
    rest = region.namespaces.where(NAMESPACE_NAME_LABEL, ValueSet(complement=True))
    kind = _either(rest)
    said = sorted(n for n in region.names.values if n is not None)
    if not region.names.complement:
        names = f"namespace{'s' if len(said) > 1 else ''} {listed(said)}"
        return f"{names} if labelled {kind}" if kind else names
    every = f"namespaces labelled {kind}" if kind else "any namespace"
    if not said:
        return every
    left = [n for n in sorted(homes.labels) if region.namespaces.matches(homes.labels[n])]
    if any(n not in homes.labels for n in said) or (left and len(said) <= max(_FEW, len(left))):
        return f"{every} but {listed(said)}"
    new = f"new namespaces labelled {kind}" if kind else "any new namespace"
    return f"{new}, or in {listed(left)}" if left else new


def _either(labels: LabelSet) -> str:
    return " or ".join(_said(s) for s in labels.selectors())


def _said(selector: LabelSelector) -> str:
    """Return a selector with room between its parts, where a column may break."""
    shown = (replace(r, key=_KEYS.get(r.key, r.key)) for r in selector.requirements)
    return ", ".join(map(str, shown))


def _sums(result: Exposure) -> Iterator[str]:
    """Yield sentences that say what it comes to, each with its numbers."""
    for direction, (verb, *whats) in _SUMS.items():
        asked = result.asked.get(direction, ())
        if not asked:
            continue
        wide: set[EndRef] = set()
        some: set[EndRef] = set()
        for each in result.exposed:
            if each.direction is direction:
                is_wide = any(is_open(o.region) for o in each.openings)
                (wide if is_wide else some).update(each.members)
        numbers = (len(wide), len(some), len(asked) - len(wide) - len(some))
        said = [f"{n} {what}" for n, what in zip(numbers, whats, strict=True) if n]
        said[0] = said[0].replace(" ", f" {verb} ", 1)
        yield f"Of {count(len(asked), 'workload')}, {', '.join(said)}."
        bound = len(wide | some) - len(_freely(result, direction))
        if bound:
            yield f"{bound} of them {verb} with some requests only."
    keys = {r.key for e in result.exposed for o in e.openings for r in _requirements(o.region)}
    if any(key.startswith((ACCOUNT, NODE)) for key in keys):
        yield "@account is the pod's service account or a label of it, @node the node it runs on."
    if any(len(o.region.excepted()) > 1 for e in result.exposed for o in e.openings):
        yield "The selectors that are left out are in -o json."
    if result.partial:
        yield "Other exposure was not asked for."
    if result.exposed:
        yield (
            "Whoever may create a pod chooses its labels; whoever may create a namespace chooses "
            "its labels and answers to no policy of another one."
        )


def _freely(result: Exposure, direction: Direction) -> set[EndRef]:
    """Return the workloads that are open with every request, to somebody on some port."""
    return {
        member
        for each in result.exposed
        if each.direction is direction and any(o.requests is None for o in each.openings)
        for member in each.members
    }


def _requirements(region: Region) -> Iterator[Requirement]:
    """Iterate over what is asked of the pods of a region."""
    for selector in (*region.pods.selectors(), *region.excepted()):
        yield from selector.requirements


def _caveats(result: Exposure) -> list[Caveat]:
    used = (c for e in result.exposed for o in e.openings for c in o.caveats)
    return sorted({*result.caveats, *used})
