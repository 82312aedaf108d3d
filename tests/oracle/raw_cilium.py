"""Cilium's policy, decided connection by connection from plain manifests.

It reads Cilium's policies, groups of blocks, NetworkPolicies and ClusterNetworkPolicies, and shares
nothing with Cloison. For one direction at one endpoint:

- entries that select the endpoint by the labels of its identity: what the label filter leaves out
  is not there; a pod on its node's network is its node, and no endpoint;
- the best level with an entry that matches decides: any deny denies, else any allow allows, as long
  as the request meets one of those that ask for something, where none asks for nothing;
- nothing matches: dropped if an entry of the direction asks for default deny, let through if not;
- what comes from the endpoint's own node is let in, unless a deny matches (`cilium.U1`).

An address that nobody knows is in no block but a whole family. What else nobody knows (whether two
ends share a node, which address a name stands for, `cilium.U1` to `cilium.U4`, a request that is
not told) is guessed in every way there is: an answer that is the same for all guesses is the
answer, otherwise it is undetermined.

Sources: cilium/cilium pkg/policy, pkg/policy/api, pkg/labels, pkg/labelsfilter, pkg/fqdn,
pkg/envoy; Cilium documentation, Network Policy.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

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
from tests.oracle.raw_cilium_requests import Asked, Guess, Guesses, everyway, met, name_pattern
from tests.oracle.raw_cilium_rules import (
    ACCOUNT,
    ALLOW,
    CLUSTER,
    DENY,
    NAMESPACE,
    NAMESPACE_LABELS,
    NORMAL,
    Entry,
    Name,
    Peer,
    Requirements,
    Term,
    Translator,
    conflicting,
    fqdn,
)
from tests.oracle.raw_cilium_valid import judged

Labels: TypeAlias = Mapping[tuple[str, str], str]
"""Labels of an identity by source and key."""

INCLUDE = (
    r"io\.kubernetes\.pod\.namespace",
    r"io\.cilium\.k8s\.namespace\.labels",
    r"app\.kubernetes\.io",
    r"io\.cilium\.k8s\.policy\.cluster",
    r"io\.cilium\.k8s\.policy\.serviceaccount",
)
IGNORE = (
    r"io\.kubernetes",
    r"kubernetes\.io",
    r"statefulset\.kubernetes\.io/pod-name",
    r"apps\.kubernetes\.io/pod-index",
    r"batch\.kubernetes\.io/job-completion-index",
    r"batch\.kubernetes\.io/controller-uid",
    r".*beta\.kubernetes\.io",
    r"k8s\.io",
    r"pod-template-generation",
    r"pod-template-hash",
    r"controller-revision-hash",
    r"controller-uid",
    r"annotation.*",
    r"etcd_node",
    r"topology\.kubernetes\.io",
)
CLUSTER_ENTITIES = (
    "host",
    "remote-node",
    "init",
    "ingress",
    "health",
    "unmanaged",
    "kube-apiserver",
)
OWN_KINDS = {
    "CiliumNetworkPolicy": "enable-cilium-network-policy",
    "CiliumClusterwideNetworkPolicy": "enable-cilium-clusterwide-network-policy",
    "NetworkPolicy": "enable-k8s-networkpolicy",
    "ClusterNetworkPolicy": "enable-k8s-cluster-network-policy",
}
WORDS = ("ALLOW", "AUDIT", "DENY", "DENY_RULE", "L7_DENY")
PASSES = {"ALLOW", "AUDIT"}


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


class RawCiliumOracle(RawOracle):
    """Answers connections over a list of plain objects as Cilium enforces them.

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
        translator = Translator(self.cluster if narrow else None, defect=defect)
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
                self.identities[home, name] = dict(_label(each) for each in told)
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

    # ------------------------------------------------------------------ questions

    def verdict(
        self,
        src: End,
        dst: End,
        protocol: str,
        port: int | None,
        family: int,
        request: Asked | None = None,
    ) -> str:
        """Return `allowed`, `denied` or `undetermined` for one new connection.

        Args:
            src: Who connects.
            dst: Who listens; `("svc", namespace, name)` for who is behind a Service.
            protocol: As `Flow` has it.
            port: Likewise; of a Service, the Service's own.
            family: 4 or 6.
            request: What is asked for on the connection.

        Raises:
            KeyError: an end is not in the world.
            ValueError: an end ran to its end, or has no address of the family.
        """
        found = {word in PASSES for word in self.answers(src, dst, protocol, port, family, request)}
        if len(found) > 1:
            return "undetermined"
        return "allowed" if found.pop() else "denied"

    def answers(
        self,
        src: End,
        dst: End,
        protocol: str,
        port: int | None,
        family: int,
        request: Asked | None = None,
    ) -> set[str]:
        """Return all that may become of a connection, in the words of `WORDS`."""
        if dst[0] == "svc":
            found: set[str] = set()
            for end, number in self.behind(dst[1], dst[2], protocol, port, self.party(src)):
                found |= self.answers(src, end, protocol, number, family, request)
            return found
        source, target = self.party(src), self.party(dst)
        for end, party in ((src, source), (dst, target)):
            if party.addresses and not any(a.version == family for a in party.addresses):
                msg = f"{end} has no IPv{family} address"
                raise ValueError(msg)
        flow = Flow(target, protocol, port, family, request)
        return everyway(lambda guess: self._both(source, target, flow, guess))

    def selected(self, name: str, end: End) -> bool:
        """Return whether any rule of an object, `Kind namespace/name`, is about an end."""
        labels = self.labels(self.party(end))
        return any(e.owner == name and meets(e.subject, labels) for e in self.entries)

    def conflicts(self, end: End) -> bool:
        """Return whether the policy of an endpoint cannot be computed."""
        subject = self.party(end)
        return any(conflicting(self._of(subject, each)) for each in ("Ingress", "Egress"))

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

    # ------------------------------------------------------------------ verdicts

    def _both(self, source: Party, target: Party, flow: Flow, guess: Guesses) -> str:
        if source.pod is not None and source.pod == target.pod and source.pod[0] == "pod":
            return "ALLOW"
        if source.on_node and target.on_node and self._together(source, target, guess, "both"):
            return "ALLOW"
        words = []
        for direction, subject, peer in (("Egress", source, target), ("Ingress", target, source)):
            word = self._decide(direction, subject, peer, flow, guess)
            if self._on("policy-audit-mode", default=False) and word in ("DENY", "DENY_RULE"):
                word = "AUDIT"
            if word not in PASSES:
                return word
            words.append(word)
        return "AUDIT" if "AUDIT" in words else "ALLOW"

    def _decide(
        self, direction: str, subject: Party, peer: Party, flow: Flow, guess: Guesses
    ) -> str:
        mode = self.switches.get("enable-policy", "default")
        host = subject.on_node and self._on("enable-host-firewall", default=False)
        if (subject.pod is None and not host) or mode == "never" or not self._here(subject):
            return "ALLOW"
        mine = self._of(subject, direction, guess)
        every = mode == "always" or ("reserved", "init") in self.labels(subject)
        if not mine and not every:
            return "ALLOW"
        default = every or any(entry.default for entry in mine)
        word = self._level(mine, subject, peer, flow, guess, default=default)
        if (
            word != "ALLOW"
            and direction == "Ingress"
            and peer.on_node
            and not subject.on_node
            and self.switches.get("allow-localhost", "auto") != "policy"
            and self._together(subject, peer, guess, "let in")
        ):
            wins = word != "DENY_RULE" or self._open("U1", guess, "localhost-wins", "deny-wins")
            return "ALLOW" if wins in (True, "localhost-wins") else word
        return word

    def _here(self, party: Party) -> bool:
        """Return whether an end is not of another cluster, which has its own policies."""
        return self.labels(party).get(("k8s", CLUSTER), self.cluster) == self.cluster

    def _of(self, subject: Party, direction: str, guess: Guesses | None = None) -> list[Entry]:
        """Return the entries that are about an end."""
        labels = self.labels(subject)
        unknown = guess if subject.on_node and subject.node not in self.node_labels else None
        return [
            entry
            for entry in self.entries
            if entry.direction == direction
            and entry.nodes == subject.on_node
            and (
                unknown(("labels of", entry.subject))
                if unknown and entry.subject
                else meets(entry.subject, labels)
            )
        ]

    def _level(
        self,
        mine: Sequence[Entry],
        subject: Party,
        peer: Party,
        flow: Flow,
        guess: Guesses,
        *,
        default: bool,
    ) -> str:
        passed = None
        for level in sorted({entry.level for entry in mine}):
            if level[0] == passed:
                continue
            here = [e for e in mine if e.level == level and self._ports(e, peer, flow)]
            matched = [e for e in here if self._among(e, subject, peer, flow, guess)]
            if any(entry.verdict == DENY for entry in matched):
                return "DENY_RULE"
            allows = [entry for entry in matched if entry.verdict == ALLOW]
            if allows:
                return self._requests(allows, peer, flow, guess, default=default)
            if matched:
                passed = level[0]
        return "DENY" if default else "ALLOW"

    # ------------------------------------------------------------------ ports

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
            # Who has pods is told by them; a template says what pods there will be.
            made = {
                (namespace, ref["kind"], ref["name"])
                for (namespace, _), pod in self.pods.items()
                for ref in pod["metadata"].get("ownerReferences") or ()
            }
            ends += [("workload", *key) for key in self.templates if key not in made]
            found: dict[tuple[str, str], set[int]] = {}
            for end in ends:
                last = {name: (p, number) for name, p, number in self.party(end).ports}
                for name, (protocol, number) in last.items():
                    found.setdefault((name, protocol), set()).add(number)
            self._named = found
        return {key: set(numbers) for key, numbers in self._named.items()}

    # ------------------------------------------------------------------ requests

    def _requests(
        self,
        allows: Sequence[Entry],
        peer: Party,
        flow: Flow,
        guess: Guesses,
        *,
        default: bool,
    ) -> str:
        terms = [term for entry in allows for term in self._terms(entry, peer, flow)]
        asked = [term.rules for term in terms if term.rules is not None]
        portless = any(entry.ports is None for entry in allows)
        if not default or any(term.rules is None for term in terms):
            return "ALLOW"
        names = any(rules.dns is not None for rules in asked)
        if portless and (not names or self._open("U3", guess, "relaxes", "keeps") == "relaxes"):
            return "ALLOW"
        return (
            "ALLOW"
            if any(met(r, flow.request, guess, deep=self.deep) for r in asked)
            else "L7_DENY"
        )

    def pattern(self, name: Name) -> re.Pattern[str]:
        """Return a name, or a pattern of names, as a regular expression."""
        return name_pattern(name, deep=self.deep)

    # ------------------------------------------------------------------ peers

    def _among(self, entry: Entry, subject: Party, peer: Party, flow: Flow, guess: Guesses) -> bool:
        if entry.peers is None:
            return False
        if not entry.peers:
            return entry.ports is not None
        return any(self._is(each, subject, peer, flow, guess, entry) for each in entry.peers)

    def _is(
        self, wanted: Peer, subject: Party, peer: Party, flow: Flow, guess: Guesses, entry: Entry
    ) -> bool:
        """Return whether a peer is one that an entry means."""
        match wanted:
            case ("all",):
                found = True
            case ("labels", conditions):
                found = self._labelled(conditions, subject, peer, guess)
            case ("entity", name):
                found = self._entity(name, self._seen(subject, peer, guess, name))
            case ("cidr", block, holes):
                found = self._block(block, holes, peer, flow, guess)
            case ("group", name, conditions, holes):
                blocks = self._group(name, conditions)
                found = any(self._block(b, holes, peer, flow, guess) for b in blocks)
            case ("name", told):
                found = _outside(peer) and self._called(told, subject, peer, guess)
            case ("services", refs):
                some = [each for ref in refs for each in self._service(*ref)]
                found = any(self._is(e, subject, peer, flow, guess, entry) for e in some)
                if not some and entry.ports is not None:
                    rule = (entry.owner, entry.verdict, refs)
                    words = ("every-destination", "nothing")
                    found = self._open("U2", guess, *words, rule=rule) == "every-destination"
            case ("perhaps", why, other):
                found = self._is(other, subject, peer, flow, guess, entry)
                found = found and bool(guess(("perhaps", why)))
            case ("clouds",):
                found = _outside(peer) and bool(guess("clouds"))
            case _:
                raise ValueError(wanted)
        return found

    def _labelled(
        self, conditions: Requirements, subject: Party, peer: Party, guess: Guesses
    ) -> bool:
        labels = self._seen(subject, peer, guess, conditions)
        if peer.on_node and peer.node not in self.node_labels and self._by_nodes():
            told = tuple(each for each in conditions if each[0] not in ("any", "node"))
            rest = tuple(each for each in conditions if each not in told)
            return meets(told, labels) and (not rest or bool(guess(("labels of", rest))))
        if _outside(peer) and any(each[:2] == ("reserved", "world") for each in conditions):
            # With both families, the world of each has a label of its own instead.
            labels = labels if guess("one world") else {("reserved", "world-ipv"): ""}
        return meets(conditions, labels)

    def _open(self, name: str, guess: Guesses, *options: str, rule: object = None) -> Guess:
        """Return what a question nobody has confirmed comes to here, for each rule by itself."""
        return self.switches.get(f"cilium.{name}") or guess((name, rule), options)

    def _entity(self, name: str, labels: Labels) -> bool:
        if name in ("all", "none"):
            return name == "all"
        if name == "cluster":
            known = any(("reserved", each) in labels for each in CLUSTER_ENTITIES)
            return known or labels.get(("k8s", CLUSTER)) == self.cluster
        return ("reserved", name) in labels

    def _block(
        self, block: str, holes: tuple[str, ...], peer: Party, flow: Flow, guess: Guesses
    ) -> bool:
        """Return whether a peer is in a block and in none of its holes."""
        modes = self.switches.get("policy-cidr-match-mode", "").replace(",", " ").split()
        if peer.pod is not None:
            if "pods" not in modes or self.version < (1, 20):
                return False
            words = ("matches-like-nodes", "other")
            if self._open("U4", guess, *words, rule=(block, holes)) == "other":
                return bool(guess(("pods", block, holes)))
        whole = network(block)
        if whole.version != flow.family:
            return False
        if peer.on_node and "nodes" not in modes:
            return False
        if whole.prefixlen == 0:
            if not _outside(peer):
                return False
        elif not self._inside(block, peer, flow.family, guess):
            return False
        return not any(self._inside(hole, peer, flow.family, guess) for hole in holes)

    def _inside(self, block: str, peer: Party, family: int, guess: Guesses) -> bool:
        mine = [address for address in peer.addresses if address.version == family]
        found = {address in network(block) for address in mine}
        if len(found) < 2:
            return found == {True}
        return bool(guess(("inside", block)))

    def _group(self, name: str | None, conditions: Requirements | None) -> Iterator[str]:
        for group in self.groups:
            meta = group["metadata"]
            labels = {("k8s", key): value for key, value in (meta.get("labels") or {}).items()}
            if (name is not None and meta["name"] == name) or (
                conditions is not None and meets(conditions, labels)
            ):
                yield from group["spec"].get("externalCIDRs") or ()

    def _service(
        self, namespace: str | None, name: str | None, conditions: Requirements | None
    ) -> Iterator[Peer]:
        """Iterate over whom `toServices` comes to mean."""
        for (home, each), item in self.services.items():
            labels = {("k8s", k): v for k, v in (item["metadata"].get("labels") or {}).items()}
            known = each == name if conditions is None else meets(conditions, labels)
            if not known or (namespace is not None and home != namespace):
                continue
            spec = item.get("spec") or {}
            if spec.get("selector"):
                found = [("k8s", k, "In", (v,)) for k, v in spec["selector"].items()]
                yield ("labels", (*found, ("k8s", NAMESPACE, "In", (home,))))
            else:
                for address in self.slices.get((home, each), ()):
                    yield ("cidr", str(address), ())

    # ------------------------------------------------------------------ names

    def _called(self, told: Name, subject: Party, peer: Party, guess: Guesses) -> bool:
        """Return whether an address is one of a name that was looked up on the subject's node."""
        (address,) = peer.addresses
        text, stars = told
        pattern = self.pattern(told)
        called = [name for name, held in self.names.items() if address in held]
        if called:
            return any(
                pattern.fullmatch(name) and self._learned(name, subject, guess) for name in called
            )
        plain = text.lower().removesuffix(".")
        some = sorted(_examples(plain)) if stars else [plain]
        rules = [rule for entry in self.entries for rule in _lookups(entry)]
        some += [name for rule in rules for name in _examples(fqdn(rule)[0])]
        # Names of the table are at other addresses.
        some = [name for name in some if name not in self.names and pattern.fullmatch(name)]
        learned = (self._learned(name, subject, guess) for name in some)
        return any(learned) and bool(guess(("called", text)))

    def _learned(self, name: str, subject: Party, guess: Guesses) -> bool:
        """Return whether somebody on the subject's node may look up a name."""
        for end in self._endpoints():
            party = self.party(end)
            if not self._here(party):
                continue
            mine = self._of(party, "Egress")
            if not any(map(_lookups_of, mine)):
                continue
            asks = any(self._asks(entry, name) for entry in mine)
            if not asks and not self._any_name(party, mine, guess):
                continue
            if party == subject:
                return True
            there = same_node(party.node, subject.node)
            if there == 2 or (there == 1 and guess(("node of", end))):
                return True
        return False

    def _any_name(self, party: Party, mine: Sequence[Entry], guess: Guesses) -> bool:
        """Return whether every name that an end asks for passes the proxy.

        It does where no entry closes the direction, and where one that asks for no name lets the
        end reach resolvers of one that does; those in between may be asked, or the others.
        """
        always = self.switches.get("enable-policy") == "always"
        always = always or ("reserved", "init") in self.labels(party)
        if not always and not any(entry.default for entry in mine):
            return True
        plain = [
            (entry, term)
            for entry in mine
            if (entry.verdict, entry.level) == (ALLOW, NORMAL)
            for term in (entry.ports if entry.ports is not None else (None,))
            if term is None or term.rules is None
        ]
        for limit in filter(_lookups_of, mine):
            for port in limit.ports or ():
                if port.rules is None or port.rules.dns is None:
                    continue
                for entry, term in plain:
                    if term is not None and not _shared(port, term):
                        continue
                    if term is None and self._open("U3", guess, "relaxes", "keeps") == "keeps":
                        continue
                    if self._resolved(party, limit, entry, guess):
                        return True
        return False

    def _resolved(self, party: Party, limit: Entry, entry: Entry, guess: Guesses) -> bool:
        """Return whether the resolver that is asked under an entry is a peer of another, too."""
        if limit.peers == entry.peers or ("all",) in (entry.peers or ()):
            return True
        if entry.peers == () and entry.ports is not None:
            return True
        if not any(peer[0] == "name" for one in (limit, entry) for peer in one.peers or ()):
            known = [(c, f) for c, f in self._resolvers if self._among(limit, party, c, f, guess)]
            found = [self._among(entry, party, c, f, guess) for c, f in known]
            if found and len(set(found)) == 1:
                return found[0]
        return bool(guess(("resolver", repr(limit), repr(entry))))

    @cached_property
    def _resolvers(self) -> list[tuple[Party, Flow]]:
        """Return who may be asked for names: pods, nodes, and somebody outside."""
        ends: list[End] = [*self._endpoints(), *(("node", name) for name in self.node_labels)]
        ends += [("ip", "198.18.0.53"), ("ip", "2001:db8:53::53")]
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
        return any(self.pattern(fqdn(each)).fullmatch(name) for each in _lookups(entry))

    def _endpoints(self) -> Iterator[End]:
        for (namespace, name), pod in self.pods.items():
            if not pod["spec"].get("hostNetwork") and not finished(pod):
                yield ("pod", namespace, name)
        for key, template in self.templates.items():
            if not template["spec"].get("hostNetwork"):
                yield ("workload", *key)

    # ------------------------------------------------------------------ identities

    def _together(self, one: Party, other: Party, guess: Guesses, rule: object) -> bool:
        """Return whether two ends share a node.

        Where nobody knows, each rule that asks is taken by itself: two of them that are about
        every node between them are not seen to be one.
        """
        known = same_node(one.node, other.node)
        return bool(known == 2 if known != 1 else guess(("together", rule)))

    def _by_nodes(self) -> bool:
        return self._on("enable-node-selector-labels", default=False)

    def _seen(self, subject: Party, peer: Party, guess: Guesses, rule: object) -> Labels:
        """Return the labels of a peer, as its subject sees it."""
        if peer.pod is not None:
            return self.labels(peer)
        found = {("reserved", "world"): ""}
        if peer.on_node:
            own = self._together(subject, peer, guess, rule)
            found = {("reserved", "host" if own else "remote-node"): ""}
            if not own and self._by_nodes():
                labels = self.node_labels.get(peer.node or "", {})
                found |= {("node", key): value for key, value in labels.items()}
        servers = self._servers()
        if servers is None:
            server = bool(guess("server"))
        else:
            server = any(address in servers for address in peer.addresses)
        return found | ({("reserved", "kube-apiserver"): ""} if server else {})

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
        return {("reserved", "host"): "", **{("k8s", k): v for k, v in node.items()}}

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


def _lookups(entry: Entry) -> Iterator[Manifest]:
    """Iterate over the rules of an entry about names that may be looked up."""
    for term in entry.ports or ():
        if entry.verdict == ALLOW and term.rules is not None:
            yield from term.rules.dns or ()


def _lookups_of(entry: Entry) -> bool:
    return any(True for _ in _lookups(entry))


def _shared(one: Term, other: Term) -> bool:
    """Return whether two ports have numbers in common; of a name nobody knows."""
    if not set(one.protocols) & set(other.protocols):
        return False
    return other.name is not None or (one.low <= other.high and other.low <= one.high)


def _examples(text: str) -> set[str]:
    """Return some names that a pattern matches."""
    plain = text.lower().removesuffix(".")
    return {re.sub(r"\*+", with_, plain) for with_ in ("", "x", "x.y")}


def _outside(peer: Party) -> bool:
    return peer.pod is None and not peer.on_node


def meets(conditions: Requirements, labels: Labels) -> bool:
    """Return whether labels of an identity meet all conditions."""
    return all(_meets(*each, labels) for each in conditions)


def _meets(source: str, key: str, operator: str, values: Sequence[str], labels: Labels) -> bool:
    found = [
        value for (one, other), value in labels.items() if other == key and source in ("any", one)
    ]
    if operator in ("Exists", "DoesNotExist"):
        return bool(found) == (operator == "Exists")
    within = any(value in values for value in found)
    return within == (operator == "In")


@lru_cache(maxsize=4096)
def kept(key: str, patterns: str) -> bool:
    """Return whether a label is part of identities.

    Args:
        key: Its key.
        patterns: The cluster's setting `labels`.
    """
    include, ignore, only = list(INCLUDE), list(IGNORE), False
    for each in patterns.split():
        text = each.partition(":")[2] or each
        if text.startswith("!"):
            ignore.append(text[1:])
        else:
            include.append(text)
            only = True
    longest = max((len(m[0]) for p in include if (m := re.match(p, key))), default=0)
    shortest = min((len(m[0]) for p in ignore if (m := re.match(p, key))), default=0)
    return longest > shortest or (not only and not shortest)


def _label(text: str) -> tuple[tuple[str, str], str]:
    """Return source, key and value of `source:key=value`."""
    key, _, value = text.partition("=")
    source, _, name = key.partition(":")
    return (source, name), value
