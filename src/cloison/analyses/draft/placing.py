"""A zone and a class for each workload, and the directions that drafted calls need."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cloison.analyses.draft.model import WORLD, Drafted, Outside, Party
from cloison.analyses.draft.needed import stores
from cloison.analyses.draft.sight import Sight
from cloison.intent import WORLD as OUTSIDE
from cloison.intent import WorkloadClass, Zone
from cloison.platform.component import Role
from cloison.platform.customs import named_driver, named_store
from cloison.resources.world import WorkloadId

EDGE, APP, DATA, PLATFORM = "edge", "app", "data", "platform"
_ORDER = (EDGE, APP, DATA, PLATFORM)
_SYSTEM = ("kube-system", "kube-public", "kube-node-lease")
_JOBS = ("Job", "CronJob")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed of a workload.

    Args:
        zone: Its zone; None where nothing says any.
        kind: Its class.
        why: What says so.
    """

    zone: str | None
    kind: WorkloadClass | None
    why: str


def proposed(sight: Sight, drafted: Iterable[Drafted]) -> dict[WorkloadId, Proposal]:
    """Return what is proposed of each workload, sorted."""
    every = tuple(drafted)
    known = stores(sight)
    platform = {
        name: found.component
        for found in sight.clinic.site.components
        if found.component.role is not Role.STATEFUL
        for name in found.workloads
    }
    gateways = {name for name, each in platform.items() if each.role is Role.GATEWAY}
    doors = {
        name: f"it serves {entry}"
        for entry in sight.clinic.site.entries
        for plane in entry.planes
        for name in plane.workloads
    }
    public: dict[Party, str] = {}
    for each in every:
        leads = [hint for hint in each.hints if hint.door and not hint.ask]
        if not leads and (each.source in gateways or each.source in doors):
            leads = [hint for hint in each.hints if not hint.ask]
        if leads:
            public.setdefault(each.destination, leads[0].text)
    touched = {party for each in every for party in (each.source, each.destination)}
    found: dict[WorkloadId, Proposal] = {}
    for workload in sight.clinic.everyone():
        name = workload.id
        kind = _class(name, store=name in known or named_store(name.name))
        if name in gateways or name in doors:
            zone, why = EDGE, doors.get(name, f"it is {_name(platform, name)}")
            kind = WorkloadClass.GATEWAY
        elif name in platform:
            zone, why = PLATFORM, f"it is {_name(platform, name)}"
            kind = WorkloadClass.PLATFORM
        elif name.namespace in _SYSTEM:
            zone, why = PLATFORM, f"it lives in {name.namespace}"
            kind = WorkloadClass.PLATFORM
        elif name in known:
            zone, why = DATA, f"it runs a known store ({known[name].id})"
        elif name in public:
            zone, why = EDGE, public[name]
        elif named_store(name.name):
            zone, why = DATA, "it is named like a store"
        elif named_driver(name.name):
            found[name] = Proposal(None, kind, "it is named like what plays users, to try others")
            continue
        elif name in touched or sight.serving.services.get(name):
            zone, why = APP, "nothing says that it is anything else"
        else:
            found[name] = Proposal(None, kind, "nothing is known to call it, or to be called by it")
            continue
        found[name] = Proposal(zone, kind, why)
    return dict(sorted(found.items()))


def _name(platform: Mapping[WorkloadId, object], name: WorkloadId) -> str:
    component = platform.get(name)
    return str(getattr(component, "name", "a known component"))


def _class(name: WorkloadId, *, store: bool) -> WorkloadClass:
    if name.kind in _JOBS:
        return WorkloadClass.JOB
    if store or name.kind == "StatefulSet":
        return WorkloadClass.STATEFUL
    return WorkloadClass.SERVICE


def crossings(
    places: Mapping[WorkloadId, Proposal], drafted: Iterable[Drafted]
) -> Iterator[tuple[str, str]]:
    """Yield the directions between zones that calls take, each once and sorted."""
    found = set()
    for each in drafted:
        for source in _zones(places, each.source):
            for destination in _zones(places, each.destination):
                if (source, destination) != (OUTSIDE, OUTSIDE):
                    found.add((source, destination))
    yield from sorted(found)


def _zones(places: Mapping[WorkloadId, Proposal], party: Party) -> set[str]:
    """Return the zones that an end is in."""
    if isinstance(party, WorkloadId):
        known = places.get(party)
        return {known.zone} if known is not None and known.zone is not None else set()
    if isinstance(party, Outside) or party == WORLD:
        return {OUTSIDE}
    form, _, space = party.partition(":")
    if form != "any":
        return set()
    return {
        said.zone
        for name, said in places.items()
        if said.zone is not None and (not space or name.namespace == space)
    }


def zones(
    places: Mapping[WorkloadId, Proposal], crossed: Iterable[tuple[str, str]]
) -> tuple[Zone, ...]:
    """Return the zones of workloads, with the directions that calls take between them."""
    out: dict[str, set[str]] = defaultdict(set)
    into: dict[str, set[str]] = defaultdict(set)
    for source, destination in crossed:
        if source == OUTSIDE:
            into[destination].add(source)
        else:
            out[source].add(destination)
    used = {each.zone for each in places.values()}
    order = (*_ORDER, OUTSIDE)
    return tuple(
        Zone(name, tuple(sorted(out[name], key=order.index)), tuple(sorted(into[name])))
        for name in _ORDER
        if name in used
    )
