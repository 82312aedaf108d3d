"""The html report in a real browser: it computes what the engine does, in large clusters too."""

import random
from pathlib import Path

from selenium.webdriver.common.keys import Keys

import cloison
from cloison.algebra import TrafficSet
from cloison.analyses.ask import ask
from cloison.analyses.connectivity import MapOptions
from cloison.app import load_objects
from tests.browser.conftest import Browser
from tests.browser.pages import EXAMPLE, cell, search, written
from tests.support.large import default_deny, open_cluster
from tests.support.page import Page
from tests.support.session import load
from tests.support.worlds import random_world

EVALUATE = """
const [pairs, side] = arguments;
const page = globalThis.cloison;
return pairs.map(([src, dst]) => {
  const found = page.why(page.data.sides[side], src, dst);
  const state = page.stateOf(src, dst);
  return [
    found.verdict,
    found.allowed,
    page.passes(page.data.sides[side], src, dst),
    state < 0 ? null : page.data.states[state],
    page.trafficText(found.allowed),
  ];
});
"""


def assert_page_agrees(browser: Browser, read: Page, pairs: list[tuple[int, int]]) -> None:
    """Hold the page's own look-ups against the plain reading of the same tables."""
    assert pairs
    for (src, dst), told in zip(pairs, browser.run(EVALUATE, pairs, 0), strict=True):
        where = (read.names[src], read.names[dst])
        verdict, allowed = read.why(src, dst)
        assert told[0] == verdict, where
        assert told[1] == _flat(allowed), where
        assert told[2] == [_flat(each) for each in read.passes(src, dst)], where
        assert told[3] == read.state(src, dst), where
        assert told[4] == (str(allowed) if allowed else "nothing"), where


def _flat(traffic: TrafficSet) -> list[int]:
    return [point for span in traffic for point in span]


def _pairs(read: Page) -> list[tuple[int, int]]:
    ends, inside = range(len(read.names)), read.data["inside"]
    return [(a, b) for a in ends for b in ends if a < inside or b < inside]


def test_the_page_computes_what_the_engine_does(browser: Browser, tmp_path: Path) -> None:
    session = cloison.load(str(EXAMPLE))
    file = tmp_path / "page.html"
    read = written(session, file)
    browser.open(file)
    pairs = _pairs(read)
    assert_page_agrees(browser, read, pairs)


DECIDERS = """
const page = globalThis.cloison;
const side = page.data.sides[0];
return arguments[0].map(([src, dst, traffic]) => {
  const answer = page.why(side, src, dst);
  return answer.cases.map(({ leaving, entering }) =>
    [leaving, entering].map((point) =>
      page.deciders(side, point, traffic).map(({ text }) => text)));
});
"""


def test_the_page_names_the_deciders_that_why_names(browser: Browser, tmp_path: Path) -> None:
    session = cloison.load(str(EXAMPLE))
    file = tmp_path / "page.html"
    read = written(session, file)
    browser.open(file)
    chosen = random.Random(3).sample(_pairs(read), 80)
    asked = [(src, dst, port) for src, dst in chosen for port in (8080, 53)]
    questions = [(a, b, _flat(TrafficSet.ports("TCP", port))) for a, b, port in asked]
    told = browser.run(DECIDERS, questions)
    for (src, dst, port), cases in zip(asked, told, strict=True):
        question = session.question(read.names[src], read.names[dst], port=port)
        answer = ask(session.engine, question)
        # Addresses of both families that are alike are one end, and a question names one of them.
        assert len(answer.cases) <= len(cases)
        for case, points in zip(answer.cases, cases, strict=False):
            for point, texts in zip(case.points, points, strict=True):
                where = (read.names[src], read.names[dst], port)
                assert sorted(texts) == sorted(d.text for d in point.decided_by), where


def test_odd_worlds_are_computed_alike(browser: Browser, tmp_path: Path) -> None:
    for seed in range(940_000, 940_006):
        session = load(random_world(random.Random(seed)))
        for number, options in enumerate((MapOptions(), MapOptions(pods=True, nodes=True))):
            file = tmp_path / f"{seed}-{number}.html"
            read = written(session, file, options)
            browser.open(file)
            assert_page_agrees(browser, read, _pairs(read))


def test_two_thousand_workloads_can_be_used(browser: Browser, tmp_path: Path) -> None:
    session = load_objects(default_deny(2000))
    file = tmp_path / "large.html"
    read = written(session, file)
    browser.open(file)
    # Only what is in sight is in the document, and namespaces come first.
    assert len(browser.all(".grid [data-at]")) < 6000
    assert not browser.all(".grid .name:not(.heading)")
    browser.picture("large")
    assert 2 < browser.run("return document.querySelectorAll('#drawing .node').length") <= 150
    search(browser, "from", "team-7/app-1007")
    search(browser, "to", "team-8/app-1008")
    cell(browser, "team-7/app-1007 → team-8/app-1008").click()
    text = browser.find("#answer").text
    assert "team-7/app-1007 egress rule 1" in text
    assert "team-8/app-1008 ingress rule 1" in text
    browser.picture("large-why")
    pairs = random.Random(7).sample(range(len(read.names) * read.data["inside"]), 60)
    chosen = [divmod(number, read.data["inside"]) for number in pairs]
    assert_page_agrees(browser, read, chosen)
    for src, dst in chosen[:30]:
        answer = ask(session.engine, session.question(read.names[src], read.names[dst]))
        assert read.why(src, dst) == (str(answer.verdict), answer.allowed)
    assert browser.requests() == [file.as_uri()]


def test_an_open_cluster_can_be_used(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "open.html"
    read = written(load_objects(open_cluster(2000)), file, MapOptions())
    browser.open(file)
    assert "4,002,000 edges" in browser.find("#facts").text
    cell(browser, "team-0 → team-1:").click()
    assert "400 of 400 pairs" in browser.find("#answer").text
    browser.find("#answer .unfold").click()
    browser.until("return document.querySelector('.grid .cell.all:not(.folded)') !== null")
    browser.keys(Keys.ENTER)
    assert "allowed" in browser.find("#answer").text
    browser.picture("open")
    assert_page_agrees(browser, read, [(0, 1), (1999, 3), (5, 5), (0, 2000), (2000, 9)])
