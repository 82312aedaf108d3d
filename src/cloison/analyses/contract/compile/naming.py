"""How policies name who is at the other end of a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cloison.analyses.contract.compile.carve import carved
from cloison.analyses.contract.compile.model import (
    TODAY,
    UNSAID,
    WIDENED,
    Edge,
    Notes,
    Subject,
)
from cloison.analyses.contract.compile.peers import blocks, node_addresses, on_host
from cloison.analyses.contract.compile.subjects import Subjects
from cloison.analyses.contract.ends import Ends
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.ends import AddressEnd, AnyEnd, End, NameEnd, NodeEnd, PodsEnd, SomeNodeEnd
from cloison.base import Severity
from cloison.intent import Contract, EndForm
from cloison.ir.allowlist import Known, PeerOf, Words
from cloison.ir.names import exact_name
from cloison.ir.peers import NamesMatch, PodsMatch, Relative, RelativeMatch
from cloison.resources.world import APART

Peers = tuple[PeerOf, ...] | None


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be compiled.

    Args:
        contract: The contract.
        ends: Finds what it names.
        clinic: The cluster, under who will enforce the result.
        words: What the language can say.
        prefix: What annotations begin with.
        today: The day it is.
        only: Only policies of these namespaces; of all that the contract speaks of when empty.
    """

    contract: Contract
    ends: Ends
    clinic: Clinic
    words: Words
    prefix: str
    today: date
    only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Naming:
    """Names ends in one compilation.

    Args:
        order: What is compiled.
        subjects: Finds labels of workloads.
        notes: Takes what cannot be named.
        spoken: The namespaces that policies are written for.
    """

    order: Order
    subjects: Subjects
    notes: Notes
    spoken: frozenset[str]

    def peers(self, edge: Edge, end: End, named: PeerOf | None) -> Peers:
        """Return how the other end names an end of an edge; None where it cannot, which is noted.

        Args:
            edge: The edge.
            end: The end.
            named: How the contract names it by labels, if it does.
        """
        if isinstance(named, Known):
            return (named,)
        if isinstance(end, PodsEnd) and end.workload.id.namespace == APART:
            return self._apart(edge, end)
        if isinstance(end, PodsEnd):
            return self._pods(edge, end, named)
        engine = self.order.clinic.engine
        found: Peers = None
        match end:
            case AnyEnd():
                found = (PodsMatch(namespace=end.namespace),)
            case AddressEnd() if end.name is not None and self.order.words.names:
                found = (NamesMatch((exact_name(end.name),)),)
            case AddressEnd():
                found = carved(engine, end.addresses, self.spoken, edge, end.text, self.notes)
            case NameEnd():
                found = self._named(edge, end)
            case NodeEnd():
                found = self._nodes(edge, [end.node.name], end.text)
            case SomeNodeEnd():
                found = self._nodes(edge, [None], end.text)
            case _:
                self.notes.shut(edge.entry, UNSAID, f"no policy can name {end.text}", edge.text)
        return found

    def _apart(self, edge: Edge, end: PodsEnd) -> Peers:
        """Return an end that an enforcer has besides pods."""
        name = end.workload.id.name
        if name in self.order.words.known:
            return (Known(name),)
        what = f"{self.order.words.name} has no words for {end.text}"
        advice = "compile to the language of who has that end"
        self.notes.shut(edge.entry, UNSAID, what, edge.text, advice)
        return None

    def _pods(self, edge: Edge, end: PodsEnd, named: PeerOf | None) -> Peers:
        if on_host(end.workload):
            endpoints = self.order.clinic.engine.table.endpoints
            homes = [endpoints[index].shape.node for index in end.endpoints]
            return self._nodes(edge, homes, end.text)
        if named is not None:
            return (named,)
        subject = self.subjects.of(end.workload.id)
        return None if subject is None else (pods_of(subject),)

    def _named(self, edge: Edge, end: NameEnd) -> Peers:
        language = self.order.words.name
        if self.order.words.names:
            return (NamesMatch(end.names),)
        if end.addresses:
            self.notes.of(
                edge.entry,
                TODAY,
                f"{language} has no names, and {end.text} is written by its known addresses",
                "it is not reached any more once it moves",
                "compile again whenever its addresses change",
                Severity.WARNING,
            )
            return blocks(end.addresses)
        entry = edge.entry
        if entry is not None and entry.destination.form is EndForm.EXTERNAL:
            external = self.order.contract.external(entry.destination.rest)
            if external is not None and self.order.ends.addresses(external):
                self.notes.of(
                    entry,
                    TODAY,
                    f"{language} has no names: {end.text} is left out, and the blocks of "
                    f"{entry.destination.text} are written",
                    "it is reached as long as its addresses lie in those",
                    None,
                    Severity.INFO,
                )
                return ()
        self.notes.shut(
            entry,
            UNSAID,
            f"{language} has no names, and the addresses of {end.text} are not known",
            edge.text,
            "say its blocks under `externals`, or compile to a language that has names",
        )
        return None

    def _nodes(self, edge: Edge, names: Sequence[str | None], said: str) -> Peers:
        if self.order.words.nodes:
            self.notes.of(
                edge.entry,
                WIDENED,
                f"{self.order.words.name} does not tell {said} from other nodes",
                "every node is let through on these ports",
                None,
                Severity.WARNING,
            )
            return tuple(RelativeMatch(r) for r in (Relative.OWN_NODE, Relative.OTHER_NODE))
        found = node_addresses(self.order.clinic.engine, names)
        if found is None:
            self.notes.shut(
                edge.entry,
                UNSAID,
                f"{said} is on the network of its nodes, whose addresses are not known",
                edge.text,
                "read the nodes too, or say --node-cidr",
            )
            return None
        self.notes.of(
            edge.entry,
            TODAY,
            f"{said} is written by the addresses of its nodes today",
            "everything on those nodes is let through, and nodes that come later are not",
            "compile again whenever nodes change",
            Severity.WARNING,
        )
        return blocks(found)


def pods_of(subject: Subject) -> PodsMatch:
    """Return the pods that labels select, as a peer."""
    return PodsMatch(namespace=subject.namespace, pods=subject.pods)
