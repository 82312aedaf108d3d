"""The tables of an html report against the engine where rules of Cilium ask for requests."""

import random
from collections import Counter

import pytest

from cloison.analyses.ask import ask
from cloison.analyses.connectivity import MapOptions
from cloison.app import Session
from cloison.ir.when import When
from tests.property.test_cilium_random import samples, session
from tests.property.test_page import page_of
from tests.support.page import NONE, Page, Some

CHUNKS = 2
WORLDS = 8
QUESTIONS = 30


def told(page: Page, some: list[Some]) -> list[tuple[str, str, str]]:
    """Return traffic of which requests decide, in words: what passes, and what may besides."""
    texts = [text for text, _ in page.data["requests"]]
    less = {(a, b): rest for a, b, rest in page.data["less"]}
    return sorted(
        (
            str(traffic),
            texts[allowed],
            texts[NONE if allowed == passing else less.get((passing, allowed), passing)],
        )
        for traffic, allowed, passing in some
    )


def said(when: tuple[When, ...]) -> list[tuple[str, str, str]]:
    return sorted((str(w.traffic), str(w.allowed), str(w.undetermined)) for w in when if w.mixed)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_condition_of_a_cell_is_that_of_the_engine(chunk: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(chunk, WORLDS, CHUNKS):
        known = session(samples(seed)[0])
        options = MapOptions(pods=True, self_edges=True)
        page = page_of(known, options)
        at = {name: number for number, name in enumerate(page.names)}
        for edge in known.map(options):
            ends = [f"{end.namespace}/{end.name}" for end in (edge.src, edge.dst)]
            if not set(ends) <= set(at) or "" in (edge.src.namespace, edge.dst.namespace):
                continue
            src, dst = (at[name] for name in ends)
            assert page.cell(src, dst) == (edge.allowed, edge.passage.open), (seed, edge)
            assert told(page, page.conditions(src, dst)) == said(edge.passage.when), (seed, edge)
            seen["cells"] += bool(edge.passage.when)
        seen += questions(page, known, seed)
    assert min(seen["cells"], seen["asked"]) > 10, seen


def questions(page: Page, known: Session, seed: int) -> Counter[str]:
    """Hold a random choice of cells against `why`."""
    seen: Counter[str] = Counter()
    inside, ends = page.data["inside"], len(page.names)
    able = [end for end in range(ends) if page.names[end]]
    pairs = [(a, b) for a in able for b in able if a < inside or b < inside]
    asking = [pair for pair in pairs if page.conditions(*pair)]
    chosen = random.Random(seed).sample(pairs, min(QUESTIONS // 2, len(pairs)))
    for src, dst in [*chosen, *asking[: QUESTIONS // 2]]:
        answer = ask(known.engine, known.question(page.names[src], page.names[dst]))
        where = (seed, page.names[src], page.names[dst])
        assert page.why(src, dst) == (str(answer.verdict), answer.allowed), where
        cases = page.asking(src, dst)
        if len(cases) == 1:
            assert told(page, cases[0]) == said(answer.when), where
            seen["asked"] += bool(answer.when)
            seen["both ends"] += len(page.data["met"])
    return seen
