"""CNI profiles: what each enforcer makes of what NetworkPolicy leaves open.

Rows of data. A value is stated where code, documentation or an issue of the project
says so; where nothing does, the row keeps the general default, and answers that depend
on it carry the general caveat.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from cloison.algebra import ANY, L4, TrafficSet
from cloison.base import QuestionError
from cloison.ir import caveats as general
from cloison.ir.policy import (
    EVERY_TRAFFIC,
    Action,
    AnyMatch,
    Combine,
    Direction,
    LayerSpec,
    Peer,
    Relative,
    RelativeMatch,
    Rule,
    TierSpec,
    TrafficMatch,
)
from cloison.ir.profile import NamedPorts, OtherProtocols, Profile
from cloison.platform import caveats as own

DEFAULT_PROFILE = "generic"
"""The profile of a cluster whose CNI is not known."""

TIER = "networkpolicy"
"""Name of the tier that holds NetworkPolicy objects."""

_INGRESS, _EGRESS = Direction.INGRESS, Direction.EGRESS


def _builtin(
    direction: Direction, relations: tuple[Relative, ...], always: TrafficSet | None
) -> tuple[Rule, ...]:
    """Return allow rules for the relations, then for traffic that always passes."""
    pieces = [(Peer(RelativeMatch(relation)), EVERY_TRAFFIC) for relation in relations]
    if always:
        pieces.append((Peer(AnyMatch()), TrafficMatch(always)))
    return tuple(
        Rule(direction, Action.ALLOW, (peer,), traffic, index)
        for index, (peer, traffic) in enumerate(pieces, start=1)
    )


def _layers(
    other: OtherProtocols = OtherProtocols.UNDEFINED,
    *,
    own_node_egress: bool | None = None,
    always: TrafficSet | None = None,
) -> tuple[LayerSpec, ...]:
    """Return the CNI layer: own node and self before one tier of NetworkPolicies.

    Args:
        other: Fate of protocols beyond TCP, UDP and SCTP.
        own_node_egress: Only True adds the rule; None is left to the caveat.
        always: Traffic let through whatever policies say, in both directions.
    """
    if other is OtherProtocols.ALWAYS_ALLOWED:
        always = (always or TrafficSet()) | (ANY - L4)
    builtin = (
        *_builtin(_INGRESS, (Relative.OWN_NODE, Relative.SELF), always),
        *_builtin(
            _EGRESS,
            (Relative.SELF, Relative.OWN_NODE) if own_node_egress else (Relative.SELF,),
            always,
        ),
    )
    undefined = other is OtherProtocols.UNDEFINED
    tier = TierSpec(
        TIER,
        (Combine.UNION,),
        end=Action.DENY,
        end_scope=L4 if undefined else ANY,
        end_caveat=general.NON_L4 if undefined else None,
    )
    return (LayerSpec("cni", (tier,), Action.ALLOW, builtin),)


def _generic() -> Profile:
    return Profile(
        name="generic",
        title="any conformant CNI",
        layers=_layers(),
        source="kubernetes.io concept page Network Policies; kubernetes/api networking/v1/types.go",
    )


def _calico(version: str) -> Profile:
    return Profile(
        name=f"calico@{version}",
        title=f"Calico {version}",
        layers=_layers(OtherProtocols.PORTLESS_RULES),
        source="projectcalico/calico felix/rules, "
        "libcalico-go/lib/backend/k8s/conversion/conversion.go; Calico documentation",
        init_container_ports=True,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        own_node_egress=False,
    )


def _cilium(version: str) -> Profile:
    known = [own.LABELS_FILTERED, own.POLICY_TYPES_IGNORED]
    if version in ("1.18", "1.19"):
        known += [own.IPBLOCK_ONLY_PEER_DEFECT, own.NAMED_PORT_UNION]
    if version in ("1.19", "1.20"):
        known.append(own.NEGATIVE_NAMESPACE_DEFECT)
    return Profile(
        name=f"cilium@{version}",
        title=f"Cilium {version}",
        layers=_layers(OtherProtocols.PORTLESS_RULES),
        source="cilium/cilium pkg/policy, pkg/k8s; Cilium documentation, Layer 3 and Layer 4 "
        "policies; MicrosoftDocs/azure-aks-docs migrate-from-npm-to-cilium-network-policy.md",
        block_matches_pods=False,
        block_matches_nodes=False,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        own_node_egress=False,
        known=tuple(sorted(known)),
    )


def _aws() -> Profile:
    return Profile(
        name="aws-vpc-cni",
        title="Amazon VPC CNI, network policy agent 1.4",
        layers=_layers(own_node_egress=True),
        source="aws/amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go; "
        "aws/aws-network-policy-agent; Amazon EKS User Guide",
        sctp=True,
        named_ports=NamedPorts.UNION,
        own_node_egress=True,
        known=(
            own.EXCEPT_IS_DENY,
            own.NAMED_PORT_EGRESS_DROPPED,
            own.ONE_FAMILY,
            own.PRE_NAT_EGRESS,
            own.START_WINDOW,
        ),
    )


def _gke() -> Profile:
    return Profile(
        name="gke-dataplane-v2",
        title="GKE Dataplane V2",
        layers=_layers(),
        source="Google Cloud documentation, GKE Dataplane V2; built on Cilium",
        block_matches_pods=False,
        block_matches_nodes=False,
        known=(own.UPSTREAM_VERSION,),
    )


def _azure_npm() -> Profile:
    return Profile(
        name="azure-npm",
        title="Azure Network Policy Manager (Linux)",
        layers=_layers(own_node_egress=True),
        source="Azure/azure-container-networking npm; MicrosoftDocs/azure-aks-docs "
        "articles/aks/use-network-policies.md",
        sctp=True,
        own_node_egress=True,
        known=(own.IPV4_ONLY, own.SNAT_BYPASS, own.START_WINDOW),
    )


def _antrea() -> Profile:
    return Profile(
        name="antrea",
        title="Antrea 2.7 and newer",
        layers=_layers(),
        source="antrea-io/antrea pkg/controller/networkpolicy, docs/design/ovs-pipeline.md",
        sctp=True,
        known=(own.LOCAL_NODE_PORT,),
    )


def _ovn() -> Profile:
    return Profile(
        name="ovn-kubernetes",
        title="OVN-Kubernetes",
        layers=_layers(OtherProtocols.PORTLESS_RULES),
        source="ovn-kubernetes/ovn-kubernetes pkg/ovn/gress_policy.go, libovsdb/util/acl.go",
        sctp=True,
        named_ports=NamedPorts.WHOLE_PROTOCOL,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        known=(own.HOST_NETWORK_NAMESPACE,),
    )


def _kube_router() -> Profile:
    """Echo requests, unreachables and time-exceeded pass before any policy is looked at."""
    v4 = (TrafficSet.icmp(kind) for kind in (3, 8, 11))
    v6 = (TrafficSet.icmp(kind, version=6) for kind in (1, 3, 128))
    always = TrafficSet()
    for each in (*v4, *v6):
        always |= each
    return Profile(
        name="kube-router",
        title="kube-router 2.11",
        layers=_layers(OtherProtocols.PORTLESS_RULES, always=always),
        source="cloudnativelabs/kube-router pkg/controllers/netpol/policy.go",
        sctp=True,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        own_node_egress=False,
        known=(
            own.IPV6_WHOLE_FAMILY,
            own.NODE_PORT_EGRESS,
            own.SERVICE_RANGE_BYPASS,
            own.START_WINDOW,
        ),
    )


def _kube_network_policies() -> Profile:
    return Profile(
        name="kube-network-policies",
        title="kube-network-policies 1.1",
        layers=_layers(OtherProtocols.PORTLESS_RULES),
        source="kubernetes-sigs/kube-network-policies pkg/networkpolicy",
        sctp=True,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        own_node_egress=False,
        known=(own.FAIL_OPEN,),
    )


def _flannel() -> Profile:
    return Profile(
        name="flannel",
        title="Flannel without a policy agent",
        layers=(LayerSpec("cni", ()),),
        source="flannel-io/flannel README",
        enforces=False,
        known=(general.CNI_NOT_ENFORCING,),
    )


def _table() -> Mapping[str, Profile]:
    rows = (
        _generic(),
        *(_calico(version) for version in ("3.31", "3.32")),
        *(_cilium(version) for version in ("1.18", "1.19", "1.20")),
        _aws(),
        _gke(),
        _azure_npm(),
        _antrea(),
        _ovn(),
        _kube_router(),
        _kube_network_policies(),
        _flannel(),
    )
    return MappingProxyType({row.name: row for row in rows})


_PROFILES = _table()


def profile_names() -> tuple[str, ...]:
    """Return the names of all profiles: `generic` first, then by name and version."""
    return tuple(sorted(_PROFILES, key=lambda name: (name != DEFAULT_PROFILE, *_version(name))))


def profile(name: str) -> Profile:
    """Return the profile called `name`.

    Args:
        name: As in `profile_names()`, or without the version for the newest one.

    Raises:
        QuestionError: there is no such profile; the message lists those there are.

    >>> profile("cilium").name
    'cilium@1.20'
    """
    if name in _PROFILES:
        return _PROFILES[name]
    versions = [each for each in _PROFILES if each.partition("@")[0] == name]
    if name and versions:
        return _PROFILES[max(versions, key=_version)]
    message = f"no CNI profile is called {name!r}"
    raise QuestionError(message, help=f"use one of: {', '.join(profile_names())}")


def _version(name: str) -> tuple[str, tuple[int, ...]]:
    """Split `calico@3.32` into its name and a version that compares as numbers."""
    vendor, _, version = name.partition("@")
    return vendor, tuple(int(part) for part in re.findall(r"\d+", version))
