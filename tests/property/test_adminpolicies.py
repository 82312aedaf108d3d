"""Cluster-wide policies mean the same when they are written, read again and converted."""

import json
import random
from typing import Any

import pytest

from cloison.app import Session, load_objects
from cloison.base import Severity
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.decode import decode
from cloison.resources.options import ReadOptions
from tests.support.adminpolicies import KINDS, NAMES, AdminMaker, Seen
from tests.support.documents import document
from tests.support.texts import convert_texts
from tests.support.worlds import random_world
from tests.support.written.adminpolicy import to_yaml

Manifest = dict[str, Any]
OLD = KINDS[:2]
SEEDS = range(12)


def world(rng: random.Random) -> list[Manifest]:
    """Return a world with at least one pod."""
    while True:
        found = random_world(rng)
        if Seen(found).labelled:
            return found


def loaded(objects: list[Manifest], policies: list[Manifest]) -> Session:
    session = load_objects([*objects, *policies], names=NAMES)
    faults = [d for d in session.diagnostics if d.severity is Severity.ERROR]
    assert not faults
    return session


def read(policies: list[Manifest]) -> list[model.Policy]:
    found = []
    for each in policies:
        policy, said = decode(document(json.dumps(each)), ReadOptions())
        assert not isinstance(policy, model.Unreadable)
        assert policy is not None, said
        found.append(policy)
    return found


def converted(policies: list[Manifest]) -> list[Manifest]:
    text = "---\n".join(json.dumps(each) + "\n" for each in policies)
    done = convert_texts({"in.yaml": text}, to="clusternetworkpolicy", names=NAMES)
    assert not done.refused
    manifests: list[Any] = [_plain(each) for each in done.texts]
    read(manifests)  # the newer version accepts every one
    return manifests


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_written_reads_back_the_same(seed: int) -> None:
    rng = random.Random(seed)
    maker = AdminMaker(Seen(world(rng)), rng)
    for policy in read(maker.policies(4)):
        text = to_yaml(policy)
        again, said = decode(document(text), ReadOptions())
        assert again == policy, said
        assert isinstance(again, type(policy))
        assert to_yaml(again) == text


@pytest.mark.parametrize("seed", SEEDS)
def test_the_newer_version_keeps_meaning(seed: int) -> None:
    rng = random.Random(seed)
    objects = world(rng)
    policies = AdminMaker(Seen(objects), rng).policies(5, OLD)
    before = loaded(objects, policies)
    assert not before.diff(loaded(objects, converted(policies)))


@pytest.mark.parametrize("seed", range(5))
def test_the_newer_version_past_its_limits_keeps_meaning(seed: int) -> None:
    rng = random.Random(seed)
    objects = world(rng)
    maker = AdminMaker(Seen(objects), rng, (10,), domains=False)
    policies = []
    priorities = rng.sample((9, 10, 11, 12, 998, 999, 1000), 4)
    for number, kind in enumerate((*OLD, OLD[0], OLD[0], OLD[0])):
        policy = maker.policy(kind, f"p{number}")
        spec = policy["spec"]
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            rules = [maker.rule(kind, direction) for _ in range(rng.choice((1, 26, 60)))]
            for rule in rng.sample(rules, 1):
                more = [
                    maker.peer(kind, direction, rule["action"], named=True)
                    for _ in range(rng.choice((0, 40)))
                ]
                rule[peers] = [p for p in (*rule[peers], *more) if set(p) <= {"namespaces", "pods"}]
                rule[peers] = rule[peers] or [{"namespaces": {}}]
                rule["ports"] = [maker.port(kind, named=False) for _ in range(60)]
            spec[direction] = rules
        if kind == OLD[0]:
            spec["priority"] = priorities.pop()
        policies.append(policy)
    new = converted(policies)
    assert len(new) > len(policies) or all(len(p["spec"]["ingress"]) <= 25 for p in policies)
    assert not loaded(objects, policies).diff(loaded(objects, new))


def _plain(text: str) -> object:
    return document(text).root.plain()
