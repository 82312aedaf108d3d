"""A small cluster under Calico, and objects of Calico's written in few words."""

import textwrap

from cloison.app import Session, load_texts
from cloison.dialects.calico import labels
from cloison.ir.policy import Policy

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: web}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {zone: a}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {zone: b}}
status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: example/web:1}]}
status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec:
  nodeName: n2
  containers:
    - name: c
      image: example/api:1
      ports: [{name: http, containerPort: 8080}]
status: {phase: Running, podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}
"""
POD = {labels.NAMESPACE: "shop", labels.SERVICE_ACCOUNT: "default", "pcns.team": "web"}
HOST = {"role": "node"}
"""A pod and a host endpoint as selectors see them."""


def calico(kind: str, name: str, spec: str, namespace: str | None = None) -> str:
    home = f", namespace: {namespace}" if namespace else ""
    return (
        f"apiVersion: projectcalico.org/v3\nkind: {kind}\n"
        f"metadata: {{name: {name}{home}, labels: {{role: node}}}}\n"
        f"spec:\n{textwrap.indent(textwrap.dedent(spec).strip(), '  ')}\n"
    )


def loaded(*objects: str, profile: str = "calico@3.32", world: str = WORLD) -> Session:
    return load_texts({"world.yaml": world, "calico.yaml": "---\n".join(objects)}, profile=profile)


def verdict(
    session: Session, src: str, dst: str, port: int = 8080, family: int | None = None
) -> str:
    return str(session.verdict(src, dst, port=port, family=family))


def caveats(session: Session, src: str, dst: str, port: int = 8080) -> set[str]:
    return {each.id for each in session.why(src, dst, port=port).caveats}


def of(session: Session, kind: str) -> Policy:
    (found,) = [p for p in session.policies.policies if p.id.kind == kind]
    return found


EVERYWHERE = calico("HostEndpoint", "h1", 'node: n1\ninterfaceName: "*"')
"""A host endpoint of every interface of a node."""
CLOSED = calico(
    "GlobalNetworkPolicy",
    "closed",
    """
    selector: role == 'node'
    applyOnForward: true
    types: [Ingress, Egress]
    """,
)
"""A policy of hosts that lets nothing through."""
