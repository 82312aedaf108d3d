"""A cluster's switches: what its settings make of Cilium, by the names Cilium gives them.

What nobody knows of Cilium's behaviour is a switch, too, `cilium.U1` to `cilium.U5`: None until
somebody says.

Source: cilium/cilium pkg/option/config.go, pkg/defaults/defaults.go,
pkg/clustermesh/types/option.go.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from cloison.base import QuestionError
from cloison.dialects.cilium.unsettled import U1, U2, U3, U4, U5
from cloison.ir.keypattern import KeyPattern, KeyPatternError
from cloison.ir.profile import Profile

PRODUCT = "cilium"
PREFIX = "cilium."
"""What the names of open questions begin with."""

OLDEST, NEWEST = (1, 18), (1, 20)
"""Versions that there are facts of."""
NORMALIZE_PATH = "http-normalize-path"
"""The setting by which the proxy writes paths in one way. Source: pkg/option/config.go."""
TOLD_APART = ("trailing-slash", "query", "letter-case")
"""Ways to write a path that stay different ones, by their names in `algebra.variants`."""
NORMALISED = ("double-slash", "encoded-slash")
"""Ways that are one where the proxy brings paths to one form."""
_PODS_SINCE = (1, 20)
"""Before, blocks cannot be made to match pods."""


class EnablePolicy(StrEnum):
    """When an endpoint's policies are enforced."""

    DEFAULT = "default"
    """Once one selects it."""
    ALWAYS = "always"
    NEVER = "never"


class AllowLocalhost(StrEnum):
    """Whether the own node is let in whatever policies allow."""

    AUTO = "auto"
    """As `always`, under Kubernetes."""
    ALWAYS = "always"
    POLICY = "policy"


class CidrMatch(StrEnum):
    """What a block matches besides addresses outside the cluster."""

    NODES = "nodes"
    PODS = "pods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What a cluster's settings say, with the defaults of its version.

    Args:
        version: Of Cilium, major and minor.
        patch: `cilium.patch`: the patch release; None while nobody has said.
        enable_policy: `enable-policy`.
        allow_localhost: `allow-localhost`.
        cidr_match: `policy-cidr-match-mode`.
        default_local_cluster: `policy-default-local-cluster`: whether a peer selector that names no
            cluster means the local one.
        cluster_name: `cluster-name`.
        labels: `labels`: patterns of labels that policies see, or with `!` do not, as written.
        node_labels: `node-labels`: the same of labels that nodes have as peers.
        host_firewall: `enable-host-firewall`.
        node_selector_labels: `enable-node-selector-labels`.
        audit: `policy-audit-mode`.
        l7_proxy: `enable-l7-proxy`.
        normalises_paths: `http-normalize-path`: whether the proxy brings paths to one form before
            it compares them.
        ipv4: `enable-ipv4`; None while nobody has said.
        ipv6: `enable-ipv6`; likewise. Labels of what is outside hang on both.
        sctp: `enable-sctp`.
        extended_protocols: `enable-extended-ip-protocols`.
        icmp_rules: `enable-icmp-rules`.
        kubernetes: `enable-k8s-networkpolicy`.
        own: `enable-cilium-network-policy`.
        clusterwide: `enable-cilium-clusterwide-network-policy`.
        cluster_policies: `enable-k8s-cluster-network-policy`, since 1.20. None while nobody has
            said: it is off by default, and who writes such policies probably has it on.
        non_default_deny: `enable-non-default-deny-policies`.
        u1: `cilium.U1`; None while nobody has said, as for the others.
        u2: `cilium.U2`.
        u3: `cilium.U3`.
        u4: `cilium.U4`.
        u5: `cilium.U5`.
    """

    version: tuple[int, int] = NEWEST
    patch: int | None = None
    enable_policy: EnablePolicy = EnablePolicy.DEFAULT
    allow_localhost: AllowLocalhost = AllowLocalhost.AUTO
    cidr_match: frozenset[CidrMatch] = field(default_factory=frozenset)
    default_local_cluster: bool = True
    cluster_name: str = "default"
    labels: tuple[str, ...] = ()
    node_labels: tuple[str, ...] = ()
    host_firewall: bool = False
    node_selector_labels: bool = False
    audit: bool = False
    l7_proxy: bool = True
    normalises_paths: bool = True
    ipv4: bool | None = None
    ipv6: bool | None = None
    sctp: bool = False
    extended_protocols: bool = False
    icmp_rules: bool = True
    kubernetes: bool = True
    own: bool = True
    clusterwide: bool = True
    cluster_policies: bool | None = None
    non_default_deny: bool = True
    u1: U1 | None = None
    u2: U2 | None = None
    u3: U3 | None = None
    u4: U4 | None = None
    u5: U5 | None = None

    @property
    def exempts_localhost(self) -> bool:
        """Whether the own node is let in whatever policies allow."""
        return self.allow_localhost is not AllowLocalhost.POLICY

    def has_family(self, family: int) -> bool | None:
        """Return whether pods have addresses of a family, 4 or 6; None where nobody has said."""
        return {4: self.ipv4, 6: self.ipv6}[family]


@dataclass(frozen=True, slots=True)
class Switch:
    """One setting.

    Args:
        name: As Cilium calls it.
        attribute: The attribute of `Switches`.
        read: Turns its text into a value; raises `ValueError` with what it may be.
        says: What it may be, for people.
        about: What it means, for people.
        unsaid: What it is while nobody says, in words, where the version has no default.
        otherwise: What it is to the agent where its text is none of these; None where no agent
            starts with such a text.
    """

    name: str
    attribute: str
    read: Callable[[str], object]
    says: str
    about: str
    unsaid: str = "undetermined"
    otherwise: str | None = None


Word = TypeVar("Word", bound=StrEnum)
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
"""What agents start with. Source: Go, strconv.ParseBool; pkg/option/config.go."""
_CLUSTER = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
_MOST_PATTERNS = 256


def _flag(text: str) -> bool:
    said = text.strip()
    if said not in _TRUE | _FALSE:
        raise ValueError
    return said in _TRUE


def _patch(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text):
        raise ValueError
    return int(text)


def _cluster(text: str) -> str:
    if not _CLUSTER.fullmatch(text):
        raise ValueError
    return text


def _modes(text: str) -> frozenset[CidrMatch]:
    return frozenset(CidrMatch(each) for each in text.replace(",", " ").split())


def _patterns(text: str) -> tuple[str, ...]:
    found = tuple(text.replace(",", " ").split())
    if len(found) > _MOST_PATTERNS:
        raise ValueError
    for each in found:
        pattern(each)
    return found


def pattern(text: str, of: str = "k8s") -> tuple[KeyPattern | None, bool]:
    """Return a pattern of `labels`, and whether what it matches is hidden.

    None where it is about labels of another source, which nothing gets from its object.

    Args:
        text: The pattern, as written.
        of: The source of labels that objects have: `k8s` of pods, `node` of nodes as peers.

    Raises:
        ValueError: it is none.
    """
    source, colon, rest = text.partition(":")
    if not colon:
        source, rest = "", text
    hidden = rest.startswith("!")
    key = rest.removeprefix("!")
    if not key:
        raise ValueError
    try:
        found = KeyPattern(key)
    except KeyPatternError as error:
        raise ValueError(str(error)) from None
    return (found if source in ("", of) else None), hidden


def _switch_of_words(
    name: str, attribute: str, kind: type[StrEnum], about: str, otherwise: str | None = None
) -> Switch:
    words = " or ".join(each.value for each in kind)

    def read(text: str) -> StrEnum:
        return kind(text.strip())

    return Switch(name, attribute, read, words, about, otherwise=otherwise)


def _enforced(text: str) -> EnablePolicy:
    """Read `enable-policy`, of which alone the agent takes any case."""
    return EnablePolicy(text.strip().lower())


def _flag_of(name: str, attribute: str, about: str, unsaid: str = "") -> Switch:
    return Switch(name, attribute, _flag, "true or false", about, unsaid)


SWITCHES = (
    Switch(
        "enable-policy",
        "enable_policy",
        _enforced,
        "default or always or never",
        "When policies are enforced on a pod.",
        otherwise=EnablePolicy.DEFAULT.value,
    ),
    _switch_of_words(
        "allow-localhost",
        "allow_localhost",
        AllowLocalhost,
        "Whether a pod's own node is let in whatever policies allow.",
        AllowLocalhost.POLICY.value,
    ),
    Switch(
        "policy-cidr-match-mode",
        "cidr_match",
        _modes,
        "nothing, nodes, pods, or both with a comma between",
        "What address blocks match besides what is outside the cluster.",
    ),
    _flag_of(
        "policy-default-local-cluster",
        "default_local_cluster",
        "Whether a selector of peers that names no cluster means the local one.",
    ),
    Switch(
        "cluster-name",
        "cluster_name",
        _cluster,
        "a name of at most 32 small letters, digits and dashes",
        "What the cluster is called in policies.",
    ),
    Switch(
        "labels",
        "labels",
        _patterns,
        "patterns of label keys with spaces or commas between; `!` hides what it matches, and only "
        "characters, `.`, `[ab]`, the signs `?`, `*`, `+`, and `$` at the end are understood",
        "Which labels policies see, besides the defaults.",
    ),
    Switch(
        "node-labels",
        "node_labels",
        _patterns,
        "patterns of label keys as for `labels`",
        "Which labels of nodes rules see that select nodes as peers: all where nothing is said.",
    ),
    _flag_of("enable-host-firewall", "host_firewall", "Whether policies of nodes are enforced."),
    _flag_of(
        "enable-node-selector-labels",
        "node_selector_labels",
        "Whether rules may select nodes by label.",
    ),
    _flag_of(
        "policy-audit-mode",
        "audit",
        "Whether what policies would drop passes, and is only reported.",
    ),
    _flag_of("enable-l7-proxy", "l7_proxy", "Whether rules may ask about requests."),
    _flag_of(
        NORMALIZE_PATH,
        "normalises_paths",
        "Whether paths of HTTP are brought to one form before they are matched.",
    ),
    _flag_of("enable-ipv4", "ipv4", "Whether pods have IPv4 addresses.", "unknown"),
    _flag_of("enable-ipv6", "ipv6", "Whether pods have IPv6 addresses.", "unknown"),
    _flag_of("enable-sctp", "sctp", "Whether SCTP is carried."),
    _flag_of(
        "enable-extended-ip-protocols",
        "extended_protocols",
        "Whether rules may name VRRP and IGMP without a port.",
    ),
    _flag_of("enable-icmp-rules", "icmp_rules", "Whether rules may name ICMP types."),
    _flag_of("enable-k8s-networkpolicy", "kubernetes", "Whether NetworkPolicies are enforced."),
    _flag_of("enable-cilium-network-policy", "own", "Whether CiliumNetworkPolicies are enforced."),
    _flag_of(
        "enable-cilium-clusterwide-network-policy",
        "clusterwide",
        "Whether CiliumClusterwideNetworkPolicies are enforced.",
    ),
    _flag_of(
        "enable-k8s-cluster-network-policy",
        "cluster_policies",
        "Whether ClusterNetworkPolicies are enforced (since 1.20).",
        "true where there are any, false otherwise",
    ),
    _flag_of(
        "enable-non-default-deny-policies",
        "non_default_deny",
        "Whether a rule may say `enableDefaultDeny: false`.",
    ),
    Switch(
        f"{PREFIX}patch",
        "patch",
        _patch,
        "a number: of 1.19.4 it is 4",
        "The patch release, where a defect of some of them counts.",
        "unknown",
    ),
    _switch_of_words(
        f"{PREFIX}U1", "u1", U1, "Which wins: an explicit deny, or the own node's exemption."
    ),
    _switch_of_words(
        f"{PREFIX}U2",
        "u2",
        U2,
        "What `toServices` with `toPorts` selects where no Service is found.",
    ),
    _switch_of_words(
        f"{PREFIX}U3",
        "u3",
        U3,
        "Whether a rule without ports for the resolver lets every DNS name through.",
    ),
    _switch_of_words(
        f"{PREFIX}U4", "u4", U4, "Which pods a block matches under `policy-cidr-match-mode: pods`."
    ),
    _switch_of_words(
        f"{PREFIX}U5", "u5", U5, "Whether 1.20's aggregate identities and `cluster-mesh` exist."
    ),
)
"""Every setting, those of the product first."""

_BY_NAME: Mapping[str, Switch] = {each.name: each for each in SWITCHES}


def switches(profile: Profile) -> Switches:
    """Return the switches of a cluster.

    Args:
        profile: Who enforces; one of another product has the defaults of the newest version.

    Raises:
        QuestionError: a setting has no such value.
    """
    return parsed(version_of(profile.name), profile.switches)


def version_of(name: str) -> tuple[int, int]:
    """Return the version in a profile's name; the newest where it says none of this product."""
    product, _, version = name.partition("@")
    found = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", version)
    if product != PRODUCT or found is None:
        return NEWEST
    return int(found[1]), int(found[2])


def parsed(version: tuple[int, int], said: Mapping[str, str]) -> Switches:
    """Return what settings say, with the defaults of a version for the rest.

    Args:
        version: Major and minor.
        said: Settings by name, as Cilium writes them.

    Raises:
        QuestionError: there is no such setting, or it has no such value.

    >>> parsed((1, 18), {"enable-policy": "always"}).enable_policy.value
    'always'
    >>> [parsed((1, minor), {}).default_local_cluster for minor in (18, 19)]
    [False, True]
    """
    values: dict[str, Any] = {"version": version, "default_local_cluster": version >= (1, 19)}
    for name, text in said.items():
        switch = find(name)
        values[switch.attribute] = value(switch, text)
    if version < _PODS_SINCE and "cidr_match" in values:
        values["cidr_match"] -= {CidrMatch.PODS}
    return Switches(**values)


def defaults(version: tuple[int, int]) -> dict[str, str]:
    """Return what each setting is in a version while nobody says, in words.

    >>> [defaults((1, minor))["policy-default-local-cluster"] for minor in (18, 19)]
    ['false', 'true']
    """
    usual = replace(parsed(version, {}), cluster_policies=None if version >= NEWEST else False)
    return {
        each.name: each.unsaid if said is None else _shown(said)
        for each in SWITCHES
        for said in (getattr(usual, each.attribute),)
    }


def _shown(usual: object) -> str:
    if isinstance(usual, bool):
        return str(usual).lower()
    return "" if usual in ((), frozenset()) else str(usual)


def find(name: str) -> Switch:
    """Return the setting of a name; open questions go by `U1` as well.

    Raises:
        QuestionError: there is none.
    """
    found = _BY_NAME.get(name) or _BY_NAME.get(PREFIX + name)
    if found is None:
        close = get_close_matches(name, _BY_NAME, 1, 0.6)
        advice = f"did you mean `{close[0]}`?" if close else f"say one of {', '.join(_BY_NAME)}"
        msg = f"Cilium has no setting `{name}` that is known here"
        raise QuestionError(msg, advice)
    return found


def value(switch: Switch, text: str) -> object:
    """Return what a setting's text says.

    Raises:
        QuestionError: it says nothing that the setting may be.
    """
    try:
        return switch.read(text)
    except ValueError as error:
        why = str(error) if switch.attribute in ("labels", "node_labels") else ""
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        msg = f"{shown!r} is no value of `{switch.name}`{f': {why}' if why else ''}"
        raise QuestionError(msg, f"it is {switch.says}") from None


_SHOWN = 64
