"""What Cilium's objects say of pods and Services, and ends that are no pods."""

import pytest

from cloison.app import load_texts
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict
from tests.unit.dialects.cilium_world import WORLD, loaded, open_to, pod, policy

YES, NO = Verdict.ALLOWED, Verdict.DENIED
FROM_WEB = "ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]"


def endpoint(name: str, *labels: str, number: int = 5000) -> str:
    """Return a CiliumEndpoint of a pod in `shop`; without labels it names its identity."""
    listed = f", labels: [{', '.join(f'{each!r}' for each in labels)}]" if labels else ""
    return (
        f"apiVersion: cilium.io/v2\nkind: CiliumEndpoint\nmetadata: {{name: {name}, "
        f"namespace: shop}}\nstatus: {{identity: {{id: {number}{listed}}}}}\n"
    )


HOME = "k8s:io.kubernetes.pod.namespace=shop"


class TestIdentities:
    """Labels that an identity has instead of the pod's."""

    def test_labels_of_the_identity_count(self) -> None:
        told = endpoint("db-0", "k8s:app=web", HOME)
        session = loaded(policy(FROM_WEB), told)
        assert open_to(session, "shop/db-0", "shop/api") is YES
        assert open_to(loaded(policy(FROM_WEB)), "shop/db-0", "shop/api") is NO

    def test_number_leads_to_the_identity(self) -> None:
        identity = (
            "apiVersion: cilium.io/v2\nkind: CiliumIdentity\nmetadata: {name: '5000'}\n"
            "security-labels: {'k8s:app': web, 'k8s:io.kubernetes.pod.namespace': shop}\n"
        )
        session = loaded(policy(FROM_WEB), endpoint("db-0"), identity)
        assert open_to(session, "shop/db-0", "shop/api") is YES

    def test_services_find_what_is_filtered(self) -> None:
        told = endpoint("web", "k8s:app=web", HOME)
        session = loaded(told, policy(FROM_WEB))
        (web,) = [
            end
            for workload in session.seen.workloads.values()
            for end in workload.endpoints
            if end.name == "shop/web"
        ]
        assert web.labels == {"app": "web", "pod-template-hash": "x"}

    def test_other_enforcers_do_not_care(self) -> None:
        told = endpoint("db-0", "k8s:app=web", HOME)
        assert loaded(told).seen != loaded(told).world
        texts = {"world.yaml": WORLD, "cilium.yaml": told}
        session = load_texts(texts, profile="calico@3.32")
        assert session.seen == session.world

    @pytest.mark.parametrize(("local", "found"), [("true", NO), ("false", YES)])
    def test_other_clusters(self, local: str, found: Verdict) -> None:
        told = endpoint("db-0", "k8s:app=web", HOME, "k8s:io.cilium.k8s.policy.cluster=west")
        said = {"policy-default-local-cluster": local}
        session = loaded(policy(FROM_WEB), told, said=said)
        assert open_to(session, "shop/db-0", "shop/api") is found
        whole = loaded(policy("ingress: [{fromEntities: [cluster]}]"), told, said=said)
        assert open_to(whole, "shop/db-0", "shop/api") is NO
        subject = loaded(policy("ingress: [{}]", ""), told, said=said)
        assert open_to(subject, "shop/web", "shop/db-0") is YES

    def test_without_an_identity_yet(self) -> None:
        session = loaded(endpoint("db-0", "reserved:init"))
        assert open_to(session, "shop/web", "shop/db-0") is NO
        assert open_to(session, "shop/db-0", "shop/web") is NO
        entity = loaded(
            policy("ingress: [{fromEntities: [init]}]"),
            policy("egress: [{toEntities: [all]}]", "", namespace=None, name="c"),
            endpoint("db-0", "reserved:init"),
        )
        assert open_to(entity, "shop/db-0", "shop/api") is YES
        assert open_to(entity, "shop/web", "shop/api") is NO

    def test_labels_that_the_filter_leaves_out(self) -> None:
        spec = "ingress: [{fromEndpoints: [{matchLabels: {pod-template-hash: x}}]}]"
        told = endpoint("db-0", "k8s:pod-template-hash=x", HOME)
        session = loaded(policy(spec), told)
        assert open_to(session, "shop/db-0", "shop/api") is YES
        assert open_to(session, "shop/web", "shop/api") is NO

    def test_network_policies_find_pods_of_the_cluster(self) -> None:
        head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
        allow = (
            f"{head}{{name: all, namespace: shop}}\n"
            "spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}\n"
        )
        for label, found in (("reserved:init", NO), ("k8s:app=db", YES)):
            told = endpoint("db-0", label)
            out = policy("egress: [{toEntities: [all]}]", "", namespace=None, name="c")
            session = loaded(allow, told, out)
            assert open_to(session, "shop/db-0", "shop/api") is found
        west = endpoint("db-0", "k8s:app=db", "k8s:io.cilium.k8s.policy.cluster=west")
        assert open_to(loaded(allow, west), "shop/db-0", "shop/api") is NO


REDIRECT = """
apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata: {name: local, namespace: kube-system}
spec:
  redirectFrontend: {serviceMatcher: {serviceName: dns, namespace: kube-system}}
  redirectBackend:
    localEndpointSelector: {matchLabels: {k8s-app: node-local-dns}}
    toPorts: [{port: "5353", name: dns, protocol: UDP}]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: dns, namespace: kube-system}
spec:
  selector: {k8s-app: kube-dns}
  clusterIP: 10.96.0.10
  ports: [{name: dns, port: 53, protocol: UDP, targetPort: 53}]
"""


class TestRedirects:
    """Traffic to a Service that a pod of the node gets."""

    def test_only_where_there_is_one(self) -> None:
        local = pod("kube-system/local", "n1", "10.0.1.53", "k8s-app: node-local-dns")
        spec = (
            "egress: [{toEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': "
            "kube-system, k8s-app: %s}}], toPorts: [{ports: [{port: '%d'}]}]}]"
        )
        for wanted, port, found in (
            ("kube-dns", 53, (NO, YES)),
            ("node-local-dns", 5353, (YES, NO)),
        ):
            session = loaded(
                policy(spec % (wanted, port), ""), REDIRECT, more=f"---{SERVICE}---{local}"
            )
            target = "svc:kube-system/dns"
            answers = tuple(
                session.verdict(source, target, port=53, protocol="UDP")
                for source in ("shop/web", "shop/api")
            )
            assert answers == found


ADDRESS = """
apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata: {name: meta, namespace: kube-system}
spec:
  redirectFrontend:
    addressMatcher:
      ip: %s
      toPorts: [{port: "80", name: web, protocol: TCP}, {port: "81", name: rest, protocol: TCP}]
  redirectBackend:
    localEndpointSelector: {matchLabels: {app: creds}}
    toPorts: [{port: "8181", name: web, protocol: TCP}, {port: "8182", name: other, protocol: TCP}]
"""
CREDS = pod("kube-system/creds", "n1", "10.0.1.53", "app: creds")


class TestRedirectedAddresses:
    """Traffic to an address that a pod of the node gets, port by port."""

    def test_only_ports_and_nodes_with_such_a_pod(self) -> None:
        out = policy("egress: [{toCIDR: [169.254.169.254/32]}]", "")
        session = loaded(out, ADDRESS % "169.254.169.254", more=f"---{CREDS}")
        asked = (("shop/web", 80), ("shop/web", 81), ("shop/web", 443), ("shop/api", 80))
        found = [open_to(session, source, "169.254.169.254", port) for source, port in asked]
        assert found == [NO, YES, YES, YES]

    def test_the_pod_has_to_be_let_through_to_its_own_port(self) -> None:
        selected = "{matchLabels: {'k8s:io.kubernetes.pod.namespace': kube-system, app: creds}}"
        for port, found in ((8181, YES), (80, NO)):
            ports = f"toPorts: [{{ports: [{{port: '{port}'}}]}}]"
            out = policy(f"egress: [{{toEndpoints: [{selected}], {ports}}}]", "")
            session = loaded(out, ADDRESS % "169.254.169.254", more=f"---{CREDS}")
            assert open_to(session, "shop/web", "169.254.169.254", 80) is found

    def test_an_address_of_a_service_stays_its_own(self) -> None:
        out = policy("egress: [{toCIDR: [10.96.0.10/32]}]", "")
        session = loaded(out, ADDRESS % "10.96.0.10", more=f"---{SERVICE}---{CREDS}")
        assert ("kube-system", "meta:local-redirect") not in session.world.services

    def test_no_service_is_selected_that_nobody_wrote(self) -> None:
        out = policy("egress: [{toServices: [{k8sServiceSelector: {selector: {}}}]}]", "")
        session = loaded(out, ADDRESS % "169.254.169.254", more=f"---{CREDS}")
        assert open_to(session, "shop/web", "169.254.169.254", 80) is NO


class TestEndsBesides:
    """Endpoints that are no pods."""

    def test_health(self) -> None:
        closed = policy("ingress: [{}]", "", namespace=None)
        assert open_to(loaded(closed), "node:n1", "reserved:health@n2", 4240) is NO
        assert open_to(loaded(closed), "node:n2", "reserved:health@n2", 4240) is YES
        assert open_to(loaded(policy("ingress: [{}]", "")), "node:n1", "reserved:health@n2") is YES

    @pytest.mark.parametrize(("entity", "found"), [("ingress", YES), ("world", NO), ("all", YES)])
    def test_ingress(self, entity: str, found: Verdict) -> None:
        session = loaded(policy(f"ingress: [{{fromEntities: [{entity}]}}]"))
        assert open_to(session, "reserved:ingress", "shop/api") is found

    def test_labels_never_find_it(self) -> None:
        session = loaded(policy("ingress: [{fromEndpoints: [{}]}]", namespace=None))
        assert open_to(session, "reserved:ingress", "shop/api") is NO

    @pytest.mark.parametrize("text", ["reserved:nobody", "reserved:", "reserved:world"])
    def test_unknown(self, text: str) -> None:
        with pytest.raises(QuestionError):
            open_to(loaded(), text, "shop/api")


class TestConflicts:
    """Rules that cannot be put together leave an endpoint open to doubt."""

    def test_two_parsers(self) -> None:
        spec = (
            "ingress: [{fromEndpoints: [{matchLabels: {app: web}}], toPorts: [{ports: [{port: "
            '"8080", protocol: TCP}], rules: %s}]}]'
        )
        one = policy(spec % "{http: [{}]}")
        other = policy(spec % "{l7proto: own, l7: [{a: b}]}", name="q")
        elsewhere = policy(spec % "{l7proto: own, l7: [{a: b}]}", "app: db", name="q")
        session = loaded(one, other)
        assert open_to(session, "ops/probe", "shop/api", 80) is Verdict.UNDETERMINED
        assert open_to(loaded(one, elsewhere), "ops/probe", "shop/api", 80) is NO


class TestRelations:
    """Two sources, of which each says what Cilium makes of its pods."""

    def test_identities_count(self) -> None:
        told = endpoint("db-0", "k8s:app=web", HOME)
        of_db = policy("ingress: [{fromEndpoints: [{matchLabels: {app: db}}]}]")
        assert loaded(of_db, told).relate("contained", loaded(policy(FROM_WEB), told)).holds is True
        assert loaded(of_db).relate("contained", loaded(policy(FROM_WEB))).holds is False

    def test_what_names_stand_for_counts(self) -> None:
        said = (
            "toPorts: [{ports: [{port: '53', protocol: UDP}], rules: {dns: [{matchPattern: '*'}]}}]"
        )
        asks = f"egress: [{{toEndpoints: [{{}}], {said}}}, %s]"
        by_name = policy(asks % "{toFQDNs: [{matchName: api.example.com}]}", "app: web")
        by_block = policy(asks % "{toCIDR: [203.0.113.0/24]}", "app: web")
        names = {"api.example.com": ("203.0.113.10",)}
        both = [
            load_texts({"a.yaml": WORLD, "b.yaml": rules}, profile="cilium@1.19", names=names)
            for rules in (by_name, by_block)
        ]
        assert both[0].relate("contained", both[1]).holds is True
        assert both[1].relate("contained", both[0]).holds is False
