"""What pictures show, and where."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

import cloison
from cloison.algebra import L4, TrafficSet
from cloison.analyses.connectivity import EndRef, Map, Passage
from cloison.report.picture import draw, of_diff, of_map, place, style
from cloison.report.picture.bundles import Told
from cloison.report.picture.graph import Picture
from tests.support.pictures import TRAFFIC, assert_clean, made, random_map, workload
from tests.support.xml import read_xml
from tests.unit.report.results import corners, example

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    '<script>alert("x")</script>',
    "a|b`c`",
    "]]>--><!--",
    "\x1b[2J\x00\ud800",
    "&lt;\\N\\",
    '"];x["',
    "end",
    "%%{init}%%",
    "\u202egnp.exe",
    "\u6771\u4eac" * 40,
    "#quot;",
    "",
)


def pairs(picture: Picture) -> set[tuple[str, str, str, str]]:
    """Every pair of nodes of which a picture says something, with what."""
    names = {node.id: node.names[0] for node in picture.nodes}
    return {
        (bundle.kind, bundle.title, names[a], names[b])
        for bundle in picture.bundles
        for a in bundle.sources
        for b in bundle.destinations
        if a != b or len(bundle.sources) == len(bundle.destinations) == 1
    }


@pytest.mark.parametrize("name", ["case-management", "case-management-broken"])
def test_a_picture_says_what_the_map_says(name: str) -> None:
    known = example(name).map()
    picture = of_map(known)
    assert picture.notes == ()
    assert not any(group.notes for group in picture.groups)
    names = {end: node.names[0] for end, node in zip(known.ends, picture.nodes, strict=False)}
    told = {
        (kind, Told(kind, traffic, unsure=kind != "allowed").title, names[e.src], names[e.dst])
        for e in known
        if e.src in names and e.dst in names
        for kind, traffic in (("allowed", e.allowed), ("undetermined", e.undetermined))
        if traffic
    }
    assert {p for p in pairs(picture) if "outside" not in f"{p[2]}{p[3]}"} == told


def test_a_difference_shows_what_it_changes_and_nothing_else() -> None:
    before, after = example("case-management"), example("case-management-broken")
    picture = of_diff(cloison.diff(before, after))
    opened = [b for b in picture.bundles if b.kind == "opened"]
    names = {node.id: node.names[0] for node in picture.nodes}
    assert [(names[b.sources[0]], names[b.destinations[0]], b.label) for b in opened] == [
        ("case-management/path-prober", "evidence/evidence-api", "+ TCP/8080")
    ]
    assert {b.kind for b in picture.bundles} == {"opened", "closed"}
    assert "sandbox/case-api" not in names.values()
    mirrored = of_diff(cloison.diff(after, before))
    assert sum(b.pairs for b in mirrored.bundles if b.kind == "closed") == 1
    assert of_diff(cloison.diff(before, before)).notes[0].startswith("Nothing changes")


def test_empty_worlds_are_said() -> None:
    assert of_map(Map((), {}, {}, {})).notes == ("No workload was read.",)
    alone = of_map(made([workload("a", "one")], {}))
    assert alone.notes == ("Nothing is permitted.",)
    assert [node.label for node in alone.nodes] == ["one"]
    for picture in (of_map(Map((), {}, {}, {})), alone):
        assert_clean(place(picture))
        read_xml(draw(place(picture)))


@pytest.mark.parametrize(
    ("workloads", "namespaces", "edges", "limit"),
    [(8, 3, 12, 150), (30, 6, 90, 150), (60, 9, 60, 150), (80, 10, 250, 40), (120, 60, 160, 30)],
)
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_drawn_over_anything(
    seed: int, workloads: int, namespaces: int, edges: int, limit: int
) -> None:
    picture = of_map(random_map(seed, workloads, namespaces, edges), limit)
    assert len(picture.nodes) <= limit
    placed = place(picture)
    assert_clean(placed)
    nodes = {node.id for node in picture.nodes}
    for bundle in picture.bundles:
        lines = [line for line in placed.lines if line.bundle == bundle.id]
        assert {line.src for line in lines if line.src} == {*bundle.sources}
        reached = {line.dst for line in lines if line.head or line.tail}
        assert reached == {*bundle.destinations}
        assert reached <= nodes


def test_too_many_workloads_are_folded_biggest_namespace_first() -> None:
    ends = [workload("big", f"w{n}") for n in range(6)] + [
        workload("small", f"w{n}") for n in (0, 1)
    ]
    known = made(ends, {(0, 6): TRAFFIC[0], (1, 6): TRAFFIC[1], (2, 3): TRAFFIC[0]})
    picture = of_map(known, limit=4)
    big = next(node for node in picture.nodes if node.kind == "namespace")
    # What has no connection goes first: 0, 1, 2, 3 and 6 are left.
    assert (big.label, big.size) == ("big", 4)
    assert big.note == "4 workloads, inside TCP/8080, some"
    assert [node.label for node in picture.nodes if node.size == 1] == ["w0"]
    assert picture.notes == (
        "3 workloads without a connection are not drawn.",
        "1 namespace is drawn as one node, to keep the picture readable: big.",
    )
    (bundle,) = picture.bundles
    assert (bundle.label, bundle.pairs) == ("TCP/53,8080, UDP/53, some", 2)


def test_more_namespaces_than_nodes_are_taken_together() -> None:
    ends = [workload(f"n{n:03}", "w") for n in range(40)]
    known = made(ends, {(n, n + 1): TRAFFIC[0] for n in range(39)})
    picture = of_map(known, limit=10)
    assert len(picture.nodes) == 10
    assert sum(node.size for node in picture.nodes) == 40
    assert picture.notes[-1] == "31 namespaces are drawn together as one node."


def test_too_many_lines_are_folded_too() -> None:
    picture = of_map(random_map(1, 140, 10, 4000))
    assert sum(len(b.sources) + len(b.destinations) for b in picture.bundles) <= 600
    assert len(picture.nodes) < 140


def test_what_all_of_a_namespace_share_is_said_once() -> None:
    ends = [workload("a", f"w{n}") for n in range(4)]
    known = made(ends, {(s, d): Passage(L4) for s in range(4) for d in range(4) if s != d})
    picture = of_map(known)
    assert picture.bundles == ()
    assert [group.notes for group in picture.groups] == [
        ("each to each other: any TCP, UDP or SCTP",)
    ]
    part = replace(known, rows={0: known.rows[0]})
    assert [len(b.destinations) for b in of_map(part).bundles] == [3]


def test_each_to_each_is_one_bundle() -> None:
    ends = [workload(f"n{n}", "w") for n in range(5)]
    known = made(ends, {(s, d): Passage(L4) for s in range(5) for d in range(5) if s != d})
    (bundle,) = of_map(known).bundles
    assert bundle.mutual
    assert bundle.pairs == 20
    assert len(place(of_map(known)).lines) <= 5 + 2


def test_ids_are_those_of_what_is_shown() -> None:
    one = of_map(example().map())
    ends = [workload("evidence", "evidence-api"), workload("evidence", "x")]
    other = of_map(made(ends, {(0, 1): TRAFFIC[0]}))
    same = {node.id for node in one.nodes} & {node.id for node in other.nodes}
    assert same == {node.id for node in one.nodes if node.names == ("evidence/evidence-api",)}
    assert len({node.id for node in one.nodes}) == len(one.nodes)


@pytest.mark.parametrize("length", [5, 9, 16, 40])
def test_a_long_chain_still_fits_a_page(length: int) -> None:
    ends = [workload(f"team-{n:02}", "app") for n in range(length)]
    known = made(ends, {(n, n + 1): TRAFFIC[0] for n in range(length - 1)})
    placed = place(of_map(known))
    assert_clean(placed)
    assert placed.width <= 1800
    columns = sorted({each.box.x for each in placed.nodes})
    by_column = [{e.node.names[0] for e in placed.nodes if e.box.x == x} for x in columns]
    # What comes first in the chain stands further left, or in the same column.
    assert [name for names in by_column for name in sorted(names)] == [
        f"team-{n:02}/app" for n in range(length)
    ]


def test_a_small_change_moves_little() -> None:
    known = random_map(5, 24, 6, 40)
    first = place(of_map(known))
    shrunk = {n: row for n, row in known.rows.items() if n != max(known.rows)}
    second = place(of_map(replace(known, rows=shrunk)))
    order = [node.node.id for node in sorted(first.nodes, key=lambda n: (n.box.x, n.box.y))]
    again = [node.node.id for node in sorted(second.nodes, key=lambda n: (n.box.x, n.box.y))]
    moved = sum(order.index(a) > order.index(b) for a, b in pairwise(again))
    assert moved <= len(order) // 2


def test_svg_is_one_sound_file() -> None:
    text = draw(place(of_map(example().map())))
    root = read_xml(text)
    assert root.get("role") == "img"
    named = {e.get("id"): e for e in root.iter() if e.get("id")}
    for label in (root.get("aria-labelledby") or "").split():
        assert named[label].text
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        "svg", "title", "desc", "style", "g", "rect", "path", "text",
    }  # fmt: skip
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"url\(|@import|@font-face|href|\son\w+=", text)
    assert "prefers-color-scheme: dark" in text
    nodes = {e.get("data-id") for e in root.iter() if e.get("data-id")}
    for element in root.iter():
        for attribute in ("data-src", "data-dst"):
            assert {*(element.get(attribute) or "").split()} <= nodes


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_colours_stand_out_from_the_ground(theme: str) -> None:
    for block in re.findall(r"--ground: [^}]*", style(theme)):
        colors = dict(re.findall(r"--(\w+): (#\w{6})", block))
        ground = _luminance(colors.pop("ground"))
        for name in ("ink", "soft"):
            assert _contrast(_luminance(colors[name]), ground) >= 4.5, name
        for name in (n for n in colors if n.startswith(("hue", "opened", "closed", "changed"))):
            assert _contrast(_luminance(colors[name]), ground) >= 4.5, name


def _luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: float, two: float) -> float:
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)


def test_kinds_differ_by_more_than_colour() -> None:
    rules = style("light")
    looks = {
        kind: tuple(re.findall(rf"\.{kind} \.line[^{{]*{{([^}}]*)}}", rules))
        for kind in ("allowed", "undetermined", "opened", "closed", "changed")
    }
    assert len(set(looks.values())) == len(looks)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_stay_names(name: str) -> None:
    ends = [workload(name, "x"), workload("b", name), EndRef("node", name=name)]
    placed = place(of_map(made(ends, {(0, 1): TRAFFIC[0], (1, 2): TRAFFIC[1]})))
    text = draw(placed)
    text.encode()
    root = read_xml(text)
    assert not [e for e in root.iter() if e.tag.removeprefix(SVG) in ("script", "a", "image")]
    assert "\u202e" not in text
    assert_clean(placed)


def test_pictures_do_not_hang_on_the_order_of_reading() -> None:
    known = corners().map(cloison.MapOptions(pods=True, self_edges=True, nodes=True))
    turned = replace(
        known,
        rows={k: dict(reversed(v.items())) for k, v in reversed(known.rows.items())},
        outward=dict(reversed(known.outward.items())),
        inward=dict(reversed(known.inward.items())),
        itself=dict(reversed(known.itself.items())),
    )
    assert draw(place(of_map(known))) == draw(place(of_map(turned)))


def test_long_lists_are_cut() -> None:
    many = TrafficSet()
    for port in range(1, 60, 2):
        many |= TrafficSet.ports("TCP", port)
    told = Told("allowed", many)
    assert told.label == "TCP/1, 3, 5, 7, 9 and 25 more"
    assert told.title == str(many)
