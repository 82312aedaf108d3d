"""`map --logical`: calls as edges, and what the ends of any map are for others."""

import pytest
import yaml

from cloison.analyses.connectivity import Edge, MapOptions
from cloison.app import Session, load_objects
from cloison.base import QuestionError

TEXT = """
{apiVersion: v1, kind: Namespace, metadata: {name: web}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec: &dns
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec: {containers: [{name: c, image: coredns}]}
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: web}
spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: portal, namespace: web}
spec: {parentRefs: [{name: public}], rules: [{backendRefs: [{name: portal, port: 80}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: portal, namespace: web}
spec:
  selector: {matchLabels: {app: portal}}
  template:
    metadata: {labels: {app: portal}}
    spec: {containers: [{name: c, image: portal, ports: [{containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: c, image: api, ports: [{containerPort: 8080, name: http}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: portal, namespace: web}
spec: {selector: {app: portal}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: web}
spec: {type: LoadBalancer, selector: {app: api}, ports: [{port: 443, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: api-heads, namespace: web}
spec: {clusterIP: None, selector: {app: api}, ports: [{port: 443, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: partner, namespace: web}
spec: {type: ExternalName, externalName: api.example.com, ports: [{port: 443}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody, namespace: web}
spec: {selector: {app: none}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: web}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: portal}}}]
    ports: [{port: 8080}]
  egress:
  - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
    ports: [{port: 53, protocol: UDP}]
"""
LOGICAL = MapOptions(logical=True)


def session(text: str = TEXT) -> Session:
    return load_objects(list(yaml.safe_load_all(text)), profile="generic")


def told(edges: "list[Edge]", source: str) -> dict[str, str]:
    return {str(e.dst): str(e.allowed) for e in edges if str(e.src) == source}


def test_a_call_is_to_the_service_on_the_port_that_is_dialled() -> None:
    edges = list(session().map(LOGICAL))
    assert told(edges, "web/portal") == {
        "gw:web/public": "TCP/80",
        "svc:kube-system/kube-dns": "UDP/53",
        "svc:web/api": "TCP/443",
        "svc:web/api-heads": "TCP/8080",
        "svc:web/partner": "TCP/443",
        "svc:web/portal": "TCP/80",
        "0.0.0.0/0, ::/0": "any",
    }
    # Its own pods are led back to themselves: a single one has nobody else to reach.
    assert told(edges, "web/api") == {
        "svc:kube-system/kube-dns": "UDP/53",
        "svc:web/api": "TCP/443",
    }


def test_a_gateway_calls_the_services_of_its_routes_by_pods_that_may_be_assumed() -> None:
    found = session().map(LOGICAL)
    edges = list(found)
    assert told(edges, "gw:web/public") == {"svc:web/portal": "TCP/80"}
    assert not any("assumed" in end.name for end in found.ends)
    (gateway,) = (end for end in found.ends if end.kind == "gateway")
    assert [role.assumed for role in gateway.roles] == ["default pods of Envoy Gateway proxy"]
    assert ("0.0.0.0/0, ::/0", "gw:web/public") in {(str(e.src), str(e.dst)) for e in edges}


def test_calls_from_outside_arrive_as_those_that_the_pods_see() -> None:
    def outside(policy: str) -> dict[str, str]:
        spec = f"type: LoadBalancer, externalTrafficPolicy: {policy}"
        allowing = "from: [{ipBlock: {cidr: 203.0.113.0/24}}]"
        text = TEXT.replace("type: LoadBalancer", spec).replace(
            "from: [{podSelector: {matchLabels: {app: portal}}}]", allowing
        )
        edges = session(text).map(LOGICAL)
        return {str(e.src): str(e.allowed) for e in edges if str(e.dst) == "svc:web/api"}

    assert outside("Local") == {"203.0.113.0/24": "TCP/443", "web/api": "TCP/443"}
    # The node's address takes the client's place, and no rule allows that.
    assert outside("Cluster") == {"web/api": "TCP/443"}


def test_the_ends_of_a_map_say_what_they_are_for_others() -> None:
    for options in (MapOptions(), LOGICAL):
        roles = {
            str(end): [(each.role, each.of, each.seen) for each in end.roles]
            for end in session().map(options).ends
            if end.kind == "workload"
        }
        assert roles == {
            "kube-system/coredns": [("resolver", ("svc:kube-system/kube-dns",), None)],
            "web/api": [("load-balancer", ("svc:web/api",), "node")],
            "web/portal": [],
        }


def test_roles_change_no_edge() -> None:
    read = session()
    objects = list(yaml.safe_load_all(TEXT))
    bare = load_objects(objects, profile="generic", runtime=False).map()
    assert list(bare) == list(read.map())
    assert not any(end.roles for end in bare.ends)


def test_filters_name_services_and_gateways() -> None:
    read = session()
    to = read.map(MapOptions(logical=True, destinations=("svc:web/api",)))
    assert {str(e.src) for e in to} == {"web/portal", "web/api"}
    from_ = read.map(MapOptions(logical=True, sources=("gw:web/public",)))
    assert [str(e.dst) for e in from_] == ["svc:web/portal"]
    port = read.map(MapOptions(logical=True, port="443", namespace="web"))
    assert {str(e.dst) for e in port if e.dst.kind == "service"} == {
        "svc:web/api",
        "svc:web/partner",
    }
    with pytest.raises(QuestionError, match="not an end of the map"):
        read.map(MapOptions(focus=("svc:web/api",)))
