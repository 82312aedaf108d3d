"""All evidence together, as a contract."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from cloison.algebra import LabelSelector
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.draft.guessed import guessed
from cloison.analyses.draft.model import (
    Doubt,
    Draft,
    Drafted,
    Edge,
    Found,
    Hint,
    Need,
    Outside,
    Party,
)
from cloison.analyses.draft.needed import needed
from cloison.analyses.draft.placing import Proposal, crossings, proposed, zones
from cloison.analyses.draft.routed import routed, scraped
from cloison.analyses.draft.ruled import ruled
from cloison.analyses.draft.seen import Observed, seen
from cloison.analyses.draft.sight import Sight
from cloison.analyses.draft.told import told
from cloison.analyses.forms import KINDS
from cloison.analyses.telling import NAMING
from cloison.intent import (
    Contract,
    ContractEnd,
    Dependency,
    EndForm,
    External,
    Placement,
    Platform,
    PodSet,
    Port,
    WorkloadMatch,
)
from cloison.intent.entries import slug
from cloison.resources.names import NameRule, is_name, printable
from cloison.resources.world import WorkloadId

_WORDS = {kind: word for word, kind in reversed(KINDS.items())}
_LONGEST = 200
_NAMELESS = "drafted"


def drafted(
    clinic: Clinic, observed: Iterable[Observed] = (), *, accept: bool = False, name: str = ""
) -> Draft:
    """Return a contract of what there is.

    Args:
        clinic: The cluster, read with `runtime`.
        observed: Edges that were seen.
        accept: Whether suggestions count at once; what names no port never does.
        name: What to call the contract; by its only namespace where empty.
    """
    sight = Sight(clinic)
    found: list[Found] = [*told(sight), *ruled(sight), *routed(sight), *scraped(sight)]
    hints = [each for each in found if isinstance(each, Hint)]
    found += seen(sight, observed, hints)
    hints = [each for each in found if isinstance(each, Hint)]
    found += guessed(sight, tuple(hints))
    found += needed(sight, tuple(hints))
    ends = _Ends(clinic)
    sure, asked = _sorted([e for e in found if isinstance(e, Hint)], accept=accept)
    used: Counter[str] = Counter()
    counting = tuple(_entries(ends, sure, used))
    open_ = tuple(_entries(ends, asked, used))
    doubts = tuple(sorted({e for e in found if isinstance(e, Doubt)}, key=lambda d: d.said))
    needs = _needs(each for each in found if isinstance(each, Need))
    places = proposed(sight, (*counting, *open_))
    crossed = tuple(crossings(places, counting))
    declared = zones(places, crossed)
    kept = {zone.name for zone in declared}
    also = tuple(each for each in crossings(places, open_) if each not in crossed)
    contract = Contract(
        (name or _name(places),),
        declared,
        tuple(ends.placement(each, said) for each, said in places.items()),
        tuple(each.entry for each in counting),
        (),
        tuple(_externals(counting, open_)),
        (),
        tuple(Platform(each) for each in needs),
    )
    remarks = {("dependencies", each.entry.name): tuple(_lines(each)) for each in counting}
    remarks |= {("platform", each): said for each, said in needs.items()}
    for each, said in places.items():
        remarks["workloads", str(ends.match(each))] = (printable(said.why),)
    homeless = tuple(each for each, said in places.items() if said.zone is None)
    wanted = tuple(each for each in also if {*each} <= kept | {"world"})
    return Draft(contract, open_, remarks, counting, homeless, doubts, wanted)


def _lines(each: Drafted) -> Iterator[str]:
    for hint in each.hints:
        yield printable(f"{hint.sure}: {hint.said}")


def _sorted(
    hints: Iterable[Hint], *, accept: bool
) -> tuple[dict[Edge, list[Hint]], dict[Edge, list[Hint]]]:
    """Return the evidence of edges that count, and of those that somebody has to confirm."""
    by_edge: dict[Edge, list[Hint]] = defaultdict(list)
    for hint in hints:
        if hint not in by_edge[hint.edge]:
            by_edge[hint.edge].append(hint)
    sure: dict[Edge, list[Hint]] = {}
    asked: dict[Edge, list[Hint]] = {}
    narrow = _narrow(by_edge)
    for edge in sorted(by_edge, key=lambda e: e.key):
        said = by_edge[edge]
        if edge in narrow:
            said = [replace(h, text=f"{h.text}; narrower calls are known", ask=True) for h in said]
        counts = accept or any(not hint.ask for hint in said)
        (sure if counts and not edge.open else asked)[edge] = said
    pairs = {(each.source, each.destination) for each in sure}
    # Whose port nobody knows is known already where another source says it.
    kept = {
        edge: said
        for edge, said in asked.items()
        if not edge.open or (edge.source, edge.destination) not in pairs
    }
    return sure, kept


def _narrow(hints: Mapping[Edge, list[Hint]]) -> set[Edge]:
    """Return the edges of every pod of a namespace where some pods of it are known to call so."""
    known = {
        (f"any:{edge.source.namespace}", edge.destination, edge.protocol, edge.port)
        for edge, said in hints.items()
        if isinstance(edge.source, WorkloadId) and any(not each.ask for each in said)
    }
    return {e for e in hints if (e.source, e.destination, e.protocol, e.port) in known}


def _entries(
    ends: "_Ends", edges: Mapping[Edge, list[Hint]], used: Counter[str]
) -> Iterator[Drafted]:
    """Yield one dependency for each pair of ends."""
    pairs: dict[tuple[Party, Party], list[Edge]] = defaultdict(list)
    for edge in edges:
        pairs[edge.source, edge.destination].append(edge)
    for (source, destination), alike in pairs.items():
        one, other = ends.end(source), ends.end(destination)
        name = slug(ends.word(source), ends.word(destination))[:_LONGEST].strip("-")
        used[name] += 1
        unique = name if used[name] == 1 else f"{name}-{used[name]}"
        ports = tuple(Port(e.protocol, e.port, e.port, e.name) for e in alike if not e.open)
        said = [replace(h, text=_on(h, several=len(alike) > 1)) for e in alike for h in edges[e]]
        said.sort(key=lambda h: (-h.sure, h.edge.port or 0, h.said))
        yield Drafted(Dependency(unique, one, other, ports), source, destination, tuple(said))


def _on(hint: Hint, *, several: bool) -> str:
    return f"{hint.edge.number}: {hint.text}" if several else hint.text


def _needs(found: Iterable[Need]) -> dict[str, tuple[str, ...]]:
    by_id: dict[str, list[str]] = defaultdict(list)
    for each in found:
        if printable(each.said) not in by_id[each.id]:
            by_id[each.id].append(printable(each.said))
    return {name: tuple(sorted(said)) for name, said in sorted(by_id.items())}


def _externals(*drafted: Iterable[Drafted]) -> Iterator[External]:
    """Yield the services outside that dependencies name, sorted."""
    found = {
        party.name: party
        for several in drafted
        for each in several
        for party in (each.source, each.destination)
        if isinstance(party, Outside)
    }
    for name, party in sorted(found.items()):
        cidrs, hosts = ((party.host,), ()) if party.block else ((), (party.host,))
        yield External(name, cidrs, hosts)


def _name(places: Mapping[WorkloadId, Proposal]) -> str:
    spaces = {name.namespace for name, said in places.items() if said.zone != "platform"}
    only = next(iter(spaces)) if len(spaces) == 1 else _NAMELESS
    return only if is_name(only, NameRule.SUBDOMAIN) else _NAMELESS


class _Ends:
    """How contracts name who is here."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        names = (each.id for each in clinic.everyone())
        self._count = Counter((each.namespace, each.name) for each in names)

    def _kind(self, name: WorkloadId) -> str | None:
        """Return the kind of a workload where its name alone does not tell it."""
        if self._count[name.namespace, name.name] <= 1:
            return None
        return _WORDS.get(name.kind, name.kind)

    def word(self, party: Party) -> str:
        """Return a party for the name of an entry."""
        if isinstance(party, WorkloadId):
            return "/".join(filter(None, (party.namespace, self._kind(party), party.name)))
        if isinstance(party, Outside):
            return party.name
        form, _, rest = party.partition(":")
        return f"{form}-{rest}" if form == EndForm.ANY.value else rest

    def end(self, party: Party) -> ContractEnd:
        """Return a party as the end of a dependency."""
        if isinstance(party, Outside):
            return ContractEnd(EndForm.EXTERNAL, f"external:{party.name}", party.name)
        if isinstance(party, str):
            form, _, rest = party.partition(":")
            return ContractEnd(EndForm(form), party, rest)
        if party in self.clinic.assumed:
            pods = PodSet(party.namespace, pods=self._labels(party))
            return ContractEnd(EndForm.PODS, str(pods), "", pods)
        text = self.word(party)
        return ContractEnd(EndForm.NAME, text, text)

    def _labels(self, name: WorkloadId) -> LabelSelector:
        """Return the fewest labels that select an assumed workload and no other one here."""
        labels = self.clinic.assumed[name].labels
        others = [
            pod.labels
            for each in self.clinic.homes[name.namespace]
            if each.id != name
            for pod in each.endpoints
        ]
        keys = sorted(labels, key=lambda key: (key not in NAMING, len(key), key))
        for size in (1, 2):
            for some in combinations(keys, size):
                found = LabelSelector.of({key: labels[key] for key in some})
                if not any(found.matches(each) for each in others):
                    return found
        return LabelSelector.of(labels)

    def match(self, name: WorkloadId) -> WorkloadMatch:
        """Return what means a workload in an entry about it."""
        if name in self.clinic.assumed:
            return WorkloadMatch(name.namespace, selector=self._labels(name))
        return WorkloadMatch(name.namespace, name.name, self._kind(name))

    def placement(self, name: WorkloadId, said: Proposal) -> Placement:
        """Return what is proposed of a workload as an entry."""
        return Placement(self.match(name), said.zone, said.kind)
