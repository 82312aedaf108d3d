"""What every check of the doctor works with: the cluster, and somebody who judges traffic."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cloison.algebra import TrafficSet
from cloison.analyses.ask import Explanation, Question
from cloison.analyses.ends import End, PodsEnd, ServiceEnd
from cloison.analyses.paths.lookup import Ask
from cloison.analyses.paths.site import Site
from cloison.analyses.question import Traffic
from cloison.engine import Engine
from cloison.ir.policy import Direction
from cloison.resources.world import Workload, WorkloadId


@dataclass(frozen=True)
class Clinic:
    """A cluster to be examined.

    Args:
        engine: Who decides.
        site: What leads traffic where it goes.
        ask: Judges one hop; its explanation's `mend` is the change that would let it through.
        namespaces: Only workloads of these are examined; all where it is empty.
    """

    engine: Engine
    site: Site
    ask: Ask
    namespaces: frozenset[str] = frozenset()
    _asked: dict[tuple[object, object, str | None], Explanation] = field(default_factory=dict)

    def workloads(self) -> Iterator[Workload]:
        """Yield the workloads to examine that have pods, sorted by name."""
        for name, workload in self.engine.world.workloads.items():
            if workload.endpoints and (not self.namespaces or name.namespace in self.namespaces):
                yield workload

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

    def reach(self, source: End, destination: End, traffic: Traffic) -> Explanation:
        """Return what becomes of a new connection; asked twice, it is judged once.

        Raises:
            QuestionError: It cannot be asked of these ends.
        """
        key = (_key(source), _key(destination), traffic.text)
        found = self._asked.get(key)
        if found is None:
            found = self._asked[key] = self.ask(Question(source, destination, traffic))
        return found


def _key(end: End) -> tuple[object, ...]:
    """Return what tells an end from others: its text, and which of a workload's pods are meant."""
    return (type(end), end.text, end.endpoints if isinstance(end, PodsEnd) else ())


def on(protocol: str, port: int) -> Traffic:
    """Return traffic to one port."""
    return Traffic(f"{protocol}/{port}", TrafficSet.ports(protocol, port))
