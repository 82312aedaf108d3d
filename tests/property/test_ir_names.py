"""The engine and the IR oracle agree about names outside, with and without a DNS table."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from cloison.algebra import family_of, parse_address
from cloison.engine import Engine, Networks
from cloison.ir.fidelity import Verdict
from cloison.ir.names import NamePattern, exact_name, names_below, names_within
from cloison.ir.peers import NamesMatch, plain_matches
from tests.oracle.ir import IROracle
from tests.support.budget import tries
from tests.support.policies import OUTSIDE, Question, Snapshot, describe, random_question
from tests.support.richer import PATTERNS, rich_snapshot

SNAPSHOTS = tries(120, 1200)
CHUNKS = 4
FLOWS = 20
ASKED = (
    exact_name("ab.example.com"),
    exact_name("www.example.com"),
    exact_name("a.b.example.com"),
    exact_name("x.other.org"),
    names_within("*.example.com"),
    names_within("a*.*.com"),
    names_below("*.example.net"),
)


def snapshots(chunk: int) -> list[tuple[int, random.Random, Snapshot]]:
    """Return random worlds in which rules go by name."""
    found = []
    for seed in range(chunk, SNAPSHOTS, CHUNKS):
        rng = random.Random(f"names {seed}")
        snapshot = rich_snapshot(rng)
        if by_name(snapshot):
            found.append((seed, rng, snapshot))
    return found


def questions(rng: random.Random, snapshot: Snapshot) -> list[Question]:
    return [random_question(rng, snapshot) for _ in range(FLOWS)]


def verdict(engine: Engine, source: int, target: int, question: Question) -> Verdict:
    outcome = engine.outcome(source, target, family=question.family)
    if question.traffic in outcome.allowed:
        return Verdict.ALLOWED
    return Verdict.UNDETERMINED if question.traffic in outcome.undetermined else Verdict.DENIED


def units(engine: Engine, numbers: tuple[int, ...], family: int) -> list[int]:
    return [u for u in numbers if engine.table.units[u].family in (0, family)]


def by_name(snapshot: Snapshot) -> bool:
    return any(
        isinstance(match, NamesMatch)
        for policy in snapshot.policies.policies
        for rule in policy.rules
        for peer in rule.peers
        for match in plain_matches(peer.match)
    )


def unresolved(snapshot: Snapshot, name: NamePattern) -> bool:
    return not (name.exact and name.text in snapshot.names)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_ends_by_name_are_judged_as_the_oracle_does(chunk: int) -> None:
    told: Counter[Verdict] = Counter()
    for seed, rng, snapshot in snapshots(chunk):
        engine = Engine(
            snapshot.world, snapshot.policies, snapshot.profile, Networks(names=snapshot.names)
        )
        oracle = IROracle(snapshot.world, snapshot.policies, snapshot.profile, snapshot.names)
        names = [n for n in (*PATTERNS, *ASKED) if unresolved(snapshot, n)]
        pods = [e for e in oracle.pods() if not e.shape.host_network]
        named = engine.with_hosts(names)
        for question in questions(rng, snapshot) if pods else ():
            name, pod = rng.choice(names), rng.choice(pods)
            index = named.table.endpoints.index(pod)
            sources = units(named, named.table.by_endpoint[index], question.family)
            targets = units(named, named.hosts.of(name) or (), question.family)
            for source in sources[:1]:
                expected = oracle.decide(pod, name, question.traffic, question.family)
                found = verdict(named, source, targets[0], question)
                told[found] += 1
                assert found is expected, f"seed {seed}: {pod} {name!r} {question}\n" + describe(
                    snapshot
                )
    assert min(told[v] for v in Verdict if v is not Verdict.MIXED) > 10


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_with_a_complete_table_no_name_leaves_an_answer_open(chunk: int) -> None:
    for seed, rng, snapshot in snapshots(chunk):
        networks = Networks(names=snapshot.names, complete=True)
        engine = Engine(snapshot.world, snapshot.policies, snapshot.profile, networks)
        oracle = IROracle(
            snapshot.world, snapshot.policies, snapshot.profile, snapshot.names, complete=True
        )
        for pattern in PATTERNS:
            assert not engine.binder.matcher.match(NamesMatch((pattern,))).may
        pods = [e for e in oracle.pods() if not e.shape.host_network]
        for question in questions(rng, snapshot) if pods else ():
            pod, address = rng.choice(pods), parse_address(rng.choice(OUTSIDE))
            if oracle.resolve(address) != address or family_of(address) != question.family:
                continue
            index = engine.table.endpoints.index(pod)
            for source in units(engine, engine.table.by_endpoint[index], question.family)[:1]:
                expected = oracle.decide(pod, address, question.traffic, question.family)
                found = verdict(engine, source, engine.table.external(address), question)
                assert found is expected, f"seed {seed}: {question}\n" + describe(snapshot)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_units_of_names_change_no_other_answer(chunk: int) -> None:
    for _, rng, snapshot in snapshots(chunk)[:15]:
        networks = Networks(names=snapshot.names)
        plain = Engine(snapshot.world, snapshot.policies, snapshot.profile, networks)
        named = plain.with_hosts(rng.sample(ASKED, 2))
        count = len(plain.table.units)
        assert named.table.units[:count] == plain.table.units
        for _ in range(40):
            one, other = rng.randrange(count), rng.randrange(count)
            assert plain.outcome(one, other) == named.outcome(one, other)


def test_asked_again_an_engine_knows_its_names_by_the_same_numbers() -> None:
    _, _, snapshot = snapshots(0)[0]
    engine = Engine(snapshot.world, replace(snapshot.policies), snapshot.profile)
    first = engine.with_hosts(ASKED[:2])
    then = first.with_hosts(ASKED[2:])
    assert engine.with_hosts(ASKED) is then
    assert [first.hosts.of(name) for name in ASKED[:2]] == [
        then.hosts.of(name) for name in ASKED[:2]
    ]


def test_an_engine_without_a_policy_keeps_its_names() -> None:
    for _, rng, snapshot in snapshots(1)[:12]:
        policies = snapshot.policies.policies
        if not policies:
            continue
        gone = rng.choice(policies).id
        less = replace(snapshot.policies, policies=tuple(p for p in policies if p.id != gone))
        networks = Networks(names=snapshot.names)
        named = Engine(snapshot.world, snapshot.policies, snapshot.profile, networks)
        found = named.with_hosts(ASKED).without(gone)
        anew = Engine(snapshot.world, less, snapshot.profile, networks).with_hosts(ASKED)
        for name in ASKED:
            for ours, theirs in zip(
                found.hosts.of(name) or (), anew.hosts.of(name) or (), strict=True
            ):
                for unit, other in enumerate(anew.table.by_endpoint):
                    mine = found.table.by_endpoint[unit]
                    assert [found.outcome(u, ours) for u in mine] == [
                        anew.outcome(u, theirs) for u in other
                    ]
