"""Random policies of Cilium's own, and what worlds need for them, as plain manifests.

Everything is valid for the API server and for the agent; what they refuse is tested elsewhere. A
port has one parser: HTTP where TCP carries it, DNS on port 53.
"""

import ipaddress
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.oracle.raw import Manifest
from tests.support.adminpolicies import AdminMaker, Seen
from tests.support.chances import chance, pick
from tests.support.netpols import EXTERNAL, LABELS, NAMESPACE_LABELS, PORT_NAMES, PORT_NUMBERS

NAMESPACE = "k8s:io.kubernetes.pod.namespace"
OF_NAMESPACES = "io.cilium.k8s.namespace.labels."
ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
CLUSTER = "io.cilium.k8s.policy.cluster"
ACCOUNTS = ("default", "runner", "reader")
HIDDEN = {
    "controller-revision-hash": ("r1", "r2"),
    "pod-template-hash": ("h1", "h2"),
    "topology.kubernetes.io/zone": ("z1",),
    "app.kubernetes.io/name": ("shop", "ledger"),
}
"""Labels of which policies see the last only."""
POOLS = ("one", "two")
SERVER = "198.51.100.250"
GROUPS = {"partners": {"kind": "partner"}, "blocked": {"kind": "threat"}}
NAMES = {
    "api.example.com": (EXTERNAL[0],),
    "db.example.com": (EXTERNAL[1], EXTERNAL[3]),
    "a.b.example.com": (EXTERNAL[2],),
    "other.test": ("192.0.2.77",),
}
"""What names stand for, where somebody said so."""
NAME_TEXTS = (*NAMES, "nobody.test")
PATTERNS = ("*", "*.example.com", "**.example.com", "a*.example.com", "*.test")
METHODS = ("GET", "POST", "DELETE")
PATHS = ("/", "/v1", "/v1/a", "/v1/a?x=1", "/v2/users/7", "/v2/users/7/edit")
PATH_PATTERNS = ("/", "/v1/.*", "/v1/?", "/v2/users/[0-9]+", "/v2/users/[^/]+/edit", "/(v1|v2)/a.*")
METHOD_PATTERNS = ("GET", "POST", "GET|POST", "[A-Z]+", "DELETE")
HOSTS = ("api.shop", "apixshop", "api.shop:8080", "admin.shop")
HOST_PATTERNS = ("api.shop", r"api\.shop(:[0-9]+)?", ".*shop", r"[a-z]+\.shop")
HEADERS = {"X-Role": ("admin", "guest"), "X-Team": ("red", "blue")}
HTTP_PORTS = (80, 8080, 8081)
TLS_PORT = 9003
SERVERS = ("api.example.com", "*.example.com", "**.test")
MESSAGES = ((8, "EchoRequest"), (0, "EchoReply"), (3, "DestinationUnreachable"))


@dataclass
class CiliumWorld:
    """A world for Cilium, and how it is set up.

    Args:
        objects: Manifests, policies among them.
        switches: Settings of Cilium in the cluster.
        version: Of Cilium.
        names: What DNS names stand for.
    """

    objects: list[Manifest]
    switches: dict[str, str] = field(default_factory=dict)
    version: tuple[int, int] = (1, 19)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def profile(self) -> str:
        """The profile's name."""
        return "cilium@{}.{}".format(*self.version)


def cilium_world(rng: random.Random, objects: list[Manifest], policies: int) -> CiliumWorld:
    """Return a world with some of Cilium's policies.

    Args:
        rng: Chance.
        objects: A world of `worlds.random_world`; its pods and nodes are changed.
        policies: How many of Cilium's own are added.
    """
    for each in objects:
        _prepared(rng, each)
    switches = _switches(rng)
    if {"enable-host-firewall", "enable-node-selector-labels"} & switches.keys():
        objects += _placed(rng, objects)
    made = CiliumWorld(objects, switches, rng.choice(((1, 18), (1, 19), (1, 20))))
    if made.version == (1, 20) and "policy-audit-mode" not in switches and chance(rng, 0.6):
        switches["enable-k8s-cluster-network-policy"] = "true"
    if made.version == (1, 20) and chance(rng, 0.15):
        switches["policy-cidr-match-mode"] = rng.choice(("pods", "nodes,pods"))
        switches["cilium.U4"] = "matches-like-nodes"
    if made.version == (1, 19):
        switches["cilium.patch"] = rng.choice(("3", "5", "6"))
    made.names = {name: held for name, held in NAMES.items() if chance(rng, 0.7)}
    seen = Seen(objects)
    objects += _services(rng, seen)
    maker = CiliumMaker(seen, rng, switches)
    objects += [maker.group(name) for name in GROUPS if chance(rng, 0.8)]
    objects += [maker.policy(f"c{number}") for number in range(policies)]
    if "enable-k8s-cluster-network-policy" in switches:
        tiers = AdminMaker(seen, rng, domains=False)
        cluster = tiers.policies(rng.randint(1, 4), ("ClusterNetworkPolicy",))
        # Which nodes such a peer means here is nowhere said.
        objects += [each for each in cluster if "nodes" not in str(each["spec"])]
    if "labels" not in switches:
        pods = list(objects)
        objects += [each for pod in pods for each in _identity(rng, pod, seen, switches)]
    if chance(rng, 0.6):
        objects.append(maker.lookups())
    if chance(rng, 0.6):
        objects.append(maker.requests())
    if chance(rng, 0.35):
        objects.append(maker.partners())
    rng.shuffle(objects)
    return made


def _prepared(rng: random.Random, item: Manifest) -> None:
    """Give what runs pods labels that are filtered, an account, and each port's name once."""
    spec = item.get("spec") or {}
    if item["kind"] == "Node" and chance(rng, 0.8):
        item["metadata"].setdefault("labels", {})["pool"] = rng.choice(POOLS)
    template = item if item["kind"] == "Pod" else spec.get("template")
    if item["kind"] == "CronJob":
        template = spec["jobTemplate"]["spec"]["template"]
    if template is None:
        return
    labels = template["metadata"].setdefault("labels", {})
    labels |= {k: rng.choice(v) for k, v in HIDDEN.items() if chance(rng, 0.25)}
    if chance(rng, 0.4):
        template["spec"]["serviceAccountName"] = rng.choice(ACCOUNTS)
    taken: set[str] = set()
    for container in template["spec"]["containers"]:
        ports = container.get("ports") or []
        kept = [p for p in ports if p.get("name") not in taken]
        taken |= {p["name"] for p in kept if "name" in p}
        if ports:
            container["ports"] = kept


def _identity(
    rng: random.Random, pod: Manifest, seen: Seen, switches: dict[str, str]
) -> Iterator[Manifest]:
    """Yield what Cilium says of a pod, where it says something that its manifest does not."""
    if pod["kind"] != "Pod" or pod["spec"].get("hostNetwork") or not chance(rng, 0.07):
        return
    meta = pod["metadata"]
    home = meta.get("namespace", "default")
    own = {**meta.get("labels", {}), "app": rng.choice(LABELS["app"])}
    labels = [f"k8s:{key}={value}" for key, value in own.items() if key in LABELS]
    around = {**seen.namespace_labels.get(home, {}), "kubernetes.io/metadata.name": home}
    labels += [f"k8s:{OF_NAMESPACES}{key}={value}" for key, value in around.items()]
    labels += [
        f"k8s:{NAMESPACE.removeprefix('k8s:')}={home}",
        f"k8s:{ACCOUNT}={pod['spec'].get('serviceAccountName', 'default')}",
    ]
    cluster = f"k8s:{CLUSTER}={switches.get('cluster-name', 'default')}"
    labels = pick(
        rng,
        [(3, [*labels, cluster]), (1, [*labels, f"k8s:{CLUSTER}=west"]), (1, ["reserved:init"])],
    )
    status: Manifest = {"state": "ready", "identity": {"id": 40_000, "labels": labels}}
    yield {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumEndpoint",
        "metadata": {"name": meta["name"], "namespace": home},
        "status": status,
    }


def _placed(rng: random.Random, objects: Sequence[Manifest]) -> list[Manifest]:
    """Give what shares a node's network a node, and nodes that are only mentioned an object.

    Where policies select nodes by label, what is on some node, whichever, is told apart by
    nothing but guesses.
    """
    pods = [each for each in objects if each["kind"] == "Pod"]
    known = {each["metadata"]["name"] for each in objects if each["kind"] == "Node"}
    named = sorted({pod["spec"]["nodeName"] for pod in pods if "nodeName" in pod["spec"]})
    for pod in pods:
        if pod["spec"].get("hostNetwork"):
            pod["spec"].setdefault("nodeName", rng.choice(named))
    for each in objects:
        template = (each.get("spec") or {}).get("jobTemplate", each).get("spec") or {}
        if each["kind"] != "Pod" and "template" in template:
            template["template"]["spec"].pop("hostNetwork", None)
    return [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {}}}
        for name in named
        if name not in known
    ]


def _switches(rng: random.Random) -> dict[str, str]:
    found = {}
    weighted: dict[str, list[tuple[float, str]]] = {
        "enable-policy": [(14, ""), (2, "always"), (0.5, "never")],
        "allow-localhost": [(6, ""), (1, "policy")],
        "policy-cidr-match-mode": [(6, ""), (1, "nodes")],
        "policy-default-local-cluster": [(6, ""), (0.5, "true"), (0.5, "false")],
        "cluster-name": [(2, ""), (1, "east")],
        "labels": [(8, ""), (1, "!tier"), (0.5, "k8s:app k8s:io.kubernetes.pod.namespace")],
        "enable-node-selector-labels": [(1, ""), (1, "true")],
        "policy-audit-mode": [(14, ""), (1, "true")],
        "enable-host-firewall": [(4, ""), (1, "true")],
        "enable-cilium-network-policy": [(20, ""), (0.5, "false")],
        "enable-k8s-networkpolicy": [(20, ""), (0.5, "false")],
        "cilium.U1": [(2, ""), (1, "deny-wins"), (1, "localhost-wins")],
        "cilium.U2": [(2, ""), (1, "nothing"), (1, "every-destination")],
        "cilium.U3": [(2, ""), (1, "relaxes"), (1, "keeps")],
    }
    for name, chances in weighted.items():
        value = pick(rng, chances)
        if value:
            found[name] = value
    return found


def _services(rng: random.Random, seen: Seen) -> list[Manifest]:
    """Return Services with a selector and without, and that of the API server."""
    found: list[Manifest] = []
    for number in range(rng.randint(1, 3)):
        home, labels = rng.choice(seen.labelled)
        visible = {k: v for k, v in labels.items() if k in LABELS or k in HIDDEN}
        spec: Manifest = {"ports": [{"port": 80}]}
        if visible and chance(rng, 0.7):
            key = rng.choice(sorted(visible))
            spec["selector"] = {key: visible[key]}
        name = f"s{number}"
        meta: Manifest = {"name": name, "namespace": home}
        if chance(rng, 0.6):
            meta["labels"] = {"kind": rng.choice(("front", "back"))}
        found.append({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
        if "selector" not in spec:
            address = rng.choice([*seen.addresses, *EXTERNAL, *EXTERNAL])
            found.append(_slice(home, name, address, empty=chance(rng, 0.3)))
    found.append(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kubernetes", "namespace": "default"},
            "spec": {"ports": [{"port": 443}]},
        }
    )
    nodes = [a for a in seen.addresses if a.startswith("10.1.")]
    found.append(_slice("default", "kubernetes", rng.choice([SERVER, *nodes[:1]])))
    return found


def _slice(home: str, name: str, address: str, *, empty: bool = False) -> Manifest:
    family = ipaddress.ip_address(address).version
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-1",
            "namespace": home,
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": f"IPv{family}",
        "endpoints": [] if empty else [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "", "port": 443, "protocol": "TCP"}],
    }


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
            pool = {"matchLabels": {"pool": rng.choice(POOLS)}}
            rule["nodeSelector"] = {} if chance(rng, 0.4) else pool
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
        if chance(self.rng, 0.2):
            return {}
        return {"matchLabels": {"pool": self.rng.choice(POOLS)}}

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
