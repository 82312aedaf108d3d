"""The map's compressed forms, text and groups, stand for exactly the edges of its JSON."""

from collections.abc import Iterator

import pytest

import cloison
from cloison.algebra import AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map, MapOptions, Passage
from cloison.analyses.groups import group_id, grouped
from cloison.report import FORMATS, render
from tests.support.cli import ROOT
from tests.support.maps import assert_forms_agree
from tests.unit.report.results import about, corners, example

APPS = ROOT.parent / "shared" / "data" / "apps"
OPTIONS = {
    "plain": MapOptions(),
    "everything": MapOptions(pods=True, self_edges=True, nodes=True),
    "port": MapOptions(port="8080"),
}
TWINS = """\
apiVersion: v1
kind: Namespace
metadata: {name: a}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: twin, namespace: a}
spec:
  selector: {matchLabels: {app: twin}}
  template:
    metadata: {labels: {app: twin}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: twin, namespace: a}
spec:
  selector: {matchLabels: {app: other}}
  template:
    metadata: {labels: {app: other}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: twin, namespace: a, labels: {app: third}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: twin, namespace: b, labels: {app: third}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: a}
spec:
  podSelector: {matchLabels: {app: twin}}
  ingress: [{from: [{podSelector: {matchLabels: {app: other}}}]}]
"""


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("name", ["case-management", "case-management-broken"])
@pytest.mark.parametrize("width", [40, 100, 400])
def test_the_examples(name: str, options: MapOptions, width: int) -> None:
    assert_forms_agree(example(name), options, width)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_ends_of_every_kind(options: MapOptions) -> None:
    assert_forms_agree(corners(), options)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_workloads_that_share_a_name(options: MapOptions) -> None:
    session = cloison.load_texts({"twins.yaml": TWINS})
    assert_forms_agree(session, options)
    text = "".join(render("map", session.map(), about(session)))
    assert "a/daemonset/twin" in text
    assert "a/pod/twin" in text
    assert "b/twin" in text


def _apps() -> Iterator[tuple[str, ...]]:
    """Every set of files somebody would load at once."""
    for app in sorted(APPS.glob("*/")):
        if app.name == "recipes":
            yield from ((str(file),) for file in sorted(app.glob("*.yaml")))
            continue
        yield (str(app),)
        if (app / "policies").is_dir():
            yield (str(app / "manifests"),)


@pytest.mark.skipif(not APPS.is_dir(), reason="the corpus of applications is not here")
def test_well_known_applications() -> None:
    for files in _apps():
        for options in OPTIONS.values():
            assert_forms_agree(cloison.load(*files), options)


OPEN = Passage(TrafficSet.protocol("TCP"))
ENDS = tuple(EndRef("workload", "web", name, "Deployment") for name in "abcd")


def test_an_open_cluster_has_one_group() -> None:
    every = BitMap(range(4))
    rows = {i: {OPEN: every - BitMap([i])} for i in range(4)}
    found = grouped(Map(ENDS, rows, {}, {}))
    assert [g.members for g in found.groups] == [ENDS]
    assert [(e.src.members, e.dst.members) for e in found.edges] == [(ENDS, ENDS)]


def test_one_to_all_the_others_needs_no_group_of_the_others() -> None:
    every = BitMap(range(4))
    rows = {i: {Passage(TrafficSet.ports("TCP", 80 + i)): every - BitMap([i])} for i in range(4)}
    found = grouped(Map(ENDS, rows, {}, {}))
    assert sorted(len(g.members) for g in found.groups) == [1, 1, 1, 1, 4]
    assert {e.dst.members for e in found.edges} == {ENDS}


def test_what_one_sends_itself_is_a_group_of_one_on_both_sides() -> None:
    found = grouped(Map(ENDS, {}, {}, {}, {2: OPEN}))
    (edge,) = found.edges
    assert edge.src == edge.dst == found.groups[0]
    assert found.groups[0].members == (ENDS[2],)


def test_an_id_says_who_the_members_are() -> None:
    assert group_id(ENDS) == "g7a0db0913402463d"
    block = AddressSet.block("192.0.2.0/24")
    others = [
        ENDS[:3],
        (EndRef("workload", "web", "a", "DaemonSet"),),
        ENDS[:1],
        (EndRef("pod", "web", "a"),),
        (EndRef("node", name="a"),),
        (EndRef("ip", addresses=block),),
        (EndRef("ip", addresses=AddressSet.block("198.51.100.0/24")),),
    ]
    assert len({group_id(members) for members in others}) == len(others)


@pytest.mark.parametrize("output", sorted(set(FORMATS) - {"json", "yaml"}))
def test_groups_are_refused_where_they_are_no_form(output: str) -> None:
    session = example()
    with pytest.raises(cloison.QuestionError, match=f"grouped has no {output} output"):
        list(render("grouped", session.map(), about(session), output))
