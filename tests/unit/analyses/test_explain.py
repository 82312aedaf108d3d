"""Reasons in the same order and the same words wherever they are told."""

import json

import cloison
from cloison import Session
from cloison.analyses.ask import Explanation
from cloison.analyses.explain import PointAnswer
from cloison.report import About, render

WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {team: front}}
---
apiVersion: v1
kind: Namespace
metadata: {name: evidence, labels: {team: back}}
---
apiVersion: v1
kind: Pod
metadata: {name: portal, namespace: web, labels: {app: portal}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: store, namespace: evidence, labels: {app: store, tier: data}}
spec:
  containers: [{name: c, image: i, ports: [{containerPort: 9000, name: s3}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: prober, namespace: evidence, labels: {app: prober}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: evidence}
spec: {selector: {app: store}, ports: [{name: objects, port: 80, targetPort: s3}]}
"""
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: evidence}}
spec:
  podSelector: {selector}
  policyTypes: [Ingress]
  ingress: {ingress}
"""
FROM_WEB = (
    "[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}}], "
    "ports: [{port: 9000}]}]"
)
METRICS = "[{from: [{namespaceSelector: {}}], ports: [{port: 9090}]}]"
STORE = "{matchLabels: {app: store}}"
STORE_EXACTLY = "{matchLabels: {app: store, tier: data}}"
# The alphabet, and the number of labels, would have it the other way round.
POLICIES = (
    ("a-default-deny", "{}", "[]"),
    ("b-metrics", STORE_EXACTLY, METRICS),
    ("z-from-web", STORE, FROM_WEB),
)


def load(*policies: tuple[str, str, str]) -> Session:
    parts = [POLICY.format(name=n, selector=s, ingress=i) for n, s, i in policies]
    return cloison.load_texts({"world.yaml": "---\n".join([WORLD, *parts])})


def entering(answer: Explanation) -> PointAnswer:
    assert answer.shown is not None
    return answer.shown.points[1]


def test_the_policy_that_came_nearest_is_named_first_everywhere() -> None:
    session = load(*POLICIES)
    answer = session.why("evidence/prober", "evidence/store:9000")
    order = ["evidence/z-from-web", "evidence/b-metrics", "evidence/a-default-deny"]
    point = entering(answer)
    assert [str(c.policy.id) for c in point.considered] == order
    assert [str(d.policy) for d in point.decided_by] == order
    about = About("0", session.profile, "default")
    document = json.loads("".join(render("why", answer, about, "json")))
    (said,) = [p for p in document["path"][0]["enforcementPoints"] if p["direction"] == "ingress"]
    assert [d["policy"]["name"] for d in said["decidedBy"]] == [n.split("/")[1] for n in order]
    assert [c["policy"]["name"] for c in said["considered"]] == [n.split("/")[1] for n in order]
    text = "".join(render("why", answer, about))
    assert text.index("evidence/z-from-web") < text.index("evidence/b-metrics")


def test_a_rule_that_matches_comes_before_policies_that_do_not() -> None:
    point = entering(load(*POLICIES).why("web/portal", "evidence/store:9000"))
    assert [d.text for d in point.decided_by] == ["evidence/z-from-web ingress rule 1"]
    assert str(point.considered[0].policy.id) == "evidence/z-from-web"


def test_a_port_by_name_speaks_of_its_number_only() -> None:
    by_name = "[{from: [{podSelector: {}}], ports: [{port: s3}]}]"
    session = load(("a-by-name", "{}", by_name), ("b-own", STORE, METRICS))
    for port, order in ((9000, ["a-by-name", "b-own"]), (9001, ["b-own", "a-by-name"])):
        point = entering(session.why("web/portal", f"evidence/store:{port}"))
        assert [c.policy.id.name for c in point.considered] == order
        assert [d.policy.name for d in point.decided_by if d.policy] == order


def test_other_ports_for_the_same_peer_come_before_other_ports_for_others() -> None:
    others = "[{from: [{podSelector: {}}], ports: [{port: 80}]}]"
    session = load(("a-others", STORE, others), ("b-web", STORE, FROM_WEB))
    point = entering(session.why("web/portal", "evidence/store:81"))
    assert [c.policy.id.name for c in point.considered] == ["b-web", "a-others"]


def _miss(policy: str, source: str = "evidence/prober") -> str:
    session = load(("p", STORE, f"[{{from: [{policy}]}}]"))
    (only,) = entering(session.why(source, "evidence/store:9000")).considered
    assert only.nearest_miss is not None
    return only.nearest_miss


NAME = "kubernetes.io/metadata.name: web"


def test_a_namespace_picked_by_its_name_is_missed_in_plain_words() -> None:
    assert (
        _miss(f"{{namespaceSelector: {{matchLabels: {{{NAME}}}}}}}")
        == "allows every pod in namespace web; evidence/prober is in namespace evidence"
    )
    assert (
        _miss(
            f"{{namespaceSelector: {{matchLabels: {{{NAME}}}}}, "
            "podSelector: {matchLabels: {app: portal}}}"
        )
        == "allows app=portal in namespace web; evidence/prober is in namespace evidence "
        "and is labelled app=prober"
    )
    both = _miss(f"{{namespaceSelector: {{matchLabels: {{{NAME}, team: front}}}}}}")
    assert both.endswith(
        "; evidence/prober is in namespace evidence and namespace evidence is labelled team=back"
    )


def test_other_labels_of_a_namespace_are_told_as_labels() -> None:
    assert _miss("{namespaceSelector: {matchLabels: {team: front}}}").endswith(
        "; namespace evidence is labelled team=back"
    )


def test_a_service_leads_to_numbers() -> None:
    answer = load().why("web/portal", "svc:evidence/store:objects")
    assert "Service evidence/store port 80 leads to evidence/store on TCP/9000" in answer.notes
