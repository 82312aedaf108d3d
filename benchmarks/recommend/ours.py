"""What `cloison recommend` says of a world, from flows and manifests alone."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.recommend.score import Edge, Recommended, day
from benchmarks.recommend.worlds import World
from cloison.analyses.past.link import Link
from cloison.app.recommend import Wish, recommend
from cloison.flows.generator.model import Place


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
    questions = (each for one in found.fused.questions for each in one.links)
    asked = frozenset(_edges(questions, _places(world)))
    # What is unseen of each workload counts by how much it does.
    estimates = [each.estimate for each in found.readiness]
    does = sum(each.incidences for each in estimates)
    unseen = (
        sum((each.unseen or 0.0) * each.incidences for each in estimates) / does if does else None
    )
    return Recommended([each.text for each in found.result.files], asked, unseen)


def _places(world: World) -> Mapping[str, str]:
    """Return what a world calls its ends outside, by their addresses and DNS names."""
    ends = (end for call in world.plan.calls for end in (call.src, call.dst))
    places = {end for end in ends if isinstance(end, Place)}
    called = {each: (each.dns or each.name, f"dns:{each.dns}") for each in places}
    return {said: each.name for each in places for said in (*each.ips, *called[each])}


def _edges(links: Iterable[Link], places: Mapping[str, str]) -> Iterable[Edge]:
    for each in links:
        source, destination = (places.get(e, e) for e in (each.key.source, each.key.destination))
        yield source, destination, each.key.protocol, each.key.port
