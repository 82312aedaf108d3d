"""What is said of policies that do not do what they should."""

import json
from pathlib import Path

import yaml

from cloison.analyses.recommend.model import Recommended
from cloison.app.recommend import doubted, withheld, written
from cloison.base import Severity
from cloison.platform import profile
from cloison.report import Judged, render
from cloison.report.about import About
from tests.support.recommending import cluster, recommended, seen, workload

WEB = workload("web/portal", 8080)
BARE = workload("shop/bare", 8080, labels={"pod-template-hash": "f00d"})
ROWS = (seen("web/portal", "shop/bare", 8080), seen("web/portal", "203.0.113.7", 443))
CALL = "web-portal-to-shop-bare"
ABOUT = About("0", profile("generic"), "default")


def unselected() -> Recommended:
    """Return what is recommended where no labels select a workload that is called."""
    return recommended(cluster(WEB, BARE), ROWS)


def told(found: Recommended, form: str) -> str:
    """Return it in an output format."""
    return "".join(render("recommended", Judged(found, found.findings), ABOUT, form))


def test_a_call_for_which_no_policy_could_be_written_is_not_among_those_let_through() -> None:
    found = unselected()
    assert set(found.refused) == {CALL}
    assert found.refused[CALL].startswith("CON202: no labels select exactly Deployment shop/bare")
    text = told(found, "text")
    through, _, lost = text.partition("\nNOT LET THROUGH, or not all of it:\n")
    assert f"\n  {CALL}: " not in through
    assert lost.startswith(f"  {CALL}: ")
    assert "\n  web-portal-to-web-portal-out-443: " in through
    calls = {each["name"]: each["refused"] for each in json.loads(told(found, "json"))["calls"]}
    assert calls == {CALL: found.refused[CALL], "web-portal-to-web-portal-out-443": None}
    shown = told(found, "md")
    assert "1 call not let through, or not in whole" in shown
    assert "1 call let through" in shown
    rows = told(found, "csv").splitlines()
    assert [CALL in each for each in rows if "not let through: CON202" in each] == [True]


def test_the_line_says_why_it_is_not_proved() -> None:
    found = unselected()
    head = " ".join(told(found, "text").partition("\n\n")[0].split())
    assert "NOT PROVED: 1 of 2 observed edges that are meant pass" in head
    assert "; because of CON202: no labels select exactly Deployment shop/bare" in head


def test_a_default_deny_names_whom_it_shuts_without_a_policy_of_their_own() -> None:
    found = unselected()
    denies = {
        each.sheet.namespace: yaml.safe_load(each.text)["metadata"]["annotations"]
        for each in found.result.files
        if not each.sheet.workloads
    }
    key = "policy.cloison.dev/shut"
    assert denies["shop"][key].endswith("no labels select them: shop/bare")
    assert key not in denies["web"]


def test_nothing_is_written_of_what_is_withheld(tmp_path: Path) -> None:
    found = withheld(unselected(), tmp_path)
    assert not list(tmp_path.iterdir())
    (said,) = (each for each in found.findings if each.code == "REC004")
    assert said.severity is Severity.ERROR
    assert found.unproved == unselected().unproved


def test_files_that_are_not_proved_say_so_first(tmp_path: Path) -> None:
    found = unselected()
    done = written(found, tmp_path, proved=False)
    assert [each.path for each in done.result.files] == [each.path for each in found.result.files]
    for each in doubted(found.result).files:
        text = (tmp_path / each.path).read_text(encoding="utf-8")
        assert text == each.text
        assert text.startswith("# Written by cloison recommend. NOT PROVED: they do not do")
