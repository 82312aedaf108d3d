"""What is between replicas alone, taken out of rules that let others in."""

from collections.abc import Iterable
from dataclasses import replace

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.ask import Explanation, Mend
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.served import subjects_of
from cloison.analyses.mend import Proposal
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Action, Direction, Peer, Policy, Rule, TrafficMatch
from cloison.platform.replicas import Group


def without(clinic: Clinic, group: Group, answers: Iterable[Explanation]) -> tuple[Mend, ...]:
    """Return the policies that let others in between replicas, as they should be.

    Replicas that got in by the same rules keep a rule of their own. Nothing where a policy is for
    other pods, too: they may need those ports for something else.

    Args:
        clinic: Who judges, and writes.
        group: The replicas.
        answers: What becomes of connections of others to them.
    """
    rules = {
        (each.policy, each.rule)
        for answer in answers
        for each in answer.deciders
        if each.direction is Direction.INGRESS
    }
    there = {policy.id: policy for policy in clinic.engine.policies.policies}
    shut = NO_TRAFFIC
    for port in group.closed:
        shut |= TrafficSet.ports(port.protocol, int(port.port))
    mends: tuple[Mend, ...] = ()
    for name in sorted({policy for policy, _ in rules if policy is not None}, key=str):
        policy = there.get(name)
        if policy is None or not set(subjects_of(clinic.engine, policy)) <= set(group.workloads):
            return ()
        changed = _changed(clinic, group, policy, {i for each, i in rules if each == name}, shut)
        if not changed:
            return ()
        mends += changed
    return mends


def _changed(
    clinic: Clinic, group: Group, policy: Policy, indices: set[int | None], shut: TrafficSet
) -> tuple[Mend, ...]:
    """Return a policy without some traffic in some of its rules; empty where it cannot be."""
    found: list[Rule] = []
    own: list[Rule] = []
    for rule in policy.rules:
        if rule.direction is not Direction.INGRESS or rule.index not in indices:
            found.append(rule)
            continue
        if rule.action is not Action.ALLOW or rule.asks or rule.traffic.excepted:
            return ()
        left = _left(group, clinic, rule.traffic, shut)
        if left.must or left.named:
            found.append(replace(rule, traffic=left))
        if _for_replicas(clinic, group, rule):
            own.append(rule)
    done = clinic.change(replace(policy, rules=tuple(found)))
    if not own or not done:
        return done
    (subject, *more) = policy.subjects
    if more or not isinstance(subject, PodsMatch):
        return ()
    kept = replace(own[0], peers=(Peer(subject),), traffic=TrafficMatch(shut), span=None)
    added = clinic.add((Proposal(policy, kept, new=False),))
    return (*done, *added) if added else ()


def _left(group: Group, clinic: Clinic, traffic: TrafficMatch, shut: TrafficSet) -> TrafficMatch:
    """Return traffic without some, and without names that stand for it at replicas."""
    numbers = {(port.protocol, port.port) for port in group.closed}
    gone = {
        port.name
        for name in group.workloads
        for pod in clinic.engine.world.workloads[name].endpoints
        for port in pod.ports
        if (port.protocol, port.number) in numbers
    }
    named = tuple(each for each in traffic.named if each.name not in gone)
    return replace(traffic, must=traffic.must - shut, may=traffic.may - shut, named=named)


def _for_replicas(clinic: Clinic, group: Group, rule: Rule) -> bool:
    """Return whether replicas get in by a rule, too."""
    peers = clinic.engine.binder.peers(rule.peers).must
    table = clinic.engine.table
    units = (
        unit
        for name in group.workloads
        for index in table.by_workload[name]
        for unit in table.by_endpoint[index]
    )
    return any(unit in peers for unit in units)
