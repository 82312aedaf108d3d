"""Suspicions about address blocks: what they cover besides, and what `except` does not do."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from cloison.algebra import FAMILY, AddressSet
from cloison.base import Diagnostic
from cloison.dialects.networkpolicy.case import Case, Item, few, holes, label
from cloison.dialects.networkpolicy.cidr import parse_cidr
from cloison.dialects.networkpolicy.known import Known
from cloison.dialects.networkpolicy.say import suspect
from cloison.ir.policy import AnyMatch, BlockMatch, Direction, Rule

_TYPES = "kubernetes/api networking/v1/types.go"


def _covers_cluster(cases: Sequence[Case], known: Known) -> Iterator[Diagnostic]:
    """A block that also covers the cluster's own addresses."""
    for item, match in _block_items(cases):
        covered = _covered(match.addresses, item.rule.direction, known)
        if covered:
            yield suspect(
                "NPS014",
                item.case.policy,
                item.block_span,
                f"`ipBlock` {match.cidr} in {item.place} covers {covered}",
                effect="most CNIs let pods and nodes in the block through whatever their labels, "
                "others never match them by address; "
                "a Service's address is usually replaced by its pod's before policy is asked",
                help_="select pods by label, and list the cluster's own blocks under `except`",
                source="Kubernetes docs, Network Policies, Behavior of to and from selectors",
            )


def _covered(addresses: AddressSet, direction: Direction, known: Known) -> str:
    """Name what a block covers, where its author may not have meant to.

    A single node is named by its address because nothing else can name it; Services are
    never a source; and of a block that covers every address nobody expects Services.
    """
    parts = []
    pods = known.pod_points.inside(addresses)
    if pods:
        parts.append(_count("pod", pods))
    elif not addresses.isdisjoint(known.pod_cidrs):
        parts.append("addresses that nodes give to pods")
    nodes = known.node_points.inside(addresses)
    if nodes and addresses.size() > 1:
        parts.append(_count("node", nodes))
    services = known.service_points.inside(addresses)
    wide = addresses.size() >= FAMILY[4].size() // 2
    if services and direction is Direction.EGRESS and not wide:
        parts.append(_count("Service", services))
    return " and ".join(parts)


def _count(noun: str, points: Sequence[tuple[int, str]]) -> str:
    names = {name for _, name in points}
    return f"{len(names)} {noun}{'' if len(names) == 1 else 's'} ({few(names, 1)})"


def _v4_only(cases: Sequence[Case], known: Known) -> Iterator[Diagnostic]:
    """`0.0.0.0/0` alone in a cluster that also speaks IPv6."""
    if not known.speaks_v6:
        return
    for item, match in _block_items(cases):
        cidr = parse_cidr(match.cidr)
        if cidr is None or cidr.addresses != FAMILY[4]:
            continue
        if any(_admits_v6(r) for r in item.case.meaning.rules_for(item.rule.direction)):
            continue
        yield suspect(
            "NPS015",
            item.case.policy,
            item.block_span,
            f"`ipBlock` {match.cidr} in {item.place} leaves out IPv6, which this cluster speaks",
            effect="IPv6 addresses are not matched by it",
            help_="add a peer with `cidr: ::/0`",
            source=_TYPES,
        )


def _admits_v6(rule: Rule) -> bool:
    matches = [p.match for p in rule.peers]
    return any(
        isinstance(m, AnyMatch) or (isinstance(m, BlockMatch) and bool(m.addresses.family(6)))
        for m in matches
    )


def _reopened_except(cases: Sequence[Case], known: Known) -> Iterator[Diagnostic]:
    """An `except` that another rule for the same pods gives back."""
    by_namespace: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_namespace[case.policy.namespace].append(case)
    for item, match in _block_items(cases):
        block = item.peer.ip_block
        if block is None or not match.holes:
            continue
        others = [
            (other, rule)
            for other in by_namespace[item.case.policy.namespace]
            if other is item.case or _share_pods(item.case, other, known)
            for rule in other.meaning.rules_for(item.rule.direction)
            if rule is not item.rule
        ]
        for text, hole in holes(block):
            again = next((o for o in others if _gives_back(o[1], hole, item.rule)), None)
            if again is None:
                continue
            yield suspect(
                "NPS017",
                item.case.policy,
                item.block_span,
                f"`except` {text} in {item.place} denies nothing: "
                f"{label(again[1])} of {again[0].policy.name} allows it",
                effect="those addresses are allowed for the pods that both rules concern",
                help_="narrow the other rule; "
                "`except` only takes addresses out of the block it belongs to",
                source=f"{_TYPES}, IPBlock.except",
            )


def _gives_back(rule: Rule, hole: AddressSet, cut: Rule) -> bool:
    """Return whether `rule` allows the whole hole, for all the traffic of the rule it is cut from.

    Giving back a part of the hole, or some of its ports, is how one writes an exception.
    """
    if cut.traffic.named or not cut.traffic.must <= rule.traffic.must:
        return False
    return any(
        isinstance(p.match, AnyMatch)
        or (isinstance(p.match, BlockMatch) and hole <= p.match.addresses)
        for p in rule.peers
    )


def _share_pods(a: Case, b: Case, known: Known) -> bool:
    first, second = a.meaning.subject, b.meaning.subject
    return first == second or not set(known.select(first)).isdisjoint(known.select(second))


def _block_items(cases: Sequence[Case]) -> Iterator[tuple[Item, BlockMatch]]:
    for case in cases:
        for item in case.items():
            if isinstance(item.match, BlockMatch):
                yield item, item.match


BLOCK_CHECKS: tuple[Callable[[Sequence[Case], Known], Iterator[Diagnostic]], ...] = (
    _covers_cluster,
    _v4_only,
    _reopened_except,
)
