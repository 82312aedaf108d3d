"""`portability --between` as published."""

from collections.abc import Iterator, Sequence

from cloison.analyses.between import Between, Difference
from cloison.analyses.connectivity import EndRef
from cloison.ir.fidelity import Verdict
from cloison.ir.profile import Profile
from cloison.report.about import About
from cloison.report.documents import ends, parts
from cloison.report.documents.map import cells
from cloison.report.documents.why import DecidedBy, decided_by


class Enforcer(parts.Base, frozen=True):
    """One of the two, and what all its answers here stand on."""

    name: str
    title: str
    caveats: list[parts.CaveatSaid]


class FactSaid(parts.Base, frozen=True):
    """Something the two do not agree on, and what each says.

    `edges` is false for what no edge shows: what becomes of open connections, say.
    """

    id: str
    title: str
    first: str
    second: str
    edges: bool


class Responsible(parts.Base, frozen=True):
    """What decides with each of the two, at the enforcement points that answer differently."""

    first: list[DecidedBy]
    second: list[DecidedBy]


class DifferenceSaid(parts.Base, frozen=True):
    """Traffic of which the two do not say the same.

    It goes from every one of `sources` to every one of `destinations`, never from an end to itself;
    where the two lists are the same single end, its own replicas are meant. `facts` are the ids of
    what the difference is owed to: with `alone` any one of them brings it about, otherwise all of
    them do together; an empty list where no fact is known to. `when` says with which requests, as
    in an edge of `map`, where it is not so with all. `caveats` are those that the answer
    of only one of the two stands on. With `joint`, what is responsible is so for one pair or
    another.
    """

    sources: list[parts.Endpoint]
    destinations: list[parts.Endpoint]
    traffic: list[parts.Traffic]
    first: Verdict
    second: Verdict
    when: list[str]
    facts: list[str]
    alone: bool
    responsible: Responsible
    joint: bool
    caveats: list[str]


class BetweenDocument(parts.Envelope, frozen=True):
    """Where two enforcers do not make the same of the same policies, and why."""

    first: Enforcer
    second: Enforcer
    facts: list[FactSaid]
    differences: list[DifferenceSaid]


DOCUMENT = BetweenDocument


def document(result: Between, about: About) -> BetweenDocument:
    """Return a comparison as published."""
    return BetweenDocument(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        first=_enforcer(result.first, result, first=True),
        second=_enforcer(result.second, result, first=False),
        facts=[
            FactSaid(id=f.id, title=f.title, first=f.first, second=f.second, edges=f.edges)
            for f in (*result.facts, *result.aside)
        ],
        differences=[_difference(each) for each in result.differences],
    )


def _enforcer(profile: Profile, result: Between, *, first: bool) -> Enforcer:
    known = result.caveats_first if first else result.caveats_second
    return Enforcer(name=profile.name, title=profile.title, caveats=parts.caveats(known))


def _difference(each: Difference) -> DifferenceSaid:
    return DifferenceSaid(
        sources=[ends.ref(end) for end in each.sources],
        destinations=[ends.ref(end) for end in each.destinations],
        traffic=parts.traffic(each.traffic),
        first=each.first,
        second=each.second,
        when=_when(each),
        facts=[fact.id for fact in each.facts],
        alone=each.alone,
        responsible=Responsible(
            first=[decided_by(d) for d in each.reasons.before],
            second=[decided_by(d) for d in each.reasons.after],
        ),
        joint=each.joint,
        caveats=parts.caveat_ids(each.caveats),
    )


def _when(each: Difference) -> list[str]:
    return [] if each.requests is None else [str(each.requests)]


HEADER = (
    "srcKind",
    "srcNamespace",
    "src",
    "dstKind",
    "dstNamespace",
    "dst",
    "traffic",
    "first",
    "second",
    "facts",
    "decidedFirst",
    "decidedSecond",
    "when",
)


def rows(result: Between) -> Iterator[Sequence[object]]:
    """Iterate over the edges that differ, one row each."""
    for each in result.differences:
        said = (
            str(each.traffic),
            each.first,
            each.second,
            "; ".join(fact.id for fact in each.facts),
            "; ".join(d.text for d in each.reasons.before),
            "; ".join(d.text for d in each.reasons.after),
            " and ".join(_when(each)),
        )
        for src, dst in _edges(each):
            yield (*cells(src), *cells(dst), *said)


def _edges(each: Difference) -> Iterator[tuple[EndRef, EndRef]]:
    alone = each.pairs == 1
    for src in each.sources:
        for dst in each.destinations:
            if alone or src != dst:
                yield src, dst
