"""What every check of the doctor works with: the cluster, and somebody who judges traffic."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from cloison.algebra import AddressSet, LabelSelector, TrafficSet
from cloison.analyses.advice import Advice
from cloison.analyses.ask import Explanation, Mend, Question, verdict_only
from cloison.analyses.doctor.together import together
from cloison.analyses.edit import Edit, all_done
from cloison.analyses.ends import AddressEnd, End, PodsEnd, ServiceEnd
from cloison.analyses.explain import PointAnswer
from cloison.analyses.mend import Proposal, Writable, proposals
from cloison.analyses.paths.lookup import Ask
from cloison.analyses.paths.site import Site
from cloison.analyses.question import Traffic, own_node
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import PeerMatch, PodsMatch
from cloison.ir.policy import Direction, Policy, PolicyId
from cloison.platform.component import ANY_VALUE
from cloison.platform.made import Made
from cloison.resources.world import APART, Workload, WorkloadId

Write: TypeAlias = Callable[[Sequence[Proposal | Advice]], tuple[Mend, ...]]
"""Writes changes out in the dialects they belong to; nothing where one of them cannot be said."""

Rewrite: TypeAlias = Callable[[Policy, Policy], tuple[Mend, ...]]
"""Writes a policy as it should be, in place of what it is; nothing where that cannot be said."""


_FRONT = "Service"
"""Kind of what stands for a Service where enforcers see its address and not its pods."""


_FEW = 16
"""Addresses that are looked up one by one."""


def _silent(*_: object) -> tuple[Mend, ...]:
    return ()


@dataclass(frozen=True)
class Clinic:
    """A cluster to be examined.

    Args:
        engine: Who decides.
        site: What leads traffic where it goes.
        ask: Judges one hop; its explanation's `mend` is the change that would let it through.
        namespaces: Only workloads of these are examined; all where it is empty.
        writable: Which policies may be proposed to be changed.
        write: Writes proposals out.
        rewrite: Writes policies anew.
        assumed: Workloads that are not in the input, and that an operator makes of what is.
    """

    engine: Engine
    site: Site
    ask: Ask
    namespaces: frozenset[str] = frozenset()
    writable: Writable = lambda _: True
    write: Write = _silent
    rewrite: Rewrite = _silent
    assumed: Mapping[WorkloadId, Made] = field(default_factory=dict)
    _asked: dict[object, Explanation] = field(default_factory=dict)
    _passing: dict[object, bool] = field(default_factory=dict)
    _names: dict[PolicyId, object] = field(default_factory=dict)

    def examines(self, namespace: str | None) -> bool:
        """Return whether a namespace is among those to examine; what has none always is."""
        return namespace is None or not self.namespaces or namespace in self.namespaces

    def workloads(self) -> Iterator[Workload]:
        """Yield the workloads to examine that have pods, sorted by name."""
        return (each for each in self.everyone() if self.examines(each.id.namespace))

    def everyone(self) -> Iterator[Workload]:
        """Yield all workloads that have pods, sorted by name."""
        for name, workload in self.engine.world.workloads.items():
            if workload.endpoints and name.namespace != APART and name.kind != _FRONT:
                yield workload

    @cached_property
    def homes(self) -> Mapping[str, Sequence[Workload]]:
        """The workloads that have pods, by namespace."""
        found: dict[str, list[Workload]] = {}
        for workload in self.everyone():
            found.setdefault(workload.id.namespace, []).append(workload)
        return found

    def pods(self, name: WorkloadId) -> PodsEnd:
        """Return the pods of a workload as the end of a question."""
        workload = self.engine.world.workloads[name]
        indices = self.engine.table.by_workload[name]
        return PodsEnd(str(name), workload, indices, single=name.kind == "Pod", gone=not indices)

    def service(self, namespace: str, name: str) -> ServiceEnd | None:
        """Return a Service as the end of a question; None where the input has none such."""
        found = self.engine.world.services.get((namespace, name))
        return None if found is None else ServiceEnd(f"svc:{namespace}/{name}", found)

    def isolated(self, name: WorkloadId, direction: Direction) -> bool:
        """Return whether policies restrict a direction of any pod of a workload."""
        engine = self.engine
        return any(
            engine.decision(unit, direction).terms.policies
            for index in engine.table.by_workload[name]
            for unit in engine.table.by_endpoint[index]
        )

    def kind_of(self, pods: PodsEnd) -> object:
        """Return what tells pods from others that no policy of either end treats otherwise."""
        likeness, units = self.engine.likeness, self.engine.table.by_endpoint
        return frozenset(likeness(unit) for index in pods.endpoints for unit in units[index])

    def reach(
        self, source: End, destination: End, traffic: Traffic, engine: Engine | None = None
    ) -> Explanation:
        """Return what becomes of a new connection; asked twice, it is judged once.

        Args:
            source: Who connects.
            destination: Who listens.
            traffic: What is sent.
            engine: Who decides, where pods are assumed that the input does not hold.

        Raises:
            QuestionError: It cannot be asked of these ends.
        """
        question = Question(source, destination, traffic)
        if engine is not None:
            return self.ask(question, engine)
        key = (_key(source), _key(destination), traffic.text)
        found = self._asked.get(key)
        if found is None:
            found = self._asked[key] = self.ask(question, self.engine)
        return found

    def passes(
        self, source: End, destination: End, traffic: Traffic, engine: Engine | None = None
    ) -> bool:
        """Return whether all of a new connection is let through, whatever the reasons.

        That is a fraction of the work of an answer; False where it cannot be asked of these ends.

        Args:
            source: Who connects.
            destination: Who listens.
            traffic: What is sent.
            engine: Who decides, where pods are assumed that the input does not hold.
        """
        key = (_key(source), _key(destination), traffic.text)
        found = self._passing.get(key) if engine is None else None
        if found is None:
            try:
                said = verdict_only(engine or self.engine, Question(source, destination, traffic))
            except QuestionError:
                return False
            found = said is Verdict.ALLOWED
            if engine is None:
                self._passing[key] = found
        return found

    def denied(
        self, source: PodsEnd, destination: PodsEnd | AddressEnd, number: tuple[str, int]
    ) -> frozenset[Direction] | None:
        """Return the ends that deny a connection of pods, none where it passes.

        None where that is not so plain, and somebody has to be asked: `reach`.
        """
        wanted = TrafficSet.ports(*number)
        engine, units = self.engine, self.engine.table.by_endpoint
        found: set[Direction] = set()
        if isinstance(destination, AddressEnd) and destination.own_node:
            return self._denied_by_node(source, destination, wanted)
        others = self._there(destination)
        if not others:
            return None
        both = isinstance(destination, PodsEnd)
        for one in {u for index in source.endpoints for u in units[index]}:
            for other in others:
                ways = ((Direction.EGRESS, (one, other)), (Direction.INGRESS, (other, one)))
                for direction, ends in ways[: 1 + both]:
                    outcome = engine.point(*ends, direction).outcome
                    if wanted <= outcome.allowed:
                        continue
                    if outcome.undetermined & wanted:
                        return None
                    found.add(direction)
        return frozenset(found)

    def _denied_by_node(
        self, source: PodsEnd, destination: AddressEnd, wanted: TrafficSet
    ) -> frozenset[Direction] | None:
        """Return the same of an address that the pods' own nodes have."""
        engine, table = self.engine, self.engine.table
        ends = {
            (unit, table.endpoints[index].shape.node)
            for index in source.endpoints
            for unit in table.by_endpoint[index]
        }
        ways = [(one, each) for one, node in ends for each in own_node(engine, destination, node)]
        if not ways or any(other in engine.governed for _, (other, _) in ways):
            return None  # the node itself is governed, too
        outcomes = [
            engine.point(one, other, Direction.EGRESS, relations).outcome
            for one, (other, relations) in ways
        ]
        if any(each.undetermined & wanted for each in outcomes):
            return None
        shut = any(not wanted <= each.allowed for each in outcomes)
        return frozenset({Direction.EGRESS} if shut else ())

    def _there(self, destination: PodsEnd | AddressEnd) -> set[int]:
        """Return the units of an end; none where addresses are not all outside the cluster."""
        table = self.engine.table
        if isinstance(destination, PodsEnd):
            return {u for index in destination.endpoints for u in table.by_endpoint[index]}
        held = (self.engine.holders, self.engine.node_addresses)
        for low, high in destination.addresses.spans:
            if high - low >= _FEW or any(n in e for n in range(low, high + 1) for e in held):
                return set()
        return set(table.external_range(destination.addresses))

    def with_engine(self, engine: Engine) -> "Clinic":
        """Return the clinic as another engine judges; proposals made there count here."""
        return replace(self, engine=engine, _asked={}, _passing={})

    def mend(
        self,
        answers: Iterable[Explanation],
        engine: Engine | None = None,
        more: Iterable[Proposal] = (),
    ) -> tuple[Mend, ...]:
        """Return the changes that together let through what some answers deny.

        Args:
            answers: The answers.
            engine: Who gave them, if it is not the one of the session.
            more: Rules that a check proposes itself besides.
        """
        judge = engine or self.engine
        changes: list[Proposal | Advice] = [e for e in more if self.writable(e.policy.id) or e.new]
        for answer in answers:
            if answer.verdict in (Verdict.DENIED, Verdict.MIXED):
                found = proposals(judge, answer, self.writable)
                changes += (self._as_shipped(e) if isinstance(e, Proposal) else e for e in found)
        return self._written(together(judge, changes))

    def add(self, changes: Iterable[Proposal]) -> tuple[Mend, ...]:
        """Return rules that a check proposes itself, written out."""
        kept = [each for each in changes if each.new or self.writable(each.policy.id)]
        return self._written(together(self.engine, kept))

    def change(self, policy: Policy) -> tuple[Mend, ...]:
        """Return a policy as it should be instead, written out."""
        there = next((each for each in self.engine.policies.policies if each.id == policy.id), None)
        return self.rewrite(there, policy) if there is not None else ()

    def _written(self, changes: Sequence[Proposal | Advice]) -> tuple[Mend, ...]:
        named = (self._named(e) if isinstance(e, Proposal) and e.new else e for e in changes)
        return self.write(tuple(named))

    def _as_shipped(self, change: Proposal) -> Proposal:
        """Return a rule for pods of a known product with all labels that it is shipped with.

        The fewest that tell them apart here match jobs and tools of the same product, too, that
        come and go and need not be in the input.
        """
        peers = tuple(replace(p, match=self._shipped(p.match)) for p in change.rule.peers)
        return replace(change, rule=replace(change.rule, peers=peers))

    def _shipped(self, match: PeerMatch) -> PeerMatch:
        if not isinstance(match, PodsMatch) or not match.pods:
            return match
        world = self.engine.world
        for found in self.site.components:
            labels = {k: v for k, v in found.component.pod_labels.items() if v != ANY_VALUE}
            for name in found.workloads if found.certain and labels else ():
                pods = world.workloads[name].endpoints
                here = match.namespace == name.namespace
                if match.namespace is None:
                    here = match.namespaces.matches(world.namespaces[name.namespace].labels)
                if here and all(
                    match.pods.matches(pod.labels) and labels.items() <= pod.labels.items()
                    for pod in pods
                ):
                    more = LabelSelector.of(labels).requirements
                    both = {*match.pods.requirements, *more}
                    return replace(match, pods=LabelSelector(tuple(sorted(both))))
        return match

    def _named(self, change: Proposal) -> Proposal:
        """Return a new policy under a name that no other one that is proposed has."""
        policy, number = change.policy, 2
        meant, plain = (policy.subjects, change.rule.direction), policy.id
        while self._names.setdefault(policy.id, meant) != meant:
            policy = replace(policy, id=replace(plain, name=f"{plain.name}-{number}"))
            number += 1
        return replace(change, policy=policy)

    def mended(self, edits: Iterable[Edit]) -> "Clinic":
        """Return the clinic as it is when some proposals are done.

        Checks that come later then find what is left: each cause is told once.
        """
        engine, changes = self.engine, defaultdict[PolicyId, list[Edit]](list)
        for each in edits:
            changes[each.id].append(each)
        if not changes:
            return self
        there = {each.id: each for each in engine.policies.policies}
        done = (all_done(there.get(name), found) for name, found in changes.items())
        changed = engine.changed({policy.id: policy for policy in done if policy is not None})
        return replace(self, engine=changed, _asked={}, _passing={})


def stopped_at(answer: Explanation) -> Iterator[PointAnswer]:
    """Yield the enforcement points that do not let all of the traffic in question pass."""
    for case in answer.cases:
        for point in case.points:
            if point.verdict is not Verdict.ALLOWED:
                yield point


def stopped(answer: Explanation) -> frozenset[Direction]:
    """Return at which ends some of the traffic in question is stopped."""
    return frozenset(point.direction for point in stopped_at(answer))


def blocks_end(text: str, blocks: Iterable[str]) -> AddressEnd:
    """Return address blocks as the end of a question."""
    spans = (span for each in blocks for span in AddressSet.block(each).spans)
    return AddressEnd(text, AddressSet(spans))


def _key(end: End) -> tuple[object, ...]:
    """Return what tells an end from others: its text, and which of a workload's pods are meant."""
    more: tuple[object, ...] = end.endpoints if isinstance(end, PodsEnd) else ()
    return (type(end), end.text, *more, isinstance(end, AddressEnd) and end.own_node)


def on(protocol: str, port: int) -> Traffic:
    """Return traffic to one port."""
    return Traffic(f"{protocol}/{port}", TrafficSet.ports(protocol, port))
