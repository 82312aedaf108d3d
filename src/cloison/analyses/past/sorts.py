"""What observed edges are: the application's own, denied, somebody's trial, or a scan.

Nothing here is beyond doubt but that policy denied something. Edges that are called anything but
legitimate are questions: nobody is to allow them unasked, and nobody need be alarmed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from cloison.analyses.ends import PodsEnd
from cloison.analyses.past.brief import FEW, again, below, by_hand, stretches
from cloison.analyses.past.course import Course
from cloison.analyses.past.doors import Door, at_front, door, doors
from cloison.analyses.past.link import LET, Link
from cloison.analyses.past.outside import around, public
from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.seen import NODES, Outside
from cloison.base.words import plural
from cloison.platform.customs import named_front


class Sort(StrEnum):
    """What an observed edge is, as far as anybody can tell."""

    LEGITIMATE = "legitimate"
    """The application does it, or at least nothing speaks against that."""
    DENIED = "denied"
    """Policy stopped it, and the last time too: evidence of a need, or of an attack."""
    PERSON = "person"
    """A one-off, as from somebody's shell."""
    SCAN = "scan"
    """One source tried many ports or destinations."""
    UNCLEAR = "unclear"
    """No record says whether it got through, or whose it was."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An observed edge, and what it is.

    Args:
        link: The edge.
        sort: What it is.
        why: Why it is called so, as part of a sentence.
    """

    link: Link
    sort: Sort
    why: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where one sort ends and another begins.

    Args:
        few: Connections that somebody could have made by hand.
        long: Watched hours from which on it says something that an edge was seen in one only.
        many: Ports and destinations that make a scan.
        scanned: Hours in which one of a scan's edges is seen, at most.
        ended: Watched hours after which something that got through is over.
        runs: Runs of a Job from which on they show a pattern.
        seldom: Connections of a watched day, on average, that are few.
        days: Days from which on it is a habit.
    """

    few: int = FEW
    long: int = 24
    many: int = 8
    scanned: int = 3
    ended: int = 3
    runs: int = 3
    seldom: int = 3
    days: int = 3


BOUNDS: Final = Bounds()
_JOBS: Final = ("Job", "CronJob")
_DAY: Final = 24


def _unknown(_: Link) -> bool:
    """Return that a port may well be listened at, where nobody knows which are."""
    return True


def _nothing(_: Link) -> bool:
    return False


def judged(
    links: Sequence[Link],
    watch: Watch,
    meant: Callable[[Link], bool],
    said: Callable[[Link], bool] = _unknown,
    hinted: Callable[[Link], bool] = _nothing,
) -> tuple[Judged, ...]:
    """Return what each edge is, in the order given.

    Args:
        links: All that was seen: an edge is judged beside the others of its source.
        watch: When anybody watched.
        meant: Whether the contract or a manifest says that an edge should be.
        said: Whether anything says that its port is listened at, as a container or a Service.
        hinted: Whether a manifest at least hints that its source calls its destination.
    """
    court = _Court(tuple(links), watch, tuple(map(meant, links)), said, hinted)
    return tuple(Judged(link, *court.verdict(at)) for at, link in enumerate(court.links))


@dataclass(frozen=True)
class _Court:
    """All edges, and what is asked of one beside the others."""

    links: tuple[Link, ...]
    watch: Watch
    meant: tuple[bool, ...]
    said: Callable[[Link], bool]
    hinted: Callable[[Link], bool]
    bounds: Bounds = BOUNDS

    def verdict(self, at: int) -> tuple[Sort, str]:
        """Return what an edge is, and why."""
        link = self.links[at]
        scan = self._scan(at)
        if scan is not None:
            return Sort.SCAN, scan
        if all(each.count and not each.sure for each in link.seen):
            return Sort.UNCLEAR, "several held one of its addresses at that time"
        if link.denied or any(each.became == "denied" for each in link.seen):
            return self._denied(at)
        if not _let(link):
            return Sort.UNCLEAR, _unclear(link)
        if self.meant[at]:
            return Sort.LEGITIMATE, "it is meant"
        return self._unmeant(at)

    def _scan(self, at: int) -> str | None:
        """Return why an edge is part of a scan; None if it is not."""
        if at in self._scans:
            return f"its source tried {self._scans[at]} destinations and ports within two hours"
        if at in self._slow_scans:
            where = "destinations and ports at which nothing is said to listen"
            return f"its source tried {self._slow_scans[at]} {where}, each of them seldom"
        if at in self._rounds:
            what = "workloads, each of them seldom, and nothing says that it should"
            return f"its source called {self._rounds[at]} {what}"
        return None

    def _unmeant(self, at: int) -> tuple[Sort, str]:
        """Return what an edge is that got through and that nobody means."""
        person = self._person(at) or self._session(at)
        if person is not None:
            return Sort.PERSON, person
        if by_hand(self.links[at].source):
            return Sort.UNCLEAR, "it is from a pod that no controller made"
        if self._unsaid[at] and self._rare(at) and not self._repeated(at):
            return Sort.UNCLEAR, f"nothing says that anything listens there, and {self._when(at)}"
        source = self.links[at].source
        if (
            isinstance(source, Outside)
            and (self._rare(at) or (public(source) and not at_front(self.links[at])))
            and door(self.links[at]) not in self._doors
        ):
            return Sort.UNCLEAR, f"nothing leads clients in there, and {self._when(at)}"
        if source == NODES and self._rare(at) and not self.hinted(self.links[at]):
            return Sort.UNCLEAR, f"somebody may have forwarded a port: {self._when(at)}"
        return Sort.LEGITIMATE, self._legitimate(at)

    def _when(self, at: int) -> str:
        days = {hour // _DAY for hour in self._all[at].hours}
        return f"it was seen on {len(days)} of {plural(len(self._days), 'watched day')}"

    def _denied(self, at: int) -> tuple[Sort, str]:
        link = self.links[at]
        times = plural(link.count("denied"), "connection")
        though = ", though it is meant" if self.meant[at] else ""
        if not _let(link):
            return Sort.DENIED, f"policy denied {times}, and none ever got through{though}"
        before = plural(link.count(*LET), "connection")
        if _last(link, "denied") >= _last(link, *LET):
            return Sort.DENIED, f"policy denied {times}, the last one too, after {before}{though}"
        if not self.meant[at] and not self._settled(link):
            return Sort.DENIED, f"policy denied {times}, and since then too few got through"
        return Sort.LEGITIMATE, f"the last connection got through, though policy denied {times}"

    def _settled(self, link: Link) -> bool:
        """Return whether an edge has been in use since policy last denied it.

        What got through once may have been let through by mistake, or found a gap.
        """
        if not link.denied.hours or not link.allowed.hours:
            return False
        since = link.allowed.within(link.denied.hours[-1] + 1, link.allowed.hours[-1])
        days = {hour // _DAY for hour in since.hours}
        return since.total > self.bounds.few and len(days) >= self.bounds.days

    def _legitimate(self, at: int) -> str:
        hours = self._all[at].hours
        if not hours:
            return "it got through; no record says when"
        watched = plural(len(self.watch.hours), "watched hour")
        return f"it got through in {plural(len(hours), 'hour')} of {watched}"

    # One-offs

    def _person(self, at: int) -> str | None:
        """Return why an edge that is not meant looks like a person's doing; None if not so."""
        link, course = self.links[at], self._all[at]
        if not self._brief(link, course) or door(link) in self._doors:
            return None
        if self._job_run(at) or self._habit(at):
            return None
        times = plural(course.total, "connection")
        if by_hand(link.source):
            return f"{times} in one moment, from a pod that nothing but a person made"
        if isinstance(link.source, Outside):
            return f"{times} in one moment, from outside, and nothing leads clients in there"
        if self._from_behind(link):
            return f"{times} in one moment, from behind a front to the front"
        if len(self.watch.hours) >= self.bounds.long:
            return f"{times} in one moment only, of {len(self.watch.hours)} watched hours"
        return None

    def _session(self, at: int) -> str | None:
        """Return why an edge looks like a part of what a person did; None if not so.

        Who is at a shell asks one thing several times, and others once meanwhile.
        """
        if self.hinted(self.links[at]) or not self._rare(at) or self._repeated(at):
            return None
        hours = self._all[at].hours
        moments = self._moments.get(self.links[at].key.source, frozenset())
        if 2 * sum(hour in moments for hour in hours) < len(hours):
            return None
        return f"{self._when(at)}, in the hours of one-offs of the same source"

    @cached_property
    def _moments(self) -> Mapping[str, frozenset[int]]:
        """The hours of one-offs, and those next to them, by who made them."""
        found: dict[str, set[int]] = defaultdict(set)
        for at, link in enumerate(self.links):
            inside = isinstance(link.source, PodsEnd) and not self.meant[at] and _let(link)
            if inside and not link.denied and self._person(at) is not None:
                hours = self._all[at].hours
                found[link.key.source].update(h + each for h in hours for each in (-1, 0, 1))
        return {source: frozenset(hours) for source, hours in found.items()}

    def _brief(self, link: Link, course: Course) -> bool:
        """Return whether a pod did it within an hour, which may lie in two of the clock's."""
        hours = course.hours
        pods = {each.source.pod for each in link.seen} - {None}
        return (
            bool(hours)
            and not again(hours)
            and not course.undated
            and course.total <= self.bounds.few
            and len(pods) <= 1
        )

    def _job_run(self, at: int) -> bool:
        """Return whether it is what a Job does when it runs, which is seldom and short.

        One run among many in which it did what it always does, and this besides, is none of that.
        """
        link, hours = self.links[at], set(self._all[at].hours)
        if not isinstance(link.source, PodsEnd) or link.source.workload.id.kind not in _JOBS:
            return False
        others = [set(self._all[each].hours) for each in self._of_source(at)]
        runs = stretches(set().union(*others))
        if runs < self.bounds.runs or stretches(hours) >= self.bounds.runs:
            return True
        then = {hour + each for hour in hours for each in (-1, 0, 1)}
        usual = [each for each in others if 2 * stretches(each) >= runs]
        return not usual or any(not each & then for each in usual)

    def _habit(self, at: int) -> bool:
        """Return whether a source does the same all the time, but for a detail."""
        link = self.links[at]
        if self._repeated(at):
            return True
        if not isinstance(link.destination, Outside) or link.destination.name is not None:
            return False
        block = around(link.destination)
        # Addresses outside that one service may have, or of which a source visits many.
        near, every = set[int](), 0
        for other in self._of_source(at):
            its = self.links[other]
            same = (its.key.protocol, its.key.port) == (link.key.protocol, link.key.port)
            if same and isinstance(its.destination, Outside) and its.allowed.hours:
                every += its.destination.name is None
                if block is not None and around(its.destination) == block:
                    near.update(self._all[other].hours)
        return every >= self.bounds.many or again(near)

    def _repeated(self, at: int) -> bool:
        return any(self._other_protocol(at, other) for other in self._of_source(at))

    def _other_protocol(self, at: int, other: int) -> bool:
        """Return whether another edge is the same in another protocol, and goes on.

        A name whose answer is too long for UDP is asked for again by TCP.
        """
        one, its = self.links[at].key, self.links[other].key
        same = (one.destination, one.port) == (its.destination, its.port)
        return same and one.protocol != its.protocol and again(self.links[other].allowed.hours)

    def _from_behind(self, link: Link) -> bool:
        front = link.key.destination
        if front not in self._fronts:
            return False
        return link.key.source in below(self._calls, front)

    @cached_property
    def _fronts(self) -> frozenset[str]:
        """Who is called from outside, or called as fronts are."""
        return frozenset(
            link.key.destination
            for link in self.links
            if isinstance(link.destination, PodsEnd)
            and (
                (isinstance(link.source, Outside) and _let(link))
                or named_front(link.destination.workload.id.name)
            )
        )

    @cached_property
    def _calls(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for link in self.links:
            if _let(link) and not isinstance(link.destination, Outside):
                found[link.key.source].add(link.key.destination)
        return found

    @cached_property
    def _doors(self) -> frozenset[Door]:
        return doors(self.links, self.watch)

    # Scans

    @cached_property
    def _scans(self) -> Mapping[int, int]:
        """How much its source tried in these hours, of each edge that is part of a scan."""
        found: dict[int, int] = {}
        for some in self._by_source.values():
            odd = [at for at in some if self._odd(at)]
            if len(odd) < self.bounds.many:
                continue
            tried: dict[int, set[tuple[str, str, int]]] = defaultdict(set)
            for at in odd:
                for hour in self._all[at].hours:
                    # What began towards the end of an hour of the clock goes on in the next.
                    tried[hour].add(_target(self.links[at]))
                    tried[hour - 1].add(_target(self.links[at]))
            scanned: dict[int, int] = {}
            for hour, targets in tried.items():
                if len(targets) >= self.bounds.many:
                    for each in (hour, hour + 1):
                        scanned[each] = max(scanned.get(each, 0), len(targets))
            for at in odd:
                hours = self._all[at].hours
                if all(hour in scanned for hour in hours):
                    found[at] = max(scanned[hour] for hour in hours)
        return found

    @cached_property
    def _slow_scans(self) -> Mapping[int, int]:
        """How much its source tried at all, of each edge that is part of a slow scan.

        A scan that takes its time, and one that begins anew again and again, is known by ports
        at which nothing is said to listen. Those that are said to be were tried along with them.
        """
        found: dict[int, int] = {}
        for some in self._by_source.values():
            seldom = [at for at in some if not self.meant[at] and self._seldom(at)]
            probes = [at for at in seldom if self._unsaid[at] and not self._repeated(at)]
            if len(probes) < self.bounds.many:
                continue
            most = 2 * max(self._all[at].total for at in probes)
            whom = {self.links[at].key.destination for at in probes}
            ports = {(self.links[at].key.protocol, self.links[at].key.port) for at in probes}
            along = [
                at
                for at in seldom
                if not self._unsaid[at]
                and self._all[at].total <= most
                and isinstance(self.links[at].destination, PodsEnd)
                and (
                    self.links[at].key.destination in whom
                    or (self.links[at].key.protocol, self.links[at].key.port) in ports
                )
            ]
            for at in (*probes, *along):
                found[at] = len(probes) + len(along)
        return found

    @cached_property
    def _rounds(self) -> Mapping[int, int]:
        """How many workloads its source called, of each edge of one that looks around.

        Who goes from one to the next on ports that are in use is known by how many they are: an
        application calls few of which nothing tells, and these often.
        """
        found: dict[int, int] = {}
        for some in self._by_source.values():
            source = self.links[some[0]].source
            if isinstance(source, PodsEnd) and source.workload.id.kind in _JOBS:
                continue
            odd = [at for at in some if self._strange(at)]
            whom = {self.links[at].key.destination for at in odd}
            if len(whom) >= self.bounds.many:
                found.update(dict.fromkeys(odd, len(whom)))
        return found

    def _strange(self, at: int) -> bool:
        """Return whether a pod is called seldom, and nothing says that it should be."""
        link = self.links[at]
        unsaid = not self.meant[at] and not self.hinted(link)
        seldom = unsaid and self._rare(at) and again(self._all[at].hours)
        inside = isinstance(link.destination, PodsEnd) and _let(link)
        return inside and seldom and not self._repeated(at)

    @cached_property
    def _unsaid(self) -> tuple[bool, ...]:
        """Whether nothing says that anything listens there, of each edge."""
        return tuple(not self.said(each) for each in self.links)

    def _seldom(self, at: int) -> bool:
        """Return whether an edge was used a few times a day, as far as that can be said."""
        course = self._all[at]
        known = len(self.watch.hours) >= self.bounds.long and bool(course.hours)
        return known and course.total <= self.bounds.seldom * len(self._days)

    def _rare(self, at: int) -> bool:
        """Return whether an edge was used a few times only, and not on most days."""
        days = {hour // _DAY for hour in self._all[at].hours}
        return self._seldom(at) and 2 * len(days) <= len(self._days)

    @cached_property
    def _days(self) -> frozenset[int]:
        return frozenset(hour // _DAY for hour in self.watch.hours)

    def _odd(self, at: int) -> bool:
        """Return whether an edge may be part of a scan: nobody means it, and it is soon over."""
        link, hours = self.links[at], self._all[at].hours
        if self.meant[at] or not hours or len(hours) > self.bounds.scanned:
            return False
        if not _let(link):
            return True
        if len(self.watch.hours) < self.bounds.long or self._job_run(at):
            return False
        after = self.watch.watched(hours[-1] + 1, self.watch.hours[-1])
        return after >= self.bounds.ended

    # What was seen

    @cached_property
    def _all(self) -> tuple[Course, ...]:
        return tuple(link.course() for link in self.links)

    @cached_property
    def _by_source(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for at, link in enumerate(self.links):
            found[link.key.source].append(at)
        return found

    def _of_source(self, at: int) -> Iterator[int]:
        """Yield the edges of an edge's source."""
        yield from self._by_source[self.links[at].key.source]


def _let(link: Link) -> bool:
    return any(each.became in LET for each in link.seen)


def _last(link: Link, *became: str) -> int:
    """Return when a connection last became something; microseconds since 1970."""
    times = (each.last for each in link.seen if each.became in became)
    return max((each for each in times if each is not None), default=0)


def _unclear(link: Link) -> str:
    if any(each.became == "error" for each in link.seen):
        return "connections were lost on the way, and not by policy"
    return "no record says whether it got through"


def _target(link: Link) -> tuple[str, str, int]:
    """Return what was tried; outside, ports only of what got through.

    Addresses outside that answer on one port are many for good reasons: a service has many.
    """
    outside = isinstance(link.destination, Outside) and _let(link)
    return "" if outside else link.key.destination, link.key.protocol, link.key.port
