"""What is measured, in which order, and how large."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import Step
from benchmarks.worlds import WORLDS


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes.

    Args:
        smoke: Whether small worlds are enough.
        folder: Where files may be written.
    """

    smoke: bool
    folder: Path


def ready(plan: Plan) -> Iterator[Step]:
    """Every world, from decoded objects to answers."""
    for world in WORLDS.values():
        size = world.small if plan.smoke else world.full
        asked = {"whys": 500, "sampled": 100}
        if plan.smoke or world.name == "crowded":
            # There every answer tells of every policy.
            asked = {"whys": 50, "sampled": 40}
        yield Step("ready", "ready", {"world": world.name, "size": size, **asked})


_PAIRS = {"pair loop": 20_000, "oracle": 100}
"""Of how many pairs the time for all is worked out, for those that go from pair to pair."""


def all_pairs(plan: Plan) -> Iterator[Step]:
    """Everybody to everybody, by the engine and by the baselines."""
    worlds = {"company": 50, "adversarial": 60} if plan.smoke else dict.fromkeys(WORLDS, 0)
    for name, small in worlds.items():
        world = WORLDS[name]
        size = small if plan.smoke else _SMALLER.get(name, world.full)
        sampled = 100 if plan.smoke else 200
        for who in ("engine", "bit matrix", "pair loop", "oracle"):
            pairs = _PAIRS.get(who, 0)
            if plan.smoke:
                # Every pair, so that all can be counted; the oracle's are too many.
                pairs = 300 if who == "oracle" else 0
            elif name in _CROWDED and pairs:
                pairs = 20
            arguments = {
                "world": name,
                "size": size,
                "who": who,
                "pairs": pairs,
                "sampled": 40 if name in _CROWDED or name == "indexed" else sampled,
            }
            yield Step("all-pairs", "all-pairs", arguments)


_SMALLER = {"adversarial": 300}
"""Where everybody is told apart from everybody, there is more to be found than pairs."""

_CROWDED = ("dense", "crowded")
"""Worlds in which a single pair is long work for who goes from pair to pair."""


def what_if(plan: Plan) -> Iterator[Step]:
    """One changed policy, many times."""
    for name in ("indexed", "company", "dense"):
        world = WORLDS[name]
        size = world.small if plan.smoke else world.full
        changes = {"changes": 20, "sampled": 20} if plan.smoke else {"changes": 100, "sampled": 40}
        yield Step("what-if", "what-if", {"world": name, "size": size, **changes})


PODS, POLICIES = "pods", "policies"


def growth(plan: Plan) -> Iterator[Step]:
    """The same worlds in several sizes."""
    base = 100 if plan.smoke else 1_000
    for pods in (4, 8, 16, 32) if plan.smoke else (8, 16, 32, 64):
        shape = {"pods": pods, "policies": 3}
        yield _point("namespaces and policies fixed", PODS, "indexed", base, shape)
    for policies in (4, 8, 16, 32) if plan.smoke else (8, 16, 32, 64):
        shape = {"pods": 4, "policies": policies}
        yield _point("namespaces and pods fixed", POLICIES, "indexed", base, shape)
    for name, most in (("indexed", 1000), ("dense", 1000), ("company", 320)):
        largest = most if plan.smoke else WORLDS[name].full
        for part in (8, 4, 2, 1):
            yield _point("all of it", PODS, name, largest // part)


def _point(
    what: str, by: str, world: str, size: int, shape: Mapping[str, int] | None = None
) -> Step:
    arguments = {"world": world, "size": size, "shape": dict(shape) if shape else None}
    return Step("growth", "ready", arguments, f"{by}|{world}|{what}")


def disk(plan: Plan) -> Iterator[Step]:
    """From files to answers."""
    for name, form, full, small, indent in (
        ("pods.json", "json", 400, 12, None),
        ("kubectl.json", "json", 400, 12, 4),
        ("manifests", "yaml", 20, 1, None),
    ):
        path = {"path": str(plan.folder / name)}
        megabytes = small if plan.smoke else full
        written = {**path, "form": form, "megabytes": megabytes, "indent": indent}
        yield Step("disk", "write", written)
        for measure in ("parsed", "read"):
            yield Step("disk", measure, path)
        yield Step("disk", "read-ready", {**path, "sampled": 20})


def startup(plan: Plan) -> Iterator[Step]:
    """Commands that have little to do."""
    yield Step("startup", "startup", {"runs": 5 if plan.smoke else 21})


EXAMINED = 2_000
"""Workloads of the estate that a target is about."""


def doctor(plan: Plan) -> Iterator[Step]:
    """An examination of estates of several sizes."""
    largest = 400 if plan.smoke else 2 * EXAMINED
    for part in (8, 4, 2, 1):
        yield Step("doctor", "doctor", {"workloads": largest // part})


DRIFTING = 2_000
"""Workloads of the estate of which flows are looked at."""


def drift(plan: Plan) -> Iterator[Step]:
    """A month of flows of estates of several sizes, held against what is meant."""
    largest, days = (200, 10) if plan.smoke else (DRIFTING, 30)
    for part in (8, 4, 2, 1):
        yield Step("drift", "drift", {"workloads": largest // part, "days": days})


def shadow(plan: Plan) -> Iterator[Step]:
    """A day of flows of estates of several sizes, judged by the policies of these."""
    largest = 200 if plan.smoke else DRIFTING
    for part in (8, 4, 2, 1):
        yield Step("shadow", "shadow", {"workloads": largest // part})


REPLAYED = 1_000_000
"""Flows that a target is about."""
MANY = 2_000
"""Workloads between which they go, each to any other: recorded ones know far fewer."""


def replay(plan: Plan) -> Iterator[Step]:
    """Verdicts on many recorded flows."""
    most = 20_000 if plan.smoke else 2 * REPLAYED
    sizes = (WORLDS["company"].small,) if plan.smoke else (MANY, WORLDS["company"].full)
    for size in sizes:
        for flows in (most // 4, most // 2, most):
            arguments = {"world": "company", "size": size, "flows": flows, "alone": 1_000}
            yield Step("replay", "replay", arguments)


def peers(plan: Plan) -> Iterator[Step]:
    """Other analyzers, where they are installed, on a company they can manage."""
    sizes = (20,) if plan.smoke else (20, 100, 400)
    for size in sizes:
        for who in ("cloison", "netpol-analyzer", "nca"):
            arguments = {"who": who, "size": size, "folder": str(plan.folder)}
            yield Step("peers", "peer", arguments, limit=600)


SCENARIOS: Mapping[str, Callable[[Plan], Iterator[Step]]] = {
    "startup": startup,
    "ready": ready,
    "all-pairs": all_pairs,
    "what-if": what_if,
    "growth": growth,
    "disk": disk,
    "doctor": doctor,
    "drift": drift,
    "shadow": shadow,
    "replay": replay,
    "peers": peers,
}
"""By name, in the order they are run."""
