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

from collections.abc import Sequence
from typing import Any

from tests.oracle.raw import (
    End,
    Party,
)
from tests.oracle.raw_cilium_labels import meets
from tests.oracle.raw_cilium_peers import RawCiliumPeers
from tests.oracle.raw_cilium_requests import Asked, Guesses, everyway, met
from tests.oracle.raw_cilium_rules import (
    ALLOW,
    DENY,
    NORMAL,
    Entry,
)
from tests.oracle.raw_cilium_state import Flow

WORDS = ("ALLOW", "AUDIT", "DENY", "DENY_RULE", "L7_DENY")
PASSES = {"ALLOW", "AUDIT"}


class RawCiliumOracle(RawCiliumPeers):
    """Answers connections over a list of plain objects as Cilium enforces them.

    Args:
        objects: Decoded manifests, in any order. Only kinds that matter are read.
        version: Of Cilium.
        switches: The cluster's settings, by the names Cilium has for them.
        names: Addresses that DNS names stand for; None where nobody said any.
    """

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
        if src == dst and src[0] == "pod":
            return {"ALLOW"}  # It is on its own node, wherever that is.
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

    # ------------------------------------------------------------------ verdicts

    def _both(self, source: Party, target: Party, flow: Flow, guess: Guesses) -> str:
        if source.pod is not None and source.pod == target.pod and source.pod[0] == "pod":
            return "ALLOW"
        if source.on_node and target.on_node and self._together(source, target, guess):
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
            and self._together(subject, peer, guess)
        ):
            # It stands with Cilium's own policies: a later tier does not get to deny.
            first = [entry for entry in mine if entry.level[0] <= NORMAL[0]]
            word = self._level(first, subject, peer, flow, guess, default=default)
            wins = word != "DENY_RULE" or self._open("U1", guess, "localhost-wins", "deny-wins")
            return "ALLOW" if wins in (True, "localhost-wins") else word
        return word

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
            matched = [
                e
                for e in here
                if self._among(e, subject, peer, flow, guess) and self._about(e, subject, guess)
            ]
            if any(entry.verdict == DENY for entry in matched):
                return "DENY_RULE"
            allows = [entry for entry in matched if entry.verdict == ALLOW]
            if allows:
                return self._requests(allows, peer, flow, guess, default=default)
            if matched:
                passed = level[0]
        return "DENY" if default else "ALLOW"

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


def conflicting(entries: Sequence[Entry]) -> bool:
    """Return whether entries ask two parsers for one port of one peer."""
    found: dict[tuple[Any, ...], set[str]] = {}
    for entry in entries:
        for term in entry.ports or ():
            if term.rules is None or entry.verdict != ALLOW:
                continue
            for peer in entry.peers or ("*",):
                for protocol in term.protocols:
                    key = (peer, protocol, term.low, term.high, term.name)
                    found.setdefault(key, set()).add(term.rules.kind)
    return any(len(kinds - {"sni"}) > 1 for kinds in found.values())
