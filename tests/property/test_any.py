"""`any:` against really adding a pod: no pod that somebody creates may contradict the answer."""

import random

import pytest

from cloison.analyses.ask import Question, ask
from cloison.analyses.ends import Names
from cloison.analyses.question import parse_traffic
from cloison.engine import Engine, Networks
from cloison.ir.fidelity import Verdict
from tests.oracle.raw import Manifest
from tests.support.budget import tries
from tests.support.newcomers import ir_added, ir_newcomers
from tests.support.policies import random_snapshot
from tests.support.richer import rich_snapshot
from tests.support.session import load
from tests.support.worlds import random_world

CHUNKS = 4
WORLDS, IR_WORLDS = tries(60, 400), tries(72, 400)
KEYS = ("app", "tier", "team", "env", "example.com/role", "unheard-of")
VALUES = ("a", "b", "c", "red", "blue", "db", "web", "client", "server", "prod", "x", "")


def newcomer(rng: random.Random, namespace: str) -> Manifest:
    labels = {k: rng.choice(VALUES) for k in rng.sample(KEYS, rng.randint(0, 3))}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "newcomer", "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "registry.example/app:1"}]},
    }


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_uniform_answer_holds_for_every_pod_that_is_added(chunk: int) -> None:
    uniform = 0
    for seed in range(chunk, WORLDS, CHUNKS):
        rng = random.Random(seed + 700_000)
        objects = random_world(rng)
        session = load(objects)
        homes = sorted(session.world.namespaces)
        where = rng.choice(["any:", f"any:{rng.choice(homes)}"])
        target = next(
            (w for w in session.world.workloads.values() if w.endpoints and w.id.kind == "Pod"),
            None,
        )
        if target is None:
            continue
        name = f"{target.id.namespace}/pod/{target.id.name}"
        port = rng.choice(["80", "8080", "53/UDP"])
        inward = session.why(where, f"{name}:{port}").verdict
        outward = session.why(name, f"{where}:{port}").verdict
        for _ in range(6):
            namespace = where.removeprefix("any:") or rng.choice([*homes, "brand-new"])
            pod, added = f"{namespace}/pod/newcomer", newcomer(rng, namespace)
            if not {inward, outward} & {Verdict.ALLOWED, Verdict.DENIED}:
                continue
            after = load([*objects, added])
            if inward in (Verdict.ALLOWED, Verdict.DENIED):
                uniform += 1
                assert after.why(pod, f"{name}:{port}").verdict is inward, f"seed {seed}"
            if outward in (Verdict.ALLOWED, Verdict.DENIED):
                uniform += 1
                assert after.why(name, f"{pod}:{port}").verdict is outward, f"seed {seed}"
    assert uniform > 40


def test_any_finds_the_pod_that_could_be_created() -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {
            "podSelector": {},
            "ingress": [
                {"from": [{"namespaceSelector": {"matchLabels": {"team": "red"}}}]},
            ],
        },
    }
    pod = newcomer(random.Random(1), "shop")
    session = load([policy, pod])
    answer = session.why("any:", "shop/newcomer:80")
    assert answer.verdict is Verdict.MIXED
    allowed = next(w for w in answer.witnesses if w.verdict is Verdict.ALLOWED)
    assert "a new namespace labelled team=red" in allowed.source
    assert session.why("any:shop", "shop/newcomer:80").verdict is Verdict.DENIED


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_uniform_answer_holds_under_policies_of_every_shape(chunk: int) -> None:
    uniform = 0
    for seed in range(chunk, IR_WORLDS, CHUNKS):
        rng = random.Random(seed + 750_000)
        snapshot = rich_snapshot(rng) if seed % 4 else random_snapshot(rng)
        said = (snapshot.policies, snapshot.profile, Networks(names=snapshot.names))
        engine = Engine(snapshot.world, *said)
        names = Names(engine)
        target = rng.choice(list(snapshot.world.workloads))
        end = f"{target.namespace}/{target.kind.lower()}/{target.name}"
        traffic = parse_traffic(rng.choice(["80", "8080", "53/UDP"]), None)
        answers = [
            ask(engine, Question(names.end(a), names.end(b), traffic)).verdict
            for a, b in (("any:", end), (end, "any:"))
        ]
        newcomers = ir_newcomers(rng)
        after = Engine(ir_added(snapshot.world, newcomers), *said)
        names = Names(after)
        for newcomer in newcomers:
            pod = names.end(f"{newcomer.namespace}/pod/{newcomer.name}")
            there = names.end(end)
            for verdict, (a, b) in zip(answers, ((pod, there), (there, pod)), strict=True):
                if verdict in (Verdict.ALLOWED, Verdict.DENIED):
                    uniform += 1
                    assert ask(after, Question(a, b, traffic)).verdict is verdict, f"seed {seed}"
    assert uniform > 40
