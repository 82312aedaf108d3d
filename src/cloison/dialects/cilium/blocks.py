"""Blocks of addresses as peers: lists of CIDRs, and CIDR groups.

A block matches what is neither a pod nor, unless a setting says so, a node. A whole family is the
world: no setting makes nodes or pods part of it.

Source: cilium/cilium pkg/policy/api/cidr.go, pkg/labels/cidr.go.
"""

from collections.abc import Iterator, Sequence

from cloison.algebra import FAMILY, AddressSet
from cloison.base import Span
from cloison.dialects.cilium import caveats, labels
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import ANY
from cloison.dialects.cilium.model import CiliumCIDRGroup
from cloison.dialects.cilium.model_rules import CidrRule, Selector
from cloison.dialects.cilium.switches import CidrMatch
from cloison.dialects.cilium.unsettled import U4
from cloison.dialects.reading.blocks import block, together
from cloison.ir.peers import AllOf, AnyOf, BlockMatch, PeerMatch, PodsMatch, UnknownMatch
from cloison.ir.policy import Peer


def of_texts(texts: Sequence[str], span: Span | None, cluster: Cluster) -> Iterator[Peer]:
    """Yield the peers of `fromCIDR` or `toCIDR`."""
    for text in texts:
        yield Peer(_match(text, (), cluster), span)


def of_rules(rules: Sequence[CidrRule], cluster: Cluster) -> Iterator[Peer]:
    """Yield the peers of `fromCIDRSet` or `toCIDRSet`; a group that is not there is nobody."""
    for each in rules:
        for text in _texts(each, cluster):
            yield Peer(_match(text, each.holes, cluster), each.span)


def groups_of(rule: CidrRule, cluster: Cluster) -> tuple[CiliumCIDRGroup, ...]:
    """Return the CIDR groups that a rule names, or selects by their labels."""
    if rule.group is not None:
        found = cluster.groups.get(rule.group)
        return () if found is None else (found,)
    if rule.groups is None:
        return ()
    return tuple(g for g in cluster.groups.values() if _selected(rule.groups, g))


def _selected(selector: Selector, group: CiliumCIDRGroup) -> bool:
    return all(
        labels.asked(each).matches(group.labels if each.source in (ANY, "cidrgroup") else {})
        for each in selector.requirements
    )


def _texts(rule: CidrRule, cluster: Cluster) -> tuple[str, ...]:
    if rule.cidr is not None:
        return (rule.cidr,)
    return tuple(text for group in groups_of(rule, cluster) for text in group.cidrs)


def _match(text: str, holes: tuple[str, ...], cluster: Cluster) -> PeerMatch:
    """Return whom a block matches. A hole that is wider than its block leaves nothing of it."""
    addresses = block(text)
    inside = tuple(each for each in holes if not block(each).isdisjoint(addresses))
    whole = addresses in FAMILY.values()
    left = addresses - together(inside) if inside else addresses
    found = BlockMatch(left, text, inside, whole)
    match = labels.outside(found, cluster) if whole else found
    return cluster.share(_with_pods(match, left, cluster))


def _with_pods(found: PeerMatch, left: AddressSet, cluster: Cluster) -> PeerMatch:
    """Return whom a block matches where a setting nobody confirmed may make pods part of it."""
    unclear = CidrMatch.PODS in cluster.switches.cidr_match
    if not unclear or cluster.switches.u4 is U4.MATCHES_LIKE_NODES or not left:
        return found
    unknown = UnknownMatch("which pods a block matches", caveats.CIDR_PODS)
    return AnyOf((found, AllOf((unknown, PodsMatch()))))
