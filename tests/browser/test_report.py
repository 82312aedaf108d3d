"""The html report in a real browser: what a reader does with it, and what it never does."""

import math
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

import cloison
from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import MapOptions
from cloison.app import load_objects
from cloison.cli import main
from cloison.report import About, render
from cloison.report.html import Content
from tests.browser.conftest import Browser
from tests.browser.pages import BROKEN, EXAMPLE, SHOP, cell, search, written


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's page, as the command writes it."""
    file = tmp_path_factory.mktemp("page") / "example.html"
    session = cloison.load(str(EXAMPLE))
    written(session, file, MapOptions())
    return file


def test_a_reader_gets_from_the_matrix_to_a_reason(browser: Browser, example: Path) -> None:
    browser.open(example)
    assert browser.find("#matrix").is_displayed()
    assert not browser.find("#graph").is_displayed()
    assert not browser.find("#answer").is_displayed()
    whole = len(browser.all(".grid .name"))

    search(browser, "from", "web/")
    names = browser.texts(".grid .name:not(.heading) .label")
    assert names == ["case-portal"]
    assert len(browser.all(".grid .name")) < whole

    cell(browser, "web/case-portal → evidence/evidence-api").click()
    answer = browser.find("#answer")
    assert answer.is_displayed()
    assert "denied" in answer.text
    for policy in ("web/case-portal", "evidence/evidence-api"):
        assert policy in answer.text
    assert "40-evidence.yaml:" in answer.text
    assert "cloison why web/case-portal evidence/evidence-api -f here" in answer.text

    browser.keys(Keys.ESCAPE)
    assert not answer.is_displayed()
    cell(browser, "web/case-portal → case-management/case-api:").click()
    assert "web/case-portal egress rule 1" in answer.text
    assert "case-management/case-api ingress rule 1" in answer.text
    assert "cloison why web/case-portal case-management/case-api:8080 -f here" in answer.text
    assert browser.complaints() == []


def test_the_answer_has_the_words_of_why(
    browser: Browser, example: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    browser.open(example)
    search(browser, "from", "web/")
    for target in ("case-management/case-api", "evidence/evidence-api"):
        main(["why", "web/case-portal", target, "-f", str(EXAMPLE)])
        said = " ".join(capsysbinary.readouterr().out.decode().split())
        cell(browser, f"web/case-portal → {target}:").click()
        shown = " ".join(browser.find("#answer").text.split())
        for words in (
            "egress of web/case-portal:",
            "4 policies select it and govern its egress:",
            f"ingress of {target}:",
            "3 policies select it and govern its ingress:",
        ):
            assert words in said
            assert words in shown
    cell(browser, "web/case-portal → case-management/case-api:").click()
    shown = " ".join(browser.find("#answer").text.split())
    assert "passes: TCP/8080" in shown
    assert "allows app=case-api in namespace case-management on TCP/8080" in shown


def test_requests_that_decide_are_seen(browser: Browser, tmp_path: Path) -> None:
    known = load_objects(SHOP, profile="cilium@1.19")
    file = tmp_path / "requests.html"
    read = written(known, file)
    browser.open(file)
    marked = browser.all(".grid .cell.when")
    words = "TCP/8080 when GET /v1/.* or POST /orders"
    labels = [each.get_attribute("aria-label") for each in marked]
    assert labels == [f"web/front → shop/api: {words}"]
    assert "1 edge with some requests" in browser.find("#facts").text
    assert "some requests" in browser.find("#legend").text

    marked[0].click()
    answer = browser.find("#answer")
    shown = " ".join(answer.text.split())
    for said in (
        "mixed TCP/8080 with some requests passes",
        f"{words} allowed: CiliumNetworkPolicy shop/api ingress rule 1",
        "TCP/8080 with any other request denied: entering by CiliumNetworkPolicy shop/api",
        f"passes: {words}",
        "cloison why web/front shop/api:8080 -f here",
    ):
        assert said in shown
    at = {name: number for number, name in enumerate(read.names)}
    told = browser.run(
        "return cloison.why(cloison.data.sides[0], arguments[0], arguments[1])",
        at["web/front"],
        at["shop/api"],
    )
    verdict, allowed = read.why(at["web/front"], at["shop/api"])
    assert (told["verdict"], TrafficSet(pairwise_of(told["allowed"]))) == (verdict, allowed)
    assert told["cases"][0]["when"][0]["traffic"] == [6 * 65536 + 8080] * 2

    browser.keys(Keys.ESCAPE)
    browser.run(
        "const field = document.getElementById('look'); field.value = 'when';"
        "field.dispatchEvent(new Event('change'))"
    )
    names = browser.texts(".grid .name:not(.heading) .label")
    assert names == ["front"]
    browser.find("#tab-list").click()
    assert words in browser.find("#list").text
    assert len(browser.all("#list tbody tr")) == 1
    assert browser.complaints() == []


def pairwise_of(spans: list[int]) -> list[tuple[int, int]]:
    return list(zip(spans[::2], spans[1::2], strict=True))


def test_the_keyboard_is_enough(browser: Browser, example: Path) -> None:
    browser.open(example)
    browser.run("document.querySelector('.grid [tabindex=\"0\"]').focus()")
    browser.keys(Keys.DOWN, Keys.RIGHT)
    focused = "return document.activeElement.getAttribute('aria-label') ?? ''"
    assert browser.run(focused).startswith("audit/audit-writer → audit/audit-writer")
    for _ in range(60):
        if "kube-system/coredns" in browser.run(focused):
            break
        browser.keys(Keys.RIGHT)
    browser.keys(Keys.ENTER)
    answer = browser.find("#answer")
    assert answer.is_displayed()
    assert "audit/audit-writer" in answer.text
    assert "kube-system/coredns" in answer.text
    assert "TCP/53, UDP/53" in answer.text
    browser.keys(Keys.ESCAPE)
    assert "kube-system/coredns" in browser.run(focused)
    # In the accessibility tree the matrix is a grid that says how large it is.
    grid = browser.find('[role="grid"]')
    assert int(grid.get_attribute("aria-rowcount") or 0) > 20
    assert browser.all('[role="row"] > [role="gridcell"]')


def test_sorting_brings_the_busiest_first(browser: Browser, example: Path) -> None:
    browser.open(example)
    first = ".grid .name:not(.heading) .label"
    assert browser.find(first).text == "audit-writer"
    for order, field in (("out", "out"), ("in", "into")):
        browser.run(
            "const s = document.getElementById('sort'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('change'))",
            order,
        )
        shown = browser.texts(".grid .column:not(.heading) .label")
        assert shown[0] == {"out": "case-api", "in": "coredns"}[order], field
    browser.find("#tab-list").click()
    assert browser.find("#list tbody th").text == "kube-system/coredns"


def test_only_with_traffic_means_among_what_is_shown(browser: Browser, example: Path) -> None:
    browser.open(example)
    search(browser, "to", "evidence/")
    browser.find("#busy").click()
    names = browser.texts(".grid .name:not(.heading) .label")
    assert names == ["case-api", "case-api-canary", "evidence-api", "evidence-store", "prometheus"]
    # Every row and column that is left has a filled cell; what was left out has none.
    filled = "return document.querySelectorAll('.grid .cell.some').length"
    assert browser.run(filled) == 6
    browser.find("#busy").click()
    assert len(browser.all(".grid .name:not(.heading)")) > len(names)
    assert browser.run(filled) == 6


FOLDED = """
const page = globalThis.cloison;
const told = [...document.querySelectorAll('.grid .cell.folded')].map((cell) => {
  const [, from, to, filled, pairs] =
    cell.getAttribute('aria-label').match(/^(.*) → (.*): ([\\d,]+) of ([\\d,]+) pairs?/);
  const ends = (name) => page.data.ends.flatMap(([heading], end) =>
    page.data.headings[heading] === name ? [end] : []);
  const all = ends(from).flatMap((a) => ends(to).map((b) => [a, b])).filter(([a, b]) => a !== b);
  const open = all.filter(([a, b]) => page.stateOf(a, b) >= 0).length;
  return [from, to, Number(filled), Number(pairs), open, all.length];
});
return told;
"""


def test_folded_cells_count_what_is_in_them(browser: Browser, example: Path) -> None:
    browser.open(example)
    browser.find("#fold").click()
    told = browser.run(FOLDED)
    assert len(told) > 20
    for source, target, filled, pairs, really, among in told:
        assert (filled, pairs) == (really, among), (source, target)


def test_the_picture_can_be_made_larger_and_smaller(browser: Browser, example: Path) -> None:
    browser.open(example)
    browser.find("#tab-graph").click()
    width = "return document.querySelector('#drawing > svg').getBoundingClientRect().width"
    browser.find("#actual").click()
    actual = browser.run(width)
    browser.find("#closer").click()
    assert browser.run(width) == _laid_out(actual * 1.25)
    browser.keys("0", "-")
    assert browser.run(width) == _laid_out(actual / 1.25)
    browser.keys("f")
    room = "const d = document.getElementById('drawing'); return [d.scrollWidth, d.clientWidth]"
    needed, there = browser.run(room)
    assert needed <= there


def _laid_out(length: float) -> object:
    """Return a length as a browser lays it out: in whole steps of a 64th of a pixel."""
    return pytest.approx(math.floor(length * 64) / 64)


def test_every_word_has_another_way_to_it(browser: Browser, example: Path) -> None:
    browser.open(example)
    browser.find("#tab-list").click()
    rows = browser.find("#list").text
    assert "web/case-portal" in rows
    assert "TCP/8080" in rows
    browser.find("#tab-graph").click()
    assert browser.all("#graph svg [data-name]")
    # A label tells its pairs, a pair its reason, and Escape leads back to the label.
    browser.run("document.querySelector('#drawing .bundle.answers').focus()")
    assert browser.all("#drawing .pointing .line") == browser.all("#drawing .line") != []
    lit = browser.run("return document.querySelectorAll('#drawing .bundle.lit').length")
    assert lit == 1
    browser.keys(Keys.ENTER)
    browser.find("#answer .peers .link").click()
    assert "The path, point by point" in browser.find("#answer").text
    browser.keys(Keys.ESCAPE)
    assert browser.run("return document.activeElement.classList.contains('bundle')")
    browser.find("#tab-matrix").click()
    assert browser.find("#matrix").is_displayed()


def test_nothing_but_the_file_is_asked_for(browser: Browser, example: Path) -> None:
    browser.open(example)
    browser.find("#tab-graph").click()
    browser.find("#tab-matrix").click()
    search(browser, "from", "web/")
    cell(browser, "web/case-portal → case-management/case-api:").click()
    assert browser.requests() == [example.as_uri()]
    assert browser.complaints() == []
    # The policy is not only written down: what the page must not do, it cannot.
    assert browser.run(
        "return new Promise((done) => {"
        "  document.addEventListener('securitypolicyviolation', () => done(true), {once: true});"
        "  const image = new Image(); image.src = 'https://example.invalid/x.png';"
        "  setTimeout(() => done(false), 5000);"
        "})"
    )
    with pytest.raises(Exception, match="TrustedHTML"):
        browser.run("document.body.innerHTML = '<p>x</p>'")
    browser.complaints()


def test_a_difference_shows_both_sides(
    browser: Browser, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["diff", str(EXAMPLE), str(BROKEN), "-o", "html"]) == 1
    file = tmp_path / "diff.html"
    file.write_bytes(capsysbinary.readouterr().out)
    browser.open(file)
    assert "1 opened" in browser.find("#facts").text
    # What was opened stands first.
    found = browser.all(".grid .cell.opened, .grid .cell.closed")
    assert "opened" in (found[0].get_attribute("class") or "")
    found[0].click()
    answer = browser.find("#answer").text
    assert "+ opened: TCP/8080" in answer
    assert answer.index("After") < answer.index("Before")
    assert "case-management/path-prober egress rule 1" in answer
    assert browser.requests() == [file.as_uri()]
    browser.picture("diff")


def test_nothing_to_show_is_said(browser: Browser, tmp_path: Path) -> None:
    session = cloison.load(str(EXAMPLE))
    about = About("0", session.profile, "default")
    for name, kind, result, words in (
        ("same", "diff", session.diff(session), "Connectivity is the same on both sides."),
        ("none", "map", load_objects([]).map(), "No workload was read."),
    ):
        file = tmp_path / f"{name}.html"
        file.write_text("".join(render(kind, Content(result, ()), about, "html")), "utf-8")
        browser.open(file)
        assert browser.find("#matrix").text.strip() == words
        assert browser.complaints() == []


def test_pictures_for_people_to_look_at(browser: Browser, example: Path) -> None:
    for name, dark in (("light", False), ("dark", True)):
        browser.open(example)
        browser.dark(on=dark)
        browser.picture(f"example-{name}")
        search(browser, "from", "web/")
        cell(browser, "web/case-portal → case-management/case-api:").click()
        browser.picture(f"example-{name}-why")
        browser.find("#tab-graph").click()
        browser.picture(f"example-{name}-graph")
        ground = browser.run("return getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
    browser.dark(on=False)
