"""D-DEAD: blocks in which nobody is who the packet looks like where it is judged.

Most enforcers see a call of a Service once its address has been put away, and some know nodes by
what they are and not by their addresses. A block of such addresses alone matches nothing then.
"""

from collections.abc import Iterable, Iterator

from cloison.algebra import NO_ADDRESSES, AddressSet, TrafficSet, parse_address
from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.api import needing
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import closed, tried
from cloison.analyses.doctor.resolving import asking
from cloison.analyses.doctor.served import of_nodes, subjects_of
from cloison.analyses.ends import ServiceEnd
from cloison.analyses.explain import merge_caveats
from cloison.base import Severity
from cloison.base.words import few
from cloison.engine import Engine, UnitKind
from cloison.ir.peers import BlockMatch
from cloison.ir.policy import Direction, Peer, Policy, Rule
from cloison.platform.apiserver import SERVICE
from cloison.platform.resolver import DNS_PORT
from cloison.resources.objects import Service
from cloison.resources.world import WorkloadId

_LOOKUPS = TrafficSet.ports("UDP", DNS_PORT) | TrafficSet.ports("TCP", DNS_PORT)
_SOURCE = "kubernetes/website services-networking/network-policies.md"


def dead_blocks(clinic: Clinic, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """Yield a finding for each block of a rule that stands for nobody.

    Args:
        clinic: The clinic.
        policy: A policy.
        rule: A rule of it that allows something.
    """
    for peer in rule.peers:
        match = peer.match
        if not isinstance(match, BlockMatch) or match.whole or not match.addresses:
            continue
        if rule.direction is Direction.EGRESS:
            yield from _services(clinic, policy, rule, peer, match)
        if match.addresses <= of_nodes(clinic.engine):
            yield from _nodes(clinic, policy, rule, peer, match)


def _services(
    clinic: Clinic, policy: Policy, rule: Rule, peer: Peer, match: BlockMatch
) -> Iterator[Finding]:
    """Yield a finding for addresses of Services that are translated before anybody judges them."""
    engine = clinic.engine
    found = _behind(engine, match.addresses)
    asked = rule.traffic.must <= _LOOKUPS  # of which another check speaks
    if engine.profile.egress_before_translation or not found or asked:
        return
    for name in subjects_of(engine, policy):
        if match.addresses & _resolvers(clinic, name):
            return  # a cache on the node may take the address, and then it is what is seen
    # The API server is for those that work through it: nobody else is let out to it.
    control = any((each.namespace, each.name) == SERVICE for each in found)
    given = {each.id for each, _ in needing(clinic)} if control else set()
    for name in sorted(subjects_of(engine, policy), key=lambda each: each not in given):
        told = [each for service in found for each in _called(clinic, name, service, rule)]
        shut = [answer for answer in told if closed(answer)]
        if not shut:
            continue
        names = few(f"{each.namespace}/{each.name}" for each in found)
        needless = control and name not in given
        yield Finding(
            code="DEA002",
            check="D-DEAD",
            severity=Severity.WARNING,
            message=f"{rule.label} of {policy.id} lists {match.cidr}, the address of Service "
            f"{names}: policies see the pods behind it",
            effect=f"{name} does not reach the Service by this rule",
            help=f"nothing in the input says that {name} works through the API server: delete the "
            "rule, or give its service account what it needs"
            if needless
            else "select the pods behind the Service, and name the port that they listen on",
            mode=Mode.DEPENDENCY,
            workload=name,
            object=f"{policy.id.kind} {policy.id}",
            span=peer.span or rule.span,
            evidence=tuple(
                Evidence(f"Service {s.namespace}/{s.name} is {few(s.cluster_ips)}", s.span)
                for s in found[:3]
            ),
            mend=() if needless else clinic.mend(shut),
            caveats=merge_caveats(answer.caveats for answer in shut),
            source=_SOURCE,
        )
        return


def _behind(engine: Engine, addresses: AddressSet) -> tuple[Service, ...]:
    """Return the Services whose addresses these are; none where some are anybody else's."""
    left, found = addresses, []
    for service in engine.world.services.values():
        own = _points(service.cluster_ips)
        if own & left:
            found.append(service)
            left -= own
    return () if left else tuple(found)


def _points(texts: Iterable[str]) -> AddressSet:
    found = NO_ADDRESSES
    for text in texts:
        try:
            found |= AddressSet.points((parse_address(text),))
        except ValueError:
            continue  # `None` marks a headless Service
    return found


def _resolvers(clinic: Clinic, name: WorkloadId) -> AddressSet:
    """Return the addresses at which pods ask for names, or a cache does for them."""
    found = NO_ADDRESSES
    for _, needs in asking(clinic, clinic.engine.world.workloads[name]):
        for each in (*needs.every, *needs.upstream):
            found |= _points(each.addresses)
    return found


def _called(
    clinic: Clinic, name: WorkloadId, service: Service, rule: Rule
) -> Iterator[Explanation]:
    """Yield what becomes of calls of a Service on the ports that a rule names."""
    end = ServiceEnd(f"svc:{service.namespace}/{service.name}", service)
    for port in service.ports:
        if TrafficSet.ports(port.protocol, port.port) & rule.traffic.must:
            answer = tried(clinic, clinic.pods(name), end, on(port.protocol, port.port))
            if answer is not None:
                yield answer


def _nodes(
    clinic: Clinic, policy: Policy, rule: Rule, peer: Peer, match: BlockMatch
) -> Iterator[Finding]:
    """Yield a finding for addresses of nodes where blocks match no nodes."""
    engine = clinic.engine
    subjects = subjects_of(engine, policy)
    if engine.profile.block_matches_nodes or not subjects or _nodes_pass(engine, policy, rule):
        return
    every = engine.world.nodes.values()
    nodes = [node for node in every if match.addresses & AddressSet.points(node.addresses)]
    word = "from" if rule.direction is Direction.INGRESS else "to"
    yield Finding(
        code="DEA003",
        check="D-DEAD",
        severity=Severity.WARNING,
        message=f"{rule.label} of {policy.id} lists {match.cidr}, addresses of nodes: "
        f"{engine.profile.title} takes these for nodes, and its blocks match no nodes",
        effect=f"the rule lets nothing through {word} them",
        help="name nodes in the enforcer's own words: entities, or a selector of nodes",
        mode=Mode.NO_EFFECT,
        workload=subjects[0] if len(subjects) == 1 else None,
        object=f"{policy.id.kind} {policy.id}",
        span=peer.span or rule.span,
        evidence=tuple(Evidence(f"{n.name} has that address", n.span) for n in nodes[:3]),
        source=engine.profile.source,
    )


def _nodes_pass(engine: Engine, policy: Policy, rule: Rule) -> bool:
    """Return whether some rule about the same pods names nodes otherwise, for the same traffic."""
    kinds = engine.table.kinds
    hosts = kinds[UnitKind.NODE] | kinds[UnitKind.HOST]
    return any(
        bound.traffic & rule.traffic.must and (bound.relations or bound.must & hosts)
        for unit in engine.binder.subject(policy)
        for bound in engine.decision(unit, rule.direction).rules
    )
