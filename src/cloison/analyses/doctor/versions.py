"""D-CANARY: what policies give one version of a workload, they give the others too."""

from collections.abc import Iterator
from dataclasses import replace

from cloison.algebra import NO_TRAFFIC, LabelSelector, TrafficSet
from cloison.algebra.selectors import Requirement
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.finding import Evidence, Finding, Mode
from cloison.analyses.doctor.served import enforced
from cloison.analyses.mend import Proposal
from cloison.analyses.miss import peer_text, said_traffic
from cloison.analyses.telling import NAMING, PASSING, VOLATILE
from cloison.base import Severity
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Action, Direction, Peer, Policy, Rule, TrafficMatch
from cloison.resources.world import Workload, WorkloadId

_SOURCE = "kubernetes/website concepts/overview/working-with-objects/labels.md"


def versions(clinic: Clinic) -> Iterator[Finding]:
    """Yield a finding for each version of a workload that a policy forgets."""
    for policy in enforced(clinic.engine):
        for match in policy.subjects:
            missed = _missed(clinic, match)
            if missed:
                yield from _unselected(clinic, policy, match, missed)
        for rule in policy.rules:
            if rule.action is Action.ALLOW:
                yield from _not_admitted(clinic, policy, rule)


def _passing(each: Requirement) -> bool:
    """Return whether a requirement is on a label that only some versions carry."""
    return each.key in VOLATILE or each.key.rpartition("/")[2] in PASSING


def _lasting(selector: LabelSelector) -> LabelSelector | None:
    """Return a selector without what tells versions apart; None where that is not what it does."""
    kept = tuple(each for each in selector.requirements if not _passing(each))
    if len(kept) == len(selector.requirements) or not any(each.key in NAMING for each in kept):
        return None
    return LabelSelector(kept)


def _missed(clinic: Clinic, match: PodsMatch) -> tuple[Workload, ...]:
    """Return workloads that a selector means and leaves out, where it selects others like them."""
    wide = _lasting(match.pods)
    if wide is None:
        return ()
    world = clinic.engine.world
    inside = [
        each
        for each in clinic.everyone()
        if match.namespace in (None, each.id.namespace)
        and (
            match.namespace is not None
            or match.namespaces.matches(world.namespaces[each.id.namespace].labels)
        )
        and any(wide.matches(pod.labels) for pod in each.endpoints)
    ]
    chosen = [w for w in inside if any(match.pods.matches(pod.labels) for pod in w.endpoints)]
    homes = {each.id.namespace for each in chosen}
    return tuple(w for w in inside if w not in chosen and w.id.namespace in homes)


def _like(clinic: Clinic, match: PodsMatch, missed: Workload) -> WorkloadId | None:
    """Return the version that a selector does select."""
    for each in clinic.everyone():
        here = each.id.namespace == missed.id.namespace
        if here and any(match.pods.matches(pod.labels) for pod in each.endpoints):
            return each.id
    return None


def _unselected(
    clinic: Clinic, policy: Policy, match: PodsMatch, missed: tuple[Workload, ...]
) -> Iterator[Finding]:
    """Yield a finding for versions that a policy does not select."""
    engine = clinic.engine
    lasting = _lasting(match.pods)
    for workload in missed:
        like = _like(clinic, match, workload)
        if like is None or lasting is None or not clinic.examines(workload.id.namespace):
            continue
        lacking = tuple(_lacking(engine, policy, like, workload.id))
        unguarded = not lacking and any(
            not clinic.isolated(workload.id, direction) for direction in policy.isolates
        )
        if not lacking and not unguarded:
            continue
        subjects = tuple(replace(m, pods=lasting) if m == match else m for m in policy.subjects)
        only = ",".join(str(r) for r in match.pods.requirements if _passing(r))
        if lacking:
            message = f"{policy.id} selects {like} by {only}, and not {workload.id}"
            effect = f"{workload.id} alone lacks what the policy allows; {like} is well"
        else:
            message = f"{policy.id} guards {like} by {only}, and leaves {workload.id} open"
            effect = f"everybody reaches {workload.id}, which is the same application"
        yield Finding(
            code="CAN001" if lacking else "CAN002",
            check="D-CANARY",
            severity=Severity.ERROR if lacking else Severity.WARNING,
            message=message,
            effect=effect,
            help=f"select by {lasting} alone, which both versions carry",
            mode=Mode.VERSION if lacking else Mode.NEIGHBOUR,
            workload=workload.id,
            object=f"{policy.id.kind} {policy.id}",
            span=policy.subject_span or policy.span,
            evidence=(
                Evidence(f"{workload.id} has {_labels(workload, match)}", workload.span),
                *(Evidence(f"lost: {_said(policy, rule)}", rule.span) for rule in lacking[:_SHOWN]),
            ),
            mend=clinic.change(replace(policy, subjects=subjects)),
            source=_SOURCE,
        )


_SHOWN = 6


def _labels(workload: Workload, match: PodsMatch) -> str:
    labels = workload.endpoints[0].labels
    shown = [f"{k}={labels[k]}" for k in sorted(match.pods.keys) if k in labels]
    return ", ".join(shown) or "none of these labels"


def _said(policy: Policy, rule: Rule) -> str:
    word = "from" if rule.direction is Direction.INGRESS else "to"
    whom = few((peer_text(each, policy) for each in rule.peers), 2)
    return f"{rule.label}, {said_traffic(rule.traffic)} {word} {whom}"


def _lacking(engine: Engine, policy: Policy, has: WorkloadId, lacks: WorkloadId) -> Iterator[Rule]:
    """Yield the rules of a policy by which one workload gets something that another does not."""
    ours = engine.table.workload_units(has)
    theirs = engine.table.workload_units(lacks)
    if not ours or not theirs:
        return
    for rule in policy.rules:
        if rule.action is not Action.ALLOW:
            continue
        mine = engine.decision(min(ours), rule.direction)
        other = engine.decision(min(theirs), rule.direction)
        for piece in mine.pieces:
            given = NO_TRAFFIC
            for bound, _ in piece.rules:
                if bound.rule is rule:
                    given |= bound.traffic
            if not given or not piece.peers:
                continue
            if given & piece.outcome.allowed - other.piece(min(piece.peers)).outcome.passing:
                yield rule
                break


def _not_admitted(clinic: Clinic, policy: Policy, rule: Rule) -> Iterator[Finding]:
    """Yield a finding for versions of a peer that a rule does not match."""
    engine = clinic.engine
    subject = engine.binder.subject(policy)
    if not subject or not clinic.examines(policy.id.namespace):
        return
    for peer in rule.peers:
        match = peer.match
        if not isinstance(match, PodsMatch):
            continue
        wide = _lasting(match.pods)
        missed = _missed(clinic, match)
        if wide is None or not missed:
            continue
        given = _given(engine, policy, rule, min(subject))
        decision = engine.decision(min(subject), rule.direction)
        shut = [
            each
            for each in missed
            if any(
                given - decision.piece(unit).outcome.passing
                for unit in engine.table.workload_units(each.id)
            )
        ]
        if not shut or not given:
            continue
        word = "from" if rule.direction is Direction.INGRESS else "to"
        only = ",".join(str(r) for r in match.pods.requirements if _passing(r))
        wider = Peer(replace(match, pods=wide))
        more = replace(rule, peers=(wider,), traffic=TrafficMatch(given), index=1)
        yield Finding(
            code="CAN003",
            check="D-CANARY",
            severity=Severity.ERROR,
            message=f"{rule.label} of {policy.id} allows traffic {word} {only} alone, and not "
            f"{word} {few(str(each.id) for each in shut)}",
            effect=f"only one version gets through; {few(str(each.id) for each in shut)} does not",
            help=f"select by {wide} alone, which all versions carry",
            mode=Mode.VERSION,
            workload=shut[0].id,
            object=f"{policy.id.kind} {policy.id}",
            span=peer.span or rule.span or policy.span,
            evidence=tuple(
                Evidence(f"{each.id} has {_labels(each, match)}", each.span) for each in shut[:3]
            ),
            mend=clinic.add((Proposal(policy, more, new=False),)),
            source=_SOURCE,
        )


def _given(engine: Engine, policy: Policy, rule: Rule, unit: int) -> TrafficSet:
    """Return the traffic that a rule lets through for a unit, its port names resolved."""
    found = NO_TRAFFIC
    for piece in engine.decision(unit, rule.direction).pieces:
        for bound, _ in piece.rules:
            if bound.rule is rule and bound.policy.id == policy.id:
                found |= bound.traffic
    return found
