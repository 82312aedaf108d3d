"""Who is whom to a rule of Cilium's: entities, blocks, Services, names."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tests.oracle.raw import (
    Party,
    network,
    same_node,
)
from tests.oracle.raw_cilium_labels import Labels, kept_of_node, meets
from tests.oracle.raw_cilium_requests import Guesses
from tests.oracle.raw_cilium_rules import (
    ALLOW,
    CLUSTER,
    NAMESPACE,
    NORMAL,
    Entry,
    Name,
    Peer,
    Requirements,
    Term,
    fqdn,
)
from tests.oracle.raw_cilium_state import Flow, RawCiliumState, lookups

CLUSTER_ENTITIES = (
    "host",
    "remote-node",
    "init",
    "ingress",
    "health",
    "unmanaged",
    "kube-apiserver",
)


class RawCiliumPeers(RawCiliumState):
    """Tells whether an end is one that a rule speaks of."""

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
                found = self._entity(name, self._seen(subject, peer, guess))
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
                whose = (entry.owner, entry.direction, entry.level, other)
                found = found and bool(guess(("perhaps", why, whose)))
            case ("clouds",):
                found = _outside(peer) and bool(guess("clouds"))
            case _:
                raise ValueError(wanted)
        return found

    def _labelled(
        self, conditions: Requirements, subject: Party, peer: Party, guess: Guesses
    ) -> bool:
        labels = self._seen(subject, peer, guess)
        other = ("reserved", "remote-node") in labels
        if other and peer.node not in self.node_labels and self._by_nodes():
            rest = self._open_labels(conditions, "node", self.switches.get("node-labels", ""))
            rest = tuple(each for each in rest if each[1] != CLUSTER)
            told = tuple(each for each in conditions if each not in rest)
            return meets(told, labels) and (not rest or bool(guess(("labels of", rest))))
        if _outside(peer) and any(each[:2] == ("reserved", "world") for each in conditions):
            # With both families, the world of each has a label of its own instead.
            labels = labels if guess("one world") else {("reserved", "world-ipv"): ""}
        return meets(conditions, labels)

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
        rules = [rule for entry in self.entries for rule in lookups(entry)]
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
            mine = [e for e in self._of(party, "Egress") if not self._nobody(e)]
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

    def _nobody(self, entry: Entry) -> bool:
        """Return whether an entry about names only means what holds no blocks, or no pods."""
        if not _lookups_of(entry) or not entry.peers:
            return False
        return all(
            (p[0] == "group" and not any(self._group(*p[1:3])))
            or (p[0] == "services" and self._no_service(p[1]))
            for p in entry.peers
        )

    def _no_service(self, refs: Sequence[Any]) -> bool:
        """Return whether nobody is behind Services, and nobody is what that comes to."""
        none = not any(True for ref in refs for _ in self._service(*ref))
        return none and self.switches.get("cilium.U2") == "nothing"

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
                    if self._resolved(party, (limit, port), (entry, term), guess):
                        return True
        return False

    def _resolved(
        self,
        party: Party,
        asked: tuple[Entry, Term],
        plain: tuple[Entry, Term | None],
        guess: Guesses,
    ) -> bool:
        """Return whether the resolver that is asked under an entry is a peer of another, too.

        Args:
            party: Who asks.
            asked: The entry under which it asks, and its port.
            plain: The other one, and its port.
            guess: What is taken for true.
        """
        (limit, port), (entry, term) = asked, plain
        numbered = term is None or term.name is None
        if numbered and (limit.peers == entry.peers or ("all",) in (entry.peers or ())):
            return True
        if numbered and entry.peers == () and entry.ports is not None:
            return True
        found: set[bool | None] = set()
        for candidate, flow in self._resolvers:
            if self._reaches(limit, party, candidate, flow, guess) is not False:
                there = self._reaches(entry, party, candidate, flow, guess)
                found.add(there if self._on_port(term, port, candidate, flow) else False)
        if len(found) == 1 and None not in found:
            return found == {True}
        return bool(guess(("resolver", repr(limit), repr(entry))))

    def _reaches(
        self, entry: Entry, party: Party, candidate: Party, flow: Flow, guess: Guesses
    ) -> bool | None:
        """Return whether an entry means a resolver; None where that hangs on its name."""
        if entry.peers is None:
            return False
        peers = tuple(each for each in entry.peers if each[0] != "name")
        named = len(peers) < len(entry.peers) and _outside(candidate)
        if entry.peers and not peers:
            return None if named else False
        found = self._among(replace(entry, peers=peers), party, candidate, flow, guess)
        return None if named and not found else found

    def _seen(self, subject: Party, peer: Party, guess: Guesses) -> Labels:
        """Return the labels of a peer, as its subject sees it."""
        if peer.pod is not None:
            return self.labels(peer)
        found = {("reserved", "world"): ""}
        if peer.on_node:
            own = self._together(subject, peer, guess)
            found = {("reserved", "host" if own else "remote-node"): ""}
            if not own and self._by_nodes():
                labels = self.node_labels.get(peer.node or "", {})
                seen = self.switches.get("node-labels", "")
                found |= {("node", k): v for k, v in labels.items() if kept_of_node(k, seen)}
                found["k8s", CLUSTER] = self.cluster
        servers = self._servers()
        if servers is None:
            server = bool(guess("server"))
        elif peer.on_node and peer.node is None and not peer.addresses:
            known = {address for node in self.nodes.values() for address in node}
            server = bool(servers & known) and bool(guess(("serves", peer.pod)))
        else:
            server = any(address in servers for address in peer.addresses)
        return found | ({("reserved", "kube-apiserver"): ""} if server else {})


def _lookups_of(entry: Entry) -> bool:
    return any(True for _ in lookups(entry))


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
