"""Pictures for other tools, and for pull requests: dot, Mermaid, Markdown, and the matrix."""

import re
import shutil
import subprocess

import pytest

import cloison
from cloison.algebra import L4
from cloison.analyses.connectivity import EndRef, Passage
from cloison.report import PLAIN, Look, formats, render
from cloison.report.text.matrix import SIGNS
from tests.support.pictures import TRAFFIC, made, random_map, workload
from tests.unit.report.results import about, corners, example
from tests.unit.report.test_pictures import HOSTILE


def rendered(kind: str, result: object, output: str, look: Look = PLAIN) -> str:
    return "".join(render(kind, result, about(example()), output, look))


def the_diff() -> object:
    return cloison.diff(example("case-management"), example("case-management-broken"))


def hostile_map(name: str) -> object:
    ends = [workload(name, "x"), workload("b", name), EndRef("node", name=name)]
    return made(ends, {(0, 1): TRAFFIC[0], (1, 2): TRAFFIC[2], (0, 2): Passage(L4)})


# ------------------------------------------------------------------ dot


def test_dot_has_clusters_nodes_and_edges() -> None:
    text = rendered("map", example().map(), "dot")
    assert text.startswith("digraph cloison {\n")
    assert text.endswith("}\n")
    assert text.count("subgraph") == 12
    assert 'label="evidence-api\\nDeployment"' in text
    assert "style=dashed" in text  # what is outside


def test_dot_of_a_difference_tells_kinds_apart() -> None:
    text = rendered("diff", the_diff(), "dot")
    assert text.count("penwidth=2.5") == 1
    assert "style=dashed" in text


@pytest.mark.skipif(shutil.which("nop") is None, reason="Graphviz is not installed")
def test_graphviz_accepts_it_all() -> None:
    results = [("map", example().map()), ("diff", the_diff())]
    results += [("map", hostile_map(name)) for name in HOSTILE]
    results += [("map", random_map(3, 60, 6, 200))]
    text = "".join(rendered(kind, result, "dot") for kind, result in results)
    # `nop` is Graphviz's reader without a layout.
    done = subprocess.run(["nop"], input=text.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"digraph") == len(results)


# ------------------------------------------------------------------ mermaid

_LINE = re.compile(
    r"""\ \ (?:
        %%\ .*
      | subgraph\ g_\w+\["[^"]*"\] | end
      | [nb]_\w+(?:\["[^"]*"\]|\(\["[^"]*"\]\))(?::::\w+)?
      | [nb]_\w+\ (?:---|===|-\.-|<?-->|<?==>|<?-\.->)(?:\|"[^"]*"\|)?\ [nb]_\w+
      | classDef\ \w+\ [\w:#,\ -]+ | linkStyle\ [\d,]+\ [\w:#,\ -]+
    )\Z""",
    re.VERBOSE,
)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_mermaid_is_made_of_known_lines_whatever_the_names(name: str) -> None:
    head, body = rendered("map", hostile_map(name), "mermaid").split("flowchart LR\n")
    assert head == "---\ntitle: Who may talk to whom\n---\n"
    for line in body.splitlines():
        assert _LINE.match(line.replace("    ", "  ", 1)), line
        for label in re.findall(r'"([^"]*)"', line):
            # What is not plain is a number of its own; the one tag is ours.
            assert re.fullmatch(r"(?:[A-Za-z0-9 ./,:_()+*-]|#\d+;|<br>)*", label)


def test_mermaid_styles_edges_by_their_number() -> None:
    text = rendered("diff", the_diff(), "mermaid")
    edges = re.findall(r"^  [nb]_\w+ (---|===|-\.-|-->|==>|-\.->)", text, re.MULTILINE)
    styled = {
        int(number)
        for numbers in re.findall(r"linkStyle ([\d,]+)", text)
        for number in numbers.split(",")
    }
    assert styled == set(range(len(edges)))
    (opened,) = re.findall(r"linkStyle ([\d,]+) stroke:#d55e00", text)
    assert [edges[int(n)] for n in opened.split(",")] == ["==>"]


def test_mermaid_stays_below_its_limit() -> None:
    text = rendered("map", random_map(1, 140, 10, 4000), "mermaid")
    edges = re.findall(r"^  [nb]_\w+ \S+ [nb]_\w+$", text, re.MULTILINE)
    assert 0 < len(edges) <= 500
    assert len(text) < 50_000


# ------------------------------------------------------------------ markdown


def test_markdown_of_a_map_is_a_table() -> None:
    text = rendered("map", example("case-management", "cilium").map(), "md")
    assert "62 edges in 21 lines. What is not listed is denied." in text
    assert "| `TCP/8080 when POST /payments/reservations` |" in text
    assert (
        "| `web/case-portal` | `case-management/case-api`<br>`case-management/case-api-canary` "
        in text
    )
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 21 + 2
    assert {line.count("|") for line in rows} == {4}


def test_markdown_of_a_difference_begins_with_what_is_opened() -> None:
    text = rendered("diff", the_diff(), "md")
    lines = text.splitlines()
    assert lines[2] == "**1 edge opened**, 0 changed, 11 closed."
    assert lines[4] == "#### Opened: 1 edge"
    assert (
        "| `case-management/path-prober` | `evidence/evidence-api` | `+ TCP/8080` | before:" in text
    )
    assert text.index("Opened") < text.index("Closed")
    nothing = cloison.diff(example(), example())
    assert "Nothing: every path is as open" in rendered("diff", nothing, "md")


def test_markdown_folds_what_is_long() -> None:
    text = rendered("map", random_map(2, 60, 10, 300), "md")
    assert "<details><summary>All " in text
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_markdown_holds_no_markup_that_is_not_ours(name: str) -> None:
    text = rendered("map", hostile_map(name), "md")
    text.encode()
    tags = {*re.findall(r"</?([a-z]+)", text)}
    assert tags <= {"br", "code", "details", "summary", "sub"}
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {4}
    for span in re.findall(r"`([^`]*)`", text):
        assert re.fullmatch(r"[A-Za-z0-9 ./,:_()+*?-]*", span)


# ------------------------------------------------------------------ matrix


def matrix(known: object, width: int = 100, *, simple: bool = False, color: bool = False) -> str:
    return rendered("matrix", known, "text", Look(color=color, width=width, simple=simple))


def test_the_matrix_has_a_sign_for_every_pair() -> None:
    known = example("case-management", "cilium").map()
    names = [f"{e.namespace}/{e.name}" for e in known.ends]
    open_ = {
        (
            names.index(f"{e.src.namespace}/{e.src.name}"),
            names.index(f"{e.dst.namespace}/{e.dst.name}"),
        )
        for e in known
        if "ip" not in (e.src.kind, e.dst.kind)
    }
    rows = [line for line in matrix(known).splitlines() if re.match(r"\S+/\S+ +\d+ ", line)]
    assert [row.split()[0] for row in rows][: len(names)] == names
    for src, row in enumerate(rows[: len(names)]):
        for dst, sign in enumerate(row.split()[2:][: len(names)]):
            expected = "some" if (src, dst) in open_ else "itself" if src == dst else "none"
            assert sign == SIGNS[expected].drawn, (names[src], names[dst])


def test_signs_are_told_apart_without_colour() -> None:
    assert len({sign.drawn for sign in SIGNS.values()}) == len(SIGNS)
    assert len({sign.simple for sign in SIGNS.values()}) == len(SIGNS)
    ends = [workload("a", f"w{n}") for n in range(4)]
    known = made(ends, {(0, 1): TRAFFIC[3], (0, 2): TRAFFIC[0], (0, 3): TRAFFIC[2]})
    first = next(line for line in matrix(known).splitlines() if line.startswith("a/w0"))
    assert first.split()[2:] == ["\u2572", "\u2588", "\u2592", "?"]
    plain = matrix(known, simple=True)
    assert plain.isascii()
    assert "a/w0  1 \\ # + ?" in plain
    assert "\x1b" not in matrix(known)
    assert "\x1b" in matrix(known, color=True)


@pytest.mark.parametrize("width", [40, 60, 100])
def test_the_matrix_fits_and_says_what_it_folds(width: int) -> None:
    text = matrix(random_map(4, 90, 8, 400), width)
    table, _, rest = text.partition("\n\n")
    assert max(map(len, table.splitlines())) <= width
    assert "namespaces are each shown as one node" in " ".join(rest.split())


def test_a_whole_namespace_is_full_only_if_every_pair_is() -> None:
    ends = [workload("a", f"w{n}") for n in range(40)] + [workload("b", "one")]
    edges = {(n, 40): TRAFFIC[3] for n in range(40)}
    full = matrix(made(ends, edges), 60)
    assert re.search(r"^a/\* +1 \S* ?\u2588$", full, re.MULTILINE)
    part = matrix(made(ends, dict(list(edges.items())[1:]) | {(0, 1): TRAFFIC[0]}), 60)
    assert re.search(r"^a/\* +1 \u2592 ?\u2592$", part, re.MULTILINE)


def test_nothing_to_map_is_said() -> None:
    assert matrix(cloison.load_texts({}).map()).startswith("no workload was read")


# ------------------------------------------------------------------ which is for what


def test_formats_are_refused_where_they_do_not_exist() -> None:
    assert "svg" in formats("map")
    assert "junit" in formats("verify")
    assert "sarif" in formats("validate")
    for kind, output in (("why", "svg"), ("map", "junit"), ("verify", "sarif"), ("matrix", "json")):
        with pytest.raises(cloison.QuestionError, match=f"{kind} has no {output} output") as error:
            list(render(kind, corners().map(), about(corners()), output))
        assert error.value.help
        assert f"-o {formats(kind)[0]}" in error.value.help
