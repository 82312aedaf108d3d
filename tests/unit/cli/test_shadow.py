"""`shadow` from end to end: DNS is forgotten, and is named first and counted as it happened."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import cloison
from cloison.app.traffic import Wanted, plan
from cloison.flows.generator.make import connections
from cloison.flows.generator.model import Connection, Made, Place
from tests.support.cli import ROOT, Ran, run_cloison

EXAMPLE = "examples/case-management"
NODES = ("--node-cidr", "192.0.2.8/29")
HOUR = 3_600_000_000
DAYS = 1
DNS = ("kube-system", "coredns", 53)
OPEN = ("case-management", "path-prober")
"""It may call every pod, resolvers too, by a policy of its own."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a day of the example, of which nothing was lost."""
    home = tmp_path_factory.mktemp("shadow")
    ran = run_cloison("flows", "generate", "-f", EXAMPLE, *NODES, "--days", str(DAYS))
    assert ran.exit == 0, ran.err
    (home / "flows.log").write_text(ran.out, encoding="utf-8")
    found = home / "store"
    ran = run_cloison("flows", "ingest", str(home / "flows.log"), "--store", str(found))
    assert ran.exit == 0, ran.err
    return found


def policies() -> list[str]:
    """Return the policies of the example as documents."""
    texts = (path.read_text("utf-8") for path in sorted((ROOT / EXAMPLE).glob("[0-9]*.yaml")))
    every = (each for text in texts for each in re.split(r"^---$", text, flags=re.MULTILINE))
    return [each for each in every if re.search(r"^kind: \w*Policy$", each, re.MULTILINE)]


def without_dns(home: Path) -> Path:
    """Write the policies of the example, all but those that let names be looked up."""
    kept = [
        each for each in policies() if not re.search(r"^  name: allow-dns$", each, re.MULTILINE)
    ]
    assert len(policies()) - len(kept) == 10
    path = home / "candidate.yaml"
    path.write_text("---".join(kept), encoding="utf-8")
    return path


def truth() -> list[Connection]:
    """Return what really happened."""
    session = cloison.load(ROOT / EXAMPLE, runtime=True, node_cidrs=("192.0.2.8/29",))
    return list(connections(plan(session, (), Wanted(days=DAYS))))


def lookups(happened: Iterable[Connection], homes: set[str]) -> list[Connection]:
    """Return the lookups of pods in some namespaces that got through."""
    return [
        each
        for each in happened
        if each.allowed
        and isinstance(each.call.dst, Made)
        and (each.call.dst.namespace, each.call.dst.name, each.call.port) == DNS
        and isinstance(each.call.src, Made)
        and each.call.src.namespace in homes
        and (each.call.src.namespace, each.call.src.name) != OPEN
    ]


def asked(store: Path, *words: str) -> Ran:
    return run_cloison("shadow", *words, "-f", EXAMPLE, *NODES, "--store", str(store))


def answered(store: Path, *words: str) -> dict[str, Any]:
    ran = asked(store, *words, "-o", "json")
    assert ran.exit in (0, 1), ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def name(end: Made | Place) -> str:
    assert isinstance(end, Made)
    return f"{end.namespace}/{end.name}"


def test_forgotten_dns_comes_first_and_is_counted_as_it_happened(
    store: Path, tmp_path: Path
) -> None:
    candidate = without_dns(tmp_path)
    ran = asked(store, str(candidate), "--replace", "-o", "json")
    assert ran.exit == 1
    found = json.loads(ran.out)
    first = found["findings"][0]
    assert first["weight"] == "dns"
    homes = {re.findall(r"^  namespace: (\S+)$", each, re.MULTILINE)[0] for each in policies()}
    happened = truth()
    wanted = lookups(happened, homes - {"kube-system", "sandbox"})
    assert wanted
    assert {c["name"]: c["connections"] for c in first["callers"]} == Counter(
        name(each.call.src) for each in wanted
    )
    assert first["connections"] == len(wanted)
    by_edge = Counter((name(e.call.src), e.call.protocol) for e in wanted)
    assert {(e["srcName"], e["protocol"]): e["connections"] for e in first["edges"]} == by_edge
    by_hour = Counter(
        (name(e.call.src), e.call.protocol, e.time // HOUR * HOUR // 1_000_000) for e in wanted
    )
    told = {
        (e["srcName"], e["protocol"], _seconds(hour)): number
        for e in first["edges"]
        for hour, number in e["hours"].items()
    }
    assert told == by_hour
    # Nothing else is missing, and every connection is in one count.
    assert len(found["findings"]) == 1
    counts = found["counts"]
    assert counts["unplaced"] == {"edges": 0, "connections": 0}
    assert sum(each["connections"] for each in counts.values()) == len(happened)
    assert (found["flows"]["hours"], found["flows"]["span"]) == (24, 24)
    sides = {side["direction"] for edge in first["edges"] for side in edge["missing"]}
    assert sides == {"egress"}


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def test_mends_of_dns_make_the_candidate_deny_nothing(store: Path, tmp_path: Path) -> None:
    candidate = without_dns(tmp_path)
    found = answered(store, str(candidate), "--replace")
    mends = found["findings"][0]["mends"]
    assert all(each["manifest"] for each in mends)
    more = tmp_path / "more.yaml"
    more.write_text("---\n".join(each["manifest"] for each in mends), encoding="utf-8")
    ran = asked(store, str(candidate), str(more), "--replace", "-o", "json")
    assert ran.exit == 0
    assert json.loads(ran.out)["findings"] == []


def test_overlay_changes_what_it_names_and_replace_everything(store: Path, tmp_path: Path) -> None:
    candidate = tmp_path / "deny.yaml"
    candidate.write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: allow-dns, namespace: web}\n"
        "spec: {podSelector: {}, policyTypes: [Egress]}\n",
        encoding="utf-8",
    )
    laid = answered(store, str(candidate))
    assert [each["name"] for each in laid["findings"][0]["callers"]] == ["web/case-portal"]
    assert laid["opens"] is False
    whole = answered(store, str(candidate), "--replace")
    assert whole["opens"] is True
    assert {each["srcName"] for each in whole["findings"][0]["edges"]} == {"web/case-portal"}
    # Of all that the portal calls nothing is left, since nothing else allows it.
    lost = {edge["dstName"] for each in whole["findings"] for edge in each["edges"]}
    assert "case-management/case-api" in lost
    ran = asked(store, str(candidate), "--replace", "--fail-on", "never")
    assert ran.exit == 0
    ran = asked(store, str(candidate), "--fail-on", "opens")
    assert ran.exit == 0


def test_nothing_to_complain_of(store: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.yaml"
    same.write_text(policies()[0], encoding="utf-8")
    ran = asked(store, str(same), "-q")
    assert ran.exit == 0
    assert "nothing that got through would be denied" in ran.out
    # Some connections hang on requests, as they do today.
    assert "as-today" in ran.out


@pytest.mark.parametrize("by", ["workload", "hour"])
def test_sums_are_those_of_the_findings(store: Path, tmp_path: Path, by: str) -> None:
    found = answered(store, str(without_dns(tmp_path)), "--replace", "--by", by)
    total = sum(each["connections"] for each in found["findings"])
    assert sum(each["connections"] for each in found["sums"]) == total
    assert found["by"] == by


def test_no_store(tmp_path: Path) -> None:
    same = tmp_path / "same.yaml"
    same.write_text(policies()[0], encoding="utf-8")
    ran = asked(tmp_path / "nowhere", str(same))
    assert ran.exit == 2
    assert "nowhere" in ran.err


class _Reader(HTMLParser):
    """Collects what a page asks for, and the labels of its pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.asks: list[str] = []
        self.labels: list[str] = []
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.tags: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        held = {key: value or "" for key, value in attrs}
        self.asks += [held[key] for key in ("src", "srcset", "style") if key in held]
        if tag == "svg":
            assert held["role"] == "img"
            self.labels.append(held["aria-label"])
        self.anchors |= {held["id"]} if "id" in held else set()
        self.links |= {held["href"]} if "href" in held else set()


def test_page_asks_for_nothing_and_says_its_bars(store: Path, tmp_path: Path) -> None:
    candidate = without_dns(tmp_path)
    ran = asked(store, str(candidate), "--replace", "-o", "html")
    page = _Reader()
    page.feed(ran.out)
    assert page.asks == []
    assert page.tags["script"] == page.tags["img"] == page.tags["link"] == 0
    assert {link.removeprefix("#") for link in page.links} <= page.anchors
    assert page.labels
    assert all("DNS" in label for label in page.labels)
    assert "The same as numbers" in ran.out


def test_markdown_and_text_name_dns_first(store: Path, tmp_path: Path) -> None:
    candidate = str(without_dns(tmp_path))
    for form in ("text", "md"):
        ran = asked(store, candidate, "--replace", "-o", form, "-q")
        assert ran.exit == 1
        assert "DNS: 13 callers" in ran.out
        assert "24 of 24 hours were" in ran.out


def test_what_was_tried_on_nothing_has_not_passed(store: Path, tmp_path: Path) -> None:
    ran = asked(store, str(without_dns(tmp_path)), "--since", "2030-01-01", "-q")
    assert ran.exit == 2
    assert "nothing can be said" in ran.out
    assert "never seen" not in ran.out.replace("still permitted, and never seen", "")


def test_flows_of_another_time_are_told_with_theirs(store: Path, tmp_path: Path) -> None:
    """A window without flows does not mean that there are none."""
    said = (str(without_dns(tmp_path)), "-f", EXAMPLE, "--store", str(store), "-q")
    ran = run_cloison("shadow", *said, "--since", "2030-01-01T00:00Z")
    assert ran.exit == 2
    line = " ".join(ran.out.splitlines()[1:3])
    assert "has no flows since 2030-01-01T00:00:00Z" in line
    assert "from 2026-01-01T00:00:00Z" in " ".join(ran.out.split())


def test_sums_of_nothing_have_no_heading(store: Path, tmp_path: Path) -> None:
    """Where nothing would be denied, there is nothing to sum up."""
    candidate = tmp_path / "same.yaml"
    candidate.write_text("---".join(policies()), encoding="utf-8")
    said = (str(candidate), "-f", EXAMPLE, *NODES, "--store", str(store), "-q")
    ran = run_cloison("shadow", *said, "--by", "workload")
    assert ran.exit == 0, ran.out
    assert "denied by" not in ran.out
