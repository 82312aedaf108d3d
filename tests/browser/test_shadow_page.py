"""The page of `shadow` in a real browser: its timeline, at any width, and what it never does."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Browser
from tests.browser.pages import EXAMPLE
from tests.support.cli import run_cloison

CANDIDATE = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-dns, namespace: case-management}
spec: {podSelector: {}, policyTypes: [Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: case-api, namespace: case-management}
spec:
  podSelector: {matchLabels: {app: case-api}}
  policyTypes: [Ingress]
  ingress:
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}}]
      ports: [{port: 80}]
"""
HOUR = "from (\\d{4}-\\d{2}-\\d{2}T\\d{2}:00:00Z)"
BARS = f"""
return [...document.querySelectorAll('table.times tbody tr')].map(row => [
  row.querySelector('th').textContent,
  row.querySelector('td.number').textContent,
  Object.fromEntries([...row.querySelectorAll('svg rect title')].map(title => {{
    const [, count, hour] = title.textContent.match(/^([\\d,]+) {HOUR}$/);
    return [hour, Number(count.replaceAll(',', ''))];
  }})),
]);
"""
"""What the timeline shows: of each row its name, its sum, and its bars by the hour."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of the example, with an hour in which nobody watched, and what would be denied."""
    place = tmp_path_factory.mktemp("shadow")
    ran = run_cloison("flows", "generate", "-f", str(EXAMPLE), "--days", "2")
    kept = (line for line in ran.out.splitlines() if '"2026-01-01T07:' not in line)
    (place / "events.log").write_text("\n".join(kept) + "\n", encoding="utf-8")
    ran = run_cloison("flows", "ingest", str(place / "events.log"), "--store", str(place / "flows"))
    assert ran.exit == 0, ran.err
    (place / "candidate.yaml").write_text(CANDIDATE, encoding="utf-8")
    for output, name in (("html", "page.html"), ("json", "told.json")):
        source = (str(place / "candidate.yaml"), "-f", str(EXAMPLE))
        ran = run_cloison("shadow", *source, "--store", str(place / "flows"), "-q", "-o", output)
        assert ran.exit == 1, ran.err
        (place / name).write_text(ran.out, encoding="utf-8")
    return place


@pytest.fixture
def told(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "told.json").read_text(encoding="utf-8"))
    return found


def visit(browser: Browser, home: Path) -> None:
    browser.log("performance")
    browser.driver.get((home / "page.html").as_uri())
    browser.settle()


def hours(finding: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for edge in finding["edges"]:
        for hour, count in edge["hours"].items():
            found[hour] = found.get(hour, 0) + count
    return found


def test_the_timeline_has_the_hours_of_the_json(
    browser: Browser, home: Path, told: dict[str, Any]
) -> None:
    visit(browser, home)
    assert browser.find("h1").text == "What a candidate would have denied"
    whole, *rows, rest = browser.run(BARS)
    findings = told["findings"]
    assert rest[0] == f"{len(findings) - 12} more"
    assert len(rows) == 12 < len(findings)
    some = [finding["connections"] for finding in findings[12:]]
    assert (rest[1], sum(rest[2].values())) == (f"{sum(some):,}", sum(some))
    findings = findings[:12]
    for (name, total, bars), finding in zip(rows, findings, strict=True):
        assert bars == hours(finding), name
        assert total == f"{finding['connections']:,}"
    every: dict[str, int] = {}
    for finding in told["findings"]:
        for hour, count in hours(finding).items():
            every[hour] = every.get(hour, 0) + count
    assert whole == ["all of it", f"{told['counts']['denied']['connections']:,}", every]
    assert told["flows"]["gaps"]
    dark = browser.all("table.times tbody tr:first-child rect.unwatched")
    assert len(dark) == told["flows"]["span"] - told["flows"]["hours"]
    assert browser.complaints() == []
    assert [each for each in browser.requests() if not each.startswith("file:")] == []


def test_bars_can_be_seen_and_lead_to_what_is_missing(browser: Browser, home: Path) -> None:
    visit(browser, home)
    browser.picture("shadow")
    for each in browser.all("table.times svg.bars"):
        assert each.is_displayed()
        assert each.size["width"] > 300
    browser.find("table.times tbody tr:nth-child(2) a").click()
    browser.settle()
    article = browser.find("article:target")
    assert "Effect: names do not resolve." in article.text
    assert "Missing: egress of" in article.text
    top = browser.run("return arguments[0].getBoundingClientRect().top", article)
    assert 0 <= top < browser.run("return innerHeight")
    browser.dark(on=True)
    browser.picture("shadow-dark")
    browser.dark(on=False)


def test_the_numbers_are_those_of_the_bars(browser: Browser, home: Path) -> None:
    visit(browser, home)
    (_, _, bars), *_ = browser.run(BARS)
    browser.find("table.times").find_element(
        "xpath", "../following-sibling::details/summary"
    ).click()
    lines = browser.run(
        "return [...document.querySelectorAll('.wide + details tbody tr')].map(row =>"
        " [row.querySelector('th').textContent, row.querySelector('td').textContent])"
    )
    shown = {hour: int(count.replace(",", "")) for hour, count in lines if count[0].isdigit()}
    assert {hour: count for hour, count in shown.items() if count} == bars
    assert ["2026-01-01T07:00:00Z", "nobody watched"] in lines


@pytest.mark.parametrize("width", [360, 768])
def test_a_narrow_window_shows_all_of_it(browser: Browser, home: Path, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        visit(browser, home)
        browser.picture(f"shadow-{width}")
        assert browser.run("return document.documentElement.scrollWidth") <= width
        for each in browser.all("table.times svg.bars"):
            box = browser.run(
                "const box = arguments[0].getBoundingClientRect(); return [box.left, box.right]",
                each,
            )
            assert 0 <= box[0] < box[1] <= width
            assert box[1] - box[0] > 120
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.complaints() == []
