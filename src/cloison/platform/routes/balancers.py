"""Load balancers of providers that serve entries: whether they dial nodes or pods, and from where.

Sources: kubernetes-sigs/aws-load-balancer-controller docs; kubernetes/ingress-gce docs.
"""

from collections.abc import Iterator, Mapping

from cloison.platform.components import component
from cloison.platform.routes.model import Dials, EntryKind, Plane, Written
from cloison.resources.world import World

_TARGET_TYPE = "alb.ingress.kubernetes.io/target-type"
_NEG = "cloud.google.com/neg"
_BY_PROXIES = ("gce-internal", "gke-l7-rilb", "gke-l7-regional-external-managed")
"""Classes whose load balancers are proxies in a subnet of the customer's.

Source: cloud.google.com load-balancing/docs/firewall-rules.
"""


def balancer(name: str, world: World, wanted: Written, why: str) -> Plane:
    """Return a load balancer of the provider, which dials nodes or pods."""
    span = wanted.item.span
    if name == "aws":
        by_address = wanted.item.annotations.get(_TARGET_TYPE) == "ip"
        said = "its targets are addresses of pods" if by_address else "its targets are nodes"
        # Addresses of its subnets are nowhere in the cluster.
        return Plane(
            "AWS load balancer",
            f"{why}; {said}",
            on_nodes=not by_address,
            dials=Dials.ENDPOINTS if by_address else Dials.NODE_PORT,
            span=wanted.item.span,
        )
    if wanted.class_name in _BY_PROXIES:
        # The subnet's addresses are nowhere in the cluster.
        said = "requests come from the proxy-only subnet of its region"
        name = "Google load balancer (proxy-only subnet)"
        checks = component("lb-gcp-l7").blocks
        return Plane(name, f"{why}; {said}", span=span, elsewhere=checks)
    by_address = (
        any(_NEG in each for each in _annotations(world, wanted))
        or wanted.kind is EntryKind.GATEWAY
    )
    if by_address:
        said = "its backends are endpoint groups"
        blocks = component("lb-gcp-l7").blocks
        return Plane("Google load balancer", f"{why}; {said}", blocks=blocks, span=wanted.item.span)
    said = "its backends are instance groups"
    return Plane(
        "Google load balancer",
        f"{why}; {said}",
        blocks=component("lb-gcp-l7").blocks,
        on_nodes=True,
        dials=Dials.NODE_PORT,
        span=wanted.item.span,
    )


def _annotations(world: World, wanted: Written) -> Iterator[Mapping[str, str]]:
    """Yield the annotations of the Services behind an entry."""
    for rule in wanted.rules:
        for backend in rule.backends:
            service = world.services.get((backend.namespace, backend.service))
            if service is not None:
                yield service.annotations
