"""Questions about a world: chosen by lot, and answered by the oracle too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmarks.faults import DisagreementError
from benchmarks.worlds.manifests import below
from cloison.algebra import AddressSet, address_text
from cloison.algebra.selectors import Operator
from cloison.app.session import Session
from cloison.ir.peers import BlockMatch, GroupsMatch, PeerMatch, PodsMatch, plain_matches
from cloison.ir.policy import Direction, Policy, Rule
from cloison.resources.world import PodEndpoint
from tests.oracle.ir import IROracle

_LOOKS = 200
"""How many pods are looked at for one that a selector matches, before giving up."""
_PORTS = (8080, 9090, 53, 443, 5432, 8000)
_PROTOCOLS = {6: "TCP", 17: "UDP", 132: "SCTP"}
_LAST = 65535


@dataclass(frozen=True, slots=True)
class Question:
    """May one end open a connection to another one?

    Args:
        source: A pod, or an address outside as a point of its axis.
        destination: The same.
        protocol: By name.
        port: By number.
    """

    source: PodEndpoint | int
    destination: PodEndpoint | int
    protocol: str
    port: int

    @property
    def words(self) -> tuple[str, str]:
        """The ends by name."""
        return _name(self.source), _name(self.destination)

    def __str__(self) -> str:
        """Render for whoever has to look into it."""
        return f"{self.words[0]} to {self.words[1]} on {self.protocol}/{self.port}"


@dataclass
class Lot:
    """Draws questions about a session.

    A third of them are about any two pods; the others are about two that some policy tells of, on
    a port that it says, since of two pods in a large cluster most have nothing to do with each
    other.

    Args:
        session: What they are about.
        only_pods: Whether addresses outside are left out.
    """

    session: Session
    only_pods: bool = False

    @cached_property
    def pods(self) -> list[PodEndpoint]:
        """Every pod that can send and receive, by name."""
        return [e for w in self.session.world.workloads.values() for e in w.endpoints]

    @cached_property
    def _places(self) -> dict[str, list[PodEndpoint]]:
        found: dict[str, list[PodEndpoint]] = {}
        for each in self.pods:
            found.setdefault(each.namespace, []).append(each)
        return found

    @cached_property
    def _labelled(self) -> dict[tuple[str, str], list[PodEndpoint]]:
        found: dict[tuple[str, str], list[PodEndpoint]] = {}
        for each in self.pods:
            for label in each.labels.items():
                found.setdefault(label, []).append(each)
        return found

    def questions(self, count: int, seed: int = 0) -> Iterator[Question]:
        """Iterate over questions, always the same for the same session and seed."""
        for number in range(seed * 1_000_003, seed * 1_000_003 + count):
            told = number % 3 and self.session.policies.policies
            yield (self._told(number) if told else None) or self.any(number)

    def any(self, number: int) -> Question:
        """Return a question about any two pods."""
        source, destination = (self.pods[below(len(self.pods), number, s)] for s in (1, 2))
        port = _PORTS[below(len(_PORTS), number, 3)]
        return Question(source, destination, "TCP", port)

    def _told(self, number: int) -> Question | None:
        policies = self.session.policies.policies
        return self.about(policies[below(len(policies), number, 4)], number)

    def about(self, policy: Policy, number: int) -> Question | None:
        """Return a question about what a rule of a policy says, if two ends are soon found."""
        subject = self._subject(policy, number)
        if subject is None or not policy.rules:
            return None
        rule = policy.rules[below(len(policy.rules), number, 5)]
        peer = self._peer(rule, subject, number)
        if peer is None:
            return None
        inward = rule.direction is Direction.INGRESS
        source, destination = (peer, subject) if inward else (subject, peer)
        return Question(source, destination, *_port(rule, destination, number))

    def _subject(self, policy: Policy, number: int) -> PodEndpoint | None:
        for match in policy.subjects:
            found = self._pod(match, number)
            if found is not None:
                return found
        return None

    def _peer(self, rule: Rule, subject: PodEndpoint, number: int) -> PodEndpoint | int | None:
        if not rule.peers:
            return None
        match = rule.peers[below(len(rule.peers), number, 6)].match
        plain = list(plain_matches(match))
        chosen: PeerMatch = plain[below(len(plain), number, 7)] if plain else match
        if isinstance(chosen, PodsMatch):
            return self._pod(chosen, number + 1)
        if isinstance(chosen, BlockMatch | GroupsMatch) and not self.only_pods:
            return self._address(chosen, number)
        return self._places[subject.namespace][-1]

    def _pod(self, match: PodsMatch, number: int) -> PodEndpoint | None:
        """Return a pod that a selector matches, if one is soon found."""
        pods = self._likely(match)
        world = self.session.world
        for step in range(min(_LOOKS, len(pods))):
            one = pods[(below(len(pods), number, 8) + step) % len(pods)]
            home = world.namespaces[one.namespace]
            here = match.namespaces.matches(home.labels)
            if match.namespace is not None:
                here = home.name == match.namespace
            if here and match.pods.matches(one.labels):
                return one
        return None

    def _likely(self, match: PodsMatch) -> list[PodEndpoint]:
        """Return the pods among which those are that a selector matches."""
        if match.namespace is not None:
            among = self._places.get(match.namespace, [])
            if len(among) <= _LOOKS:
                return among
        for each in match.pods.requirements:
            if each.operator is Operator.IN and len(each.values) == 1:
                return self._labelled.get((each.key, each.values[0]), [])
        return self.pods

    def _address(self, match: BlockMatch | GroupsMatch, number: int) -> int | None:
        if isinstance(match, BlockMatch):
            return _inside(match.addresses, number)
        groups = [g for g in self.session.policies.groups if match.labels.matches(g.labels)]
        if not groups:
            return None
        return _inside(groups[below(len(groups), number, 9)].addresses, number)


def _inside(addresses: AddressSet, number: int) -> int | None:
    spans = addresses.spans
    if not spans:
        return None
    low, high = spans[below(len(spans), number, 10)]
    return low + below(high - low + 1, number, 11)


def _port(rule: Rule, destination: PodEndpoint | int, number: int) -> tuple[str, int]:
    """Return a port that a rule says, or the one next to it."""
    if rule.traffic.named and isinstance(destination, PodEndpoint):
        names = {named.name for named in rule.traffic.named}
        for port in destination.ports:
            if port.name in names:
                return port.protocol, port.number
    spans = rule.traffic.must.spans
    if not spans:
        return "TCP", _PORTS[0]
    low, high = spans[below(len(spans), number, 12)]
    point = (low, high)[below(2, number, 13)] + below(2, number, 14)
    protocol = _PROTOCOLS.get(point >> 16, "TCP")
    return protocol, min(max(point & _LAST, 1), _LAST)


def _name(end: PodEndpoint | int) -> str:
    return end.name if isinstance(end, PodEndpoint) else address_text(end)


def agreed(session: Session, questions: Sequence[Question]) -> dict[str, float]:
    """Hold a session's answers against the oracle's.

    Returns:
        How often each verdict was given, and how many pairs were asked about.

    Raises:
        DisagreementError: They differ.
    """
    oracle = IROracle(session.world, session.policies, session.profile)
    found: dict[str, float] = {"sampled pairs": len(questions)}
    for each in questions:
        expected = str(oracle.verdict(each.source, each.destination, each.protocol, each.port, 4))
        source, destination = each.words
        told = str(
            session.why(source, f"{destination}:{each.port}", protocol=each.protocol).verdict
        )
        if told != expected:
            msg = f"{each}: the engine says {told}, the oracle {expected}"
            raise DisagreementError(msg)
        found[told] = found.get(told, 0) + 1
    return found
