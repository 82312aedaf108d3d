"""What a measurement is, and the clocks it is taken with."""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_LEAST, _LONG = 20, 60.0
"""Of how many calls a median is taken, and after how many seconds there are no more than that."""
_STATUS = Path("/proc/self/status")
_FORGET = Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Phase:
    """What one part took.

    Args:
        cpu: Seconds of processor time of all threads.
        wall: Seconds.
        calls: Of how many calls these are the medians; 1 where it was done once.
        worst: The longest of those calls, in seconds.
    """

    cpu: float
    wall: float
    calls: int = 1
    worst: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process found.

    Args:
        phases: By name, in the order they were gone through.
        facts: Numbers of what was there, by name: pods, policies, pairs.
        before: Bytes that were resident when the first phase began: the interpreter, what was
            imported, and the input where that is given as values.
        peak: The most that was resident at once, in bytes.
        failed: Why there is nothing of all this, though there should be.
        skipped: Why there is nothing of all this, and need not be.
    """

    phases: dict[str, Phase] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    before: int = 0
    peak: int = 0
    failed: str = ""
    skipped: str = ""

    def cpu(self, *names: str) -> float:
        """Return the processor seconds of some phases together."""
        return sum(self.phases[name].cpu for name in names)

    def wall(self, *names: str) -> float:
        """Return the seconds of some phases together."""
        return sum(self.phases[name].wall for name in names)


@dataclass
class Meter:
    """Takes measurements, one after the other, in one process."""

    phases: dict[str, Phase] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    before: int = 0
    peak: int = 0

    def begin(self) -> None:
        """Forget the peak so far: what comes from here on is what is measured."""
        if _FORGET.exists():
            # Linux takes a 5 for: let the largest size so far be the size now.
            _FORGET.write_text("5")
        self.before = peak()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time what happens inside, and take note of the peak."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        self.phases[name] = Phase(cpu, wall)
        self.peak = peak()

    def median(self, name: str, call: Callable[[T], object], arguments: Iterable[T]) -> None:
        """Time a call with each of some arguments, or with as many as a minute allows."""
        cpus: list[float] = []
        walls: list[float] = []
        for each in arguments:
            if len(walls) >= _LEAST and sum(walls) > _LONG:
                break
            wall, cpu = time.perf_counter(), time.process_time()
            call(each)
            cpus.append(time.process_time() - cpu)
            walls.append(time.perf_counter() - wall)
        middle = statistics.median
        self.phases[name] = Phase(middle(cpus), middle(walls), len(walls), max(walls))
        self.peak = peak()

    def done(self) -> Measured:
        """Return what was measured."""
        return Measured(self.phases, self.facts, self.before, self.peak)


def peak() -> int:
    """Return the largest resident size of this process so far, in bytes."""
    if _STATUS.exists():
        # Unlike `ru_maxrss` this does not count what the process was before it became this one.
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
