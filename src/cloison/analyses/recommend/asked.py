"""What somebody is asked: calls that are not let through unless they are written down."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from cloison.analyses.draft.model import Hint
from cloison.analyses.past.link import Link
from cloison.analyses.past.sorts import Judged, Sort
from cloison.analyses.recommend.abroad import Wanted
from cloison.analyses.recommend.evidence import counts
from cloison.analyses.recommend.model import Aside, Asking, Question
from cloison.analyses.recommend.scattered import proposed
from cloison.analyses.recommend.spelling import Spelling, naming
from cloison.analyses.reconcile.pairs import Unplaced
from cloison.analyses.reconcile.seen import Outside, Seen
from cloison.base.words import few, plural
from cloison.intent import Dependency
from cloison.resources.names import printable

_SORTS = {
    Sort.DENIED: Asking.DENIED,
    Sort.PERSON: Asking.PERSON,
    Sort.SCAN: Asking.SCAN,
    Sort.UNCLEAR: Asking.UNCLEAR,
}
_LET = ("allowed", "audited")


def asked(
    told: Iterable[Judged], spelling: Spelling, hinted: Callable[[Link], tuple[Hint, ...]]
) -> Iterator[Question]:
    """Yield a question for each pair of ends, one for all of a scan, and one for all from outside.

    Args:
        told: Edges that are not let through, and what they are.
        spelling: Writes ends.
        hinted: What manifests say of an edge.
    """
    groups: dict[tuple[Asking, str, str], list[Judged]] = defaultdict(list)
    for each in told:
        asking = _SORTS[each.sort]
        source, destination = each.link.names
        if asking is Asking.SCAN:
            destination = ""
        elif asking is Asking.PERSON and isinstance(each.link.source, Outside):
            # The internet has many addresses; one after the other, they all come by.
            source = ""
        groups[asking, source, destination].append(each)
    order = [*Asking]
    for (asking, source, destination), some in sorted(
        groups.items(), key=lambda item: (order.index(item[0][0]), item[0][1:])
    ):
        links = tuple(each.link for each in some)
        hints = {hint.said for link in links for hint in hinted(link)}
        why = _why(some) + (f"; {few(hints)}" if hints else "")
        who = [source or few({link.names[0] for link in links})]
        who.append(destination or few({link.names[1] for link in links}))
        several = len({link.names for link in links}) > 1
        write = None if asking is Asking.SCAN or several else spelling.write(links)
        yield _question(asking, (who[0], who[1]), why, links, write)


def _why(told: Sequence[Judged]) -> str:
    """Return why edges are asked about; what is said of one is not said of all."""
    first = told[0]
    if len(told) == 1 or first.sort is Sort.SCAN:
        return first.why
    times = plural(sum(counts([each.link for each in told])), "connection")
    each = few(dict.fromkeys(one.why for one in told))
    sources = {one.link.key.source for one in told}
    if len(sources) > 1:
        return f"{times} from {len(sources)} addresses, of each: {each}"
    return f"{times} on {plural(len(told), 'port')}, of each: {each}"


def unbounded(some: Sequence[Judged], spelling: Spelling) -> Question:
    """Return the question for edges of one pair of ends on many ports that nothing declares."""
    links = tuple(each.link for each in some)
    ports = sorted({each.key.port for each in links})
    spans = proposed(links[0].key.protocol, ports)
    held = sum((each.last or 0) - (each.first or 0) + 1 for each in spans)
    said = ", ".join(each.text for each in spans)
    why = (
        f"{plural(counts(links)[0], 'connection')} on {len(ports)} ports that no container or "
        "Service declares, as of a protocol that chooses one each time: rules for these alone "
        f"break with the next; {said} would do, and holds {held - len(ports)} that were not seen"
    )
    besides = few(dict.fromkeys(e.why for e in some if e.sort is not Sort.LEGITIMATE))
    why += f"; of some: {besides}" if besides else ""
    ends = tuple(few(dict.fromkeys(each.names[side] for each in links)) for side in (0, 1))
    write = spelling.entry(links, spans)
    return _question(Asking.UNCLEAR, (ends[0], ends[1]), why, links, write)


def expired(entry: Dependency, links: Sequence[Link]) -> Question:
    """Return the question for an entry of the contract that counts no more."""
    seen = "it is still used" if any(each.allowed for each in links) else "nobody saw it used"
    why = f"dependency {entry.name!r} expired on {entry.expires}, and {seen}"
    write = f"a later `expires` for {entry.name!r}, or nothing"
    ends = (entry.source.text, entry.destination.text)
    return _question(Asking.EXPIRED, ends, why, tuple(links), write)


def nameless(source: str, one: Wanted) -> Question:
    """Return the question for a name outside that the language cannot say."""
    said = few([hint.said for hint in one.hints])
    why = f"{said}; nothing shows its addresses, and the language has no names"
    host = one.host or ""
    port = one.port.text
    write = (
        f"- {{name: {naming(source, host)}, from: {source}, to: external:NAME, ports: [{port}], "
        "owner: WHO, reason: WHY}, with its blocks under `externals`"
    )
    return Question(Asking.UNCLEAR, (source, f"{host}:{port}"), why, write=printable(write))


def unheld(told: Iterable[tuple[Link, str]]) -> Iterator[Question]:
    """Yield a question for each end inside and reason, of ends outside that nobody knows.

    Args:
        told: Edges, and why their end outside is somebody inside that the input does not hold.
    """
    for why, links in _together(told):
        said, ends = f"{plural(len(links), 'edge')}: {why}", _ends(links)
        yield _question(Asking.STRANGER, ends, said, links, None)


def asides(told: Iterable[tuple[Link, str]]) -> Iterator[Aside]:
    """Yield edges that policies of pods are not about, those of one end and reason together."""
    for why, links in _together(told):
        one, other = _ends(links)
        yield Aside((printable(one), printable(other)), why, links, counts(links)[0])


def _together(told: Iterable[tuple[Link, str]]) -> Iterator[tuple[str, tuple[Link, ...]]]:
    """Yield reasons, each with the edges of one end inside that it is of."""
    groups: dict[tuple[str, str, bool], list[Link]] = defaultdict(list)
    for link, why in told:
        out = isinstance(link.destination, Outside)
        groups[link.names[0 if out else 1], why, out].append(link)
    for (_, why, _), some in sorted(groups.items(), key=lambda item: item[0]):
        yield why, tuple(sorted(some, key=lambda each: each.key))


def _ends(links: Sequence[Link]) -> tuple[str, str]:
    """Return what to call the ends of edges that have one of them in common."""
    one, other = (dict.fromkeys(link.names[side] for link in links) for side in (0, 1))
    return few(one), few(other)


def strangers(every: Iterable[Unplaced]) -> Iterator[Question]:
    """Yield a question for each reason for which edges have no place in the input."""
    groups: dict[str, list[Seen]] = defaultdict(list)
    for each in every:
        groups[each.why].append(each.seen)
    for why, some in sorted(groups.items()):
        let = sum(each.count for each in some if each.became in _LET)
        ends = (few({str(e.source) for e in some}), few({str(e.destination) for e in some}))
        yield Question(
            Asking.STRANGER,
            (printable(ends[0]), printable(ends[1])),
            f"{plural(len(some), 'edge')}: {why}",
            (),
            let,
            sum(each.count for each in some if each.became == "denied"),
            min((each.first for each in some if each.first is not None), default=None),
            max((each.last for each in some if each.last is not None), default=None),
        )


def _question(
    asking: Asking, ends: tuple[str, str], why: str, links: tuple[Link, ...], write: str | None
) -> Question:
    let, denied = counts(links)
    return Question(
        asking,
        (printable(ends[0]), printable(ends[1])),
        printable(why),
        links,
        let,
        denied,
        min((t for each in links if (t := each.first()) is not None), default=None),
        max((t for each in links if (t := each.last()) is not None), default=None),
        write,
    )
