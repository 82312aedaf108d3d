"""NetworkPolicy in the API's own words: what was written, before anything is made of it.

Absent and empty are kept apart (`None` and `()`), because a reader who wrote `egress: []`
meant something even where the API does not tell the two apart. Spans take no part in
equality, so a policy built by hand equals the same policy read from a file.

Source: kubernetes/api networking/v1/types.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cloison.base import Span


class PolicyType(StrEnum):
    """A direction, as `policyTypes` spells it."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


@dataclass(frozen=True, slots=True)
class LabelSelectorRequirement:
    """One entry of `matchExpressions`, as written; the operator may be no operator at all."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """A selector as written. Empty matches everything; absent is `None` in its holder."""

    match_labels: Mapping[str, str] = field(default_factory=dict)
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()
    span: Span | None = field(default=None, compare=False)

    @property
    def empty(self) -> bool:
        """Whether it demands nothing."""
        return not self.match_labels and not self.match_expressions


@dataclass(frozen=True, slots=True)
class IPBlock:
    """A block of addresses and what is cut out of it, as written."""

    cidr: str
    except_: tuple[str, ...] = ()
    """The API's `except`, a word Python keeps for itself."""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NetworkPolicyPeer:
    """One item of `from` or `to`. `None` is absent, which is not the empty selector."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NetworkPolicyPort:
    """One item of `ports`. An absent `protocol` is TCP; an absent `port` is every port of it."""

    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NetworkPolicyRule:
    """An ingress or egress rule.

    Args:
        peers: `from` of an ingress rule, `to` of an egress rule; absent and empty are
            every peer.
        ports: Absent and empty are all traffic.
        span: Where the rule starts.
    """

    peers: tuple[NetworkPolicyPeer, ...] | None = None
    ports: tuple[NetworkPolicyPort, ...] | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """A `networking.k8s.io/v1` NetworkPolicy.

    Args:
        namespace: The namespace it lives in, and the only one whose pods it can select.
        name: Its name.
        pod_selector: Subject pods; `None` when the field was not written, which selects
            every pod of the namespace, as the empty selector does.
        policy_types: Directions it isolates; `None` when the field was not written.
        ingress: Ingress rules; `None` when the field was not written.
        egress: Egress rules; `None` when the field was not written.
        labels: Labels of the object. They mean nothing to enforcement.
        annotations: Annotations of the object.
        span: Where the object starts.
        policy_types_span: Where the `policyTypes` field stands.
        ingress_span: Where the `ingress` field stands.
        egress_span: Where the `egress` field stands.
        created: `metadata.creationTimestamp`, as written; only a server gives one.
    """

    namespace: str
    name: str
    pod_selector: LabelSelector | None = field(default_factory=LabelSelector)
    policy_types: tuple[str, ...] | None = None
    ingress: tuple[NetworkPolicyRule, ...] | None = None
    egress: tuple[NetworkPolicyRule, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False)
    policy_types_span: Span | None = field(default=None, compare=False)
    ingress_span: Span | None = field(default=None, compare=False)
    egress_span: Span | None = field(default=None, compare=False)
    created: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Render as people name objects: `NetworkPolicy web/deny-all`."""
        return f"NetworkPolicy {self.namespace}/{self.name}"

    @property
    def effective_types(self) -> frozenset[PolicyType]:
        """The directions it isolates once the API server has filled in the default.

        Without `policyTypes` that is ingress, and egress only when there is at least one
        egress rule.
        Source: kubernetes/kubernetes pkg/apis/networking/v1/defaults.go,
        SetDefaults_NetworkPolicy.
        """
        if self.policy_types:
            return frozenset(PolicyType(t) for t in self.policy_types)
        if self.egress:
            return frozenset(PolicyType)
        return frozenset({PolicyType.INGRESS})

    def rules(self, direction: PolicyType) -> tuple[NetworkPolicyRule, ...]:
        """Return the rules written for `direction`, whether or not they are in force."""
        written = self.ingress if direction is PolicyType.INGRESS else self.egress
        return written or ()
