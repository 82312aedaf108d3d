"""Cilium's profiles: what its version and the cluster's settings make of policies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from cloison.dialects.cilium.caveats import (
    AUDIT_MODE,
    CIDR_PODS,
    PORT_NAME_TABLE,
    SETTING_UNREAD,
)
from cloison.dialects.cilium.switches import (
    NORMALISED,
    NORMALIZE_PATH,
    PRODUCT,
    TOLD_APART,
    CidrMatch,
    EnablePolicy,
    Switches,
    find,
    parsed,
    pattern,
    version_of,
)
from cloison.dialects.cilium.unsettled import U1, U4
from cloison.ir import caveats as general
from cloison.ir.fidelity import Caveat
from cloison.ir.keypattern import KeyPattern
from cloison.ir.peers import PodsMatch, Relative, UnknownMatch
from cloison.ir.policy import Action, Combine, Direction, LayerSpec, Policy, PolicyId, TierSpec
from cloison.ir.profile import (
    Against,
    Exemption,
    LabelFilter,
    NamedPorts,
    OtherProtocols,
    Place,
    Profile,
    Quirk,
    Reading,
)
from cloison.platform import caveats as own
from cloison.platform.layers import ADMIN, TIER, among, builtin, places

CILIUM_GROUP: Final = "cilium.io"
"""What the names of Cilium's own kinds begin with among the places of a profile."""

_WHOLE_NODE: Final = (1, 17)
"""The first version to which every address of a node is the node."""

_NAMES_PER_PEER: Final = (1, 20)
"""Since when a port name towards others means on each of them what that declares."""
VERSIONS: Final = ("1.18", "1.19", "1.20")

CLUSTER_POLICIES: Final = "enable-k8s-cluster-network-policy"
"""The setting that is off by default, and taken to be on for who writes such policies."""

_INCLUDE: Final = (
    r"io\.kubernetes\.pod\.namespace",
    r"io\.cilium\.k8s\.namespace\.labels",
    r"app\.kubernetes\.io",
    r"io\.cilium\.k8s\.policy\.cluster",
    r"io\.cilium\.k8s\.policy\.serviceaccount",
)
_IGNORE: Final = (
    r"io\.kubernetes",
    r"kubernetes\.io",
    r"statefulset\.kubernetes\.io/pod-name",
    r"apps\.kubernetes\.io/pod-index",
    r"batch\.kubernetes\.io/job-completion-index",
    r"batch\.kubernetes\.io/controller-uid",
    r".*beta\.kubernetes\.io",
    r"k8s\.io",
    r"pod-template-generation",
    r"pod-template-hash",
    r"controller-revision-hash",
    r"controller-uid",
    r"annotation.*",
    r"etcd_node",
    r"topology\.kubernetes\.io",
)
"""Labels that policies see and do not see by default. Source: pkg/labelsfilter/filter.go."""

_REFUSALS: Final = MappingProxyType(
    {
        "http": "the proxy answers with HTTP 403",
        "dns": "the DNS proxy answers REFUSED",
        "tls": "the proxy resets the connection",
    }
)
"""What a client sees. Source: Cilium documentation, Layer 7 policies."""

_OF_NAMESPACES = "io.cilium.k8s.namespace.labels."
CLUSTER_LABEL: Final = "io.cilium.k8s.policy.cluster"
"""The label that says of which cluster an endpoint is."""

_ACCOUNT = "io.cilium.k8s.policy.serviceaccount"


def profile(version: str, said: Mapping[str, str]) -> Profile:
    """Return the profile of a version, in a cluster with some settings.

    Args:
        version: As in `VERSIONS`.
        said: Settings, by the names Cilium has for them.

    Raises:
        QuestionError: there is no such setting, or it has no such value.
    """
    name = f"{PRODUCT}@{version}"
    said = {find(each).name: text for each, text in said.items()}
    switches = parsed(version_of(name), said)
    enforces = switches.enable_policy is not EnablePolicy.NEVER
    flagged = _flagged(switches)
    nodes, pods = (mode in switches.cidr_match for mode in (CidrMatch.NODES, CidrMatch.PODS))
    return Profile(
        name=name,
        title=f"Cilium {version}",
        enforces=enforces,
        layers=_layers(switches, cluster=flagged) if enforces else (LayerSpec("cni", ()),),
        places=_places(switches, flagged=flagged),
        source="cilium/cilium pkg/policy, pkg/k8s; Cilium documentation, Layer 3 and Layer 4 "
        "policies; MicrosoftDocs/azure-aks-docs migrate-from-npm-to-cilium-network-policy.md",
        block_matches_pods=pods and switches.u4 is U4.MATCHES_LIKE_NODES,
        block_matches_nodes=nodes,
        sctp=switches.sctp if "enable-sctp" in said else None,
        named_ports=NamedPorts.PER_POD,
        last_port_name=True,
        other_protocols=OtherProtocols.PORTLESS_RULES,
        own_node_egress=False,
        keeps_connections=False,
        refusals=_REFUSALS,
        normalises=NORMALIZE_PATH if switches.normalises_paths else None,
        tells_apart=TOLD_APART if switches.normalises_paths else (*TOLD_APART, *NORMALISED),
        known=tuple(sorted(_known(switches))),
        visible=label_filter(switches.labels),
        reading=_reading(switches),
        exemptions=tuple(_exemptions(switches)) if enforces else (),
        around=tuple(_around(switches)),
        switches=MappingProxyType(said),
    )


def names_together(found: Profile) -> bool:
    """Return whether a port name towards others is looked up among all pods of the cluster at once.

    Where pods give it different numbers it then stands for none. Since 1.20 it means on each pod
    what that declares. Source: cilium/cilium pkg/types/portmap.go.

    Args:
        found: The profile.

    >>> names_together(profile("1.19", {})), names_together(profile("1.20", {}))
    (True, False)
    """
    product, _, _ = found.name.partition("@")
    return product == PRODUCT and version_of(found.name) < _NAMES_PER_PEER


def configured(found: Profile, said: Mapping[str, str], unread: Sequence[str] = ()) -> Profile:
    """Return a profile as it is in a cluster with some settings, besides those it knows.

    That of another product is left as it is: the settings are not its own.

    Args:
        found: The profile.
        said: Settings, by the names Cilium has for them.
        unread: Names of settings that say something which nobody knows: all is open then.

    Raises:
        QuestionError: there is no such setting, or it has no such value.
    """
    product, _, version = found.name.partition("@")
    if product != PRODUCT:
        return found
    if said:
        whole = found.own_node_whole
        found = replace(profile(version, {**found.switches, **said}), own_node_whole=whole)
    return replace(found, around=(*found.around, _unread(unread))) if unread else found


def aged(found: Profile, version: str) -> Profile:
    """Return a profile as an agent sees things that is older than all that there are profiles of.

    Before 1.17, an agent left out addresses of interfaces that are down, such as a cache for
    names may have: they were addresses like any others. Source: pkg/node/address_linux.go;
    MicrosoftDocs/azure-aks-docs articles/aks/azure-cni-powered-by-cilium.md.

    Args:
        found: The profile that is nearest.
        version: The agent's version.

    >>> aged(profile("1.18", {}), "1.16.6").own_node_whole
    False
    """
    old = tuple(int(each) for each in version.split(".")[:2]) < _WHOLE_NODE
    return replace(found, own_node_whole=False) if old else found


def _unread(names: Sequence[str]) -> Policy:
    reason = f"what {', '.join(names)} says in the ConfigMap is not known"
    return Policy(
        PolicyId("setting", None, ", ".join(names)),
        (PodsMatch(),),
        frozenset(Direction),
        (),
        TIER,
        stated=False,
        opaque=UnknownMatch(reason, SETTING_UNREAD),
    )


def label_filter(patterns: tuple[str, ...] = ()) -> LabelFilter:
    """Return which labels policies see.

    Args:
        patterns: What the setting `labels` adds.
    """
    more = [pattern(each) for each in patterns]
    shown = [each for each, hidden in more if not hidden]
    return LabelFilter(
        (*map(KeyPattern, _INCLUDE), *(each for each in shown if each)),
        (*map(KeyPattern, _IGNORE), *(each for each, hidden in more if hidden and each)),
        only=bool(shown),
        namespaces=_OF_NAMESPACES,
        accounts=_ACCOUNT,
    )


def _flagged(switches: Switches) -> bool:
    """Whether ClusterNetworkPolicies have tiers; where nobody says, objects speak for it."""
    return switches.version >= (1, 20) and switches.cluster_policies is not False


def _layers(switches: Switches, *, cluster: bool) -> tuple[LayerSpec, ...]:
    """Return the CNI layer: one tier of all kinds, and what no policy is asked about before it.

    What a pod sends to itself, and what its own Service leads back to it, is not looked at; nor is
    what stays on the network of one node, by its host firewall.
    Source: bpf/bpf_lxc.c, bpf/bpf_host.c.
    """
    alone = (Relative.SELF, Relative.RETURNED, Relative.LOOPBACK)
    inward = (Relative.OWN_NODE, *alone) if switches.exempts_localhost else alone
    rules = (*builtin(Direction.INGRESS, inward), *builtin(Direction.EGRESS, alone))
    end = Action.ALLOW if switches.audit else Action.DENY
    # What is audited still meets the proxy: requests that no rule lets through come after rules,
    # then what passes only because it is audited. Where tiers follow that must not see such
    # requests, those that rules only look at come last.
    several = switches.audit or cluster
    count = 1 + several + switches.audit + cluster
    # What a policy closes is denied once no tier has anything to say of it.
    tier = TierSpec(
        TIER,
        (Combine.DENY_OVERRIDES,) * count,
        end,
        order=(2,),
        returned=Action.ALLOW,
        ending=1 if several else None,
        loose=count - 1 if cluster else None,
        late=cluster,
        passed_caveat=AUDIT_MODE if switches.audit else None,
    )
    return (LayerSpec("cni", among(tier, cluster=cluster), Action.ALLOW, rules),)


def _places(switches: Switches, *, flagged: bool) -> Mapping[str, Place | None]:
    gate = () if switches.cluster_policies else (own.CLUSTER_POLICY_GATE,)
    named = (own.NAMES_OPEN_DNS.id, frozenset(("nodes", "domainNames")))
    gated = Place(ADMIN, by_rule=True, caveats=(*gate, own.NAMES_OPEN_DNS), only=(named,))
    here = Place(TIER)
    enforced = {
        "NetworkPolicy": switches.kubernetes,
        f"{CILIUM_GROUP}/CiliumNetworkPolicy": switches.own,
        f"{CILIUM_GROUP}/CiliumClusterwideNetworkPolicy": switches.clusterwide,
    }
    return MappingProxyType(
        {
            **{kind: here if on else None for kind, on in enforced.items()},
            **places(None, gated if flagged else None),
        }
    )


_AGAINST = {
    None: Against.UNKNOWN,
    U1.DENY_WINS: Against.YIELDS,
    U1.LOCALHOST_WINS: Against.FIRST,
}


def _exemptions(switches: Switches) -> Iterator[Exemption]:
    """Yield what is let in whatever policies leave out: what a pod's own node sends."""
    if switches.exempts_localhost:
        yield Exemption(
            PolicyId("allow-localhost", None, switches.allow_localhost.value),
            builtin(Direction.INGRESS, (Relative.OWN_NODE,)),
            TIER,
            against=_AGAINST[switches.u1],
            caveat=own.LOCALHOST_OR_DENY,
        )


def _around(switches: Switches) -> Iterator[Policy]:
    """Yield what `enable-policy: always` comes to: a policy about every pod that allows nothing."""
    if switches.enable_policy is EnablePolicy.ALWAYS:
        yield Policy(
            PolicyId("enable-policy", None, switches.enable_policy.value),
            (PodsMatch(),),
            frozenset(Direction),
            (),
            TIER,
            stated=False,
        )


def _reading(switches: Switches) -> Reading:
    """Return how NetworkPolicies are read. Source: pkg/k8s/network_policy.go."""
    pods = CidrMatch.PODS in switches.cidr_match and switches.u4 is not U4.MATCHES_LIKE_NODES
    return Reading(
        every_list=True,
        cluster_names=Quirk(PORT_NAME_TABLE) if switches.version <= (1, 19) else None,
        whole_outside=True,
        block_of_pods=Quirk(CIDR_PODS, "which pods a block matches") if pods else None,
        block_and_own=_block_and_own(switches),
        beyond_pods=_beyond(switches),
        beyond_key=CLUSTER_LABEL if switches.default_local_cluster else "",
        beyond_nodes=_beyond(switches) if switches.node_selector_labels else None,
    )


def _beyond(switches: Switches) -> Quirk:
    """Return the defect of peers that only say which labels are not there.

    Whoever has no labels meets them, unless a cluster is demanded besides, which is what
    `policy-default-local-cluster` does for peers that name none. Nodes are of a cluster where
    rules may select them by label. Up to 1.19.4 that is so; it is open which later releases, and
    which of other versions, do not do it any more.
    """
    patch = switches.patch
    sure = switches.version == _DEFECTIVE and patch is not None and patch < _FIXED
    return Quirk(own.NEGATIVE_NAMESPACE_DEFECT, None if sure else _PATCH_UNKNOWN)


_PATCH_UNKNOWN = "what a defect of some patch releases lets in"
_DEFECTIVE = (1, 19)
_FIXED = 5
"""Of these patch releases, the first without the defect."""


def _block_and_own(switches: Switches) -> Quirk | None:
    """Return the defect of a block that is the only peer, where the version may have it."""
    if switches.version != _DEFECTIVE or not switches.default_local_cluster:
        return None
    if switches.patch is None:
        return Quirk(own.IPBLOCK_ONLY_PEER_DEFECT, _PATCH_UNKNOWN)
    return Quirk(own.IPBLOCK_ONLY_PEER_DEFECT) if switches.patch < _FIXED else None


def _known(switches: Switches) -> Iterator[Caveat]:
    """Yield what every answer carries."""
    if switches.enable_policy is EnablePolicy.NEVER:
        yield general.CNI_NOT_ENFORCING
    elif switches.audit:
        yield AUDIT_MODE
