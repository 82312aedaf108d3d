"""D-NOSELECT: policies and peers that select nobody, or more than was meant."""

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches

from cloison.algebra import NO_ADDRESSES, AddressSet, LabelSelector, Operator
from cloison.analyses.ask import Mend
from cloison.analyses.backends import members
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.judged import certain, tried
from cloison.analyses.doctor.lookalike import CLOSE, NEAR, lives, nearest, pods_like, there
from cloison.analyses.doctor.missed import missed
from cloison.analyses.doctor.served import enforced, peers_of, subjects_of
from cloison.analyses.ends import AddressEnd
from cloison.analyses.mend import MOST_BLOCKS, Proposal, blocks
from cloison.analyses.miss import match_text
from cloison.analyses.question import Traffic
from cloison.base import Severity
from cloison.base.words import few
from cloison.ir.peers import BlockMatch, PodsMatch
from cloison.ir.policy import Action, Direction, Peer, Policy, Rule
from cloison.resources.objects import NAMESPACE_NAME_LABEL, Namespace, Service
from cloison.resources.world import Workload, WorkloadId

_SOURCE = "kubernetes/website services-networking/network-policies.md"


def nobody(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each policy and peer that selects nobody, or more than was meant."""
    for policy in enforced(clinic.engine):
        if not clinic.examines(policy.id.namespace):
            continue
        yield from _policy(clinic, policy)
        for rule in policy.rules:
            if rule.action is Action.ALLOW:
                yield from _either(clinic, policy, rule)
                yield from _peers(clinic, policy, rule)


def _policy(clinic: Clinic, policy: Policy) -> Iterator[Finding]:
    """Yield a finding for a policy that is about no pod at all."""
    engine = clinic.engine
    if policy.nodes or engine.binder.subject(policy) or not policy.subjects:
        return
    match = policy.subjects[0]
    if not match.pods:
        return  # everybody in a namespace that is empty so far
    inside = [each for each in clinic.everyone() if lives(clinic, match, each)]
    meant = [w for w in inside if any(match.pods.matches(p.labels) for p in w.endpoints)]
    if meant and all(pod.shape.host_network for w in meant for pod in w.endpoints):
        pods = few(str(each.id) for each in meant)
        yield Finding(
            code="SEL002",
            check="D-NOSELECT",
            severity=Severity.WARNING,
            message=f"{policy.id} selects host-network pods only: {pods}",
            effect="the policy does nothing: those pods have no network of their own",
            help="policies for hosts, or the node's firewall, are what guards them",
            mode=Mode.NO_EFFECT,
            workload=meant[0].id,
            object=f"{policy.id.kind} {policy.id}",
            span=policy.subject_span or policy.span,
            evidence=tuple(Evidence(f"{w.id} has hostNetwork: true", w.span) for w in meant[:3]),
            source=_SOURCE,
        )
        return
    if meant or not inside or to_come(clinic, match):
        return
    lost = tuple(missed(clinic, policy, match, inside))
    yield from lost
    if lost:
        return
    near = nearest(match.pods, [(str(w.id), p.labels) for w in inside for p in w.endpoints])
    yield Finding(
        code="SEL001",
        check="D-NOSELECT",
        severity=Severity.WARNING if near else Severity.INFO,
        message=f"{policy.id} selects no pod: none has {match.pods}",
        effect="the policy does nothing" if near else "it does nothing, unless such pods are made",
        help=f"did you mean {near}?" if near else "correct the selector, or delete the policy",
        mode=Mode.NO_EFFECT,
        object=f"{policy.id.kind} {policy.id}",
        span=policy.subject_span or policy.span,
        source=_SOURCE,
    )


def to_come(clinic: Clinic, match: PodsMatch) -> bool:
    """Return whether an operator will make pods that a selector may be for.

    Args:
        clinic: The clinic.
        match: Whom it selects.
    """
    spaces = clinic.engine.world.namespaces
    known = [
        (found.namespace or "", found.pod_labels)
        for found in clinic.site.components
        if not found.workloads
    ]
    known += [(name.namespace, made.labels) for name, made in clinic.assumed.items()]
    for namespace, labels in known:
        home = spaces.get(namespace)
        if home is None:
            continue
        lives = home.name == match.namespace
        if match.namespace is None:
            lives = match.namespaces.matches(home.labels)
        # Labels that nothing says may be there or not.
        said = [r for r in match.pods.requirements if r.key in labels]
        if lives and said and all(r.matches(labels) for r in said):
            return True
    return False


def _peers(clinic: Clinic, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """Yield a finding for peers that match nobody, where somebody looks meant."""
    engine = clinic.engine
    if not subjects_of(engine, policy):
        return
    for peer in rule.peers:
        match = peer.match
        if not isinstance(match, PodsMatch) or peers_of(engine, (peer,)):
            continue
        waits = not match.pods.satisfiable() or to_come(clinic, match)
        if waits or _other_half(clinic, rule, match):
            continue
        found = _meant(clinic, match)
        if found is None and rule.direction is Direction.EGRESS:
            yield from _no_pods(clinic, policy, rule, peer, match)
        if found is None or _open_already(clinic, policy, rule, found[1]):
            continue
        said, whom, meant = found[0], found[1], found[2]
        word = "from" if rule.direction is Direction.INGRESS else "to"
        traffic = replace(rule, peers=(Peer(meant),), index=1)
        yield Finding(
            code="SEL003",
            check="D-NOSELECT",
            severity=Severity.ERROR,
            message=f"{rule.label} of {policy.id} is for {match_text(match, policy)}, "
            "which matches no pod",
            effect=f"nothing gets through {word} {few(str(w.id) for w in whom)}, which looks meant",
            help=f"{said}; namespaces are best selected by {NAMESPACE_NAME_LABEL}",
            mode=Mode.DEPENDENCY,
            workload=subjects_of(engine, policy)[0],
            object=f"{policy.id.kind} {policy.id}",
            span=peer.span or rule.span or policy.span,
            evidence=tuple(dict.fromkeys(there(clinic, match, w) for w in whom[:3])),
            mend=clinic.add((Proposal(policy, traffic, new=False),)),
            source=_SOURCE,
        )


def _no_pods(
    clinic: Clinic, policy: Policy, rule: Rule, peer: Peer, match: PodsMatch
) -> Iterator[Finding]:
    """Yield a finding for a peer that looks like a Service behind which there are no pods."""
    spaces = clinic.engine.world.namespaces
    values = {v for r in match.pods.requirements if r.operator is Operator.IN for v in r.values}
    for (home, name), service in clinic.engine.world.services.items():
        lives = home == match.namespace
        if match.namespace is None:
            lives = match.namespaces.matches(spaces[home].labels)
        if not lives or name not in values or service.selector:
            continue
        if service.external_name:
            what = f"Service {home}/{name} is an alias for {service.external_name}"
        else:
            what = f"Service {home}/{name} selects no pods: somebody lists its endpoints"
        subject = subjects_of(clinic.engine, policy)[0]
        behind = _addresses(clinic, service)
        yield Finding(
            code="SEL005",
            check="D-NOSELECT",
            severity=Severity.ERROR
            if behind and _shut(clinic, subject, behind, rule)
            else Severity.WARNING,
            message=f"{rule.label} of {policy.id} is for {match_text(match, policy)}, and {what}: "
            "there are no such pods",
            effect=f"{subject} does not reach what is behind the Service by this rule",
            help="allow the addresses that it leads to (ipBlock), on the port that is dialled, or "
            "their name where the enforcer knows names",
            mode=Mode.DEPENDENCY,
            workload=subject,
            object=f"{policy.id.kind} {policy.id}",
            span=peer.span or rule.span or policy.span,
            evidence=(Evidence(what, service.span),),
            mend=_by_address(clinic, policy, rule, peer, behind),
            source=_SOURCE,
        )


def _addresses(clinic: Clinic, service: Service) -> AddressSet:
    """Return the addresses behind a Service without pods, as far as they are known."""
    engine, found = clinic.engine, NO_ADDRESSES
    if service.external_name:
        return engine.networks.names.get(service.external_name.lower().rstrip("."), found)
    for end, _ in members(engine, service).ends:
        if isinstance(end, AddressEnd):
            found |= end.addresses
    return found


def _shut(clinic: Clinic, name: WorkloadId, behind: AddressSet, rule: Rule) -> bool:
    """Return whether a workload certainly gets none of a rule's traffic to some addresses."""
    if not rule.traffic.must:
        return False
    end = AddressEnd("what is behind the Service", behind)
    asked = Traffic(str(rule.traffic.must), rule.traffic.must)
    answer = tried(clinic, clinic.pods(name), end, asked)
    return answer is not None and certain(clinic, answer)


def _by_address(
    clinic: Clinic, policy: Policy, rule: Rule, peer: Peer, behind: AddressSet
) -> tuple[Mend, ...]:
    """Return a rule with the addresses behind a Service in place of pods that are not there."""
    cidrs = list(blocks(behind)) if behind else []
    if not 0 < len(cidrs) <= MOST_BLOCKS:
        return ()
    blocked = tuple(Peer(BlockMatch(AddressSet.block(each), each)) for each in cidrs)
    peers = tuple(new for old in rule.peers for new in (blocked if old is peer else (old,)))
    rules = tuple(replace(r, peers=peers) if r is rule else r for r in policy.rules)
    return clinic.change(replace(policy, rules=rules))


def _other_half(clinic: Clinic, rule: Rule, match: PodsMatch) -> bool:
    """Return whether a peer is one of two that were meant as one: that is told as such."""
    return match.namespace is not None and _split(clinic, rule) is not None


def _meant(clinic: Clinic, match: PodsMatch) -> tuple[str, tuple[Workload, ...], PodsMatch] | None:
    """Return what is wrong with a peer, whom it looks like, and how those are selected."""
    spaces = clinic.engine.world.namespaces
    homes = [match.namespace] if match.namespace is not None else []
    if match.namespace is None:
        homes = [name for name, each in spaces.items() if match.namespaces.matches(each.labels)]
    if not homes:
        for name, home in spaces.items():
            said = _space_like(match.namespaces, home)
            whom = _in(clinic, [name], match.pods) if said else ()
            if said and whom:
                where = LabelSelector.of({NAMESPACE_NAME_LABEL: name})
                return said, whom, PodsMatch(namespaces=where, pods=match.pods)
        return None
    inside = [w for w in clinic.everyone() if w.id.namespace in homes]
    for workload in inside:
        for pod in workload.endpoints:
            meant = pods_like(match.pods, pod.labels)
            if meant is not None:
                whom = _in(clinic, homes, meant)
                return f"pods there have {meant}", whom, replace(match, pods=meant)
    return None


def _in(clinic: Clinic, homes: list[str], pods: LabelSelector) -> tuple[Workload, ...]:
    return tuple(
        w
        for w in clinic.everyone()
        if w.id.namespace in homes and any(pods.matches(pod.labels) for pod in w.endpoints)
    )


def _space_like(selector: LabelSelector, home: Namespace) -> str | None:
    """Return why a namespace looks meant by a selector that does not match it."""
    unmet = selector.unmet(home.labels)
    if len(unmet) != 1 or unmet[0].operator is not Operator.IN:
        return None
    wanted, labels = unmet[0], home.labels
    asked = wanted.values[0]
    has = labels.get(wanted.key)
    known = has is not None and wanted.key != NAMESPACE_NAME_LABEL
    if known and (home.name in wanted.values or get_close_matches(asked, [has or ""], 1, NEAR)):
        return f"namespace {home.name} has {wanted.key}={has}, not {asked}"
    if has is None and home.name in wanted.values:
        return f"namespace {home.name} has no label {wanted.key}"
    if wanted.key == NAMESPACE_NAME_LABEL and get_close_matches(asked, [home.name], 1, CLOSE):
        return f"there is no namespace {asked}, but {home.name}"
    for key, value in labels.items():
        if value == asked and get_close_matches(wanted.key, [key], 1, NEAR):
            return f"namespace {home.name} has {key}={value}, not {wanted.key}"
    return None


def _open_already(clinic: Clinic, policy: Policy, rule: Rule, whom: tuple[Workload, ...]) -> bool:
    """Return whether those who look meant get through by something else."""
    engine = clinic.engine
    for subject in engine.binder.subject(policy):
        decision = engine.decision(subject, rule.direction)
        for each in whom:
            for unit in engine.table.workload_units(each.id):
                outcome = decision.piece(unit).outcome
                lost = rule.traffic.must - outcome.passing
                if lost or (rule.traffic.named and not outcome.allowed):
                    return False
    return True


def _split(clinic: Clinic, rule: Rule) -> tuple[Peer, Peer, PodsMatch] | None:
    """Return two peers of a rule that look like one whose selectors should both hold."""
    for first in rule.peers:
        for second in rule.peers:
            spaces, pods = first.match, second.match
            if not isinstance(spaces, PodsMatch) or not isinstance(pods, PodsMatch):
                continue
            whole = spaces.namespace is None and bool(spaces.namespaces) and not spaces.pods
            if not whole or pods.namespace is None or not pods.pods:
                continue
            both = replace(spaces, pods=pods.pods)
            here = peers_of(clinic.engine, (second,))
            there = peers_of(clinic.engine, (Peer(both),))
            if not here and there:
                return first, second, both
    return None


def _either(clinic: Clinic, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """Yield a finding for two peers where one was meant: either one is enough."""
    found = _split(clinic, rule)
    if found is None or not subjects_of(clinic.engine, policy):
        return
    first, second, both = found
    everybody = peers_of(clinic.engine, (first,))
    meant = peers_of(clinic.engine, (Peer(both),))
    more = [str(each) for each in everybody if each not in meant]
    kept = tuple(
        Peer(both, each.span) if each is first else each
        for each in rule.peers
        if each is not second
    )
    rules = tuple(replace(r, peers=kept) if r is rule else r for r in policy.rules)
    word = "from" if rule.direction is Direction.INGRESS else "to"
    yield Finding(
        code="SEL004",
        check="D-NOSELECT",
        severity=Severity.ERROR if more else Severity.WARNING,
        message=f"{rule.label} of {policy.id} lists namespaces and pods as two peers, and either "
        "one is enough",
        effect=f"it lets traffic through {word} {few(more)}, too"
        if more
        else "it lets traffic through for every pod of those namespaces",
        help="remove the dash before podSelector, so that one peer asks for both",
        mode=Mode.BROAD,
        workload=subjects_of(clinic.engine, policy)[0],
        object=f"{policy.id.kind} {policy.id}",
        span=second.span or rule.span or policy.span,
        evidence=(
            Evidence(f"{match_text(first.match, policy)} is one peer", first.span),
            Evidence(
                f"{match_text(second.match, policy)} is another, and matches nobody", second.span
            ),
        ),
        mend=clinic.change(replace(policy, rules=rules)),
        source=_SOURCE,
    )
