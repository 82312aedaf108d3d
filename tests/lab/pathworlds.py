"""Small worlds with what packets meet on the way: who gets through, and as whom.

What is expected stands here by hand; neither the engine nor the lab has a say in it.
"""

from dataclasses import dataclass

CLIENT = "203.0.113.9"
N1, N2 = "192.168.0.1", "192.168.0.2"
_NODES = "\n---\n".join(
    f"""apiVersion: v1
kind: Node
metadata: {{name: {name}, labels: {{kubernetes.io/hostname: {name}}}}}
status: {{addresses: [{{type: InternalIP, address: {address}}}]}}"""
    for name, address in (("n1", N1), ("n2", N2))
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call.

    Args:
        source: Who calls.
        destination: Whom.
        measured: What becomes of it: `allowed`, `denied` or `mixed`.
        seen: The source addresses that whoever answers sees, each hop's; empty where none does.
        closed: The role of the hop that does not let it through.
        stopped: Why nothing arrives, though no policy is to blame.
    """

    source: str
    destination: str
    measured: str
    seen: tuple[str, ...] = ()
    closed: str | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class PathWorld:
    """A world and calls in it.

    Args:
        name: What it is about.
        objects: Everything in it.
        calls: The calls.
    """

    name: str
    objects: str
    calls: tuple[Call, ...]


def pod(name: str, node: str, address: str, *ports: str, more: str = "", labels: str = "") -> str:
    """Return a pod of the namespace `shop`, labelled with its own name if nothing else is said."""
    listed = ", ".join(
        f"{{name: {p.partition('=')[0]}, containerPort: {p.partition('=')[2]}}}" for p in ports
    )
    return f"""apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{{labels or f"app: {name}"}}}}}
spec: {{nodeName: {node}, containers: [{{name: c, image: c, ports: [{listed}]}}]{more}}}
status: {{phase: Running, podIP: {address}, podIPs: [{{ip: {address}}}],
  conditions: [{{type: Ready, status: 'True'}}]}}"""


def service(name: str, spec: str, *, port: int = 80, target: str = "8080", status: str = "") -> str:
    """Return a Service of the namespace `shop`."""
    return f"""apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{ports: [{{name: http, port: {port}, targetPort: {target}}}], {spec}}}
{f"status: {status}" if status else ""}"""


def ingress(app: str, *blocks: str, port: int = 8080) -> str:
    """Return a policy that lets blocks of addresses in, on one port."""
    peers = ", ".join(f"{{ipBlock: {{cidr: {block}}}}}" for block in blocks)
    return f"""apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {app}, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{app: {app}}}}}
  policyTypes: [Ingress]
  ingress: [{{from: [{peers}], ports: [{{port: {port}}}]}}]"""


def world(*objects: str) -> str:
    """Return a stream of objects with two nodes and the namespace `shop`."""
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}"
    return "\n---\n".join((space, _NODES, *objects))


_WEB = pod("web", "n2", "10.0.2.10", "http=8080")
_FRONTS = (
    service("ports", "type: NodePort, selector: {app: web}"),
    service("kept", "type: NodePort, externalTrafficPolicy: Local, selector: {app: web}"),
    service(
        "balanced",
        "type: LoadBalancer, selector: {app: web}",
        status="{loadBalancer: {ingress: [{ip: 192.0.2.80}]}}",
    ),
    service(
        "whole",
        "type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: web}",
        status="{loadBalancer: {ingress: [{ip: 192.0.2.81}]}}",
    ),
    service("outer", "externalIPs: [192.0.2.82], selector: {app: web}"),
)
_CLUSTER, _LOCAL = ("ports", "balanced", "outer"), ("kept", "whole")


def _entered(cluster: str, local: str) -> tuple[Call, ...]:
    """Return calls from outside, by what becomes of those that are replaced and of the others."""
    as_node, as_client = (N1,), (CLIENT,)
    return (
        *(_to(name, cluster, as_node) for name in _CLUSTER),
        *(_to(name, local, as_client) for name in _LOCAL),
    )


def _to(name: str, verdict: str, seen: tuple[str, ...]) -> Call:
    return Call(CLIENT, f"svc:shop/{name}", verdict, seen if verdict == "allowed" else ())


SEEN = world(_WEB, _FRONTS[0])
"""A Service for clients outside, and no policy."""
_LISTED = """apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: listed-1, namespace: shop, labels: {kubernetes.io/service-name: listed}}
addressType: IPv4
ports: [{name: http, port: 7000, protocol: TCP}]
endpoints: [{addresses: [198.51.100.7], conditions: {ready: true}}]"""
_ONE, _TWO = pod("one", "n1", "10.0.1.11"), pod("two", "n2", "10.0.2.12")

WORLDS = (
    PathWorld(
        "clients are let in, and nodes are not",
        world(_WEB, *_FRONTS, ingress("web", f"{CLIENT}/32")),
        _entered("denied", "allowed"),
    ),
    PathWorld(
        "nodes are let in, and clients are not",
        world(_WEB, *_FRONTS, ingress("web", f"{N1}/32")),
        _entered("allowed", "denied"),
    ),
    PathWorld(
        "ports of nodes",
        world(
            _WEB,
            service("ports", "type: NodePort, selector: {app: web}").replace(
                "port: 80,", "port: 80, nodePort: 30080,"
            ),
            ingress("web", f"{N1}/32"),
        ),
        (Call(CLIENT, "node:n1:30080", "allowed", (N1,)),),
    ),
    PathWorld(
        "back to itself, and calls that stay on their node",
        world(
            _WEB,
            _ONE,
            _TWO,
            service("web", "selector: {app: web}"),
            service("near", "internalTrafficPolicy: Local, selector: {app: web}"),
            service("empty", "selector: {app: nobody}"),
            ingress("web", "10.0.2.12/32", "10.0.2.10/32"),
        ),
        (
            Call("shop/two", "svc:shop/web:80", "allowed", ("10.0.2.12",)),
            Call("shop/one", "svc:shop/web:80", "denied", closed="call"),
            Call("shop/two", "svc:shop/near:80", "allowed", ("10.0.2.12",)),
            Call("shop/one", "svc:shop/near:80", "denied", stopped=True),
            Call("shop/two", "svc:shop/empty:80", "denied", stopped=True),
            Call("shop/web", "svc:shop/web:80", "allowed", (N2,)),
        ),
    ),
    PathWorld(
        "not back to itself: filters look before the node puts its address there",
        world(_WEB, service("web", "selector: {app: web}"), ingress("web", f"{N2}/32")),
        (Call("shop/web", "svc:shop/web:80", "denied", closed="call"),),
    ),
    PathWorld(
        "named ports, and pods that are listed by hand",
        world(
            pod("first", "n1", "10.0.1.21", "http=8080", labels="app: api, v: one"),
            pod("second", "n2", "10.0.2.22", "http=9090", labels="app: api, v: two"),
            _ONE,
            service("api", "selector: {app: api}", target="http"),
            service("listed", "clusterIP: 10.96.0.77"),
            _LISTED,
            ingress("api", "10.0.1.11/32", port=8080),
        ),
        (
            Call("shop/one", "svc:shop/api:80", "mixed", ("10.0.1.11",)),
            Call("shop/one", "svc:shop/listed:80", "allowed", ("10.0.1.11",)),
        ),
    ),
    PathWorld(
        "pods that call what is for clients outside",
        world(_WEB, _ONE, *_FRONTS, ingress("web", "10.0.1.11/32", f"{N1}/32")),
        (
            Call("shop/one", "192.0.2.80:80", "allowed", (N1,)),
            Call("shop/one", "192.0.2.81:80", "allowed", ("10.0.1.11",)),
        ),
    ),
)
