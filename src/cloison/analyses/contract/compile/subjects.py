"""Whom policies are written for: the pods of a workload, by labels that no other pod has."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cloison.algebra import LabelSelector
from cloison.analyses.contract.compile.choose import choose, constant, without
from cloison.analyses.contract.compile.model import UNSELECTED, Edge, Notes, Subject
from cloison.analyses.contract.compile.peers import on_host
from cloison.base import Severity
from cloison.base.words import few
from cloison.resources.names import NameRule, is_name
from cloison.resources.world import APART, PodEndpoint, Workload, WorkloadId, World

Keys = Mapping[WorkloadId, frozenset[object]]
"""What a workload is to be let do, in a form that can be compared."""


@dataclass(frozen=True, slots=True)
class _Missing:
    """Why no labels select the pods of a workload.

    Args:
        why: What is in the way.
        help: What to do.
    """

    why: str
    help: str | None = None


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
    _known: dict[WorkloadId, Subject | _Missing] = field(default_factory=dict)
    _homes: dict[str, list[Workload]] = field(default_factory=dict)
    _said: dict[WorkloadId, _Missing] = field(default_factory=dict)

    def of(self, name: WorkloadId) -> Subject | None:
        """Return what selects a workload; None where nothing does, which is noted."""
        found = self._find(name)
        if isinstance(found, Subject):
            return found
        if name not in self._said:
            self._said[name] = found
            self._unselected(name, found, NO_POLICY)
        return None

    def maybe(self, name: WorkloadId) -> Subject | None:
        """Return what selects a workload; None where nothing does, and nobody needs to know."""
        found = self._find(name)
        return found if isinstance(found, Subject) else None

    @property
    def missing(self) -> frozenset[WorkloadId]:
        """The workloads that nothing was found to select, among those that were asked about."""
        return frozenset(self._said)

    def settle(self, written: Collection[Subject], spoken: Collection[str]) -> None:
        """Say what becomes of workloads that nothing selects, once all policies are known.

        Args:
            written: Whom policies are written for.
            spoken: Namespaces in which everything else is denied.
        """
        for name, found in self._said.items():
            self._unselected(name, found, self._effect(name, written, spoken))

    def _find(self, name: WorkloadId) -> Subject | _Missing:
        if name not in self._known:
            self._known[name] = self._of(self.world.workloads[name])
        return self._known[name]

    def _of(self, workload: Workload) -> Subject | _Missing:
        pods, name = workload.endpoints, workload.id
        near = [each for each in self._home(name.namespace) if each.id != name]
        chosen = choose(pods, _labels(near))
        if chosen is not None:
            return Subject(name.namespace, LabelSelector.of(chosen), (name,))
        mine = constant(pods)
        if not mine:
            # What a controller finds its pods by stays, whoever made up the key.
            chosen = choose(pods, _labels(near), workload.selects, stamped=True)
            if chosen is not None:
                return Subject(name.namespace, LabelSelector.of(chosen), (name,))
            why = "its pods have no labels that stay and that its owner decides about"
            return _Missing(why, "give its pods a label `app.kubernetes.io/name`")
        alike = [each for each in near if any(_has(p, mine) for p in each.endpoints)]
        keys = self.keys.get(name, frozenset())
        other = [each for each in alike if not keys <= self.keys.get(each.id, frozenset())]
        # By its version a workload is told from others only where they are meant to differ.
        differ = any(keys != self.keys.get(each.id, frozenset()) for each in alike)
        own = choose(pods, _labels(near), workload.selects) if differ else None
        if own is not None:
            return Subject(name.namespace, LabelSelector.of(own), (name,))
        if other:
            apart = without(workload, near)
            if apart is not None:
                return Subject(name.namespace, apart, (name,))
            named = few([str(each.id) for each in other])
            labels = ", ".join(f"{k}={v}" for k, v in sorted(mine.items()))
            why = f"{labels} select {named} as well, for which the contract says other things, and "
            why += "no label that those keep tells them apart"
            return _Missing(why, "give its pods a label that those do not have")
        rest = [each for each in near if each not in alike]
        shared = choose(pods, _labels(rest))
        if shared is None:
            return _Missing("no few labels select its pods")
        names = (name, *(each.id for each in alike))
        return Subject(name.namespace, LabelSelector.of(shared), tuple(sorted(names)))

    def _lost(self, name: WorkloadId, through: frozenset[object]) -> list[str]:
        """Return the dependencies that end at a workload, by name, but for what passes anyhow."""
        return sorted(
            {
                edge.entry.name
                for edge in self.edges
                if edge.entry is not None
                for key, end in edge.asks()
                if end.workload.id == name and key not in through
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

    def _effect(
        self, name: WorkloadId, written: Collection[Subject], spoken: Collection[str]
    ) -> str:
        """Return what becomes of a workload that nothing selects."""
        pods = self.world.workloads[name].endpoints
        over = [
            each
            for each in written
            if each.namespace == name.namespace
            and any(each.pods.matches(pod.labels) for pod in pods)
        ]
        whole = [each for each in over if all(each.pods.matches(pod.labels) for pod in pods)]
        through: set[object] = set()
        if over:
            names = few(sorted({str(w) for each in over for w in each.workloads if w != name}))
            some = "its pods" if whole else "some of its pods"
            effect = f"no policy is its own: that of {names} selects {some} too and isolates them; "
            effect += f"what {names} may do passes"
            # Where several share a policy, it says what those may do that it is written for.
            for other in (w for each in whole for w in each.workloads if w not in self._said):
                through |= self.keys.get(other, frozenset())
        elif name.namespace in spoken:
            effect = f"{NO_POLICY}, and none that is selects its pods: the default deny of its "
            effect += "namespace keeps them shut"
        else:
            effect = "no policy can name it; what its own pods may do, nothing written changes"
        lost = self._lost(name, frozenset(through))
        return f"{effect}; not let through: {few(lost)}" if lost else effect

    def _unselected(self, name: WorkloadId, missing: _Missing, effect: str) -> None:
        self.notes.say(
            UNSELECTED,
            Severity.ERROR,
            f"no labels select exactly {name.kind} {name}: {missing.why}",
            effect,
            missing.help,
            span=self.world.workloads[name].span,
            about=f"{name.kind} {name}",
            again=True,
        )


NO_POLICY: Final = "no policy is written for it"


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
