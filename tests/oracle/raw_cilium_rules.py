"""Cilium's objects as entries: one subject, one direction, some peers, some ports, one verdict.

Entries are what Cilium makes of its policies, of NetworkPolicies and of ClusterNetworkPolicies
before it computes anything. Absent lists and empty ones are told apart: a list of endpoints,
nodes, entities or blocks that is there and empty selects nobody (`peers` is None), and no list
at all is everybody, but only together with ports (`peers` is empty).

Sources: cilium/cilium pkg/k8s/apis/cilium.io/utils/utils.go, pkg/policy/utils, pkg/policy/api,
pkg/k8s/network_policy.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from tests.oracle.raw import Manifest, policy_types
from tests.oracle.raw_cilium_icmp import TYPES

Requirement: TypeAlias = tuple[str, str, str, tuple[str, ...]]
"""Source, key, operator and values of one condition on a label."""
Requirements: TypeAlias = tuple[Requirement, ...]
Name: TypeAlias = tuple[str, bool]
"""The text of a name, and whether `*` means anything in it."""
Peer: TypeAlias = tuple[Any, ...]
"""`("labels", requirements)`, `("cidr", block, holes)`, `("group", name, labels, holes)`,
`("entity", name)`, `("name", name)`, `("services", …)`, `("clouds",)`, `("all",)`, or
`("perhaps", why, peer)` where nobody knows whether it is meant."""

NAMESPACE = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
CLUSTER = "io.cilium.k8s.policy.cluster"
ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
ALLOW, DENY, PASS = "allow", "deny", "pass"
BOTH = ("Ingress", "Egress")
EVERY = ("TCP", "UDP", "SCTP")
NORMAL = (1, 0.0)
"""Where policies of Cilium and NetworkPolicies are; ClusterNetworkPolicies are around."""
TIERS = {"Admin": 0, "Baseline": 2}


@dataclass(frozen=True)
class Rules:
    """What a port rule asks of requests.

    Args:
        http: Rules of HTTP, any of these; None for none.
        dns: Names that may be looked up, likewise.
        opaque: Whether it asks in a language that nobody models.
        sni: Names that TLS may be opened with; None for any.
    """

    http: tuple[Manifest, ...] | None = None
    dns: tuple[Manifest, ...] | None = None
    opaque: bool = False
    sni: tuple[str, ...] | None = None

    @property
    def kind(self) -> str:
        """The parser that is asked for."""
        for name in ("http", "dns"):
            if getattr(self, name) is not None:
                return name
        return "opaque" if self.opaque else "sni"


@dataclass(frozen=True)
class Term:
    """One port of `toPorts`, or one message of `icmps`.

    Args:
        protocols: Of the port; of a message `ICMP` or `ICMPV6`.
        low: First number; the type of a message.
        high: Last number.
        name: The port's name, instead of numbers.
        rules: What is asked of requests; None for nothing.
    """

    protocols: tuple[str, ...]
    low: int = 0
    high: int = 0
    name: str | None = None
    rules: Rules | None = None


@dataclass(frozen=True)
class Entry:
    """One element of a rule.

    Args:
        owner: The object, for people.
        nodes: Whether subjects are nodes.
        subject: Whom it is about.
        direction: `Ingress` or `Egress`.
        verdict: What it does.
        default: Whether what nothing matches is dropped.
        peers: Any of these; None for nobody, empty for everybody if there are ports.
        ports: Any of these; None for all traffic.
        level: Tier and place in the tier.
    """

    owner: str
    subject: Requirements
    direction: str
    verdict: str
    default: bool
    peers: tuple[Peer, ...] | None = ()
    ports: tuple[Term, ...] | None = None
    nodes: bool = False
    level: tuple[int, float] = NORMAL


def requirements(selector: Manifest | None, source: str = "any") -> Requirements:
    """Return the conditions of a label selector; a key without a source gets this one."""
    selector = selector or {}
    found = [
        (*key_of(key, source), "In", (value,))
        for key, value in (selector.get("matchLabels") or {}).items()
    ]
    found += [
        (*key_of(each["key"], source), each["operator"], tuple(each.get("values") or ()))
        for each in selector.get("matchExpressions") or ()
    ]
    return tuple(found)


def key_of(text: str, source: str = "any") -> tuple[str, str]:
    """Return source and key of a selector's key."""
    if text.startswith("$"):
        return "reserved", text[1:]
    before, colon, rest = text.partition(":")
    return (before, rest) if colon else (source, text)


def has(found: Requirements, *keys: str, prefix: bool = False) -> bool:
    """Return whether there is a condition on a key of Kubernetes, or of any source."""
    return any(
        source in ("any", "k8s")
        and any(key.startswith(each) if prefix else key == each for each in keys)
        for source, key, _, _ in found
    )


class Translator:
    """Turns objects into entries.

    Args:
        cluster: The cluster's name where peers that name none are of this one; None otherwise.
        defect: Whether a block that is the only peer of a NetworkPolicy's ingress rule also lets in
            the policy's namespace, as some releases did; None where nobody knows.
        by_nodes: Whether nodes have labels that they are found by as peers.
        loose: Whether a peer of a NetworkPolicy that only excludes also is who is no pod; None
            where nobody knows.
    """

    def __init__(
        self,
        cluster: str | None,
        *,
        by_nodes: bool = False,
        defect: bool | None = False,
        loose: bool | None = None,
    ) -> None:
        self.by_nodes = by_nodes
        self.cluster = cluster
        self.defect = defect
        self.loose = loose

    def entries(self, item: Manifest) -> Iterator[Entry]:
        """Iterate over the entries of an object."""
        kind = item["kind"]
        if kind == "NetworkPolicy":
            yield from self._kubernetes(item)
        elif kind == "ClusterNetworkPolicy":
            yield from self._cluster_policy(item)
        else:
            rules = [item["spec"]] if item.get("spec") else []
            rules += item.get("specs") or []
            home = None
            if kind == "CiliumNetworkPolicy":
                home = item["metadata"].get("namespace") or "default"
            for rule in rules:
                yield from self._rule(owner(item), home, rule)

    # ------------------------------------------------------------------ Cilium's own

    def _rule(self, name: str, home: str | None, rule: Manifest) -> Iterator[Entry]:
        nodes = rule.get("endpointSelector") is None
        subject = requirements(rule.get("nodeSelector" if nodes else "endpointSelector"))
        if home is not None:
            exact = ("k8s", NAMESPACE)
            labels = (rule.get("endpointSelector") or {}).get("matchLabels") or {}
            kept = [e for n, e in enumerate(subject) if n >= len(labels) or e[:2] != exact]
            subject = (*kept, (*exact, "In", (home,)))
        init = any(each[:2] == ("reserved", "init") for each in subject)
        for direction in BOTH:
            side = direction.lower()
            both = [(ALLOW, e) for e in rule.get(side) or ()]
            both += [(DENY, e) for e in rule.get(f"{side}Deny") or ()]
            said = (rule.get("enableDefaultDeny") or {}).get(side)
            for verdict, element in both:
                yield Entry(
                    owner=name,
                    subject=subject,
                    direction=direction,
                    verdict=verdict,
                    default=True if said is None else said,
                    peers=self._peers(element, direction, home, init=init, verdict=verdict),
                    ports=terms(element),
                    nodes=nodes,
                )

    def _peers(
        self, element: Manifest, direction: str, home: str | None, *, init: bool, verdict: str
    ) -> tuple[Peer, ...] | None:
        word = "from" if direction == "Ingress" else "to"
        covered = ("Endpoints", "Nodes", "Entities", "CIDR", "CIDRSet")
        lists = {key: element.get(f"{word}{key}") for key in covered}
        if any(found is not None and not found for found in lists.values()):
            return None
        peers: list[Peer] = [
            ("labels", self._endpoints(requirements(selector), home, init=init))
            for selector in lists["Endpoints"] or ()
        ]
        for selector in lists["Nodes"] or ():
            known = (*requirements(selector), ("reserved", "remote-node", "Exists", ()))
            peers.append(("labels", known))
        peers += [("entity", name) for name in lists["Entities"] or ()]
        peers += [("cidr", block, ()) for block in lists["CIDR"] or ()]
        peers += [_cidr_rule(each) for each in lists["CIDRSet"] or ()]
        peers += [("name", fqdn(each)) for each in element.get("toFQDNs") or ()]
        services = element.get("toServices") or ()
        if services:
            # Only those of rules that allow are ever looked up.
            known = services if verdict == ALLOW else ()
            peers.append(("services", tuple(_service(each) for each in known)))
        if element.get(f"{word}Groups"):
            peers.append(("clouds",))
        return tuple(peers)

    def _endpoints(self, found: Requirements, home: str | None, *, init: bool) -> Requirements:
        """Return a selector of peers with what Cilium adds to it."""
        if any(source == "reserved" for source, *_ in found):
            return found
        added: list[Requirement] = []
        if not has(found, NAMESPACE):
            if home is None:
                added += [] if init else [("k8s", NAMESPACE, "Exists", ())]
            elif not has(found, NAMESPACE_LABELS, prefix=True):
                added.append(("k8s", NAMESPACE, "In", (home,)))
        return (*found, *added, *self._local(found))

    def _local(self, found: Requirements) -> Requirements:
        if self.cluster is None or has(found, CLUSTER):
            return ()
        return (("k8s", CLUSTER, "In", (self.cluster,)),)

    # ------------------------------------------------------------------ NetworkPolicy

    def _kubernetes(self, item: Manifest) -> Iterator[Entry]:
        spec, home = item["spec"], item["metadata"].get("namespace") or "default"
        here = ("k8s", NAMESPACE, "In", (home,))
        subject = (*requirements(spec.get("podSelector"), "k8s"), here)
        types = policy_types(spec)
        for direction, word in (("Ingress", "from"), ("Egress", "to")):
            rules = spec.get(direction.lower()) or ()
            for rule in rules:
                ports = None
                if rule.get("ports"):
                    ports = tuple(_kubernetes_port(each) for each in rule["ports"])
                for peer in rule.get(word) or [None]:
                    peers = tuple(self._kubernetes_peers(peer, home, direction))
                    yield Entry(
                        owner=owner(item),
                        subject=subject,
                        direction=direction,
                        verdict=ALLOW,
                        default=True,
                        peers=peers,
                        ports=ports,
                    )
            isolated = direction in types or (direction == "Ingress" and "Egress" not in types)
            if not rules and isolated:
                yield Entry(owner(item), subject, direction, ALLOW, default=True, peers=None)

    def _kubernetes_peers(self, peer: Manifest | None, home: str, direction: str) -> Iterator[Peer]:
        if peer is None:
            yield ("all",)
            return
        if peer.get("ipBlock") is not None:
            block = peer["ipBlock"]
            yield ("cidr", block["cidr"], tuple(block.get("except") or ()))
            if direction == "Ingress" and self.defect is not False:
                here = ("k8s", NAMESPACE, "In", (home,))
                also: Peer = ("labels", (here, *self._local(())))
                yield also if self.defect else ("perhaps", "defect", also)
            return
        found = requirements(peer.get("podSelector"), "k8s")
        where = self._namespaces(peer, home)
        yield from self._pods((*found, *where), (*found, *where, *self._local(found)))

    def _pods(self, written: Requirements, every: Requirements) -> Iterator[Peer]:
        """Iterate over whom conditions mean.

        Args:
            written: Conditions of the policy.
            every: Those, and what Cilium adds.
        """
        if any(operator in ("In", "Exists") for _, _, operator, _ in written):
            yield ("labels", every)
            return
        # Who has none of these labels meets them; which releases keep it out is not settled.
        yield ("labels", (*every, ("k8s", NAMESPACE, "Exists", ())))
        also: Peer = ("labels", every)
        yield also if self.loose else ("perhaps", "without labels", also)

    def _namespaces(self, peer: Manifest, home: str | None) -> Requirements:
        selector = peer.get("namespaceSelector")
        if selector is None and home is not None:
            return (("k8s", NAMESPACE, "In", (home,)),)
        found = tuple(
            (source, NAMESPACE_LABELS + key, operator, values)
            for source, key, operator, values in requirements(selector, "k8s")
        )
        return found or (("k8s", NAMESPACE, "Exists", ()),)

    # ------------------------------------------------------------------ ClusterNetworkPolicy

    def _cluster_policy(self, item: Manifest) -> Iterator[Entry]:
        spec = item["spec"]
        outward = spec.get("egress") or ()
        peers_out = [peer for rule in outward for peer in rule.get("to") or ()]
        if not self.by_nodes and any("nodes" in peer for peer in peers_out):
            return  # The agent refuses it.
        subject = self._chosen(spec["subject"])
        certain = any(operator in ("In", "Exists") for _, _, operator, _ in subject)
        for direction, word in (("Ingress", "from"), ("Egress", "to")):
            for place, rule in enumerate(spec.get(direction.lower()) or ()):
                verdict = {"Accept": ALLOW, "Deny": DENY, "Pass": PASS}[rule["action"]]
                peers: list[Peer] = []
                closed = False
                for each in rule.get(word) or ():
                    found = list(self._cluster_peer(each))
                    closed |= not found
                    peers += found
                ports = None
                if rule.get("protocols"):
                    ports = tuple(t for each in rule["protocols"] for t in _cluster_port(each))
                if closed and verdict == ALLOW and not peers:
                    continue
                if closed and verdict != ALLOW:
                    verdict, peers, ports = DENY, [("all",)], None
                entry = Entry(
                    owner(item),
                    subject,
                    direction,
                    verdict,
                    default=False,
                    peers=tuple(peers),
                    ports=ports,
                    level=(TIERS[spec["tier"]], spec["priority"] + place / 100),
                )
                yield from (entry,) if certain else _loosely(entry)

    def _chosen(self, chosen: Manifest) -> Requirements:
        pods = chosen.get("pods")
        if pods is None:
            return self._namespaces({"namespaceSelector": chosen["namespaces"]}, None)
        where = self._namespaces({"namespaceSelector": pods.get("namespaceSelector")}, None)
        return (*requirements(pods.get("podSelector"), "k8s"), *where)

    def _cluster_peer(self, peer: Manifest) -> Iterator[Peer]:
        if "pods" in peer or "namespaces" in peer:
            # A cluster is only demanded of pods.
            found = self._chosen(peer)
            demanded = self._local(found) if "pods" in peer else ()
            yield from self._pods(found, (*found, *demanded))
        if "nodes" in peer:
            remote = ("reserved", "remote-node", "Exists", ())
            yield ("labels", (*requirements(peer["nodes"], "node"), remote, *self._local(())))
        for block in peer.get("networks") or ():
            yield ("cidr", block, ())
        for name in peer.get("domainNames") or ():
            wide = f"*{name}" if name.startswith("*.") else name
            yield ("name", (wide, "*" in wide))


def _loosely(entry: Entry) -> Iterator[Entry]:
    """Iterate over an entry whose subject who has no labels meets, if its release does not mind."""
    exists, absent = (("k8s", NAMESPACE, each, ()) for each in ("Exists", "DoesNotExist"))
    yield replace(entry, subject=(*entry.subject, exists))
    told = tuple(("perhaps", "no labels", each) for each in entry.peers or ())
    yield replace(entry, subject=(*entry.subject, absent), peers=told)


def owner(item: Manifest) -> str:
    """Return what people call an object."""
    meta = item["metadata"]
    return f"{item['kind']} {meta.get('namespace', '')}/{meta['name']}"


def fqdn(each: Manifest) -> Name:
    """Return a name that a rule says."""
    if "matchPattern" in each:
        return each["matchPattern"], True
    return each["matchName"], False


def _cidr_rule(each: Manifest) -> Peer:
    holes = tuple(each.get("except") or ())
    if "cidr" in each:
        return ("cidr", each["cidr"], holes)
    if "cidrGroupRef" in each:
        return ("group", each["cidrGroupRef"], None, holes)
    return ("group", None, requirements(each["cidrGroupSelector"]), holes)


def _service(each: Manifest) -> tuple[str | None, str | None, Requirements | None]:
    """Return namespace, name and selector of what `toServices` names."""
    if "k8sServiceSelector" in each:
        told = each["k8sServiceSelector"]
        return told.get("namespace") or None, None, requirements(told["selector"])
    told = each["k8sService"]
    return told.get("namespace") or None, told["serviceName"], None


def terms(element: Manifest) -> tuple[Term, ...] | None:
    """Return the ports and messages of an element; None where it has neither."""
    found: list[Term] = []
    ports, icmps = element.get("toPorts") or (), element.get("icmps") or ()
    if not ports and not icmps:
        return None
    for rule in ports:
        asked = rules_of(rule)
        found += [_port(each, asked) for each in rule.get("ports") or ()]
    for each in icmps:
        for one in each.get("fields") or ():
            family = 6 if one.get("family") == "IPv6" else 4
            said = one["type"]
            number = said if isinstance(said, int) else TYPES[family].get(said, -1)
            number = int(said) if isinstance(said, str) and said.isdecimal() else number
            found.append(Term(("ICMP" if family == 4 else "ICMPV6",), number, number))
    return tuple(found)


def rules_of(rule: Manifest) -> Rules | None:
    """Return what an element of `toPorts` asks of requests; None for nothing."""
    said = rule.get("rules") or {}
    names = rule.get("serverNames")
    found = Rules(
        http=tuple(said["http"]) if said.get("http") else None,
        dns=tuple(said["dns"]) if said.get("dns") else None,
        opaque=bool(said.get("kafka") or said.get("l7proto")),
        sni=tuple(names) if names else None,
    )
    return None if found == Rules() else found


def _port(each: Manifest, asked: Rules | None) -> Term:
    protocol = (each.get("protocol") or "ANY").upper()
    protocols = EVERY if protocol == "ANY" else (protocol,)
    text = str(each.get("port") or "0")
    if not text.isdecimal():
        return Term(protocols, name=text.lower(), rules=asked)
    low, last = int(text), each.get("endPort")
    if low == 0:
        return Term(protocols, 0, 65535, rules=asked)
    return Term(protocols, low, last or low, rules=asked)


def _kubernetes_port(each: Manifest) -> Term:
    protocols = (each.get("protocol") or "TCP",)
    said = each.get("port")
    if said is None:
        return Term(protocols, 0, 65535)
    if isinstance(said, str):
        return Term(protocols, name=said.lower())
    return Term(protocols, said, each.get("endPort") or said)


def _cluster_port(each: Manifest) -> Iterator[Term]:
    if "destinationNamedPort" in each:
        yield Term(EVERY, name=each["destinationNamedPort"].lower())
    for protocol in EVERY:
        told = (each.get(protocol.lower()) or {}).get("destinationPort")
        if protocol.lower() in each and told is None:
            yield Term((protocol,), 0, 65535)
        elif told and "number" in told:
            yield Term((protocol,), told["number"], told["number"])
        elif told:
            yield Term((protocol,), told["range"]["start"], told["range"]["end"])
