"""Calico's policy, decided flow by flow from plain manifests.

It reads tiers, network sets, Calico's own policies, NetworkPolicy and ClusterNetworkPolicy as
Calico's Felix enforces them, and shares nothing with Cloison: selectors are evaluated from their
text. Host endpoints and what they forward are `raw_hosts`'s; staged policies
are not enforced and play no part.

For one direction at one pod:

- what comes from the pod's own node enters, whatever policies say;
- tiers by order (a missing order is that of `default`), then by name; those that policies
  name and nobody declares come last and deny at their end;
- in a tier the policies that select the pod and govern the direction, by order (a missing one is
  last), then by `name/namespace/Kind`, byte by byte; rules from the top. `Log` goes on, `Pass`
  leaves the tier, anything else decides. Where none does, the tier's default action does;
- after the last tier the namespace's profile lets everything through.

A rule looks at source and destination alike. An entity matches an address: of a pod or in a set
with the labels asked for; `nets` and `notNets` ask the address alone. A pod of unknown address
is outside every block but a whole family, and is known by its labels all the same.

Sources: projectcalico/calico felix/calc, felix/rules, libcalico-go/lib/backend/syncersv1,
libcalico-go/lib/backend/k8s/conversion, libcalico-go/lib/selector.
"""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from math import inf

from tests.oracle.raw import (
    PORTED,
    Address,
    Answer,
    Manifest,
    Network,
    Party,
    RawOracle,
    network,
    same_node,
)
from tests.oracle.raw_calico_rules import (
    ACCOUNT,
    ALLOW,
    DENY,
    LOG,
    NAMESPACE,
    ORCHESTRATOR,
    PASS,
    Enforced,
    Entity,
    Rule,
    calico_policy,
    cluster_policy,
    kubernetes_policy,
)
from tests.oracle.raw_calico_selector import Labels

ON = "on"
Ways = frozenset[str]

BUILT_IN = {
    "kube-admin": (1000.0, PASS),
    "default": (1_000_000.0, DENY),
    "kube-baseline": (10_000_000.0, PASS),
}
NUMBERS = {"ICMP": "1", "TCP": "6", "UDP": "17", "ICMPV6": "58", "SCTP": "132", "UDPLITE": "136"}


@dataclass(frozen=True)
class Packet:
    """A flow, as policies see it."""

    source: Party
    destination: Party
    protocol: str
    port: int | None
    icmp: tuple[int, int]
    family: int


class RawCalicoOracle(RawOracle):
    """Answers flows over a list of plain objects as Calico 3.32 enforces them.

    Args:
        objects: Decoded manifests, in any order. Only kinds that matter are read.
    """

    def __init__(self, objects: Iterable[Manifest]) -> None:
        self.tiers = dict(BUILT_IN)
        self.sets: list[tuple[Manifest, list[Network]]] = []
        self.accounts: dict[tuple[str, str], dict[str, str]] = {}
        self.own: list[Manifest] = []
        self.slices: dict[tuple[str, str], list[tuple[set[tuple[str, int]], list[str]]]] = {}
        self.icmp = (0, 0)
        super().__init__(objects)
        self.enforced = [self._enforced(item) for item in self.own]
        found = [policy for policies in self.policies.values() for policy in policies]
        self.enforced += map(kubernetes_policy, found)

    def _read(self, item: Manifest) -> None:
        kind, spec, name = item["kind"], item.get("spec") or {}, item["metadata"]["name"]
        ours = "projectcalico.org" in item["apiVersion"]
        if kind == "Tier":
            if name not in BUILT_IN:
                order = spec.get("order", BUILT_IN["default"][0])
                self.tiers[name] = (float(order), spec.get("defaultAction") or DENY)
        elif kind in ("NetworkSet", "GlobalNetworkSet"):
            self.sets.append((item, [network(each) for each in spec.get("nets") or []]))
        elif kind == "EndpointSlice":
            self._slice(item)
        elif kind == "ServiceAccount":
            home = item["metadata"].get("namespace") or "default"
            self.accounts[home, name] = item["metadata"].get("labels") or {}
        elif kind in ("GlobalNetworkPolicy", "ClusterNetworkPolicy") or (
            ours and kind == "NetworkPolicy"
        ):
            # Those before NAT and without tracking are about hosts only.
            if not (spec.get("preDNAT") or spec.get("doNotTrack")):
                self.own.append(item)
        elif not kind.startswith("Staged"):
            super()._read(item)

    def _slice(self, item: Manifest) -> None:
        meta = item["metadata"]
        name = (meta.get("labels") or {}).get("kubernetes.io/service-name")
        if name is not None:
            ports = {
                (each.get("protocol") or "TCP", each["port"])
                for each in item.get("ports") or []
                if each.get("port") is not None
            }
            addresses = [a for each in item.get("endpoints") or [] for a in each["addresses"]]
            home = meta.get("namespace") or "default"
            self.slices.setdefault((home, name), []).append((ports, addresses))

    def _enforced(self, item: Manifest) -> Enforced:
        return (
            cluster_policy(item) if item["kind"] == "ClusterNetworkPolicy" else calico_policy(item)
        )

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
        own = Answer.NO
        if direction == "Ingress" and peer.on_node:
            own = same_node(peer.node, subject.node)
        if own is Answer.YES:
            return own
        source = peer if direction == "Ingress" else subject
        packet = Packet(source, target, protocol, port, self.icmp, family)
        ways = self._endpoint(direction, subject, packet)
        if own is Answer.MAYBE:
            ways |= {ALLOW}
        if ways == {ALLOW}:
            return Answer.YES
        return Answer.NO if ways == {DENY} else Answer.MAYBE

    def _endpoint(self, direction: str, subject: Party, packet: Packet) -> Ways:
        labels = self._labels(subject)
        mine = [
            each for each in self.enforced if direction in each.governs and each.selects(labels)
        ]
        mine.sort(key=lambda each: (self._tier_order(each.tier), each.place))
        possible: Ways = frozenset({ON})
        for name, policies in groupby(mine, key=lambda each: each.tier):
            if ON not in possible:
                break
            found = self._tier(direction, policies, packet)
            if ON in found:
                end = self.tiers.get(name, (inf, DENY))[1]
                found = found - {ON} | {PASS if end == PASS else DENY}
            if PASS in found:
                found = found - {PASS} | {ON}
            possible = possible - {ON} | found
        return possible - {ON} | {ALLOW} if ON in possible else possible

    def _tier_order(self, name: str) -> tuple[bool, float, bytes]:
        known = name in self.tiers
        return not known, self.tiers[name][0] if known else 0.0, name.encode()

    def _tier(self, direction: str, policies: Iterable[Enforced], packet: Packet) -> Ways:
        found: Ways = frozenset()
        for policy in policies:
            for rule in policy.rules[direction]:
                if rule.action == LOG:
                    continue
                match = self._matches(rule, packet)
                if match is not Answer.NO:
                    found |= {rule.action}
                if match is Answer.YES:
                    return found
        return found | {ON}

    def _matches(self, rule: Rule, packet: Packet) -> Answer:
        if not _of_family(rule, packet.family) or not _of_protocol(rule.match, packet):
            return Answer.NO
        return min(
            self._entity(rule.source, packet.source, packet.family),
            self._entity(rule.destination, packet.destination, packet.family),
            self._ports(rule, packet),
            self._service(rule.source.service, packet.source, packet, ports=False),
            self._service(rule.destination.service, packet.destination, packet, ports=True),
        )

    def _service(
        self, name: tuple[str, str] | None, party: Party, packet: Packet, *, ports: bool
    ) -> Answer:
        """Return whether an end is behind a Service and, if asked, the port is one of that's."""
        if name is None:
            return Answer.YES
        held = [
            ipaddress.ip_network(address)
            for known, addresses in self.slices.get(name, ())
            if not ports or (packet.protocol, packet.port) in known
            for address in addresses
        ]
        return inside(held, party, packet.family)

    def _entity(self, entity: Entity, party: Party, family: int) -> Answer:
        found = [Answer.YES]
        if entity.known is not None:
            found.append(self._among(entity.known, party, family))
        if entity.unknown is not None:
            found.append(OPPOSITE[self._among(entity.unknown, party, family)])
        if entity.nets:
            found.append(max(inside([network(n)], party, family) for n in entity.nets))
        if entity.not_nets:
            held = max(inside([network(n)], party, family) for n in entity.not_nets)
            found.append(OPPOSITE[held])
        return min(found)

    def _among(self, wanted: Callable[[Labels], bool], party: Party, family: int) -> Answer:
        """Return whether an end is a pod, or has an address of a set, with labels asked for."""
        if party.pod is not None and wanted(self._labels(party)):
            return Answer.YES
        blocks = [n for item, nets in self.sets if wanted(self._set_labels(item)) for n in nets]
        return inside(blocks, party, family)

    def _ports(self, rule: Rule, packet: Packet) -> Answer:
        entity = rule.destination
        if entity.ports and not any(self._port(p, entity, packet) for p in entity.ports):
            return Answer.NO
        if any(self._port(p, entity, packet) for p in entity.not_ports):
            return Answer.NO
        return Answer.YES

    def _port(self, port: int | str, entity: Entity, packet: Packet) -> bool:
        if packet.port is None or packet.protocol not in PORTED:
            return False
        if isinstance(port, int):
            return packet.port == port
        low, colon, high = port.partition(":")
        if colon:
            return int(low) <= packet.port <= int(high)
        if port.isdecimal():
            return packet.port == int(port)
        target = packet.destination
        if target.pod is None:
            return False
        # The set behind a name holds the endpoints that the entity's own selector matches.
        if entity.known is not None and not entity.known(self._labels(target)):
            return False
        return (port, packet.protocol, packet.port) in self._declared(target)

    def _declared(self, party: Party) -> set[tuple[str, str, int]]:
        """Return named ports of all containers, those that run first among them."""
        spec = self._spec(party)
        return {
            (port["name"], port.get("protocol") or "TCP", port["containerPort"])
            for key in ("containers", "initContainers")
            for container in spec.get(key) or []
            for port in container.get("ports") or []
            if port.get("name")
        }

    def _spec(self, party: Party) -> Manifest:
        """Return the spec of the pod that an end is.

        Raises:
            KeyError: It is none.
        """
        match party.pod:
            case ("pod", namespace, name):
                spec: Manifest = self.pods[namespace, name]["spec"]
            case ("workload", namespace, kind, name):
                spec = self.templates[namespace, kind, name]["spec"]
            case _:
                raise KeyError(party)
        return spec

    def _labels(self, party: Party) -> dict[str, str]:
        """Return the labels of a pod as selectors see them."""
        spec = self._spec(party)
        account = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
        own = {k: v for k, v in party.labels if not k.startswith(("pcns.", "pcsa."))}
        theirs = self.accounts.get((party.namespace, account), {})
        return {
            **{f"pcsa.{k}": v for k, v in theirs.items()},
            "pcsa.projectcalico.org/name": account,
            **self._inherited(party.namespace),
            **own,
            NAMESPACE: party.namespace,
            ORCHESTRATOR: "k8s",
            ACCOUNT: account,
        }

    def _inherited(self, namespace: str) -> dict[str, str]:
        home = self.labels_of(namespace)
        return {f"pcns.{k}": v for k, v in home.items()} | {
            "pcns.projectcalico.org/name": namespace
        }

    def _set_labels(self, item: Manifest) -> dict[str, str]:
        meta = item["metadata"]
        own = dict(meta.get("labels") or {})
        if item["kind"] == "GlobalNetworkSet":
            return own
        home = meta.get("namespace") or "default"
        return {**self._inherited(home), **own, NAMESPACE: home}


OPPOSITE = {Answer.YES: Answer.NO, Answer.MAYBE: Answer.MAYBE, Answer.NO: Answer.YES}


# ------------------------------------------------------------------ what objects say


# ------------------------------------------------------------------ packets


def _of_family(rule: Rule, family: int) -> bool:
    """Return whether a rule exists for packets of a family."""
    if rule.match.get("ipVersion") not in (None, family):
        return False
    for entity in (rule.source, rule.destination):
        for blocks in (entity.nets, entity.not_nets):
            mine = [network(each) for each in blocks if network(each).version == family]
            if blocks and not mine:
                return False
        if any(network(each).prefixlen == 0 for each in entity.not_nets):
            return False
    return True


def _of_protocol(match: Manifest, packet: Packet) -> bool:
    said, without = match.get("protocol"), match.get("notProtocol")
    ours = _number(packet.protocol)
    if (said is not None and _number(said) != ours) or (
        without is not None and _number(without) == ours
    ):
        return False
    told, excepted = match.get("icmp"), match.get("notICMP")
    if told is not None and not _icmp(told, packet):
        return False
    return excepted is None or not _icmp(excepted, packet)


def _icmp(told: Manifest, packet: Packet) -> bool:
    kind, code = packet.icmp
    return told.get("type") in (None, kind) and told.get("code") in (None, code)


def _number(protocol: int | str) -> str:
    return NUMBERS.get(str(protocol).upper(), str(protocol))


def inside(blocks: list[Network], party: Party, family: int) -> Answer:
    """Return whether an end's addresses lie in blocks."""
    mine = [block for block in blocks if block.version == family]
    if not party.addresses:
        four = [block for block in mine if isinstance(block, ipaddress.IPv4Network)]
        six = [block for block in mine if isinstance(block, ipaddress.IPv6Network)]
        whole = any(b.prefixlen == 0 for b in ipaddress.collapse_addresses(four))
        whole = whole or any(b.prefixlen == 0 for b in ipaddress.collapse_addresses(six))
        return Answer.YES if whole else Answer.NO
    held = {_held(address, mine) for address in party.addresses if address.version == family}
    if held == {True}:
        return Answer.YES
    return Answer.MAYBE if True in held else Answer.NO


def _held(address: Address, blocks: list[Network]) -> bool:
    return any(address in block for block in blocks)
