"""A world as a lab builds it, and the plan to build it by."""

import pytest

from cloison.algebra import AddressSet, address_text, parse_address
from cloison.app import Session, load_texts
from cloison.probe.lab.plan import Listen, Plan, Station
from cloison.probe.lab.realise import NAME_SERVER, NODE, Realised, realise

NODES = """
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {zone: a}}
spec: {podCIDRs: [10.1.0.0/24, "fd00:1::/64"]}
status: {addresses: [{type: InternalIP, address: 192.168.7.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
---
"""


def deployment(name: str, more: str = "", namespace: str = "web") -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      {more}
      containers:
        - name: main
          ports:
            - {{name: http, containerPort: 8080}}
            - {{name: dns, containerPort: 5353, protocol: UDP}}
---
"""


def pod(name: str, status: str, labels: str = "{app: live}", spec: str = "") -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: web
  labels: {labels}
  ownerReferences:
    - {{apiVersion: apps/v1, kind: ReplicaSet, name: live, controller: true, uid: x}}
spec: {{containers: [{{name: main}}], {spec}}}
status: {status}
---
"""


def service(name: str, spec: str, namespace: str = "web") -> str:
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
---
"""


def policy(block: str) -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: web}}
spec:
  podSelector: {{}}
  policyTypes: [Egress]
  egress: [{{to: [{{ipBlock: {block}}}]}}]
---
"""


def session(*texts: str, **said: object) -> Session:
    return load_texts({"world.yaml": "".join(texts)}, **said)


def made(*texts: str, **said: object) -> Realised:
    return realise(session(*texts, **said).engine)


def station(plan: Plan, name: str) -> Station:
    return next(each for each in (*plan.pods, *plan.nodes) if each.name == name)


def test_a_workload_without_pods_gets_one_with_both_families_and_a_node() -> None:
    found = made(deployment("portal"))
    (built,) = found.plan.pods
    assert (built.name, built.workload, built.node) == ("web/portal", "web/portal", NODE)
    assert [":" in address for address in built.addresses] == [False, True]
    assert built.listens == (Listen("TCP", 8080, "http"), Listen("UDP", 5353, "dns"))
    (endpoint,) = (e for w in found.world.workloads.values() for e in w.endpoints)
    assert tuple(map(address_text, endpoint.addresses)) == built.addresses
    assert endpoint.shape.node == NODE
    assert endpoint.pod == "portal", "it is one pod now, not any number of them"


def test_a_world_without_nodes_gets_one() -> None:
    found = made(deployment("portal"))
    assert [node.name for node in found.plan.nodes] == [f"node:{NODE}"]
    assert list(found.world.nodes) == [NODE]
    assert found.world.nodes[NODE].addresses


def test_nodes_keep_what_they_have_and_get_what_they_lack() -> None:
    found = made(NODES, deployment("a"), deployment("b"))
    n1, n2 = (station(found.plan, f"node:{name}") for name in ("n1", "n2"))
    assert n1.addresses == ("192.168.7.1",)
    assert len(n2.addresses) == 2
    assert {pod.node for pod in found.plan.pods} == {"n1", "n2"}, "each node gets its share"


def test_a_pod_gets_an_address_of_its_nodes_block() -> None:
    found = made(NODES, deployment("a", "nodeName: n1"))
    inside = AddressSet.block("10.1.0.0/24") | AddressSet.block("fd00:1::/64")
    assert all(AddressSet.address(a) <= inside for a in found.plan.pods[0].addresses)


def test_a_pod_cidr_that_is_given_is_used_and_of_its_families_only() -> None:
    found = made(deployment("a"), pod_cidrs=("10.9.0.0/30",))
    assert found.plan.pods[0].addresses == ("10.9.0.1",)


def test_when_a_pod_cidr_is_full_others_follow() -> None:
    names = [f"w{n}" for n in range(6)]
    found = made(*map(deployment, names), pod_cidrs=("10.9.0.0/30",))
    addresses = [a for pod in found.plan.pods for a in pod.addresses]
    assert len(set(addresses)) == len(names)
    assert sum(AddressSet.address(a) <= AddressSet.block("10.9.0.0/30") for a in addresses) == 3


@pytest.mark.parametrize(
    ("block", "first"),
    [
        ("{cidr: 10.244.0.0/16}", "10.42.0.1"),
        ("{cidr: 0.0.0.0/0}", "10.244.0.1"),
        # Everything but the networks of the inside: that is where pods are.
        ("{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}", "10.244.0.1"),
        ("{cidr: 0.0.0.0/0, except: [172.16.0.0/12]}", "172.30.0.1"),
    ],
)
def test_new_addresses_stay_out_of_what_policies_say(block: str, first: str) -> None:
    assert made(deployment("a"), policy(block)).plan.pods[0].addresses[0] == first


def test_new_addresses_are_nobodys() -> None:
    status = "{phase: Running, podIPs: [{ip: 10.244.0.1}]}"
    found = made(pod("live-1", status), deployment("a"), deployment("b"))
    addresses = [a for each in found.plan.pods for a in each.addresses]
    assert len(set(addresses)) == len(addresses)
    assert station(found.plan, "web/a").addresses[0] == "10.244.0.2", "beside their like"


def test_live_pods_keep_what_they_have_and_are_built_once_for_each_kind() -> None:
    status = "{{phase: Running, podIPs: [{{ip: 10.1.2.{}}}]}}"
    found = made(
        NODES,
        *(pod(f"live-{n}", status.format(n), spec="nodeName: n2") for n in (1, 2, 3)),
        pod("live-4", status.format(4), "{app: live, canary: 'yes'}", "nodeName: n1"),
        policy("{cidr: 10.0.0.0/8}").replace(
            "podSelector: {}", "podSelector: {matchLabels: {canary: 'yes'}}"
        ),
    )
    assert [(p.name, p.node, p.addresses, p.workload) for p in found.plan.pods] == [
        ("web/live-1", "n2", ("10.1.2.1",), "web/live"),
        ("web/live-4", "n1", ("10.1.2.4",), "web/live"),
    ]
    assert found.left_out == 2
    (workload,) = found.world.workloads.values()
    assert [e.pod for e in workload.endpoints] == ["live-1", "live-4"]


def test_pods_that_wait_or_have_ended_are_not_built() -> None:
    found = made(
        pod("live-1", "{phase: Pending}"),
        pod("live-2", "{phase: Succeeded, podIPs: [{ip: 10.1.2.2}]}"),
    )
    assert found.plan.pods == ()
    assert all(not w.endpoints for w in found.world.workloads.values())


def test_of_two_pods_with_one_address_one_is_built() -> None:
    status = "{phase: Running, podIPs: [{ip: 10.1.2.1}]}"
    other = pod("other", status).replace("name: live", "name: other")
    assert len(made(pod("live-1", status), other).plan.pods) == 1


def test_what_is_on_its_nodes_network_lives_in_the_node() -> None:
    found = made(NODES, deployment("agent", "hostNetwork: true\n      nodeName: n1"))
    assert found.plan.pods == ()
    assert Listen("TCP", 8080, "http") in station(found.plan, "node:n1").listens
    (endpoint,) = (e for w in found.world.workloads.values() for e in w.endpoints)
    assert endpoint.addresses == found.world.nodes["n1"].addresses


def test_two_workloads_of_one_name_are_two_stations() -> None:
    other = deployment("a").replace("kind: Deployment", "kind: StatefulSet")
    names = [each.name for each in made(deployment("a"), other).plan.pods]
    assert names == ["web/a", "web/StatefulSet/a"]


def test_the_same_input_gives_the_same_plan_whatever_the_order() -> None:
    texts = [NODES, deployment("a"), deployment("b"), service("s", "{ports: [{port: 80}]}")]
    assert made(*texts).plan == made(*reversed(texts)).plan


def test_what_has_a_name_in_a_lab_that_runs_gets_its_addresses_again() -> None:
    first = made(deployment("b"), service("s", "{selector: {app: b}, ports: [{port: 80}]}"))
    grown = session(
        deployment("a"),
        deployment("b"),
        service("r", "{selector: {app: a}, ports: [{port: 80}]}"),
        service("s", "{selector: {app: b}, ports: [{port: 80}]}"),
        policy("{cidr: 10.244.0.0/16}"),
    )
    again = realise(grown.engine, like=first.plan)
    assert station(again.plan, "web/b") == station(first.plan, "web/b")
    services = {each.name: each for each in again.plan.services}
    assert services["web/s"] == first.plan.services[0]
    assert len({a for each in again.plan.services for a in each.addresses}) == 6


# ------------------------------------------------------------------ Services and names


def backends(plan: Plan, name: str) -> list[tuple[int, list[tuple[str, int]]]]:
    found = next(each for each in plan.services if each.name == name)
    return [(p.port, [b for b in p.backends if ":" not in b[0]]) for p in found.ports]


def test_a_service_leads_to_the_pods_it_selects_by_number_and_by_name() -> None:
    found = made(
        deployment("a"),
        deployment("b"),
        service(
            "s",
            "{selector: {app: a}, ports: [{name: one, port: 80, targetPort: http}, "
            "{name: two, port: 81, targetPort: 9000}, {name: three, port: 82, targetPort: none}]}",
        ),
    )
    four = station(found.plan, "web/a").addresses[0]
    assert backends(found.plan, "web/s") == [(80, [(four, 8080)]), (81, [(four, 9000)]), (82, [])]
    assert Listen("TCP", 9000) in station(found.plan, "web/a").listens, "somebody must be there"


def test_a_service_without_a_selector_leads_where_its_slices_say() -> None:
    slices = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s-1, namespace: web, labels: {kubernetes.io/service-name: s}}
addressType: IPv4
ports: [{name: one, port: 5432}]
endpoints:
  - {addresses: [203.0.113.5]}
  - {addresses: [203.0.113.6], conditions: {ready: false}}
---
"""
    found = made(slices, service("s", "{ports: [{name: one, port: 80}, {name: two, port: 81}]}"))
    assert backends(found.plan, "web/s") == [(80, [("203.0.113.5", 5432)]), (81, [])]


def test_services_keep_their_addresses_and_get_what_they_lack() -> None:
    found = made(
        service("kept", "{clusterIPs: [10.96.0.77], ports: [{port: 80}]}"),
        service("new", "{ports: [{port: 80}]}"),
        service("none", "{clusterIP: None, ports: [{port: 80}]}"),
        service("alias", "{type: ExternalName, externalName: example.org}"),
    )
    addresses = {each.name: each.addresses for each in found.plan.services}
    assert addresses["web/kept"] == ("10.96.0.77",)
    assert len(addresses["web/new"]) == 2
    assert set(addresses) == {"web/kept", "web/new", "default/kubernetes"}
    assert found.world.services["web", "new"].cluster_ips == addresses["web/new"]


def test_names() -> None:
    found = made(
        deployment("a").replace("kind: Deployment", "kind: StatefulSet"),
        service("s", "{selector: {app: a}, ports: [{port: 80}]}"),
        service("h", "{clusterIP: None, selector: {app: a}, ports: [{port: 80}]}"),
        service("alias", "{type: ExternalName, externalName: API.example.org.}"),
        service("chain", "{type: ExternalName, externalName: s.web.svc.cluster.local}"),
        names={
            "api.example.org": ("203.0.113.9", "2001:db8::9"),
            "net.example.org": ("198.51.100.0/24",),
        },
    )
    names, plan = found.plan.names, found.plan
    own = station(plan, "web/a").addresses
    assert names["h.web.svc.cluster.local"] == own
    assert names["a-0.h.web.svc.cluster.local"] == own
    assert names["s.web.svc.cluster.local"] == plan.services[0].addresses
    assert names["chain.web.svc.cluster.local"] == plan.services[0].addresses
    assert names["api.example.org"] == ("203.0.113.9", "2001:db8::9")
    assert names["alias.web.svc.cluster.local"] == names["api.example.org"]
    assert names["net.example.org"] == ("198.51.100.0",)
    assert len(names["kubernetes.default.svc.cluster.local"]) == 2
    assert set(names["api.example.org"]) <= set(plan.outside), "somebody must be there"


def test_the_cluster_s_own_dns_answers_where_there_is_one() -> None:
    found = made(
        deployment("coredns", namespace="kube-system"),
        service(
            "kube-dns",
            "{clusterIP: 10.96.0.10, selector: {app: coredns}, "
            "ports: [{name: dns, port: 53, protocol: UDP, targetPort: dns}]}",
            "kube-system",
        ),
    )
    assert found.plan.dns == ("10.96.0.10",)
    assert found.plan.answering == (("kube-system/coredns", 5353),)


def test_else_somebody_outside_answers() -> None:
    found = made(deployment("a"))
    assert found.plan.dns == NAME_SERVER
    assert found.plan.answering == (("outside", 53),)
    assert set(NAME_SERVER) <= set(found.plan.outside)


def test_external_hosts_are_those_that_are_asked_for_and_nobody_of_the_inside() -> None:
    engine = session(deployment("a")).engine
    own = realise(engine).plan.nodes[0].addresses[0]
    found = realise(engine, ["203.0.113.1", "203.0.113.1", "192.0.2.9", own])
    assert found.plan.outside[:2] == ("203.0.113.1", "192.0.2.9")
    taken = {parse_address(a) for each in found.plan.nodes for a in each.addresses}
    assert not taken & set(map(parse_address, found.plan.outside))


def test_ranges_are_a_preference_and_what_is_free_decides() -> None:
    many = [deployment(f"w{n}") for n in range(3)]
    assert len(made(*many, service_cidrs=("0.0.0.0/0",)).plan.pods) == 3
