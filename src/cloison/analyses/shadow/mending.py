"""Rules that are missing, put together: lookups are for everybody in a namespace."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cloison.analyses.advice import Advice
from cloison.analyses.doctor.together import covers, for_all, together
from cloison.analyses.mend import Proposal
from cloison.analyses.shadow.model import Weight
from cloison.engine import Engine
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Direction, Peer, Policy, PolicyId

Change = Proposal | Advice
_NAME = "allow-dns"
_FROM = "-from-"
_MANY = 8
"""From so many callers on a resolver is told to admit everybody."""


def merged(engine: Engine, weight: Weight, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return changes with fewer policies and rules that come to the same, or to little more.

    Where a namespace lacks lookups, all of its pods get them, if all are isolated already: one
    policy says it, and no pod is isolated by it. A resolver that many callers lack admits all pods.

    Args:
        engine: Whose policies.
        weight: What the changes are for.
        changes: The changes, in order.
    """
    found = together(engine, changes)
    return together(engine, _for_all(engine, found)) if weight is Weight.DNS else found


def _for_all(engine: Engine, changes: Sequence[Change]) -> Iterator[Change]:
    homes: dict[str, list[Proposal]] = defaultdict(list)
    for each in changes:
        home = None if isinstance(each, Advice) else each.policy.id.namespace
        if isinstance(each, Advice) or home is None:
            yield each
        elif each.rule.direction is Direction.INGRESS:
            yield _everybody(each) if len(each.rule.peers) >= _MANY else each
        else:
            homes[home].append(each)
    for home, some in homes.items():
        if _isolated(engine, home):
            for each in some:
                yield from _shared(engine, home, each)
        else:
            yield from some


def _everybody(change: Proposal) -> Proposal:
    """Return a change with which a resolver admits every pod: it is there for everybody."""
    policy = change.policy
    if change.new:
        name = f"{policy.id.name.partition(_FROM)[0]}{_FROM}everybody"
        policy = replace(policy, id=replace(policy.id, name=name))
    rule = replace(change.rule, peers=(Peer(PodsMatch()),))
    return replace(change, policy=policy, rule=rule, also=())


def _isolated(engine: Engine, home: str) -> bool:
    everybody = {pod.workload for pod in engine.table.living_in(home)}
    return covers(engine, home, everybody, Direction.EGRESS)


def _shared(engine: Engine, home: str, change: Proposal) -> Iterator[Proposal]:
    policies = {each.id: each for each in engine.policies.policies}
    kind = change.policy.id.kind
    own = policies.get(PolicyId(kind, home, _NAME))
    if own is not None and _selects_all(engine, home, own):
        yield replace(change, policy=own, new=False)
        return
    for each in for_all(engine, home, [change]):
        name = PolicyId(kind, home, _NAME if own is None else each.policy.id.name)
        yield replace(each, policy=replace(each.policy, id=name))


def _selects_all(engine: Engine, home: str, policy: Policy) -> bool:
    """Return whether a policy selects every pod of a namespace on its way out."""
    units = engine.binder.subject(policy)
    pods = (e for e in engine.table.by_namespace[home])
    return Direction.EGRESS in policy.isolates and all(
        unit in units
        for index in pods
        if not engine.table.endpoints[index].shape.host_network
        for unit in engine.table.by_endpoint[index]
    )
