"""Endpoints as published: of questions, of enforcement points, of edges."""

from cloison.algebra import AddressSet, parse_address
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import (
    AddressEnd,
    AnyEnd,
    End,
    EntryEnd,
    NameEnd,
    NodeEnd,
    PodsEnd,
    ServiceEnd,
    SomeNodeEnd,
)
from cloison.analyses.parties import Party
from cloison.ir.names import host_name
from cloison.report.documents.parts import (
    AddressEndpoint,
    AnyPodEndpoint,
    Endpoint,
    GatewayEndpoint,
    NameEndpoint,
    NodeEndpoint,
    PodEndpoint,
    Role,
    Selector,
    ServiceEndpoint,
    WorkloadEndpoint,
    addresses,
)
from cloison.resources.objects import NAMESPACE_NAME_LABEL


def end(known: End) -> Endpoint:
    """Return the end of a question as published."""
    match known:
        case PodsEnd():
            workload = known.workload.id
            if known.text == str(workload) and workload.kind != "Pod":
                return WorkloadEndpoint(
                    namespace=workload.namespace, name=workload.name, type=workload.kind
                )
            return PodEndpoint(namespace=workload.namespace, name=known.text.rpartition("/")[2])
        case NodeEnd() | SomeNodeEnd():
            named = known.node.name if isinstance(known, NodeEnd) else known.text
            return NodeEndpoint(name=named)
        case ServiceEnd() if known.service.redirected is not None:
            return addresses(AddressSet.points((parse_address(known.service.redirected),)))
        case ServiceEnd() | EntryEnd():
            return _front(known)
        case AnyEnd():
            labels = {NAMESPACE_NAME_LABEL: known.namespace} if known.namespace else {}
            chosen = Selector(match_labels=labels)
            return AnyPodEndpoint(namespace_selector=chosen, pod_selector=Selector())
        case NameEnd() | AddressEnd(name=str()):
            return NameEndpoint(name=host_name(known.text.removeprefix("dns:")))
        case AddressEnd():
            return addresses(known.addresses)


def _front(known: ServiceEnd | EntryEnd) -> ServiceEndpoint | GatewayEndpoint:
    """Return what stands in front of pods as published."""
    if isinstance(known, ServiceEnd):
        return ServiceEndpoint(namespace=known.service.namespace, name=known.service.name)
    entry = known.entry
    return GatewayEndpoint(namespace=entry.namespace, name=entry.name, type=str(entry.kind))


def ref(known: EndRef) -> Endpoint:
    """Return the end of an edge as published."""
    match known.kind:
        case "workload":
            return WorkloadEndpoint(
                namespace=known.namespace,
                name=known.name,
                type=known.type,
                roles=_roles(known),
            )
        case "pod":
            return PodEndpoint(namespace=known.namespace, name=known.name, roles=_roles(known))
        case "node":
            return NodeEndpoint(name=known.name)
        case "external-name":
            return NameEndpoint(name=known.name)
        case "service":
            return ServiceEndpoint(namespace=known.namespace, name=known.name, roles=_roles(known))
        case "gateway":
            return GatewayEndpoint(
                namespace=known.namespace,
                name=known.name,
                type=known.type,
                roles=_roles(known),
            )
        case _:
            ranges = list(known.addresses.ranges()) if known.addresses is not None else []
            return AddressEndpoint(ranges=ranges)


def _roles(known: EndRef) -> list[Role]:
    return [
        Role(role=each.role, of=list(each.of), seen=each.seen, assumed=each.assumed)
        for each in known.roles
    ]


def party(known: Party) -> Endpoint:
    """Return one side of a case as published: the pod, or the workload whose pods are alike."""
    endpoint = known.endpoint
    if endpoint is None:
        return _outside(known.text)
    workload = endpoint.workload
    if endpoint.pod is not None or workload.kind == "Pod":
        return PodEndpoint(namespace=endpoint.namespace, name=endpoint.pod or workload.name)
    return WorkloadEndpoint(namespace=workload.namespace, name=workload.name, type=workload.kind)


def _outside(text: str) -> Endpoint:
    """Read back what a case calls an address, a block, a name or a node."""
    if text.startswith("dns:"):
        return NameEndpoint(name=host_name(text.removeprefix("dns:")))
    try:
        return addresses(AddressSet.block(text) if "/" in text else AddressSet.address(text))
    except ValueError:
        return NodeEndpoint(name=text.removeprefix("node:"))
