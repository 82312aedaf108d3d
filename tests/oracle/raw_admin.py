"""The Network Policy API, decided flow by flow from plain manifests.

It reads AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy beside
NetworkPolicy, and shares nothing with Cloison. For one direction at one pod, in order:

1. **Admin**: AdminNetworkPolicies and ClusterNetworkPolicies of tier `Admin` that select the
   pod, by ascending priority; rules from the top, the first that matches decides. `Allow` and
   `Accept` let the flow through, `Deny` stops it, `Pass` leaves the tier. Policies of equal
   priority may be tried in any order: what the first match of each does is possible, and
   evaluation goes on only where it can go on past all of them.
2. **NetworkPolicy**, final if any isolates the pod in the direction.
3. **Baseline**: ClusterNetworkPolicies of tier `Baseline` as in the first step, then
   BaselineAdminNetworkPolicy. Which of the two kinds comes first is nowhere written; that the
   old one comes last is Cloison's choice, and answers carry a caveat.
4. The flow is let through.

A rule matches if any of its peers and any of its ports or protocols does; without these it
matches all traffic, ICMP included. One with a peer of no known kind matches nothing where it
would let through, and stops everything where it would not. Pods on their node's network are no
subjects, and peers only as `nodes` and `networks`. `networks` go by address, whoever has it. Of
`domainNames` the caller says what they stand for, and what he names he names in full; of a name
nobody resolved, and of what a wildcard covers besides, nobody knows which other outside
addresses it stands for.

Sources: network-policy-api apis/v1alpha1 and apis/v1alpha2, API overview, NPEP-126, NPEP-133,
NPEP-285; KEP-2091.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from tests.oracle.raw import (
    PORTED,
    Answer,
    Manifest,
    Party,
    RawOracle,
    in_block,
    policy_types,
    selects,
)

OLD, BASELINE, NEW = (
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy",
)
ACCEPT, DENY, ON = "accept", "deny", "on"
"""What may become of a flow: let through, stopped, or left to what comes after."""
PASS = "pass"
KNOWN = {"namespaces", "pods", "networks", "nodes", "domainNames"}
_ACTIONS = {"Allow": ACCEPT, "Accept": ACCEPT, "Deny": DENY, "Pass": PASS}
_OF_ANSWER = {
    Answer.YES: frozenset({ACCEPT}),
    Answer.NO: frozenset({DENY}),
    Answer.MAYBE: frozenset({ACCEPT, DENY}),
}

_LAST = 1001
"""After every priority there is."""

Ways = frozenset[str]


class RawAdminOracle(RawOracle):
    """Answers flows over a list of plain Kubernetes objects, cluster-wide policies among them.

    Args:
        objects: Decoded manifests, in any order. Only kinds that matter are read.
        names: What DNS names stand for, as far as somebody said it.
    """

    def __init__(
        self, objects: Iterable[Manifest], names: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.admin: list[tuple[int, Manifest]] = []
        self.baseline: list[tuple[int, Manifest]] = []
        self.node_labels: dict[str, dict[str, str]] = {}
        self.names = {
            name: {ipaddress.ip_address(a) for a in found} for name, found in (names or {}).items()
        }
        super().__init__(objects)

    def _read(self, item: Manifest) -> None:
        kind, spec = item["kind"], item.get("spec") or {}
        if kind == OLD or (kind == NEW and spec["tier"] == "Admin"):
            self.admin.append((spec["priority"], item))
        elif kind == NEW:
            self.baseline.append((spec["priority"], item))
        elif kind == BASELINE:
            self.baseline.append((_LAST, item))
        else:
            if kind == "Node":
                self.node_labels[item["metadata"]["name"]] = item["metadata"].get("labels") or {}
            super()._read(item)

    def permits(
        self,
        direction: str,
        subject: Party,
        peer: Party,
        target: Party,
        protocol: str,
        port: int | None,
        family: int,
    ) -> Answer:
        """Return whether the policies of one end let the flow through."""
        if subject.pod is None:
            return Answer.YES
        traffic = (target, protocol, port)
        ways = self._tier(self.admin, direction, subject, peer, traffic, family)
        if ON in ways:
            ways = ways - {ON} | self._after_admin(direction, subject, peer, traffic, family)
        if ways == {ACCEPT}:
            return Answer.YES
        return Answer.NO if ways == {DENY} else Answer.MAYBE

    def _after_admin(
        self,
        direction: str,
        subject: Party,
        peer: Party,
        traffic: tuple[Party, str, int | None],
        family: int,
    ) -> Ways:
        if any(direction in policy_types(p["spec"]) for p in self.selecting(subject)):
            answer = super().permits(direction, subject, peer, *traffic, family)
            return _OF_ANSWER[answer]
        ways = self._tier(self.baseline, direction, subject, peer, traffic, family)
        return ways - {ON} | {ACCEPT} if ON in ways else ways

    def _tier(
        self,
        policies: list[tuple[int, Manifest]],
        direction: str,
        subject: Party,
        peer: Party,
        traffic: tuple[Party, str, int | None],
        family: int,
    ) -> Ways:
        """Return what a tier may do to a flow."""
        mine = [each for each in policies if self._about(each[1]["spec"]["subject"], subject)]
        mine.sort(key=lambda each: each[0])
        possible: Ways = frozenset()
        for _, same in groupby(mine, key=lambda each: each[0]):
            each_of_them = [
                self._first_match(policy, direction, peer, traffic, family) for _, policy in same
            ]
            found = frozenset().union(*each_of_them)
            possible |= found - {ON}
            if not all(ON in ways for ways in each_of_them):
                break
        else:
            possible |= {ON}
        return possible - {PASS} | {ON} if PASS in possible else possible

    def _first_match(
        self,
        policy: Manifest,
        direction: str,
        peer: Party,
        traffic: tuple[Party, str, int | None],
        family: int,
    ) -> Ways:
        found: Ways = frozenset()
        for rule in policy["spec"].get(direction.lower()) or []:
            action, match = _ACTIONS[rule["action"]], self._matches(rule, peer, traffic, family)
            if any(not KNOWN & each.keys() for each in _peers(rule)):
                # A peer that nobody knows fails closed.
                action, match = DENY, Answer.NO if action == ACCEPT else Answer.YES
            if match is not Answer.NO:
                found |= {action}
            if match is Answer.YES:
                return found
        return found | {ON}

    def _matches(
        self, rule: Manifest, peer: Party, traffic: tuple[Party, str, int | None], family: int
    ) -> Answer:
        if not _any_port(rule, *traffic):
            return Answer.NO
        found = (self._named_by(p, peer, family) for p in _peers(rule) if KNOWN & p.keys())
        return max(found, default=Answer.NO)

    def _named_by(self, peer: Manifest, party: Party, family: int) -> Answer:
        if "namespaces" in peer or "pods" in peer:
            return Answer.YES if self._about(peer, party) else Answer.NO
        if "networks" in peer:
            return max(in_block({"cidr": each}, party, family) for each in peer["networks"])
        if "nodes" in peer:
            return self._node(peer["nodes"], party)
        return self._domain(peer["domainNames"], party)

    def _about(self, chosen: Manifest, party: Party) -> bool:
        """Return whether a subject, or a peer of pods, means an end."""
        if party.pod is None:
            return False
        pods = chosen.get("pods")
        where = chosen.get("namespaces") if pods is None else pods.get("namespaceSelector")
        if not selects(where, self.labels_of(party.namespace)):
            return False
        return pods is None or selects(pods.get("podSelector"), dict(party.labels))

    def _node(self, selector: Manifest, party: Party) -> Answer:
        if not party.on_node:
            return Answer.NO
        if party.node in self.node_labels:
            labels = self.node_labels[party.node]
            return Answer.YES if selects(selector, labels) else Answer.NO
        # Of a node that was not read nobody knows the labels.
        everybody = not any(selector.values())
        return Answer.YES if everybody else Answer.MAYBE

    def _domain(self, patterns: list[str], party: Party) -> Answer:
        if party.pod is not None or party.on_node:
            return Answer.NO
        (address,) = party.addresses
        called = any(address in each for each in self.names.values())
        found = Answer.NO
        for pattern in (each.lower().removesuffix(".") for each in patterns):
            known = [a for name, a in self.names.items() if covers(pattern, name)]
            if any(address in each for each in known):
                return Answer.YES
            if not called and (pattern.startswith("*.") or not known):
                found = Answer.MAYBE
        return found


def _peers(rule: Manifest) -> list[Manifest]:
    return [*(rule.get("from") or ()), *(rule.get("to") or ())]


def covers(pattern: str, name: str) -> bool:
    """Return whether a domain name of a policy means a name; `*.` is any depth, not none."""
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and name != pattern[2:]
    return name == pattern


def _any_port(rule: Manifest, target: Party, protocol: str, port: int | None) -> bool:
    entries = [*(rule.get("ports") or ()), *(rule.get("protocols") or ())]
    if not entries:
        return True
    if protocol not in PORTED or port is None:
        return False
    return any(_port(entry, target, protocol, port) for entry in entries)


def _port(entry: Manifest, target: Party, protocol: str, port: int) -> bool:
    name = entry.get("namedPort") or entry.get("destinationNamedPort")
    if name is not None:
        # Whatever protocol the pod declares under the name.
        return (name, protocol, port) in target.ports
    return any(said == protocol and low <= port <= high for said, low, high in _ranges(entry))


def _ranges(entry: Manifest) -> Iterator[tuple[str, int, int]]:
    """Iterate over protocol, first and last port of an entry of either version."""
    if "portNumber" in entry:
        told = entry["portNumber"]
        yield told.get("protocol") or "TCP", told["port"], told["port"]
    elif "portRange" in entry:
        told = entry["portRange"]
        yield told.get("protocol") or "TCP", told["start"], told["end"]
    for protocol in PORTED:
        told = (entry.get(protocol.lower()) or {}).get("destinationPort") or {}
        if "number" in told:
            yield protocol, told["number"], told["number"]
        elif "range" in told:
            yield protocol, told["range"]["start"], told["range"]["end"]
