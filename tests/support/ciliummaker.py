"""Random policies of Cilium's, for a world that is known."""

import ipaddress
import random
from collections.abc import Sequence

from tests.oracle.raw import Manifest
from tests.support.adminpolicies import Seen
from tests.support.chances import chance, pick
from tests.support.ciliumwords import (
    ACCOUNT,
    ACCOUNTS,
    CLUSTER,
    GROUPS,
    HEADERS,
    HIDDEN,
    HOST_PATTERNS,
    HTTP_PORTS,
    MESSAGES,
    METHOD_PATTERNS,
    NAME_TEXTS,
    NAMESPACE,
    OF_NAMESPACES,
    PATH_PATTERNS,
    PATTERNS,
    POOLS,
    SERVERS,
    TLS_PORT,
)
from tests.support.netpols import EXTERNAL, LABELS, NAMESPACE_LABELS, PORT_NAMES, PORT_NUMBERS


class CiliumMaker:
    """Makes policies for a world.

    Args:
        world: What their author looks at.
        rng: Chance.
        switches: The cluster's settings.
    """

    def __init__(self, world: Seen, rng: random.Random, switches: dict[str, str]) -> None:
        self.world = world
        self.rng = rng
        self.by_nodes = switches.get("enable-node-selector-labels") == "true"
        self.firewall = switches.get("enable-host-firewall") == "true"

    # ------------------------------------------------------------------ objects

    def group(self, name: str) -> Manifest:
        """Return a group of blocks."""
        rng = self.rng
        blocks = {self.block(whole=False) for _ in range(rng.randint(0, 2))}
        for address in rng.sample(EXTERNAL, 2):
            length = rng.choice((24, 32) if "." in address else (48, 128))
            blocks.add(str(ipaddress.ip_network((address, length), strict=False)))
        return {
            "apiVersion": "cilium.io/v2",
            "kind": "CiliumCIDRGroup",
            "metadata": {"name": name, "labels": GROUPS[name]},
            "spec": {"externalCIDRs": sorted(blocks)},
        }

    def policy(self, name: str) -> Manifest:
        """Return a policy of either kind."""
        rng = self.rng
        home = None if chance(rng, 0.4) else rng.choice(self.world.labelled)[0]
        rules = [self.rule(home) for _ in range(pick(rng, [(8, 1), (1, 2)]))]
        body: Manifest = {"specs": rules} if len(rules) > 1 else {"spec": rules[0]}
        return _object(name, home, body)

    def lookups(self) -> Manifest:
        """Return a policy under which pods look names up."""
        rng = self.rng
        home = None if chance(rng, 0.6) else rng.choice(self.world.labelled)[0]
        names = [self.name() for _ in range(rng.randint(1, 2))]
        wide = chance(rng, 0.5)
        ports: Manifest = {
            "ports": [{"port": "53", "protocol": rng.choice(("UDP", "ANY"))}],
            "rules": {"dns": [{"matchPattern": "*"}] if wide else names},
        }
        element = {"toEntities": [rng.choice(("all", "cluster", "world"))], "toPorts": [ports]}
        rule: Manifest = {"endpointSelector": {}, "egress": [element]}
        if chance(rng, 0.3):
            rule["enableDefaultDeny"] = {"egress": False}
        return _object("lookups", home, {"spec": rule})

    def partners(self) -> Manifest:
        """Return a policy about groups of blocks, in one namespace."""
        rng = self.rng
        home = rng.choice(self.world.labelled)[0]
        denies = chance(rng, 0.4)
        refs = [self._cidrset("group") for _ in range(rng.randint(1, 2))]
        key = "Deny" if denies else ""
        rule: Manifest = {
            "endpointSelector": {},
            f"ingress{key}": [{"fromCIDRSet": refs}],
            f"egress{key}": [{"toCIDRSet": refs}],
        }
        if denies:
            rule["enableDefaultDeny"] = {"ingress": False, "egress": False}
        return _object("partners", home, {"spec": rule})

    def requests(self) -> Manifest:
        """Return a policy that lets some requests in on a port."""
        rng = self.rng
        home = None if chance(rng, 0.6) else rng.choice(self.world.labelled)[0]
        ports = {
            "ports": [{"port": str(each), "protocol": "TCP"} for each in HTTP_PORTS],
            "rules": {"http": self._https()},
        }
        peers: Manifest = {"fromEntities": [rng.choice(("all", "cluster"))]}
        rule: Manifest = {"endpointSelector": {}, "ingress": [{**peers, "toPorts": [ports]}]}
        if chance(rng, 0.3):
            rule["ingress"].append({"toPorts": [{"ports": [{"port": "53"}]}]})
        return _object("requests", home, {"spec": rule})

    def rule(self, home: str | None) -> Manifest:
        """Return a rule with at least one filled list."""
        rng = self.rng
        rule: Manifest = {}
        nodes = home is None and self.firewall and chance(rng, 0.4)
        if nodes:
            rule["nodeSelector"] = {} if chance(rng, 0.4) else self._of_nodes()
        else:
            rule["endpointSelector"] = self.subject(home)
        sides = [s for s in ("ingress", "egress") if chance(rng, 0.55)] or ["ingress"]
        for side in sides:
            keys = pick(rng, [(6, ("",)), (1.5, ("Deny",)), (2, ("", "Deny"))])
            for key in keys:
                count = pick(rng, [(5, 1), (3, 2), (1, 3)])
                elements = [self.element(side, denies=key != "", nodes=nodes) for _ in range(count)]
                rule[f"{side}{key}"] = elements
            if chance(rng, 0.2):
                rule.setdefault("enableDefaultDeny", {})[side] = chance(rng, 0.3)
        return rule

    # ------------------------------------------------------------------ selectors

    def subject(self, home: str | None) -> Manifest:
        """Return whom a rule is about."""
        rng = self.rng
        if chance(rng, 0.25):
            return {}
        mine = [labels for where, labels in self.world.labelled if where == (home or where)]
        selector = self._on_labels(rng.choice(mine))
        if home is None and chance(rng, 0.4):
            place = rng.choice(self.world.labelled)[0]
            selector.setdefault("matchLabels", {})[NAMESPACE] = place
        return selector

    def peer(self) -> Manifest:
        """Return a selector of peers."""
        rng = self.rng
        home, labels = rng.choice(self.world.labelled)
        form = pick(
            rng, [(2, "any"), (8, "labels"), (3, "place"), (3, "spaces"), (1, "own"), (1, "else")]
        )
        if form == "any":
            return {}
        if form == "own":
            name = rng.choice(("host", "remote-node", "world", "kube-apiserver", "health"))
            return {"matchLabels": {f"reserved:{name}": ""}}
        if form == "else":
            key, values = rng.choice(((ACCOUNT, ACCOUNTS), (CLUSTER, ("default", "east"))))
            return {"matchLabels": {self._sourced(key): rng.choice(values)}}
        selector = self._on_labels(labels) if form == "labels" or chance(rng, 0.5) else {}
        if form == "place":
            if chance(rng, 0.5):
                selector.setdefault("matchLabels", {})[NAMESPACE] = home
            else:
                found = {"key": NAMESPACE, "operator": "Exists"}
                selector.setdefault("matchExpressions", []).append(found)
        if form == "spaces":
            key = rng.choice(sorted(NAMESPACE_LABELS))
            one = self._expression(f"k8s:{OF_NAMESPACES}{key}", NAMESPACE_LABELS[key])
            selector.setdefault("matchExpressions", []).append(one)
        return selector

    def _on_labels(self, labels: dict[str, str]) -> Manifest:
        """Return conditions on pod labels, more often than not ones that `labels` meet."""
        rng = self.rng
        every = {**LABELS, **HIDDEN}
        known = sorted(k for k in labels if k in every and (k in LABELS or chance(rng, 0.4)))
        selector: Manifest = {}
        if known and chance(rng, 0.7):
            key = rng.choice(known)
            value = labels[key] if chance(rng, 0.85) else rng.choice(every[key])
            selector["matchLabels"] = {self._sourced(key): value}
        if not selector or chance(rng, 0.3):
            key = rng.choice(sorted(LABELS) * 3 + sorted(HIDDEN))
            selector["matchExpressions"] = [self._expression(self._sourced(key), every[key])]
        return selector

    def _expression(self, key: str, values: Sequence[str]) -> Manifest:
        rng = self.rng
        operator = rng.choice(("In", "NotIn", "Exists", "DoesNotExist"))
        found: Manifest = {"key": key, "operator": operator}
        if operator in ("In", "NotIn"):
            found["values"] = rng.sample(list(values), rng.randint(1, min(2, len(values))))
        return found

    def _sourced(self, key: str) -> str:
        return pick(self.rng, [(4, key), (3, f"k8s:{key}"), (1, f"any:{key}")])

    # ------------------------------------------------------------------ elements

    def element(self, side: str, *, denies: bool, nodes: bool) -> Manifest:
        """Return an element of a rule."""
        rng = self.rng
        word = "from" if side == "ingress" else "to"
        names = side == "egress" and not denies and not nodes
        form = pick(
            rng,
            [
                (7, "Endpoints"),
                (3, "CIDR"),
                (5, "CIDRSet"),
                (4, "Entities"),
                (2 if self.by_nodes else 0, "Nodes"),
                (2 if side == "egress" and not nodes else 0, "Services"),
                (6 if names else 0, "FQDNs"),
                (3, ""),
            ],
        )
        made: Manifest = {}
        if form:
            make = getattr(self, f"_{form.lower()}")
            empty = form in ("Endpoints", "CIDR", "Entities", "Nodes") and chance(rng, 0.04)
            made[f"{word}{form}"] = [] if empty else [make() for _ in range(rng.randint(1, 2))]
        more = pick(rng, [(4 if form else 1, "none"), (7, "ports"), (1, "icmps")])
        if more == "ports":
            asks = not denies and not nodes
            count = pick(rng, [(6, 1), (1, 2)])
            made["toPorts"] = [self.ports(side, asks=asks) for _ in range(count)]
        elif more == "icmps":
            number, name = rng.choice(MESSAGES)
            one: Manifest = {"type": rng.choice((number, name))}
            if chance(rng, 0.3):
                one["family"] = "IPv4"
            elif chance(rng, 0.2):
                one = {"type": 128, "family": "IPv6"}
            made["icmps"] = [{"fields": [one]}]
        return made

    def _endpoints(self) -> Manifest:
        return self.peer()

    def _cidr(self) -> str:
        return self.block()

    def _cidrset(self, form: str = "") -> Manifest:
        rng = self.rng
        form = form or pick(rng, [(4, "cidr"), (3, "group"), (3, "groups")])
        if form == "group":
            return {"cidrGroupRef": rng.choice((*GROUPS, "ghost"))}
        if form == "groups":
            kind = rng.choice(("partner", "threat", "nobody"))
            return {"cidrGroupSelector": {"matchLabels": {"kind": kind}}}
        block = self.block(whole=chance(rng, 0.3))
        hole = self._hole(block)
        return {"cidr": block} | ({"except": [hole]} if hole and chance(rng, 0.6) else {})

    def _entities(self) -> str:
        names = ("all", "world", "cluster", "host", "remote-node", "kube-apiserver", "none")
        weights = (2, 4, 4, 2, 3, 2, 0.5)
        return pick(self.rng, list(zip(weights, names, strict=True)))

    def _nodes(self) -> Manifest:
        return {} if chance(self.rng, 0.2) else self._of_nodes()

    def _of_nodes(self) -> Manifest:
        """Return a selector on labels of nodes, some of which only some rules see."""
        rng = self.rng
        if chance(rng, 0.15):
            return {"matchLabels": {"kubernetes.io/hostname": rng.choice(("n1", "n2"))}}
        source = pick(rng, [(8, ""), (1, "k8s:"), (1, "node:")])
        if chance(rng, 0.15):
            operator = rng.choice(("Exists", "DoesNotExist"))
            return {"matchExpressions": [{"key": f"{source}pool", "operator": operator}]}
        return {"matchLabels": {f"{source}pool": rng.choice(POOLS)}}

    def _services(self) -> Manifest:
        rng = self.rng
        home = rng.choice(self.world.labelled)[0]
        where = {"namespace": home} if chance(rng, 0.4) else {}
        if chance(rng, 0.3):
            kind = rng.choice(("front", "back"))
            return {"k8sServiceSelector": {"selector": {"matchLabels": {"kind": kind}}, **where}}
        return {"k8sService": {"serviceName": f"s{rng.randrange(4)}", **where}}

    def _fqdns(self) -> Manifest:
        return self.name()

    def name(self) -> Manifest:
        """Return a name or a pattern of names."""
        if chance(self.rng, 0.6):
            return {"matchName": self.rng.choice(NAME_TEXTS)}
        return {"matchPattern": self.rng.choice(PATTERNS)}

    def ports(self, side: str, *, asks: bool) -> Manifest:
        """Return an element of `toPorts`."""
        rng = self.rng
        form = pick(
            rng,
            [
                (8, ""),
                (4 if asks else 0, "http"),
                (1 if asks and side == "egress" else 0, "dns"),
                (1 if asks else 0, "tls"),
            ],
        )
        if form == "tls":
            found = [{"port": str(TLS_PORT), "protocol": "TCP"}]
            return {"ports": found, "serverNames": rng.sample(SERVERS, rng.randint(1, 2))}
        if form == "http":
            found = [{"port": str(rng.choice(HTTP_PORTS)), "protocol": "TCP"}]
            return {"ports": found, "rules": {"http": self._https()}}
        if form == "dns":
            names = [self.name() for _ in range(rng.randint(1, 2))]
            protocol = rng.choice(("UDP", "ANY"))
            return {"ports": [{"port": "53", "protocol": protocol}], "rules": {"dns": names}}
        if chance(rng, 0.03):
            return {}
        return {"ports": [self._port() for _ in range(pick(rng, [(5, 1), (2, 2)]))]}

    def _port(self) -> Manifest:
        rng = self.rng
        made: Manifest = {}
        protocol = pick(rng, [(5, "TCP"), (2, "UDP"), (1, "SCTP"), (2, "ANY"), (2, "")])
        form = pick(rng, [(6, "number"), (2, "name"), (2, "range"), (0.7, "zero")])
        if form == "name":
            made["port"] = rng.choice(sorted(PORT_NAMES))
        elif form == "zero":
            made["port"] = "0"
        else:
            low = rng.choice(PORT_NUMBERS)
            made["port"] = str(low)
            if form == "range":
                made["endPort"] = rng.choice((low, low + 1, max(low, 8100), 65535))
        return made | ({"protocol": protocol} if protocol else {})

    def _https(self) -> list[Manifest]:
        rng = self.rng
        if chance(rng, 0.1):
            return [{}] if chance(rng, 0.5) else []
        return [self._http() for _ in range(pick(rng, [(4, 1), (2, 2)]))]

    def _http(self) -> Manifest:
        rng = self.rng
        made: Manifest = {}
        if chance(rng, 0.7):
            made["method"] = rng.choice(METHOD_PATTERNS)
        if chance(rng, 0.7):
            made["path"] = rng.choice(PATH_PATTERNS)
        if chance(rng, 0.2):
            made["host"] = rng.choice(HOST_PATTERNS)
        name = rng.choice(sorted(HEADERS))
        value = rng.choice(HEADERS[name])
        if chance(rng, 0.2):
            made["headers"] = [pick(rng, [(3, f"{name}: {value}"), (2, name)])]
        if chance(rng, 0.15):
            one = {"name": name} | ({"value": value} if chance(rng, 0.7) else {})
            made["headerMatches"] = [one | ({"mismatch": "LOG"} if chance(rng, 0.3) else {})]
        return made

    # ------------------------------------------------------------------ blocks

    def block(self, *, whole: bool = True) -> str:
        """Return a block around an address that occurs, or a whole family."""
        rng = self.rng
        address = ipaddress.ip_address(rng.choice([*self.world.addresses, *EXTERNAL, *EXTERNAL]))
        lengths = (8, 24, 30, 32) if address.version == 4 else (32, 64, 126, 128)
        length = 0 if whole and chance(rng, 0.2) else rng.choice(lengths)
        return str(ipaddress.ip_network((address, length), strict=False))

    def _hole(self, block: str) -> str | None:
        whole = ipaddress.ip_network(block)
        known = [ipaddress.ip_address(a) for a in (*self.world.addresses, *EXTERNAL)]
        inside = [each for each in known if each in whole]
        if not inside or whole.prefixlen == whole.max_prefixlen:
            return None
        longest = whole.max_prefixlen
        length = self.rng.choice(
            [n for n in (24, 30, 64, longest) if whole.prefixlen < n <= longest]
        )
        return str(ipaddress.ip_network((self.rng.choice(inside), length), strict=False))


def _object(name: str, home: str | None, body: Manifest) -> Manifest:
    kind = "CiliumNetworkPolicy" if home else "CiliumClusterwideNetworkPolicy"
    meta: Manifest = {"name": name} | ({"namespace": home} if home else {})
    return {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": meta, **body}
