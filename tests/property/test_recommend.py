"""Recommended policies let through every habit that was seen, and nothing that is a question.

Clusters and traffic are random; what has to pass and what must not is known from how they were
made, and each is asked of the engine on its own, with only what was recommended in force.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

import pytest

from cloison.algebra import AddressSet
from cloison.analyses.recommend.outside import FLOORS
from cloison.analyses.reconcile.seen import Became, Seen
from cloison.app import Session
from cloison.app.compile import TARGETS
from tests.support.budget import tries
from tests.support.recommending import (
    HABIT,
    applied,
    blocks_of,
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


OWN = {"pod_cidrs": ("10.1.0.0/16",), "service_cidrs": ("10.96.0.0/12",)}
CLUSTERS: tuple[dict[str, tuple[str, ...]], ...] = ({}, {**OWN, "node_cidrs": ("192.0.2.0/24",)})
DENSE = ("203.0.113", "10.77.3", "10.96.7", "172.16.0", "2001:db8:0:1::", "fd00:9::")


@pytest.mark.parametrize("said", CLUSTERS)
def test_no_rule_opens_more_than_the_floors_around_what_was_seen(
    said: dict[str, Any],
) -> None:
    for seed in range(WORLDS):
        chance = random.Random(seed)
        texts = sorted(set(scattered(chance)))
        rows = [seen("alpha/web", text, 443, range(0, 24 * 7, 12)) for text in texts]
        session = cluster(workload("alpha/web", 80), **said)
        for target in ("networkpolicy", "cilium"):
            floors = [around(text) for text in texts]
            own = session.engine.networks
            for each in blocks_of(recommended(session, rows, target)):
                block = AddressSet.block(each.cidr)
                assert any(block <= floor for floor in floors), (seed, each)
                assert not each.holes, (seed, each)
                touched = each.addresses & (own.pods | own.services | own.nodes)
                assert not touched, (seed, each)


def around(text: str) -> AddressSet:
    """Return the widest block that may stand for an address."""
    length = FLOORS[6 if ":" in text else 4]
    return AddressSet.block(str(ip_network(f"{text}/{length}", strict=False)))


def scattered(chance: random.Random) -> Iterator[str]:
    """Yield addresses of which some lie as close together as those of one service."""
    for stem in chance.sample(DENSE, 3):
        most = chance.choice((2, 20, 200))
        for _ in range(most):
            number = chance.randrange(1, 255)
            yield f"{stem}{number:x}" if ":" in stem else f"{stem}.{number}"
