"""What a run found, and how to find one thing in it."""

import platform
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

import msgspec

from benchmarks.measured import Measured

READY = ("load", "bind")
"""The phases that end with a session that answers at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """One measurement to be taken.

    Args:
        scenario: What it belongs to.
        measure: What is measured.
        arguments: What the measurement is given.
        series: For one point of a line: which line.
        limit: Seconds after which it is given up.
    """

    scenario: str
    measure: str
    arguments: Mapping[str, Any]
    series: str = ""
    limit: float = 900

    def __str__(self) -> str:
        """Render for whoever waits."""
        said = (f"{key} {value}" for key, value in self.arguments.items() if key != "path")
        return f"{self.scenario}: {self.measure} {', '.join(said)}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One measurement, taken."""

    step: Step
    found: Measured


@dataclass(frozen=True, slots=True)
class Machine:
    """What it was taken on."""

    processors: int
    processor: str
    memory: int
    python: str
    load: float
    """How many processes wanted to run, on average over the last minute before the start."""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a run found."""

    machine: Machine
    entries: tuple[Entry, ...]
    smoke: bool = False
    day: str = ""
    version: str = ""
    peers: Mapping[str, str] = field(default_factory=dict)

    @property
    def scenarios(self) -> frozenset[str]:
        """What was measured."""
        return frozenset(each.step.scenario for each in self.entries)

    def all(self, measure: str, **wanted: Any) -> Iterator[Entry]:
        """Iterate over what a measurement found with some arguments."""
        for each in self.entries:
            step = each.step
            if step.measure == measure and all(
                step.arguments.get(k) == v for k, v in wanted.items()
            ):
                yield each

    def one(self, measure: str, **wanted: Any) -> Measured | None:
        """Return what a measurement found with some arguments, if it was taken and went well."""
        for each in self.all(measure, **wanted):
            if each.found.phases and not each.found.failed:
                return each.found
        return None

    def lines(self) -> Iterator[tuple[str, list[Measured]]]:
        """Iterate over the series, each with its points as they were taken."""
        found: dict[str, list[Measured]] = {}
        for each in self.entries:
            if each.step.series and each.found.phases:
                found.setdefault(each.step.series, []).append(each.found)
        yield from found.items()

    @property
    def failures(self) -> list[Entry]:
        """What went wrong."""
        return [each for each in self.entries if each.found.failed]

    def encoded(self) -> bytes:
        """Return it as JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


def decoded(text: bytes) -> Results:
    """Return what `Results.encoded` wrote."""
    return msgspec.json.decode(text, type=Results)


def exponent(points: Iterable[tuple[float, float]]) -> float:
    """Return `k` where the second numbers grow about as the first ones to the power of `k`.

    >>> round(exponent([(1, 5), (2, 20), (4, 80)]), 3)
    2.0
    """
    logs = [(log(size), log(taken)) for size, taken in points]
    sizes, taken = [x for x, _ in logs], [y for _, y in logs]
    return statistics.linear_regression(sizes, taken).slope


def examined(results: "Results") -> list[Measured]:
    """Return what the doctor took for estates, the smallest first."""
    return [each.found for each in results.all("doctor") if each.found.phases]


def doctor_growth(results: "Results") -> float | None:
    """Return how an examination grows with workloads; None for fewer than 3 sizes."""
    points = [(each.facts["workloads"], each.cpu("doctor")) for each in examined(results)]
    return exponent(points) if len(points) >= _SIZES else None


def drift_growth(results: "Results") -> float | None:
    """Return how drift grows with edges; None for fewer than 3 sizes."""
    found = [each.found for each in results.all("drift") if each.found.phases]
    points = [(each.facts["edges"], each.cpu("drift")) for each in found]
    return exponent(points) if len(points) >= _SIZES else None


def shadow_growth(results: "Results") -> float | None:
    """Return how shadow grows with edges; None for fewer than 3 sizes."""
    found = [each.found for each in results.all("shadow") if each.found.phases]
    points = [(each.facts["edges"], each.cpu("shadow")) for each in found]
    return exponent(points) if len(points) >= _SIZES else None


def growth(by: str, points: Sequence[Measured]) -> float | None:
    """Return how the way to readiness grows with pods or policies; None for fewer than 3 sizes."""
    taken = [(each.facts[by], each.cpu(*READY)) for each in points]
    return exponent(taken) if len({size for size, _ in taken}) >= _SIZES else None


_SIZES = 3


def python_version() -> str:
    """Return the name and the version of what runs this."""
    return f"{platform.python_implementation()} {platform.python_version()}"
