"""Random Calico policies, with the tiers and network sets they need, as plain manifests.

Everything passes the API's validation; what it refuses is tested elsewhere. Orders, tiers and
labels are few, so that policies tie, pass and deny across each other by accident.
"""

import ipaddress
import random
from collections.abc import Callable, Mapping, Sequence

from tests.oracle.raw import Manifest
from tests.support.chances import chance, pick
from tests.support.netpols import (
    EXTERNAL,
    LABELS,
    NAMESPACE_LABELS,
    PORT_NAMES,
    PORT_NUMBERS,
    PROTOCOLS,
    Inventory,
)

VERSION = "projectcalico.org/v3"
STORED = "crd.projectcalico.org/v1"
TIERS = ("default", "sec", "zone")
ORDERS = (None, -1, 0.5, 10, 10, 100, 1000, 1000.5)
NAMES = ("a", "a-b", "b", "c", "d", "e", "f", "g")
SET_LABELS = {"kind": ("partner", "threat"), **LABELS}
ACCOUNTS = ("default", "runner")
_V4, _V6 = 4, 6


class CalicoMaker:
    """Makes Calico's objects for a world.

    Args:
        world: What the policies' author looks at.
        rng: Where choices come from; the same state gives the same objects.
    """

    def __init__(self, world: Inventory, rng: random.Random) -> None:
        self.world = world
        self.rng = rng

    def objects(self, policies: int) -> list[Manifest]:
        """Return some policies, and the tiers and sets around them, shuffled."""
        found = [self.tier(name) for name in TIERS[1:] if chance(self.rng, 0.8)]
        found += [self.network_set(f"set{n}") for n in range(self.rng.randint(0, 3))]
        named: set[tuple[str, str | None, str]] = set()
        while policies > 0:
            policy = self.policy()
            meta = policy["metadata"]
            key = (policy["kind"], meta.get("namespace"), meta["name"])
            if key not in named:
                named.add(key)
                found.append(policy)
                policies -= 1
        self.rng.shuffle(found)
        return found

    def tier(self, name: str) -> Manifest:
        """Return a tier: earlier or later than `default`, or tied with it."""
        spec: Manifest = {}
        order = self.rng.choice((None, 5, 5, 1_000_000, 2_000_000))
        if order is not None:
            spec["order"] = order
        action = self.rng.choice((None, "Deny", "Pass", "Pass"))
        if action is not None:
            spec["defaultAction"] = action
        return _manifest("Tier", name, None, spec)

    def network_set(self, name: str) -> Manifest:
        """Return a network set, of a namespace or of none; some hold addresses of pods."""
        home = self._home() if chance(self.rng, 0.5) else None
        kind = "NetworkSet" if home else "GlobalNetworkSet"
        blocks = [self._block(self.rng.choice((_V4, _V6))) for _ in range(self.rng.randint(0, 3))]
        made = _manifest(kind, name, home, {"nets": blocks})
        labels = self._labels(SET_LABELS)
        if labels:
            made["metadata"]["labels"] = labels
        return made

    def policy(self) -> Manifest:
        """Return a policy of any kind."""
        rng = self.rng
        staged = chance(rng, 0.15)
        home = self._home() if chance(rng, 0.5) else None
        kind = f"{'Staged' if staged else ''}{'' if home else 'Global'}NetworkPolicy"
        name = rng.choice(NAMES)
        if staged and chance(rng, 0.2):
            return _manifest(kind, name, home, {"stagedAction": "Delete"})
        spec = self._selection(home)
        tier = pick(rng, [(5, None), (2, "default"), (4, "sec"), (3, "zone"), (0.5, "ghost")])
        if tier is not None:
            spec["tier"] = tier
        order = rng.choice(ORDERS)
        if order is not None:
            spec["order"] = order
        types = pick(
            rng, [(4, None), (3, ["Ingress"]), (3, ["Egress"]), (4, ["Ingress", "Egress"])]
        )
        if types is not None:
            spec["types"] = types
        for direction in ("ingress", "egress"):
            if chance(rng, 0.7):
                spec[direction] = [self.rule(direction, home) for _ in range(rng.randint(0, 3))]
        made = _manifest(kind, name, home, spec)
        if types is not None and chance(rng, 0.1):
            made["apiVersion"] = STORED
        return made

    def _selection(self, home: str | None) -> Manifest:
        spec: Manifest = {}
        if chance(self.rng, 0.85):
            spec["selector"] = self.selector(LABELS)
        if home is None and chance(self.rng, 0.3):
            spec["namespaceSelector"] = self.of_namespaces()
        if chance(self.rng, 0.1):
            spec["serviceAccountSelector"] = f"projectcalico.org/name == '{self._account()}'"
        return spec

    def rule(self, direction: str, home: str | None) -> Manifest:
        """Return a rule of a policy that lives in a namespace, or in none."""
        rng = self.rng
        action = pick(rng, [(6, "Allow"), (4, "Deny"), (2, "Pass"), (1, "Log")])
        family = pick(rng, [(6, _V4), (2, _V6)])
        rule: Manifest = {"action": action}
        protocol = self._protocol(rule, family)
        if chance(rng, 0.07) and protocol not in ("ICMP", "ICMPv6"):
            rule["ipVersion"] = family
        there, here = ("source", "destination")
        if direction == "egress":
            there, here = here, there
        ends = {there: self.entity(home, family)}
        if chance(rng, 0.12):
            ends[here] = self.entity(home, family)
        if protocol in PROTOCOLS and chance(rng, 0.6):
            ends.setdefault("destination", {}).update(self._ports())
        elif protocol is None and chance(rng, 0.1):
            ends.setdefault("destination", {})["ports"] = [rng.choice(tuple(PORT_NAMES))]
        rule |= {side: entity for side, entity in ends.items() if entity}
        return rule

    def _protocol(self, rule: Manifest, family: int) -> str | None:
        rng = self.rng
        said = pick(
            rng, [(5, None), (6, "TCP"), (2, "UDP"), (1, "SCTP"), (1, "ICMP"), (0.5, "not")]
        )
        if said == "not":
            rule["notProtocol"] = rng.choice(PROTOCOLS)
            return "not"
        if said == "ICMP":
            said = "ICMP" if family == _V4 else "ICMPv6"
            messages: list[Manifest] = [{"type": 8}, {"type": 3, "code": 4}]
            key = pick(rng, [(2, None), (2, "icmp"), (1, "notICMP")])
            if key is not None:
                rule[key] = rng.choice(messages)
        if said is not None:
            rule["protocol"] = said
        return said

    def _ports(self) -> Manifest:
        return {
            key: [self._port() for _ in range(self.rng.randint(1, 3))]
            for key in pick(
                self.rng, [(5, ("ports",)), (2, ("notPorts",)), (1, ("ports", "notPorts"))]
            )
        }

    def _port(self) -> int | str:
        first, last = sorted(self.rng.choices(PORT_NUMBERS, k=2))
        forms: list[tuple[float, int | str]] = [
            (4, first),
            (2, f"{first}:{last}"),
            (2, self.rng.choice(tuple(PORT_NAMES))),
        ]
        return pick(self.rng, forms)

    def entity(self, home: str | None, family: int) -> Manifest:
        """Return a source or destination: some of the criteria that may stand together."""
        rng = self.rng
        makers: list[tuple[float, Callable[[Manifest], None]]] = [
            (5, lambda e: e.update(selector=self.selector(SET_LABELS))),
            (2, lambda e: e.update(notSelector=self.selector(SET_LABELS))),
            (3, lambda e: e.update(namespaceSelector=self.anywhere(home))),
            (3, lambda e: e.update(nets=[self._block(family) for _ in range(rng.randint(1, 2))])),
            (1, lambda e: e.update(notNets=[self._block(family, whole=False)])),
            (1, lambda e: e.update(serviceAccounts={"names": [self._account()]})),
        ]
        found: Manifest = {}
        for _ in range(pick(rng, [(1, 0), (6, 1), (3, 2), (1, 3)])):
            pick(rng, makers)(found)
        return found

    def anywhere(self, home: str | None) -> str:
        """Return a `namespaceSelector` of a rule."""
        del home
        call = pick(self.rng, [(2, "all()"), (1, "global()"), (5, "")])
        return call or self.of_namespaces()

    def of_namespaces(self) -> str:
        """Return a selector about labels of namespaces, by name or otherwise."""
        if chance(self.rng, 0.4):
            key = self.rng.choice(("projectcalico.org/name", "kubernetes.io/metadata.name"))
            return f"{key} {self.rng.choice(('==', '!='))} '{self._home()}'"
        return self.selector(NAMESPACE_LABELS)

    def selector(self, vocabulary: Mapping[str, Sequence[str]], depth: int = 2) -> str:
        """Return an expression about labels with these keys and values."""
        rng = self.rng
        form = pick(rng, [(6, "term"), (2, "&&"), (2, "||"), (1, "!"), (0.5, "all()")])
        if form == "all()":
            return form
        if form == "term" or depth == 0:
            return self._term(vocabulary)
        if form == "!":
            return f"!({self.selector(vocabulary, depth - 1)})"
        parts = [self.selector(vocabulary, depth - 1) for _ in range(2)]
        return f" {form} ".join(f"({part})" for part in parts)

    def _term(self, vocabulary: Mapping[str, Sequence[str]]) -> str:
        rng = self.rng
        key = rng.choice(tuple(vocabulary))
        values = vocabulary[key]
        value = rng.choice(values)
        some = ", ".join(f"'{each}'" for each in rng.sample(values, rng.randint(1, len(values))))
        part = value[: rng.randint(0, len(value))]
        return pick(
            rng,
            [
                (6, f"{key} == '{value}'"),
                (3, f"{key} != '{value}'"),
                (2, f"{key} in {{{some}}}"),
                (2, f"{key} not in {{{some}}}"),
                (3, f"has({key})"),
                (2, f"!has({key})"),
                (1, f"{key} contains '{part}'"),
                (1, f"{key} starts with '{part}'"),
                (1, f"{key} ends with '{value[len(value) - len(part) :]}'"),
                (1, f"projectcalico.org/namespace == '{self._home()}'"),
                (0.5, "has(projectcalico.org/orchestrator)"),
            ],
        )

    def _home(self) -> str:
        return self.rng.choice(self.world.labelled)[0]

    def _account(self) -> str:
        return self.rng.choice(ACCOUNTS)

    def _labels(self, vocabulary: Mapping[str, Sequence[str]]) -> dict[str, str]:
        return {
            key: self.rng.choice(values)
            for key, values in vocabulary.items()
            if chance(self.rng, 0.5)
        }

    def _block(self, family: int, *, whole: bool = True) -> str:
        """Return a block around an address that occurs, or a whole family."""
        known = [ipaddress.ip_address(text) for text in (*self.world.addresses, *EXTERNAL)]
        mine = [each for each in known if each.version == family]
        address = self.rng.choice(mine)
        lengths = (8, 24, 30, 32) if family == _V4 else (32, 64, 126, 128)
        length = self.rng.choice((0, *lengths) if whole else lengths)
        return str(ipaddress.ip_network((address, length), strict=False))


def _manifest(kind: str, name: str, namespace: str | None, spec: Manifest) -> Manifest:
    metadata: Manifest = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec}
