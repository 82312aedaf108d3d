"""AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy in their own words.

What was written, before anything is made of it. Absent and empty are kept apart (`None` and
`()`). Spans take no part in equality, so a policy built by hand equals the same policy read
from a file.

Source: kubernetes-sigs/network-policy-api apis/v1alpha1 (branch release-0.1) and apis/v1alpha2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from cloison.base import Span
from cloison.dialects.networkpolicy.model import LabelSelector, LabelSelectorRequirement


class Tier(StrEnum):
    """A tier of ClusterNetworkPolicy."""

    ADMIN = "Admin"
    BASELINE = "Baseline"


@dataclass(frozen=True, slots=True)
class NamespacedPod:
    """Pods by labels, in namespaces by labels.

    Args:
        pod_selector: Which pods.
        namespace_selector: In which namespaces; absent, which only ClusterNetworkPolicy may say,
            is all of them.
        span: Where it stands.
    """

    pod_selector: LabelSelector
    namespace_selector: LabelSelector | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a policy applies to: exactly one of the two."""

    namespaces: LabelSelector | None = None
    pods: NamespacedPod | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Peer:
    """One item of `from` or `to`. None of the fields is a peer of a kind that we do not know.

    Args:
        namespaces: Every pod of these namespaces.
        pods: Pods of some namespaces.
        nodes: Nodes; experimental.
        networks: Address blocks.
        domain_names: DNS names; experimental.
        span: Where it stands.
    """

    namespaces: LabelSelector | None = None
    pods: NamespacedPod | None = None
    nodes: LabelSelector | None = None
    networks: tuple[str, ...] | None = None
    domain_names: tuple[str, ...] | None = None
    span: Span | None = field(default=None, compare=False)

    @property
    def known(self) -> bool:
        """Whether it has any field that we know."""
        fields = (self.namespaces, self.pods, self.nodes, self.networks, self.domain_names)
        return any(each is not None for each in fields)


@dataclass(frozen=True, slots=True)
class PortNumber:
    """`portNumber` of v1alpha1."""

    port: int
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class PortRange:
    """`portRange` of v1alpha1, both ends included. Nothing says that they are in order."""

    start: int
    end: int
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """One item of `ports` of v1alpha1: exactly one of these."""

    port_number: PortNumber | None = None
    port_range: PortRange | None = None
    named_port: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DestinationPort:
    """`destinationPort` of v1alpha2: a number, or a range with both ends included."""

    number: int | None = None
    range: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Protocol:
    """One item of `protocols` of v1alpha2: exactly one of these."""

    tcp: DestinationPort | None = None
    udp: DestinationPort | None = None
    sctp: DestinationPort | None = None
    destination_named_port: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """An ingress or egress rule.

    Args:
        action: `Allow`, `Deny` and `Pass` in v1alpha1, `Accept`, `Deny` and `Pass` in v1alpha2.
        peers: `from` of an ingress rule, `to` of an egress rule.
        ports: Destination ports, in v1alpha1; absent is all traffic.
        protocols: Destination ports, in v1alpha2; absent is all traffic.
        name: What somebody called it.
        unknown: Fields of a stored rule that are newer than we are, so that nobody knows what it
            matches.
        span: Where it stands.
    """

    action: str
    peers: tuple[Peer, ...]
    ports: tuple[Port, ...] | None = None
    protocols: tuple[Protocol, ...] | None = None
    name: str | None = None
    unknown: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What the three kinds have in common.

    Args:
        name: Its name.
        subject: What it applies to.
        ingress: Ingress rules; `None` when the field was not written.
        egress: Egress rules; `None` when the field was not written.
        labels: Labels of the object. They mean nothing to enforcement.
        annotations: Annotations of the object.
        span: Where the object starts.
        created: `metadata.creationTimestamp`, as written; only a server gives one.
    """

    name: str
    subject: Subject
    ingress: tuple[Rule, ...] | None = None
    egress: tuple[Rule, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False)
    created: str | None = field(default=None, compare=False)
    kind: ClassVar[str]
    api_version: ClassVar[str] = "policy.networking.k8s.io/v1alpha1"

    @property
    def namespace(self) -> None:
        """No namespace: the kinds are cluster-wide."""
        return

    def __str__(self) -> str:
        """Render as people name objects: `AdminNetworkPolicy tenants`."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminNetworkPolicy(_Common):
    """A `policy.networking.k8s.io/v1alpha1` AdminNetworkPolicy.

    Args:
        priority: Lower is tried earlier.
    """

    kind: ClassVar[str] = "AdminNetworkPolicy"
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineAdminNetworkPolicy(_Common):
    """A `policy.networking.k8s.io/v1alpha1` BaselineAdminNetworkPolicy."""

    kind: ClassVar[str] = "BaselineAdminNetworkPolicy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNetworkPolicy(_Common):
    """A `policy.networking.k8s.io/v1alpha2` ClusterNetworkPolicy.

    Args:
        tier: Before or after NetworkPolicy.
        priority: Lower is tried earlier within the tier.
    """

    kind: ClassVar[str] = "ClusterNetworkPolicy"
    api_version: ClassVar[str] = "policy.networking.k8s.io/v1alpha2"
    tier: Tier
    priority: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stored or newer object of which we know that it exists, not what it says.

    Args:
        kind: Its kind.
        name: Its name.
        reason: What we lack.
        span: Where it starts.
    """

    kind: str
    name: str
    reason: str
    span: Span | None = field(default=None, compare=False)

    @property
    def namespace(self) -> None:
        """No namespace: the kinds are cluster-wide."""
        return

    def __str__(self) -> str:
        """Render as people name objects."""
        return f"{self.kind} {self.name}"


Policy: TypeAlias = AdminNetworkPolicy | BaselineAdminNetworkPolicy | ClusterNetworkPolicy
"""A policy that can be read."""

Object: TypeAlias = Policy | Unreadable
"""Anything that the dialect reads."""

__all__ = [
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy",
    "DestinationPort",
    "LabelSelector",
    "LabelSelectorRequirement",
    "NamespacedPod",
    "Object",
    "Peer",
    "Policy",
    "Port",
    "PortNumber",
    "PortRange",
    "Protocol",
    "Rule",
    "Subject",
    "Tier",
    "Unreadable",
]
