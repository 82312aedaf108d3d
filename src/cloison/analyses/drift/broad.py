"""D9: ways out that are broader than they need to be, and workloads that spread outside."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cloison.algebra import L4, AddressSet, TrafficSet
from cloison.analyses.drift.edge import Edge
from cloison.analyses.drift.model import Atom, Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.newflows import known
from cloison.analyses.drift.nobody import enforced
from cloison.analyses.drift.scene import Scene
from cloison.analyses.drift.windows import SLOW, WEEK
from cloison.analyses.ends import AddressEnd, PodsEnd
from cloison.analyses.past.course import Course
from cloison.analyses.past.link import shown
from cloison.analyses.reconcile.seen import Outside
from cloison.base import Severity
from cloison.base.words import few, plural
from cloison.ir.peers import AnyMatch, AnyOf, BlockMatch, NamesMatch
from cloison.ir.policy import Action, Direction, Peer, Policy, Rule
from cloison.resources.world import WorkloadId

_BROAD: Final = {4: 1 << 24, 6: 1 << 96}
"""Addresses of a block that is broad: eight bits of IPv4, thirty-two of IPv6."""
_PRIVATE: Final = tuple(
    map(AddressSet.block, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
_TIMES: Final = 3
_MORE: Final = 5
"""Rising is three times as many as before, and five more at least."""


def broad(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each egress rule that is too broad, and each workload that spreads."""
    for policy in enforced(scene.engine):
        if not scene.engine.binder.subject(policy):
            continue
        for rule in policy.rules_for(Direction.EGRESS):
            if rule.action is Action.ALLOW:
                for peer in rule.peers:
                    some = peer.match.matches if isinstance(peer.match, AnyOf) else (peer.match,)
                    for match in some:
                        yield from _peer(scene, policy, rule, replace(peer, match=match))
    yield from _spreading(scene)


def _peer(scene: Scene, policy: Policy, rule: Rule, peer: Peer) -> Iterator[Sign]:
    match = peer.match
    any_port = (rule.traffic.must | rule.traffic.may) >= L4
    ports = " on any port" if any_port else ""
    if isinstance(match, AnyMatch):
        what = f"everywhere{ports}"
    elif isinstance(match, NamesMatch):
        if not any(each.every for each in match.names):
            return
        what = f"every name outside{ports}"
    elif isinstance(match, BlockMatch):
        found = _breadth(match, any_port=any_port)
        if found is None or _documented(scene, policy, match, rule.traffic.must):
            return
        what = found
    else:
        return
    names = _workloads(scene, policy)
    name = f"{policy.id.said} {rule.label}"
    block = match.cidr if isinstance(match, BlockMatch) else "any"
    if isinstance(match, NamesMatch):
        block = "names"
    yield Sign(
        key=Key(Code.BROAD, f"{policy.id.kind}/{policy.id}", block, "", str(rule.traffic.must)),
        severity=Severity.ERROR if any_port else Severity.WARNING,
        message=f"{name} lets {few(map(str, names))} out to {what}",
        help="name the blocks or names and the ports that are needed, or send it by a proxy",
        workloads=names,
        evidence=(Evidence(f"{block} on {rule.traffic.must}", peer.span or rule.span),),
        atom=Atom(name, peer.span or rule.span or policy.span),
        namespaces=(policy.id.namespace,) if policy.id.namespace else (),
        allow=Step("name it as an external of the contract, with an owner, if it has to be"),
        remove=Step(f"narrow {name} to what is used"),
    )


def _breadth(match: BlockMatch, *, any_port: bool) -> str | None:
    """Return what a block is that is too broad; None for one that is not."""
    ports = " on any port" if any_port else ""
    if match.whole:
        return f"the whole internet{ports}" if match.holes else f"every address{ports}"
    whole = AddressSet.block(match.cidr)
    if whole in _PRIVATE and not match.holes:
        return f"the whole private range {match.cidr}{ports}"
    if match.addresses.size() >= _BROAD[match.family]:
        return f"{match.cidr}{ports}"
    return None


def _documented(scene: Scene, policy: Policy, match: BlockMatch, traffic: TrafficSet) -> bool:
    """Return whether the contract means all of a block, on these ports, for who is selected."""
    names = set(_workloads(scene, policy))
    meant: set[WorkloadId] = set()
    for one in scene.wanted:
        if (
            isinstance(one.source, PodsEnd)
            and isinstance(one.destination, AddressEnd)
            and match.addresses <= one.destination.addresses
            and traffic <= one.traffic
        ):
            meant.add(one.source.workload.id)
    return bool(names) and names <= meant


def _workloads(scene: Scene, policy: Policy) -> tuple[WorkloadId, ...]:
    table = scene.engine.table
    units = scene.engine.binder.subject(policy)
    return tuple(
        sorted({table.endpoints[i].workload for u in units for i in table.units[u].endpoints})
    )


def _spreading(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each workload whose destinations outside have risen, within a week."""
    out: dict[str, list[Edge]] = defaultdict(list)
    for edge in scene.edges:
        if edge.allowed.hours and isinstance(edge.ends[1], Outside) and edge.inside:
            out[edge.source].append(edge)
    for source, some in sorted(out.items()):
        new = [e for e in some if not e.meant and not known(scene, e)]
        before = {e.destination for e in some} - {e.destination for e in new}
        hours = sorted({hour for e in new for hour in e.allowed.hours})
        best: set[str] = set()
        for hour in hours:
            here = {e.destination for e in new if e.allowed.within(hour, hour + WEEK - 1).hours}
            best = here if len(here) > len(best) else best
        if len(best) < max(_MORE, (_TIMES - 1) * len(before)):
            continue
        yield Sign(
            key=Key(Code.BROAD, source, "spreading"),
            severity=Severity.WARNING,
            message=f"{shown(source)} went to {plural(len(best), 'new destination')} outside "
            f"within a week, and to {len(before)} before",
            help="find out what it does there; restrict its egress to what it needs",
            workloads=some[0].inside[:1],
            course=Course.together(e.allowed for e in new if e.destination in best),
            pace=SLOW,
            evidence=(Evidence(f"among them {few(best)}"),),
            namespaces=some[0].namespaces[:1],
            remove=Step("restrict its egress to what it needs"),
            covers=tuple(
                Key(Code.BROAD, e.source, e.destination, e.protocol, e.port_text)
                for e in new
                if e.destination in best
            ),
        )
