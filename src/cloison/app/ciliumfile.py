"""What the settings file may say of Cilium in the cluster: its switches, by its own names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from cloison.base import QuestionError
from cloison.dialects.cilium.switches import PREFIX, SWITCHES, Switch, find, value

Flag: TypeAlias = bool | Literal["true", "false"]

SHORT: Final[Mapping[str, str]] = {
    each.attribute: each.name.removeprefix(PREFIX) for each in SWITCHES
}
"""What each switch is called in the file, by the attribute of `Switches`."""


class CiliumSettings(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename=SHORT
):
    """Settings of Cilium in the cluster, by the names that its ConfigMap has for them."""

    enable_policy: Annotated[
        Literal["default", "always", "never"] | None,
        Meta(description="When policies are enforced on a pod: once one selects it, or ..."),
    ] = None
    allow_localhost: Annotated[
        Literal["auto", "always", "policy"] | None,
        Meta(description="Whether a pod's own node is let in whatever policies allow."),
    ] = None
    cidr_match: Annotated[
        list[Literal["nodes", "pods"]] | Literal["", "nodes", "pods"] | None,
        Meta(description="What address blocks match besides what is outside the cluster."),
    ] = None
    default_local_cluster: Annotated[
        Flag | None,
        Meta(description="Whether a selector of peers that names no cluster means the local one."),
    ] = None
    cluster_name: Annotated[
        str | None, Meta(description="What the cluster is called in policies.")
    ] = None
    labels: Annotated[
        list[str] | str | None,
        Meta(description="Which labels policies see besides the defaults; `!app` hides `app`."),
    ] = None
    node_labels: Annotated[
        list[str] | str | None,
        Meta(description="Which labels of nodes rules see that select nodes as peers, likewise."),
    ] = None
    host_firewall: Annotated[
        Flag | None, Meta(description="Whether policies of nodes are enforced.")
    ] = None
    node_selector_labels: Annotated[
        Flag | None, Meta(description="Whether rules may select nodes by label.")
    ] = None
    audit: Annotated[
        Flag | None,
        Meta(description="Whether what policies would drop passes, and is only reported."),
    ] = None
    l7_proxy: Annotated[Flag | None, Meta(description="Whether rules may ask about requests.")] = (
        None
    )
    normalises_paths: Annotated[
        Flag | None,
        Meta(description="Whether paths of HTTP are brought to one form before they are matched."),
    ] = None
    ipv4: Annotated[Flag | None, Meta(description="Whether pods have IPv4 addresses.")] = None
    ipv6: Annotated[Flag | None, Meta(description="Whether pods have IPv6 addresses.")] = None
    sctp: Annotated[Flag | None, Meta(description="Whether SCTP is carried.")] = None
    extended_protocols: Annotated[
        Flag | None, Meta(description="Whether rules may name VRRP and IGMP.")
    ] = None
    icmp_rules: Annotated[Flag | None, Meta(description="Whether rules may name ICMP types.")] = (
        None
    )
    kubernetes: Annotated[
        Flag | None, Meta(description="Whether NetworkPolicies are enforced.")
    ] = None
    own: Annotated[Flag | None, Meta(description="Whether CiliumNetworkPolicies are enforced.")] = (
        None
    )
    clusterwide: Annotated[
        Flag | None, Meta(description="Whether CiliumClusterwideNetworkPolicies are enforced.")
    ] = None
    cluster_policies: Annotated[
        Flag | None, Meta(description="Whether ClusterNetworkPolicies are enforced (since 1.20).")
    ] = None
    non_default_deny: Annotated[
        Flag | None, Meta(description="Whether a rule may say `enableDefaultDeny: false`.")
    ] = None
    patch: Annotated[
        Annotated[int, Meta(ge=0, le=9999)] | None,
        Meta(description="The patch release: of 1.19.4 it is 4."),
    ] = None
    u1: Annotated[
        Literal["deny-wins", "localhost-wins"] | None,
        Meta(description="Which wins: an explicit deny, or the own node's exemption."),
    ] = None
    u2: Annotated[
        Literal["nothing", "every-destination"] | None,
        Meta(description="What `toServices` with `toPorts` selects where no Service is found."),
    ] = None
    u3: Annotated[
        Literal["relaxes", "keeps"] | None,
        Meta(description="Whether a rule without ports for the resolver lets every name through."),
    ] = None
    u4: Annotated[
        Literal["matches-like-nodes", "other"] | None,
        Meta(description="Which pods a block matches under `policy-cidr-match-mode: pods`."),
    ] = None
    u5: Annotated[
        Literal["present", "absent"] | None,
        Meta(description="Whether 1.20's aggregate identities and `cluster-mesh` exist."),
    ] = None


def texts(said: CiliumSettings) -> Iterator[tuple[Switch, str]]:
    """Yield what is said, in the words that Cilium has for it, whether or not it has a meaning."""
    given: dict[str, Any] = msgspec.structs.asdict(said)
    for switch in SWITCHES:
        each = given[switch.attribute]
        if isinstance(each, bool):
            yield switch, str(each).lower()
        elif each is not None:
            yield switch, " ".join(each) if isinstance(each, list) else str(each)


def pairs(given: Iterable[str]) -> dict[str, str]:
    """Return settings that are given as `NAME=VALUE`.

    Raises:
        QuestionError: one is not, or there is no such setting, or it has no such value.

    >>> pairs(["enable-policy=always", "U1=deny-wins"])
    {'enable-policy': 'always', 'cilium.U1': 'deny-wins'}
    """
    found: dict[str, str] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals:
            msg = f"{each!r} is no setting of Cilium"
            raise QuestionError(msg, "write NAME=VALUE, as enable-policy=always")
        switch = find(name.strip())
        value(switch, text)
        found[switch.name] = text
    return found
