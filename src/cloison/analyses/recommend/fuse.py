"""Flows, manifests and contract as one contract, and what somebody has to be asked."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from cloison.analyses.draft.model import Edge, Hint, Outside, Party
from cloison.analyses.ends import End, PodsEnd
from cloison.analyses.past.link import Link
from cloison.analyses.past.sorts import Judged, Sort, judged
from cloison.analyses.recommend.abroad import Border, Wanted, wanted
from cloison.analyses.recommend.asked import (
    asides,
    asked,
    expired,
    nameless,
    strangers,
    unbounded,
    unheld,
)
from cloison.analyses.recommend.basis import Basis
from cloison.analyses.recommend.covering import Let, addresses
from cloison.analyses.recommend.evidence import counts, evidence
from cloison.analyses.recommend.known import Known
from cloison.analyses.recommend.model import Backed, Evidence, Fused, OfPlatform, Question
from cloison.analyses.recommend.outside import own_addresses, unsaid
from cloison.analyses.recommend.peculiar import Peculiar
from cloison.analyses.recommend.scattered import scattered
from cloison.analyses.recommend.spelling import (
    EVERY_NODE,
    naming,
    port_of,
    ranges,
)
from cloison.analyses.reconcile.seen import NODES
from cloison.analyses.reconcile.seen import Outside as Beyond
from cloison.analyses.reconcile.sources import Sort as Source
from cloison.base.words import plural
from cloison.intent import (
    ContractEnd,
    Dependency,
    External,
    Port,
)
from cloison.resources.world import WorkloadId

PROBES = "probes"


def fuse(known: Known) -> Fused:
    """Return flows, manifests and contract as one contract, and what somebody has to be asked.

    Args:
        known: What is known.
    """
    return _Fuse(known, Basis(known)).fused()


@dataclass
class _Call:
    """Calls between two ends inside that nobody wrote into the contract; lives for one fusion."""

    source: ContractEnd
    destination: ContractEnd
    ports: set[Port] = field(default_factory=set)
    links: dict[object, Link] = field(default_factory=dict)
    hints: dict[Hint, None] = field(default_factory=dict)
    to: WorkloadId | None = None
    notes: dict[str, None] = field(default_factory=dict)


@dataclass
class _Fuse:
    """Puts one contract together; lives for one call."""

    known: Known
    basis: Basis
    links_of: dict[str, dict[object, Link]] = field(default_factory=lambda: defaultdict(dict))
    hints_of: dict[str, dict[Hint, None]] = field(default_factory=lambda: defaultdict(dict))
    of_platform: dict[str, dict[object, Link]] = field(default_factory=lambda: defaultdict(dict))
    calls: dict[tuple[str, str], _Call] = field(default_factory=dict)
    abroad: list[Wanted] = field(default_factory=list)
    externals: dict[str, External] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)

    def fused(self) -> Fused:
        known = self.known
        basis = self.basis
        links, aside = self._apart()
        sorts = judged(
            links, known.watch, basis.meant, basis.said, lambda e: bool(basis.hinted.of(e))
        )
        told, many = self._unbounded(tuple(map(self._sayable, sorts)))
        refused = {each.link.key for each in told if self._refused(each)}
        self._manifests(refused)
        for each in told:
            self._place(each)
        self._balanced()
        asking, nobodys = self._nobodys(self._asking(told))
        self.questions += asked(asking, self.basis.spelling, self.basis.hints_of)
        self.questions += many
        backed = [*self._contracted(), *self._inside(), *self._beyond()]
        self.questions += (*unheld(nobodys), *strangers(known.strangers))
        contract = replace(
            self.basis.ground,
            dependencies=tuple(each.entry for each in backed),
            externals=(
                *self.basis.ground.externals,
                *(e for _, e in sorted(self.externals.items())),
            ),
        )
        return Fused(
            contract,
            tuple(backed),
            tuple(self.questions),
            tuple(
                OfPlatform(role, tuple(links[key] for key in sorted(links, key=str)))
                for role, links in sorted(self.of_platform.items())
            ),
            tuple(asides(aside)),
            known.watch,
            self._called(),
        )

    def _called(self) -> dict[WorkloadId, frozenset[WorkloadId]]:
        """Return whom CronJobs are known to call, besides what the platform lets everybody call."""
        found: dict[WorkloadId, set[WorkloadId]] = defaultdict(set)
        for each in (*self.basis.covers.every, *self.basis.hinted.every):
            if (
                each.name
                and isinstance(each.source, PodsEnd)
                and isinstance(each.destination, PodsEnd)
            ):
                caller = each.source.workload.id
                if caller.kind == "CronJob":
                    found[caller].add(each.destination.workload.id)
        return {name: frozenset(some) for name, some in sorted(found.items())}

    # Who means what was seen

    @cached_property
    def _peculiar(self) -> Peculiar:
        return Peculiar(self.known.engine, self.known.clinic.site)

    def _apart(self) -> tuple[list[Link], list[tuple[Link, str]]]:
        """Return the edges to judge, and those that are set aside, with the reason."""
        links: list[Link] = []
        aside: list[tuple[Link, str]] = []
        for link in self.basis.links:
            why = self._peculiar.aside(link)
            if why is None or self.basis.covers.of(link):
                links.append(link)
            else:
                aside.append((link, why))
        return links, aside

    def _nobodys(self, asking: Iterable[Judged]) -> tuple[list[Judged], list[tuple[Link, str]]]:
        """Return what to ask of each pair of ends, and ends outside that nobody knows."""
        rest: list[Judged] = []
        found: list[tuple[Link, str]] = []
        for each in asking:
            why = self._peculiar.unheld(each.link)
            if why is None or each.sort is Sort.SCAN:
                rest.append(each)
            else:
                found.append((each.link, why))
        return rest, found

    def _sayable(self, each: Judged) -> Judged:
        """Return what an edge is: unclear, where nobody knows whom a rule would be about.

        That is where the language has no words for it, too.
        """
        strange = self._peculiar.asked(each.link)
        if strange is not None and each.sort is Sort.LEGITIMATE:
            return replace(each, sort=Sort.UNCLEAR, why=strange)
        if strange is not None and each.sort is not Sort.SCAN:
            return replace(each, why=f"{each.why}; {strange}")
        icmp = each.link.key.protocol.startswith("ICMP")
        if self.known.icmp or not icmp or each.sort is not Sort.LEGITIMATE:
            return each
        why = "the language has no words for ICMP; whether it passes is up to who enforces"
        return replace(each, sort=Sort.UNCLEAR, why=why)

    def _unbounded(self, told: Sequence[Judged]) -> tuple[list[Judged], list[Question]]:
        """Return edges without those on many ports that nothing declares, and what to ask of them.

        Between ends of which nothing is let through in any case, other questions are enough.
        """
        sorts = (Sort.LEGITIMATE, Sort.PERSON, Sort.UNCLEAR)
        found = {e.link.key: e for e in told if e.sort in sorts and self._let_unsaid(e.link)}
        usual = {e.link.names for e in told if e.sort is Sort.LEGITIMATE}
        questions: list[Question] = []
        done: set[object] = set()
        for links in scattered(each.link for each in found.values()):
            some = [found[each.key] for each in links]
            if any(each.names in usual for each in links):
                done.update(each.key for each in links)
                questions.append(unbounded(some, self.basis.spelling))
        return [each for each in told if each.link.key not in done], questions

    def _let_unsaid(self, link: Link) -> bool:
        let, _ = counts((link,))
        return let > 0 and self.basis.undeclared(link) and self._peculiar.asked(link) is None

    def _refused(self, each: Judged) -> bool:
        """Return whether an edge is a question, and nothing but a manifest may speak for it."""
        if each.sort is Sort.LEGITIMATE or self.basis.covers.of(each.link):
            return False
        return not self._led_in(each.link)

    def _led_in(self, link: Link) -> bool:
        """Return whether what leads clients in from outside means an edge."""
        found = self.basis.hinted.of(link)
        return isinstance(link.source, Beyond) and bool(found)

    def _asking(self, told: Iterable[Judged]) -> Iterator[Judged]:
        old = self.basis.old_covers
        for each in told:
            if old.of(each.link) and not self.basis.covers.of(each.link):
                continue
            if self._refused(each):
                yield each

    # Contract and platform

    def _place(self, each: Judged) -> None:
        """Put an edge that was seen where it belongs."""
        link = each.link
        covered = self.basis.covers.of(link)
        if covered:
            for one in covered:
                if one.name:
                    self.links_of[one.name][link.key] = link
                else:
                    self.of_platform[one.role][link.key] = link
            return
        if self.basis.old_covers.of(link) or self._refused(each):
            return
        hints = self.basis.hints_of(link)
        found = wanted(link, hints)
        if found is None:
            self._call(self._spelled(link.source), self._spelled(link.destination), link, hints)
        elif self._led_in(link):
            party = self.basis.edges[int(self.basis.hinted.of(link)[0].name)].source
            self._call(self.basis.spelling.end(party), self._spelled(link.destination), link, hints)
        else:
            self.abroad.append(found)

    def _contracted(self) -> Iterator[Backed]:
        """Yield the entries of the contract; of those that expired, ask."""
        written = {*self.basis.compiled.asked, *self.basis.compiled.refused}
        for entry in self.basis.ground.dependencies:
            if self.known.part and entry.name not in written:
                continue  # it is of other namespaces
            links = tuple(self.links_of[entry.name].values())
            hints = tuple(self.hints_of[entry.name])
            found = evidence(links, hints, self.known.watch, contract=True)
            yield Backed(entry, found, links, (*_denied(found, links),))
        for entry in self.basis.old:
            mine = [
                each
                for each in self.basis.links
                if any(one.name == entry.name for one in self.basis.old_covers.of(each))
                and not self.basis.covers.of(each)
            ]
            if mine or not self.known.part:
                self.questions.append(expired(entry, mine))

    # What nobody wrote into the contract

    def _manifests(self, refused: Iterable[object]) -> None:
        """Take what manifests say for sure, unless that is a question."""
        asked_for = {*refused}
        denied = {
            int(one.name)
            for link in self.basis.links
            if link.key in asked_for
            for one in self.basis.hinted.of(link)
        }
        for at, edge in enumerate(self.basis.edges):
            one = self.basis.let_of(edge)
            if edge not in self.basis.statics.sure or one is None:
                continue
            if not (self.basis.governs(one.source) or self.basis.governs(one.destination)):
                continue
            hints = self.basis.statics.sure[edge]
            covered = self.basis.covers.between(one.source, one.destination, one.traffic)
            for each in covered:
                self.hints_of[each.name].update(dict.fromkeys(hints))
            if not covered and at not in denied and not self.known.flows_only:
                self._told(edge, one, hints)

    def _told(self, edge: Edge, one: Let, hints: Sequence[Hint]) -> None:
        port = Port(edge.protocol, edge.port, edge.port)
        if isinstance(edge.destination, Outside) and not edge.destination.block:
            inside = one.source
            if isinstance(inside, PodsEnd):
                self.abroad.append(Wanted(inside, True, port, edge.destination.host, (), (*hints,)))
            return
        for party in (edge.source, edge.destination):
            if isinstance(party, Outside):
                self.externals[party.name] = External(party.name, (party.host,))
        ends = self.basis.spelling.end(edge.source), self.basis.spelling.end(edge.destination)
        self._call(*ends, None, hints, port, _name_of(edge.destination))

    def _spelled(self, end: End | Beyond) -> ContractEnd:
        return EVERY_NODE if isinstance(end, Beyond) else self.basis.spelling.end(end)

    def _call(
        self,
        source: ContractEnd,
        destination: ContractEnd,
        link: Link | None,
        hints: Sequence[Hint] = (),
        port: Port | None = None,
        to: WorkloadId | None = None,
    ) -> _Call:
        key = (source.text, destination.text)
        found = self.calls.setdefault(key, _Call(source, destination))
        found.hints.update(dict.fromkeys(hints))
        if link is not None:
            found.links[link.key] = link
            port = port_of(link)
            if isinstance(link.destination, PodsEnd):
                to = link.destination.workload.id
        if port is not None:
            found.ports.add(port)
        found.to = found.to or to
        return found

    def _balanced(self) -> None:
        """Let nodes in where they lead clients in with an address of their own."""
        for each in self.basis.assumed:
            if each.sort is not Source.BALANCER or each.source != NODES:
                continue
            to = each.destination
            if not isinstance(to, PodsEnd) or not self.basis.governs(to):
                continue
            if self.basis.covers.between(NODES, to, each.traffic):
                continue
            for entry in each.traffic.entries():
                number, last = entry.low, entry.high
                if (
                    number is None
                    or last is None
                    or not self.basis.opens(to, entry.protocol, number)
                ):
                    continue
                call = self._call(
                    EVERY_NODE,
                    self.basis.spelling.end(to),
                    None,
                    (),
                    Port(entry.protocol, number, last),
                    to.workload.id,
                )
                call.notes[f"{each.of}: {each.why}"] = None

    def _inside(self) -> Iterator[Backed]:
        """Yield calls inside the cluster as dependencies."""
        for key in sorted(self.calls):
            call = self.calls[key]
            links = tuple(call.links[each] for each in sorted(call.links, key=str))
            told = evidence(links, tuple(call.hints), self.known.watch)
            ports = ranges(call.ports, self.basis.declared(call.to))
            name = self._free(naming(*key))
            entry = Dependency(name, call.source, call.destination, ports)
            notes = (*call.notes, *_denied(told, links))
            yield Backed(entry, told, links, notes)

    def _beyond(self) -> Iterator[Backed]:
        """Yield calls across the border as dependencies."""
        # No block has an address that is asked about, nor one that may be the cluster's own.
        apart = own_addresses(self.known.engine)
        for question in self.questions:
            for link in question.links:
                apart |= addresses(link)
        border = Border(
            self.basis.ground,
            self.basis.spelling,
            apart,
            self.known.names,
            unsaid(self.known.engine),
        )
        done: set[Hint] = set()
        for each in border.found(self.abroad):
            self.externals.setdefault(each.external.name, each.external)
            if each.external in self.basis.ground.externals:
                del self.externals[each.external.name]
            done.update(each.hints)
            told = evidence(each.links, each.hints, self.known.watch)
            name = self._free(each.entry.name)
            entry = replace(each.entry, name=name)
            notes = (*each.notes, *_denied(told, each.links))
            yield Backed(entry, told, each.links, notes, each.review, each.widened)
        for one in self.abroad:
            if not one.links and not done.issuperset(one.hints):
                self.questions.append(nameless(self.basis.spelling.end(one.inside).text, one))

    @cached_property
    def taken(self) -> set[str]:
        return {each.name for each in self.basis.ground.dependencies}

    def _free(self, name: str) -> str:
        found, number = name, 2
        while found in self.taken:
            found, number = f"{name}-{number}", number + 1
        self.taken.add(found)
        return found


def _denied(found: Evidence, links: Iterable[Link]) -> Iterator[str]:
    """Yield what there is to know of calls that policy stopped, or would, though they are let."""
    if found.denied:
        yield f"policy denied {plural(found.denied, 'connection')} of it"
    audited = sum(each.count("audited") for each in links)
    if audited:
        times = plural(audited, "connection")
        yield f"policy audited {times} of it: enforced, it would have denied them"


def _name_of(party: Party) -> WorkloadId | None:
    return party if isinstance(party, WorkloadId) else None
