"""DNS names of Services: they are the Services, and never outside the cluster."""

from itertools import pairwise

import pytest

from cloison.analyses.ask import Explanation
from cloison.analyses.ends import PodsEnd, ServiceEnd
from cloison.analyses.paths.model import HopRole
from cloison.app import Session, load_texts
from cloison.base import UnknownEndpointError
from cloison.ir.fidelity import Verdict

PROXY = "[{name: HTTP_PROXY, value: 'http://proxy.web:3128'}]"


def pod(name: str, namespace: str, spec: str = "", env: str = "[]") -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}
spec: {{{spec} containers: [{{name: c, image: example/c, env: {env}}}]}}
---"""


def service(name: str, namespace: str, spec: str = "") -> str:
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{app: {name}}}, {spec} ports: [{{port: 80, targetPort: 8080}}]}}
---"""


CLOSED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: web}
spec: {podSelector: {matchLabels: {app: front}}, policyTypes: [Ingress]}
---"""
ALIAS = """
apiVersion: v1
kind: Service
metadata: {name: other, namespace: web}
spec: {type: ExternalName, externalName: front.web.svc.cluster.local}
---"""
WORLD = "".join(
    (
        pod("front", "web"),
        pod("c", "web"),
        pod("far", "ops"),
        pod("plain", "web", "dnsPolicy: Default,"),
        pod("db-0", "web"),
        pod("sent", "ops", env=PROXY),
        pod("proxy", "web"),
        service("front", "web"),
        service("db-0", "web", "clusterIP: None,").replace("name: db-0", "name: db"),
        service("proxy", "web").replace("port: 80,", "port: 3128,"),
        ALIAS,
        CLOSED,
    )
)


@pytest.fixture(scope="module")
def world() -> Session:
    return load_texts({"world.yaml": WORLD})


def called(answer: Explanation) -> list[str]:
    return [
        hop.question.destination.text
        for way in answer.ways
        for hop in way.hops
        if hop.role is not HopRole.LOOKUP
    ]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("web/c", "front.web.svc.cluster.local"),
        ("web/c", "Front.web.svc.cluster.local."),
        ("web/c", "front.web.svc"),
        ("web/c", "front.web"),
        ("web/c", "front"),
        ("ops/far", "front.web.svc.cluster.local"),
        ("ops/far", "front.web"),
        ("web/plain", "front.web.svc.cluster.local"),
    ],
)
def test_a_name_of_a_service_is_the_service(world: Session, source: str, name: str) -> None:
    answer = world.why(source, f"dns:{name}", port=80)
    assert answer.verdict is Verdict.DENIED
    assert called(answer) == ["svc:web/front"]
    assert f"{name.rstrip('.').lower()} is Service web/front" in answer.notes
    assert answer.verdict is world.verdict(source, f"dns:{name}", port=80)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("ops/far", "front"),  # another namespace's
        ("web/plain", "front"),  # it has no search list
        ("web/plain", "front.web"),
        ("web/c", "absent"),
        ("web/c", "front.com"),
        ("web/c", "front.web.svc.clusterset.local"),
    ],
)
def test_other_names_stay_outside(world: Session, source: str, name: str) -> None:
    answer = world.why(source, f"dns:{name}", port=80)
    assert answer.verdict is Verdict.ALLOWED
    assert called(answer) == [f"dns:{name}"]


@pytest.mark.parametrize("tail", ["svc", "svc.cluster.local"])
def test_a_name_of_no_service_is_an_error(world: Session, tail: str) -> None:
    with pytest.raises(UnknownEndpointError) as caught:
        world.why("web/c", f"dns:frnt.web.{tail}", port=80)
    assert f"no Service in the input that has the name 'frnt.web.{tail}'" in caught.value.message
    assert f"front.web.{tail}" in (caught.value.help or "")


def test_a_domain_of_its_own_is_said_to_be_taken_for_the_clusters(world: Session) -> None:
    end = world.names.end("dns:front.web.svc.corp.example")
    assert isinstance(end, ServiceEnd)
    assert end.note is not None
    assert end.note.endswith("if corp.example is the cluster's domain")


def test_a_pod_of_a_headless_service_has_a_name(world: Session) -> None:
    end = world.names.end("dns:db-0.db.web.svc.cluster.local")
    assert isinstance(end, PodsEnd)
    assert (end.text, end.single) == ("web/db-0", True)
    with pytest.raises(UnknownEndpointError):
        world.names.end("dns:front.front.web.svc.cluster.local")


def test_an_alias_of_a_service_is_called_by_name(world: Session) -> None:
    answer = world.why("web/c", "dns:other", port=80)
    assert answer.verdict is Verdict.DENIED
    assert "other is Service web/other" in answer.notes


@pytest.mark.parametrize("name", ["front.web.svc.cluster.local", "front"])
def test_the_last_hop_of_a_proxy_is_the_service(world: Session, name: str) -> None:
    """The proxy looks the name up, so a bare one is of its own namespace."""
    answer = world.why("ops/sent", f"dns:{name}", port=80)
    assert called(answer) == ["svc:web/proxy", "svc:web/front"]
    assert answer.verdict is Verdict.DENIED


def test_what_a_proxy_calls_outside_stays_outside(world: Session) -> None:
    answer = world.why("ops/sent", "dns:api.example.com", port=80)
    assert called(answer) == ["svc:web/proxy", "dns:api.example.com"]
    assert answer.verdict is Verdict.ALLOWED


DOMAIN = """
apiVersion: v1
kind: ConfigMap
metadata: {name: %s, namespace: kube-system}
data:
  %s: |
    %s
---"""
COREFILE = DOMAIN % ("coredns", "Corefile", ".:53 {\n      %s\n    }")
KUBELET = DOMAIN % ("kubelet-config", "kubelet", "clusterDomain: %s")


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        (COREFILE % "kubernetes corp.test. in-addr.arpa ip6.arpa {", {}),
        (KUBELET % "Corp.Test", {}),
        (KUBELET % "cluster.local", {"cluster_domain": "corp.test"}),
        ("", {"cluster_domain": "corp.test"}),
    ],
)
def test_a_cluster_may_have_a_domain_of_its_own(said: str, settings: dict[str, str]) -> None:
    session = load_texts({"world.yaml": WORLD + said}, **settings)
    assert session.world.domains == ("corp.test",)
    answer = session.why("web/c", "dns:front.web.svc.corp.test", port=80)
    assert called(answer) == ["svc:web/front"]
    assert "front.web.svc.corp.test is Service web/front" in answer.notes
    # A name under the usual domain is nobody's there; one that is the cluster's must be a Service.
    outside = session.why("web/c", "dns:front.web.svc.cluster.local", port=80)
    assert called(outside) == ["dns:front.web.svc.cluster.local"]
    with pytest.raises(UnknownEndpointError, match=r"absent\.web\.svc\.corp\.test"):
        session.why("web/c", "dns:absent.web.svc.corp.test", port=80)


def test_what_a_pod_looks_up_ends_in_the_domain_of_its_cluster() -> None:
    session = load_texts({"world.yaml": WORLD}, cluster_domain="corp.test")
    answer = session.why("web/c", "dns:front", port=80)
    (lookup,) = [h for w in answer.ways for h in w.hops if h.role is HopRole.LOOKUP]
    assert lookup.answer is not None
    assert lookup.answer.question.application.dns == "front.web.svc.corp.test"


def test_a_resolver_may_answer_for_several_domains() -> None:
    several = COREFILE % "kubernetes cluster.local corp.test 10.0.0.0/8 {"
    session = load_texts({"world.yaml": WORLD + several + KUBELET % "corp.test"})
    assert session.world.domains == ("corp.test", "cluster.local")
    for name in ("front.web.svc.corp.test", "front.web.svc.cluster.local"):
        assert called(session.why("web/c", f"dns:{name}", port=80)) == ["svc:web/front"]


def test_nobody_says_a_domain(world: Session) -> None:
    assert world.world.domains == ()
    assert called(world.why("web/c", "dns:front.web.svc.corp.test", port=80)) == ["svc:web/front"]


LOOP = """
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: web}
spec: {type: ExternalName, externalName: %s.web.svc.cluster.local}
---"""


@pytest.mark.parametrize(
    ("aliases", "said"),
    [
        ("aa", "svc:web/a is an alias that leads back to itself: svc:web/a -> svc:web/a"),
        ("ab bd da", "leads back to itself: svc:web/a -> svc:web/b -> svc:web/d -> svc:web/a"),
        ("ab bc cb", "is an alias into a loop: svc:web/a -> svc:web/b -> svc:web/c -> svc:web/b"),
        (
            " ".join(f"{one}{other}" for one, other in pairwise("abcdefghijkl")),
            "svc:web/a is an alias of more than 8 aliases",
        ),
    ],
)
def test_aliases_without_an_end_are_named(aliases: str, said: str) -> None:
    text = WORLD + "".join(LOOP % tuple(each) for each in aliases.split())
    answer = load_texts({"world.yaml": text}).why("web/c", "svc:web/a", port=80)
    (stop,) = [way.stop for way in answer.ways]
    assert answer.verdict is Verdict.DENIED
    assert stop is not None
    assert stop.reason == "AliasLoop"
    assert said in stop.text
