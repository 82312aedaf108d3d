"""Which workloads are known components: by labels, by images, or as the caller says."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloison.base import Span
from cloison.platform.cluster import Platform
from cloison.platform.component import ANY_VALUE, Component, Found, Placed, Said
from cloison.platform.made import made
from cloison.resources.objects import Labels
from cloison.resources.world import Workload, WorkloadId, World

_SAID_BY: Final = "as cloison.yaml says"


def find(
    components: Sequence[Component], world: World, platform: Platform, said: Said
) -> tuple[Found, ...]:
    """Return those of some components that the input holds, in their order.

    Args:
        components: What to look for.
        world: What the cluster holds.
        platform: What it is.
        said: What the caller says of components.
    """
    placed = [
        _placed(world, each, where)
        for each in components
        if (where := said.get(each.id)) is not None
    ]
    taken = {name for each in placed for name in each.workloads}
    marks = _Marks(each for each in components if each.id not in said)
    order = {each.id: number for number, each in enumerate(components)}
    groups: dict[tuple[int, str], list[_Match]] = defaultdict(list)
    for name, workload in world.workloads.items():
        if name in taken:
            continue
        match = _best(name, marks.of(workload), platform)
        if match is not None:
            groups[order[match.component.id], match.how].append(match)
    read = [_found(world, matches) for _, matches in sorted(groups.items())]
    to_come = _made(components, world, said)
    return tuple(sorted((*placed, *read, *to_come), key=lambda one: order[one.component.id]))


def _made(components: Sequence[Component], world: World, said: Said) -> Iterator[Found]:
    """Yield what operators will make of objects that were read."""
    known = {each.id: each for each in components if each.id not in said}
    for each in made(world, said):
        what = known.get(each.component or "")
        if what is not None:
            how = f"by {each.item.shown}, of which an operator makes pods"
            home, labels = each.item.namespace, each.labels
            yield Found(what, (), how, (each.item.span,), namespace=home, pod_labels=labels)


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells a component's pods: labels, or an image where there are none."""

    component: Component
    labels: Labels
    image: str = ""
    place: int = 0

    def fits(self, labels: Labels) -> bool:
        return all(
            labels.get(key) == value if value != ANY_VALUE else key in labels
            for key, value in self.labels.items()
        )

    def rank(self, namespace: str, platform: Platform) -> tuple[int, ...]:
        """Return how little it says of a workload: the least says most."""
        exact = sum(value != ANY_VALUE for value in self.labels.values())
        at_home = self.component.namespace == namespace
        shipped = any(platform.is_a(each) for each in self.component.platforms)
        return (
            -exact,
            exact - len(self.labels),
            self.component.shared_labels,
            not at_home,
            not shipped,
        )


@dataclass(frozen=True, slots=True)
class _Match:
    """A workload that is a component."""

    workload: WorkloadId
    component: Component
    by: str
    alike: tuple[str, ...]

    @property
    def elsewhere(self) -> bool:
        home = self.component.namespace
        return home is not None and home != self.workload.namespace

    @property
    def how(self) -> str:
        home, here = self.component.namespace, self.workload.namespace
        if self.elsewhere:
            return f"by {self.by}, in {here} and not in {home}"
        return f"by {self.by}" if home is None else f"by {self.by} in {home}"


class _Marks:
    """Marks, by a label or an image that each of them has."""

    def __init__(self, components: Iterable[Component]) -> None:
        self._labels: dict[tuple[str, str], list[_Mark]] = defaultdict(list)
        self._images: dict[str, list[_Mark]] = defaultdict(list)
        for place, each in enumerate(components):
            for labels in (each.pod_labels, *each.other_labels):
                if labels:
                    first = min(labels.items(), key=lambda pair: (pair[1] == ANY_VALUE, pair))
                    self._labels[first].append(_Mark(each, labels, place=place))
            for image in each.images:
                self._images[image].append(_Mark(each, {}, image, place))

    def of(self, workload: Workload) -> list[_Mark]:
        """Return the marks that a workload has: by its image only where labels say nothing."""
        hits: dict[str, _Mark] = {}
        for endpoint in workload.endpoints:
            for pair in endpoint.labels.items():
                for mark in (*self._labels.get(pair, ()), *self._labels.get((pair[0], "*"), ())):
                    if mark.fits(endpoint.labels):
                        hits.setdefault(mark.component.id, mark)
        if not hits:
            for image in _images(workload):
                for mark in self._images.get(image, ()):
                    hits.setdefault(mark.component.id, mark)
        return sorted(hits.values(), key=lambda mark: mark.place)


def _images(workload: Workload) -> Iterator[str]:
    """Yield the last parts of the names of a workload's images, without tags."""
    for endpoint in workload.endpoints[:1]:
        if endpoint.shape.runtime is not None:
            for container in endpoint.shape.runtime.containers:
                yield container.image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def _best(name: WorkloadId, marks: Sequence[_Mark], platform: Platform) -> _Match | None:
    if not marks:
        return None
    best = min(marks, key=lambda mark: mark.rank(name.namespace, platform))
    rank = best.rank(name.namespace, platform)
    alike = tuple(
        mark.component.id
        for mark in marks
        if mark is not best and mark.rank(name.namespace, platform) == rank
    )
    by = f"its image {best.image}" if best.image else "its labels"
    return _Match(name, best.component, by, alike)


def _found(world: World, matches: Sequence[_Match]) -> Found:
    first = matches[0]
    return Found(
        first.component,
        tuple(sorted(match.workload for match in matches)),
        first.how,
        _spans(world, (match.workload for match in matches)),
        certain=not (
            first.elsewhere or first.component.shared_labels or first.component.images != ()
        ),
        alike=tuple(sorted({each for match in matches for each in match.alike})),
    )


def _placed(world: World, what: Component, where: Placed) -> Found:
    """Return a component where the caller says that it is."""
    labels = where.pod_labels or what.pod_labels
    mark = _Mark(what, labels)
    names = tuple(
        name
        for name, workload in world.workloads.items()
        if labels
        and where.namespace in (None, name.namespace)
        and any(mark.fits(each.labels) for each in workload.endpoints)
    )
    lacking = "" if names or not labels else "; the input has no such pods"
    spans = _spans(world, names) or ((where.span,) if where.span is not None else ())
    how = f"{_SAID_BY}{lacking}"
    if names:
        return Found(what, names, how, spans, said=True)
    home = where.namespace or what.namespace
    return Found(what, (), how, spans, said=True, namespace=home, pod_labels=labels)


def _spans(world: World, names: Iterable[WorkloadId]) -> tuple[Span, ...]:
    workloads: Mapping[WorkloadId, Workload] = world.workloads
    return tuple(sorted(span for name in names if (span := workloads[name].span) is not None))
