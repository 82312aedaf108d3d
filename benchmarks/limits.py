"""What a short run must show: ratios of figures of that run, never seconds.

Each limit is far from what is usual, so that a busy machine passes and a gross regression does
not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.results import (
    READY,
    Results,
    doctor_growth,
    drift_growth,
    examined,
    growth,
    shadow_growth,
)
from benchmarks.worlds import WORLDS


@dataclass(frozen=True, slots=True)
class Checked:
    """One ratio, and its limit.

    Args:
        what: What is compared, for people.
        value: The ratio, or the exponent.
        most: The largest that passes.
    """

    what: str
    value: float
    most: float

    @property
    def passed(self) -> bool:
        """Whether it is within its limit."""
        return self.value <= self.most


_STEEP = 1.35
"""Growth that cannot be told from n^1.1 for certain, in small worlds on a busy machine."""
_RATIOS = {"pair loop": 0.5, "oracle": 0.1}
"""How much of a baseline's time the engine may take for all pairs of a small company."""


def checked(results: Results) -> Iterator[Checked]:
    """Iterate over what can be checked of what was measured."""
    flows = (_drifted, _cast)
    for check in (_startup, _growths, _pairs, _answers, _changes, _files, _examined, *flows):
        yield from check(results)


def _startup(results: Results) -> Iterator[Checked]:
    found = results.one("startup")
    if found:
        least = found.phases["click"].cpu
        yield Checked("cloison --help : import click", found.phases["help"].cpu / least, 3)
        yield Checked(
            "cloison why on an example : import click", found.phases["why"].cpu / least, 16
        )


def _growths(results: Results) -> Iterator[Checked]:
    for line, points in results.lines():
        by, world, what = line.split("|")
        found = growth(by, points)
        if found is not None:
            yield Checked(f"growth in {by}, {world}, {what}: exponent", found, _STEEP)


def _pairs(results: Results) -> Iterator[Checked]:
    for world in WORLDS:
        engine = results.one("all-pairs", world=world, who="engine")
        for who, most in _RATIOS.items():
            other = results.one("all-pairs", world=world, who=who)
            if engine and other and results.smoke:
                ratio = engine.cpu("all pairs") / other.cpu("all pairs")
                yield Checked(f"all pairs of {world}, engine : {who}", ratio, most)


def _answers(results: Results) -> Iterator[Checked]:
    """A question costs a fraction of getting ready, however large the world.

    Not where every policy has a say in every answer: each of them is told.
    """
    for each in results.all("ready"):
        world = each.step.arguments["world"]
        if "why" in each.found.phases and world != _TOLD_AT_LENGTH:
            ratio = each.found.phases["why"].cpu / each.found.cpu(*READY)
            yield Checked(f"why : ready, {world}", ratio, 0.1)


_TOLD_AT_LENGTH = "crowded"


def _changes(results: Results) -> Iterator[Checked]:
    for each in results.all("what-if"):
        phases = each.found.phases
        if "what-if" in phases:
            ratio = phases["what-if"].cpu / each.found.cpu(*READY)
            yield Checked(f"what-if : ready, {each.step.arguments['world']}", ratio, 0.15)


def _examined(results: Results) -> Iterator[Checked]:
    """An examination takes about what its calls take one by one, and grows as they do."""
    for each in examined(results)[-1:]:
        ratio = each.cpu("doctor") / each.cpu("whys")
        yield Checked("doctor : why of each of its calls", ratio, 2)
    found = doctor_growth(results)
    if found is not None:
        yield Checked("growth in workloads, doctor: exponent", found, _STEEP)


def _drifted(results: Results) -> Iterator[Checked]:
    """Twelve checks of a month take a few times what a plain look at each hour takes."""
    for each in [*results.all("drift")][-1:]:
        if each.found.phases:
            ratio = each.found.cpu("drift") / each.found.cpu("hour by hour")
            yield Checked("drift : a look at each edge in each hour", ratio, 5)
    found = drift_growth(results)
    if found is not None:
        yield Checked("growth in edges, drift: exponent", found, _STEEP)


def _cast(results: Results) -> Iterator[Checked]:
    """What would be denied and all that changes take a few times what bare verdicts take."""
    for each in [*results.all("shadow")][-1:]:
        if each.found.phases:
            ratio = each.found.cpu("shadow") / each.found.cpu("one by one")
            yield Checked("shadow : a question for each edge", ratio, 6)
    found = shadow_growth(results)
    if found is not None:
        yield Checked("growth in edges, shadow: exponent", found, _STEEP)


def _files(results: Results) -> Iterator[Checked]:
    """What is read from files takes some times what a parser alone takes."""
    for each in results.all("read-ready"):
        path = each.step.arguments["path"]
        plain = results.one("parsed", path=path)
        if plain and each.found.phases:
            ratio = each.found.cpu(*READY) / plain.cpu("parse")
            most = 3 if str(path).endswith(".json") else 4
            yield Checked(f"ready : parsed, {str(path).rpartition('/')[2]}", ratio, most)
