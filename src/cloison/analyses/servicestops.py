"""Where calls to a Service end before any pod, and what to do about it."""

from collections.abc import Sequence
from itertools import islice

from cloison.analyses.backends import Members
from cloison.analyses.ends import ServiceEnd
from cloison.analyses.question import Traffic
from cloison.base.words import listed
from cloison.ir import caveats as known
from cloison.platform.routes.model import Stop
from cloison.resources.objects import Service, ServicePort

_TYPES = "kubernetes/api core/v1/types.go ServiceSpec"
_FEW = 3


def not_in_ranges(end: ServiceEnd) -> Stop:
    """Return the end of a call from outside the ranges of clients that a Service takes."""
    return Stop(
        "NotInSourceRanges",
        f"loadBalancerSourceRanges of {end.text} do not hold the client's address: the load "
        "balancer, or kube-proxy, drops the call before any pod",
        f"it admits {', '.join(end.service.source_ranges)}; add the client's block there",
        end.service.span,
        _TYPES,
    )


def not_here(service: Service, node: str) -> Stop:
    """Return the end of a call that stays on a node without a pod behind the Service."""
    name = f"{service.namespace}/{service.name}"
    return Stop(
        "NoLocalEndpoint",
        f"internalTrafficPolicy of Service {name} is Local, and node {node} has no pod behind it",
        "run a pod of it on every node that calls it, or set internalTrafficPolicy: Cluster",
        service.span,
        "kubernetes/api core/v1/types.go ServiceInternalTrafficPolicy",
    )


def no_port(end: ServiceEnd, traffic: Traffic) -> Stop:
    """Return the end of a call to a port that a Service does not have."""
    have = ", ".join(
        f"{p.protocol}/{p.port}{f' ({p.name})' if p.name else ''}" for p in end.service.ports
    )
    return Stop(
        "NoSuchPort",
        f"{end.text} has no port {traffic.text}",
        f"it has {have or 'no ports'}",
        end.service.span,
        "kubernetes/api core/v1/types.go ServicePort",
    )


def nobody(end: ServiceEnd, found: Members) -> Stop:
    """Return the end of a call to a Service that nobody is behind, as far as is known."""
    service, without = end.service, found.left_out
    if without:
        return Stop(
            "NoReadyEndpoints",
            f"no pod behind {end.text} is an endpoint",
            f"{listed(left_out(without))}; see why its probes fail",
            service.span,
            "kubernetes/kubernetes staging/src/k8s.io/endpointslice/utils.go",
        )
    if found.unread:
        return Stop(
            "EndpointsNotRead",
            f"nothing in the input says what is behind {end.text}: it has no selector",
            "add its EndpointSlices, or its Endpoints, to the input: others write them",
            service.span,
            _TYPES,
            known.ENDPOINTS_NOT_READ,
        )
    chosen = ", ".join(f"{k}={v}" for k, v in sorted((service.selector or {}).items()))
    said = "its EndpointSlices list nobody"
    if service.selector:
        said = f"it selects {chosen} in {service.namespace}; check the labels and its targetPort"
    return Stop("NoEndpoints", f"no pod is behind {end.text}", said, service.span, _TYPES)


def no_target(end: ServiceEnd, port: ServicePort, lacking: Sequence[str]) -> Stop:
    """Return the end of a call to a port that no pod behind a Service has."""
    about = left_out(tuple(lacking))
    text = f"no pod is behind {end.text} port {port.port}: its slices list no such port"
    if isinstance(port.target, str):
        what = f"a {port.protocol} port named {port.target!r}"
        text = f"no pod is behind {end.text} port {port.port}: none of them declares {what}"
    return Stop(
        "NoSuchTargetPort",
        text,
        f"{listed(about)}; check its targetPort" if about else "check the ports of its slices",
        end.service.span,
        "kubernetes/kubernetes staging/src/k8s.io/endpointslice/utils.go FindPort",
    )


def left_out(said: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is said of pods that are no endpoints, of many pods by their number."""
    few = tuple(islice(dict.fromkeys(said), _FEW))
    return (*few, f"{len(said) - _FEW} more are none") if len(said) > _FEW else few
