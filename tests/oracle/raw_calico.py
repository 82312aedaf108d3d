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
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import inf

from tests.oracle.raw import (
    NAME_LABEL,
    PORTED,
    Address,
    Answer,
    Manifest,
    Network,
    Party,
    RawOracle,
    network,
    policy_types,
    same_node,
)

ALLOW, DENY, PASS, LOG = "Allow", "Deny", "Pass", "Log"
ON = "on"
Ways = frozenset[str]
Labels = Mapping[str, str]

NAMESPACE = "projectcalico.org/namespace"
ORCHESTRATOR = "projectcalico.org/orchestrator"
ACCOUNT = "projectcalico.org/serviceaccount"
BUILT_IN = {
    "kube-admin": (1000.0, PASS),
    "default": (1_000_000.0, DENY),
    "kube-baseline": (10_000_000.0, PASS),
}
NUMBERS = {"ICMP": "1", "TCP": "6", "UDP": "17", "ICMPV6": "58", "SCTP": "132", "UDPLITE": "136"}


@dataclass(frozen=True)
class Enforced:
    """A policy as Felix holds it.

    Args:
        tier: Its tier.
        place: Its order, then what tells it from others of that order.
        governs: The directions it governs.
        selects: Whether it selects a pod, by the pod's labels.
        rules: Its rules by direction.
    """

    tier: str
    place: tuple[float, bytes]
    governs: frozenset[str]
    selects: Callable[[Labels], bool]
    rules: Mapping[str, list["Rule"]]


@dataclass(frozen=True)
class Rule:
    """A rule, in Calico's terms.

    Args:
        action: What it does.
        source: What is asked of the source.
        destination: What is asked of the destination.
        match: Its protocol, ICMP and family fields, by their names.
    """

    action: str
    source: "Entity"
    destination: "Entity"
    match: Manifest


@dataclass(frozen=True)
class Entity:
    """What a rule asks of one end.

    Args:
        known: Labels of pods and sets whose addresses match; None where labels do not matter.
        unknown: Labels of pods and sets whose addresses do not match; None likewise.
        nets: Blocks one of which must hold the address.
        not_nets: Blocks none of which may.
        ports: Ports one of which must be it.
        not_ports: Ports none of which may.
        service: Namespace and name of a Service whose endpoints must hold the address.
    """

    known: Callable[[Labels], bool] | None = None
    unknown: Callable[[Labels], bool] | None = None
    nets: tuple[str, ...] = ()
    not_nets: tuple[str, ...] = ()
    ports: tuple[int | str, ...] = ()
    not_ports: tuple[int | str, ...] = ()
    service: tuple[str, str] | None = None


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
        self.enforced += map(_kubernetes, found)

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
        return _cluster(item) if item["kind"] == "ClusterNetworkPolicy" else _calico(item)

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


def _calico(item: Manifest) -> Enforced:
    """Return a NetworkPolicy or GlobalNetworkPolicy of Calico's."""
    spec, meta = item["spec"], item["metadata"]
    home = meta.get("namespace") if item["kind"] == "NetworkPolicy" else None
    rules = {
        direction: [as_rule(rule, home) for rule in spec.get(direction.lower()) or []]
        for direction in ("Ingress", "Egress")
    }
    types = spec.get("types")
    if not types:
        if item["apiVersion"].startswith("crd."):
            types = ["Ingress", "Egress"]
        else:
            types = [d for d, found in rules.items() if found] or ["Ingress"]
    order = spec.get("order")
    name = meta["name"]
    if item["apiVersion"].startswith("crd.") and spec.get("tier") in (None, "", "default"):
        name = name.removeprefix("default.")
    key = f"{name}/{home or ''}/{item['kind']}".encode()
    place = (inf if order is None else float(order), key)

    def selects(labels: Labels) -> bool:
        return (
            (home is None or labels.get(NAMESPACE) == home)
            and holds(spec.get("selector") or "", labels)
            and holds(spec.get("namespaceSelector") or "", labels, "pcns.")
            and holds(spec.get("serviceAccountSelector") or "", labels, "pcsa.")
        )

    return Enforced(spec.get("tier") or "default", place, frozenset(types), selects, rules)


def as_rule(rule: Manifest, home: str | None = None) -> Rule:
    """Return a rule of a policy that lives in a namespace, or in none."""
    return Rule(
        rule["action"],
        _entity(rule.get("source") or {}, home),
        _entity(rule.get("destination") or {}, home),
        rule,
    )


def _entity(said: Manifest, home: str | None) -> Entity:
    selector, without = said.get("selector") or "", said.get("notSelector") or ""
    where, accounts = said.get("namespaceSelector") or "", said.get("serviceAccounts") or {}
    services = said.get("services")
    asked = bool(selector or without or where or accounts)
    positive = bool(selector or where or accounts or (asked and home is not None))

    def known(labels: Labels) -> bool:
        names, chosen = accounts.get("names") or (), accounts.get("selector") or ""
        return (
            holds(selector, labels)
            and not (without and holds(without, labels))
            and _scope(where, home, labels)
            and (not names or labels.get(ACCOUNT) in names)
            and (not chosen or holds(chosen, labels, "pcsa."))
        )

    def unknown(labels: Labels) -> bool:
        return holds(without, labels)

    return Entity(
        known if positive else None,
        unknown if without and not positive else None,
        tuple(said.get("nets") or ()),
        tuple(said.get("notNets") or ()),
        tuple(said.get("ports") or ()),
        tuple(said.get("notPorts") or ()),
        # A namespace that is left out is not the policy's own: such a set stays empty.
        (services.get("namespace") or "", services["name"]) if services else None,
    )


def _scope(where: str, home: str | None, labels: Labels) -> bool:
    if not where:
        return home is None or labels.get(NAMESPACE) == home
    if where.strip() == "all()":
        return NAMESPACE in labels
    if where.strip() == "global()":
        return NAMESPACE not in labels
    return holds(where, labels, "pcns.")


def _kubernetes(item: Manifest) -> Enforced:
    """Return a Kubernetes NetworkPolicy: one rule that allows per port and peer."""
    spec, meta = item["spec"], item["metadata"]
    home = meta.get("namespace") or "default"
    rules = {
        "Ingress": list(_allowing(spec.get("ingress") or [], "from", home)),
        "Egress": list(_allowing(spec.get("egress") or [], "to", home)),
    }

    def selects(labels: Labels) -> bool:
        return labels.get(NAMESPACE) == home and chosen(spec.get("podSelector"), labels)

    key = f"{meta['name']}/{home}/KubernetesNetworkPolicy".encode()
    return Enforced("default", (1000.0, key), frozenset(policy_types(spec)), selects, rules)


def _allowing(rules: list[Manifest], side: str, home: str) -> Iterator[Rule]:
    for rule in rules:
        for peer in rule.get(side) or [None]:
            entity = Entity() if peer is None else _peer(peer, home)
            for port in rule.get("ports") or [None]:
                match: Manifest = {}
                ports: tuple[int | str, ...] = ()
                if port is not None:
                    match = {"protocol": port.get("protocol") or "TCP"}
                    ports = _one_port(port)
                yield _directed(ALLOW, side, entity, match, ports)


def _one_port(port: Manifest) -> tuple[int | str, ...]:
    said, last = port.get("port"), port.get("endPort")
    if said is None:
        return ()
    return (said if last is None else f"{said}:{last}",)


def _directed(
    action: str, side: str, entity: Entity, match: Manifest, ports: tuple[int | str, ...]
) -> Rule:
    if side == "from":
        return Rule(action, entity, Entity(ports=ports), match)
    there = Entity(entity.known, entity.unknown, entity.nets, entity.not_nets, ports)
    return Rule(action, Entity(), there, match)


def _peer(peer: Manifest, home: str) -> Entity:
    block = peer.get("ipBlock")
    if block is not None:
        return Entity(nets=(block["cidr"],), not_nets=tuple(block.get("except") or ()))

    def known(labels: Labels) -> bool:
        if labels.get(ORCHESTRATOR) != "k8s" or not chosen(peer.get("podSelector"), labels):
            return False
        where = peer.get("namespaceSelector")
        if where is None:
            return labels.get(NAMESPACE) == home
        return chosen(where, labels, "pcns.")

    return Entity(known)


def _cluster(item: Manifest) -> Enforced:
    """Return a ClusterNetworkPolicy: what Calico cannot convert fails closed."""
    spec = item["spec"]
    rules = {
        "Ingress": list(_converted(spec.get("ingress") or [], "from")),
        "Egress": list(_converted(spec.get("egress") or [], "to")),
    }
    tier = "kube-admin" if spec["tier"] == "Admin" else "kube-baseline"
    key = f"{item['metadata']['name']}//KubernetesClusterNetworkPolicy".encode()
    subject = spec["subject"]

    def selects(labels: Labels) -> bool:
        pods = subject.get("pods")
        where = subject.get("namespaces") if pods is None else pods.get("namespaceSelector")
        if not chosen(where, labels, "pcns."):
            return False
        return pods is None or chosen(pods.get("podSelector"), labels)

    governs = frozenset(direction for direction, found in rules.items() if found)
    return Enforced(tier, (float(spec["priority"]), key), governs, selects, rules)


def _converted(rules: list[Manifest], side: str) -> Iterator[Rule]:
    for rule in rules:
        action = ALLOW if rule["action"] == "Accept" else rule["action"]
        peers = rule[side]
        if any("nodes" in peer or "domainNames" in peer for peer in peers):
            if action != ALLOW:
                yield Rule(DENY, Entity(), Entity(), {})
            continue
        for peer in peers:
            for entry in rule.get("protocols") or [None]:
                match, ports = _protocol(entry)
                yield _directed(action, side, _cluster_peer(peer), match, ports)


def _protocol(entry: Manifest | None) -> tuple[Manifest, tuple[int | str, ...]]:
    if entry is None:
        return {}, ()
    if "destinationNamedPort" in entry:
        return {}, (entry["destinationNamedPort"],)
    ((name, told),) = entry.items()
    port = told["destinationPort"]
    span = port.get("range")
    said = port["number"] if span is None else f"{span['start']}:{span['end']}"
    return {"protocol": name.upper()}, (said,)


def _cluster_peer(peer: Manifest) -> Entity:
    if "networks" in peer:
        return Entity(nets=tuple(peer["networks"]))

    def known(labels: Labels) -> bool:
        pods = peer.get("pods")
        if pods is None:
            where = peer["namespaces"]
            if not any(where.values()):
                return NAMESPACE in labels
            return chosen(where, labels, "pcns.")
        return (
            labels.get(ORCHESTRATOR) == "k8s"
            and chosen(pods.get("podSelector"), labels)
            and chosen(pods.get("namespaceSelector"), labels, "pcns.")
        )

    return Entity(known)


def chosen(selector: Manifest | None, labels: Labels, prefix: str = "") -> bool:
    """Return whether a Kubernetes selector matches; an absent one matches everything."""
    said = selector or {}
    if any(labels.get(prefix + k) != v for k, v in (said.get("matchLabels") or {}).items()):
        return False
    for each in said.get("matchExpressions") or []:
        value = labels.get(prefix + each["key"])
        held = {
            "In": value is not None and value in (each.get("values") or ()),
            "NotIn": value is None or value not in (each.get("values") or ()),
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not held[each["operator"]]:
            return False
    return True


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


# ------------------------------------------------------------------ selectors

_TOKEN = re.compile(
    r"""[ \t]*(?:(?P<text>'[^']*'|"[^"]*")|(?P<call>(?:has|all|global)\()"""
    r"""|(?P<sign>\|\||&&|==|!=|[!(){},])|(?P<word>[A-Za-z0-9_./-]+))"""
)
Test = Callable[[Labels, str], bool]


def holds(text: str, labels: Labels, prefix: str = "") -> bool:
    """Return whether labels satisfy an expression; every label in it is taken to be prefixed."""
    return not text.strip(" \t") or read(text)(labels, prefix)


@lru_cache(maxsize=4096)
def read(text: str) -> Test:
    """Return what an expression asks.

    Raises:
        ValueError: it is none.
    """
    tokens: list[str] = []
    at = 0
    rest = text.rstrip(" \t")
    while at < len(rest):
        found = _TOKEN.match(rest, at)
        if found is None:
            msg = f"{text!r} at {at}"
            raise ValueError(msg)
        tokens.append(found[0].lstrip(" \t"))
        at = found.end()
    reader = _Reader(tokens)
    test = reader.either()
    if reader.tokens:
        raise ValueError(text)
    return test


class _Reader:
    """Reads tokens from the front; lives for one expression."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def next(self) -> str:
        if not self.tokens:
            msg = "it ends too early"
            raise ValueError(msg)
        return self.tokens.pop(0)

    def skip(self, *tokens: str) -> bool:
        if self.tokens[: len(tokens)] == list(tokens):
            del self.tokens[: len(tokens)]
            return True
        return False

    def need(self, token: str) -> None:
        if self.next() != token:
            raise ValueError(token)

    def either(self) -> Test:
        parts = [self.both()]
        while self.skip("||"):
            parts.append(self.both())
        return lambda labels, prefix: any(part(labels, prefix) for part in parts)

    def both(self) -> Test:
        parts = [self.negated()]
        while self.skip("&&"):
            parts.append(self.negated())
        return lambda labels, prefix: all(part(labels, prefix) for part in parts)

    def negated(self) -> Test:
        if self.skip("!"):
            inner = self.negated()
            return lambda labels, prefix: not inner(labels, prefix)
        return self.term()

    def term(self) -> Test:
        token = self.next()
        if token == "(":
            inner = self.either()
            self.need(")")
            return inner
        if token in ("all(", "global("):
            self.need(")")
            return lambda _labels, _prefix: True
        if token == "has(":
            key = self.next()
            self.need(")")
            return lambda labels, prefix: prefix + key in labels
        return self.compared(token)

    def compared(self, key: str) -> Test:
        if self.skip("=="):
            value = self.text()
            return lambda labels, prefix: labels.get(prefix + key) == value
        if self.skip("!="):
            value = self.text()
            return lambda labels, prefix: labels.get(prefix + key) != value
        if self.skip("not", "in") or self.skip("notin"):
            values = self.listed()
            return lambda labels, prefix: labels.get(prefix + key) not in values
        if self.skip("in"):
            values = self.listed()
            return lambda labels, prefix: labels.get(prefix + key) in values
        for words, test in _PARTS:
            if self.skip(*words):
                value = self.text()
                return _partly(key, value, test)
        raise ValueError(key)

    def text(self) -> str:
        token = self.next()
        if token[0] not in "'\"":
            raise ValueError(token)
        return token[1:-1]

    def listed(self) -> set[str | None]:
        found: set[str | None] = set()
        self.need("{")
        while not self.skip("}"):
            found.add(self.text())
            if not self.skip(","):
                self.need("}")
                break
        return found


def _partly(key: str, part: str, test: Callable[[str, str], bool]) -> Test:
    def asked(labels: Labels, prefix: str) -> bool:
        value = labels.get(prefix + key)
        return value is not None and test(value, part)

    return asked


_PARTS: tuple[tuple[tuple[str, ...], Callable[[str, str], bool]], ...] = (
    (("contains",), lambda value, part: part in value),
    (("starts", "with"), str.startswith),
    (("startswith",), str.startswith),
    (("ends", "with"), str.endswith),
    (("endswith",), str.endswith),
)

__all__ = ["NAME_LABEL", "RawCalicoOracle", "holds", "read"]
