"""What `cloison recommend` says of a world, from flows and manifests alone."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.recommend.score import Edge, Recommended, day
from benchmarks.recommend.worlds import World
from cloison.analyses.past.link import Link
from cloison.app.recommend import Wish, recommend


def ours(world: World, store: Path, until: int) -> Recommended:
    """Return the policies for what was seen before a time.

    Args:
        world: The world; its contract, if it has one, is not shown.
        store: The store.
        until: Only flows before it count.
    """
    wish = Wish(
        "networkpolicy",
        day(until),
        store=store,
        span=(None, until),
        namespaces=world.namespaces,
    )
    found, _, _ = recommend(world.before, wish)
    asked = frozenset(_edges(each for one in found.fused.questions for each in one.links))
    # What is unseen of each workload counts by how much it does.
    estimates = [each.estimate for each in found.readiness]
    does = sum(each.incidences for each in estimates)
    unseen = (
        sum((each.unseen or 0.0) * each.incidences for each in estimates) / does if does else None
    )
    return Recommended([each.text for each in found.result.files], asked, unseen)


def _edges(links: Iterable[Link]) -> Iterable[Edge]:
    for each in links:
        key = each.key
        yield key.source, key.destination, key.protocol, key.port
