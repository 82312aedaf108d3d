"""Services followed to whoever gets the packet: every kind, and what makes nothing arrive."""

from collections.abc import Iterable

import pytest

from cloison.analyses.ask import ask
from cloison.analyses.ends import ServiceEnd
from cloison.analyses.services import Followed, Part, lead
from cloison.app import Session, load_texts
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: a, labels: {app: client}}
spec: {nodeName: n1, containers: [{name: c, image: c}]}
status: {phase: Running, podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: a, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: c, ports: [{name: http, containerPort: 8080}]}]}
status: {phase: Running, podIP: 10.0.0.2, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, namespace: a, labels: {app: web}}
spec: {nodeName: n2, containers: [{name: c, image: c, ports: [{name: http, containerPort: 9090}]}]}
status: {phase: Running, podIP: 10.0.0.3, conditions: [{type: Ready, status: "True"}]}
---
"""


def service(spec: str, more: str = "") -> str:
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: a}}
spec: {{{spec}}}
{more}
"""


def read(*texts: str) -> Session:
    return load_texts({"a.yaml": "---\n".join(texts)})


def parts(session: Session, port: str | None, source: str = "a/client") -> tuple[Part, ...]:
    asked = session.question(source, "svc:a/web", port=port)
    end = asked.destination
    assert isinstance(end, ServiceEnd)
    return lead(session.engine, asked.source, end, asked.traffic)


def arriving(found: Iterable[Part]) -> list[str]:
    """Return where each part arrives, or why it does not."""
    told = []
    for part in found:
        if part.stop is not None:
            told.append(f"! {part.stop.reason}")
        told += [_shown(each) for each in part.followed]
    return sorted(told)


def _shown(each: Followed) -> str:
    return f"{each.destination.text} {each.traffic.text}"


WEB = "selector: {app: web}, "


@pytest.mark.parametrize(
    ("spec", "port", "expected"),
    [
        # A number leads to the same number on every pod, declared or not.
        ("ports: [{port: 80, targetPort: 7000}]", "80", ["a/one TCP/7000", "a/two TCP/7000"]),
        ("ports: [{port: 80}]", "80", ["a/one TCP/80", "a/two TCP/80"]),
        # A name leads to what each pod gives it.
        ("ports: [{port: 80, targetPort: http}]", "80", ["a/one TCP/8080", "a/two TCP/9090"]),
        ("ports: [{port: 80, targetPort: other}]", "80", ["! NoSuchTargetPort"]),
        # It is of the same protocol, too.
        ("ports: [{port: 80, protocol: UDP, targetPort: http}]", "80/UDP", ["! NoSuchTargetPort"]),
        ("ports: [{port: 80}]", "81", ["! NoSuchPort"]),
        ("ports: [{port: 80, name: main}]", "main", ["a/one TCP/80", "a/two TCP/80"]),
        ("ports: [{port: 80, name: main}]", "rest", ["! NoSuchPort"]),
        # A headless name leads to the pods, and the client's port is theirs.
        (
            "clusterIP: None, ports: [{port: 80, targetPort: 7000}]",
            "5",
            ["a/one TCP/5", "a/two TCP/5"],
        ),
        (
            "clusterIP: None, ports: [{port: 80, name: x, targetPort: http}]",
            "x",
            ["a/one TCP/8080", "a/two TCP/9090"],
        ),
        ("clusterIP: None", "80", ["a/one TCP/80", "a/two TCP/80"]),
    ],
)
def test_ports(spec: str, port: str, expected: list[str]) -> None:
    assert arriving(parts(read(PODS, service(WEB + spec)), port)) == expected


def test_a_port_of_several_may_lead_nowhere() -> None:
    spec = "ports: [{port: 80, name: a, targetPort: 7000}, {port: 81, name: b, targetPort: none}]"
    session = read(PODS, service(WEB + spec))
    assert arriving(parts(session, None)) == [
        "! NoSuchTargetPort",
        "a/one TCP/7000",
        "a/two TCP/7000",
    ]
    answer = session.why("a/client", "svc:a/web")
    assert answer.verdict is Verdict.MIXED
    assert [way.verdict for way in answer.ways] == [Verdict.ALLOWED, Verdict.DENIED]


def test_a_pod_without_the_name_is_no_endpoint_and_that_is_said() -> None:
    canary = PODS.replace("name: http, containerPort: 9090", "name: web, containerPort: 9090")
    session = read(canary, service(WEB + "ports: [{port: 80, targetPort: http}]"))
    found = parts(session, "80")
    assert arriving(found) == ["a/one TCP/8080"]
    notes = [note for part in found for each in part.followed for note in each.notes]
    assert "pod a/two declares no TCP port named 'http', so it is no endpoint of port 80" in notes


SIDECAR = """
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: a, labels: {app: web}}
spec:
  containers: [{name: c, image: c, ports: [{name: late, containerPort: 1}]}]
  initContainers:
  - {name: i, image: i, ports: [{name: http, containerPort: 2}]}
  - {name: s, image: s, restartPolicy: Always, ports: [{name: http, containerPort: 3}, {name: late,
     containerPort: 4}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: a}
spec: {containers: [{name: c, image: c}]}
---
"""


@pytest.mark.parametrize(("name", "number"), [("http", 3), ("late", 1)])
def test_sidecars_count_after_the_others_and_init_containers_do_not(name: str, number: int) -> None:
    session = read(SIDECAR, service(f"{WEB}ports: [{{port: 80, targetPort: {name}}}]"))
    assert arriving(parts(session, "80")) == [f"a/one TCP/{number}"]


NOT_READY = PODS.replace('status: "True"', 'status: "False"', 1)
ENDING = PODS.replace(
    "{name: one, namespace: a,",
    "{name: one, namespace: a, deletionTimestamp: '2026-01-01T00:00:00Z',",
)
BOTH_ENDING = ENDING.replace(
    "{name: two, namespace: a,",
    "{name: two, namespace: a, deletionTimestamp: '2026-01-01T00:00:00Z',",
)
NONE_READY = NOT_READY.replace('status: "True"', 'status: "False"')


@pytest.mark.parametrize(
    ("pods", "spec", "expected"),
    [
        (NOT_READY, "", ["a/two TCP/80"]),
        (NOT_READY, "publishNotReadyAddresses: true, ", ["a/one TCP/80", "a/two TCP/80"]),
        (NONE_READY, "", ["! NoReadyEndpoints"]),
        (ENDING, "", ["a/two TCP/80"]),
        (BOTH_ENDING, "", ["a/one TCP/80", "a/two TCP/80"]),
        (PODS.replace("app: web", "app: other"), "", ["! NoEndpoints"]),
        (PODS.replace("app: web", "app: other"), "clusterIP: None, ", ["! NoEndpoints"]),
    ],
)
def test_who_is_an_endpoint(pods: str, spec: str, expected: list[str]) -> None:
    session = read(pods, service(f"{WEB}{spec}ports: [{{port: 80}}]"))
    assert arriving(parts(session, "80")) == expected


def test_local_traffic_stays_on_its_node() -> None:
    spec = f"{WEB}internalTrafficPolicy: Local, ports: [{{port: 80}}]"
    assert arriving(parts(read(PODS, service(spec)), "80")) == ["a/one TCP/80"]
    away = PODS.replace("nodeName: n1", "nodeName: n3", 1)
    session = read(away, service(spec))
    assert arriving(parts(session, "80")) == ["! NoLocalEndpoint"]
    with pytest.raises(QuestionError, match="node n3 has no pod"):
        ask(session.engine, session.question("a/client", "svc:a/web", port=80))


REPLICAS = (
    PODS
    + """
apiVersion: v1
kind: Pod
metadata: {name: far, namespace: a, labels: {app: client}}
spec: {nodeName: n3, containers: [{name: c, image: c}]}
status: {phase: Running, podIP: 10.0.0.9}
---
"""
)


def owned(text: str) -> str:
    """Return pods called client and far as those of one ReplicaSet."""
    ref = "ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: rs, controller: true}]"
    for name in ("client", "far"):
        text = text.replace(f"{{name: {name}, ", f"{{name: {name}, {ref}, ")
    return text


def test_what_stays_on_its_node_is_told_node_by_node() -> None:
    spec = f"{WEB}internalTrafficPolicy: Local, ports: [{{port: 80}}]"
    session = read(owned(REPLICAS), service(spec))
    assert arriving(parts(session, "80", "a/rs")) == ["! NoLocalEndpoint", "a/one TCP/80"]
    assert session.why("a/rs", "svc:a/web", port=80).verdict is Verdict.MIXED


def test_where_nodes_are_not_known_a_caveat_says_so() -> None:
    spec = f"{WEB}internalTrafficPolicy: Local, ports: [{{port: 80}}]"
    session = read(PODS.replace("nodeName: n1, ", ""), service(spec))
    answer = session.why("a/client", "svc:a/web", port=80)
    assert answer.verdict is Verdict.ALLOWED
    assert "LOCAL_ENDPOINTS" in {each.id for each in answer.caveats}


SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: a, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: db, port: 5432}]
endpoints:
- {addresses: [192.0.2.5]}
- {addresses: [10.0.0.2]}
- {addresses: [192.0.2.6], conditions: {ready: false}}
"""
ENDPOINTS = """
apiVersion: v1
kind: Endpoints
metadata: {name: web, namespace: a}
subsets:
- addresses: [{ip: 192.0.2.5}, {ip: 10.0.0.2}]
  notReadyAddresses: [{ip: 192.0.2.6}]
  ports: [{name: db, port: 5432}]
"""


@pytest.mark.parametrize("listing", [SLICE, ENDPOINTS])
def test_without_a_selector_what_is_listed_counts(listing: str) -> None:
    session = read(PODS, service("ports: [{port: 80, name: db}]"), listing)
    assert arriving(parts(session, "80")) == ["192.0.2.5 TCP/5432", "a/one TCP/5432"]
    other = read(PODS, service("ports: [{port: 80, name: other}]"), listing)
    assert arriving(parts(other, "80")) == ["! NoSuchTargetPort"]
    headless = read(PODS, service("clusterIP: None, ports: [{port: 80, name: db}]"), listing)
    assert arriving(parts(headless, "9")) == ["192.0.2.5 TCP/9", "a/one TCP/9"]
    assert arriving(parts(headless, "db")) == ["192.0.2.5 TCP/5432", "a/one TCP/5432"]


@pytest.mark.parametrize(
    ("name", "port", "expected"),
    [
        ("db.corp.example", "5432", ["dns:db.corp.example TCP/5432"]),
        ("db.corp.example.", "main", ["dns:db.corp.example TCP/99"]),
        ("db.corp.example", "none", ["! NoSuchPort"]),
        ("real.a.svc.cluster.local", "80", ["a/one TCP/8080", "a/two TCP/9090"]),
        ("real.a.svc.cluster.local", "81", ["! NoSuchPort"]),
        ("10.1.2.3", "80", ["! NoSuchName"]),
        ("web.a.svc", "80", ["! AliasLoop"]),
    ],
)
def test_an_alias_leads_to_what_it_stands_for(name: str, port: str, expected: list[str]) -> None:
    real = service(f"{WEB}ports: [{{port: 80, targetPort: http}}]").replace(
        "name: web", "name: real"
    )
    spec = f"type: ExternalName, externalName: {name}, ports: [{{name: main, port: 99}}]"
    assert arriving(parts(read(PODS, service(spec), real), port)) == expected


BALANCER = "type: LoadBalancer, clusterIP: 10.96.0.9, ports: [{port: 80, targetPort: 8080}]"
STATUS = "status: {loadBalancer: {ingress: [{ip: 192.0.2.80}]}}"


@pytest.mark.parametrize(
    ("spec", "source", "caveats"),
    [
        (BALANCER, "203.0.113.9, translated", {"SERVICE_NAT", "SNAT", "OVERLAY_SOURCE"}),
        (
            f"{BALANCER}, externalTrafficPolicy: Local",
            "203.0.113.9",
            {"SERVICE_NAT", "BALANCER_SOURCE"},
        ),
        (
            "type: NodePort, externalTrafficPolicy: Local, ports: [{port: 80}]",
            "203.0.113.9",
            {"SERVICE_NAT"},
        ),
        (
            "externalIPs: [192.0.2.81], ports: [{port: 80}]",
            "203.0.113.9, translated",
            {"SERVICE_NAT", "SNAT", "OVERLAY_SOURCE"},
        ),
        ("ports: [{port: 80}]", "203.0.113.9", {"SERVICE_NAT"}),
    ],
)
def test_the_source_that_a_pod_sees_of_a_client_outside(
    spec: str, source: str, caveats: set[str]
) -> None:
    found = parts(read(PODS, service(f"{WEB}{spec}", STATUS)), "80", "203.0.113.9")
    seen = [each for part in found for each in part.followed]
    assert {each.source.text for each in seen} == {source}
    assert {caveat.id for each in seen for caveat in each.caveats} == caveats


FROM_PODS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: a}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]
"""


@pytest.mark.parametrize(
    ("policy", "more", "verdict"),
    [
        ("", "", Verdict.ALLOWED),
        (FROM_PODS, "", Verdict.UNDETERMINED),
        (FROM_PODS, ", externalTrafficPolicy: Local", Verdict.ALLOWED),
        (FROM_PODS.replace("app: client", "app: else"), "", Verdict.DENIED),
        (
            FROM_PODS.replace("podSelector: {matchLabels: {app: web}}", "podSelector: {}").replace(
                "ingress: [{from", "policyTypes: [Egress]\n  ingress: [{from"
            ),
            "",
            Verdict.DENIED,
        ),
    ],
)
def test_an_outside_address_called_from_within(policy: str, more: str, verdict: Verdict) -> None:
    session = read(PODS, service(f"{WEB}{BALANCER}{more}", STATUS), *([policy] if policy else []))
    answer = session.why("a/client", "192.0.2.80", port=80)
    assert answer.verdict is verdict
    assert "SHORT_CIRCUIT" in {each.id for each in answer.caveats} or verdict is Verdict.DENIED
    assert answer.ways == () or all(hop.role == "call" for w in answer.ways for hop in w.hops)


NODES = "".join(
    f"""
apiVersion: v1
kind: Node
metadata: {{name: n{number}}}
status: {{addresses: [{{type: InternalIP, address: 192.168.0.{number}}}]}}
---
"""
    for number in (1, 2, 3)
)
NODE_PORT = "type: NodePort, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]"


@pytest.mark.parametrize(
    ("policy", "node", "seen", "reason"),
    [
        ("Cluster", "n3", "203.0.113.9, translated", None),
        ("Local", "n1", "203.0.113.9", None),
        ("Local", "n3", None, "NoLocalEndpoint"),
    ],
)
def test_a_port_that_nodes_take_for_a_service(
    policy: str, node: str, seen: str | None, reason: str | None
) -> None:
    spec = f"{WEB}{NODE_PORT}, externalTrafficPolicy: {policy}"
    session = read(NODES + PODS, service(spec))
    answer = session.why("203.0.113.9", f"node:{node}", port=30080)
    (way,) = answer.ways
    assert (way.stop and way.stop.reason) == reason
    assert (answer.shown and answer.shown.case.source.text) == seen
    other = session.why("203.0.113.9", f"node:{node}", port=30081)
    assert other.ways == ()
