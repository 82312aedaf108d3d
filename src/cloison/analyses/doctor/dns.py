"""D-DNS and D-DNS-PORT: every workload reaches the resolver that it asks, as that one listens."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cloison.algebra import TrafficSet
from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.doctor.admitting import nodes_let_in
from cloison.analyses.doctor.clinic import Clinic, blocks_end, on, stopped, stopped_at
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.resolving import (
    PROTOCOLS,
    Lookup,
    Need,
    Room,
    answers,
    asking,
    lookups,
    room,
    together_asked,
    unsettled,
)
from cloison.analyses.doctor.served import all_listed
from cloison.analyses.doctor.together import covers, for_all
from cloison.analyses.ends import PodsEnd, SomeNodeEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.mend import Proposal, proposals
from cloison.analyses.paths.lookup import resolver_end
from cloison.base import QuestionError, Severity
from cloison.base.words import begun
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Direction, Peer
from cloison.platform.resolver import ResolverKind
from cloison.platform.resolvers import DNS_PORT, Resolver
from cloison.resources.world import Workload, WorkloadId

_SOURCE = "kubernetes/website services-networking/dns-pod-service.md"
_CACHE_SOURCE = "kubernetes/kubernetes cluster/addons/dns/nodelocaldns/nodelocaldns.yaml"
_EVERY_CALL = "every call by name fails"
_ONE_PROTOCOL = "answers that do not fit a datagram, and caches that ask over TCP, fail"
_MANY = 8
"""From so many clients on a resolver is told to admit everybody: it is there for everybody."""


def dns(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each reason for which names do not resolve, or not always."""
    here = room(clinic)
    for group in _groups(here):
        if not _other_port(here.clinic, group[0]):
            yield _finding(here, group)
    yield from _unsettled(here)
    yield from _caches(clinic)
    yield from _upstream(clinic)


def ports(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding where policies let lookups through on a port the resolver is not on."""
    if not _ports_differ(clinic):
        return
    here = room(clinic)
    for group in _groups(here):
        spans = _other_port(here.clinic, group[0])
        if spans:
            first, port = group[0], group[0].resolver.port
            found = _finding(here, group)
            named = _names(group)
            yield replace(
                found,
                code="DNS003",
                check="D-DNS-PORT",
                message=f"{named} may dial {first.resolver.text} on port {DNS_PORT}, "
                f"but its pods listen on {port}",
                help=f"name port {port}: policies are judged at the pod, after the Service "
                "has been translated",
                span=spans[0].span or found.span,
                evidence=(*spans, *found.evidence),
            )


def _ports_differ(clinic: Clinic) -> bool:
    """Return whether anybody asks a resolver whose pods do not listen where it is dialled."""
    return any(
        resolver.workloads and resolver.port != DNS_PORT
        for workload in clinic.workloads()
        for _, needs in asking(clinic, workload)
        for resolver in needs.every
    )


def _groups(here: Room) -> Iterator[Sequence[Lookup]]:
    """Yield lookups that fail for one reason, together."""
    groups: dict[object, list[Lookup]] = defaultdict(list)
    for each in lookups(here):
        # What a resolver refuses is its own matter; what clients may not send, their namespace's.
        out = Direction.EGRESS in each.sides
        home = each.workload.id.namespace if out else None
        groups[home, each.resolver.id, each.need, each.closed, each.sides].append(each)
    yield from groups.values()


def _other_port(clinic: Clinic, lookup: Lookup) -> tuple[Evidence, ...]:
    """Return the rules that open the Service's port to pods that listen on another one."""
    resolver = lookup.resolver
    end = resolver_end(clinic.engine, replace(resolver, service=None))
    wrong = resolver.port != DNS_PORT and Direction.EGRESS in lookup.sides
    if not wrong or not isinstance(end, PodsEnd):
        return ()
    answer = clinic.reach(lookup.pods, end, on("UDP", DNS_PORT))
    return tuple(
        Evidence(f"{decider.text} opens port {DNS_PORT}", decider.span)
        for case in answer.cases[:1]
        for point in case.points
        if point.direction is Direction.EGRESS and point.verdict is Verdict.ALLOWED
        for decider in point.decided_by
        if decider.rule is not None
    )


def _finding(here: Room, group: Sequence[Lookup]) -> Finding:
    first = group[0]
    clinic, resolver, closed = here.clinic, first.resolver, first.closed
    told = answers(here, first)
    whole = len(closed) == len(first.tried)
    said, named = " and ".join(closed), _names(group)
    many = len(_workloads(group)) > 1
    severity = Severity.WARNING
    code = "DNS002"
    if first.need is Need.FALLBACK:
        code, severity = "DNS005", Severity.INFO
        message = f"{named} cannot fall back on {resolver.text}: {said} is not let through"
        effect = f"names do not resolve while {_before(first)} does not answer"
    elif first.need is Need.PERHAPS:
        code = "DNS005"
        what = "not resolve names" if whole else "resolve names over one protocol only"
        message = f"{named} may {what}: it is not known whether {resolver.text} is asked"
        effect = f"where it is, {_EVERY_CALL if whole else _ONE_PROTOCOL}"
    elif Direction.EGRESS not in first.sides:
        code = "DNS004"
        severity = Severity.ERROR if whole else Severity.WARNING
        message = f"{resolver.text} does not admit {said} from {named}"
        effect = "names do not resolve there, though those pods may ask"
    elif whole:
        code = "DNS001"
        severity = Severity.ERROR if _certain(clinic, first) else Severity.WARNING
        message = f"{named} cannot resolve names: {said} to {resolver.text} is not let through"
        effect = f"{_EVERY_CALL}; connections that are open, and cached names, hide it"
    else:
        verb = "resolve" if many else "resolves"
        message = f"{named} {verb} names over one protocol only: {said} is not let through"
        effect = _ONE_PROTOCOL
    unsure = [each.caveats for each in told.values()]
    single = first.workload if not many else None
    return Finding(
        code=code,
        check="D-DNS",
        severity=severity,
        message=message,
        effect=effect,
        help=_help(clinic, resolver),
        mode=Mode.DNS,
        workload=first.workload.id,
        object=f"{single.id.kind} {single.id}" if single else _home(first.workload.id, group),
        span=first.workload.span,
        evidence=_evidence(group, told.values()),
        mend=_mend(here, group),
        caveats=merge_caveats([*unsure, first.needs.caveats]),
        source=_SOURCE,
    )


def _unsettled(here: Room) -> Iterator[Finding]:
    """Yield one note about all whose names resolve with some resolvers, and not with others.

    None of these was read: nothing is wrong that anybody could see, and nothing is settled.
    """
    found = list(unsettled(here))
    if not found:
        return
    first = found[0]
    names = tuple(dict.fromkeys(each.workload.id for each in found))
    about = (Evidence(f"it is about {begun([str(n) for n in names], 12)}"),)
    yield Finding(
        code="DNS008",
        check="D-DNS",
        severity=Severity.INFO,
        message=f"whether names resolve for {_whose(names)} is not known: no resolver was read, "
        f"and policies let lookups through to {_either(first.open)} only",
        effect=f"where {_either(first.shut)} answers instead, {_EVERY_CALL}",
        help="add the objects of the resolver to the input (Service, pods, kubelet-config), or "
        "say in cloison.yaml which `platform` this is",
        mode=Mode.DNS,
        workload=names[0] if len(names) == 1 else None,
        object=f"{names[0].kind} {names[0]}" if len(names) == 1 else None,
        span=first.workload.span,
        evidence=about if len(names) > 1 else (),
        caveats=merge_caveats([first.needs.caveats]),
        source=_SOURCE,
    )


def _either(resolvers: Iterable[Resolver]) -> str:
    return " or ".join(each.text for each in resolvers)


def _certain(clinic: Clinic, lookup: Lookup) -> bool:
    """Return whether it fails whatever the resolver is that the input does not show."""
    if not lookup.resolver.assumed:
        return True
    return not _opens(clinic, lookup.pods)


def _opens(clinic: Clinic, pods: PodsEnd, protocol: str = "UDP") -> bool:
    """Return whether policies let some pods ask anybody at all for names."""
    wanted = TrafficSet.ports(protocol, DNS_PORT)
    engine = clinic.engine
    return any(
        piece.outcome.passing & wanted
        for index in pods.endpoints
        for unit in engine.table.by_endpoint[index]
        for piece in engine.decision(unit, Direction.EGRESS).pieces
    )


def _before(lookup: Lookup) -> str:
    asked = [each.text for group in lookup.needs.needed for each in group]
    return asked[0] if asked else "what is asked first"


def _help(clinic: Clinic, resolver: Resolver) -> str:
    if resolver.is_pods:
        return f"allow UDP and TCP {resolver.port} between them and the resolver's pods"
    where = " or ".join(resolver.addresses) or "its address"
    found = f"allow UDP and TCP {resolver.port} to {where}"
    if resolver.kind is ResolverKind.NODE_CACHE and not clinic.engine.profile.block_matches_nodes:
        return (
            f"{found} and to the pods' own node: blocks match no nodes here, and whether it is "
            "the node or an address has changed between releases"
        )
    return f"{found}: it is no pod, so no selector matches it"


def _workloads(group: Iterable[Lookup]) -> tuple[WorkloadId, ...]:
    return tuple(dict.fromkeys(each.workload.id for each in group))


def _names(group: Sequence[Lookup]) -> str:
    """Return whom a finding is about; of a whole namespace, how many."""
    return _whose(_workloads(group))


def _whose(names: Sequence[WorkloadId]) -> str:
    if len(names) == 1:
        return str(names[0])
    homes = tuple(dict.fromkeys(each.namespace for each in names))
    if len(homes) == 1:
        return f"{len(names)} workloads of {homes[0]}"
    return f"{len(names)} workloads of {len(homes)} namespaces"


def _home(first: WorkloadId, group: Sequence[Lookup]) -> str:
    homes = {each.workload.id.namespace for each in group}
    return f"Namespace {first.namespace}" if len(homes) == 1 else group[0].resolver.text


def _evidence(group: Sequence[Lookup], told: Iterable[Explanation]) -> tuple[Evidence, ...]:
    first = group[0]
    names = _workloads(group)
    said = [Evidence(first.resolver.why, first.resolver.span)] if first.resolver.why else []
    said += isolating(told)
    if len(names) > 1:
        said.append(Evidence(f"it is about {begun([str(n) for n in names], 12)}"))
    return tuple(said)


def isolating(answers: Iterable[Explanation]) -> list[Evidence]:
    """Return what stops some traffic, each with where it is written."""
    found: dict[object, Evidence] = {}
    for answer in answers:
        for point in stopped_at(answer):
            for decider in point.decided_by:
                if decider.policy is not None and decider.span is None:
                    continue  # proposed by an earlier finding, and written nowhere yet
                said = f"{decider.text}, and no rule lets this through"
                if decider.rule is not None:
                    said = f"{decider.text} {decider.action or 'decides'}"
                found.setdefault((said, decider.span), Evidence(said, decider.span))
    return list(found.values())[:2]


def _mend(here: Room, group: Sequence[Lookup]) -> tuple[Mend, ...]:
    first, clinic = group[0], here.clinic
    names = _workloads(group)
    if len(names) == 1:
        return clinic.mend(together_asked(here, first))
    changes = [
        each
        for answer in together_asked(here, first)
        for each in proposals(clinic.engine, answer, clinic.writable)
        if isinstance(each, Proposal)
    ]
    if Direction.EGRESS not in first.sides and len(names) >= _MANY:
        everybody = (Peer(PodsMatch()),)
        return clinic.add(
            replace(each, rule=replace(each.rule, peers=everybody), also=()) for each in changes
        )
    home = first.workload.id.namespace
    if first.sides == {Direction.EGRESS} and covers(clinic.engine, home, names, Direction.EGRESS):
        every = (for_all(clinic.engine, home, [each]) for each in changes)
        return clinic.add(change for several in every for change in several)
    return clinic.mend(answer for each in group for answer in together_asked(here, each))


def _caches(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding where caches on the nodes do not reach the resolver behind them."""
    seen = set()
    for workload in clinic.everyone():
        for _, needs in asking(clinic, workload):
            for resolver in needs.upstream:
                if resolver.id in seen:
                    continue
                seen.add(resolver.id)
                yield from _node_to(clinic, resolver)


def _node_to(clinic: Clinic, resolver: Resolver) -> Iterator[Finding]:
    end = resolver_end(clinic.engine, replace(resolver, service=None))
    if not isinstance(end, PodsEnd) or not clinic.examines(end.workload.id.namespace):
        return
    node = SomeNodeEnd("a cache on a node")
    try:
        told = {p: clinic.reach(node, end, on(p, resolver.port)) for p in PROTOCOLS}
    except QuestionError:
        return
    shut = [p for p, each in told.items() if each.verdict is not Verdict.ALLOWED]
    denied = [p for p in shut if told[p].verdict in (Verdict.DENIED, Verdict.MIXED)]
    workload = end.workload
    if "TCP" not in shut or all_listed(clinic.engine, workload.id, ("TCP", resolver.port)):
        return
    yield Finding(
        code="DNS007",
        check="D-DNS",
        severity=Severity.ERROR if denied else Severity.WARNING,
        message=f"{workload.id} does not admit the caches on the nodes"
        if denied
        else f"whether {workload.id} admits the caches on the nodes is not known",
        effect="names that the cache has forgotten do not resolve, on every node",
        help=f"admit the nodes' addresses on UDP and TCP {resolver.port}: the cache asks from its "
        "node, over TCP; with an overlay, the addresses of the tunnels, too",
        mode=Mode.DNS,
        workload=workload.id,
        object=f"{workload.id.kind} {workload.id}",
        span=workload.span,
        evidence=(Evidence(resolver.why, resolver.span), *isolating(told.values())),
        mend=nodes_let_in(clinic, [told[p] for p in shut]),
        caveats=merge_caveats([told[p].caveats for p in shut]),
        source=_CACHE_SOURCE,
    )


def _upstream(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for pods that ask what their node asks, and may ask nobody outside."""
    for workload in clinic.workloads():
        if not clinic.isolated(workload.id, Direction.EGRESS):
            continue
        for pods, needs in asking(clinic, workload):
            nodes_own = [each for each in needs.perhaps if not each.addresses and not each.is_pods]
            if nodes_own and not needs.needed and _nobody_outside(clinic, pods):
                yield _shut_in(workload, nodes_own[0])


def _nobody_outside(clinic: Clinic, pods: PodsEnd) -> bool:
    anywhere = blocks_end("outside", ("0.0.0.0/0", "::/0"))
    answer = clinic.reach(pods, anywhere, on("UDP", DNS_PORT))
    return answer.verdict is Verdict.DENIED and Direction.EGRESS in stopped(answer)


def _shut_in(workload: Workload, resolver: Resolver) -> Finding:
    return Finding(
        code="DNS006",
        check="D-DNS",
        severity=Severity.ERROR,
        message=f"{workload.id} asks what its node asks for names, and may ask nobody outside",
        effect="names outside the cluster do not resolve; for the cluster's resolver, for no pod",
        help="allow UDP and TCP 53 to the servers in the resolv.conf of the nodes",
        mode=Mode.DNS,
        workload=workload.id,
        object=f"{workload.id.kind} {workload.id}",
        span=workload.span,
        evidence=(Evidence(resolver.why, workload.span),),
        source=_SOURCE,
    )
