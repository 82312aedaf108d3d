"""D-IPBLOCK-DEAD: addresses that a rule lists and that never arrive at its pods."""

from collections.abc import Iterator

from cloison.algebra import AddressSet, address_text
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.served import PRIVATE, Serving, enforced, subjects_of
from cloison.base import Severity
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir.peers import BlockMatch
from cloison.ir.policy import Action, Direction, Peer, Policy, Rule
from cloison.platform.routes.arrivals import Apparent, arrivals
from cloison.resources.world import WorkloadId

_SOURCE = "kubernetes/website tutorials/services/source-ip.md"
_POLICIES = "kubernetes/website services-networking/network-policies.md"


def blocks(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each block that can never be the other end of its traffic."""
    serving = Serving(clinic.engine)
    engine = clinic.engine
    pods = _union(c for node in engine.world.nodes.values() for c in node.pod_cidrs)
    pods |= engine.networks.pods | AddressSet.points(tuple(engine.holders))
    for policy in enforced(clinic.engine):
        if not clinic.examines(policy.id.namespace):
            continue
        for rule in policy.rules:
            if rule.action is not Action.ALLOW:
                continue
            for peer in rule.peers:
                match = peer.match
                if isinstance(match, BlockMatch) and not match.whole and match.addresses:
                    yield from _of_pods(clinic, policy, rule, peer, match, pods)
                    if rule.direction is Direction.INGRESS:
                        yield from _hidden(clinic, serving, policy, rule, peer, match)


def _union(blocks: Iterator[str]) -> AddressSet:
    found = AddressSet(())
    for each in blocks:
        found |= AddressSet.block(each)
    return found


def _of_pods(
    clinic: Clinic, policy: Policy, rule: Rule, peer: Peer, match: BlockMatch, pods: AddressSet
) -> Iterator[Finding]:
    """Yield a finding for a block of pods' addresses where blocks match no pods."""
    engine = clinic.engine
    if engine.profile.block_matches_pods or not pods or not match.addresses <= pods:
        return
    word = "from" if rule.direction is Direction.INGRESS else "to"
    yield Finding(
        code="IPB002",
        check="D-IPBLOCK-DEAD",
        severity=Severity.WARNING,
        message=f"{rule.label} of {policy.id} lists {match.cidr}, addresses of pods: blocks match "
        "no pods here",
        effect=f"it lets nothing through {word} those pods",
        help="select pods by their labels, and the labels of their namespaces",
        mode=Mode.NO_EFFECT,
        object=f"{policy.id.kind} {policy.id}",
        span=peer.span or rule.span or policy.span,
        evidence=tuple(_whose(engine, match.addresses))[:2],
        source=_POLICIES,
    )


def _whose(engine: Engine, addresses: AddressSet) -> Iterator[Evidence]:
    """Yield what says that addresses are of pods."""
    for node in engine.world.nodes.values():
        if addresses & _union(iter(node.pod_cidrs)):
            yield Evidence(f"node {node.name} hands out {', '.join(node.pod_cidrs)}", node.span)
    for point, held in engine.holders.items():
        if point in addresses:
            pod = engine.table.endpoints[held[0]]
            yield Evidence(f"{pod.name} has {address_text(point)}", pod.span)


def _hidden(
    clinic: Clinic,
    serving: Serving,
    policy: Policy,
    rule: Rule,
    peer: Peer,
    match: BlockMatch,
) -> Iterator[Finding]:
    """Yield a finding for clients whose addresses are replaced before their packets arrive."""
    engine = clinic.engine
    if not _outside(engine, match.addresses):
        return
    hidden: list[WorkloadId] = []
    why: dict[Evidence, None] = {}
    for name in subjects_of(engine, policy):
        found = _ways_in(clinic, serving, name)
        if found is None:
            return  # somebody it is about does see clients
        if found:
            hidden.append(name)
            why.update(dict.fromkeys(found))
    if not hidden:
        return
    yield Finding(
        code="IPB001",
        check="D-IPBLOCK-DEAD",
        severity=Severity.WARNING,
        message=f"{rule.label} of {policy.id} admits {match.cidr}, which "
        f"{few(str(n) for n in hidden)} never sees",
        effect="the rule lets nobody in: who calls from there comes with another address",
        help="restrict clients where they still have their address: at the load balancer, at the "
        "gateway, or with externalTrafficPolicy: Local",
        mode=Mode.HEALTH,
        workload=hidden[0],
        object=f"{policy.id.kind} {policy.id}",
        span=peer.span or rule.span or policy.span,
        evidence=tuple(why)[:3],
        source=_SOURCE,
    )


def _outside(engine: Engine, addresses: AddressSet) -> bool:
    """Return whether addresses can hardly be of nodes, or of anything else in the cluster."""
    nodes = AddressSet.points(
        tuple(a for node in engine.world.nodes.values() for a in node.addresses)
    )
    if nodes:
        tunnels = _union(c for node in engine.world.nodes.values() for c in node.pod_cidrs)
        return not addresses & (nodes | tunnels)
    return not addresses & _union(iter(PRIVATE))


def _ways_in(clinic: Clinic, serving: Serving, name: WorkloadId) -> tuple[Evidence, ...] | None:
    """Return what hides clients from a workload; None where one of them may be seen.

    Empty where nothing leads to it from outside.
    """
    workload = clinic.engine.world.workloads[name]
    if any(pod.shape.host_network or pod.shape.host_ports for pod in workload.endpoints):
        return None
    found: list[Evidence] = []
    for service in serving.services.get(name, ()):
        for arrival in arrivals(service, clinic.site.platform):
            if arrival.apparent is Apparent.CLIENT or not (
                arrival.apparent is Apparent.NODE or arrival.blocks
            ):
                return None
            found.append(Evidence(arrival.why, service.span))
    mine = {(s.namespace, s.name) for s in serving.services.get(name, ())}
    for entry in clinic.site.entries:
        told = all(p.workloads or p.supposed or p.apart or p.on_nodes for p in entry.planes)
        if not entry.planes:
            continue
        for rule in entry.rules:
            if any(name in plane.workloads for plane in entry.planes):
                return None  # it is the gateway, which clients do call
            if any((b.namespace, b.service) in mine for b in rule.backends):
                if not told:
                    return None  # a balancer, and the block may be its own
                why = f"{rule.route} leads there: it sees {entry.planes[0].name}, not the client"
                found.append(Evidence(why, rule.span or entry.span))
                break
    return tuple(found)
