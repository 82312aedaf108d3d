"""What somebody is asked: calls that are not let through unless they are written down."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from cloison.analyses.draft.model import Hint
from cloison.analyses.past.link import Link
from cloison.analyses.past.sorts import Judged, Sort
from cloison.analyses.recommend.abroad import Wanted
from cloison.analyses.recommend.evidence import counts
from cloison.analyses.recommend.model import Asking, Question
from cloison.analyses.recommend.spelling import Spelling, naming
from cloison.analyses.reconcile.pairs import Unplaced
from cloison.analyses.reconcile.seen import Seen
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
    """Yield a question for each pair of ends, and one for all of a scan.

    Args:
        told: Edges that are not let through, and what they are.
        spelling: Writes ends.
        hinted: What manifests say of an edge.
    """
    groups: dict[tuple[Asking, str, str], list[Judged]] = defaultdict(list)
    for each in told:
        asking = _SORTS[each.sort]
        source, destination = each.link.names
        groups[asking, source, "" if asking is Asking.SCAN else destination].append(each)
    order = [*Asking]
    for (asking, source, destination), some in sorted(
        groups.items(), key=lambda item: (order.index(item[0][0]), item[0][1:])
    ):
        links = tuple(each.link for each in some)
        hints = {hint.said for link in links for hint in hinted(link)}
        why = _why(some) + (f"; {few(hints)}" if hints else "")
        whom = destination or few({link.names[1] for link in links})
        write = None if asking is Asking.SCAN else spelling.write(links)
        yield _question(asking, (source, whom), why, links, write)


def _why(told: Sequence[Judged]) -> str:
    """Return why edges are asked about; what is said of one is not said of all."""
    first = told[0]
    if len(told) == 1 or first.sort is Sort.SCAN:
        return first.why
    times = plural(sum(counts([each.link for each in told])), "connection")
    each = few(dict.fromkeys(one.why for one in told))
    return f"{times} on {plural(len(told), 'port')}, of each: {each}"


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
