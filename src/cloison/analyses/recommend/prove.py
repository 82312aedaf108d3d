"""What policies do with everything that was seen, asked of the engine that reads them back."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from cloison.algebra import TrafficSet
from cloison.analyses.contract.compile.model import Compiled
from cloison.analyses.contract.compile.peers import nodes_of, on_host
from cloison.analyses.ends import AddressEnd, End, PodsEnd
from cloison.analyses.past.link import Link, LinkKey
from cloison.analyses.recommend.covering import Covers, Let, addresses, let
from cloison.analyses.recommend.model import Fused, Proof, Unproved
from cloison.analyses.reconcile.passing import Passages
from cloison.analyses.reconcile.seen import NODES, Outside
from cloison.base import Diagnostic, Severity
from cloison.base.words import few, some
from cloison.engine import Engine
from cloison.resources.names import printable

LOST: Final = "REC001"
"""An edge that was seen and is meant, and does not pass."""
LEAKS: Final = "REC002"
"""An edge that nobody may let through unasked, and that passes."""
UNSURE: Final = "REC003"
"""An edge that was seen and is meant, of which nobody can say whether it passes."""
SOURCE: Final = "Cloison recommend"
_THEY: Final = "are questions, and the policies let them"


@dataclass(frozen=True)
class Case:
    """Policies, and what was seen.

    Args:
        fused: What they are made of.
        compiled: What that comes to.
        before: The engine whose pods the edges of that are of.
        engine: Who enforces the policies alone.
        links: What was seen, with its ends as that engine knows them.
    """

    fused: Fused
    compiled: Compiled
    before: Engine
    engine: Engine
    links: Mapping[LinkKey, Link]

    @cached_property
    def passages(self) -> Passages:
        """What passes."""
        return Passages(self.engine)

    @cached_property
    def covers(self) -> Covers:
        """What the policies are to let through."""
        return Covers(tuple(let(self.compiled.edges, self.before)))


def prove(case: Case) -> Proof:
    """Return what policies do with what was seen."""
    lost: list[Unproved] = []
    unsure: list[Unproved] = []
    expected = list(case.fused.expected)
    for link in expected:
        missing, perhaps = _missing(case, link)
        if missing:
            lost.append(Unproved(link, _why_lost(case, link)))
        elif perhaps:
            unsure.append(Unproved(link, "the input does not show who some of its ends are"))
    refused = {each.key: each for each in case.fused.refused}
    ungoverned = 0
    leaks: list[Unproved] = []
    for _, link in sorted(refused.items(), key=lambda item: item[0]):
        if not _governed(case, link):
            ungoverned += 1
        elif _passes(case, link):
            leaks.append(Unproved(link, _why_open(case, link)))
        elif _by_own_node(case, link):
            ungoverned += 1
    return Proof(len(expected), tuple(lost), tuple(unsure), len(refused), tuple(leaks), ungoverned)


def findings(proof: Proof) -> Iterator[Diagnostic]:
    """Yield what is not as it should be."""
    for each in proof.lost:
        yield _said(
            LOST,
            Severity.ERROR,
            f"{each.link.key} was seen, and the policies do not let it through: {each.why}",
            "it breaks once they are applied",
            "do not apply them before that is settled",
        )
    together: dict[tuple[tuple[str, str], str], list[Link]] = defaultdict(list)
    for each in proof.leaks:
        together[each.link.names, each.why].append(each.link)
    for ((source, destination), why), links in together.items():
        ports = some([each.key.port_text for each in links])
        what = f"{source} to {destination} on {ports}"
        are = "is a question, and the policies let it" if len(links) == 1 else _THEY
        yield _said(
            LEAKS,
            Severity.ERROR,
            f"{what} {are} through: {why}",
            "what nobody answered is open",
            "narrow the entry that lets it through, or write it into the contract",
        )
    for each in proof.unsure:
        yield _said(
            UNSURE,
            Severity.WARNING,
            f"nobody can say whether the policies let {each.link.key} through: {each.why}",
            "it may break once they are applied",
            "read what the caveats name, and ask again",
        )


def _said(code: str, severity: Severity, message: str, effect: str, help_: str) -> Diagnostic:
    return Diagnostic(code, severity, printable(message), None, None, effect, help_, SOURCE)


def _missing(case: Case, link: Link) -> tuple[TrafficSet, TrafficSet]:
    """Return what of an edge does not pass, and of what nobody can say.

    Which node calls is not kept: of nodes, what passes from the pod's own does.
    """
    one = case.links.get(link.key)
    if one is None:
        return TrafficSet(), link.traffic
    missing, perhaps = _short(case, one)
    if missing or perhaps:
        # Rules by blocks say nothing of names; what was seen had addresses.
        seen = _addressed(one)
        if seen is not None:
            return _short(case, seen)
    return missing, perhaps


def _addressed(link: Link) -> Link | None:
    """Return an edge with the addresses that its names outside had; None where it has none."""
    held = addresses(link)
    named = [isinstance(e, Outside) and e.name is not None for e in (link.source, link.destination)]
    if not held or not any(named):
        return None
    source, destination = (
        Outside(AddressEnd(f"{link.names[at]}'s addresses", held), None) if named[at] else end
        for at, end in enumerate((link.source, link.destination))
    )
    return replace(link, source=source, destination=destination)


def _short(case: Case, one: Link) -> tuple[TrafficSet, TrafficSet]:
    missing = perhaps = TrafficSet()
    for source in _ends(one.source, case):
        for destination in _ends(one.destination, case, called=True):
            found = case.passages.between(source, destination)
            passes = found.some if source == NODES else found.every
            missing |= one.traffic - passes - found.maybe
            perhaps |= (one.traffic & found.maybe) - passes
    return missing, perhaps


def _passes(case: Case, link: Link) -> bool:
    known = case.links.get(link.key)
    if known is None:
        return False
    asked = [each for each in (known, _addressed(known)) if each is not None]
    return any(
        bool(one.traffic & _some(case, source, destination))
        for one in asked
        for source in _ends(one.source, case)
        for destination in _ends(one.destination, case, called=True)
    )


def _some(case: Case, source: End, destination: End) -> TrafficSet:
    """Return what passes for some pods of two ends, and is not beyond policies."""
    if source == NODES and isinstance(destination, PodsEnd):
        return case.passages.from_other_nodes(destination)
    return case.passages.between(source, destination).some


def _by_own_node(case: Case, link: Link) -> bool:
    """Return whether an edge passes for nothing but that a node reaches its own pods."""
    known = case.links.get(link.key)
    if known is None or not isinstance(known.destination, PodsEnd):
        return False
    return _ends(known.source, case) == (NODES,) and bool(
        known.traffic & case.passages.between(NODES, known.destination).some
    )


def _ends(end: End | Outside, case: Case, *, called: bool = False) -> tuple[End, ...]:
    """Return the ends that an observed one is asked as: the name outside, else the address.

    Pods on the network of their nodes are these nodes. A node that is called is any of them.
    """
    if isinstance(end, Outside):
        every = (end.name, end.address)
        return tuple(each for each in every if each is not None)[:1]
    if isinstance(end, PodsEnd) and on_host(end.workload):
        return nodes_of(NODES, case.engine) if called else (NODES,)
    return nodes_of(end, case.engine) if called else (end,)


def _governed(case: Case, link: Link) -> bool:
    """Return whether policies were written for an end of an edge."""
    return any(
        isinstance(end, PodsEnd)
        and end.workload.id.namespace in case.compiled.namespaces
        and end.workload.id not in case.compiled.shut
        and not on_host(end.workload)
        for end in (link.source, link.destination)
    )


def _why_lost(case: Case, link: Link) -> str:
    names = [
        each.entry.name
        for each in case.fused.backed
        if any(one.key == link.key for one in each.links)
    ]
    refused = [name for name in names if name in case.compiled.refused]
    for name in refused:
        text = f"dependency {name!r}: "
        for each in case.compiled.findings:
            if each.message.startswith(text) and each.severity is Severity.ERROR:
                return each.message.removeprefix(text)
    for end in (link.source, link.destination):
        if isinstance(end, PodsEnd) and end.workload.id in case.compiled.shut:
            return f"no labels select {end.workload.id} alone"
    if names:
        return f"it is part of {few(names)}"
    return "it is what the platform does"


def _why_open(case: Case, link: Link) -> str:
    found = case.covers.of(link) or tuple(_by_address(case, link))
    names = sorted({each.name or f"platform {each.role}" for each in found})
    return f"it is part of {few(names)}" if names else "two of them together do"


def _by_address(case: Case, link: Link) -> Iterator[Let]:
    """Yield what lets blocks of addresses in, where nodes call: theirs may be among these."""
    if link.source != NODES or not isinstance(link.destination, PodsEnd):
        return
    for each in case.covers.every:
        to = each.destination
        blocks = isinstance(each.source, AddressEnd)
        same = isinstance(to, PodsEnd) and to.workload.id == link.destination.workload.id
        if blocks and same and each.traffic & link.traffic:
            yield each
