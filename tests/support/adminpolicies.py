"""Random policies of the Network Policy API, in its three kinds, as plain manifests."""

import random
from collections.abc import Sequence
from typing import Any

from tests.support.chances import chance, pick
from tests.support.netpols import (
    EXTERNAL,
    LABELS,
    NAMESPACE_LABELS,
    PORT_NAMES,
    PORT_NUMBERS,
    PROTOCOLS,
    Inventory,
    PolicyMaker,
)

Manifest = dict[str, Any]

GROUP = "policy.networking.k8s.io"
KINDS = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
NAMES = {
    "example.com": [EXTERNAL[0]],
    "www.example.com": [EXTERNAL[1]],
    "other.test": [EXTERNAL[2], EXTERNAL[3]],
}
"""What the names in these policies stand for, as the setting `names` has it."""
DOMAINS = (*NAMES, "*.example.com", "nobody.test")


class Seen:
    """What the author of policies sees of manifests.

    Args:
        objects: Namespaces, nodes and pods, at least one of these.
    """

    def __init__(self, objects: Sequence[Manifest]) -> None:
        self.labelled: list[tuple[str, dict[str, str]]] = []
        self.namespace_labels: dict[str, dict[str, str]] = {}
        self.addresses: list[str] = []
        for each in objects:
            meta, status = each["metadata"], each.get("status") or {}
            if each["kind"] == "Namespace":
                self.namespace_labels[meta["name"]] = dict(meta.get("labels") or {})
            elif each["kind"] == "Pod":
                home = meta.get("namespace", "default")
                self.labelled.append((home, dict(meta.get("labels") or {})))
                self.addresses += [ip["ip"] for ip in status.get("podIPs") or ()]
            elif each["kind"] == "Node":
                said = status.get("addresses") or ()
                self.addresses += [a["address"] for a in said if a["type"] == "InternalIP"]


class AdminMaker:
    """Makes cluster-wide policies for a world.

    Args:
        world: What their author looks at.
        rng: Chance.
        priorities: Priorities to choose from: few of them, so that ties happen.
        domains: Whether rules may name domains.
    """

    def __init__(
        self,
        world: Inventory,
        rng: random.Random,
        priorities: Sequence[int] = (0, 10, 10, 20, 30, 1000),
        *,
        domains: bool = True,
    ) -> None:
        self.world = world
        self.rng = rng
        self.priorities = tuple(priorities)
        self.domains = domains
        self._plain = PolicyMaker(world, rng)

    def policies(self, count: int, kinds: Sequence[str] = KINDS) -> list[Manifest]:
        """Return some policies, with at most one baseline of v1alpha1."""
        found: list[Manifest] = []
        for number in range(count):
            kind = self.rng.choice(kinds)
            if kind == KINDS[1] and any(one["kind"] == kind for one in found):
                kind = next((k for k in kinds if k != kind), kind)
                if kind == KINDS[1]:
                    continue
            found.append(self.policy(kind, f"p{number}"))
        return found

    def policy(self, kind: str, name: str) -> Manifest:
        """Return a policy of a kind."""
        rng = self.rng
        new = kind == KINDS[2]
        spec: Manifest = {}
        if new:
            spec["tier"] = rng.choice(("Admin", "Baseline"))
        if kind != KINDS[1]:
            spec["priority"] = rng.choice(self.priorities)
        spec["subject"] = self.selected(kind, wide=0.5)
        for direction in ("ingress", "egress"):
            if chance(rng, 0.7):
                count = pick(rng, [(1, 0), (5, 1), (4, 2), (2, 3)])
                spec[direction] = [self.rule(kind, direction) for _ in range(count)]
        version = "v1alpha2" if new else "v1alpha1"
        return {
            "apiVersion": f"{GROUP}/{version}",
            "kind": kind,
            "metadata": {"name": "default" if kind == KINDS[1] else name},
            "spec": spec,
        }

    def rule(self, kind: str, direction: str) -> Manifest:
        """Return a rule."""
        rng = self.rng
        accept = "Accept" if kind == KINDS[2] else "Allow"
        actions = [(3.0, accept), (4.0, "Deny"), (2.0, "Pass")]
        action = pick(rng, actions[:2] if kind == KINDS[1] else actions)
        rule: Manifest = {"name": f"r{rng.randrange(9)}"} if chance(rng, 0.2) else {}
        rule["action"] = action
        count = pick(rng, [(6, 1), (3, 2), (1, 3)])
        named = chance(rng, 0.2)
        peers = [self.peer(kind, direction, action, named=named) for _ in range(count)]
        rule["from" if direction == "ingress" else "to"] = peers
        if chance(rng, 0.5):
            entries = [self.port(kind, named=named) for _ in range(rng.randint(1, 3))]
            rule["protocols" if kind == KINDS[2] else "ports"] = entries
        return rule

    def peer(self, kind: str, direction: str, action: str, *, named: bool) -> Manifest:
        """Return a peer; beside port names only pods may stand."""
        rng = self.rng
        outward = direction == "egress" and not named
        names = self.domains and kind != KINDS[1] and action in ("Accept", "Allow")
        form = pick(
            rng,
            [
                (6, "pods"),
                (4 if outward else 0, "networks"),
                (2 if outward else 0, "nodes"),
                (2 if outward and names else 0, "domainNames"),
            ],
        )
        if form == "networks":
            blocks = {self._plain.block()["ipBlock"]["cidr"] for _ in range(rng.randint(1, 2))}
            return {"networks": sorted(blocks)}
        if form == "nodes":
            chosen = {"kubernetes.io/hostname": f"n{rng.randint(1, 3)}"}
            return {"nodes": {} if chance(rng, 0.5) else {"matchLabels": chosen}}
        if form == "domainNames":
            return {"domainNames": rng.sample(DOMAINS, rng.randint(1, 2))}
        return self.selected(kind, wide=0.3)

    def selected(self, kind: str, wide: float) -> Manifest:
        """Return a subject, or a peer of pods; `wide` is how often it is every pod."""
        rng = self.rng
        if chance(rng, wide):
            return {"namespaces": {}}
        namespace, labels = rng.choice(self.world.labelled)
        own = self.world.namespace_labels.get(namespace, {})
        where = self._plain.selector(own, NAMESPACE_LABELS)
        if chance(rng, 0.5):
            return {"namespaces": where}
        pods: Manifest = {"podSelector": self._plain.selector(labels, LABELS)}
        if kind != KINDS[2] or chance(rng, 0.6):
            pods["namespaceSelector"] = where
        return {"pods": pods}

    def port(self, kind: str, *, named: bool) -> Manifest:
        """Return an entry of `ports` or `protocols`."""
        rng = self.rng
        new = kind == KINDS[2]
        if named and chance(rng, 0.7):
            return {"destinationNamedPort" if new else "namedPort": rng.choice(sorted(PORT_NAMES))}
        protocol = rng.choice(PROTOCOLS)
        if chance(rng, 0.6):
            number = rng.choice(PORT_NUMBERS)
            if new:
                return {protocol.lower(): {"destinationPort": {"number": number}}}
            said = {} if protocol == "TCP" and chance(rng, 0.5) else {"protocol": protocol}
            return {"portNumber": {**said, "port": number}}
        low = rng.choice((1, 53, 79, 8000))
        high = rng.choice((low + 1, 8100, 65535))
        if new:
            ends = {"start": low, "end": high}
            return {protocol.lower(): {"destinationPort": {"range": ends}}}
        return {"portRange": {"protocol": protocol, "start": low, "end": high}}
