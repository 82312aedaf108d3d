"""Until when somebody held an address of whom nobody says so: what was said later tells.

An interval that is not known to have ended ends at the first of these that come after its start:

- the end that somebody knows of the same holder, the last one if they differ;
- the next word about the same holder, which begins an interval of its own;
- the next snapshot that speaks for it: if that names it, an interval begins there;
- the start of another pod of the same cluster, as a pod's address belongs to one pod at a time.
  Pods in a node's own network, nodes and Services share addresses, and end nothing.

A snapshot speaks for the sorts (pods, Services, nodes) that it holds: for those of the namespaces
of which it holds some, and for those of the whole cluster if it holds nodes. Intervals that are
known to have ended stay as they are: where they overlap, it is not known who it was.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Row = dict[str, Any]
"""A row with the columns of `schema.IDENTITY`, its times in microseconds."""

Holder = tuple[str | None, str, str | None, str | None]
"""Cluster, sort, namespace and name."""

Scope = tuple[str | None, str, str | None]
"""Cluster, sort and namespace; `_ALL` for every one."""

_ALL: Final = "*"
_SORTS: Final = ("Node", "Service")


def holder(row: Row) -> Holder:
    """Return who a row is about, whatever else it tells of it."""
    sort = row["kind"] if row["kind"] in _SORTS else "Pod"
    return row["cluster"], sort, row["ns"], row["pod"] or row["workload"]


@dataclass(frozen=True, slots=True)
class Snapshots:
    """When snapshots were taken, ascending, by what they speak for."""

    times: Mapping[Scope, Sequence[int]]

    def after(self, who: Holder, since: int) -> int | None:
        """Return when the next snapshot was taken that speaks for somebody."""
        cluster, sort, ns, _name = who
        found = (_next(self.times.get((cluster, sort, of), ()), since) for of in {ns, _ALL})
        return _least(found)


def snapshots(rows: Iterable[Row]) -> Snapshots:
    """Return the snapshots that rows are of."""
    said = [(*holder(row)[:3], row["since"]) for row in rows if row["snapshot"]]
    whole = {(cluster, time) for cluster, sort, _ns, time in said if sort == "Node"}
    found: dict[Scope, set[int]] = defaultdict(set)
    for cluster, sort, ns, time in said:
        found[cluster, sort, ns].add(time)
        if (cluster, time) in whole:
            found[cluster, sort, _ALL].add(time)
    return Snapshots({scope: sorted(times) for scope, times in found.items()})


def ended(held: Sequence[Row], taken: Snapshots) -> Iterator[Row]:
    """Yield the rows of one address, with ends where what is said of others tells them.

    Args:
        held: The rows of the address.
        taken: Snapshots of all addresses.
    """
    own: dict[Holder, list[Row]] = defaultdict(list)
    for row in held:
        own[holder(row)].append(row)
    starts = {who: sorted({row["since"] for row in rows}) for who, rows in own.items()}
    over = {who: _ends(rows) for who, rows in own.items()}
    others = {
        cluster: _Starts.of(row for row in held if _alone(row) and row["cluster"] == cluster)
        for cluster in {row["cluster"] for row in held}
    }
    for row in held:
        if row["until"] is not None:
            yield row
            continue
        who, since = holder(row), row["since"]
        ends = [_next(over[who], since), _next(starts[who], since), taken.after(who, since)]
        if _alone(row):
            ends.append(others[row["cluster"]].after(who, since))
        yield {**row, "until": _least(ends)}


def _alone(row: Row) -> bool:
    """Return whether nobody else holds an address while this does."""
    return holder(row)[1] == "Pod" and not row["host_network"]


def _ends(rows: Iterable[Row]) -> list[int]:
    """Return the known ends of one holder that nothing else known of it goes beyond."""
    found: list[int] = []
    known = [(row["since"], row["until"]) for row in rows if row["until"] is not None]
    for since, until in sorted(known):
        if found and since <= found[-1]:
            found[-1] = max(found[-1], until)
        else:
            found.append(until)
    return found


@dataclass(frozen=True, slots=True)
class _Starts:
    """Starts of pods, ascending; of each, who it is and where the next of somebody else is."""

    times: Sequence[int]
    whose: Sequence[Holder]
    other: Sequence[int | None]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "_Starts":
        said = sorted({(row["since"], holder(row)) for row in rows}, key=_order)
        other: list[int | None] = [None] * len(said)
        for at in range(len(said) - 2, -1, -1):
            differs = said[at][1] != said[at + 1][1]
            other[at] = said[at + 1][0] if differs else other[at + 1]
        return cls([time for time, _ in said], [who for _, who in said], other)

    def after(self, who: Holder, since: int) -> int | None:
        """Return when the next pod of another name begins."""
        at = bisect_right(self.times, since)
        if at == len(self.times):
            return None
        return self.times[at] if self.whose[at] != who else self.other[at]


def _order(said: tuple[int, Holder]) -> tuple[int, str]:
    """Return what starts are sorted by: names may be untold."""
    return said[0], repr(said[1])


def _next(times: Sequence[int], since: int) -> int | None:
    at = bisect_right(times, since)
    return times[at] if at < len(times) else None


def _least(times: Iterable[int | None]) -> int | None:
    return min((time for time in times if time is not None), default=None)
