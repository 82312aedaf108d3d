"""Drift as a page: what is new is listed first, and colours say nothing that words do not."""

import re
from html import unescape

from cloison.analyses.drift.model import Drift
from cloison.report import Look, render
from tests.support.drifting import BASE, session
from tests.unit.report.driftedresults import astray, quiet
from tests.unit.report.results import about


def _page(found: Drift) -> str:
    return "".join(render("drifted", found, about(session(*BASE)), "html", Look()))


def test_the_list_leads_to_every_new_finding() -> None:
    """Each way has one end, and each is of the finding that it names."""
    found = astray()
    page = _page(found)
    ways = re.findall(r'<a href="#(\w+)">([^<]+)</a>', page)
    assert [unescape(text) for _, text in ways] == [each.sign.message for each in found.new]
    heads = dict(re.findall(r'<article class="\w+" id="(\w+)">\s*<h3>([^<]+)</h3>', page))
    assert all(heads[way] == text for way, text in ways)
    assert len(heads) == len(found.findings) + len(found.suspects)


def test_severities_are_words() -> None:
    """Whoever sees no colours, or hears the page, knows them."""
    page = _page(astray())
    articles = re.findall(r'<article class="(\w+)".*?</article>', page, re.DOTALL)
    said = re.findall(r'<p class="kind"><strong>(\w+)</strong>', page)
    assert said == articles
    assert {"error", "warning"} <= set(said)


def test_a_page_with_little_has_no_list() -> None:
    """Two findings are seen at once."""
    assert "<a href=" not in _page(quiet())
