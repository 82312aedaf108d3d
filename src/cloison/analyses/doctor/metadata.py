"""D-IMDS: broad egress leaves out cloud metadata, and who lives by it reaches it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cloison.algebra import NO_ADDRESSES, AddressSet, TrafficSet, parse_address
from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import about, closed, opened, outside, tried, what
from cloison.analyses.doctor.resolving import asking
from cloison.analyses.ends import AddressEnd, PodsEnd
from cloison.analyses.explain import merge_caveats
from cloison.analyses.mend import blocks
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.peers import BlockMatch, PodsMatch
from cloison.ir.policy import Direction, Peer, Policy, PolicyId
from cloison.platform.calls import Configs, calls, configs
from cloison.platform.metadata import (
    CREDENTIALS,
    CREDENTIALS_SOURCE,
    POD_IDENTITY,
    SOURCE,
    Metadata,
    associated,
    effect,
    exposing,
    metadata,
    needed,
    severity,
)
from cloison.platform.resolvers import DNS_PORT
from cloison.resources.world import Workload

_LOOKUPS = TrafficSet.ports("UDP", DNS_PORT) | TrafficSet.ports("TCP", DNS_PORT)
_Reached = dict[str, tuple[Metadata, Explanation]]
_Open = list[tuple[Workload, _Reached]]


def imds(clinic: Clinic) -> Iterator[Finding]:
    """Yield what reaches metadata and should not, by namespace, and what should and does not."""
    reaching: dict[str, _Open] = defaultdict(list)
    alike: dict[object, _Reached] = {}
    services, known = exposing(clinic.site.platform), configs(clinic.engine.world)
    for workload in clinic.workloads():
        shape = workload.endpoints[0].shape
        if shape.host_network or not clinic.isolated(workload.id, Direction.EGRESS):
            continue
        yield from _credentials(clinic, workload, known)
        yield from _associated(clinic, workload)
        needs = needed(clinic.engine.world, clinic.site.platform, workload.id.namespace, shape)
        for need in needs:
            yield from _needed(clinic, workload, need.services, need.why)
        if not needs:
            # Pods that no policy tells apart reach the same.
            kind = clinic.kind_of(clinic.pods(workload.id))
            if kind not in alike:
                alike[kind] = _reached(clinic, workload, services)
            found = alike[kind]
            if found:
                reaching[workload.id.namespace].append((workload, found))
    for namespace, group in reaching.items():
        yield _exposed(clinic, namespace, group)


def _reached(clinic: Clinic, workload: Workload, services: tuple[Metadata, ...]) -> _Reached:
    """Return the metadata addresses that a workload reaches."""
    pods, found = clinic.pods(workload.id), {}
    asked = ((each, block) for each in services for block in each.component.blocks)
    for service, block in asked:
        text = block.partition("/")[0]
        if parse_address(text) in clinic.engine.holders:
            continue
        end = outside(text, (block,))
        for protocol, port in service.numbers:
            if clinic.denied(pods, end, (protocol, port)):
                continue
            answer = tried(clinic, pods, end, on(protocol, port))
            if answer is not None and opened(answer) and not _foreign(answer):
                found[f"{text} on {protocol}/{port}"] = service, answer
    return found


def _foreign(answer: Explanation) -> bool:
    """Return whether pods have no address of the family: nothing of theirs goes there."""
    return any(each.case.foreign for each in answer.cases)


def _exposed(clinic: Clinic, namespace: str, group: _Open) -> Finding:
    names = [str(workload.id) for workload, _ in group]
    where = dict.fromkeys(text for _, found in group for text in found)
    answers = [answer for _, found in group for _, answer in found.values()]
    certain = any(each.certain for _, found in group for each, _ in found.values())
    alone = group[0][0] if len(group) == 1 else None
    rules = dict.fromkeys(
        Evidence(f"{decider.text} lets it out", decider.span)
        for answer in answers
        for decider in answer.deciders
        if decider.policy is not None and decider.direction is Direction.EGRESS
    )
    return Finding(
        code="MET001",
        check="D-IMDS",
        severity=severity(certain=certain),
        message=f"{few(names)} may reach cloud metadata: {few(where)}",
        effect=effect(certain=certain),
        help="leave these addresses out of every rule that lets it out to a broad block, with "
        "`except`: one rule that includes them opens them again. Where names are resolved at "
        "that address, allow port 53 alone",
        mode=Mode.BROAD,
        workload=alone.id if alone is not None else None,
        object=what(alone) if alone is not None else f"Namespace {namespace}",
        span=next((each.span for each in rules if each.span), group[0][0].span),
        evidence=tuple(rules)[:5],
        mend=_left_out(clinic, answers),
        caveats=merge_caveats(each.caveats for each in answers),
        source=SOURCE,
    )


def _left_out(clinic: Clinic, answers: Sequence[Explanation]) -> tuple[Mend, ...]:
    """Return the policies that let some addresses out, without them; empty where one cannot be."""
    addresses: dict[PolicyId, dict[int, AddressSet]] = {}
    for answer in answers:
        end = answer.question.destination
        for each in answer.deciders if isinstance(end, AddressEnd) else ():
            if each.direction is not Direction.EGRESS:
                continue
            if each.policy is None or each.rule is None:
                return ()
            rules = addresses.setdefault(each.policy, {})
            if isinstance(end, AddressEnd):
                rules[each.rule] = rules.get(each.rule, NO_ADDRESSES) | end.addresses
    mends: list[Mend] = []
    resolving = any(_resolves(clinic, each) for each in answers)
    for policy in clinic.engine.policies.policies:
        found: Policy | None = policy
        if policy.id in addresses:
            found = _without(policy, addresses[policy.id], resolving=resolving)
        if found is None:
            return ()
        mends += clinic.change(found) if found is not policy else ()
    return tuple(mends)


def _resolves(clinic: Clinic, answer: Explanation) -> bool:
    """Return whether names are, or may be, resolved at the address of metadata."""
    source, end = answer.question.source, answer.question.destination
    if not isinstance(source, PodsEnd) or not isinstance(end, AddressEnd):
        return True
    for _, needs in asking(clinic, source.workload):
        for each in needs.every:
            points = AddressSet.points(tuple(map(parse_address, each.addresses)))
            if points & end.addresses or not (each.is_pods or each.addresses):
                return True
    return False


def _without(policy: Policy, rules: Mapping[int, AddressSet], *, resolving: bool) -> Policy | None:
    """Return a policy of which rules leave addresses out; None where they are not broad blocks."""
    kept = []
    for rule in policy.rules:
        holes = rules.get(rule.index, NO_ADDRESSES)
        if rule.direction is not Direction.EGRESS or not holes:
            kept.append(rule)
            continue
        if resolving and rule.traffic.must & _LOOKUPS:
            return None  # names are resolved at that very address
        peers = [_cut(peer, holes) for peer in rule.peers]
        if None in peers:
            return None
        kept.append(replace(rule, peers=tuple(peer for peer in peers if peer is not None)))
    return replace(policy, rules=tuple(kept))


def _cut(peer: Peer, holes: AddressSet) -> Peer | None:
    """Return a peer without addresses; None where it is nothing but them, or says them unseen."""
    match = peer.match
    if isinstance(match, PodsMatch):
        return peer
    if not isinstance(match, BlockMatch):
        return None
    cut = match.addresses & holes
    if match.addresses == cut:
        return None
    cidrs = tuple(blocks(cut)) if cut else ()
    return replace(
        peer,
        match=replace(match, addresses=match.addresses - cut, holes=(*match.holes, *cidrs)),
    )


def _needed(
    clinic: Clinic, workload: Workload, services: tuple[str, ...], why: str
) -> Iterator[Finding]:
    """Yield a finding where a workload does not reach the metadata service that it lives by."""
    pods, shut = clinic.pods(workload.id), []
    for each in map(metadata, services):
        blocks = each.component.blocks
        text = few(block.partition("/")[0] for block in blocks)
        for protocol, port in each.numbers:
            answer = tried(clinic, pods, outside(text, blocks), on(protocol, port))
            if closed(answer) and answer is not None:
                shut.append((f"{text} on {protocol}/{port}", each, answer))
    if not shut:
        return
    certain = all(each.certain for _, each, _ in shut)
    where = few(text for text, _, _ in shut)
    source = shut[0][1].component.source
    unsure = "" if certain else "; which port that is, its vendor's page was not read for"
    yield _blocked(
        clinic,
        workload,
        f"{workload.id} lives by workload identity, and {where} is not let through",
        Evidence(f"{why} says so{unsure}", workload.span),
        [answer for _, _, answer in shut],
        source,
    )


def _credentials(clinic: Clinic, workload: Workload, known: Configs) -> Iterator[Finding]:
    """Yield a finding where a workload is told where to get credentials, and cannot."""
    run = workload.endpoints[0].shape.runtime
    for call in calls(known, workload.id.namespace, run):
        if call.name != CREDENTIALS or call.port is None:
            continue
        try:
            parse_address(call.host)
        except ValueError:
            continue
        if call.host.startswith("127.") or call.host == "::1":
            continue
        pods = clinic.pods(workload.id)
        answer = tried(clinic, pods, outside(call.host, (call.host,)), on("TCP", call.port))
        if answer is not None and closed(answer):
            shown = f"{call.host} on TCP/{call.port}"
            yield _blocked(
                clinic,
                workload,
                f"{workload.id} gets its credentials from {shown}, which is not let through",
                Evidence(f"{call.by} names {call.host}", call.span),
                [answer],
                CREDENTIALS_SOURCE,
            )


def _associated(clinic: Clinic, workload: Workload) -> Iterator[Finding]:
    """Yield a finding where an object promises credentials that a workload cannot fetch."""
    shape = workload.endpoints[0].shape
    item = associated(clinic.engine.world, workload.id.namespace, shape)
    if item is None:
        return
    server, pods = metadata(POD_IDENTITY), clinic.pods(workload.id)
    shut: list[tuple[str, Explanation]] = []
    for block in server.component.blocks:
        host = block.partition("/")[0]
        for protocol, port in server.numbers:
            answer = tried(clinic, pods, outside(host, (host,)), on(protocol, port))
            if answer is None or not closed(answer):
                return  # one family will do
            shut.append((f"{host} on {protocol}/{port}", answer))
    first, answer = shut[0]
    yield _blocked(
        clinic,
        workload,
        f"{workload.id} gets its credentials from {first}, which is not let through",
        Evidence(f"{item.shown} is about its service account", item.span),
        [answer],
        CREDENTIALS_SOURCE,
    )


def _blocked(
    clinic: Clinic,
    workload: Workload,
    message: str,
    said: Evidence,
    answers: list[Explanation],
    source: str,
) -> Finding:
    return Finding(
        code="MET002",
        check="D-IMDS",
        severity=Severity.WARNING,
        message=message,
        effect="it gets no credentials, and its calls to the cloud fail",
        help="let it reach that address and port, and no other of the cloud's own",
        mode=Mode.DEPENDENCY,
        **about(workload),
        evidence=(said,),
        mend=clinic.mend(answers),
        caveats=merge_caveats(each.caveats for each in answers),
        source=source,
    )
