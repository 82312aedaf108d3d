"""Calico's hosts, decided flow by flow from plain manifests: what `raw_calico` leaves out.

It adds host endpoints with their profiles, GlobalNetworkPolicies for hosts and for what they
forward, failsafe ports, the way of a pod to its own node, and how Calico up to 3.31 tells equal
orders apart. It shares nothing with Cloison.

Traffic that ends at a host or starts there, through its host endpoint:

- a host and its own pods: an interface that has a name is no part of it. Where every interface
  is meant, failsafe ports and policies before NAT are asked of what comes from the pod, and
  nothing else;
- failsafe ports, then policies without tracking (not where every interface is meant), then those
  before NAT (coming in), then all others by tier, then the profiles, then denied.

Traffic of a pod through a host endpoint of the pod's node, unless the node itself is the other
end. Coming in through it: policies without tracking, then those before NAT, each unless the port
is failsafe, then those that apply on forward, for which no port is. An Allow skips the rest.
Going out through it: those that apply on forward. An interface that has a name is not between
pods of one node, sees what enters a pod come in and what leaves it go out; one that is every
interface sees each packet both ways, at the pods' own interfaces too.

Only at tiers of policies that a packet is asked of, and that govern the direction, is it denied
at the end; nothing is in early stages.

Where a node has several interfaces with a host endpoint each, any of these may be meant. What
runs on an unknown node may run on any, or on one without a host endpoint.

Sources: projectcalico/calico felix/rules/endpoints.go, static.go, dispatch.go,
felix/calc/policy_sorter.go, libcalico-go/lib/names; Calico documentation, Host endpoints.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf

from tests.oracle.raw import PORTED, Answer, Manifest, Party, network, same_node
from tests.oracle.raw_calico import (
    NUMBERS,
    ON,
    OPPOSITE,
    Packet,
    RawCalicoOracle,
    Ways,
    inside,
)
from tests.oracle.raw_calico_rules import ALLOW, DENY, LOG, PASS, Enforced, Entity, Rule, as_rule
from tests.oracle.raw_calico_selector import Labels, holds

INGRESS, EGRESS = "Ingress", "Egress"
_TCP = (179, 2379, 2380, 5473, 6443, 6666, 6667)
FAILSAFE: dict[str, list[tuple[str, int, str | None]]] = {
    INGRESS: [("TCP", 22, None), ("UDP", 68, None), *(("TCP", p, None) for p in _TCP)],
    EGRESS: [("UDP", 53, None), ("UDP", 67, None), *(("TCP", p, None) for p in _TCP)],
}
FIELDS = {INGRESS: "failsafeInboundHostPorts", EGRESS: "failsafeOutboundHostPorts"}
EVERY = frozenset((ALLOW,))


@dataclass(frozen=True)
class Wide:
    """A GlobalNetworkPolicy as hosts meet it.

    Args:
        policy: The policy; what it selects is asked of a host endpoint's labels.
        flavour: `normal`, `forward`, `preDNAT` or `doNotTrack`.
    """

    policy: Enforced
    flavour: str


class RawHostsOracle(RawCalicoOracle):
    """Answers flows over a list of plain objects as Calico enforces them, hosts and all.

    Args:
        objects: Decoded manifests, in any order. Only kinds that matter are read.
        old: Whether equal orders are told apart as up to 3.31.
    """

    def __init__(self, objects: Iterable[Manifest], *, old: bool = False) -> None:
        self.old = old
        self.endpoints: dict[str, dict[object, Manifest]] = {}
        self.hosts: list[Manifest] = []
        self.felix: list[Manifest] = []
        self.profiles: dict[str, Manifest] = {}
        self.wide: list[Wide] = []
        self.node_labels: dict[str, Labels] = {}
        super().__init__(objects)
        if old:
            # The rest of `enforced` is of Kubernetes, in the order it was read.
            kubernetes = [item for items in self.policies.values() for item in items]
            items = (*self.own, *kubernetes)
            self.enforced = [
                replace(each, place=(each.place[0], _old_key(item)))
                for each, item in zip(self.enforced, items, strict=True)
            ]
        for hep in sorted(self.hosts, key=lambda h: h["metadata"]["name"]):
            spec = hep["spec"]
            interface = spec.get("interfaceName") or tuple(spec["expectedIPs"])
            self.endpoints.setdefault(spec["node"], {}).setdefault(interface, hep)
            nets = [network(each) for each in spec.get("expectedIPs") or ()]
            self.sets.append(({"kind": "GlobalNetworkSet", "metadata": hep["metadata"]}, nets))

    def _read(self, item: Manifest) -> None:
        kind, spec = item["kind"], item.get("spec") or {}
        if kind == "HostEndpoint":
            self.hosts.append(item)
        elif kind == "FelixConfiguration":
            self.felix.append(item)
        elif kind == "Profile":
            self.profiles[item["metadata"]["name"]] = spec
        else:
            if kind == "Node":
                self.node_labels[item["metadata"]["name"]] = item["metadata"].get("labels") or {}
            if kind == "GlobalNetworkPolicy":
                self.wide.append(self._wide(item))
            super()._read(item)

    def _wide(self, item: Manifest) -> Wide:
        spec = item["spec"]
        flavour = "forward" if spec.get("applyOnForward") else "normal"
        for early in ("preDNAT", "doNotTrack"):
            flavour = early if spec.get(early) else flavour
        found = replace(self._enforced(item), selects=_selecting(spec))
        if self.old:
            found = replace(found, place=(found.place[0], _old_key(item)))
        return Wide(found, flavour)

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
        """Return whether one end lets the flow through, and the hosts it passes there."""
        source = peer if direction == INGRESS else subject
        packet = Packet(source, target, protocol, port, self.icmp, family)
        if subject.pod is None:
            if not subject.on_node:
                return Answer.YES
            return self._through(subject, lambda hep: self._host(direction, hep, packet))
        own = super().permits(direction, subject, peer, target, protocol, port, family)
        there = self._through(subject, lambda hep: self._forward(direction, hep, packet))
        return min(own, there, self._to_host(direction, subject, peer))

    def _through(self, party: Party, asked: Callable[[Manifest], Ways]) -> Answer:
        """Return what the host endpoints of an end's node say, whichever it is."""
        ways: Ways = frozenset()
        for node in (party.node,) if party.node else ("", *self.endpoints):
            found = self.in_question(node)
            ways = ways.union(*map(asked, found)) if found else ways | EVERY
        return _answer(ways)

    def in_question(self, node: str) -> list[Manifest]:
        """Return the host endpoints of a node that may see its traffic.

        Where one interface alone has all addresses of the node, its traffic passes there.
        """
        found = list(self.endpoints.get(node, {}).values())
        known = {str(address) for address in self.nodes.get(node) or ()}
        if known and not any(hep["spec"].get("interfaceName") == "*" for hep in found):
            whole = [h for h in found if known <= set(h["spec"].get("expectedIPs") or ())]
            if len(whole) == 1:
                return whole
        return found

    # -------------------------------------------------------------- to a host and from it

    def _host(self, direction: str, hep: Manifest, packet: Packet) -> Ways:
        subject, peer = packet.destination, packet.source
        if direction == EGRESS:
            subject, peer = peer, subject
        if peer.pod is None:
            if peer.on_node:
                return self._between_hosts(direction, hep, packet, peer)
            return self._governed(direction, hep, packet, own=False)
        own = same_node(peer.node, hep["spec"]["node"])
        ways: Ways = frozenset()
        if own is not Answer.NO:
            ways |= self._governed(direction, hep, packet, own=True)
        if own is not Answer.YES:
            ways |= self._governed(direction, hep, packet, own=False)
        return ways

    def _between_hosts(self, direction: str, hep: Manifest, packet: Packet, peer: Party) -> Ways:
        """A host talks to itself over the loopback interface.

        That is none of a single interface's business; whether it is of one that is every
        interface, nobody says.
        """
        one = same_node(peer.node, hep["spec"]["node"])
        if one is Answer.YES and hep["spec"].get("interfaceName") != "*":
            return EVERY
        ways = self._governed(direction, hep, packet, own=False)
        return ways if one is Answer.NO else ways | EVERY

    def _governed(self, direction: str, hep: Manifest, packet: Packet, *, own: bool) -> Ways:
        everywhere = hep["spec"].get("interfaceName") == "*"
        if own and (direction == EGRESS or not everywhere):
            return EVERY
        safe = self._failsafe(direction, hep, packet)
        if safe is Answer.YES:
            return EVERY
        ways = frozenset({ON})
        if not everywhere:
            ways = self._then(ways, lambda: self._tiers("doNotTrack", direction, hep, packet))
        if direction == INGRESS:
            ways = self._then(ways, lambda: self._tiers("preDNAT", direction, hep, packet))
        if own:
            ways = self._then(ways, lambda: EVERY)
        ways = self._then(ways, lambda: self._tiers("normal", direction, hep, packet))
        ways = self._then(ways, lambda: self._of_profiles(direction, hep, packet))
        return ways | EVERY if safe is Answer.MAYBE else ways

    def _then(self, ways: Ways, more: Callable[[], Ways]) -> Ways:
        return ways - {ON} | more() if ON in ways else ways

    def _tiers(self, flavour: str, direction: str, hep: Manifest, packet: Packet) -> Ways:
        """Return what tiers decide: `ON` is what they leave undecided."""
        flavours = ("normal", "forward") if flavour == "normal" else (flavour,)
        labels = hep["metadata"].get("labels") or {}
        mine = [
            each.policy
            for each in self.wide
            if each.flavour in flavours
            and direction in each.policy.governs
            and each.policy.selects(labels)
        ]
        mine.sort(key=lambda each: (self._tier_order(each.tier), each.place))
        possible: Ways = frozenset({ON})
        for name in dict.fromkeys(each.tier for each in mine):
            there = [each for each in mine if each.tier == name]
            end = DENY if self.tiers.get(name, (inf, DENY))[1] != PASS else ON
            if flavour in ("preDNAT", "doNotTrack"):
                end = ON
            if ON in possible:
                possible = possible - {ON} | self._one(direction, there, end, packet)
        return possible

    def _one(self, direction: str, policies: list[Enforced], end: str, packet: Packet) -> Ways:
        found = self._tier(direction, policies, packet)
        if ON in found:
            found = found - {ON} | {end}
        return found - {PASS} | {ON} if PASS in found else found

    def _of_profiles(self, direction: str, hep: Manifest, packet: Packet) -> Ways:
        ways: Ways = frozenset({ON})
        for name in hep["spec"].get("profiles") or ():
            if ON in ways:
                ways = ways - {ON} | self._profile(name, direction, packet)
        return self._then(ways, lambda: frozenset({DENY}))

    def _profile(self, name: str, direction: str, packet: Packet) -> Ways:
        if name not in self.profiles:
            if name == "projectcalico-default-allow" or name.startswith("kns."):
                return EVERY
            return frozenset({ON if name.startswith("ksa.") else DENY})
        rules = self.profiles[name].get(direction.lower()) or []
        found: Ways = frozenset()
        for rule in map(as_rule, rules):
            match = Answer.NO if rule.action == LOG else self._matches(rule, packet)
            if match is not Answer.NO:
                found |= {rule.action}
            if match is Answer.YES:
                return found
        return found | {ON}

    # -------------------------------------------------------------- forwarded

    def _forward(self, direction: str, hep: Manifest, packet: Packet) -> Ways:
        subject, peer = packet.destination, packet.source
        if direction == EGRESS:
            subject, peer = peer, subject
        everywhere = hep["spec"].get("interfaceName") == "*"
        near = Answer.NO
        if peer.on_node or (peer.pod is not None and not everywhere):
            near = same_node(peer.node, hep["spec"]["node"])
        if near is Answer.YES:
            return EVERY
        hooks = []
        if everywhere or direction == INGRESS:
            hooks.append(self._coming_in(hep, packet))
        if everywhere or direction == EGRESS:
            hooks.append(self._leaving(hep, packet))
        ways = EVERY if all(ALLOW in each for each in hooks) else frozenset[str]()
        if any(DENY in each for each in hooks):
            ways |= {DENY}
        return ways | EVERY if near is Answer.MAYBE else ways

    def _coming_in(self, hep: Manifest, packet: Packet) -> Ways:
        everywhere = hep["spec"].get("interfaceName") == "*"
        safe = self._failsafe(INGRESS, hep, packet)
        ways: Ways = frozenset({ON})
        if safe is not Answer.YES:
            if not everywhere:
                ways = self._then(ways, lambda: self._tiers("doNotTrack", INGRESS, hep, packet))
            ways = self._then(ways, lambda: self._tiers("preDNAT", INGRESS, hep, packet))
            if safe is Answer.MAYBE:
                ways |= {ON}
        ways = self._then(ways, lambda: self._tiers("forward", INGRESS, hep, packet))
        return self._then(ways, lambda: EVERY)

    def _leaving(self, hep: Manifest, packet: Packet) -> Ways:
        ways = self._tiers("forward", EGRESS, hep, packet)
        return self._then(ways, lambda: EVERY)

    # -------------------------------------------------------------- configuration

    def _configured(self, node: str) -> Iterator[Manifest]:
        """Yield the configurations of a node, the strongest first."""
        labels = self.node_labels.get(node, {})

        def rank(item: Manifest) -> tuple[int, str, str] | None:
            meta, spec = item["metadata"], item["spec"]
            if meta["name"] == f"node.{node}":
                return (0, "", "")
            if meta["name"] == "default":
                return (2, "", "")
            chosen = spec.get("nodeSelector")
            if meta["name"].startswith("node.") or not chosen or not holds(chosen, labels):
                return None
            return (1, meta.get("creationTimestamp") or "9", meta["name"])

        ranked = [(rank(item), number) for number, item in enumerate(self.felix)]
        for _, number in sorted((r, n) for r, n in ranked if r is not None):
            yield self.felix[number]["spec"]

    def _failsafe(self, direction: str, hep: Manifest, packet: Packet) -> Answer:
        ports = FAILSAFE[direction]
        for spec in self._configured(hep["spec"]["node"]):
            said = spec.get(FIELDS[direction])
            if said is not None:
                ports = [(p["protocol"].upper(), p["port"], p.get("net")) for p in said]
                break
        remote = packet.source if direction == INGRESS else packet.destination
        found = Answer.NO
        for protocol, port, net in ports:
            if (protocol, port) == (packet.protocol, packet.port):
                here = Answer.YES
                if net is not None:
                    here = inside([network(net)], remote, packet.family)
                found = max(found, here)
        return found

    def _to_host(self, direction: str, subject: Party, peer: Party) -> Answer:
        """Return what becomes of a pod's traffic to its own node once its policies let it go."""
        own = Answer.NO
        if direction == EGRESS and peer.on_node:
            own = same_node(peer.node, subject.node)
        if own is Answer.NO:
            return Answer.YES
        known = subject.node or peer.node
        nodes = [known] if known else ["", *self.nodes]
        found = set()
        for node in nodes:
            said = (s.get("defaultEndpointToHostAction") for s in self._configured(node))
            action = next((each for each in said if each), "Accept")
            found.add({"Accept": Answer.YES, "Return": Answer.MAYBE, "Drop": Answer.NO}[action])
        if own is Answer.MAYBE:
            found.add(Answer.YES)
        return found.pop() if len(found) == 1 else Answer.MAYBE

    # -------------------------------------------------------------- names of ports

    def _ports(self, rule: Rule, packet: Packet) -> Answer:
        entity = rule.destination
        found = Answer.YES
        if entity.ports:
            found = max(self._at(p, entity, packet) for p in entity.ports)
        for each in entity.not_ports:
            found = min(found, OPPOSITE[self._at(each, entity, packet)])
        return found

    def _at(self, port: int | str, entity: Entity, packet: Packet) -> Answer:
        if self._port(port, entity, packet):
            return Answer.YES
        if packet.port is None or packet.protocol not in PORTED or not isinstance(port, str):
            return Answer.NO
        blocks = [
            network(address)
            for hep in self.hosts
            if entity.known is None or entity.known(hep["metadata"].get("labels") or {})
            for each in hep["spec"].get("ports") or ()
            if (each["name"], _number(each["protocol"]), each["port"])
            == (port, _number(packet.protocol), packet.port)
            for address in hep["spec"].get("expectedIPs") or ()
        ]
        return inside(blocks, packet.destination, packet.family)


def _number(protocol: int | str) -> str:
    return NUMBERS.get(str(protocol).upper(), str(protocol))


def _answer(ways: Ways) -> Answer:
    if ways == EVERY:
        return Answer.YES
    return Answer.MAYBE if ALLOW in ways else Answer.NO


def _old_key(item: Manifest) -> bytes:
    """Return what tells equal orders apart up to 3.31: the name it has inside."""
    meta = item["metadata"]
    home, name = meta.get("namespace"), meta["name"]
    if not item["apiVersion"].endswith(("projectcalico.org/v3", "projectcalico.org/v1")):
        return f"{home or 'default'}/knp.default.{name}".encode()
    tier = item["spec"].get("tier") or "default"
    inner = name if name.startswith(f"{tier}.") else f"{tier}.{name}"
    return (f"{home}/{inner}" if home else inner).encode()


_ALL = re.compile(r"\ball\(\s*\)")
_NAMESPACED, _RUN_AS = "has(projectcalico.org/namespace)", "has(projectcalico.org/serviceaccount)"


def _selecting(spec: Manifest) -> Callable[[Labels], bool]:
    """Return which hosts a GlobalNetworkPolicy selects.

    Beside one of the other selectors `all()` asks for a namespace or an account, which no host
    has, in those as well.
    """
    selector = spec.get("selector") or ""
    where, account = spec.get("namespaceSelector") or "", spec.get("serviceAccountSelector") or ""
    if where or account:
        selector = selector.replace("all()", _NAMESPACED if where else _RUN_AS)
    # No host has a label of that name, with a prefix or without.
    where, account = (_ALL.sub("has(all)", each) for each in (where, account))

    def selects(labels: Labels) -> bool:
        return (
            holds(selector, labels)
            and holds(where, labels, "pcns.")
            and holds(account, labels, "pcsa.")
        )

    return selects
