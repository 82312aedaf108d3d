"""`map --exposure`: what workloads are open to, and may reach, beyond the pods of the input.

Somebody may create a pod tomorrow, in a namespace of the input or in a new one. Which of those
pods could reach a workload, or be reached by it, is told by the labels they would need: a list of
regions, widest first, each with what it has in addition to the wider ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloison.algebra import L4, TrafficSet, UndecidedError
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.chosen import Chosen, check_namespace, port_limit
from cloison.analyses.connectivity import EndRef, MapOptions
from cloison.analyses.ends import Names
from cloison.analyses.exposure.meeting import Meeting
from cloison.analyses.exposure.parts import Part
from cloison.analyses.exposure.regions import Homes, Region, named
from cloison.analyses.survey import ends_of, standing_caveats
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.flows import EVERY_FLOW, Flows
from cloison.ir.policy import Direction
from cloison.ir.ruleset import Outcome
from cloison.resources.objects import NAMESPACE_NAME_LABEL

if TYPE_CHECKING:
    from cloison.algebra import RequestSet


@dataclass(frozen=True, slots=True)
class Opening:
    """Traffic that pods which are not in the input may exchange with a workload.

    Args:
        region: Which pods.
        traffic: What passes, in addition to what wider openings say.
        verdict: `allowed` or `undetermined`.
        caveats: What it stands on, sorted.
        requests: The requests with which it does; None for all.
    """

    region: Region
    traffic: TrafficSet
    verdict: Verdict
    caveats: tuple[Caveat, ...] = ()
    requests: "RequestSet | None" = None

    @property
    def sure(self) -> bool:
        """Whether it passes for certain."""
        return self.verdict is Verdict.ALLOWED


@dataclass(frozen=True, slots=True)
class Exposed:
    """Workloads that are open in the same ways.

    Args:
        members: The workloads, sorted.
        direction: Seen from them: `ingress` is what may reach them.
        openings: Widest first; together they say everything.
    """

    members: tuple[EndRef, ...]
    direction: Direction
    openings: tuple[Opening, ...]


@dataclass(frozen=True)
class Exposure:
    """What workloads are open to beyond the pods of the input.

    Args:
        asked: The workloads that were asked about in each direction, sorted.
        exposed: Those of them that are open, in groups; each occurs at most once a direction.
        homes: The namespaces of the input.
        caveats: What holds of all of it.
        partial: Whether more could have been asked.
    """

    asked: Mapping[Direction, tuple[EndRef, ...]]
    exposed: tuple[Exposed, ...]
    homes: Homes
    caveats: tuple[Caveat, ...] = ()
    partial: bool = False

    @property
    def ends(self) -> tuple[EndRef, ...]:
        """Every workload that was asked about, sorted."""
        every = {end for ends in self.asked.values() for end in ends}
        return tuple(sorted(every, key=lambda end: end.sort_key))


class _Exposer:
    """Tells openings, and remembers what many workloads share."""

    def __init__(self, engine: Engine) -> None:
        self.meeting = Meeting(engine)
        self.homes = self.meeting.homes
        self._known: dict[object, tuple[Opening, ...]] = {}

    def openings(self, units: Iterable[int], direction: Direction) -> tuple[Opening, ...]:
        """Return what a workload is open to: what any of its units is."""
        met = [self.meeting.parts(u, direction) for u in sorted(units)]
        alike = {id(parts): parts for parts in met}
        key = frozenset(alike)
        found = self._known.get(key)
        if found is None:
            every = [o for parts in alike.values() for o in _openings(parts)]
            found = self._known[key] = told_once(self.homes, every)
        return found


_SCTP = TrafficSet.protocol("SCTP")


@dataclass(frozen=True, slots=True)
class _Open:
    """What passes for the pods of a region, as sets of traffic and requests."""

    region: Region
    flows: Flows
    verdict: Verdict
    caveats: tuple[Caveat, ...] = ()


def _openings(parts: Iterable[Part]) -> Iterator[_Open]:
    for part in parts:
        outcome = part.outcome.flows
        unclear = (doubt for each in part.outcome.when for doubt in each.doubts)
        for flows, verdict, caveats in (
            (outcome.allowed, Verdict.ALLOWED, part.caveats),
            (
                _undetermined(part.outcome),
                Verdict.UNDETERMINED,
                part.caveats.union(part.doubts, unclear),
            ),
        ):
            if flows:
                # One end may have spoken of SCTP where the other lets none pass.
                spare = {known.SCTP_SUPPORT} if flows.wide.isdisjoint(_SCTP) else set()
                yield _Open(part.region, flows, verdict, tuple(sorted(caveats - spare)))


def _undetermined(outcome: Outcome) -> Flows:
    if not outcome.when:
        return Flows(outcome.undetermined & L4)
    try:
        return outcome.flows.undetermined.within(L4)
    except UndecidedError:
        return Flows(outcome.undetermined & L4)


def told_once(homes: Homes, openings: Iterable[_Open]) -> tuple[Opening, ...]:
    """Return openings that say the same without repeating each other, widest first."""
    joined = _joined(openings)
    left = []
    for i, one in enumerate(joined):
        flows = one.flows
        for j, other in enumerate(joined):
            if i == j or not _says(other, one) or not homes.covers(other.region, one.region):
                continue
            if j > i and _says(one, other) and homes.covers(one.region, other.region):
                continue  # they say the same; the first one stays
            flows = _less(flows, other.flows)
        if flows:
            # "Anything" says more than a list of all the protocols nobody spoke of.
            left.append(one if one.flows == EVERY_FLOW else replace(one, flows=flows))
    told = (
        Opening(each.region, traffic, each.verdict, each.caveats, requests)
        for each in _joined(left)
        for traffic, requests in each.flows.pieces
    )
    return tuple(sorted(told, key=sort_key))


def _less(flows: Flows, others: Flows) -> Flows:
    """Return what is left of some flows; all of it where that is too much work to tell."""
    try:
        return flows - others
    except UndecidedError:
        return flows


def _says(one: _Open, other: _Open) -> bool:
    """Whether what `one` says of some traffic makes `other` superfluous there."""
    if one.verdict is not other.verdict:
        return one.verdict is Verdict.ALLOWED
    return set(one.caveats) <= set(other.caveats)


def _joined(openings: Iterable[_Open]) -> list[_Open]:
    """Join openings that differ in their traffic, then in the names of namespaces, only."""
    by_region: dict[object, _Open] = {}
    for each in openings:
        key = (each.region, each.verdict, each.caveats)
        held = by_region.get(key)
        if held is None:
            by_region[key] = each
            continue
        try:
            by_region[key] = replace(held, flows=held.flows | each.flows)
        except UndecidedError:
            by_region[key, each.flows] = each
    found: list[_Open] = []
    alike: dict[object, list[_Open]] = defaultdict(list)
    for each in by_region.values():
        region = each.region
        if region.names.complement or len(region.namespaces.keys) > 1:
            found.append(each)
        else:
            alike[region.pods, region.but, each.flows, each.verdict, each.caveats].append(each)
    for same in alike.values():
        names = [n for each in same for n in each.region.names.values if n is not None]
        found.append(replace(same[0], region=replace(same[0].region, namespaces=named(*names))))
    return found


def is_open(region: Region) -> bool:
    """Return whether any pod of some new namespace, whatever labels it has, is in a region."""
    keys = [key for key, _ in region.namespaces.keys]
    named_only = keys in ([], [NAMESPACE_NAME_LABEL])
    return named_only and region.names.complement and not region.pods.keys and not region.but


def sort_key(opening: Opening) -> tuple[object, ...]:
    """Return what sorts openings, widest first."""
    region = opening.region
    but = region.excepted()
    said = len(but) + sum(len(v.values) for _, v in (*region.namespaces.keys, *region.pods.keys))
    return (
        not is_open(region),
        len(region.namespaces.keys) + len(region.pods.keys),
        not region.names.complement,
        said,
        [str(s) for pair in region.selectors() for s in pair],
        [str(s) for s in but],
        opening.verdict,
        opening.caveats,
        opening.traffic.spans,
        str(opening.requests or ""),
    )


def expose(engine: Engine, options: MapOptions, names: Names) -> Exposure:
    """Return what workloads are open to beyond the pods of the input, as far as `options` ask.

    Of the options, `focus` and `namespace` choose the workloads; `sources` chooses those to
    tell of as sources, `destinations` those to tell of as destinations.

    Raises:
        QuestionError: a filter names nothing, or what has no exposure; or a port that is none.
    """
    check_namespace(engine, options)
    limit = port_limit(options)
    ends, of_unit = ends_of(engine, replace(options, nodes=False))
    inventory = _Inventory(engine, names, ends, of_unit)
    wanted = _wanted(inventory, options)
    units: dict[int, list[int]] = defaultdict(list)
    for unit, places in of_unit.items():
        for place in places:
            units[place].append(unit)
    exposer = _Exposer(engine)
    groups: dict[tuple[Direction, tuple[Opening, ...]], list[EndRef]] = defaultdict(list)
    for direction, places in wanted.items():
        for place in places:
            openings = exposer.openings(units[place], direction)
            if limit is not None:
                cut = [replace(o, traffic=o.traffic & limit) for o in openings]
                openings = tuple(o for o in cut if o.traffic)
            if openings:
                groups[direction, openings].append(ends[place])
    order = list(Direction)
    return Exposure(
        {d: tuple(ends[place] for place in places) for d, places in wanted.items()},
        tuple(
            sorted(
                (Exposed(tuple(m), d, o) for (d, o), m in groups.items()),
                key=lambda e: (order.index(e.direction), [m.sort_key for m in e.members]),
            )
        ),
        exposer.homes,
        tuple(sorted(set(standing_caveats(engine)))),
        partial=limit is not None or any(len(wanted.get(d, ())) < len(ends) for d in order),
    )


@dataclass
class _Inventory:
    """The workloads there are."""

    engine: Engine
    names: Names
    ends: tuple[EndRef, ...]
    of_unit: dict[int, list[int]]


def _wanted(inventory: _Inventory, options: MapOptions) -> dict[Direction, list[int]]:
    """Return the places of the workloads to tell of, by direction."""
    every = BitMap(range(len(inventory.ends)))
    for name in (*options.focus, *options.sources, *options.destinations):
        if not Chosen(inventory, (name,)).places:
            msg = f"{name} is no workload, and only workloads have an exposure"
            raise QuestionError(msg, "name workloads, pods or any:NAMESPACE")
    near = Chosen(inventory, options.focus).inside(every)
    if options.namespace is not None:
        homes = (i for i, e in enumerate(inventory.ends) if e.namespace == options.namespace)
        near = near & BitMap(homes)
    found: dict[Direction, list[int]] = {}
    if options.destinations or not options.sources:
        near_in = near & Chosen(inventory, options.destinations).inside(every)
        found[Direction.INGRESS] = list(near_in)
    if options.sources or not options.destinations:
        found[Direction.EGRESS] = list(near & Chosen(inventory, options.sources).inside(every))
    return found
