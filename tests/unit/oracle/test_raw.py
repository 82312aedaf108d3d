"""The raw oracle against statements of the specification, written out by hand."""

from typing import Any

import pytest
import yaml

from tests.oracle.raw import End, Manifest, RawOracle

WORLD = """
- {kind: Namespace, metadata: {name: x, labels: {team: red, env: prod}}}
- {kind: Namespace, metadata: {name: y, labels: {team: blue}}}
- {kind: Namespace, metadata: {name: z}}
- {kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 10.1.0.1}]}}
- {kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 10.1.0.2}]}}
- kind: Deployment
  metadata: {name: d, namespace: x}
  spec: {template: {metadata: {labels: {app: d}}, spec: {containers: [{name: c}]}}}
- kind: Deployment
  metadata: {name: hd, namespace: x}
  spec: {template: {metadata: {labels: {app: a}}, spec: {hostNetwork: true, containers: []}}}
- kind: Pod
  metadata: {name: h1, namespace: x, labels: {app: h}}
  spec: {hostNetwork: true, nodeName: n1, containers: []}
  status: {phase: Running, podIP: 10.1.0.1}
- kind: Pod
  metadata: {name: h2, namespace: x, labels: {app: h}}
  spec:
    hostNetwork: true
    nodeName: n2
    containers: [{name: c, ports: [{name: http, containerPort: 80}]}]
  status: {phase: Running, podIP: 10.1.0.2}
- kind: Pod
  metadata: {name: j, namespace: x, labels: {app: job}}
  spec: {nodeName: n1, containers: [{name: c}]}
  status: {phase: Succeeded, podIP: 10.2.2.1}
"""

E: End = ("ip", "203.0.113.10")
E6: End = ("ip", "2001:db8::10")
DEPLOY: End = ("workload", "x", "Deployment", "d")
HOST_DEPLOY: End = ("workload", "x", "Deployment", "hd")


def pod(namespace: str, name: str) -> End:
    return ("pod", namespace, name)


XA, XB, XC = (pod("x", n) for n in "abc")
YA, YB, YC = (pod("y", n) for n in "abc")
ZA, ZB = (pod("z", n) for n in "ab")


def world(*policies: Manifest) -> RawOracle:
    objects: list[Manifest] = yaml.safe_load(WORLD)
    tiers = {"a": "web", "c": "db"}
    for net, (namespace, node) in enumerate((("x", "n1"), ("y", "n2"), ("z", "n3")), 1):
        for place, name in enumerate("abc", 1):
            labels = {"app": name} | ({"tier": tiers[name]} if name in tiers else {})
            ports = [
                {"name": "http", "containerPort": 80},
                {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                {"name": "sig", "containerPort": 9003, "protocol": "SCTP"},
            ]
            status = {
                "phase": "Running",
                "podIPs": [{"ip": f"10.2.{net}.{place}"}, {"ip": f"fd00:2:{net}::{place}"}],
            }
            containers: list[Manifest] = [{"name": "c", "ports": ports}]
            if (namespace, name) == ("x", "c"):
                containers.append({"name": "d", "ports": [{"name": "http", "containerPort": 81}]})
            spec: Manifest = {"nodeName": node, "containers": containers}
            spec["initContainers"] = [
                {"name": "i", "ports": [{"name": "init", "containerPort": 70}]}
            ]
            meta = {"namespace": namespace, "name": name, "labels": labels}
            objects.append({"kind": "Pod", "metadata": meta, "spec": spec, "status": status})
    return RawOracle([*objects, *policies])


def np(namespace: str, pods: object, **spec: Any) -> Manifest:
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": namespace},
        "spec": {"podSelector": pods, **spec},
    }


def on_a(*ports: Manifest) -> Manifest:
    return np("x", {"matchLabels": {"app": "a"}}, ingress=[{"ports": list(ports)}])


def from_(*peers: Manifest) -> Manifest:
    return np("x", {"matchLabels": {"app": "a"}}, ingress=[{"from": list(peers)}])


def to(*peers: Manifest) -> Manifest:
    return np(
        "x", {"matchLabels": {"app": "a"}}, policyTypes=["Egress"], egress=[{"to": list(peers)}]
    )


def block(cidr: str, *holes: str) -> Manifest:
    return {"ipBlock": {"cidr": cidr, "except": list(holes)}}


BLUE = {"namespaceSelector": {"matchLabels": {"team": "blue"}}}
IN = {"policyTypes": ["Ingress"]}
OUT = {"policyTypes": ["Egress"]}
BOTH = {"policyTypes": ["Ingress", "Egress"]}

CASES: list[tuple[str, Manifest, list[tuple[End, End, str, str]]]] = [
    ("isolation is per direction", np("x", {}, **IN), [
        (YA, XA, "TCP/80", "denied"),
        (XB, XA, "TCP/80", "denied"),
        (XA, YA, "TCP/80", "allowed"),
    ]),
    ("egress isolation", np("x", {}, **OUT), [
        (XA, YA, "TCP/80", "denied"),
        (YA, XA, "TCP/80", "allowed"),
    ]),
    ("a null selector is empty", np("x", None, **IN), [(YA, XC, "TCP/80", "denied")]),
    ("types default to ingress", np("x", {}, egress=[]), [
        (YA, XA, "TCP/80", "denied"),
        (XA, YA, "TCP/80", "allowed"),
    ]),
    ("an egress rule adds egress", np("x", {}, policyTypes=[], egress=[{"to": [BLUE]}]), [
        (YA, XA, "TCP/80", "denied"),
        (XA, YA, "TCP/80", "allowed"),
        (XA, ZA, "TCP/80", "denied"),
    ]),
    ("rules without the type are inert", np("x", {}, **OUT, ingress=[]), [
        (ZA, XA, "TCP/80", "allowed"),
    ]),
    ("null peers are any", np("x", {}, ingress=[{"from": None, "ports": None}]), [
        (E, XA, "UDP/53", "allowed"),
        (E, XA, "ICMP", "undetermined"),
    ]),
    ("policies are local", np("y", {}, **IN), [(YA, XA, "TCP/80", "allowed")]),
    ("pod selector alone is local", from_({"podSelector": {"matchLabels": {"app": "b"}}}), [
        (XB, XA, "TCP/80", "allowed"),
        (YB, XA, "TCP/80", "denied"),
    ]),
    ("an empty pod selector is every pod here", from_({"podSelector": {}}), [
        (XC, XA, "TCP/80", "allowed"),
        (YC, XA, "TCP/80", "denied"),
        (E, XA, "TCP/80", "denied"),
        (DEPLOY, XA, "TCP/80", "allowed"),
    ]),
    ("every namespace is not everybody", from_({"namespaceSelector": {}}), [
        (ZB, XA, "TCP/80", "allowed"),
        (XB, XA, "TCP/80", "allowed"),
        (E, XA, "TCP/80", "denied"),
    ]),
    ("both selectors in one item", from_({**BLUE, "podSelector": {"matchLabels": {"app": "a"}}}), [
        (YA, XA, "TCP/80", "allowed"),
        (YB, XA, "TCP/80", "denied"),
    ]),
    ("two items", from_(BLUE, {"podSelector": {"matchLabels": {"app": "b"}}}), [
        (YB, XA, "TCP/80", "allowed"),
        (XB, XA, "TCP/80", "allowed"),
        (ZA, XA, "TCP/80", "denied"),
    ]),
    ("name label", from_(
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "y"}}}
    ), [(YA, XA, "TCP/80", "allowed"), (ZA, XA, "TCP/80", "denied")]),
    ("not in matches a missing key", from_({"namespaceSelector": {"matchExpressions": [
        {"key": "team", "operator": "NotIn", "values": ["red"]}]}}), [
        (YA, XA, "TCP/80", "allowed"),
        (ZA, XA, "TCP/80", "allowed"),
        (XB, XA, "TCP/80", "denied"),
    ]),
    ("exists and does not exist", from_({"namespaceSelector": {"matchExpressions": [
        {"key": "team", "operator": "Exists"}, {"key": "env", "operator": "DoesNotExist"}]}}), [
        (YA, XA, "TCP/80", "allowed"),
        (ZA, XA, "TCP/80", "denied"),
        (XB, XA, "TCP/80", "denied"),
    ]),
    ("an empty port entry is all of TCP", on_a({}), [
        (YA, XA, "TCP/9999", "allowed"),
        (YA, XA, "UDP/53", "denied"),
        (YA, XA, "SCTP/9003", "denied"),
    ]),
    ("ranges are inclusive", on_a({"port": 8000, "endPort": 8100}), [
        (YA, XA, "TCP/7999", "denied"),
        (YA, XA, "TCP/8000", "allowed"),
        (YA, XA, "TCP/8100", "allowed"),
        (YA, XA, "TCP/8101", "denied"),
        (YA, XA, "UDP/8050", "denied"),
    ]),
    ("names are looked up", on_a({"port": "http"}, {"port": "dns", "protocol": "UDP"}), [
        (YA, XA, "TCP/80", "allowed"),
        (YA, XA, "TCP/53", "denied"),
        (YA, XA, "UDP/53", "allowed"),
    ]),
    ("a name of another protocol", on_a({"port": "http", "protocol": "UDP"}), [
        (YA, XA, "UDP/80", "denied"),
        (YA, XA, "TCP/80", "denied"),
    ]),
    ("a name given twice", np("x", {}, ingress=[{"ports": [{"port": "http"}]}]), [
        (YA, XC, "TCP/80", "allowed"),
        (YA, XC, "TCP/81", "allowed"),
        (YA, XA, "TCP/81", "denied"),
    ]),
    ("a name of an init container", on_a({"port": "init"}), [(YA, XA, "TCP/70", "denied")]),
    ("names resolve on pods only", np("x", {}, **OUT, egress=[{"ports": [{"port": "http"}]}]), [
        (XA, ZA, "TCP/80", "allowed"),
        (XA, E, "TCP/80", "denied"),
        (XA, pod("x", "h2"), "TCP/80", "denied"),
    ]),
    ("blocks match pods", to(block("10.2.2.2/32")), [
        (XA, YB, "TCP/80", "allowed"),
        (XA, YA, "TCP/80", "denied"),
        (XA, ("ip", "10.2.2.2"), "TCP/80", "allowed"),
    ]),
    ("holes", to(block("10.2.0.0/16", "10.2.2.2/32")), [
        (XA, YB, "TCP/80", "denied"),
        (XA, YA, "TCP/80", "allowed"),
        (XA, DEPLOY, "TCP/80", "denied"),
    ]),
    ("a hole is no deny", to(block("10.2.0.0/16", "10.2.2.2/32"), BLUE), [
        (XA, YB, "TCP/80", "allowed"),
    ]),
    ("families are apart", to(block("0.0.0.0/0")), [
        (XA, E, "TCP/80", "allowed"),
        (XA, E6, "TCP/80", "denied"),
        (XA, DEPLOY, "TCP/80", "allowed"),
    ]),
    ("an unknown address is outside the holes of a family", to(block("0.0.0.0/0", "10.0.0.0/8")), [
        (XA, E, "TCP/80", "allowed"),
        (XA, YA, "TCP/80", "denied"),
        (XA, DEPLOY, "TCP/80", "allowed"),
    ]),
    ("bits beyond the prefix are masked", to(block("10.2.2.9/24")), [
        (XA, YA, "TCP/80", "allowed"),
    ]),
    ("node addresses", from_(block("10.1.0.2/32")), [
        (("node", "n2"), XA, "TCP/80", "allowed"),
        (pod("x", "h2"), XA, "TCP/80", "allowed"),
        (("ip", "10.1.0.2"), XA, "TCP/80", "allowed"),
    ]),
    ("own node", np("x", {}, **BOTH), [
        (("node", "n1"), XA, "TCP/80", "allowed"),
        (("node", "n2"), XA, "TCP/80", "denied"),
        (XA, ("node", "n1"), "TCP/80", "denied"),
        (pod("x", "h1"), XA, "ICMP", "allowed"),
        (HOST_DEPLOY, XA, "TCP/80", "undetermined"),
        (("node", "n2"), DEPLOY, "TCP/80", "undetermined"),
        (XA, XA, "TCP/80", "allowed"),
        (XA, ("ip", "10.2.1.1"), "TCP/80", "allowed"),
    ]),
    ("host network pods are no subjects", np("x", {}, **IN), [
        (YA, pod("x", "h1"), "TCP/80", "allowed"),
    ]),
    ("nor do selectors see them", from_({"podSelector": {"matchLabels": {"app": "h"}}}), [
        (pod("x", "h2"), XA, "TCP/80", "denied"),
        (pod("x", "h1"), XA, "TCP/80", "allowed"),
    ]),
    ("a finished pod lends its address to nobody", from_(
        {"podSelector": {"matchLabels": {"app": "job"}}}
    ), [(YA, XA, "TCP/80", "denied"), (("ip", "10.2.2.1"), XA, "TCP/80", "denied")]),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "probes"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_statement(policy: Manifest, probes: list[tuple[End, End, str, str]]) -> None:
    oracle = world(policy)
    found = {}
    for src, dst, traffic, _ in probes:
        protocol, _, port = traffic.partition("/")
        family = 6 if E6 in (src, dst) else 4
        answer = oracle.verdict(src, dst, protocol, int(port) if port else None, family)
        found[src, dst, traffic] = answer
    assert found == {(src, dst, traffic): verdict for src, dst, traffic, verdict in probes}


def test_selectors_cover_both_families() -> None:
    oracle = world(from_({"podSelector": {"matchLabels": {"app": "b"}}}))
    assert [oracle.verdict(XB, XA, "TCP", 80, f) for f in (4, 6)] == ["allowed"] * 2


def test_blocks_are_per_family() -> None:
    oracle = world(from_(block("10.2.0.0/16")))
    assert [oracle.verdict(YA, XA, "TCP", 80, f) for f in (4, 6)] == ["allowed", "denied"]


def test_both_ends_must_agree() -> None:
    oracle = world(np("x", {}, **OUT, egress=[{}]), np("y", {}, **IN))
    assert oracle.verdict(XA, YA, "TCP", 80, 4) == "denied"
    assert oracle.verdict(XA, ZA, "TCP", 80, 4) == "allowed"


def test_policies_add_up_but_rules_do_not_mix() -> None:
    red = {"namespaceSelector": {"matchLabels": {"team": "red"}}}
    oracle = world(
        np("x", {}, ingress=[{"from": [BLUE], "ports": [{"port": 80}]}]),
        np("x", {}, ingress=[{"from": [red], "ports": [{"port": 8080}]}]),
    )
    answers = [oracle.verdict(src, XA, "TCP", port, 4) for src in (YA, XB) for port in (80, 8080)]
    assert answers == ["allowed", "denied", "denied", "allowed"]


def test_a_finished_pod_cannot_be_asked_about() -> None:
    with pytest.raises(ValueError, match="ran to its end"):
        world().verdict(pod("x", "j"), XA, "TCP", 80, 4)


def test_an_end_without_the_family_cannot_be_asked_about() -> None:
    with pytest.raises(ValueError, match="no IPv6 address"):
        world().verdict(E, XA, "TCP", 80, 6)
