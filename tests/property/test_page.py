"""The tables of an html report against the engine, cell by cell, over random worlds."""

import random

import pytest

from cloison.analyses.ask import ask
from cloison.analyses.connectivity import MapOptions
from cloison.analyses.ledger import ledger
from cloison.app import Session
from cloison.report import PLAIN, About
from cloison.report.html import Content, Side, render
from tests.support.page import Page, embedded
from tests.support.session import load
from tests.support.worlds import random_world

WORLDS = 24
CHUNKS = 2
QUESTIONS = 40
OPTIONS = (MapOptions(self_edges=True), MapOptions(pods=True, self_edges=True, nodes=True))


def page_of(session: Session, options: MapOptions) -> Page:
    content = Content(session.map(options), (Side(ledger(session.engine)),))
    about = About("0", session.profile, "default")
    return Page(embedded("".join(render("map", content, about, PLAIN))))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_cell_says_what_the_engine_says(chunk: int) -> None:
    asked = 0
    for seed in range(910_000 + chunk, 910_000 + WORLDS, CHUNKS):
        session = load(random_world(random.Random(seed)))
        for options in OPTIONS:
            page = page_of(session, options)
            assert_cells_agree(page, seed)
            asked += assert_questions_agree(page, session, seed)
    assert asked > 10 * QUESTIONS


def assert_cells_agree(page: Page, seed: int) -> None:
    """Hold the matrix against the decisions: two tables that know nothing of each other."""
    ends = range(len(page.names))
    members = page.world["ends"]
    hosted = {end for end in ends if any(m[0] in page.world["hosted"] for m in members[end])}
    for src in ends:
        for dst in ends:
            outside = min(src, dst) >= page.data["inside"]
            # What a node exchanges with its own pods is in the matrix, and nowhere else.
            # Between different families policies are asked all the same; the plain reading here
            # pairs families, and `assert_questions_agree` asks about such cells.
            foreign = max(src, dst) >= page.data["inside"] and not page.meet(src, dst)
            if src != dst and not outside and not foreign and not {src, dst} & hosted:
                where = (seed, page.names[src], page.names[dst])
                assert page.cell(src, dst) == page.passes(src, dst), where


def assert_questions_agree(page: Page, session: Session, seed: int) -> int:
    """Hold a random choice of cells against `why`."""
    inside, ends = page.data["inside"], len(page.names)
    able = [end for end in range(ends) if page.names[end]]
    pairs = [(a, b) for a in able for b in able if a < inside or b < inside]
    chosen = random.Random(seed).sample(pairs, min(QUESTIONS, len(pairs)))
    for src, dst in chosen:
        answer = ask(session.engine, session.question(page.names[src], page.names[dst]))
        where = (seed, page.names[src], page.names[dst])
        assert page.why(src, dst) == (str(answer.verdict), answer.allowed), where
    return len(chosen)
