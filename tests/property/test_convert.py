"""What is written means what was read: compile, write, compile again, over random objects.

Seeds are fixed, so a run is the same everywhere. `CLOISON_CONVERSIONS` asks for more worlds.
"""

import os
import random
from collections import Counter

import pytest
import yaml

from cloison.app.convert import Conversion
from cloison.base import Severity
from cloison.ir.caveats import POD_ADDRESS_UNKNOWN
from cloison.ir.peers import NodesMatch, plain_matches
from tests.oracle.raw import Manifest
from tests.support.adminpolicies import AdminMaker, Seen
from tests.support.calicopolicies import CalicoMaker
from tests.support.texts import convert_texts
from tests.support.worlds import random_world

WORLDS = int(os.environ.get("CLOISON_CONVERSIONS", "8"))
CHUNKS = 4
FROM = {
    "networkpolicy": ("calico@3.32", ("calico", "clusternetworkpolicy")),
    "adminpolicy": ("calico@3.32", ("calico", "networkpolicy")),
    "old": ("calico@3.31", ("calico", "networkpolicy")),
    "both": ("generic", ("clusternetworkpolicy",)),
    "calico": ("calico@3.32", ("clusternetworkpolicy", "networkpolicy")),
    "mixed": ("calico@3.32", ("calico", "clusternetworkpolicy", "networkpolicy")),
}
"""For each kind of source who enforces it, and what it is written in."""

KINDS = {
    "adminpolicy": ("ClusterNetworkPolicy",),
    "old": ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy"),
    "both": ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"),
}


def objects(kind: str, seed: int) -> list[Manifest]:
    """Return a world with policies of a kind."""
    rng = random.Random(seed)
    found = random_world(rng)
    if kind in ("old", "both", "calico"):
        found = [each for each in found if each["kind"] != "NetworkPolicy"]
    if kind in KINDS:
        maker = AdminMaker(Seen(found), rng, domains=False)
        return found + maker.policies(3, KINDS[kind])
    if kind in ("calico", "mixed"):
        return found + CalicoMaker(Seen(found), rng).objects(3)
    return found


def by_node(found: Conversion) -> bool:
    """Return whether a policy names nodes: their addresses of today are not all there is."""
    policies = found.before.policies.policies
    matches = (
        m for p in policies for r in p.rules for x in r.peers for m in plain_matches(x.match)
    )
    return any(isinstance(match, NodesMatch) for match in matches)


def different(found: Conversion) -> list[str]:
    """Return the edges that differ, but for those that rest on addresses nobody knows."""
    return [
        f"{change.src.name or change.src.addresses} -> {change.dst.name or change.dst.addresses}"
        f" - {change.lost} + {change.gained}"
        for change in found.difference
        if POD_ADDRESS_UNKNOWN not in (*change.shift.before.caveats, *change.shift.after.caveats)
    ]


@pytest.mark.parametrize("kind", FROM)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_is_written_means_what_was_read(kind: str, chunk: int) -> None:
    profile, languages = FROM[kind]
    for seed in range(chunk, WORLDS, CHUNKS):
        text = yaml.safe_dump_all(objects(kind, seed))
        for to in languages:
            for snapshot in (False, True):
                found = convert_texts({"in.yaml": text}, to=to, profile=profile, snapshot=snapshot)
                # What stays may be of a kind that who enforces the other language leaves alone.
                stays = found.profile.name != profile and found.left
                if not found.texts or stays or (by_node(found) and snapshot):
                    continue
                where = f"seed {seed} to {to}, {snapshot=}"
                said = [d for d in found.after.diagnostics if d.severity is Severity.ERROR]
                assert not said, where
                assert not different(found), where


def test_enough_is_written() -> None:
    written: Counter[tuple[str, str]] = Counter()
    for kind, (profile, languages) in FROM.items():
        for seed in range(WORLDS // 2):
            text = yaml.safe_dump_all(objects(kind, seed))
            for to in languages:
                found = convert_texts({"in.yaml": text}, to=to, profile=profile, snapshot=True)
                written[kind, to] += len(found.texts)
    few = {key for key in written if written[key] < WORLDS // 8}
    assert few <= {("adminpolicy", "networkpolicy"), ("old", "networkpolicy")}


def test_writing_again_gives_the_same_bytes() -> None:
    for kind, (profile, languages) in FROM.items():
        made = objects(kind, 7)
        for to in languages:
            turned = [made, list(reversed(made))]
            first, second = (
                convert_texts({"in.yaml": yaml.safe_dump_all(each)}, to=to, profile=profile)
                for each in turned
            )
            assert sorted(first.texts) == sorted(second.texts)
