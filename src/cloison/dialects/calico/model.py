"""Calico's objects in the API's own words: what was written, before anything is made of it.

Spans take no part in equality, so that an object built by hand equals the same object read
from a file. An empty text is an absent one, as in the API (`omitempty`); blanks are not empty.

Source: projectcalico/calico api/pkg/apis/projectcalico/v3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from cloison.base import Span
from cloison.dialects.calico.model_rules import (
    EMPTY_ENTITY,
    Action,
    EntityRule,
    HttpMatch,
    HttpPath,
    Icmp,
    Port,
    Protocol,
    Rule,
    Selector,
    ServiceAccountMatch,
    ServiceMatch,
)
from cloison.dialects.networkpolicy.model import NetworkPolicy as KubernetesNetworkPolicy
from cloison.dialects.networkpolicy.model import PolicyType

API_GROUP = "projectcalico.org"
"""The API that people write to: `calicoctl` and the aggregated API server."""
STORED_GROUP = "crd.projectcalico.org"
"""The backing store, as dumps of clusters show it; nothing was validated or filled in there."""
DEFAULT_TIER = "default"


class StagedAction(StrEnum):
    """What a staged policy proposes. `Learn` and `Ignore` are evaluated like `Set`."""

    SET = "Set"
    DELETE = "Delete"
    LEARN = "Learn"
    IGNORE = "Ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What every object has.

    Args:
        name: Its true name: that of the annotation `projectcalico.org/metadata` where a stored
            object has one, and without the `default.` that the store puts before it.
        namespace: Where it lives; None for what lives in no namespace.
        group: `projectcalico.org`, or `crd.projectcalico.org` for stored objects.
        labels: Its true labels.
        annotations: Its true annotations.
        span: Where it starts.
        created: `metadata.creationTimestamp`, as written: of several settings that select a node
            the oldest wins.
    """

    kind: ClassVar[str] = ""
    namespaced: ClassVar[bool] = False

    name: str
    namespace: str | None = None
    group: str = API_GROUP
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False)
    created: str | None = field(default=None, compare=False)

    @property
    def stored(self) -> bool:
        """Whether it is written as the backing store has it."""
        return self.group == STORED_GROUP

    def __str__(self) -> str:
        """Render as people name objects: `GlobalNetworkPolicy deny-all`."""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Resource):
    """What the four policy kinds have in common; each has only its share of the fields.

    Args:
        tier: `default` when absent or empty.
        order: Place in the tier; None is last.
        selector: Subjects; None is every endpoint in scope.
        namespace_selector: Namespaces of the subjects (global kinds).
        service_account_selector: Service accounts of the subjects.
        types: Directions it governs; None when the field was not written, or written empty.
        ingress: Rules, in order; None when the field was not written.
        egress: Rules, in order; None when the field was not written.
        apply_on_forward: Whether traffic that a host forwards is meant too (global kinds).
        pre_dnat: Whether it is applied before destinations are rewritten (global kinds).
        do_not_track: Whether it is applied before connections are tracked (global kinds).
        performance_hints: As written; no effect.
        staged_action: What a staged policy proposes; None for enforced kinds.
        tier_span: Where `tier` is written.
        types_span: Where `types` is written.
        ingress_span: Where `ingress` is written.
        egress_span: Where `egress` is written.
    """

    staged: ClassVar[bool] = False

    tier: str = DEFAULT_TIER
    order: float | None = None
    selector: Selector | None = None
    namespace_selector: Selector | None = None
    service_account_selector: Selector | None = None
    types: tuple[PolicyType, ...] | None = None
    ingress: tuple[Rule, ...] | None = None
    egress: tuple[Rule, ...] | None = None
    apply_on_forward: bool = False
    pre_dnat: bool = False
    do_not_track: bool = False
    performance_hints: tuple[str, ...] = ()
    staged_action: StagedAction | None = None
    tier_span: Span | None = field(default=None, compare=False)
    types_span: Span | None = field(default=None, compare=False)
    ingress_span: Span | None = field(default=None, compare=False)
    egress_span: Span | None = field(default=None, compare=False)

    @property
    def effective_types(self) -> frozenset[PolicyType]:
        """The directions it governs once those who fill in defaults have done so.

        On the way through the API absent `types` come from the rules that are there; a stored
        object without them was written past the API, and Felix reads it as both.
        Source: projectcalico/calico api/pkg/defaults/networkpolicy.go and
        felix/calc/policy_sorter.go, ExtractPolicyMetadata.
        """
        if self.types:
            return frozenset(self.types)
        if self.stored:
            return frozenset(PolicyType)
        if not self.egress:
            return frozenset({PolicyType.INGRESS})
        return frozenset(PolicyType) if self.ingress else frozenset({PolicyType.EGRESS})

    def rules(self, direction: PolicyType) -> tuple[Rule, ...]:
        """Return the rules written for `direction`, whether or not they are in force."""
        written = self.ingress if direction is PolicyType.INGRESS else self.egress
        return written or ()

    @property
    def bare_name(self) -> str:
        """Its name without the `default.` that Calico up to 3.31 puts before it at will."""
        prefix = f"{DEFAULT_TIER}."
        return self.name.removeprefix(prefix) if self.tier == DEFAULT_TIER else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicy(Policy):
    """Of one namespace, about its pods."""

    kind: ClassVar[str] = "NetworkPolicy"
    namespaced: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalNetworkPolicy(Policy):
    """About pods of every namespace, and hosts."""

    kind: ClassVar[str] = "GlobalNetworkPolicy"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedNetworkPolicy(Policy):
    """A NetworkPolicy on trial."""

    kind: ClassVar[str] = "StagedNetworkPolicy"
    namespaced: ClassVar[bool] = True
    staged: ClassVar[bool] = True

    staged_action: StagedAction | None = StagedAction.SET


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedGlobalNetworkPolicy(Policy):
    """A GlobalNetworkPolicy on trial."""

    kind: ClassVar[str] = "StagedGlobalNetworkPolicy"
    staged: ClassVar[bool] = True

    staged_action: StagedAction | None = StagedAction.SET


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedKubernetesNetworkPolicy(Resource):
    """A NetworkPolicy of Kubernetes on trial.

    Args:
        policy: The policy it proposes, under its own name and namespace.
        staged_action: What it proposes.
    """

    kind: ClassVar[str] = "StagedKubernetesNetworkPolicy"
    namespaced: ClassVar[bool] = True
    staged: ClassVar[bool] = True

    policy: KubernetesNetworkPolicy
    staged_action: StagedAction = StagedAction.SET


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier(Resource):
    """A tier.

    Args:
        order: Its place; None is read as that of `default`.
        default_action: What an endpoint's traffic meets at its end: `Deny` or `Pass`.
    """

    kind: ClassVar[str] = "Tier"

    order: float | None = None
    default_action: Action = Action.DENY


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSet(Resource):
    """Blocks of addresses that policies find by label; inherits its namespace's labels."""

    kind: ClassVar[str] = "NetworkSet"
    namespaced: ClassVar[bool] = True

    nets: tuple[str, ...] = ()
    """Blocks and bare addresses, host bits and all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalNetworkSet(Resource):
    """Blocks of addresses that policies find by label."""

    kind: ClassVar[str] = "GlobalNetworkSet"

    nets: tuple[str, ...] = ()
    """Blocks and bare addresses, host bits and all."""


@dataclass(frozen=True, slots=True)
class EndpointPort:
    """A named port of a host endpoint."""

    name: str
    protocol: Protocol
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEndpoint(Resource):
    """An interface of a host.

    Args:
        node: The host.
        interface_name: The device; `*` is all of them; None where only addresses say.
        expected_ips: Its addresses, the only ones that rule selectors know it by.
        profiles: Profiles that decide after the last tier.
        ports: Named ports.
    """

    kind: ClassVar[str] = "HostEndpoint"

    node: str
    interface_name: str | None = None
    expected_ips: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Resource):
    """Rules that decide after the last tier, and labels that endpoints inherit."""

    kind: ClassVar[str] = "Profile"

    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    labels_to_apply: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IPPool(Resource):
    """Addresses of pods; whether what leaves all pools takes its node's address."""

    kind: ClassVar[str] = "IPPool"

    cidr: str
    nat_outgoing: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class ProtoPort:
    """A failsafe port.

    Args:
        protocol: `TCP`, `UDP` or `SCTP`; in capitals, whichever way it was written.
        port: The port.
        net: Addresses it is for; None for every address.
    """

    protocol: str
    port: int
    net: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FelixConfiguration(Resource):
    """What of Felix's configuration changes verdicts. None is not written.

    Args:
        node_selector: Nodes it is for, when it is neither `default` nor `node.NAME`.
        default_endpoint_to_host_action: `Drop`, `Return` or `Accept`: pods to their own node.
        failsafe_inbound: Ports of hosts that no policy closes; empty switches them off.
        failsafe_outbound: Ports that hosts reach whatever the policy.
        filter_allow_action: `Return`: what policy allows still meets the host's own rules.
        mangle_allow_action: The same before destinations are rewritten.
        chain_insert_mode: `Append`: rules of others come first.
        policy_sync_path_prefix: Set where the application's part of rules is enforced.
        bpf_enabled: Whether the eBPF dataplane enforces.
        settings: Everything else that may change a verdict, as written, by field.
    """

    kind: ClassVar[str] = "FelixConfiguration"

    node_selector: Selector | None = None
    default_endpoint_to_host_action: str | None = None
    failsafe_inbound: tuple[ProtoPort, ...] | None = None
    failsafe_outbound: tuple[ProtoPort, ...] | None = None
    filter_allow_action: str | None = None
    mangle_allow_action: str | None = None
    chain_insert_mode: str | None = None
    policy_sync_path_prefix: str | None = None
    bpf_enabled: bool | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


CalicoObject: TypeAlias = (
    NetworkPolicy
    | GlobalNetworkPolicy
    | StagedNetworkPolicy
    | StagedGlobalNetworkPolicy
    | StagedKubernetesNetworkPolicy
    | Tier
    | NetworkSet
    | GlobalNetworkSet
    | HostEndpoint
    | Profile
    | IPPool
    | FelixConfiguration
)
"""Any object that this dialect reads."""

KINDS: tuple[type[CalicoObject], ...] = (
    NetworkPolicy,
    GlobalNetworkPolicy,
    StagedNetworkPolicy,
    StagedGlobalNetworkPolicy,
    StagedKubernetesNetworkPolicy,
    Tier,
    NetworkSet,
    GlobalNetworkSet,
    HostEndpoint,
    Profile,
    IPPool,
    FelixConfiguration,
)
"""Their types, in the order of the documentation."""

__all__ = [
    "API_GROUP",
    "DEFAULT_TIER",
    "EMPTY_ENTITY",
    "KINDS",
    "STORED_GROUP",
    "Action",
    "CalicoObject",
    "EndpointPort",
    "EntityRule",
    "FelixConfiguration",
    "GlobalNetworkPolicy",
    "GlobalNetworkSet",
    "HostEndpoint",
    "HttpMatch",
    "HttpPath",
    "IPPool",
    "Icmp",
    "NetworkPolicy",
    "NetworkSet",
    "Policy",
    "Port",
    "Profile",
    "ProtoPort",
    "Protocol",
    "Resource",
    "Rule",
    "Selector",
    "ServiceAccountMatch",
    "ServiceMatch",
    "StagedAction",
    "StagedGlobalNetworkPolicy",
    "StagedKubernetesNetworkPolicy",
    "StagedNetworkPolicy",
    "Tier",
]
