"""To Cilium and back: what is written means what was read, over random objects.

Seeds are fixed. `CLOISON_CONVERSIONS` asks for more worlds.
"""

import os
import random
from collections.abc import Iterable

import pytest
import yaml

from cloison.analyses.diff import Diff
from cloison.base import Severity
from cloison.ir.caveats import POD_ADDRESS_UNKNOWN
from tests.property.test_convert import by_node, objects
from tests.support.apart import alike
from tests.support.ciliumpolicies import cilium_world
from tests.support.texts import convert_texts
from tests.support.worlds import random_world

WORLDS = int(os.environ.get("CLOISON_CONVERSIONS", "4"))
CHUNKS = 2
FROM = (
    ("networkpolicy", "cilium@1.19"),
    ("networkpolicy", "calico@3.32"),
    ("adminpolicy", "cilium@1.20"),
    ("mixed", "calico@3.32"),
)
"""What is written as Cilium's, and who enforces it."""


def told(found: Diff) -> list[str]:
    """Return the edges that differ, but for those that rest on addresses nobody knows."""
    return [
        f"{change.src} -> {change.dst} - {change.lost} + {change.gained}"
        for change in found
        if POD_ADDRESS_UNKNOWN not in (*change.shift.before.caveats, *change.shift.after.caveats)
    ]


def seeds(chunk: int) -> Iterable[int]:
    """Return the seeds of a chunk."""
    return range(chunk, WORLDS, CHUNKS)


@pytest.mark.parametrize(("kind", "profile"), FROM)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_to_cilium(kind: str, profile: str, chunk: int) -> None:
    for seed in seeds(chunk):
        text = yaml.safe_dump_all(objects(kind, seed))
        found = convert_texts({"in.yaml": text}, to="cilium", profile=profile)
        elsewhere = found.profile.name != profile
        if not found.texts or (elsewhere and (found.left or by_node(found))):
            continue
        said = [d for d in found.after.diagnostics if d.severity is Severity.ERROR]
        assert not said, seed
        assert not told(alike(found) if elsewhere else found.difference), seed


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("snapshot", [False, True])
def test_from_cilium(chunk: int, *, snapshot: bool) -> None:
    for seed in seeds(chunk):
        rng = random.Random(seed)
        world = cilium_world(rng, random_world(rng), 3)
        found = convert_texts(
            {"in.yaml": yaml.safe_dump_all(world.objects)},
            to="networkpolicy",
            profile=world.profile,
            snapshot=snapshot,
            cilium=world.switches,
        )
        assert not told(found.difference), seed


def test_enough_is_written() -> None:
    for kind, profile in FROM:
        texts = [
            text
            for seed in range(2)
            for text in convert_texts(
                {"in.yaml": yaml.safe_dump_all(objects(kind, seed))}, to="cilium", profile=profile
            ).texts
        ]
        assert len(texts) > 1, kind
