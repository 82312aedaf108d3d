"""What a contract says of each workload: its zone, what it is, who answers for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from cloison.analyses.forms import KINDS
from cloison.intent import Contract, Placement, WorkloadClass, WorkloadMatch
from cloison.resources.objects import Labels
from cloison.resources.world import APART, Workload, WorkloadId, World


@dataclass(frozen=True, slots=True)
class Place:
    """What a contract says of one workload; None where it says nothing."""

    zone: str | None = None
    workload_class: WorkloadClass | None = None
    owner: str | None = None
    asset: str | None = None


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Placed:
    """What a contract says of the workloads of a world.

    Args:
        contract: The contract.
        places: By workload; every one is in there.
        idle: Entries that mean no workload.
    """

    contract: Contract
    places: dict[WorkloadId, Place] = field(default_factory=dict)
    idle: tuple[Placement, ...] = ()

    @classmethod
    def of(cls, contract: Contract, world: World) -> "Placed":
        """Return what a contract says of the workloads of a world."""
        by_namespace: dict[str, list[Placement]] = {}
        for entry in contract.workloads:
            by_namespace.setdefault(entry.match.namespace, []).append(entry)
        places: dict[WorkloadId, Place] = {}
        used: set[int] = set()
        for workload in world.workloads.values():
            if workload.id.namespace == APART:
                continue
            found = [
                each
                for each in by_namespace.get(workload.id.namespace, ())
                if means(each.match, workload)
            ]
            used.update(map(id, found))
            places[workload.id] = _joined(found)
        idle = tuple(each for each in contract.workloads if id(each) not in used)
        return cls(contract, places, idle)

    def zone(self, workload: WorkloadId) -> str | None:
        """Return a workload's zone."""
        return self.places.get(workload, NOWHERE).zone

    def members(self, zone: str) -> Iterator[WorkloadId]:
        """Iterate over the workloads of a zone, sorted."""
        return (name for name, place in sorted(self.places.items()) if place.zone == zone)

    def would_be(self, namespace: str, labels: Labels) -> Place:
        """Return what the contract says of a pod that may come: entries by name mean others."""
        found = (
            each
            for each in self.contract.workloads
            if each.match.namespace == namespace
            and each.match.name is None
            and (each.match.selector is None or each.match.selector.matches(labels))
        )
        return _joined(found)


def means(match: WorkloadMatch, workload: Workload) -> bool:
    """Return whether an entry means a workload."""
    if match.namespace != workload.id.namespace:
        return False
    if match.name is not None:
        kind = None if match.kind is None else KINDS.get(match.kind.lower(), match.kind)
        return match.name == workload.id.name and kind in (None, workload.id.kind)
    if match.selector is None:
        return True
    return any(match.selector.matches(each.labels) for each in workload.endpoints)


def _joined(found: Iterable[Placement]) -> Place:
    """Return what entries say together: field by field, the closest match counts."""
    place = NOWHERE
    for entry in sorted(found, key=lambda each: -each.match.rank):
        place = replace(
            place,
            zone=place.zone or entry.zone,
            workload_class=place.workload_class or entry.workload_class,
            owner=place.owner or entry.owner,
            asset=place.asset or entry.asset,
        )
    return place
