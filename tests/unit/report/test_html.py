"""The html report: what it embeds, and that nothing in it can get out."""

import base64
import hashlib
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import cloison
from cloison.algebra import L4
from cloison.analyses.ask import ask
from cloison.analyses.connectivity import MapOptions
from cloison.analyses.ledger import ledger
from cloison.app import Session, load_objects
from cloison.base import Diagnostic, Severity
from cloison.report import About, render
from cloison.report.html import Content, Side
from cloison.report.picture import of_map
from tests.support.large import default_deny, open_cluster
from tests.support.page import Page, embedded
from tests.support.pictures import random_map
from tests.support.session import load
from tests.support.worlds import random_world

EXAMPLE = str(Path(__file__).parents[3] / "examples" / "case-management")
BROKEN = f"{EXAMPLE}-broken"
GUARDED = str(Path(__file__).parents[3] / "examples" / "guardrails")


def page(session: Session, options: MapOptions | None = None, **said: Any) -> str:
    content = Content(session.map(options), (Side(ledger(session.engine), "-f here"),), **said)
    return written(session, "map", content)


def written(session: Session, kind: str, content: object) -> str:
    about = About("0", session.profile, "default", session.diagnostics)
    return "".join(render(kind, content, about, "html"))


@pytest.fixture(scope="module")
def example() -> Session:
    return cloison.load(EXAMPLE)


def cells(read: Page) -> list[tuple[int, int]]:
    ends, inside = range(len(read.names)), read.data["inside"]
    return [(a, b) for a in ends for b in ends if a < inside or b < inside]


def test_every_cell_of_the_example_says_what_why_says(example: Session) -> None:
    read = Page(embedded(page(example, MapOptions(self_edges=True))))
    pairs = cells(read)
    assert len(pairs) > 400
    for src, dst in pairs:
        answer = ask(example.engine, example.question(read.names[src], read.names[dst]))
        where = (read.names[src], read.names[dst])
        assert read.why(src, dst) == (str(answer.verdict), answer.allowed), where
        if src != dst:
            assert read.cell(src, dst) == read.passes(src, dst), where


def test_the_matrix_holds_every_edge_of_the_map(example: Session) -> None:
    found = example.map()
    read = Page(embedded(page(example)))
    at = {name: end for end, name in enumerate(read.names)}
    inner = [edge for edge in found if {edge.src.kind, edge.dst.kind} == {"workload"}]
    inside = read.data["inside"]
    filled = {(a, b) for a, b in cells(read) if max(a, b) < inside and read.state(a, b)}
    for edge in inner:
        src, dst = (at[f"{e.namespace}/{e.name}"] for e in (edge.src, edge.dst))
        assert read.cell(src, dst) == (edge.allowed, edge.passage.open)
        some = [(traffic, allowed) for traffic, allowed, _ in read.conditions(src, dst)]
        texts = [(traffic, read.data["requests"][allowed][0]) for traffic, allowed in some]
        assert texts == [(each.traffic, str(each.allowed)) for each in edge.passage.when]
        filled.remove((src, dst))
    assert inner
    assert not filled


def test_edges_are_counted_as_the_map_counts_them(example: Session) -> None:
    worlds = [load(random_world(random.Random(seed))) for seed in range(880_000, 880_008)]
    maps = [session.map(MapOptions(self_edges=True)) for session in (example, *worlds)]
    looks: set[str] = set()
    for known in (*maps, random_map(1, 30, 6, 90)):
        told = embedded(written(example, "map", known))["edges"]
        edges = list(known)
        open_ports = [edge.allowed >= L4 for edge in edges if edge.allowed]
        assert told.get("all", 0) == sum(open_ports)
        assert told.get("some", 0) == len(open_ports) - sum(open_ports)
        assert told.get("doubt", 0) == sum(bool(edge.passage.open) for edge in edges)
        assert told.get("when", 0) == sum(bool(edge.passage.when) for edge in edges)
        looks |= set(told)
    assert looks == {"all", "some", "when", "doubt"}
    change = example.diff(cloison.load(BROKEN))
    told = embedded(written(example, "diff", change))["edges"]
    assert told == {str(kind): number for kind, number in change.counts.items()}


def test_what_the_picture_leaves_out_is_said_above_it() -> None:
    session = load_objects(open_cluster(200))
    text = page(session)
    picture = of_map(session.map())
    assert len(picture.nodes) <= 150
    assert picture.notes
    for note in picture.notes:
        assert f"<p>{note}</p>" in text
    assert "allowed; the same traffic has the same colour" in text.partition('id="drawing"')[0]


def test_a_part_of_the_map_has_only_its_ends(example: Session) -> None:
    text = page(example, MapOptions(focus=("web/case-portal",), port="8080"), scope="--focus x")
    data = embedded(text)
    names = Page(data).names
    assert data["partial"] is True
    assert data["scope"] == "--focus x"
    assert "web/case-portal" in names
    assert "telemetry/otel-collector" not in names


def test_a_difference_knows_both_sides(example: Session) -> None:
    broken = cloison.load(BROKEN)
    result = example.diff(broken)
    was, now = ledger(example.engine), ledger(broken.engine)
    sides = (Side(was, "a", "Before"), Side(now, None, "After"))
    data = embedded(written(broken, "diff", Content(result, sides, "Changes")))
    before, after = Page(data, 0), Page(data, 1)
    kinds = []
    for src, dst in cells(before):
        state = before.state(src, dst)
        if state is None:
            continue
        kinds.append(state[2])
        # A cell's two passages are what either world's own decisions say.
        assert before.passage(state[0]) == before.passes(src, dst)
        assert after.passage(state[1]) == after.passes(src, dst)
    assert kinds.count("opened") == len(result.opened)
    assert kinds.count("closed") == len(result.closed)
    assert kinds.count("changed") == len(result.changed)
    assert data["sides"][1]["asked"] is None


def test_a_difference_of_nothing_is_a_page_too(example: Session) -> None:
    result = example.diff(example)
    data = embedded(written(example, "diff", Content(result, (), "Nothing")))
    assert data["ends"] == data["rows"] == []


def test_a_page_says_what_is_shown_as_if_it_were_enforced(example: Session) -> None:
    assert embedded(page(example))["previews"] == []
    guarded = cloison.load(GUARDED, profile="calico@3.32").staged()
    said = embedded(page(guarded))["previews"]
    assert any(s.startswith("StagedNetworkPolicy shop/web is shown as if it were") for s in said)
    assert "Calico's own preview" in said[-1]


def test_a_map_without_reasons_is_a_page_too(example: Session) -> None:
    data = embedded(written(example, "map", example.map()))
    assert data["sides"] == []
    assert len(data["ends"]) > 10


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    "<!--cloison:script-->",
    "a\u2028b\u2029c",
    "right\u202eleft",
    '"&quot;\\u003c',
)


def hostile() -> list[dict[str, Any]]:
    """Return manifests whose free text is hostile: what a name may not hold, a label may."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"pod-{number}", "namespace": "web"},
            "spec": {"containers": [{"name": "c", "image": text}]},
        }
        for number, text in enumerate(HOSTILE)
    ]


def test_nothing_gets_out_of_the_data() -> None:
    session = load_objects(hostile())
    said = [Diagnostic("X", Severity.ERROR, text, None, text, text, text, text) for text in HOSTILE]
    about = About("0", session.profile, "default", tuple(said))
    asked = " ".join(HOSTILE)
    content = Content(session.map(), (Side(ledger(session.engine), asked),), asked, asked)
    text = "".join(render("map", content, about, "html"))
    start = text.index('id="data">') + len('id="data">')
    data = text[start : text.index("</script>", start)]
    assert not re.search("[<>&\u2028\u2029]", data)
    assert json.loads(data)["title"].startswith(HOSTILE[0])
    # The tags are those of the template: two styles' worth of nothing, one data block, one script.
    assert text.count("<script") == text.count("</script>") == 2
    assert "\u202e" not in text
    assert "alert(1)" not in text.replace(data, "")


def test_the_policy_lets_only_the_page_s_own_parts_in(example: Session) -> None:
    text = page(example)
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert found is not None
    rules = dict(rule.split(" ", 1) for rule in found[1].split("; "))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in found[1]
    for tag, name in (("script", "script-src"), ("style", "style-src")):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(bodies) == 1
        digest = base64.b64encode(hashlib.sha256(bodies[0].encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"


def test_the_page_names_no_address_of_anybody(example: Session) -> None:
    text = page(example)
    assert not re.findall(r"""(?:src|href|url|action)\s*[=(]\s*["']?(?!\#)(?:https?:)?//""", text)
    assert "@import" not in text
    assert " style=" not in text
    assert not re.search(r"\son\w+=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))


def shuffled(objects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*objects[1::2], *reversed(objects[::2])]


def test_reading_order_does_not_change_a_byte() -> None:
    objects = default_deny(60)
    one, other = (page(load_objects(each)) for each in (objects, shuffled(objects)))
    # Where in the list an object was written is part of the answer.
    places = re.compile(r'("policies"|"rules"):\[.*?\]\]', re.DOTALL)
    assert places.sub("", one) == places.sub("", other)
    assert page(load_objects(objects)) == one


def test_an_open_cluster_is_embedded_in_a_few_numbers() -> None:
    small, large = (embedded(page(load_objects(open_cluster(n)))) for n in (40, 80))
    for part in ("sets", "rowKinds", "states"):
        assert len(large[part]) == len(small[part]) <= 2
    assert len(large["sides"][0]["decisions"]) == 2


def test_blocks_outside_are_told_apart_as_far_as_rules_do(example: Session) -> None:
    data = embedded(page(example))
    outside = data["ends"][data["inside"] :]
    assert "10.42.15.0/28" in [name for _, name, *_ in outside]
    for _, name, kind, asked, full in outside:
        assert kind == "addresses"
        assert len(name) < 60
        assert asked
        assert full
