"""What a cell is, by state, evidence and intention; requests, sources and strangers."""

from dataclasses import replace
from pathlib import Path

import pytest

import cloison
from cloison.analyses.reconcile.kinds import Evidence, Kind, State, kind_of
from cloison.analyses.reconcile.marks import Status
from cloison.analyses.reconcile.reconciled import Reconciled
from cloison.analyses.reconcile.seen import Became, Seen, SeenEnd
from cloison.analyses.reconcile.sources import Sort
from cloison.app.contract import agreed
from cloison.app.reconcile import put

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


def cube(entries: str, *seen: Seen, policy: str = "Local") -> Reconciled:
    texts = {"world.yaml": WORLD.replace("POLICY", policy), "contract.yaml": CONTRACT + entries}
    session = cloison.load_texts(texts, runtime=True, profile="cilium@1.19")
    return put(session, agreed(session), seen, Path("s"), (None, None))


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
    assert found == {("a node", "TCP/80"): "broken"}, "Cilium's world is no node"
    found = kinds(cube(DOOR, edge(OUT, 80), policy="Cluster"))
    assert found["0.0.0.0/0", "TCP/80"] == "healthy"


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
