"""What a stream has told already, so that one that breaks can go on: nothing lost, nothing twice.

Each node keeps its newest flows in a ring, and is asked for those since a time. Flows of one node
come about in order, those of several do not, and their clocks differ. So each node has a time of
its own here, and a new stream begins before the oldest of them; what is told again is left out, as
often as it was told before, for two flows without an id may look alike. A node of which nothing was
seen yet is asked since the same time: its clock may be behind by less than `OVERLAP`. Where all
that a node still holds is wanted, the stream is asked once more, from the beginning, for a node
that was not known when it began.
"""

import time as clock
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from cloison.flows.schema import BROKEN_OFF, Coverage

OVERLAP: Final = 10_000_000_000
"""Nanoseconds before a node's newest flow since when it is asked again: ten times what Relay waits
to bring flows in order."""

MOST: Final = 200_000
"""Flows that are remembered. With more than that in ten seconds, a stream goes back less."""

NODES: Final = 10_000
"""Nodes that are told apart."""


@dataclass(slots=True)
class Resume:
    """How far a stream is that may break at any time. Times are nanoseconds since 1970.

    Args:
        newest: Time of each node's newest flow.
        floors: Time of each node since when everything is remembered.
        recent: Node, time and key of what was told since then, as it came.
        again: Keys that the new stream may tell again, and how often.
        earlier: Of nodes that an earlier run heard, by their names without the cluster's: the time
            of the newest flow, and the keys of those since `OVERLAP` before it.
        awaited: Nodes of which the new stream has told nothing yet, with their newest flow's time.
        whole: Whether everything is wanted that a node holds, and an earlier run was not told.
        since: Since when the stream was asked.
        back: Since when it is to be asked instead, for a node that it told of without all before.
        most: How many are remembered.
    """

    newest: dict[str, int] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)
    recent: deque[tuple[str | None, int, bytes]] = field(default_factory=deque)
    again: Counter[bytes] = field(default_factory=Counter)
    awaited: dict[str, int] = field(default_factory=dict)
    earlier: dict[str, tuple[int, tuple[bytes, ...]]] = field(default_factory=dict)
    whole: bool = False
    since: int = 0
    back: int | None = None
    most: int = MOST

    def broken(self) -> int | None:
        """Prepare for a new stream; return since when to ask for flows, `None` if none was seen."""
        now = clock.time_ns() + OVERLAP
        for node, time in tuple(self.newest.items()):
            if time > now:
                # A clock that is ahead, or was, says nothing of what is still to come.
                del self.newest[node]
                self.floors.pop(node, None)
                continue
            self.floors[node] = max(self.floors.get(node, 0), time - OVERLAP)
        self.again = Counter(key for _, _, key in self.recent)
        self.awaited = dict(self.newest)
        floors = [*self.floors.values(), *(() if self.back is None else (self.back,))]
        self.back = None
        self.since = min(floors, default=self.since)
        return self.since if floors else None

    def notice(self, time: int, key: bytes) -> bool:
        """Return whether a message that is no flow is new; remember it if so."""
        if self._again(key):
            return False
        self._remember(None, time, key)
        return True

    def flow(self, node: str, time: int, key: bytes) -> tuple[bool, Coverage | None]:
        """Return whether a flow is new, and what may be missing before it.

        Args:
            node: Where it was seen.
            time: When.
            key: What it is known by.
        """
        if node not in self.newest and len(self.newest) >= NODES:
            node = ""
        if node not in self.newest:
            before = self.earlier.get(node.rpartition("/")[2])
            begin = before[0] - OVERLAP if before is not None else 0
            if self.whole and begin < self.since:
                # It may hold more of before, and is asked for all of it in order.
                self.back = begin if self.back is None else min(begin, self.back)
                return False, None
            self._inherit(node)
        if node in self.awaited and time < self.floors[node]:
            return False, None
        if self._again(key):
            # The node's ring still holds what was told before, and all that came after it.
            self.awaited.pop(node, None)
            return False, None
        last = self.awaited.pop(node, time)
        self.newest[node] = max(time, self.newest.get(node, 0))
        self._remember(node, time, key)
        if last >= time:
            return True, None
        name = node.rpartition("/")[2] or None
        return True, Coverage(since=last // 1000, until=time // 1000, node=name, reason=BROKEN_OFF)

    def _inherit(self, node: str) -> None:
        """Go on with a node where an earlier run was."""
        held = self.earlier.pop(node.rpartition("/")[2], None)
        if held is None:
            return
        time, keys = held
        self.newest[node] = self.awaited[node] = time
        self.floors[node] = time - OVERLAP
        for key in keys:
            self._remember(node, time, key)
            self.again[key] += 1

    def _again(self, key: bytes) -> bool:
        if not self.again[key]:
            return False
        self.again[key] -= 1
        return True

    def _remember(self, node: str | None, time: int, key: bytes) -> None:
        self.recent.append((node, time, key))
        while self.recent:
            oldest, when, _ = self.recent[0]
            late = when < self.newest.get(oldest or "", 0) - OVERLAP
            if not late and len(self.recent) <= self.most:
                return
            self.recent.popleft()
            if not late and oldest is not None:
                self.floors[oldest] = max(self.floors.get(oldest, 0), when + 1)
