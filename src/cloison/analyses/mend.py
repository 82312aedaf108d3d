"""The smallest change that would let denied traffic through, as a proposal in the IR.

Where traffic is stopped because no rule of a tier lets it through, a rule that admits exactly
this peer on exactly this traffic is added there: to the policy that is about this workload
alone, or in a policy of its own when that isolates nobody new. Nothing that is allowed today is
closed by it. Where a rule denies it, or nobody can write what would help, advice says in
words what has to change, and where.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, summarize_address_range
from typing import TypeAlias

from cloison.algebra import AddressSet, LabelSelector, parse_address
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.advice import Advice, asking_else, guarded, other_request
from cloison.analyses.ask import Explanation
from cloison.analyses.ends import AddressEnd, AnyEnd, NameEnd
from cloison.analyses.explain import CaseAnswer, PointAnswer
from cloison.analyses.miss import peer_text, traffic_text
from cloison.analyses.opened import others_matched
from cloison.analyses.parties import Party
from cloison.analyses.telling import telling_labels
from cloison.analyses.walk import TierWalk
from cloison.engine import Engine, UnitKind
from cloison.engine.steps import Cause
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import BlockMatch, PodsMatch, Relative, RelativeMatch
from cloison.ir.policy import Action, Direction, Peer, Policy, PolicyId, Rule, TrafficMatch
from cloison.resources.objects import NAMESPACE_NAME_LABEL
from cloison.resources.world import APART, WorkloadId

ASSUMED = " (assumed)"
"""What names of workloads end with that the input does not hold."""

MOST_BLOCKS = 32
"""Blocks that a rule may list: more are not for people to read."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule to add.

    Args:
        policy: The policy it goes into: an existing one, or a new one that holds it.
        rule: The rule.
        new: Whether the policy is to be created.
        also: Other endpoints it opens the traffic to, or from.
    """

    policy: Policy
    rule: Rule
    new: bool
    also: tuple[str, ...] = ()


Writable: TypeAlias = Callable[[PolicyId], bool]
"""Whether somebody can write a policy with more rules, and others of its kind."""


def proposals(
    engine: Engine, answer: Explanation, writable: Writable = lambda _: True
) -> tuple[Proposal | Advice, ...]:
    """Return changes that together flip a denial; empty when nobody knows one.

    Args:
        engine: The engine that answered.
        answer: A denied, or partly denied, answer.
        writable: Which policies may be proposed to be changed; the others are advised about.
    """
    question = answer.question
    if isinstance(question.source, AnyEnd) or isinstance(question.destination, AnyEnd | NameEnd):
        return ()
    found: dict[object, tuple[Proposal | Advice, ...]] = {}
    for case in answer.cases:
        if case.verdict is Verdict.ALLOWED:
            continue
        for point in case.points:
            if point.verdict is Verdict.ALLOWED:
                continue
            subject, peer = _ends(case, point)
            key = (point.direction, point.layer, subject.unit, peer.unit)
            if key in found:
                continue
            changes = tuple(_changes(engine, answer, case, point, writable))
            if not changes:
                return ()
            found[key] = changes
    every = [change for changes in found.values() for change in changes]
    proposed = _merged(c for c in every if isinstance(c, Proposal))
    return (*dict.fromkeys(c for c in every if isinstance(c, Advice)), *proposed)


def added(
    engine: Engine, direction: Direction, subject: Party, rule: Rule, whom: str
) -> Iterator[Proposal]:
    """Yield a rule in the policy that it belongs into; nothing where none isolates the subject.

    Args:
        engine: Whose policies.
        direction: The subject's direction.
        subject: Whom they isolate.
        rule: The rule.
        whom: Who the peers are, in a word: a new policy is called by it.
    """
    isolating = [
        each
        for each in engine.decision(subject.unit, direction).isolating
        if each.stated and each.opaque is None
    ]
    if len({each.tier for each in isolating}) != 1:
        return
    found = _proposal(engine, direction, subject, Party(-1, whom), isolating, rule)
    if found is not None:
        yield found


def _merged(found: Iterable[Proposal]) -> Iterator[Proposal]:
    """Drop proposals that say the same thing twice (replicas, families)."""
    seen = set()
    for proposal in found:
        key = (
            proposal.policy.id,
            proposal.rule.direction,
            tuple(p.match for p in proposal.rule.peers),
            proposal.rule.traffic,
        )
        if key not in seen:
            seen.add(key)
            yield proposal


def _ends(case: CaseAnswer, point: PointAnswer) -> tuple[Party, Party]:
    source, destination = case.case.source, case.case.destination
    if point.direction is Direction.EGRESS:
        return source, destination
    return destination, source


def _changes(
    engine: Engine,
    answer: Explanation,
    case: CaseAnswer,
    point: PointAnswer,
    writable: Writable,
) -> Iterator[Proposal | Advice]:
    """Yield what has to change at one enforcement point; nothing where nobody knows."""
    walk = point.walk
    if walk is None or any(step.cause is Cause.OPAQUE for step in walk.steps):
        return
    asked = case.case.traffic
    stopped = asked - point.allowed
    stopping = [
        step
        for step in walk.steps
        if step.traffic & stopped and step.action in (Action.DENY, None)
        if step.cause is not Cause.ENTRY
    ]
    said: dict[tuple[PolicyId, int], Advice] = {}
    for bound in (step.rule for step in stopping if step.rule is not None):
        tier = next(t for t in walk.tiers if t.spec.name == bound.policy.tier)
        key = (bound.policy.id, bound.rule.index)
        said.setdefault(key, guarded(engine, point, tier, bound, walk))
    yield from said.values()
    if any(step.cause is Cause.DEFAULT for step in stopping):
        text = f"let a policy allow it: what none decides on is denied by default ({point.layer})"
        yield Advice(text)
    for tier in walk.tiers:
        if any(step.cause is Cause.END and step.tier == tier.spec.name for step in stopping):
            change = _open_end(engine, answer, case, point, tier, writable)
            if change is not None:
                yield change


def _open_end(
    engine: Engine,
    answer: Explanation,
    case: CaseAnswer,
    point: PointAnswer,
    tier: TierWalk,
    writable: Writable,
) -> Proposal | Advice | None:
    """Return what lets traffic through a tier that stops it since no rule allows it."""
    subject, peer = _ends(case, point)
    isolating = [p for p in tier.policies if point.direction in p.isolates and not p.opaque]
    if not isolating:
        return None
    asking = asking_else(engine, tier.policies, point.point, case.case.traffic)
    if asking is not None:
        return other_request(*asking, answer.question.request)
    home = subject.endpoint.namespace if subject.endpoint else ""
    peers = _peers(engine, answer, point.direction, peer, home)
    if not peers:
        return None
    rule = Rule(point.direction, Action.ALLOW, peers, TrafficMatch(case.case.traffic), 1)
    # Policies of other layers are about hosts and meshes: nobody adds to them for one workload.
    first_layer = point.layer == engine.policies.layers[0].name
    able = [p for p in isolating if first_layer and writable(p.id)]
    if able and subject.endpoint is not None:
        found = _proposal(engine, point.direction, subject, peer, able, rule)
        if found is not None:
            return found
    stated = [p for p in isolating if p.stated]
    first = min(stated or isolating, key=lambda p: (len(engine.binder.subject(p)), str(p.id)))
    whom = " or ".join(peer_text(p, first) for p in peers)
    word = "from" if point.direction is Direction.INGRESS else "to"
    if not stated:
        text = (
            f"let a policy that governs {subject.text} allow {traffic_text(rule.traffic)} {word} "
            f"{whom} ({point.direction}): none does, and tier {tier.spec.name} denies what is left"
        )
        return Advice(text)
    text = (
        f"let {first.id.said} allow {traffic_text(rule.traffic)} {word} {whom} "
        f"({point.direction}): no rule of tier {tier.spec.name} does, and it ends there"
    )
    return Advice(text, first.id, first.span)


def _proposal(
    engine: Engine,
    direction: Direction,
    subject: Party,
    peer: Party,
    isolating: Sequence[Policy],
    rule: Rule,
) -> Proposal | None:
    """Return the rule in the policy it belongs into.

    Args:
        engine: Whose policies.
        direction: The subject's direction.
        subject: Whom they isolate.
        peer: The other end.
        isolating: Policies of one tier that isolate the subject, and can be written.
        rule: The rule.
    """
    if subject.endpoint is None:
        return None
    also = others_matched(engine, rule.peers, peer)
    own = _own_policy(engine, isolating, subject)
    if own is not None:
        return Proposal(own, rule, new=False, also=also)
    workload = subject.endpoint.workload
    # Of several kinds, that whose policies are where the subject is; else who writes knows which.
    apart = workload.namespace == APART
    model = next((p for p in isolating if (p.id.namespace is None) is apart), isolating[0])
    selector = _safe_selector(engine, direction, subject, isolating[0].tier)
    if selector is not None:
        taken = frozenset(p.id for p in engine.policies.policies)
        policy = _new_policy(taken, model, workload, peer, rule, selector)
        return Proposal(policy, rule, new=True, also=_with_kin(engine, also, workload, selector))
    shared = min(isolating, key=lambda p: (len(engine.binder.subject(p)), str(p.id)))
    others = tuple(
        sorted(
            {
                engine.table.endpoints[e].name
                for unit in engine.binder.subject(shared)
                for e in engine.table.units[unit].endpoints
            }
            - {subject.text}
        )
    )
    return Proposal(shared, rule, new=False, also=(*also, *others))


def _peers(
    engine: Engine, answer: Explanation, direction: Direction, peer: Party, home: str
) -> tuple[Peer, ...]:
    """Return peers that match the other end; empty when no rule can name it."""
    unit = engine.table.units[peer.unit]
    if unit.kind is UnitKind.POD and peer.endpoint is not None:
        if peer.endpoint.workload not in engine.table.by_workload:
            return ()  # it stands for a Service, judged by another engine: no rule names that
        pods = LabelSelector.of(telling_labels(engine, peer))
        namespace = peer.endpoint.namespace
        if namespace == APART:  # it is no pod, and has no namespace
            return (Peer(PodsMatch(pods=LabelSelector.of(peer.endpoint.labels))),)
        if namespace == home:
            return (Peer(PodsMatch(namespace=home, pods=pods)),)
        where = LabelSelector.of({NAMESPACE_NAME_LABEL: namespace})
        return (Peer(PodsMatch(namespaces=where, pods=pods)),)
    if not engine.profile.block_matches_nodes:
        here = _of_own_node(answer, direction)
        if here or unit.kind is not UnitKind.EXTERNAL:
            return here
    atom = unit.addresses if unit.exact else None
    addresses = _addresses(answer, direction, atom, unit.kind, peer.text)
    if addresses is None and peer.endpoint is not None and peer.endpoint.addresses:
        addresses = AddressSet.points(peer.endpoint.addresses)
    if addresses is None and unit.node in engine.world.nodes:
        addresses = AddressSet.points(engine.world.nodes[unit.node or ""].addresses)
        source = answer.question.source
        if isinstance(source, AddressEnd) and addresses.isdisjoint(source.addresses):
            # It passes on what comes from outside, as any other node may do.
            addresses = AddressSet.points(tuple(engine.node_addresses))
    if not addresses:
        return ()
    cidrs = list(blocks(addresses))
    if len(cidrs) > MOST_BLOCKS:
        return ()
    return tuple(Peer(BlockMatch(AddressSet.block(c), c)) for c in cidrs)


def _of_own_node(answer: Explanation, direction: Direction) -> tuple[Peer, ...]:
    """Return peers that match an address of the pods' own node; empty where none is asked about.

    Releases differ in whether they take it for an address or for the node, so both are named.
    """
    end = answer.question.destination
    if direction is not Direction.EGRESS or not isinstance(end, AddressEnd) or not end.own_node:
        return ()
    listed = (Peer(BlockMatch(AddressSet.block(c), c)) for c in blocks(end.addresses))
    return (*listed, Peer(RelativeMatch(Relative.OWN_NODE)))


def _addresses(
    answer: Explanation, direction: Direction, atom: AddressSet | None, kind: UnitKind, peer: str
) -> AddressSet | None:
    """Return the outside addresses the question is about, as far as this case goes."""
    if kind is not UnitKind.EXTERNAL or atom is None:
        return None
    end = answer.question.destination if direction is Direction.EGRESS else answer.question.source
    asked = getattr(end, "addresses", None)
    if isinstance(asked, AddressSet):
        return atom & asked
    try:
        return atom & AddressSet.points((parse_address(peer),))  # an endpoint of a Service
    except ValueError:
        return None


def blocks(addresses: AddressSet) -> Iterator[str]:
    """Iterate over CIDR blocks that add up to `addresses`."""
    for text in addresses.ranges():
        first, last = (ip_address(part) for part in text.split("-"))
        for network in summarize_address_range(first, last):
            yield str(network)


def _own_policy(engine: Engine, isolating: Sequence[Policy], subject: Party) -> Policy | None:
    """Return the isolating policy that selects this workload's pods and no others."""
    if subject.endpoint is None:
        return None
    workload = subject.endpoint.workload
    mine = engine.table.workload_units(workload)
    found = [
        p
        for p in isolating
        if subject.unit in engine.binder.subject(p)
        and engine.binder.subject(p) <= mine
        and _only(engine, engine.binder.subject(p), workload)
    ]
    return min(
        found,
        key=lambda p: (_generality(p), p.id.name != workload.name, str(p.id)),
        default=None,
    )


def _generality(policy: Policy) -> int:
    """Policies for one purpose (names, metrics) have fewer rules; prefer the fullest."""
    return -len(policy.rules)


def _only(engine: Engine, units: BitMap, workload: WorkloadId) -> bool:
    """Whether units hold endpoints of one workload only."""
    return all(
        engine.table.endpoints[e].workload == workload
        for unit in units
        for e in engine.table.units[unit].endpoints
    )


def _safe_selector(
    engine: Engine, direction: Direction, subject: Party, tier: str
) -> LabelSelector | None:
    """Return labels for a new policy that isolates nobody whom its tier does not isolate."""
    if subject.endpoint is None:
        return None
    labels = telling_labels(engine, subject)
    if not labels:
        return None
    selector = LabelSelector.of(labels)
    # Labels that no policy looks at are not in the index, so the pods are asked themselves.
    for index in engine.table.by_namespace[subject.endpoint.namespace]:
        endpoint = engine.table.endpoints[index]
        if endpoint.shape.host_network:
            continue
        if not selector.matches(endpoint.labels):
            continue
        for unit in engine.table.by_endpoint[index]:
            isolating = engine.decision(unit, direction).isolating
            if not any(p.tier == tier for p in isolating):
                return None
    return selector


def _with_kin(
    engine: Engine, also: tuple[str, ...], own: WorkloadId, selector: LabelSelector
) -> tuple[str, ...]:
    """Add the other workloads whose pods a new policy selects."""
    found = {
        str(e.workload)
        for e in engine.table.living_in(own.namespace)
        if e.workload != own and not e.shape.host_network and selector.matches(e.labels)
    }
    return tuple(sorted({*also, *found}))


def _new_policy(
    taken: frozenset[PolicyId],
    model: Policy,
    subject: WorkloadId,
    peer: Party,
    rule: Rule,
    selector: LabelSelector,
) -> Policy:
    """Return a policy that holds one rule, under a name nobody has."""
    other = peer.endpoint.workload.name if peer.endpoint else peer.text.split("/")[0]
    word = "from" if rule.direction is Direction.INGRESS else "to"
    namespace = subject.namespace if subject.namespace != APART else None
    name = _name(f"allow-{subject.name.removesuffix(ASSUMED)}-{word}-{other.removesuffix(ASSUMED)}")
    while PolicyId(model.id.kind, namespace, name) in taken:
        name += "-more"
    return Policy(
        PolicyId(model.id.kind, namespace, name),
        (PodsMatch(namespace=namespace, pods=selector),),
        frozenset({rule.direction}),
        (rule,),
        model.tier,
        model.order,
        band=model.band,
    )


def _name(text: str) -> str:
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower())
    return kept.strip("-")[:253].strip("-")
