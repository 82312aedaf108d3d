"""Changes that several answers ask for, put together: as few policies and rules as say it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cloison.algebra import EVERYTHING, LabelSelector, Operator, Requirement
from cloison.analyses.advice import Advice
from cloison.analyses.mend import Proposal
from cloison.engine import Engine
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Direction, Policy, PolicyId, Rule
from cloison.resources.world import WorkloadId


def together(engine: Engine, changes: Iterable[Proposal | Advice]) -> tuple[Proposal | Advice, ...]:
    """Return changes with fewer policies and rules that come to the same.

    Where all workloads of a namespace lack the same thing, one policy about all of its pods
    gives it to them: nobody is isolated by it who is not already.

    Args:
        engine: Whose policies.
        changes: The changes, in order.
    """
    every = tuple(dict.fromkeys(_hashable(changes)))
    advice = [each for each in every if isinstance(each, Advice)]
    proposed = [each for each in every if isinstance(each, Proposal)]
    shared = list(_shared(engine, proposed))
    return (*advice, *_one_each(shared))


def _hashable(changes: Iterable[Proposal | Advice]) -> Iterator[Proposal | Advice]:
    seen = set()
    for each in changes:
        key: object = each
        if isinstance(each, Proposal):
            rule = each.rule
            key = (each.policy.id, rule.direction, _matches(rule), str(rule.traffic.must))
        if key not in seen:
            seen.add(key)
            yield each


def _matches(rule: Rule) -> tuple[object, ...]:
    return tuple(peer.match for peer in rule.peers)


def _shared(engine: Engine, proposed: Sequence[Proposal]) -> Iterator[Proposal]:
    """Yield proposals; for all workloads of a namespace, one policy instead of many."""
    groups: dict[object, list[Proposal]] = {}
    for each in proposed:
        rule, home = each.rule, each.policy.id.namespace
        key = (home, rule.direction, _matches(rule), str(rule.traffic.must), rule.traffic.named)
        groups.setdefault(key, []).append(each)
    for group in groups.values():
        home = group[0].policy.id.namespace
        policies = {each.policy.id for each in group}
        if home is None or len(policies) <= 1:
            yield from group
        elif _all(engine, home, group):
            yield from for_all(engine, home, group)
        else:
            yield from _by_label(engine, home, group)


def _by_label(engine: Engine, home: str, group: Sequence[Proposal]) -> Iterator[Proposal]:
    """Yield the same rule for several pods: new policies that ask for one label each as one."""
    several: dict[str, list[Proposal]] = {}
    for each in group:
        label = _label(each)
        if label is None:
            yield each
        else:
            several.setdefault(label.key, []).append(each)
    for key, found in several.items():
        values = {value for each in found if (r := _label(each)) for value in r.values}
        if len(values) == 1:
            yield from found
            continue
        pods = LabelSelector((Requirement(key, Operator.IN, tuple(sorted(values))),))
        yield from for_all(engine, home, found, pods)


def _label(change: Proposal) -> Requirement | None:
    """Return the one label that the pods of a new policy are selected by, if it is one."""
    subjects = change.policy.subjects
    if not change.new or len(subjects) != 1 or len(subjects[0].pods.requirements) != 1:
        return None
    (found,) = subjects[0].pods.requirements
    return found if found.operator is Operator.IN else None


def covers(engine: Engine, home: str, names: Iterable[WorkloadId], direction: Direction) -> bool:
    """Return whether workloads are all of a namespace, and all of its pods are isolated."""
    pods = [each for each in engine.table.living_in(home) if not each.shape.host_network]
    return {pod.workload for pod in pods} <= set(names) and all(
        engine.decision(unit, direction).terms.isolating
        for index in engine.table.by_namespace.get(home, ())
        if not engine.table.endpoints[index].shape.host_network
        for unit in engine.table.by_endpoint[index]
    )


def _all(engine: Engine, home: str, group: Sequence[Proposal]) -> bool:
    """Return whether some changes are about all pods of a namespace, and all are isolated."""
    matches = [match for each in group for match in each.policy.subjects]
    named = {
        pod.workload
        for pod in engine.table.living_in(home)
        if any(match.pods.matches(pod.labels) for match in matches)
    }
    return covers(engine, home, named, group[0].rule.direction)


def for_all(
    engine: Engine,
    home: str,
    group: Sequence[Proposal],
    pods: LabelSelector = EVERYTHING,
) -> tuple[Proposal, ...]:
    """Return a policy of one rule, that of some proposals, for many pods of a namespace.

    Args:
        engine: Whose policies.
        home: The namespace.
        group: The proposals.
        pods: Which of its pods; all of them if it does not say.
    """
    first = next((each for each in group if each.new), group[0])
    rule, model = first.rule, first.policy
    way = "from" if rule.direction is Direction.INGRESS else "to"
    whom = model.id.name.rpartition(f"-{way}-")[2] if first.new else "more"
    name = f"allow-{way}-{whom}"
    taken = {policy.id for policy in engine.policies.policies}
    while PolicyId(model.id.kind, home, name) in taken:
        name += "-more"
    policy = Policy(
        PolicyId(model.id.kind, home, name),
        (PodsMatch(namespace=home, pods=pods),),
        frozenset({rule.direction}),
        (rule,),
        model.tier,
        model.order,
        band=model.band,
    )
    also = tuple(sorted({name for each in group for name in each.also}))
    return (Proposal(policy, rule, new=True, also=also),)


def _one_each(proposed: Sequence[Proposal]) -> Iterator[Proposal]:
    """Yield proposals, those for one policy and the same traffic, or peers, as one rule."""
    found: list[Proposal] = []
    homes: dict[object, Policy] = {}
    for each in proposed:
        # Of new policies about the same pods in the same direction, the first holds all rules.
        key = each.policy.id if not each.new else (each.policy.subjects, each.rule.direction)
        found.append(replace(each, policy=homes.setdefault(key, each.policy)))
    for joins in (_same_peers, _same_traffic):
        found = list(joins(found))
    yield from found


def _same_peers(proposed: Sequence[Proposal]) -> Iterator[Proposal]:
    groups: dict[object, Proposal] = {}
    for each in proposed:
        rule = each.rule
        key = (each.policy.id, rule.direction, _matches(rule), rule.traffic.named)
        before = groups.get(key)
        if before is not None:
            traffic = replace(rule.traffic, must=before.rule.traffic.must | rule.traffic.must)
            groups[key] = _with(before, replace(before.rule, traffic=traffic), each)
        else:
            groups[key] = each
    yield from groups.values()


def _same_traffic(proposed: Sequence[Proposal]) -> Iterator[Proposal]:
    groups: dict[object, Proposal] = {}
    for each in proposed:
        rule = each.rule
        key = (each.policy.id, rule.direction, str(rule.traffic.must), rule.traffic.named)
        before = groups.get(key)
        if before is not None:
            peers = tuple(dict.fromkeys((*before.rule.peers, *rule.peers)))
            groups[key] = _with(before, replace(before.rule, peers=peers), each)
        else:
            groups[key] = each
    yield from groups.values()


def _with(before: Proposal, rule: Rule, other: Proposal) -> Proposal:
    also = tuple(sorted({*before.also, *other.also}))
    return replace(before, rule=rule, also=also)
