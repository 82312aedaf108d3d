"""Suspicions about address blocks: what they cover besides, and what `except` does not do."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from cloison.algebra import FAMILY, NO_ADDRESSES, AddressSet
from cloison.base import Diagnostic
from cloison.base.words import few
from cloison.dialects.networkpolicy.case import Case, Item, holes
from cloison.dialects.networkpolicy.cidr import parse_cidr
from cloison.dialects.networkpolicy.known import Known
from cloison.dialects.reading.say import suspect
from cloison.ir.peers import AnyMatch, BlockMatch, PodsMatch
from cloison.ir.policy import Direction, Rule

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
        parts.append("addresses that pods are given")
    nodes = known.node_points.inside(addresses)
    if addresses.size() > 1:
        if nodes:
            parts.append(_count("node", nodes))
        elif not addresses.isdisjoint(known.around.nodes):
            parts.append("addresses that nodes are given")
    services = known.service_points.inside(addresses)
    wide = addresses.size() >= FAMILY[4].size() // 2
    if direction is Direction.EGRESS and not wide:
        if services:
            parts.append(_count("Service", services))
        elif not addresses.isdisjoint(known.around.services):
            parts.append("addresses that Services are given")
    return " and ".join(parts)


def _count(noun: str, points: Sequence[tuple[int, str]]) -> str:
    names = {name for _, name in points}
    return f"{_noun(noun, len(names))} ({few(names, 1)})"


def _noun(noun: str, number: int) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


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
    """An `except` that another peer, in any rule for the same pods, gives back."""
    by_namespace: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_namespace[case.policy.namespace].append(case)
    # The same holes are cut again and again.
    given: dict[tuple[int, AddressSet], str] = {}

    def back(rule: Rule, hole: AddressSet) -> str:
        key = id(rule), hole
        if key not in given:
            given[key] = _given_back(rule, hole, known)
        return given[key]

    for item, match in _block_items(cases):
        block = item.peer.ip_block
        if block is None or not match.holes:
            continue
        others = [
            (other, rule)
            for other in by_namespace[item.case.policy.namespace]
            if other is item.case or _share_pods(item.case, other, known)
            for rule in other.meaning.rules_for(item.rule.direction)
            if _covers_traffic(rule, item.rule)
        ]
        for text, hole in holes(block):
            found = ((o, back(o[1], hole)) for o in others)
            again = next(((o, what) for o, what in found if what), None)
            if again is None:
                continue
            (other, rule), what = again
            same = rule is item.rule
            whole = what == _ALL
            yield suspect(
                "NPS017",
                item.case.policy,
                item.block_span,
                f"`except` {text} in {item.place} "
                + ("denies nothing: " if whole else "does not deny all of it: ")
                + ("another peer of the rule" if same else f"{rule.label} of {other.policy.name}")
                + f" allows {what}",
                effect=("those addresses are" if whole else "that is")
                + (" allowed" if same else " allowed for the pods that both rules concern"),
                help_=f"narrow the other {'peer' if same else 'rule'}; "
                "`except` only takes addresses out of the block it belongs to",
                source=f"{_TYPES}, IPBlock.except",
            )


_ALL = "it"
_EXCEPTION = 256
"""A part this many times smaller than its hole, or less, is an exception, and meant."""


def _covers_traffic(rule: Rule, cut: Rule) -> bool:
    """Return whether `rule` allows all the traffic of the rule an address is cut from.

    Giving back only some of its ports is how one writes an exception.
    """
    return rule is cut or (not cut.traffic.named and cut.traffic.must <= rule.traffic.must)


def _given_back(rule: Rule, hole: AddressSet, known: Known) -> str:
    """Name what `rule` allows of a hole, as far as that is not an exception, as meant."""
    matches = [p.match for p in rule.peers]
    if any(isinstance(m, AnyMatch) for m in matches):
        return _ALL
    back = NO_ADDRESSES
    for match in matches:
        if isinstance(match, BlockMatch):
            back |= match.addresses & hole
    if back == hole:
        return _ALL
    if back.size() * _EXCEPTION >= hole.size():
        return f"{back}"
    inside = known.pods_in(hole)
    # A hole around the whole cluster keeps selectors apart from addresses, as it should be.
    if not inside or len(inside) == known.placed or (known.pod_cidrs and known.pod_cidrs <= hole):
        return ""
    pods = {
        known.pods[i].name
        for match in matches
        if isinstance(match, PodsMatch)
        for i in inside.intersection(known.select(match))
    }
    return f"{_noun('pod', len(pods))} in it ({few(pods, 1)})" if pods else ""


def _share_pods(a: Case, b: Case, known: Known) -> bool:
    (first,), (second,) = a.meaning.subjects, b.meaning.subjects
    return first == second or not set(known.select(first)).isdisjoint(known.select(second))


def _block_items(cases: Sequence[Case]) -> Iterator[tuple[Item, BlockMatch]]:
    for case in cases:
        for item in case.items():
            if isinstance(item.match, BlockMatch):
                yield item, item.match


BlockCheck = Callable[[Sequence[Case], Known], Iterator[Diagnostic]]

RANGE_CHECKS: tuple[BlockCheck, ...] = (_covers_cluster, _v4_only)
"""What ranges alone can tell, without any pod."""

BLOCK_CHECKS: tuple[BlockCheck, ...] = (_reopened_except,)
