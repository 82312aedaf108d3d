"""Exposure against really adding the pods it speaks of, and others like them."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cloison.algebra import ANY, L4, PORT_PROTOCOLS, TrafficSet
from cloison.analyses.connectivity import EndRef, Map, MapOptions
from cloison.analyses.ends import Names
from cloison.analyses.exposure import Exposure, Opening, expose
from cloison.analyses.survey import survey
from cloison.app import Session, load_objects
from cloison.engine import Engine, Networks
from cloison.ir.caveats import LABEL_VALUE_UNKNOWN, NAMED_PORT_UNKNOWN, PODS_NOT_TOLD_APART
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import PodsMatch, plain_matches
from cloison.ir.policy import Direction, PolicySet, TrafficMatch
from cloison.resources.objects import NAMESPACE_NAME_LABEL
from cloison.resources.world import World
from tests.oracle.raw import Manifest
from tests.support.netpols import LABELS, NAMESPACE_LABELS, PORT_NUMBERS
from tests.support.newcomers import Labels, Newcomer, ir_added, ir_newcomers
from tests.support.policies import random_snapshot
from tests.support.richer import rich_snapshot
from tests.support.worlds import random_world

DEFAULT_WORLDS = 40
FLOWS_PER_WORLD = 250
CHUNKS = 4
WORLDS = max(int(os.environ.get("CLOISON_FLOWS", "0")) // FLOWS_PER_WORLD, DEFAULT_WORLDS)
IR_WORLDS = 2 * WORLDS
POD_CIDRS = ((), ("10.2.0.0/16",), ("10.2.1.0/24", "fd00:2::/48"))
LEFT_OPEN = {PODS_NOT_TOLD_APART, LABEL_VALUE_UNKNOWN}
Sets = tuple[TrafficSet, TrafficSet]


def from_regions(rng: random.Random, session: Session, told: Exposure) -> Iterator[Newcomer]:
    """Yield a pod for each of some regions: what the region promises, somebody can be."""
    regions = list(dict.fromkeys(o.region for e in told.exposed for o in e.openings))
    for number, region in enumerate(rng.sample(regions, min(8, len(regions)))):
        home = region.namespaces.example()
        if region.names.complement:
            home[NAMESPACE_NAME_LABEL] = f"new-{number}"
        namespace = home[NAMESPACE_NAME_LABEL]
        if namespace in session.world.namespaces:
            home = dict(session.world.namespaces[namespace].labels)
        assert region.namespaces.matches(home)
        yield Newcomer(f"r{number}", namespace, region.example(), home)


def anybody(rng: random.Random, session: Session) -> Iterator[Newcomer]:
    """Yield pods with labels that policies may look at, here and in new namespaces."""
    homes = session.world.namespaces
    for number in range(8):
        labels = _labels(rng, LABELS)
        if rng.random() < 0.5:
            namespace = rng.choice(sorted(homes))
            home = dict(homes[namespace].labels)
        else:
            namespace = f"fresh-{number}"
            home = {**_labels(rng, NAMESPACE_LABELS), NAMESPACE_NAME_LABEL: namespace}
        port = rng.choice((None, *PORT_NUMBERS, 9999))
        yield Newcomer(f"a{number}", namespace, labels, home, port)


def _labels(rng: random.Random, vocabulary: dict[str, tuple[str, ...]]) -> Labels:
    return {k: rng.choice((*v, "else")) for k, v in vocabulary.items() if rng.random() < 0.6}


def load(objects: list[Manifest], seed: int) -> Session:
    """Load a world; of some it is known where pod addresses come from."""
    return load_objects(objects, profile="generic", pod_cidrs=POD_CIDRS[seed // CHUNKS % 3])


def added(
    objects: list[Manifest], newcomers: list[Newcomer], known: set[str], seed: int
) -> Session:
    more: dict[str, Manifest] = {}
    for newcomer in newcomers:
        for each in newcomer.objects(known):
            meta = each["metadata"]
            more[f"{each['kind']} {meta.get('namespace')}/{meta['name']}"] = each
    return load([*objects, *more.values()], seed)


def openings(
    told: Exposure, newcomer: Newcomer, world: World
) -> dict[tuple[EndRef, Direction], list[Opening]]:
    """Return what exposure says of one pod, by workload and direction."""
    found: dict[tuple[EndRef, Direction], list[Opening]] = {}
    labels = newcomer.asked_of(world)
    for exposed in told.exposed:
        here = [o for o in exposed.openings if o.region.matches(newcomer.home, labels)]
        # What is printed are selectors, and they say the same.
        for o in exposed.openings:
            said = any(
                n.matches(newcomer.home) and p.matches(labels) for n, p in o.region.selectors()
            ) and not any(s.matches(labels) for s in o.region.excepted())
            assert said is (o in here)
        for member in exposed.members:
            found[member, exposed.direction] = here
    return found


def by_map(known: Map, names: set[str]) -> dict[tuple[str, EndRef, Direction], Sets]:
    found = {}
    for edge in known:
        sets = (edge.allowed, edge.undetermined)
        if edge.src.kind == "pod" and edge.src.name in names:
            found[edge.src.name, edge.dst, Direction.INGRESS] = sets
        if edge.dst.kind == "pod" and edge.dst.name in names:
            found[edge.dst.name, edge.src, Direction.EGRESS] = sets
    return found


def union(said: list[Opening], verdict: Verdict, *, by_name: bool = True) -> TrafficSet:
    found = TrafficSet()
    for each in said:
        if each.verdict is verdict and (by_name or NAMED_PORT_UNKNOWN not in each.caveats):
            found |= each.traffic
    return found


NOTHING = TrafficSet()


def check(told: Exposure, after: Session, newcomers: list[Newcomer], seed: int) -> Counter[str]:
    """Compare what was told with what happens, for every newcomer, workload and direction."""
    seen: Counter[str] = Counter()
    truth = by_map(after.map(), {n.name for n in newcomers})
    for newcomer in newcomers:
        said = openings(told, newcomer, after.world)
        for end in told.ends:
            for direction in Direction:
                allowed, undetermined = truth.get((newcomer.name, end, direction), (NOTHING,) * 2)
                here = said.get((end, direction), [])
                surely = union(here, Verdict.ALLOWED)
                perhaps = union(here, Verdict.UNDETERMINED)
                why = f"seed {seed}: {newcomer} {direction} {end}: {here}"
                if newcomer.number is None:
                    assert allowed == surely, why
                    unnamed = union(here, Verdict.UNDETERMINED, by_name=False)
                    assert undetermined == unnamed - surely, why
                else:
                    point = NOTHING
                    for protocol in PORT_PROTOCOLS:
                        point |= TrafficSet.ports(protocol, newcomer.number)
                    passing = allowed | undetermined
                    assert surely <= allowed, why
                    assert passing <= surely | perhaps, why
                    assert passing & point == (surely | perhaps) & point, why
                    seen["named"] += allowed != surely
                seen["allowed"] += bool(surely)
                seen["denied"] += not allowed
                seen["several"] += len(here) > 1
    return seen


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_exposure_is_what_happens_to_pods_that_are_added(chunk: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(chunk, WORLDS, CHUNKS):
        rng = random.Random(seed + 900_000)
        objects = random_world(rng)
        session = load(objects, seed)
        told = session.exposure()
        newcomers = [*from_regions(rng, session, told), *anybody(rng, session)]
        after = added(objects, newcomers, set(session.world.namespaces), seed)
        seen += check(told, after, newcomers, seed)
        seen["regions"] += sum(len(e.openings) for e in told.exposed)
    assert min(seen[k] for k in ("allowed", "denied", "several", "named")) > 3


def test_openings_do_not_repeat_each_other() -> None:
    for seed in range(40):
        told = load_objects(random_world(random.Random(seed)), profile="generic").exposure()
        for exposed in told.exposed:
            for one in exposed.openings:
                for other in exposed.openings:
                    whole = other.traffic == ANY and one.traffic != ANY
                    if one is not other and not whole and set(one.caveats) <= set(other.caveats):
                        repeated = told.homes.covers(one.region, other.region)
                        same = one.verdict in (Verdict.ALLOWED, other.verdict)
                        assert not (repeated and same and one.traffic & other.traffic)


def by_number(policies: PolicySet) -> PolicySet:
    """Return the policies with a number for every port name, so that nothing is left open."""
    number = TrafficMatch(TrafficSet.ports("TCP", 80))
    return replace(
        policies,
        policies=tuple(
            replace(
                p,
                rules=tuple(
                    replace(r, traffic=number) if r.traffic.named or r.traffic.excepted else r
                    for r in p.rules
                ),
            )
            for p in policies.policies
        ),
    )


def looks_into_values(policies: PolicySet) -> bool:
    """Return whether any selector looks into the values of labels."""
    matches = [match for p in policies.policies for match in p.subjects]
    for policy in policies.policies:
        for rule in policy.rules:
            for peer in (*(p.match for p in rule.peers), *(rule.subjects or ())):
                matches += (m for m in plain_matches(peer) if isinstance(m, PodsMatch))
    selectors = [s for m in matches for s in (m.pods, m.namespaces, m.accounts)]
    return any(r.operator.textual for s in selectors for r in s.requirements)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_exposure_is_what_happens_under_policies_of_every_shape(chunk: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(chunk, IR_WORLDS, CHUNKS):
        rng = random.Random(seed + 950_000)
        snapshot = rich_snapshot(rng) if seed % 4 else random_snapshot(rng)
        policies = by_number(snapshot.policies) if seed % 8 < 6 else snapshot.policies
        said = (policies, snapshot.profile, Networks(names=snapshot.names))
        engine = Engine(snapshot.world, *said)
        told = expose(engine, MapOptions(), Names(engine))
        newcomers = ir_newcomers(rng)
        after = Engine(ir_added(snapshot.world, newcomers), *said)
        truth = by_map(survey(after, MapOptions(), Names(after)), {n.name for n in newcomers})
        named = policies is snapshot.policies
        # Of what is left open only TCP, UDP and SCTP are told.
        told_of = L4 if looks_into_values(policies) else ANY
        for newcomer in newcomers:
            here = openings(told, newcomer, after.world)
            for end in told.ends:
                for direction in Direction:
                    found = here.get((end, direction), [])
                    surely = union(found, Verdict.ALLOWED)
                    perhaps = union(found, Verdict.UNDETERMINED)
                    allowed, undetermined = truth.get(
                        (newcomer.name, end, direction), (NOTHING, NOTHING)
                    )
                    why = f"seed {seed}: {newcomer} {direction} {end}: {found}"
                    if any(LEFT_OPEN & set(o.caveats) for o in found):
                        seen["left open"] += 1
                        assert surely <= allowed, why
                        assert (allowed | undetermined) & L4 <= surely | perhaps, why
                        continue
                    if named:
                        assert surely <= allowed, why
                        assert (allowed | undetermined) & told_of <= surely | perhaps, why
                        continue
                    assert surely <= allowed, why
                    assert allowed & told_of == surely & told_of, why
                    assert undetermined == perhaps - surely, why
                    seen["same"] += bool(found)
    assert seen["same"] > 50
