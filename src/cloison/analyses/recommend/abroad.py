"""Calls across the border of the cluster: by name where that is known, else by their addresses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address

from cloison.algebra import AddressSet
from cloison.analyses.draft.model import Hint
from cloison.analyses.ends import AddressEnd, NameEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.past.link import Link
from cloison.analyses.past.outside import PRIVATE
from cloison.analyses.recommend.covering import addresses
from cloison.analyses.recommend.evidence import day_of
from cloison.analyses.recommend.outside import FEWEST, Block, merged
from cloison.analyses.recommend.peculiar import LINK_LOCAL
from cloison.analyses.recommend.spelling import Spelling, naming, port_key, port_of
from cloison.analyses.reconcile.seen import Outside
from cloison.intent import Contract, ContractEnd, Dependency, EndForm, External, Port
from cloison.ir.names import host_name

_LOOK_AGAIN = timedelta(days=90)
"""How long a list of addresses is taken to stay right."""

Inside = PodsEnd | SomeNodeEnd


@dataclass(frozen=True)
class Wanted:
    """Calls between somebody inside and one end outside.

    Args:
        inside: Who is inside.
        out: Whether that is who calls.
        port: With what.
        host: The DNS name outside; None where no record says one.
        links: What was seen.
        hints: What manifests say.
    """

    inside: Inside
    out: bool
    port: Port
    host: str | None = None
    links: tuple[Link, ...] = ()
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True)
class Found:
    """A dependency across the border, and the external that it names.

    Args:
        entry: The dependency.
        external: What is outside.
        links: What was seen of it.
        hints: What manifests say of it.
        notes: What else there is to know of it.
        review: The day by which somebody has to look at it again.
        widened: How many addresses are let through that were not seen.
    """

    entry: Dependency
    external: External
    links: tuple[Link, ...]
    hints: tuple[Hint, ...]
    notes: tuple[str, ...] = ()
    review: date | None = None
    widened: int = 0


def wanted(link: Link, hints: tuple[Hint, ...] = ()) -> Wanted | None:
    """Return an observed edge across the border; None for one that has no end inside."""
    out = isinstance(link.destination, Outside)
    inside, beyond = (link.source, link.destination) if out else (link.destination, link.source)
    if not isinstance(inside, PodsEnd | SomeNodeEnd) or not isinstance(beyond, Outside):
        return None
    return Wanted(inside, out, port_of(link), host_of(beyond) if out else None, (link,), hints)


def host_of(end: Outside) -> str | None:
    """Return the DNS name that an end outside was looked up by; None where it was not."""
    if isinstance(end.name, NameEnd):
        return host_name(end.name.text.removeprefix("dns:"))
    if isinstance(end.name, AddressEnd) and end.name.name is not None:
        return host_name(end.name.name)
    return None


@dataclass(frozen=True)
class Border:
    """Writes calls across the border as dependencies.

    Args:
        contract: Whose externals there are already.
        spelling: Writes ends.
        own: What may be the cluster's own addresses.
        names: Whether the language has DNS names.
        unsaid: Options that would say which addresses are the cluster's own, where none did.
    """

    contract: Contract
    spelling: Spelling
    own: AddressSet
    names: bool
    unsaid: tuple[str, ...] = ()

    def found(self, every: Iterable[Wanted]) -> Iterator[Found]:
        """Yield the dependencies that some calls come to; nothing for names without addresses."""
        sides: dict[tuple[str, bool], list[Wanted]] = defaultdict(list)
        for each in every:
            sides[self.spelling.end(each.inside).text, each.out].append(each)
        for (text, out), some in sorted(sides.items(), key=lambda item: item[0]):
            inside = self.spelling.end(some[0].inside)
            named, rest = self._by_name(some) if self.names and out else ({}, some)
            for host, here in sorted(named.items()):
                yield self._named(inside, host, here)
            yield from self._blocks(inside, text, rest, out=out)

    def _by_name(self, some: Sequence[Wanted]) -> tuple[dict[str, list[Wanted]], list[Wanted]]:
        """Return calls by the name outside, and those to addresses that no name is known for."""
        named: dict[str, list[Wanted]] = defaultdict(list)
        held: dict[str, AddressSet] = defaultdict(AddressSet)
        for each in some:
            if each.host is not None:
                named[each.host].append(each)
                for link in each.links:
                    held[each.host] |= addresses(link)
        rest: list[Wanted] = []
        for each in some:
            if each.host is not None:
                continue
            seen = AddressSet(span for link in each.links for span in addresses(link).spans)
            whose = [h for h, known in sorted(held.items()) if seen and seen <= known]
            ports = {h: {e.port for e in named[h] if e.links} for h in whose}
            host = next((h for h in whose if each.port in ports[h]), None)
            (rest if host is None else named[host]).append(each)
        return named, rest

    def _named(self, inside: ContractEnd, host: str, some: Sequence[Wanted]) -> Found:
        external = self._known(host) or External(self._free(naming_of(host)), (), (host,))
        ports = tuple(sorted({each.port for each in some}, key=port_key))
        return self._made(inside, external, ports, some, out=True)

    def _known(self, host: str) -> External | None:
        alone = ((e, e.hosts == (host,) and not e.cidrs) for e in self.contract.externals)
        return next((e for e, good in alone if good and e.ranges is None), None)

    def _blocks(
        self, inside: ContractEnd, text: str, some: Sequence[Wanted], *, out: bool
    ) -> Iterator[Found]:
        """Yield calls by addresses, those with the same ones together."""
        by_port: dict[Port, list[Wanted]] = defaultdict(list)
        for each in some:
            by_port[each.port].append(each)
        alike: dict[tuple[Block, ...], list[Port]] = defaultdict(list)
        for port in sorted(by_port, key=port_key):
            blocks = merged(days(link for each in by_port[port] for link in each.links), self.own)
            if blocks:
                alike[blocks].append(port)
        for blocks, ports in alike.items():
            said = "-".join(each.text.replace("/", "-").lower() for each in ports)
            name = self._free(f"{naming_of(text)}-{'out' if out else 'in'}-{said}")
            here = [each for port in ports for each in by_port[port]]
            hosts = sorted({each.host for each in here if each.host is not None})
            review = _review(here)
            notes = [f"it is {', '.join(hosts)}, whose addresses may move"] if hosts else []
            told = AddressSet(s for each in blocks for s in AddressSet.block(each.cidr).spans)
            if self.unsaid and len(blocks) >= FEWEST and told & PRIVATE:
                options = ", ".join(self.unsaid)
                why = "as any may be a pod's, a Service's or a node's"
                notes.append(f"no block is made of them, {why}: say {options}")
            if told <= LINK_LOCAL:
                notes.append("it is on the node itself, or its link")
                review = None
            elif review is not None:
                notes.append(f"look again by {review}: addresses change hands")
            external = External(name, tuple(each.cidr for each in blocks), review=review)
            widened = sum(each.widened for each in blocks)
            yield self._made(
                inside,
                external,
                tuple(ports),
                here,
                out=out,
                notes=notes,
                review=review,
                widened=widened,
            )

    def _made(
        self,
        inside: ContractEnd,
        external: External,
        ports: tuple[Port, ...],
        some: Sequence[Wanted],
        *,
        out: bool,
        notes: Sequence[str] = (),
        review: date | None = None,
        widened: int = 0,
    ) -> Found:
        beyond = ContractEnd(EndForm.EXTERNAL, f"external:{external.name}", external.name)
        source, destination = (inside, beyond) if out else (beyond, inside)
        entry = Dependency(naming(source.text, destination.text), source, destination, ports)
        links = {each.key: each for one in some for each in one.links}
        hints = dict.fromkeys(hint for each in some for hint in each.hints)
        return Found(
            entry,
            external,
            tuple(links[key] for key in sorted(links)),
            tuple(hints),
            tuple(notes),
            review,
            widened,
        )

    def _free(self, name: str) -> str:
        taken = {each.name for each in self.contract.externals}
        return f"{name}-seen" if name in taken else name


def naming_of(text: str) -> str:
    """Return the name of an external by what is outside.

    >>> naming_of("api.example.com"), naming_of("*.example.com")
    ('api-example-com', 'any-example-com')
    """
    plain = text.replace("*", "any").lower()
    return "-".join(filter(None, "".join(c if c.isalnum() else "-" for c in plain).split("-")))


def days(links: Iterable[Link]) -> Mapping[str, frozenset[int]]:
    """Return on which days each address outside was seen."""
    found: dict[str, set[int]] = defaultdict(set)
    for link in links:
        side = 1 if isinstance(link.destination, Outside) else 0
        for seen in link.seen:
            end = seen.ends[side]
            if end.ip is None or seen.became == "denied" or not _is_address(end.ip):
                continue
            hours = seen.course.hours if seen.course is not None else ()
            found[end.ip].update(hour // 24 for hour in hours)
            if not hours and seen.first is not None:
                found[end.ip].add(day_of(seen.first))
    return {text: frozenset(some) for text, some in found.items()}


def _review(some: Iterable[Wanted]) -> date | None:
    last = [t for each in some for link in each.links if (t := link.last()) is not None]
    if not last:
        return None
    return (datetime.fromtimestamp(max(last) / 1_000_000, UTC) + _LOOK_AGAIN).date()


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
