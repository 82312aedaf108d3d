"""Random NetworkPolicies, and the few words that random worlds are made of."""

import ipaddress
import random
from collections.abc import Callable
from typing import Protocol

from tests.oracle.raw import Manifest, Network, network
from tests.support.chances import chance, pick

NAMESPACES = ("default", "web", "data", "ops")
LABELS = {
    "app": ("a", "b", "c"),
    "tier": ("web", "db", ""),
    "example.com/role": ("client", "server"),
}
NAMESPACE_LABELS = {"team": ("red", "blue"), "env": ("prod", "dev", "")}
PORT_NAMES = {"http": ("TCP", 80), "alt": ("TCP", 8080), "dns": ("UDP", 53), "sig": ("SCTP", 9003)}
"""What each name most often stands for."""
PORT_NUMBERS = (53, 80, 8080, 8081, 9003)
PROTOCOLS = ("TCP", "UDP", "SCTP")
EXTERNAL = ("203.0.113.10", "203.0.113.200", "198.51.100.7", "2001:db8::10", "2001:db8:1::7")


class Inventory(Protocol):
    """What a policy's author looks at.

    Args:
        labelled: Namespace and labels of every pod that selectors can see.
        namespace_labels: Labels of each namespace.
        addresses: Addresses of pods and nodes.
    """

    labelled: list[tuple[str, dict[str, str]]]
    namespace_labels: dict[str, dict[str, str]]
    addresses: list[str]


class PolicyMaker:
    """Makes NetworkPolicies for a world."""

    def __init__(self, world: Inventory, rng: random.Random) -> None:
        self.world = world
        self.rng = rng

    def policy(self, name: str) -> Manifest:
        rng = self.rng
        namespace, labels = rng.choice(self.world.labelled)
        spec: Manifest = {}
        subject = pick(rng, [(1, "absent"), (1, "null"), (4, "empty"), (10, "some")])
        if subject == "null":
            spec["podSelector"] = None
        elif subject == "empty":
            spec["podSelector"] = {}
        elif subject == "some":
            spec["podSelector"] = self.selector(labels, LABELS)
        types = pick(
            rng,
            [
                (6, None),
                (1, []),
                (6, ["Ingress"]),
                (6, ["Egress"]),
                (3, ["Ingress", "Egress"]),
                (1, ["Egress", "Ingress"]),
                (0.5, ["Ingress", "Ingress"]),
            ],
        )
        if types is not None:
            spec["policyTypes"] = types
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            rules = self.rules(peers)
            if rules != "absent":
                spec[direction] = rules
        meta: Manifest = {"name": name, "namespace": namespace}
        if namespace == "default" and chance(rng, 0.3):
            del meta["namespace"]
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": meta,
            "spec": spec,
        }

    def rules(self, peers: str) -> object:
        rng = self.rng
        form = pick(rng, [(3, "absent"), (0.7, "null"), (0.7, "empty"), (12, "some")])
        if form == "absent":
            return "absent"
        if form == "null":
            return None
        if form == "empty":
            return []
        return [self.rule(peers) for _ in range(pick(rng, [(5, 1), (3, 2), (1, 3)]))]

    def rule(self, peers: str) -> Manifest:
        rng = self.rng
        rule: Manifest = {}
        form = pick(rng, [(3, "absent"), (0.7, "null"), (0.7, "empty"), (12, "some")])
        if form == "null":
            rule[peers] = None
        elif form == "empty":
            rule[peers] = []
        elif form == "some":
            rule[peers] = self.peers()
        form = pick(rng, [(4, "absent"), (0.6, "null"), (0.6, "empty"), (9, "some")])
        if form == "null":
            rule["ports"] = None
        elif form == "empty":
            rule["ports"] = []
        elif form == "some":
            rule["ports"] = [self.port() for _ in range(pick(rng, [(4, 1), (4, 2), (2, 3)]))]
        return rule

    def peers(self) -> list[Manifest]:
        rng = self.rng
        if chance(rng, 0.12):
            # What somebody wrote who meant one item.
            both = self.both()
            return [{key: value} for key, value in both.items()]
        count = pick(rng, [(6, 1), (3, 2), (1, 3)])
        makers: list[tuple[float, Callable[[], Manifest]]] = [
            (3, self.pods),
            (3, self.spaces),
            (3, self.both),
            (4, self.block),
        ]
        return [pick(rng, makers)() for _ in range(count)]

    def pods(self) -> Manifest:
        _, labels = self.rng.choice(self.world.labelled)
        return {"podSelector": self.selector(labels, LABELS)}

    def spaces(self) -> Manifest:
        name, _ = self.rng.choice(self.world.labelled)
        selector = self.selector(self.world.namespace_labels[name], NAMESPACE_LABELS)
        if chance(self.rng, 0.2):
            selector = {"matchLabels": {"kubernetes.io/metadata.name": name}}
        return {"namespaceSelector": selector}

    def both(self) -> Manifest:
        return {**self.spaces(), **self.pods()}

    def selector(self, labels: dict[str, str], vocabulary: dict[str, tuple[str, ...]]) -> Manifest:
        """Return a selector, more often than not one that `labels` meet."""
        rng = self.rng
        if chance(rng, 0.2):
            return {}
        selector: Manifest = {}
        if chance(rng, 0.6) and labels:
            keys = rng.sample(sorted(labels), rng.randint(1, min(2, len(labels))))
            selector["matchLabels"] = {k: labels[k] for k in keys}
            if chance(rng, 0.1):
                key = rng.choice(sorted(vocabulary))
                selector["matchLabels"][key] = rng.choice(vocabulary[key])
        if not selector or chance(rng, 0.35):
            count = pick(rng, [(4, 1), (1, 2)])
            selector["matchExpressions"] = [
                self.expression(labels, vocabulary) for _ in range(count)
            ]
        if chance(rng, 0.04):
            selector.setdefault("matchExpressions", [])
        return selector

    def expression(
        self, labels: dict[str, str], vocabulary: dict[str, tuple[str, ...]]
    ) -> Manifest:
        rng = self.rng
        key = rng.choice(sorted(vocabulary))
        if labels and chance(rng, 0.4):
            key = rng.choice(sorted(labels))
        value = labels.get(key)
        met = chance(rng, 0.7)
        operator = rng.choice(("In", "NotIn", "Exists", "DoesNotExist"))
        if met and operator in ("Exists", "DoesNotExist"):
            operator = "DoesNotExist" if value is None else "Exists"
        expression: Manifest = {"key": key, "operator": operator}
        if operator in ("In", "NotIn"):
            possible = list(vocabulary.get(key, (value or "x", "other")))
            values = rng.sample(possible, rng.randint(1, min(2, len(possible))))
            if met and operator == "In" and value is not None and value not in values:
                values.append(value)
            if met and operator == "NotIn" and value in values:
                values = [v for v in possible if v != value] or ["other"]
            expression["values"] = values
        return expression

    def port(self) -> Manifest:
        rng = self.rng
        entry: Manifest = {}
        protocol = pick(rng, [(6, None), (2, "TCP"), (3, "UDP"), (2.5, "SCTP")])
        form = pick(rng, [(2, "none"), (6, "number"), (4, "name"), (3, "range")])
        if form == "number":
            entry["port"] = rng.choice(PORT_NUMBERS)
        elif form == "name":
            entry["port"] = rng.choice(sorted(PORT_NAMES))
            usual = PORT_NAMES[entry["port"]][0]
            if usual != "TCP" and chance(rng, 0.7):
                protocol = usual
        elif form == "range":
            low = rng.choice((1, 50, 53, 79, 80, 8000, 8080))
            entry["port"] = low
            entry["endPort"] = rng.choice((low, low + 1, max(low, 81), max(low, 8100), 65535))
        if protocol:
            entry["protocol"] = protocol
        return entry

    def block(self) -> Manifest:
        rng = self.rng
        if chance(rng, 0.2):
            cidr = "0.0.0.0/0" if chance(rng, 0.6) else "::/0"
        else:
            address = ipaddress.ip_address(rng.choice([*self.world.addresses, *EXTERNAL]))
            lengths = (
                (0, 7, 8, 16, 24, 30, 31, 32)
                if address.version == 4
                else (
                    0,
                    16,
                    48,
                    64,
                    112,
                    126,
                    127,
                    128,
                )
            )
            length = rng.choice(lengths)
            cidr = f"{address}/{length}"
            if not chance(rng, 0.1):
                cidr = str(network(cidr))
        block: Manifest = {"cidr": cidr}
        if chance(rng, 0.5):
            holes = [h for h in (self.hole(network(cidr)) for _ in range(rng.randint(1, 3))) if h]
            if holes:
                block["except"] = holes
        elif chance(rng, 0.1):
            block["except"] = []
        return {"ipBlock": block}

    def hole(self, whole: Network) -> str | None:
        rng = self.rng
        inside = [
            a for a in map(ipaddress.ip_address, [*self.world.addresses, *EXTERNAL]) if a in whole
        ]
        longest = 32 if whole.version == 4 else 128
        if whole.prefixlen >= longest or not inside:
            return None
        lengths = [
            n
            for n in (whole.prefixlen + 1, 8, 16, 24, 48, 64, 112, longest - 1, longest)
            if whole.prefixlen < n <= longest
        ]
        return str(network(f"{rng.choice(inside)}/{rng.choice(lengths)}"))
