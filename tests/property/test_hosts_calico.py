"""The engine and the raw oracle give one answer about hosts and what they forward.

Seeds are fixed, so a run is the same everywhere. `CLOISON_FLOWS` asks for more flows.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest
import yaml

from cloison.app import load_objects
from tests.oracle.raw import End, Manifest
from tests.oracle.raw_hosts import RawHostsOracle
from tests.support.adminpolicies import Seen
from tests.support.calicohosts import FAILSAFE_PORTS, HostMaker
from tests.support.calicopolicies import CalicoMaker
from tests.support.chances import chance, pick
from tests.support.worlds import Flow, FlowMaker, random_world

DEFAULT_FLOWS = 1_200
FLOWS_PER_WORLD = 25
CHUNKS = 2
WORLDS = -(-max(int(os.environ.get("CLOISON_FLOWS", "0")), DEFAULT_FLOWS) // FLOWS_PER_WORLD)
PROFILES = ("calico@3.32", "calico@3.31")


def samples(seed: int) -> tuple[list[Manifest], list[Flow], str]:
    """Return the world and the flows of a seed, and who enforces there."""
    rng = random.Random(7_000_000 + seed)
    objects = random_world(rng)
    profile = PROFILES[seed % 3 == 2]
    seen = Seen(objects)
    maker = CalicoMaker(seen, rng)
    objects += maker.objects(rng.randint(0, 4))
    nodes = {
        name: [str(a) for a in addresses]
        for name, addresses in FlowMaker(objects).oracle.nodes.items()
    }
    if nodes:
        objects += HostMaker(maker, nodes, rng).objects()
    if chance(rng, 0.4):
        # Versions differ in what tells equal orders apart.
        for each in objects:
            if "order" in each.get("spec", {}) and each["kind"] != "Tier":
                each["spec"] |= {"order": 1000, "tier": "default"}
    rng.shuffle(objects)
    return objects, list(_flows(objects, rng)), profile


def _flows(objects: list[Manifest], rng: random.Random) -> Iterator[Flow]:
    maker = FlowMaker(objects)
    left = FLOWS_PER_WORLD
    while left:
        one, other = (_end(maker, rng) for _ in range(2))
        families = maker.of(one) & maker.of(other)
        if not families or one == other or (one[0] == "ip" and other[0] == "ip"):
            continue
        family = rng.choice(sorted(families))
        protocol, port = maker.traffic(rng, family, other)
        if chance(rng, 0.15):
            protocol, port = rng.choice(FAILSAFE_PORTS)
        if port is not None:
            yield Flow(one, other, protocol, port, family)
            left -= 1


def _end(maker: FlowMaker, rng: random.Random) -> End:
    kind = pick(rng, [(5, "pod"), (5, "node"), (4, "ip")])
    if kind == "ip" or (kind == "node" and not maker.nodes):
        return ("ip", str(rng.choice(maker.outside)))
    return rng.choice(maker.pods if kind == "pod" else maker.nodes)


def unclear(raw: RawHostsOracle, flow: Flow) -> bool:
    """Return whether it depends on what is not known how a flow is judged.

    The oracle tries every case, and is sure where all come to the same; the engine need not be.
    """
    ends = [raw.party(end) for end in (flow.src, flow.dst)]
    several = any(len(raw.in_question(end.node)) > 1 for end in ends if end.node)
    return several or any(not end.node for end in ends if end.pod or end.on_node)


def disagreements(seed: int) -> Iterator[str]:
    """Yield a reproduction for every flow of a seed that the two do not answer alike."""
    objects, flows, profile = samples(seed)
    raw = RawHostsOracle(objects, old=profile.endswith("3.31"))
    session = load_objects(objects, profile=profile)
    for flow in flows:
        answers = {
            "raw manifests": raw.verdict(flow.src, flow.dst, flow.protocol, flow.port, flow.family),
            "engine": str(session.verdict(*flow.question())),
        }
        if answers["engine"] == "undetermined" and unclear(raw, flow):
            continue
        if len(set(answers.values())) > 1:
            yield f"seed {seed}, {profile}, {flow}: {answers}\n{yaml.safe_dump_all(objects)}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_engine_and_oracle_agree(chunk: int) -> None:
    for seed in range(chunk, WORLDS, CHUNKS):
        wrong = list(disagreements(seed))
        assert not wrong, "\n".join([f"{len(wrong)} flow(s) of one world differ", wrong[0]])


def test_flows_meet_every_setting_and_verdict() -> None:
    verdicts: Counter[str] = Counter()
    decisive: Counter[str] = Counter()
    kinds = ("HostEndpoint", "FelixConfiguration", "Profile")
    flags = ("applyOnForward", "preDNAT", "doNotTrack")
    for seed in range(DEFAULT_FLOWS // FLOWS_PER_WORLD):
        objects, flows, profile = samples(seed)
        old = profile.endswith("3.31")
        others = {kind: [o for o in objects if o["kind"] != kind] for kind in kinds}
        others |= {f: [o for o in objects if not o.get("spec", {}).get(f)] for f in flags}
        oracles = {name: RawHostsOracle(some, old=old) for name, some in others.items()}
        oracles["version"] = RawHostsOracle(objects, old=not old)
        oracle = RawHostsOracle(objects, old=old)
        for flow in flows:
            asked = (flow.src, flow.dst, flow.protocol, flow.port, flow.family)
            answer = oracle.verdict(*asked)
            verdicts[answer] += 1
            for name, without in oracles.items():
                decisive[name] += without.verdict(*asked) != answer
    assert min(verdicts[v] for v in ("allowed", "denied", "undetermined")) > 50
    assert min(decisive[name] for name in (*kinds, *flags, "version")) > 0
