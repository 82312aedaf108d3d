"""What a cell is, by state, evidence and intention; requests, sources and strangers."""

from dataclasses import replace
from pathlib import Path

import pytest

import cloison
from cloison.algebra import AddressSet, TrafficSet
from cloison.analyses.reconcile.kinds import Evidence, Kind, State, kind_of
from cloison.analyses.reconcile.marks import Status
from cloison.analyses.reconcile.reconciled import Reconciled
from cloison.analyses.reconcile.seen import Became, Loss, Seen, SeenEnd
from cloison.analyses.reconcile.sources import Sort
from cloison.analyses.reconcile.surplus import Surplus
from cloison.app.contract import agreed
from cloison.app.reconcile import put
from cloison.report.about import PLAIN
from cloison.report.text.reconciled import head

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: a}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: a}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: c
          image: i
          ports: [{containerPort: 80, name: web}, {containerPort: 81, name: health}]
          readinessProbe: {httpGet: {port: health}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: a}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: a}
spec:
  type: LoadBalancer
  externalTrafficPolicy: POLICY
  selector: {app: api}
  ports: [{port: 443, targetPort: web}]
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: a}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
    - fromEntities: [world]
      toPorts: [{ports: [{port: "80", protocol: TCP}]}]
    - fromEndpoints: [{matchLabels: {app: web}}]
      toPorts:
        - ports: [{port: "80", protocol: TCP}]
          rules: {http: [{method: GET, path: "/v1/.*"}]}
"""
CONTRACT = """
apiVersion: cloison.dev/v1alpha1
kind: Contract
metadata: {name: c}
spec:
  dependencies:
"""
DOOR = "    - {name: door, from: 0.0.0.0/0, to: a/api, ports: [web], owner: o, reason: r}\n"
READ = "    - {name: read, from: a/web, to: a/api, ports: [80], http: {method: GET, path: /v1/x}}\n"
WRITE = (
    "    - {name: write, from: a/web, to: a/api, ports: [80], http: {method: POST, path: /v1/x}}\n"
)
ANY = "    - {name: any, from: a/web, to: a/api, ports: [80]}\n"
OUT = SeenEnd("world", ip="198.51.100.7")
NODE = SeenEnd("host", ip="192.0.2.1")
API, WEB = SeenEnd("pod", "a", "api", "Deployment"), SeenEnd("pod", "a", "web", "Deployment")


def edge(source: SeenEnd, port: int, became: Became = "allowed", count: int = 3) -> Seen:
    return Seen(source, API, "TCP", port, became, count, 1, 2, ("x",))


def cube(
    entries: str,
    *seen: Seen,
    policy: str = "Local",
    world: str = WORLD,
    lost: tuple[Loss, ...] = (),
) -> Reconciled:
    texts = {"world.yaml": world.replace("POLICY", policy), "contract.yaml": CONTRACT + entries}
    session = cloison.load_texts(texts, runtime=True, profile="cilium@1.19")
    return put(session, agreed(session), seen, Path("s"), (None, None), lost)


def kinds(found: Reconciled) -> dict[tuple[str, str], str]:
    return {(c.names[0], str(c.traffic)): str(c.kind) for c in found.cube.cells}


def status(found: Reconciled, sort: Sort) -> Status:
    (mark,) = [each for each in found.marks if each.assumed.sort is sort]
    return mark.status


@pytest.mark.parametrize(
    ("entries", "kind"),
    [(READ, "unused"), (WRITE, "broken"), (READ + WRITE, "broken"), (ANY, "unused")],
)
def test_a_request_that_is_meant_is_what_counts(entries: str, kind: str) -> None:
    found = cube(entries, edge(OUT, 80))
    assert kinds(found)["a/web", "TCP/80"] == kind


def test_requests_may_have_been_denied_for_what_they_asked() -> None:
    denied = edge(WEB, 80, "denied")
    assert kinds(cube(READ, denied))["a/web", "TCP/80"] == "undetermined"
    assert kinds(cube(DOOR, denied))["a/web", "TCP/80"] == "attempted"
    (cell,) = [c for c in cube(ANY).cube.cells if c.source.name == "web"]
    assert cell.conditional


def test_probes_are_nobodys_entry_and_healthy() -> None:
    found = cube(DOOR, edge(NODE, 81), edge(OUT, 80))
    assert kinds(found) == {("0.0.0.0/0", "TCP/80"): "healthy", ("a node", "TCP/81"): "healthy"}
    assert status(found, Sort.PROBE) is Status.CONFIRMED
    assert status(cube(DOOR), Sort.PROBE) is Status.UNSEEN
    assert status(cube(DOOR, edge(OUT, 81)), Sort.PROBE) is Status.REFUTED
    assert status(cube(DOOR, edge(WEB, 81)), Sort.PROBE) is Status.UNSEEN


@pytest.mark.parametrize(
    ("policy", "seen", "wanted"),
    [
        ("Local", OUT, Status.CONFIRMED),
        ("Local", NODE, Status.REFUTED),
        ("Local", WEB, Status.UNSEEN),
        ("Cluster", NODE, Status.CONFIRMED),
        ("Cluster", OUT, Status.REFUTED),
    ],
)
def test_what_load_balancers_show_is_held_against_flows(
    policy: str, seen: SeenEnd, wanted: Status
) -> None:
    found = cube(DOOR, edge(seen, 80), policy=policy)
    assert status(found, Sort.BALANCER) is wanted


def test_what_nodes_lead_in_is_what_is_meant_from_outside() -> None:
    found = kinds(cube(DOOR, edge(NODE, 80), policy="Cluster"))
    world = ("0.0.0.0/0", "TCP/80")
    assert found == {("a node", "TCP/80"): "broken", world: "healthy"}, "Cilium's world is no node"
    found = kinds(cube(DOOR, edge(OUT, 80), policy="Cluster"))
    assert found[world] == "healthy"


@pytest.mark.parametrize("seen", [OUT, NODE])
def test_an_entry_that_nodes_or_clients_were_seen_for_is_used(seen: SeenEnd) -> None:
    open_ = WORLD.partition("---\napiVersion: cilium.io/v2")[0]
    found = cube(DOOR, edge(seen, 80), policy="Cluster", world=open_)
    both = {("a node", "TCP/80"): "healthy", ("0.0.0.0/0", "TCP/80"): "healthy"}
    assert both.items() <= kinds(found).items()
    never = cube(DOOR, edge(seen, 81), policy="Cluster", world=open_)
    assert {kinds(never)[end] for end in both} == {"unused"}
    held = AddressSet.block("0.0.0.0/0")
    for each in (found, never):
        assert not [
            line
            for line in each.excess
            if line.traffic & TrafficSet.ports("TCP", 80)
            and "api" in {end.name for end in line.destinations}
            and any(end.addresses is not None and end.addresses & held for end in line.sources)
        ], "what is meant is no excess"


LOST = Loss(5000, "ring buffer", "n1", 1, 1, 2)


def test_where_flows_were_lost_nothing_is_unused_and_no_excess_is_known_to_be() -> None:
    edges = (edge(WEB, 80), edge(OUT, 81))
    whole, lossy = cube(DOOR, *edges), cube(DOOR, *edges, lost=(LOST,))
    door = ("0.0.0.0/0", "TCP/80")
    assert (kinds(whole)[door], kinds(lossy)[door]) == ("unused", "unobserved")
    assert lossy.lost == (LOST,)
    assert all(line.unobserved for line in lossy.excess)
    said = " ".join(head(lossy, PLAIN))
    assert "5,000 lost by sources (ring buffer)" in said


def test_whether_excess_is_used_is_known_of_what_a_source_covers() -> None:
    open_ = WORLD.partition("---\napiVersion: cilium.io/v2")[0]
    found = cube(READ, edge(OUT, 80), world=open_)
    told = {
        (source.name, destination.name): not line.unobserved
        for line in found.excess
        for source in line.sources
        for destination in line.destinations
    }
    assert told["web", "api"], "flows tell of a/api"
    assert not told["web", ""], "and not of a/web"
    doubtful = cube(READ, edge(OUT, 80), replace(edge(WEB, 9), ambiguous=3), world=open_)
    line = next(each for each in doubtful.excess if "web" in {e.name for e in each.sources})
    assert line.unobserved
    nothing = cube(READ, world=open_)
    assert all(line.unobserved for line in nothing.excess)
    assert not any(map(nothing.cube.covered, nothing.cube.cells))


def test_an_address_that_flows_show_is_that_of_its_name() -> None:
    named = SeenEnd("world", ip="203.0.113.5", name="api.example.com")
    entry = "    - {name: named, from: a/web, to: 'dns:api.example.com', ports: [443]}\n"
    block = BLOCK.replace("BLOCK", "203.0.113.0/24")
    found = cube(entry, replace(edge(WEB, 443), destination=named), world=WORLD + block)
    (cell,) = found.cube.cells
    assert (cell.kind, str(cell.destination)) == ("healthy", "203.0.113.5")
    assert found.learned == ("api.example.com",)
    held = AddressSet.address("203.0.113.5")
    outside = [e for line in found.excess if _from_web(line) for e in line.destinations]
    assert outside
    assert not any(e.addresses is not None and e.addresses & held for e in outside)


@pytest.mark.parametrize("name", ["<b>.example.com", "api.a.svc.cluster.local"])
def test_a_name_hides_no_address(name: str) -> None:
    named = SeenEnd("world", ip="203.0.113.200", name=name)
    found = cube(ANY, replace(edge(WEB, 443), destination=named))
    told = {(c.names[1], str(c.traffic)): str(c.kind) for c in found.cube.cells}
    assert told["203.0.113.200", "TCP/443"] == "undocumented"
    assert not found.cube.unplaced


def _from_web(line: Surplus) -> bool:
    web = "web" in {end.name for end in line.sources}
    return web and bool(line.traffic & TrafficSet.ports("TCP", 443))


BLOCK = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: a}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: BLOCK}}]}]
"""


def test_what_is_doubtful_is_evidence_for_nothing() -> None:
    doubtful = replace(edge(WEB, 80), ambiguous=3)
    found = cube(ANY, doubtful, edge(OUT, 80))
    assert kinds(found)["a/web", "TCP/80"] == "unobserved"
    assert [each.why for each in found.cube.unplaced] == [
        "several held one of the addresses at that time"
    ]
    partly = cube(ANY, replace(edge(WEB, 80, count=5), ambiguous=2))
    (cell,) = [c for c in partly.cube.cells if c.source.name == "web"]
    assert (cell.evidence.allowed, cell.evidence.ambiguous) == (3, 2)


def test_strangers_are_told_and_never_taken_for_somebody() -> None:
    other = SeenEnd("pod", "b", "api", "Deployment")
    found = cube(ANY, replace(edge(WEB, 80), source=other), edge(SeenEnd("unknown"), 80))
    assert [each.why for each in found.cube.unplaced] == [
        "b/api: no workload of the input is called so",
        "unknown: no record says who it is",
    ]
    assert {str(cell.kind) for cell in found.cube.cells} == {"unobserved"}


def test_an_entry_that_means_nothing_is_told() -> None:
    found = cube("    - {name: d, from: a/web, to: a/api, ports: [nothing]}\n" + ANY)
    assert [(e.entry.name, e.message) for e in found.cube.unmet] == [
        ("d", "a/api has no port that is called 'nothing'")
    ]


def test_the_api_server_and_names_are_ends_outside() -> None:
    server = SeenEnd("apiserver", ip="192.0.2.1")
    named = SeenEnd("world", ip="203.0.113.5", name="api.example.com")
    entries = (
        "    - {name: server, from: a/web, to: 192.0.2.0/28, ports: [6443]}\n"
        "    - {name: named, from: a/web, to: 'dns:api.example.com', ports: [443]}\n"
    )
    rows = [
        replace(edge(WEB, 6443), destination=server),
        replace(edge(WEB, 443), destination=named),
        replace(edge(WEB, 0), destination=server, protocol="ICMP", port=None, icmp_type=8),
    ]
    found = cube(entries, *rows)
    told = {(c.names[1], str(c.traffic)): str(c.kind) for c in found.cube.cells}
    assert told == {
        ("192.0.2.0/28", "TCP/6443"): "healthy",
        ("dns:api.example.com", "TCP/443"): "healthy",
        ("192.0.2.1", "ICMP/type 8"): "undocumented",
    }


@pytest.mark.parametrize(
    ("state", "evidence", "intended", "kind"),
    [
        (State.NO, Evidence(audited=1), False, Kind.ATTEMPTED),
        (State.NO, Evidence(audited=1), True, Kind.BROKEN),
        (State.YES, Evidence(audited=1), True, Kind.HEALTHY),
        (State.PARTLY, Evidence(allowed=1), True, Kind.BROKEN),
        (State.PARTLY, Evidence(denied=1), False, Kind.ATTEMPTED),
        (State.NO, Evidence(allowed=2, denied=1, closed=True), True, Kind.BROKEN),
        (State.NO, Evidence(allowed=2, denied=1), True, Kind.CONTRADICTED),
        (State.YES, Evidence(allowed=2, denied=1, closed=True), True, Kind.CONTRADICTED),
        (State.UNCLEAR, Evidence(allowed=1), True, Kind.UNDETERMINED),
    ],
)
def test_the_table(state: State, evidence: Evidence, kind: Kind, *, intended: bool) -> None:
    assert kind_of(state, evidence, intended=intended) is kind


def test_pods_of_one_workload_may_have_excess_among_themselves() -> None:
    open_ = WORLD.partition("---\napiVersion: cilium.io/v2")[0]
    own = [line for line in cube(READ, world=open_).excess if line.itself]
    assert [sorted(end.name for end in line.sources) for line in own] == [["api", "web"]]
    (line,) = own
    assert line.asked.words == ("a/api", "a/api:80/TCP")
    assert [by.text for by in line.asked.deciders] == ["default", "default"]
    itself = "    - {name: peers, from: a/api, to: a/api, ports: [80, 81]}\n"
    left = {
        end.name: line.traffic
        for line in cube(itself, world=open_).excess
        if line.itself
        for end in line.sources
    }
    ports = TrafficSet.ports("TCP", 80, 81)
    assert not left["api"] & ports
    assert ports <= left["web"]


def test_what_is_at_a_known_node_only_is_no_excess_with_outside() -> None:
    open_ = WORLD.partition("---\napiVersion: cilium.io/v2")[0]
    node = """---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
"""
    world = "    - {name: out, from: a/web, to: zone:world}\n"
    found = cube(world, world=open_ + node)
    held = AddressSet.address("192.0.2.1")
    outside = [e.addresses for line in found.excess if _from_web(line) for e in line.destinations]
    assert not [each for each in outside if each is not None and each <= held]
