"""Cilium's objects come back from their own text as they were."""

import io
import random
from collections import Counter

import yaml

from cloison.dialects.cilium import model
from cloison.dialects.cilium.decode import decode
from cloison.resources.documents import Document
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool
from cloison.sources import read
from tests.support.ciliumpolicies import cilium_world
from tests.support.worlds import random_world
from tests.support.written.cilium import to_yaml

WORLDS = 25


def _read(text: str) -> object:
    (document,) = read(["-"], stdin=io.BytesIO(text.encode()))
    assert isinstance(document, Document)
    found, _ = decode(document, ReadOptions(), Pool())
    return found


def test_what_is_written_is_what_was_read() -> None:
    seen: Counter[str] = Counter()
    for seed in range(WORLDS):
        rng = random.Random(seed)
        for each in cilium_world(rng, random_world(rng), 3).objects:
            if not each["apiVersion"].startswith("cilium.io/"):
                continue
            found = _read(yaml.safe_dump(each))
            if isinstance(found, model.Policy | model.CiliumCIDRGroup):
                assert _read(to_yaml(found)) == found, seed
                seen[found.kind] += 1
    assert len(seen) == 3
    assert seen.total() > WORLDS
