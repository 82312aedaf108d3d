"""Recommended policies let through every habit that was seen, and nothing that is a question.

Clusters and traffic are random; what has to pass and what must not is known from how they were
made, and each is asked of the engine on its own, with only what was recommended in force.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from cloison.analyses.reconcile.seen import Became, Seen
from cloison.app import Session
from cloison.app.compile import TARGETS
from tests.support.budget import tries
from tests.support.recommending import (
    HABIT,
    applied,
    cluster,
    passes,
    recommended,
    seen,
    workload,
)

WORLDS = tries(12, 400)
CHUNKS = 3
SPACES = ("alpha", "beta", "gamma")
PORTS = (80, 8080, 9090)
FAR = ("203.0.113.7", "203.0.113.9", "198.51.100.20", "2001:db8::7", "10.77.0.9")
ODD = range(50, 52)

Asked = tuple[str, str, str]


@dataclass(frozen=True)
class Scene:
    """A cluster, what was seen, what has to pass, and what must not."""

    session: Session
    rows: tuple[Seen, ...]
    habits: frozenset[Asked]
    questions: frozenset[Asked]


def scene(seed: int) -> Scene:
    """Return a random one."""
    chance = random.Random(seed)
    loads = [
        workload(
            f"{chance.choice(SPACES)}/w{number}",
            *PORTS,
            "53/UDP",
            labels=labels(chance, number),
            kind=chance.choice(("Deployment", "StatefulSet")),
        )
        for number in range(chance.randrange(3, 8))
    ]
    names = [f"{e['metadata']['namespace']}/{e['metadata']['name']}" for e in loads]
    kinds = {name: each["kind"] for name, each in zip(names, loads, strict=True)}
    every = list(pairs(names))
    chance.shuffle(every)
    some = every[: chance.randrange(2, 30)]
    cut = len(some) * 3 // 4
    rows = [row(each, HABIT, "allowed", kinds) for each in some[:cut]]
    rows += [row(each, ODD, "denied", kinds) for each in some[cut:]]
    chance.shuffle(rows)
    return Scene(cluster(*loads), tuple(rows), frozenset(some[:cut]), frozenset(some[cut:]))


def labels(chance: random.Random, number: int) -> dict[str, str]:
    """Return labels of which all together are one workload's alone."""
    shared = {"app": chance.choice("abc"), "tier": chance.choice("uv")}
    own = chance.choice(("app.kubernetes.io/name", "component", "release"))
    return {key: value for key, value in shared.items() if chance.random() < 0.7} | {
        own: f"w{number}"
    }


def pairs(names: list[str]) -> Iterator[Asked]:
    """Yield everything that may be asked: who, whom, on which port."""
    for one in names:
        for other in names:
            if one != other:
                yield from ((one, other, str(port)) for port in (*PORTS, "53/UDP"))
        for far in FAR:
            yield one, far, "443"


def row(asked: Asked, hours: range, became: Became, kinds: dict[str, str]) -> Seen:
    """Return what was seen of it."""
    source, destination, port = asked
    number, _, protocol = port.partition("/")
    return told(seen(source, destination, int(number), hours, became, protocol or "TCP"), kinds)


def told(one: Seen, kinds: dict[str, str]) -> Seen:
    """Return it with the kinds of its workloads, as records tell them."""
    ends = [
        replace(e, kind=kinds[f"{e.namespace}/{e.workload}"]) if e.workload else e for e in one.ends
    ]
    return replace(one, source=ends[0], destination=ends[1])


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_habits_pass_and_questions_do_not(chunk: int) -> None:
    for seed in range(chunk, WORLDS, CHUNKS):
        known = scene(seed)
        target = TARGETS[seed % len(TARGETS)]
        if target == "clusternetworkpolicy" and any(
            ":" in to or "." in to for _, to, _ in known.habits | known.questions
        ):
            target = "networkpolicy"  # it says less of what is outside, and tells so
        found = recommended(known.session, known.rows, target)
        after = applied(known.session, found)
        lost = {str(each.link.key): each.why for each in found.proof.lost}
        for source, destination, port in sorted(known.habits):
            assert passes(after, source, destination, port), (seed, source, destination, port, lost)
        for source, destination, port in sorted(known.questions):
            assert not passes(after, source, destination, port), (seed, source, destination, port)
        assert not lost, seed
        assert not found.proof.leaks, seed
        asked_for = {link.key for each in found.fused.questions for link in each.links}
        assert len(asked_for) == len(known.questions), seed
