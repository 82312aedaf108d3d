"""Many verdicts at once against the same questions, one by one."""

import random
from typing import TYPE_CHECKING

import pytest

from cloison.algebra import TrafficSet
from cloison.analyses.ask import Question, verdict_only
from cloison.analyses.ends import End
from cloison.analyses.question import EVERYTHING, Traffic, parse_traffic
from cloison.analyses.replay import CODES, Batch, Code, columns, replay
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict
from tests.property.test_map import worlds

if TYPE_CHECKING:
    from cloison.app import Session

TRAFFICS = [
    *(Traffic(f"{port}", TrafficSet.ports("TCP", port)) for port in (80, 443, 5432, 8080, 8443)),
    *(Traffic(f"{port}/UDP", TrafficSet.ports("UDP", port)) for port in (53, 80)),
    Traffic("80/SCTP", TrafficSet.ports("SCTP", 80)),
    parse_traffic("icmp"),
    EVERYTHING,
]


def ends(session: "Session", rng: random.Random) -> list[End]:
    """Workloads, single pods, nodes and addresses: known ones, and some that nobody has."""
    names = session.names
    texts = [f"{w.namespace}/{w.kind}/{w.name}" for w in session.world.workloads]
    texts += [f"node:{name}" for name in session.world.nodes]
    texts += ["192.0.2.7", "198.51.100.200", "2001:db8::7", "10.0.0.0/8", "0.0.0.0/0"]
    found: list[End] = []
    for text in rng.sample(texts, min(len(texts), 14)):
        try:
            found.append(names.end(text))
        except QuestionError:
            continue
    return found


@pytest.mark.parametrize("chunk", range(4))
def test_batch_says_what_single_questions_say(chunk: int) -> None:
    told: dict[Code, int] = dict.fromkeys(Code, 0)
    for seed, session in worlds(chunk, 900_000):
        rng = random.Random(seed)
        _agree(session, ends(session, rng), rng, seed, told)
    assert min(told[code] for code in (Code.ALLOWED, Code.DENIED, Code.UNDETERMINED)) > 50


def _agree(
    session: "Session", known: list[End], rng: random.Random, seed: int, told: dict[Code, int]
) -> None:
    rows = [
        (rng.randrange(len(known)), rng.randrange(len(known)), rng.randrange(len(TRAFFICS)))
        for _ in range(60)
    ]
    batch = Batch(known, TRAFFICS, *columns(rows))
    codes = replay(session.engine, batch)
    for (one, other, asked), code in zip(rows, codes.tolist(), strict=True):
        question = Question(known[one], known[other], TRAFFICS[asked])
        try:
            wanted = CODES[verdict_only(session.engine, question)]
        except QuestionError:
            wanted = Code.UNDETERMINED
        assert code == wanted, f"seed {seed}: {question}"
        told[Code(code)] += 1


def test_table_answers_most_of_what_is_asked() -> None:
    _, session = worlds(0)[0]
    known = ends(session, random.Random(0))
    asked: list[Question] = []

    def ask(question: Question) -> Verdict:
        asked.append(question)
        return verdict_only(session.engine, question)

    rows = [(s, d, 0) for s in range(len(known)) for d in range(len(known))] * 50
    replay(session.engine, Batch(known, TRAFFICS, *columns(rows)), ask)
    assert len(asked) <= len(rows) // 50
    assert len({(q.source.text, q.destination.text) for q in asked}) == len(asked)
