"""CNI profiles: what each enforcer makes of what NetworkPolicy leaves open.

Rows of data. A value is stated where code, documentation or an issue of the project
says so; where nothing does, the row keeps the general default, and answers that depend
on it carry the general caveat.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from math import inf
from types import MappingProxyType

from cloison.algebra import TrafficSet
from cloison.base import QuestionError
from cloison.dialects.calico.caveats import ENDPOINT_TO_HOST
from cloison.ir import caveats as general
from cloison.ir.policy import Action, Combine, LayerSpec, TierSpec
from cloison.ir.profile import NamedPorts, OtherProtocols, Place, Profile, Quirk, Reading
from cloison.platform import caveats as own
from cloison.platform import cilium
from cloison.platform.layers import ADMIN, layers, places

DEFAULT_PROFILE = "generic"
"""The profile of a cluster whose CNI is not known."""

NO_ENFORCER = "none"
"""The profile of a cluster where nobody enforces policies."""

_PLAIN = Place(ADMIN)
_NOT_ENFORCED = places(None, None)


def _generic() -> Profile:
    return Profile(
        name="generic",
        title="any conformant CNI",
        layers=layers(cluster=True),
        places=places(_PLAIN, _PLAIN),
        source="kubernetes.io concept page Network Policies; kubernetes/api networking/v1/types.go",
    )


CALICO_GROUP = "projectcalico.org"
"""What the names of Calico's own kinds begin with among the places of a profile: some of them
are called as others are."""

_CALICO_ORDER = 1000.0
"""Where Calico puts a NetworkPolicy among its own policies in the tier `default`."""

_CALICO_LACKS = frozenset({"nodes", "domainNames"})
"""Peers of the administrators' policies that Calico does not convert."""


def _calico_tier(name: str, order: float, end: Action | None) -> TierSpec:
    """Return a tier that Calico comes with. Those that do not exist are later than all others."""
    return TierSpec(name, (Combine.FIRST_MATCH,), end, order=(0, order, name))


def _calico_layers(first: str, last: str) -> tuple[LayerSpec, ...]:
    """Return Calico's tiers, those for administrators by the names they have in its version."""
    tiers: tuple[TierSpec, ...] = (
        _calico_tier(first, 1000.0, None),
        _calico_tier("default", 1_000_000.0, Action.DENY),
        _calico_tier(last, 10_000_000.0, None),
    )
    return tuple(replace(layer, tiers=tiers) for layer in layers())


def _calico_own(**ties: str) -> Mapping[str, Place]:
    """Return the places of Calico's own kinds: what names no tier is in `default`, at its end."""
    return {f"{CALICO_GROUP}/{kind}": Place("default", inf, tie) for kind, tie in ties.items()}


def _calico_new() -> Profile:
    """Return Calico since 3.32: equal orders are told apart by name, namespace and kind."""
    cluster = "{name}//KubernetesClusterNetworkPolicy"
    return _calico(
        "3.32",
        _calico_layers("kube-admin", "kube-baseline"),
        {
            **_calico_own(
                NetworkPolicy="{name}/{namespace}/NetworkPolicy",
                GlobalNetworkPolicy="{name}//GlobalNetworkPolicy",
                StagedNetworkPolicy="{name}/{namespace}/StagedNetworkPolicy",
                StagedGlobalNetworkPolicy="{name}//StagedGlobalNetworkPolicy",
                StagedKubernetesNetworkPolicy="{name}/{namespace}/StagedKubernetesNetworkPolicy",
            ),
            "NetworkPolicy": Place(
                "default", _CALICO_ORDER, "{name}/{namespace}/KubernetesNetworkPolicy"
            ),
            "ClusterNetworkPolicy/Admin": Place("kube-admin", None, cluster, lacks=_CALICO_LACKS),
            "ClusterNetworkPolicy/Baseline": Place(
                "kube-baseline", None, cluster, lacks=_CALICO_LACKS
            ),
            "AdminNetworkPolicy": None,
            "BaselineAdminNetworkPolicy": None,
        },
        segments=True,
    )


def _calico_old() -> Profile:
    """Return Calico up to 3.31: equal orders are told apart by the names it gives inside."""
    first, last = "adminnetworkpolicy", "baselineadminnetworkpolicy"
    lacks = _CALICO_LACKS | {"namedPort"}
    return _calico(
        "3.31",
        _calico_layers(first, last),
        {
            **_calico_own(
                NetworkPolicy="{namespace}/{tier}.{name}",
                GlobalNetworkPolicy="{tier}.{name}",
                StagedNetworkPolicy="{namespace}/staged:{tier}.{name}",
                StagedGlobalNetworkPolicy="staged:{tier}.{name}",
                StagedKubernetesNetworkPolicy="{namespace}/staged:knp.{tier}.{name}",
            ),
            "NetworkPolicy": Place("default", _CALICO_ORDER, "{namespace}/knp.default.{name}"),
            "ClusterNetworkPolicy/Admin": None,
            "ClusterNetworkPolicy/Baseline": None,
            "AdminNetworkPolicy": Place(first, None, f"kanp.{first}.{{name}}", lacks=lacks),
            "BaselineAdminNetworkPolicy": Place(
                last, _CALICO_ORDER, f"kbanp.{last}.{{name}}", lacks=lacks
            ),
        },
    )


def _calico(
    version: str,
    layers: tuple[LayerSpec, ...],
    places: Mapping[str, Place | None],
    *,
    segments: bool | None = None,
) -> Profile:
    return Profile(
        name=f"calico@{version}",
        title=f"Calico {version}",
        layers=layers,
        source="projectcalico/calico felix/rules, felix/calc/policy_sorter.go, "
        "libcalico-go/lib/backend/k8s/conversion; Calico documentation",
        init_container_ports=True,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        own_node_egress=False,
        own_node_then=ENDPOINT_TO_HOST,
        host_objects=True,
        keeps_connections=True,
        places=MappingProxyType(places),
        groups_prefix="pcns.",
        # 3.31 does from 3.31.6 on, 3.30 from 3.30.8.
        http_segments=segments,
    )


def _aws() -> Profile:
    return Profile(
        name="aws-vpc-cni",
        title="Amazon VPC CNI, network policy agent 1.4",
        layers=layers(own_node_egress=True, ends_both=True, denies=True),
        places=_NOT_ENFORCED,
        source="aws/amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go; "
        "aws/aws-network-policy-agent; Amazon EKS User Guide",
        sctp=True,
        named_ports=NamedPorts.UNION,
        own_node_egress=True,
        # Agents let the primary address of the node through: aws-network-policy-agent pkg/fwrp.
        own_node_whole=False,
        egress_before_translation=True,
        reading=Reading(
            names_need_pods=True,
            host_pods=True,
            sticky_holes=Quirk(own.EXCEPT_IS_DENY, "no rule allows the identical block"),
        ),
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
        layers=layers(),
        source="Google Cloud documentation, GKE Dataplane V2; built on Cilium",
        block_matches_pods=False,
        block_matches_nodes=False,
        bundles="cilium",
        known=(own.UPSTREAM_VERSION,),
    )


def _azure_npm() -> Profile:
    return Profile(
        name="azure-npm",
        title="Azure Network Policy Manager (Linux)",
        layers=layers(own_node_egress=True),
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
        layers=layers(cluster=True),
        places=places(
            Place(ADMIN, caveats=(own.CLUSTER_POLICY_GATE,)),
            Place(
                ADMIN,
                passes_unknown=True,
                caveats=(own.CLUSTER_POLICY_GATE, own.PORT_NAME_PROTOCOL),
            ),
        ),
        source="antrea-io/antrea pkg/controller/networkpolicy, docs/design/ovs-pipeline.md",
        sctp=True,
        known=(own.LOCAL_NODE_PORT,),
    )


_HOST_NAMESPACE = (
    ("kubernetes.io/metadata.name", "openshift-host-network"),
    ("policy-group.network.openshift.io/host-network", ""),
)
"""The namespace that stands for nodes. Source: Red Hat OpenShift documentation, Network policy."""


def _ovn() -> Profile:
    return Profile(
        name="ovn-kubernetes",
        title="OVN-Kubernetes",
        layers=layers(OtherProtocols.PORTLESS_RULES, cluster=True),
        places=places(Place(ADMIN, last=99), None),
        source="ovn-kubernetes/ovn-kubernetes pkg/ovn/gress_policy.go, libovsdb/util/acl.go",
        sctp=True,
        named_ports=NamedPorts.WHOLE_PROTOCOL,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        reading=Reading(
            host_namespace=Quirk(own.HOST_NETWORK_NAMESPACE, "nodes count as a namespace"),
            host_labels=_HOST_NAMESPACE,
        ),
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
        layers=layers(OtherProtocols.PORTLESS_RULES, always=always),
        places=_NOT_ENFORCED,
        source="cloudnativelabs/kube-router pkg/controllers/netpol/policy.go",
        sctp=True,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        own_node_egress=False,
        reading=Reading(whole_v6=("2000::/3", "fd00::/8")),
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
        layers=layers(OtherProtocols.PORTLESS_RULES, cluster=True, ends_both=True),
        places=places(Place(ADMIN, caveats=(own.ADMIN_POLICY_IMAGE,)), _PLAIN, "{name}"),
        source="kubernetes-sigs/kube-network-policies pkg/networkpolicy",
        sctp=True,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        own_node_egress=False,
        known=(own.FAIL_OPEN,),
    )


def _without(name: str, title: str, source: str) -> Profile:
    """Return what a network plugin makes of policies that reads none."""
    return Profile(
        name=name,
        title=title,
        layers=(LayerSpec("cni", ()),),
        places=_NOT_ENFORCED,
        source=source,
        enforces=False,
        known=(general.CNI_NOT_ENFORCING,),
    )


def _table() -> Mapping[str, Profile]:
    rows = (
        _generic(),
        _calico_old(),
        _calico_new(),
        *(cilium.profile(version, {}) for version in cilium.VERSIONS),
        _aws(),
        _gke(),
        _azure_npm(),
        _antrea(),
        _ovn(),
        _kube_router(),
        _kube_network_policies(),
        _without("flannel", "Flannel without a policy agent", "flannel-io/flannel README"),
        _without(
            NO_ENFORCER,
            "a cluster without a policy agent",
            "kubernetes.io concept page Network Policies, prerequisites",
        ),
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


def names_together(found: Profile) -> bool:
    """Return whether an enforcer looks a port name towards others up among all pods at once.

    Where pods give it different numbers it then stands for none.

    >>> names_together(profile("cilium@1.19")), names_together(profile("generic"))
    (True, False)
    """
    return cilium.names_together(found)


def _version(name: str) -> tuple[str, tuple[int, ...]]:
    """Split `calico@3.32` into its name and a version that compares as numbers."""
    vendor, _, version = name.partition("@")
    return vendor, tuple(int(part) for part in re.findall(r"\d+", version))
