"""What plain manifests say of a cluster under Cilium: whom there is, with which entries."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tests.oracle.raw import (
    Address,
    End,
    Manifest,
    Party,
    RawOracle,
    finished,
    network,
    same_node,
    selects,
)
from tests.oracle.raw_cilium_labels import Labels, as_label, kept, kept_of_node, meets
from tests.oracle.raw_cilium_requests import Asked, Guess, Guesses, name_pattern
from tests.oracle.raw_cilium_rules import (
    ACCOUNT,
    ALLOW,
    CLUSTER,
    NAMESPACE,
    NAMESPACE_LABELS,
    Entry,
    Name,
    Requirements,
    Term,
    Translator,
    fqdn,
)
from tests.oracle.raw_cilium_valid import judged

OWN_KINDS = {
    "CiliumNetworkPolicy": "enable-cilium-network-policy",
    "CiliumClusterwideNetworkPolicy": "enable-cilium-clusterwide-network-policy",
    "NetworkPolicy": "enable-k8s-networkpolicy",
    "ClusterNetworkPolicy": "enable-k8s-cluster-network-policy",
}


@dataclass(frozen=True)
class Flow:
    """What goes from one end to the other.

    Args:
        target: Who listens.
        protocol: `TCP`, `UDP`, `SCTP`, `ICMP`, `ICMPV6`, or anything else.
        port: The port; of ICMP the message's type.
        family: 4 or 6.
        request: What is asked for on the connection; None where that is not told.
    """

    target: Party
    protocol: str
    port: int | None
    family: int
    request: Asked | None


class RawCiliumState(RawOracle):
    """A cluster, as far as policies look at it.

    Args:
        objects: Decoded manifests, in any order. Only kinds that matter are read.
        version: Of Cilium.
        switches: The cluster's settings, by the names Cilium has for them.
        names: Addresses that DNS names stand for; None where nobody said any.
    """

    def __init__(
        self,
        objects: Iterable[Manifest],
        version: tuple[int, int] = (1, 19),
        switches: Mapping[str, str] | None = None,
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.version = version
        self.deep = version >= (1, 19)
        self.switches = dict(switches or {})
        self.names = {
            name.lower().removesuffix("."): {ipaddress.ip_address(a) for a in found}
            for name, found in (names or {}).items()
        }
        self.groups: list[Manifest] = []
        self.services: dict[tuple[str, str], Manifest] = {}
        self.slices: dict[tuple[str, str], set[Address]] = {}
        self.identities: dict[tuple[str, str], Labels] = {}
        self.redirects: list[Manifest] = []
        self.node_labels: dict[str, dict[str, str]] = {}
        self.refused: list[Manifest] = []
        self.own: list[Manifest] = []
        super().__init__(objects)
        self.cluster = self.switches.get("cluster-name", "default")
        local = "true" if version >= (1, 19) else "false"
        narrow = self.switches.get("policy-default-local-cluster", local) == "true"
        patch = self.switches.get("cilium.patch")
        defect = None if patch is None else int(patch) < 5
        if version != (1, 19) or not narrow:
            defect = False
        loose = True if version == (1, 19) and patch is not None and int(patch) < 5 else None
        here = self.cluster if narrow else None
        translator = Translator(here, by_nodes=self._by_nodes(), defect=defect, loose=loose)
        kubernetes = [each for found in self.policies.values() for each in found]
        self.entries = [
            entry
            for item in (*self.own, *kubernetes)
            if self._on(OWN_KINDS[item["kind"]], default=item["kind"] != "ClusterNetworkPolicy")
            for entry in translator.entries(item)
        ]
        self._named: dict[tuple[str, str], set[int]] | None = None

    def _on(self, switch: str, *, default: bool) -> bool:
        return self.switches.get(switch, "true" if default else "false") == "true"

    def _read(self, item: Manifest) -> None:
        kind, meta = item["kind"], item.get("metadata") or {}
        home, name = meta.get("namespace") or "default", meta.get("name", "")
        if kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"):
            (self.own if judged(item, self.switches) == "VALID" else self.refused).append(item)
        elif kind == "ClusterNetworkPolicy":
            self.own.append(item)
        elif kind == "CiliumCIDRGroup":
            self.groups.append(item)
        elif kind == "CiliumLocalRedirectPolicy":
            self.redirects.append(item)
        elif kind == "CiliumEndpoint":
            told = ((item.get("status") or {}).get("identity") or {}).get("labels")
            if told is not None:
                self.identities[home, name] = dict(as_label(each) for each in told)
        elif kind == "Service":
            self.services[home, name] = item
        elif kind == "EndpointSlice":
            self._slice(home, item)
        elif kind == "Node":
            self.node_labels[name] = meta.get("labels") or {}
            super()._read(item)
        else:
            super()._read(item)

    def _slice(self, home: str, item: Manifest) -> None:
        name = (item["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        if name:
            held = self.slices.setdefault((home, name), set())
            for each in item.get("endpoints") or ():
                held |= {ipaddress.ip_address(a) for a in each["addresses"]}

    def party(self, end: End) -> Party:
        """Return what policies see of an end; `("reserved", name, node)` is one of Cilium's own."""
        return Party(end, node=end[2] or None) if end[0] == "reserved" else super().party(end)

    def behind(
        self, namespace: str, name: str, protocol: str, port: int | None, source: Party
    ) -> Iterator[tuple[End, int | None]]:
        """Iterate over the pods behind a Service's port, with their port."""
        spec = self.services[namespace, name]["spec"]
        for redirect in self.redirects:
            told = redirect["spec"]["redirectFrontend"].get("serviceMatcher") or {}
            here = redirect["metadata"].get("namespace") or "default"
            if (told.get("namespace") or here, told.get("serviceName")) == (namespace, name):
                there = redirect["spec"]["redirectBackend"]
                (number,) = [each["port"] for each in there["toPorts"]]
                for end in self._pods(here, there["localEndpointSelector"]):
                    if self.party(end).node == source.node:
                        yield end, int(number)
                return
        for told in spec["ports"]:
            if told["port"] == port and (told.get("protocol") or "TCP") == protocol:
                aim = told.get("targetPort", port)
                if spec.get("selector"):
                    for end in self._pods(namespace, {"matchLabels": spec["selector"]}):
                        named = {(n, p): v for n, p, v in self.party(end).ports}
                        yield end, (named[aim, protocol] if isinstance(aim, str) else aim)
                else:
                    for address in self.slices.get((namespace, name), ()):
                        yield ("ip", str(address)), aim

    def _pods(self, namespace: str, selector: Manifest) -> Iterator[End]:
        for (home, name), pod in self.pods.items():
            labels = pod["metadata"].get("labels") or {}
            if home == namespace and not finished(pod) and selects(selector, labels):
                yield ("pod", home, name)

    def _here(self, party: Party) -> bool:
        """Return whether an end is not of another cluster, which has its own policies."""
        return self.labels(party).get(("k8s", CLUSTER), self.cluster) == self.cluster

    def _of(self, subject: Party, direction: str, guess: Guesses | None = None) -> list[Entry]:
        """Return the entries that are about an end."""
        labels = self.labels(subject)
        known = not subject.on_node or subject.node in self.node_labels
        patterns = self.switches.get("labels", "")
        found = []
        for entry in self.entries:
            if entry.direction != direction or entry.nodes != subject.on_node:
                continue
            open_ = () if known else self._open_labels(entry.subject, "k8s", patterns)
            told = tuple(each for each in entry.subject if each not in open_)
            if meets(told, labels) and (
                not open_ or (guess is not None and guess(("labels of", entry.subject)))
            ):
                found.append(entry)
        return found

    def _about(self, entry: Entry, subject: Party, guess: Guesses) -> bool:
        """Return whether an entry is about a node of which nobody knows the labels.

        That its object closes the node and that its entries count there is taken apart: the two
        are not seen to be one.
        """
        if not subject.on_node or subject.node in self.node_labels:
            return True
        open_ = self._open_labels(entry.subject, "k8s", self.switches.get("labels", ""))
        return not open_ or bool(guess(("rule for", repr(entry))))

    def _open_labels(self, found: Requirements, source: str, patterns: str) -> Requirements:
        """Return which conditions nobody can judge of a node whose labels nobody knows."""
        keep = kept if source == "k8s" else kept_of_node
        return tuple(
            each for each in found if each[0] in ("any", source) and keep(each[1], patterns)
        )

    def _ports(self, entry: Entry, peer: Party, flow: Flow) -> bool:
        return entry.ports is None or bool(self._terms(entry, peer, flow))

    def _terms(self, entry: Entry, peer: Party, flow: Flow) -> list[Term]:
        """Return the ports of an entry that a flow is on."""
        return [
            term
            for term in entry.ports or ()
            if flow.protocol in term.protocols
            and flow.port is not None
            and (
                term.low <= flow.port <= term.high
                if term.name is None
                else flow.port == self._number(term.name, entry.direction, peer, flow)
            )
        ]

    def _number(self, name: str, direction: str, peer: Party, flow: Flow) -> int | None:
        """Return what a port's name stands for."""
        if direction == "Ingress" or self.version >= (1, 20):
            end = flow.target if direction == "Ingress" else peer
            # Of those by one name the last counts that a pod declares.
            last = [(p, n) for each, p, n in end.ports if each == name][-1:]
            found = {n for p, n in last if p == flow.protocol}
        else:
            found = self._everywhere().get((name, flow.protocol), set())
        return found.pop() if len(found) == 1 else None

    def _everywhere(self) -> dict[tuple[str, str], set[int]]:
        """Return all numbers that pods give names, by name and protocol."""
        if self._named is None:
            ends: list[End] = [("pod", *key) for key, p in self.pods.items() if not finished(p)]
            ends += [("workload", *key) for key in self._unmade]
            found: dict[tuple[str, str], set[int]] = {}
            for end in ends:
                last = {name: (p, number) for name, p, number in self.party(end).ports}
                for name, (protocol, number) in last.items():
                    found.setdefault((name, protocol), set()).add(number)
            self._named = found
        return {key: set(numbers) for key, numbers in self._named.items()}

    @cached_property
    def _unmade(self) -> list[tuple[str, str, str]]:
        """Return the templates that say what pods there will be; who has pods is told by them."""
        made = {
            (namespace, ref["kind"], ref["name"])
            for (namespace, _), pod in self.pods.items()
            for ref in pod["metadata"].get("ownerReferences") or ()
        }
        return [key for key in self.templates if key not in made]

    def pattern(self, name: Name) -> re.Pattern[str]:
        """Return a name, or a pattern of names, as a regular expression."""
        return name_pattern(name, deep=self.deep)

    def _open(self, name: str, guess: Guesses, *options: str, rule: object = None) -> Guess:
        """Return what a question nobody has confirmed comes to here, for each rule by itself."""
        return self.switches.get(f"cilium.{name}") or guess((name, rule), options)

    def _on_port(self, term: Term | None, port: Term, candidate: Party, flow: Flow) -> bool:
        """Return whether what a port's name stands for at a resolver is the port of another."""
        if term is None or term.name is None:
            return True
        for protocol in set(term.protocols) & set(port.protocols):
            told = replace(flow, protocol=protocol)
            number = self._number(term.name, "Egress", candidate, told)
            if number is not None and port.low <= number <= port.high:
                return True
        return False

    @cached_property
    def _resolvers(self) -> list[tuple[Party, Flow]]:
        """Return who may be asked for names: pods, nodes, and somebody outside."""
        ends: list[End] = [*self._endpoints(), *(("node", name) for name in self.node_labels)]
        ends += [("ip", "198.18.0.53"), ("ip", "2001:db8:53::53")]
        ends += [("ip", str(address)) for address in sorted(self._servers() or (), key=str)]
        peers = [peer for entry in self.entries for peer in entry.peers or ()]
        blocks = {network(peer[1]) for peer in peers if peer[0] == "cidr"}
        ends += [("ip", str(block[0])) for block in sorted(blocks, key=str)]
        return [
            (party, Flow(party, "UDP", 53, family, None))
            for party in map(self.party, ends)
            for family in sorted({a.version for a in party.addresses} or {4})
        ]

    def _asks(self, entry: Entry, name: str) -> bool:
        """Return whether an entry sends queries of a name past the DNS proxy."""
        return any(self.pattern(fqdn(each)).fullmatch(name) for each in lookups(entry))

    def _endpoints(self) -> Iterator[End]:
        for (namespace, name), pod in self.pods.items():
            if not pod["spec"].get("hostNetwork") and not finished(pod):
                yield ("pod", namespace, name)
        for key in self._unmade:
            if not self.templates[key]["spec"].get("hostNetwork"):
                yield ("workload", *key)

    def _together(self, one: Party, other: Party, guess: Guesses) -> bool:
        """Return whether two ends share a node: one answer for all rules that ask."""
        known = same_node(one.node, other.node)
        both = frozenset((one.pod, other.pod))
        return bool(known == 2 if known != 1 else guess(("together", both)))

    def _by_nodes(self) -> bool:
        return self._on("enable-node-selector-labels", default=False)

    def _servers(self) -> set[Address] | None:
        """Return the API server's addresses; None where nobody said."""
        return self.slices.get(("default", "kubernetes"))

    def labels(self, party: Party) -> Labels:
        """Return the labels of an endpoint's identity, or of the endpoint that a node is."""
        match party.pod:
            case ("reserved", name, _):
                return {("reserved", name): ""}
            case ("pod", namespace, name):
                if (namespace, name) in self.identities:
                    return self.identities[namespace, name]
                return self._computed(party, self.pods[namespace, name]["spec"])
            case ("workload", namespace, kind, name):
                return self._computed(party, self.templates[namespace, kind, name]["spec"])
        node = self.node_labels.get(party.node or "", {}) if party.on_node else {}
        patterns = self.switches.get("labels", "")
        seen = {("k8s", k): v for k, v in node.items() if kept(k, patterns)}
        return {("reserved", "host"): "", **seen}

    def _computed(self, party: Party, spec: Manifest) -> Labels:
        account = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
        home = self.labels_of(party.namespace)
        every = {
            **dict(party.labels),
            **{NAMESPACE_LABELS + key: value for key, value in home.items()},
            NAMESPACE: party.namespace,
            ACCOUNT: account,
            CLUSTER: self.cluster,
        }
        patterns = self.switches.get("labels", "")
        return {("k8s", key): value for key, value in every.items() if kept(key, patterns)}


def lookups(entry: Entry) -> Iterator[Manifest]:
    """Iterate over the rules of an entry about names that may be looked up."""
    for term in entry.ports or ():
        if entry.verdict == ALLOW and term.rules is not None:
            yield from term.rules.dns or ()
