"""Mutation of manifests as trees, so that the search gets past the syntax.

A byte more or less breaks YAML, and most of the search would go into the parser's complaints. Here
an input is read, its tree is changed at a few places with values that its fields may hold, or may
not, and it is written again in one of the ways in which people write manifests.
"""

import json
import random
from collections.abc import Callable
from typing import Any

import yaml

Bytes = Callable[[bytes, int], bytes]
"""Mutates bytes: input and greatest length of the output."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNLOADED = (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError, LookupError)
"""What PyYAML's constructors raise at odd input, `_` for a number among it."""
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

LABELS = ("app", "tier", "kubernetes.io/metadata.name", "a.b/c", "", "x" * 64, "bad key", "-")
VALUES = (
    *("web", "db", "", "web-admin", "é", "x" * 64, "true", 1, None),
    *("a\nb", "\x1b[2J", "</script><b onclick=x>", "]]>", '"><iframe>'),
)
NAMES = ("web", "api", "db", "x", "default", "", "Web", "a/b", "w" * 64, "10.0.0.1", "w\u202eb", 7)
PORTS = (80, "http", 0, 65535, 65536, -1, 8080, "80", "", 1.0, 1e20, 2**63, None, True, "http-x")
CIDRS = (
    *("10.0.0.0/8", "10.0.0.0/33", "0.0.0.0/0", "::/0", "2001:db8::/32", "::ffff:10.0.0.0/104"),
    *("10.1.2.3/8", "010.0.0.0/08", "10.0.0.0", "10.0.0.0/-1", "1.2.3.4/32", "::1/128", "", None),
    *("fe80::1%eth0/64", "10.0.0.0/8 ", "255.255.255.255/31", "::ffff:1.2.3.4/95", 10),
)
ADDRESSES = ("10.0.0.1", "10.0.0.2", "2001:db8::1", "::ffff:10.0.0.1", "", "None", "x", "127.0.0.1")
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 1.5, 1e300, "", " ", "\t", "a: b", "é"),
    *("\u0000", "\x7f", "\u2028", "\ufeff", "{{ x }}", "*", "&a", "!!int 1", "y", "~", "0x10"),
    *([], {}, [[]], [{}], [None], {"": None}, "x" * 300),
)
BY_FIELD: dict[str, tuple[Any, ...]] = {
    "address": ADDRESSES,
    "addressType": ("IPv4", "IPv6", "FQDN", "", None),
    "addresses": (list(ADDRESSES[:2]), [{"type": "InternalIP", "address": "192.0.2.1"}], None),
    "apiGroup": ("", "rbac.authorization.k8s.io", None),
    "cidr": CIDRS,
    "clusterIP": (*ADDRESSES, None),
    "containerPort": PORTS,
    "controller": (True, False, None, "true"),
    "endPort": (80, 90, 65535, 65536, 0, -1, None, "90", 8081),
    "except": ([], None, ["10.1.0.0/16"], ["10.0.0.0/8"], ["11.0.0.0/8"], ["x"], [None]),
    "expect": ("allow", "deny", "Allowed", "", None, 1),
    "from": ([], None, [{}], [None], [{"podSelector": {}}], "web/portal", "10.0.0.1", "any:"),
    "generateName": ("web-", "", None),
    "hostNetwork": (True, False, None),
    "ip": ADDRESSES,
    "key": LABELS,
    "labels": ({}, None, {"app": "web"}, {"app": None}, {"app": 1}, {"": ""}, {"a.b/c": "x" * 64}),
    "matchExpressions": (
        *([], None, [{"key": "app", "operator": "Exists"}], [{"key": "app", "operator": "In"}]),
        [{"key": "app", "operator": "NotIn", "values": ["web"]}],
        [{"key": "app", "operator": "DoesNotExist", "values": ["x"]}],
    ),
    "matchLabels": ({}, None, {"app": "web"}, {"app": ""}, {"app": 1}, {"": "x"}),
    "name": NAMES,
    "namespace": (*NAMES, "kube-system"),
    "namespaceSelector": ({}, None, {"matchLabels": {"kubernetes.io/metadata.name": "web"}}, []),
    "nodeName": ("n1", "n2", "", None, "N 1"),
    "operator": ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "in", "", None),
    "ownerReferences": (
        [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True}],
        [{"apiVersion": "example.com/v1", "kind": "Own", "name": "web", "controller": True}],
        [{}],
    ),
    "phase": ("Running", "Pending", "Succeeded", "Failed", "Unknown", "", 1),
    "podIP": ADDRESSES,
    "podIPs": ([], [{"ip": "10.0.0.1"}, {"ip": "2001:db8::1"}], [{}], [None], None),
    "podSelector": ({}, None, {"matchLabels": {"app": "web"}}, []),
    "policyTypes": ([], None, ["Ingress"], ["Egress"], ["Ingress", "Egress"], ["ingress"], ["x"]),
    "port": PORTS,
    "ports": ([], None, [{}], [None], [{"port": 80}], [{"protocol": "UDP"}], {}),
    "protocol": ("TCP", "UDP", "SCTP", "tcp", "ICMP", "", None, 6, "256"),
    "replicas": (0, 1, 3, -1, None, 2**31),
    "targetPort": PORTS,
    "to": ([], None, [{}], [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "api/server:80", "svc:web/front"),
    "values": (["web"], [], None, ["web", "web"], [""], ["a b"], [1]),
}
BY_FIELD |= dict.fromkeys((*LABELS, "description", "team"), VALUES)
"""What a field holds that people write, and what they should not."""
FIELDS = (
    *sorted(BY_FIELD),
    *("apiVersion", "kind", "items", "metadata", "spec", "status", "template", "containers"),
    *(
        "selector",
        "ingress",
        "egress",
        "ipBlock",
        "jobTemplate",
        "annotations",
        "uid",
        "podselector",
    ),
    *("conditions", "endpoints", "initContainers", "serviceAccountName", "tests", "type", "http"),
)
KINDS = (
    *(("v1", "Pod"), ("v1", "Service"), ("v1", "Namespace"), ("v1", "Node"), ("v1", "List")),
    *(("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("batch/v1", "CronJob")),
    *(("batch/v1", "Job"), ("discovery.k8s.io/v1", "EndpointSlice"), ("v1", "Secret")),
    *(("networking.k8s.io/v1", "NetworkPolicy"), ("extensions/v1beta1", "NetworkPolicy")),
    *(("cilium.io/v2", "CiliumNetworkPolicy"), ("projectcalico.org/v3", "GlobalNetworkPolicy")),
    *(
        ("security.istio.io/v1", "AuthorizationPolicy"),
        ("example.com/v1", "Own"),
        ("v1", "PodList"),
    ),
    *(("crd.projectcalico.org/v1", "HostEndpoint"), ("cloison.dev/v1alpha1", "ConnectivityTests")),
)
_DEEP = 120
_LARGEST_TREE = 20_000


class Trees:
    """Mutates manifests.

    Args:
        lower: What mutates bytes, where the tree is not touched.
    """

    def __init__(self, lower: Bytes) -> None:
        self._lower = lower

    def __call__(self, data: bytes, longest: int, seed: int) -> bytes:
        """Return a changed input."""
        rng = random.Random(seed)
        if rng.random() < 0.25:
            return self._lower(data, longest)
        try:
            documents = list(yaml.load_all(data, _LOADER))
        except _UNLOADED:
            return self._lower(data, longest)
        for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
            documents = _changed(documents, rng)
        try:
            written = _written(documents, rng)
        except (yaml.YAMLError, ValueError, RecursionError, TypeError):
            return self._lower(data, longest)
        return written if 0 < len(written) <= longest else self._lower(data, longest)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a tree, within reason."""
    found: list[tuple[Any, Any]] = []
    pending = [tree]
    seen: set[int] = set()
    while pending and len(found) < _LARGEST_TREE:
        held = pending.pop()
        if id(held) in seen:
            continue
        if isinstance(held, dict):
            seen.add(id(held))
            found += [(held, key) for key in held]
            pending += held.values()
        elif isinstance(held, list):
            seen.add(id(held))
            found += [(held, index) for index in range(len(held))]
            pending += held
    return found


def _copy(tree: Any) -> Any:
    """Return a tree without shared parts; the loader gives no cycles but through anchors."""
    return json.loads(json.dumps(tree, default=str))


def _value(field: Any, rng: random.Random) -> Any:
    known = BY_FIELD.get(str(field))
    if known is not None and rng.random() < 0.8:
        return _copy(rng.choice(known))
    return _copy(rng.choice(ODD))


def _fresh(rng: random.Random) -> dict[str, Any]:
    """Return an object that hangs together just enough to be looked at."""
    version, kind = rng.choice(KINDS)
    meta = {"name": rng.choice(NAMES[:4]), "namespace": rng.choice(NAMES[:5])}
    made: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": meta}
    peer = {rng.choice(("podSelector", "namespaceSelector")): _value("podSelector", rng)}
    block = {"ipBlock": {"cidr": _value("cidr", rng), "except": _value("except", rng)}}
    ports = [{"port": _value("port", rng), "protocol": rng.choice(("TCP", "UDP"))}]
    if kind.endswith("Policy"):
        made["spec"] = {
            "podSelector": _value("podSelector", rng),
            "policyTypes": _value("policyTypes", rng),
            "ingress": [{"from": [rng.choice((peer, block))], "ports": ports}],
            "egress": [{"to": [rng.choice((peer, block))]}],
        }
    elif kind == "Pod":
        meta["labels"] = _value("labels", rng)
        container = {"name": "c", "ports": [{"containerPort": 80, "name": "http"}]}
        made["spec"] = {"containers": [container], "nodeName": "n1"}
        made["status"] = {"phase": "Running", "podIPs": _value("podIPs", rng)}
    elif kind.endswith("List"):
        made["items"] = (
            [_fresh(rng) for _ in range(rng.choice((0, 1, 3)))] if rng.random() < 0.5 else []
        )
    elif kind == "ConnectivityTests":
        made["tests"] = [{"from": "web/api", "to": "10.0.0.1", "port": 80, "expect": "deny"}]
    else:
        pod = {
            "metadata": {"labels": _value("labels", rng)},
            "spec": {"containers": [{"name": "c"}]},
        }
        made["spec"] = {"template": pod, "selector": _value("podSelector", rng), "ports": ports}
    return made


def _deep(value: Any, rng: random.Random) -> Any:
    """Return a value deep within others."""
    for _ in range(rng.choice((5, 95, _DEEP))):
        value = [value] if rng.random() < 0.5 else {"a": value}
    return value


def _changed(documents: list[Any], rng: random.Random) -> list[Any]:
    documents = _copy(documents)
    places = _places(documents)
    if not places:
        return [_fresh(rng)]
    held, key = rng.choice(places)
    match rng.randrange(14):
        case 0 | 1 | 2 | 3:
            held[key] = _value(key, rng)
        case 4:
            del held[key]
        case 5:
            other, there = rng.choice(places)
            held[key] = _copy(other[there])
        case 6 if isinstance(held, dict):
            held[rng.choice(FIELDS)] = held.pop(key)
        case 6 | 7 if isinstance(held, list):
            held.insert(rng.randrange(len(held) + 1), _copy(held[key]))
        case 8 | 9:
            for place in (held[key], held):
                if isinstance(place, dict):
                    field = rng.choice(FIELDS)
                    place[field] = _value(field, rng)
                    break
        case 10:
            documents.insert(rng.randrange(len(documents) + 1), _fresh(rng))
        case 11:
            held[key] = [held[key]] if rng.random() < 0.5 else {rng.choice(FIELDS): held[key]}
        case 12 if isinstance(held, list):
            held += [_copy(held[key]) for _ in range(rng.choice((2, 30, 300)))]
        case 12:
            held[key] = _deep(held[key], rng)
        case _:
            rng.shuffle(documents)
    return documents


def _written(documents: list[Any], rng: random.Random) -> bytes:
    """Write documents in one of the forms in which manifests come."""
    match rng.randrange(5):
        case 0:
            return "\n---\n".join(json.dumps(d) for d in documents).encode()
        case 1:
            items = documents
            if len(documents) == 1 and isinstance(documents[0], dict) and "items" in documents[0]:
                return json.dumps(documents[0], indent=rng.choice((None, 1))).encode()
            whole = {"apiVersion": "v1", "kind": "List", "items": items}
            return json.dumps(whole, indent=rng.choice((None, 2)), ensure_ascii=False).encode()
        case flow:
            text = yaml.dump_all(
                documents,
                Dumper=_DUMPER,
                sort_keys=False,
                allow_unicode=rng.random() < 0.5,
                default_flow_style=(None, True, False)[flow - 2],
            )
            return bytes(text.encode("utf-8", "replace"))


class Lines:
    """Mutates short texts, a line each: names of ends, ports, scalars.

    Args:
        lower: What mutates bytes.
        words: What is worth writing into a line.
    """

    def __init__(self, lower: Bytes, words: tuple[str, ...]) -> None:
        self._lower = lower
        self._words = words

    def __call__(self, data: bytes, longest: int, seed: int) -> bytes:
        """Return a changed input."""
        rng = random.Random(seed)
        if not self._words or rng.random() < 0.4:
            return self._lower(data, longest)
        lines = data.decode("utf-8", "replace").split("\n")
        at = rng.randrange(len(lines))
        line, word = lines[at], rng.choice(self._words)
        cut = rng.randrange(len(line) + 1)
        match rng.randrange(6):
            case 0 | 1:
                lines[at] = word
            case 2:
                lines[at] = line[:cut] + word + line[cut:]
            case 3:
                lines[at] = line[:cut] + rng.choice("/:[]%-.,") + line[cut:]
            case 4:
                lines.insert(at, word)
            case _:
                lines[at] = rng.choice(lines)
        return "\n".join(lines).encode("utf-8", "replace")[:longest]
