"""Bit vectors and a matrix, in the manner of the published verifiers of NetworkPolicy.

Written from what the papers say: Li, Jia, Hu and Li, "Kano: Efficient Container Network Policy
Verification" (HOTI 2020), and Dong, Xie, Zhao and Qi, "NPV: Fast Network Policy Verification for
Cloud-Native Networking" (ICDCS 2024), which compares itself with it.
Each label, key and value, is a bit vector over all pods; a policy becomes a vector of those it
selects and one of those it allows, and these are written into a matrix that has a row of bits for
each pod. The papers have no ports; here the matrix is that of one port of one protocol, and rules
that are about others are left out of it. It knows NetworkPolicy, and no tiers.
"""

from collections.abc import Iterator

from benchmarks.faults import NotSupportedError
from cloison.algebra import AddressSet
from cloison.algebra.selectors import LabelSelector, Operator, Requirement
from cloison.app.session import Session
from cloison.ir.peers import AnyMatch, BlockMatch, PeerMatch, PodsMatch
from cloison.ir.policy import Action, Direction, NamedPort, Policy, Rule
from cloison.resources.world import PodEndpoint

_KIND = "NetworkPolicy"


class BitMatrix:
    """Which pods reach which others on one port.

    Args:
        session: The world and its policies.
        protocol: By name.
        port: By number.
    """

    def __init__(self, session: Session, protocol: str, port: int) -> None:
        self.pods = [e for w in session.world.workloads.values() for e in w.endpoints]
        self._session = session
        self._protocol, self._port = protocol, port
        self._everybody = (1 << len(self.pods)) - 1
        self._labels: dict[tuple[str, str], int] = {}
        self._keys: dict[str, int] = {}
        self._homes: dict[str, int] = {}
        self._named: dict[tuple[str, str], int] = {}
        self._blocks: dict[AddressSet, int] = {}
        for place, pod in enumerate(self.pods):
            self._read(pod, 1 << place)
        self._out, self._into = self._matrix()

    def reaches(self, source: int, destination: int) -> bool:
        """Return whether one pod reaches another one, both by their place in `pods`."""
        if source == destination:
            return True
        return bool((self._out[source] & self._into[source]) >> destination & 1)

    def count(self) -> int:
        """Return how many ordered pairs of two pods are reachable."""
        pairs = 0
        for place, (out, into) in enumerate(zip(self._out, self._into, strict=True)):
            pairs += (out & into & ~(1 << place)).bit_count()
        return pairs

    def _read(self, pod: PodEndpoint, bit: int) -> None:
        for key, value in pod.labels.items():
            self._labels[key, value] = self._labels.get((key, value), 0) | bit
            self._keys[key] = self._keys.get(key, 0) | bit
        self._homes[pod.namespace] = self._homes.get(pod.namespace, 0) | bit
        for port in pod.ports:
            if port.name and (port.protocol, port.number) == (self._protocol, self._port):
                key, value = port.name, port.protocol
                self._named[key, value] = self._named.get((key, value), 0) | bit

    def _matrix(self) -> tuple[list[int], list[int]]:
        """Return two rows for each source: whom it may send to, and who lets it in."""
        isolated = dict.fromkeys(Direction, 0)
        out = [0] * len(self.pods)
        into = [0] * len(self.pods)
        for policy in self._session.policies.policies:
            if policy.id.kind != _KIND:
                raise NotSupportedError(policy.id.kind)
            selected = self._selected(policy)
            for direction in policy.isolates:
                isolated[direction] |= selected
            for rule in policy.rules:
                self._write(rule, selected, out, into)
        free = {d: self._everybody & ~isolated[d] for d in Direction}
        for place in _bits(free[Direction.EGRESS]):
            out[place] = self._everybody
        for place, row in enumerate(into):
            into[place] = row | free[Direction.INGRESS]
        return out, into

    def _write(self, rule: Rule, selected: int, out: list[int], into: list[int]) -> None:
        if rule.action is not Action.ALLOW:
            raise NotSupportedError(rule.action)
        peers = 0
        for peer in rule.peers:
            peers |= self._peers(peer.match)
        open_to = self._open(rule)
        if rule.direction is Direction.INGRESS:
            for place in _bits(peers):
                into[place] |= selected & open_to
        else:
            for place in _bits(selected):
                out[place] |= peers & open_to

    def _open(self, rule: Rule) -> int:
        """Return the destinations on which a rule's ports are the one that is asked about."""
        point = _point(self._protocol, self._port)
        if point in rule.traffic.must:
            return self._everybody
        found = 0
        for name in rule.traffic.named:
            found |= self._by_name(name)
        return found

    def _by_name(self, name: NamedPort) -> int:
        if name.protocol not in {None, self._protocol}:
            return 0
        return self._named.get((name.name, self._protocol), 0)

    def _selected(self, policy: Policy) -> int:
        found = 0
        for match in policy.subjects:
            found |= self._peers(match)
        return found

    def _peers(self, match: PeerMatch) -> int:
        match match:
            case PodsMatch():
                return self._in_homes(match) & self._chosen(match.pods)
            case BlockMatch():
                return self._within(match.addresses)
            case AnyMatch():
                return self._everybody
        raise NotSupportedError(type(match).__name__)

    def _in_homes(self, match: PodsMatch) -> int:
        if match.namespace is not None:
            return self._homes.get(match.namespace, 0)
        if not match.namespaces.requirements:
            return self._everybody
        found = 0
        for name, home in self._session.world.namespaces.items():
            if match.namespaces.matches(home.labels):
                found |= self._homes.get(name, 0)
        return found

    def _chosen(self, selector: LabelSelector) -> int:
        found = self._everybody
        for requirement in selector.requirements:
            found &= self._meeting(requirement)
        return found

    def _meeting(self, requirement: Requirement) -> int:
        having = self._keys.get(requirement.key, 0)
        match requirement.operator:
            case Operator.EXISTS:
                return having
            case Operator.DOES_NOT_EXIST:
                return self._everybody & ~having
            case Operator.IN | Operator.NOT_IN:
                found = 0
                for value in requirement.values:
                    found |= self._labels.get((requirement.key, value), 0)
                inside = requirement.operator is Operator.IN
                return found if inside else self._everybody & ~found
        raise NotSupportedError(requirement.operator)

    def _within(self, addresses: AddressSet) -> int:
        found = self._blocks.get(addresses)
        if found is None:
            found = 0
            for place, pod in enumerate(self.pods):
                if any(address in addresses for address in pod.addresses):
                    found |= 1 << place
            self._blocks[addresses] = found
        return found


def _point(protocol: str, port: int) -> int:
    """Return a point of the traffic axis."""
    return {"TCP": 6, "UDP": 17, "SCTP": 132}[protocol] << 16 | port


def _bits(vector: int) -> Iterator[int]:
    """Iterate over the places of the bits that are set."""
    text = f"{vector:b}"[::-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
