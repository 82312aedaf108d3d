"""Cilium's objects in the API's own words: what was written, before anything is made of it.

A list that was not written is None, and one that was written empty is empty: the API tells them
apart. Spans take no part in equality, so that an object built by hand equals the same object read
from a file.

Source: cilium/cilium pkg/k8s/apis/cilium.io/v2, pkg/policy/api.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from cloison.base import Span
from cloison.dialects.cilium.model_rules import (
    CidrRule,
    Element,
    Fqdn,
    HeaderMatch,
    HttpRule,
    Icmp,
    L7Rules,
    Port,
    PortRule,
    Requirement,
    Selector,
    ServiceRef,
)

API_GROUP = "cilium.io"
API_VERSION = "cilium.io/v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What every object has.

    Args:
        name: Its name.
        namespace: Where it lives; None for what lives in no namespace.
        labels: Its labels.
        span: Where it starts.
        created: `metadata.creationTimestamp`, as written; only a server gives one.
    """

    kind: ClassVar[str] = ""
    namespaced: ClassVar[bool] = False

    name: str
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False)
    created: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Render as people name objects: `CiliumNetworkPolicy shop/api`."""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One `spec`: whom it is about, and what they may do.

    Args:
        endpoints: `endpointSelector`, as written: nothing is injected; None when not written.
        nodes: `nodeSelector`; None when not written.
        ingress: What is let in; None when not written.
        egress: What is let out; None when not written.
        ingress_deny: What is kept out; None when not written.
        egress_deny: What is kept in; None when not written.
        default_ingress: `enableDefaultDeny.ingress`; None when not written.
        default_egress: `enableDefaultDeny.egress`; None when not written.
        description: For people.
        log: `log.value`, which Hubble shows beside flows.
        index: 1-based place among the rules of its object: `spec` is the first, then `specs`.
        span: Where it starts.
        endpoints_span: Where its selector is written, of endpoints or nodes.
    """

    endpoints: Selector | None = None
    nodes: Selector | None = None
    ingress: tuple[Element, ...] | None = None
    egress: tuple[Element, ...] | None = None
    ingress_deny: tuple[Element, ...] | None = None
    egress_deny: tuple[Element, ...] | None = None
    default_ingress: bool | None = None
    default_egress: bool | None = None
    description: str = ""
    log: str | None = None
    index: int = 1
    span: Span | None = field(default=None, compare=False)
    endpoints_span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Resource):
    """What both policy kinds have.

    Args:
        rules: Of `spec`, then of `specs`; all of them apply.
    """

    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CiliumNetworkPolicy(Policy):
    """Rules about endpoints of one namespace."""

    kind: ClassVar[str] = "CiliumNetworkPolicy"
    namespaced: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CiliumClusterwideNetworkPolicy(Policy):
    """Rules about endpoints of all namespaces, or about nodes."""

    kind: ClassVar[str] = "CiliumClusterwideNetworkPolicy"


@dataclass(frozen=True, slots=True, kw_only=True)
class CiliumCIDRGroup(Resource):
    """Blocks that policies find by the group's name or labels.

    Args:
        cidrs: `externalCIDRs`, as written.
    """

    kind: ClassVar[str] = "CiliumCIDRGroup"

    cidrs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CiliumEndpoint(Resource):
    """What Cilium says of a pod: the best there is about its identity.

    Args:
        identity: Number of its identity; None when not said.
        identity_labels: Labels of that identity, `source:key=value`; None when not said.
        addresses: Its addresses.
        named_ports: Ports by name, protocol and number.
        ready: Whether its state is `ready`; None when not said.
    """

    kind: ClassVar[str] = "CiliumEndpoint"
    namespaced: ClassVar[bool] = True

    identity: int | None = None
    identity_labels: tuple[str, ...] | None = None
    addresses: tuple[str, ...] = ()
    named_ports: tuple[tuple[str, str, int], ...] = ()
    ready: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CiliumIdentity(Resource):
    """Labels of a number; the name is the number.

    Args:
        security_labels: `source:key` to value: exactly the labels that policies see.
    """

    kind: ClassVar[str] = "CiliumIdentity"

    security_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CiliumLocalRedirectPolicy(Resource):
    """Traffic to an address or a Service that goes to a pod of the same node instead.

    Args:
        address: The address it is about; None where it is about a Service.
        service: Name of the Service of its namespace; None where it is about an address.
        service_namespace: Where the Service is said to be; the policy's own by default.
        frontends: Ports in front, by protocol and number; empty is all of the Service's.
        backends: Which pods of its namespace get the traffic.
        ports: Their ports, by protocol and number.
        frontend_names: Names of the ports in front; empty texts where they have none.
        port_names: Names of the ports of pods.
    """

    kind: ClassVar[str] = "CiliumLocalRedirectPolicy"
    namespaced: ClassVar[bool] = True

    address: str | None = None
    service: str | None = None
    service_namespace: str | None = None
    frontends: tuple[tuple[str, int], ...] = ()
    backends: Selector | None = None
    ports: tuple[tuple[str, int], ...] = ()
    frontend_names: tuple[str, ...] = ()
    port_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CiliumEgressGatewayPolicy(Resource):
    """Which way traffic leaves the cluster; it grants nothing and takes nothing away.

    Args:
        selectors: Whose traffic: pods by namespace and labels.
        destinations: To where.
        excluded: But not to these.
    """

    kind: ClassVar[str] = "CiliumEgressGatewayPolicy"

    selectors: tuple[Selector, ...] = ()
    destinations: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


CiliumObject: TypeAlias = (
    CiliumNetworkPolicy
    | CiliumClusterwideNetworkPolicy
    | CiliumCIDRGroup
    | CiliumEndpoint
    | CiliumIdentity
    | CiliumLocalRedirectPolicy
    | CiliumEgressGatewayPolicy
)


class Entity(StrEnum):
    """Whom a policy can name without a label. Source: pkg/policy/api/entity.go."""

    ALL = "all"
    WORLD = "world"
    CLUSTER = "cluster"
    HOST = "host"
    INIT = "init"
    INGRESS = "ingress"
    UNMANAGED = "unmanaged"
    REMOTE_NODE = "remote-node"
    HEALTH = "health"
    NONE = "none"
    KUBE_APISERVER = "kube-apiserver"


__all__ = [
    "API_GROUP",
    "API_VERSION",
    "CidrRule",
    "CiliumCIDRGroup",
    "CiliumClusterwideNetworkPolicy",
    "CiliumEgressGatewayPolicy",
    "CiliumEndpoint",
    "CiliumIdentity",
    "CiliumLocalRedirectPolicy",
    "CiliumNetworkPolicy",
    "CiliumObject",
    "Element",
    "Entity",
    "Fqdn",
    "HeaderMatch",
    "HttpRule",
    "Icmp",
    "L7Rules",
    "Policy",
    "Port",
    "PortRule",
    "Requirement",
    "Resource",
    "Rule",
    "Selector",
    "ServiceRef",
]
