"""Whether enough was seen of a workload to restrict it, and what is missing where it was not.

A workload is ready in one direction when hardly anything that happens can be of edges never seen,
when the watch held two of every time of the week and an end of a month, when every CronJob that
matters ran twice while somebody watched, and when nothing to speak of was lost where its pods run.
Calendars do most of it: of edges that happen once a month no estimator knows. Whether a candidate
denies what it should not is asked of `shadow`, and how many pods were seen nobody knows: edges are
kept by workload.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

from cloison.analyses.ends import PodsEnd
from cloison.analyses.past.link import Link
from cloison.analyses.past.outside import around
from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.estimate import Estimate, estimate, percent
from cloison.analyses.recommend.losses import lossy
from cloison.analyses.recommend.runs import Runs, runs
from cloison.analyses.recommend.slots import Slots, slots
from cloison.analyses.reconcile.seen import Outside
from cloison.base.words import plural
from cloison.ir.policy import Direction
from cloison.resources.world import Workload, WorkloadId, World

_JOBS: Final = ("Job", "CronJob")
_DAY: Final = 24
_HARDLY: Final = 30
"""Sightings below which estimates are guesses."""
_CHANCE: Final = 0.01
"""How likely it may be that a workload that was there all along was not seen at first."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is enough.

    Args:
        unseen: The share of what happens that may be of edges never seen, below which.
        coverage: The share of what happens that has to be of edges that were seen.
        days: Days that have to be watched.
        cycles: How often each day of the week and each hour of the day has to be.
        ends: How many ends of months have to be; 0 waives them.
        runs: How often each CronJob has to run meanwhile.
        lost: The share of a node's events, or of its hours, that may be lost.
        day: How much of a day has to be watched for it to count.
    """

    unseen: float = 0.001
    coverage: float = 0.99
    days: int = 14
    cycles: int = 2
    ends: int = 1
    runs: int = 2
    lost: float = 0.01
    day: float = 0.75


DEFAULT: Final = Thresholds()


@dataclass(frozen=True)
class Told:
    """What is known besides flows and the inventory.

    Args:
        called: Whom CronJobs are known to call, though nobody saw it. Of one that never ran and
            is not in it, any workload of its namespace may be called.
        asked: Whom flows were seen of that count for nothing before somebody answers for them.
    """

    called: Mapping[WorkloadId, Collection[WorkloadId]] = field(default_factory=dict)
    asked: Collection[WorkloadId] = ()


NOTHING: Final = Told()


class Lack(StrEnum):
    """What kind of thing is missing."""

    SIGHT = "sight"
    """Nothing was seen, or nothing can be."""
    UNSEEN = "unseen"
    """Edges happen that were not seen yet."""
    DAYS = "days"
    WEEK = "week"
    CLOCK = "clock"
    """Some hours of the day were not watched."""
    MONTH = "month"
    RUNS = "runs"
    """A CronJob did not run often enough."""
    LOSS = "loss"


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing.

    Args:
        lack: What kind of thing.
        text: What, as a sentence without its end.
    """

    lack: Lack
    text: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far a workload may be restricted in one direction.

    Args:
        workload: The workload.
        direction: The direction.
        estimate: How much was seen of what there is.
        slots: What of the calendar was watched.
        since: The hour since 1970 from which on it was there, as far as flows tell.
        runs: The CronJobs that matter to it.
        missing: What is missing; nothing where it is ready.
        notes: What else there is to know of it.
    """

    workload: WorkloadId
    direction: Direction
    estimate: Estimate
    slots: Slots = field(default_factory=Slots)
    since: int | None = None
    runs: tuple[Runs, ...] = ()
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing

    def calendar(self, thresholds: Thresholds = DEFAULT) -> float:
        """Return the share of times of day, week and month, and of runs, that were watched."""
        seen, asked = self.slots.held(thresholds.cycles, thresholds.ends)
        for each in self.runs:
            if not each.suspended:
                seen += min(each.seen, thresholds.runs)
                asked += thresholds.runs
        return seen / asked if asked else 1.0


def edge_of(link: Link, direction: Direction) -> Hashable:
    """Return what an edge is counted as: addresses outside that may be one's are one.

    Whoever calls from outside is one caller, for rules name no single ones; whoever is called
    there is known by a name, else by the block around the address.
    """
    out = direction is Direction.EGRESS
    end, key = (link.destination, link.key.destination) if out else (link.source, link.key.source)
    where: Hashable = key
    if isinstance(end, Outside) and (end.name is None or not out):
        where = around(end) if out else None
    return where, link.key.protocol, link.key.port


def readiness(
    links: Sequence[Link],
    watch: Watch,
    world: World,
    thresholds: Thresholds = DEFAULT,
    *,
    told: Told = NOTHING,
    edge: Callable[[Link, Direction], Hashable] = edge_of,
) -> tuple[Readiness, ...]:
    """Return how far each workload may be restricted, in each direction; sorted.

    Args:
        links: The edges that are taken for the application's own.
        watch: When anybody watched.
        world: The inventory.
        thresholds: What is enough.
        told: What else is known.
        edge: What an edge is counted as: edges that one rule lets through count as one.
    """
    every = _Every(links, watch, world, thresholds, told, edge)
    return tuple(
        every.of(workload, direction)
        for _, workload in sorted(world.workloads.items())
        if workload.endpoints or workload.id in every.seen or workload.id.kind == "CronJob"
        for direction in Direction
    )


@dataclass(frozen=True)
class _Every:
    """What is asked of all workloads."""

    links: Sequence[Link]
    watch: Watch
    world: World
    thresholds: Thresholds
    told: Told
    edge: Callable[[Link, Direction], Hashable]

    def of(self, workload: Workload, direction: Direction) -> Readiness:
        """Return how far a workload may be restricted in a direction."""
        since = self._since(workload.id)
        every = [hour for hour in self.watch.hours if since is None or hour >= since]
        losses = lossy(workload, self.watch, every)
        hours = {*every} - losses.blind
        seen: dict[Hashable, set[int]] = defaultdict(set)
        for link in self._by_side.get((workload.id, direction), ()):
            seen[self.edge(link, direction)].update(hours.intersection(link.allowed.hours))
        known = estimate(map(len, seen.values()), len(hours))
        times = slots(hours, self.thresholds.day)
        concerned = tuple(self._concerned(workload.id, direction))
        found = Readiness(
            workload.id,
            direction,
            known,
            times,
            since if since is not None else next(iter(self.watch.hours), None),
            concerned,
        )
        missing = (
            *self._sight(workload),
            *_unseen(known, self.thresholds),
            *_calendar(times, self.thresholds, since),
            *(each for one in concerned for each in _runs(one, self.thresholds)),
            *(Missing(Lack.LOSS, each) for each in losses.beyond(self.thresholds.lost, len(every))),
        )
        notes = tuple(self._notes(found, losses.unplaced))
        return replace(found, missing=missing, notes=notes)

    @cached_property
    def seen(self) -> Mapping[WorkloadId, set[int]]:
        """The hours in which each workload was seen, at either end."""
        found: dict[WorkloadId, set[int]] = defaultdict(set)
        for (workload, _), some in self._by_side.items():
            found[workload].update(hour for link in some for hour in link.allowed.hours)
        return found

    @cached_property
    def _by_side(self) -> Mapping[tuple[WorkloadId, Direction], list[Link]]:
        found: dict[tuple[WorkloadId, Direction], list[Link]] = defaultdict(list)
        for link in self.links:
            if isinstance(link.source, PodsEnd):
                found[link.source.workload.id, Direction.EGRESS].append(link)
            if isinstance(link.destination, PodsEnd):
                found[link.destination.workload.id, Direction.INGRESS].append(link)
        return found

    def _since(self, workload: WorkloadId) -> int | None:
        """Return the hour in which a workload came; None where it may have been there before.

        One that is seen often would have been seen at once.
        """
        hours = self.seen.get(workload)
        if not hours or workload.kind in _JOBS:
            return None
        first = min(hours)
        before = self.watch.watched(0, first - 1)
        if before < _DAY:
            return None
        after = self.watch.watched(first, max(self.watch.hours, default=first))
        # How often it is seen once it is there: what it was seen by first says nothing of that.
        silent = max(0.0, 1 - (len(hours) - 1) / max(after, 1)) ** before
        return first if silent < _CHANCE else None

    @cached_property
    def _jobs(self) -> Mapping[WorkloadId, Runs]:
        return {
            name: runs(workload, self.seen.get(name, ()), self.watch.hours)
            for name, workload in self.world.workloads.items()
            if name.kind == "CronJob"
        }

    @cached_property
    def _callers(self) -> Mapping[WorkloadId, set[WorkloadId]]:
        """The CronJobs that call, or may call, each workload."""
        found: dict[WorkloadId, set[WorkloadId]] = defaultdict(set)
        for name in self._jobs:
            whom = set(self.told.called.get(name, ()))
            for link in self._by_side.get((name, Direction.EGRESS), ()):
                if isinstance(link.destination, PodsEnd):
                    whom.add(link.destination.workload.id)
            if not whom and not self.seen.get(name):
                whom = {
                    each
                    for each in self.world.workloads
                    if each.namespace == name.namespace and each.kind not in _JOBS
                }
            for each in whom:
                found[each].add(name)
        return found

    def _concerned(self, workload: WorkloadId, direction: Direction) -> Iterator[Runs]:
        """Yield the CronJobs that say something of a workload's edges."""
        names = {workload} if direction is Direction.EGRESS else self._callers.get(workload, set())
        yield from (self._jobs[name] for name in sorted(names) if name in self._jobs)

    def _sight(self, workload: Workload) -> Iterator[Missing]:
        if not self.watch:
            yield Missing(Lack.SIGHT, "nobody watched")
        elif any(each.shape.host_network for each in workload.endpoints):
            text = "its pods have their node's address, and flows do not tell them from the node"
            yield Missing(Lack.SIGHT, text)
        elif not self.seen.get(workload.id) and workload.id.kind != "CronJob":
            asked = workload.id in self.told.asked
            text = "only flows that are asked about were seen of it"
            yield Missing(Lack.SIGHT, text if asked else "nothing was ever seen of it")

    def _notes(self, found: Readiness, unplaced: Collection[str]) -> Iterator[str]:
        if not found.estimate.edges and self.seen.get(found.workload):
            yield f"no connection was ever seen in this direction ({found.direction})"
        if 0 < found.estimate.incidences < _HARDLY:
            times = plural(found.estimate.incidences, "time")
            yield f"it was seen {times} only: how much was not seen can hardly be told"
        for each in found.runs:
            if each.suspended:
                yield f"CronJob {each.workload} is suspended: whom it calls may not be known"
            elif each.fault:
                yield f"when CronJob {each.workload} runs is not known: {each.fault}"
            elif each.assumed:
                yield f"nothing says the time zone of CronJob {each.workload}: UTC is taken for it"
        if unplaced:
            yield "on which nodes its pods run is not known: what was lost on any counts"


def _unseen(known: Estimate, thresholds: Thresholds) -> Iterator[Missing]:
    unseen, coverage = known.unseen, known.coverage
    if unseen is None or coverage is None:
        return
    if unseen >= thresholds.unseen or coverage < thresholds.coverage:
        text = (
            f"about {percent(unseen)} of what happens is of edges not seen yet: "
            f"{known.once} of {plural(known.edges, 'edge')} "
            f"{'was' if known.once == 1 else 'were'} seen in one hour only"
        )
        yield Missing(Lack.UNSEEN, text)


def _calendar(times: Slots, thresholds: Thresholds, since: int | None) -> Iterator[Missing]:
    new = "" if since is None else f", for it was first seen on {moment(since)}"
    if times.days < thresholds.days:
        days = plural(times.days, "day") if times.days else "no whole day"
        text = f"{days} of {thresholds.days} {'were' if times.days else 'was'} watched{new}"
        yield Missing(Lack.DAYS, text)
    elif times.cycles < thresholds.cycles:
        text = f"some day of the week was watched {plural(times.cycles, 'time')}, not "
        yield Missing(Lack.WEEK, f"{text}{thresholds.cycles} times")
    else:
        scarce = [at for at, number in enumerate(times.clock) if number < thresholds.cycles]
        if scarce:
            text = f"nobody watched {_clock(scarce)} UTC on {thresholds.cycles} days"
            yield Missing(Lack.CLOCK, text)
    if len(times.ends) < thresholds.ends:
        ends = "no end of a month was watched"
        if thresholds.ends > 1:
            ends = f"{plural(len(times.ends), 'end')} of months of {thresholds.ends} were watched"
        yield Missing(Lack.MONTH, ends)


def _runs(known: Runs, thresholds: Thresholds) -> Iterator[Missing]:
    if known.suspended or known.seen >= thresholds.runs:
        return
    name = f"CronJob {known.workload}"
    text = f"{name} has not run while anybody watched"
    if known.seen:
        text = f"{name} has run {plural(known.seen, 'time')}, and {thresholds.runs} are asked"
    elif known.due:
        text = f"nothing was seen of {name}, which was due in {plural(known.due, 'watched hour')}"
    if known.upcoming is not None:
        text += f"; it is due next on {moment(known.upcoming)}"
    yield Missing(Lack.RUNS, text)


def _clock(hours: Iterable[int]) -> str:
    """Return hours of the day as stretches: `from 00:00 to 06:00`."""
    found: list[list[int]] = []
    for hour in hours:
        if found and found[-1][1] == hour:
            found[-1][1] = hour + 1
        else:
            found.append([hour, hour + 1])
    return ", ".join(f"from {first:02}:00 to {last:02}:00" for first, last in found)


def moment(hour: int) -> str:
    """Return an hour since 1970 for people.

    >>> moment(490_896)
    '2026-01-01 00:00 UTC'
    """
    return f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%d %H:%M} UTC"
