"""What was promised, beside what was measured."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.results import READY, Results, doctor_growth, growth
from benchmarks.scenarios import EXAMINED, MANY, REPLAYED
from benchmarks.worlds import WORLDS

MISSED = 2
"""How many targets may be missed."""
FACTOR = 2.0
"""By how much at most."""


@dataclass(frozen=True, slots=True)
class Target:
    """A promise.

    Args:
        what: What is promised, for people.
        most: The largest value that keeps it.
        unit: `s`, `B`, or `n^` for an exponent.
        take: Finds the value in what was measured; None where it was not.
    """

    what: str
    most: float
    unit: str
    take: Callable[[Results], float | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A promise, and what became of it.

    Args:
        target: The promise.
        value: What was measured, if it was.
    """

    target: Target
    value: float | None

    @property
    def met(self) -> bool:
        """Whether it was measured and kept."""
        return self.value is not None and self.value <= self.target.most

    @property
    def factor(self) -> float:
        """How many times the largest value it is."""
        return 0.0 if self.value is None else self.value / self.target.most

    def __str__(self) -> str:
        """Say what became of it."""
        if self.value is None:
            return "not measured"
        return "met" if self.met else f"missed by a factor of {self.factor:.2f}"


def _ready_cpu(results: Results) -> float | None:
    found = results.one("ready", world="indexed", size=WORLDS["indexed"].full)
    return found.cpu(*READY) if found else None


def _ready_memory(results: Results) -> float | None:
    found = results.one("ready", world="indexed", size=WORLDS["indexed"].full)
    return found.peak if found else None


def _why(results: Results) -> float | None:
    found = results.one("ready", world="indexed", size=WORLDS["indexed"].full)
    return found.phases["why"].wall if found and "why" in found.phases else None


def _classes(results: Results) -> float | None:
    size = WORLDS["company"].full
    found = results.one("all-pairs", world="company", size=size, who="engine")
    return found.wall("all pairs") if found else None


def _what_if(results: Results) -> float | None:
    found = results.one("what-if", world="indexed", size=WORLDS["indexed"].full)
    return found.wall("what-if") if found else None


def _grows(by: str) -> Callable[[Results], float | None]:
    def take(results: Results) -> float | None:
        if results.smoke:
            return None
        found = [
            growth(by, points) for line, points in results.lines() if line.startswith(f"{by}|")
        ]
        known = [each for each in found if each is not None]
        return max(known, default=None)

    return take


def _from_disk(name: str) -> Callable[[Results], float | None]:
    def take(results: Results) -> float | None:
        if results.smoke:
            return None
        for each in results.all("read-ready"):
            if str(each.step.arguments["path"]).endswith(name) and each.found.phases:
                return each.found.wall(*READY)
        return None

    return take


def _doctor(results: Results) -> float | None:
    found = results.one("doctor", workloads=EXAMINED)
    return found.cpu("doctor") if found else None


def _doctor_growth(results: Results) -> float | None:
    return None if results.smoke else doctor_growth(results)


def _replay(results: Results) -> float | None:
    found = results.one("replay", world="company", size=MANY, flows=REPLAYED)
    return found.wall("replay") if found else None


def _started(phase: str) -> Callable[[Results], float | None]:
    def take(results: Results) -> float | None:
        found = results.one("startup")
        return found.wall(phase) if found else None

    return take


TARGETS = (
    Target("25k namespaces, 100k pods, 75k policies ready, CPU", 4, "s", _ready_cpu),
    Target("the same, peak memory", 1.5e9, "B", _ready_memory),
    Target("a `why` after that, median", 1e-3, "s", _why),
    Target("all pairs of the 5 000-workload company", 3, "s", _classes),
    Target("what-if of one policy at 100k pods, median", 20e-3, "s", _what_if),
    Target("growth in pods", 1.1, "n^", _grows("pods")),
    Target("growth in policies", 1.1, "n^", _grows("policies")),
    Target("`cloison --help`", 0.150, "s", _started("help")),
    Target("`cloison why` on a small directory", 0.400, "s", _started("why")),
    Target("`doctor` of 2 000 workloads under 300 policies, CPU", 4, "s", _doctor),
    Target("growth of that in workloads", 1.15, "n^", _doctor_growth),
    Target("a million flows between any of 2 000 workloads judged", 2, "s", _replay),
    Target("400 MB of pod JSON ready", 15, "s", _from_disk("/pods.json")),
    Target("20 MB of YAML ready", 6, "s", _from_disk("/manifests")),
)


def judged(results: Results) -> list[Judged]:
    """Return every target with what was measured."""
    return [Judged(target, target.take(results)) for target in TARGETS]


def kept(found: list[Judged], *, whole: bool = False) -> bool:
    """Return whether as many were met as have to be, and the others nearly.

    Args:
        found: Every target.
        whole: Whether everything was measured; a target without a figure is then missed.
    """
    missed = [each for each in found if not each.met and (whole or each.value is not None)]
    near = all(each.value is not None and each.factor <= FACTOR for each in missed)
    return len(missed) <= MISSED and near
