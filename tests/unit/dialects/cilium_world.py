"""A small cluster under Cilium, and policies of Cilium written in few words."""

import textwrap
from collections.abc import Mapping

from cloison.app import Session, load_texts
from cloison.ir.fidelity import Verdict

NODES = """
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {kubernetes.io/hostname: n1, zone: one}}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {kubernetes.io/hostname: n2, zone: two}}
status: {addresses: [{type: InternalIP, address: 192.0.2.12}]}
"""
NAMESPACES = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {team: b}}
---
apiVersion: v1
kind: Namespace
metadata: {name: kube-system}
"""


def pod(name: str, node: str, address: str, labels: str, more: str = "", ports: str = "") -> str:
    """Return a pod, `namespace/name`."""
    namespace, _, own = name.partition("/")
    container = f"{{name: c, image: example/x:1, ports: [{ports}]}}"
    return textwrap.dedent(
        f"""
        apiVersion: v1
        kind: Pod
        metadata: {{name: {own}, namespace: {namespace}, labels: {{{labels}}}}}
        spec: {{nodeName: {node}, {more}containers: [{container}]}}
        status: {{phase: Running, podIP: {address}}}
        """
    )


PODS = (
    pod(
        "shop/web",
        "n1",
        "10.0.1.10",
        "app: web, pod-template-hash: x",
        "serviceAccountName: web-sa, ",
    ),
    pod(
        "shop/api",
        "n2",
        "10.0.2.20",
        "app: api",
        ports="{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}",
    ),
    pod("shop/db-0", "n2", "10.0.2.21", "app: db, statefulset.kubernetes.io/pod-name: db-0"),
    pod("ops/probe", "n1", "10.0.1.30", "app: web"),
    pod("kube-system/dns", "n2", "10.0.2.53", "k8s-app: kube-dns"),
    pod("shop/agent", "n1", "192.0.2.11", "app: agent", "hostNetwork: true, "),
)
WORLD = "---".join((NAMESPACES, NODES, *PODS))

SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s, namespace: %s, labels: {kubernetes.io/service-name: %s}}
addressType: IPv4
endpoints: [{addresses: [%s]}]
ports: [{port: %d}]
"""


def slice_of(service: str, address: str, port: int) -> str:
    """Return the endpoints of a Service, `namespace/name`."""
    namespace, _, name = service.partition("/")
    return SLICE % (name, namespace, name, address, port)


def policy(
    spec: str, subject: str = "app: api", name: str = "p", namespace: str | None = "shop"
) -> str:
    """Return a policy of a namespace, or of the cluster where that is None."""
    home = "" if namespace is None else f", namespace: {namespace}"
    kind = "CiliumClusterwideNetworkPolicy" if namespace is None else "CiliumNetworkPolicy"
    body = textwrap.indent(textwrap.dedent(spec).strip(), "  ")
    return (
        f"apiVersion: cilium.io/v2\nkind: {kind}\nmetadata: {{name: {name}{home}}}\nspec:\n"
        f"  endpointSelector: {{matchLabels: {{{subject}}}}}\n{body}\n"
    )


def settings(said: Mapping[str, str]) -> str:
    """Return the ConfigMap of an installation."""
    lines = "".join(f'  {key}: "{value}"\n' for key, value in said.items())
    home = "metadata: {name: cilium-config, namespace: kube-system}"
    return f"apiVersion: v1\nkind: ConfigMap\n{home}\ndata:\n{lines}"


def loaded(
    *objects: str, version: str = "1.19", said: Mapping[str, str] | None = None, more: str = ""
) -> Session:
    """Return a session of that cluster with some objects."""
    texts = {"world.yaml": WORLD + more, "cilium.yaml": "---\n".join(objects)}
    if said:
        texts["config.yaml"] = settings(said)
    return load_texts(texts, profile=f"cilium@{version}")


def open_to(session: Session, source: str, target: str, port: int = 8080) -> Verdict:
    """Return what becomes of a connection by TCP."""
    return session.verdict(source, target, port=port)
