"""What sources lost where a workload's pods run."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cloison.analyses.past.course import HOUR
from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.estimate import percent
from cloison.analyses.reconcile.seen import Loss
from cloison.base.words import plural
from cloison.resources.world import Workload


@dataclass(frozen=True)
class Losses:
    """What was lost that may have been a workload's.

    Args:
        events: Events lost, by node; None is a node that nobody names.
        gaps: Hours of which nothing was told though it should have been, likewise.
        sampled: One of this many was recorded, likewise.
        recorded: Events that each node told of, as far as known.
        dropped: Events that each node lost in the hours of which these are; all where None.
        counted: Of how many hours they are, and how many were watched; None where of all.
        blind: Hours in which nothing was told of any node that it runs on.
        unplaced: Nodes that count only because nobody knows where it runs.
    """

    events: Mapping[str | None, int] = field(default_factory=dict)
    gaps: Mapping[str | None, frozenset[int]] = field(default_factory=dict)
    sampled: Mapping[str | None, int] = field(default_factory=dict)
    recorded: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str | None, int] | None = None
    counted: tuple[int, int] | None = None
    blind: frozenset[int] = frozenset()
    unplaced: Collection[str] = ()

    def beyond(self, share: float, watched: int) -> Iterator[str]:
        """Yield what is more than may be lost, as sentences without their ends.

        Args:
            share: What may be lost of a node's events, or of its hours.
            watched: How many hours were watched.
        """
        for node, events in sorted(self.events.items(), key=_order):
            told = self._told(node)
            known = events if self.dropped is None else min(events, self.dropped.get(node, 0))
            many = f"{_who(node)} lost {plural(events, 'event')}"
            if told is None or not known:
                yield many
                continue
            part = f"{percent(known / (known + told))} of its events{self._when}"
            if known < events:
                yield f"{many}, and {part}"
            elif known > share * (known + told):
                yield f"{_who(node)} lost {part}"
        for node, hours in sorted(self.gaps.items(), key=_order):
            if len(hours) > share * watched:
                text = f"nothing of {plural(len(hours), 'hour')} of {watched} that were watched"
                yield f"{_who(node)} told {text}"
        for node, rate in sorted(self.sampled.items(), key=_order):
            yield f"{_who(node)} recorded one of {rate} connections only"

    @property
    def _when(self) -> str:
        """Of which hours shares are, where these are not all."""
        if self.counted is None:
            return ""
        some, every = self.counted
        return f" in {plural(some, 'hour')} of {every}: of the others only sums are left"

    def _told(self, node: str | None) -> int | None:
        if node is None:
            return sum(self.recorded.values()) if self.recorded else None
        return self.recorded.get(node)


def lossy(workload: Workload, watch: Watch, hours: Sequence[int]) -> Losses:
    """Return what was lost that may have been a workload's.

    Args:
        workload: The workload. Where nobody knows where its pods run, every node counts.
        watch: When anybody watched, and what was lost.
        hours: The hours that count, ascending.
    """
    nodes = {each.shape.node for each in workload.endpoints}
    anywhere = not nodes or None in nodes
    events: dict[str | None, int] = defaultdict(int)
    gaps: dict[str | None, set[int]] = defaultdict(set)
    sampled: dict[str | None, int] = {}
    unplaced: set[str] = set()
    for loss in watch.lost:
        if loss.node is not None and loss.node not in nodes:
            if not anywhere:
                continue
            unplaced.add(loss.node)
        during = _during(loss, hours)
        if not during:
            continue
        if loss.gap:
            gaps[loss.node].update(during)
        if loss.events:
            events[loss.node] += loss.events
        if loss.sampled > 1:
            sampled[loss.node] = max(sampled.get(loss.node, 1), loss.sampled)
    everywhere = [gaps.get(node, set()) for node in nodes]
    blind = frozenset(set.intersection(*everywhere)) if everywhere and not anywhere else frozenset()
    held = {node: frozenset(some) for node, some in gaps.items()}
    found = Losses(
        dict(events),
        held,
        sampled,
        watch.recorded,
        blind=blind,
        unplaced=frozenset(unplaced),
    )
    if watch.counted is None:
        return found
    counted = len(watch.counted), len(watch.hours)
    return replace(found, dropped=watch.dropped, counted=counted)


def _during(loss: Loss, hours: Sequence[int]) -> Sequence[int]:
    """Return those of some hours that a loss may be of."""
    first, last = 0, len(hours)
    if loss.since is not None:
        first = bisect_left(hours, loss.since // HOUR)
    if loss.until is not None:
        # A gap ends where the next hour begins; anything else may have been at that moment.
        last = bisect_right(hours, (loss.until - loss.gap) // HOUR)
    return hours[first:last]


def _order(item: tuple[str | None, object]) -> str:
    return item[0] or ""


def _who(node: str | None) -> str:
    return "a source of flows" if node is None else node
