"""Whom policies are written for: the pods of a workload, by labels that no other pod has."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cloison.analyses.contract.compile.choose import choose, constant
from cloison.analyses.contract.compile.model import UNSELECTED, Edge, Notes, Subject
from cloison.analyses.contract.compile.peers import on_host
from cloison.analyses.ends import PodsEnd
from cloison.base import Severity
from cloison.base.words import few
from cloison.resources.names import NameRule, is_name
from cloison.resources.world import APART, PodEndpoint, Workload, WorkloadId, World

Keys = Mapping[WorkloadId, frozenset[object]]
"""What a workload is to be let do, in a form that can be compared."""


@dataclass(frozen=True)
class Subjects:
    """Finds labels that select the pods of a workload.

    Args:
        world: The pods there are.
        keys: What workloads are to be let do: those that labels do not tell apart may share a
            policy where that is the same.
        notes: Takes why a workload cannot be selected.
        edges: What is to be let through, some of which is lost with a workload.
    """

    world: World
    keys: Keys
    notes: Notes
    edges: Sequence[Edge] = ()
    _known: dict[WorkloadId, Subject | None] = field(default_factory=dict)
    _homes: dict[str, list[Workload]] = field(default_factory=dict)

    def of(self, name: WorkloadId) -> Subject | None:
        """Return what selects a workload; None where nothing does, which is noted."""
        if name not in self._known:
            self._known[name] = self._of(self.world.workloads[name])
        return self._known[name]

    @property
    def missing(self) -> frozenset[WorkloadId]:
        """The workloads that nothing was found to select, among those that were asked about."""
        return frozenset(name for name, found in self._known.items() if found is None)

    def _of(self, workload: Workload) -> Subject | None:
        pods, name = workload.endpoints, workload.id
        near = [each for each in self._home(name.namespace) if each.id != name]
        chosen = choose(pods, _labels(near))
        if chosen is not None:
            return Subject(name.namespace, tuple(sorted(chosen.items())), (name,))
        mine = constant(pods)
        if not mine:
            why = "its pods have no labels that stay and that its owner decides about"
            self._unselected(workload, why, "give its pods a label `app.kubernetes.io/name`")
            return None
        alike = [each for each in near if any(_has(p, mine) for p in each.endpoints)]
        keys = self.keys.get(name, frozenset())
        other = [each for each in alike if not keys <= self.keys.get(each.id, frozenset())]
        # By its version a workload is told from others only where they are meant to differ.
        differ = any(keys != self.keys.get(each.id, frozenset()) for each in alike)
        own = choose(pods, _labels(near), workload.selects) if differ else None
        if own is not None:
            return Subject(name.namespace, tuple(sorted(own.items())), (name,))
        if other:
            named = few([str(each.id) for each in other])
            labels = ", ".join(f"{k}={v}" for k, v in sorted(mine.items()))
            why = f"{labels} select {named} as well, for which the contract says other things"
            help_ = "give its pods a label that those do not have"
            self._unselected(workload, why, help_, alike)
            return None
        rest = [each for each in near if each not in alike]
        shared = choose(pods, _labels(rest))
        if shared is None:
            self._unselected(workload, "no few labels select its pods", None)
            return None
        names = (name, *(each.id for each in alike))
        return Subject(name.namespace, tuple(sorted(shared.items())), tuple(sorted(names)))

    def _lost(self, name: WorkloadId) -> list[str]:
        """Return the dependencies that end at a workload, by name."""
        return sorted(
            {
                edge.entry.name
                for edge in self.edges
                if edge.entry is not None
                and any(
                    isinstance(end, PodsEnd) and end.workload.id == name
                    for end in (edge.source, edge.destination)
                )
            }
        )

    def _home(self, namespace: str) -> list[Workload]:
        if not self._homes:
            homes: dict[str, list[Workload]] = defaultdict(list)
            for workload in self.world.workloads.values():
                if is_pods(workload) and not on_host(workload):
                    homes[workload.id.namespace].append(workload)
            self._homes.update(homes)
        return self._homes.get(namespace, [])

    def _unselected(
        self, workload: Workload, why: str, help_: str | None, alike: Sequence[Workload] = ()
    ) -> None:
        lost = self._lost(workload.id)
        effect = "no policy is written for it"
        if alike:
            named = few([str(each.id) for each in alike])
            effect = f"no policy is written for it, but what is written for {named} may select it"
        keys = self.keys.get(workload.id, frozenset())
        # These have a policy, whose labels are this one's too: it may do all that they may.
        theirs = {str(each.id): self.keys.get(each.id, frozenset()) for each in alike}
        over = [name for name, held in theirs.items() if held and held <= keys]
        if over:
            its = few(over)
            effect = f"no policy is its own: that of {its} selects its pods too and isolates them"
            effect += f"; what {its} may do passes, and nothing else does"
        else:
            effect += ", and none names it: the default deny of its namespace keeps the rest shut"
        if lost:
            effect += f"; not let through: {few(lost)}"
        self.notes.say(
            UNSELECTED,
            Severity.ERROR,
            f"no labels select exactly {workload.id.kind} {workload.id}: {why}",
            effect,
            help_,
            span=workload.span,
            about=f"{workload.id.kind} {workload.id}",
        )


def is_pods(workload: Workload) -> bool:
    """Return whether a workload has pods that policies can be about."""
    name = workload.id
    return (
        bool(workload.endpoints)
        and name.namespace != APART
        and name.kind != "Service"
        and is_name(name.namespace, NameRule.LABEL)
    )


def _labels(workloads: Iterable[Workload]) -> list[Mapping[str, str]]:
    return [pod.labels for each in workloads for pod in each.endpoints]


def _has(pod: PodEndpoint, labels: Mapping[str, str]) -> bool:
    return all(pod.labels.get(key) == value for key, value in labels.items())
