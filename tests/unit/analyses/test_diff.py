"""What counts as a change, who is responsible for it, and that nothing else is told."""

from pathlib import Path

import pytest

import cloison
from cloison.algebra import ANY, L4, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map, MapOptions, Passage
from cloison.analyses.diff import Diff, Kind, PolicyKind, Seen, Shift, compare
from cloison.app import Session
from cloison.base import UnknownEndpointError
from cloison.ir.caveats import POD_ADDRESS_UNKNOWN
from tests.support.changes import undone
from tests.support.cli import ROOT

EXAMPLES = sorted(p for p in (ROOT / "examples").iterdir() if p.is_dir())
APPS = ROOT.parent / "shared" / "data" / "apps"
HTTP, ALT = TrafficSet.ports("TCP", 80), TrafficSet.ports("TCP", 8080)
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: a, labels: {app: NAME}}
spec: {containers: [{name: c, image: i}]}
"""
WORLD = "---\n".join(POD.replace("NAME", name) for name in ("api", "web", "ops"))
POLICY = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: NAME, namespace: a}
spec: SPEC
"""


def world(text: str = WORLD, **policies: str) -> Session:
    said = [POLICY.replace("NAME", n).replace("SPEC", s) for n, s in policies.items()]
    return cloison.load_texts({"world.yaml": text + "".join(said)})


def told(diff: Diff) -> dict[tuple[str, str], tuple[str, str, str]]:
    return {
        (c.src.name or str(c.src.addresses), c.dst.name or str(c.dst.addresses)): (
            str(c.kind),
            str(c.gained),
            str(c.lost),
        )
        for c in diff
    }


def test_the_example_and_its_broken_twin_differ_as_the_readme_says() -> None:
    examples = ROOT / "examples"
    diff = cloison.diff(str(examples / "case-management"), str(examples / "case-management-broken"))
    readme = (examples / "case-management-broken" / "README.md").read_text(encoding="utf-8")
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in readme.splitlines()
        if line.startswith(("| opened", "| closed"))
    ]
    expected = {
        (kind, src, dst.strip(), port)
        for kind, src, dsts, port, _ in table
        for dst in dsts.split(",")
    }
    found = {
        (
            str(change.kind),
            f"{change.src.namespace}/{change.src.name}",
            str(change.dst.addresses or f"{change.dst.namespace}/{change.dst.name}"),
            _port(change.gained | change.lost),
        )
        for change in diff
    }
    assert found == expected
    assert diff.counts == {Kind.OPENED: 1, Kind.CLOSED: 11, Kind.CHANGED: 0}


def _port(traffic: TrafficSet) -> str:
    ports = {str(entry.low): entry.protocol for entry in traffic.entries()}
    (port,) = ports
    protocols = sorted((e.protocol for e in traffic.entries()), reverse=True)
    return port if protocols == ["TCP"] else f"{port} {', '.join(protocols)}"


@pytest.mark.parametrize(
    ("src", "dst", "before", "after"),
    [
        (
            "path-prober",
            "evidence-api",
            "evidence/evidence-api isolates ingress",
            "evidence/evidence-api ingress rule 1",
        ),
        (
            "case-api",
            "enforcement-api",
            "enforcement/enforcement-api ingress rule 1",
            "enforcement/enforcement-api isolates ingress",
        ),
        (
            "payments-api",
            "coredns",
            "payments/allow-dns egress rule 1",
            "payments/default-deny isolates egress",
        ),
        (
            "case-api-canary",
            "evidence-api",
            "case-management/case-api egress rule 1",
            "case-management/default-deny isolates egress",
        ),
        (
            "enforcement-api",
            "audit-writer",
            "enforcement/enforcement-api egress rule 1",
            "enforcement/enforcement-api isolates egress",
        ),
        (
            "prometheus",
            "audit-writer",
            "audit/allow-metrics-scrape ingress rule 1",
            "audit/default-deny isolates ingress",
        ),
    ],
)
def test_each_mistake_is_owed_to_the_policy_it_was_made_in(
    src: str, dst: str, before: str, after: str
) -> None:
    was, now = (str(ROOT / "examples" / f"case-management{s}") for s in ("", "-broken"))
    (change,) = (c for c in cloison.diff(was, now) if (c.src.name, c.dst.name) == (src, dst))
    assert before in [d.text for d in change.reasons.before]
    assert after in [d.text for d in change.reasons.after]
    # The other end decided the same before and after, and is no reason.
    directions = {d.direction for d in (*change.reasons.before, *change.reasons.after)}
    assert len(directions) == 1


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_nothing_is_different_from_itself(example: Path) -> None:
    assert_same(example)


@pytest.mark.skipif(not APPS.is_dir(), reason="the applications are not at hand")
@pytest.mark.parametrize(
    "app", sorted(p for p in APPS.glob("*") if p.is_dir()), ids=lambda path: path.name
)
def test_no_application_is_different_from_itself(app: Path) -> None:
    assert_same(app)


def assert_same(source: Path) -> None:
    one, other = (cloison.load(str(source)) for _ in range(2))
    diff = one.diff(other, MapOptions(pods=True, nodes=True))
    assert not diff
    assert not list(diff)
    assert not [*diff.policies, *diff.lines, *diff.new_ends, *diff.removed_ends]
    assert (diff.opens, diff.closes) == (False, False)


def test_an_edge_that_carries_other_traffic_both_gains_and_loses() -> None:
    rule = "{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: %d}]}]}"
    diff = world(guard=rule % 80).diff(world(guard=rule % 8080))
    expected = ("changed", "TCP/8080", "TCP/80")
    assert told(diff) == dict.fromkeys(
        [("web", "api"), ("ops", "api"), ("0.0.0.0/0, ::/0", "api")], expected
    )
    assert diff.opens
    assert diff.closes
    (change, *_) = diff.changed
    assert {d.policy.name for d in change.reasons.after if d.policy} == {"guard"}


def test_only_the_addresses_that_differ_are_told() -> None:
    rule = "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{ipBlock: {cidr: %s}}]}]}"
    was, now = (world(guard=rule % cidr) for cidr in ("192.0.2.0/24", "192.0.2.0/25"))
    (change,) = was.diff(now)
    assert (change.kind, str(change.src.addresses)) == (Kind.CLOSED, "192.0.2.128/25")
    blocks = "{ipBlock: {cidr: 192.0.2.128/25}}, {ipBlock: {cidr: 192.0.2.0/25}}"
    halves = rule.replace("{ipBlock: {cidr: %s}}", blocks)
    assert not was.diff(world(guard=halves))


def test_a_policy_nobody_can_read_opens_what_was_closed_and_closes_what_was_open() -> None:
    foreign = """\
---
apiVersion: crd.antrea.io/v1beta1
kind: NetworkPolicy
metadata: {name: strange, namespace: a}
spec: {appliedTo: [{podSelector: {matchLabels: {app: api}}}], ingress: [{}]}
"""
    free = world()
    loosened = world(WORLD + foreign).diff(free)
    assert loosened.opens
    assert not loosened.closes
    assert {c.kind for c in loosened} == {Kind.CHANGED}
    (change, *_) = loosened
    assert change.before.undetermined
    assert not change.after.undetermined
    deny = "{podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress]}"
    doubtful = world(deny=deny).diff(world(WORLD + foreign, deny=deny))
    assert {c.kind for c in doubtful if c.dst.name == "api"} == {Kind.OPENED}
    assert {c.kind for c in doubtful if c.src.name == "api"} == {Kind.CHANGED}


@pytest.mark.parametrize(
    ("before", "after", "gained", "lost"),
    [
        (Passage(HTTP), Passage(HTTP | ALT), ALT, NO_TRAFFIC),
        (Passage(NO_TRAFFIC, HTTP), Passage(HTTP), HTTP, NO_TRAFFIC),
        (Passage(NO_TRAFFIC), Passage(NO_TRAFFIC, HTTP), HTTP, NO_TRAFFIC),
        (Passage(HTTP), Passage(ALT, HTTP), ALT, HTTP),
        (Passage(ANY), Passage(L4), NO_TRAFFIC, ANY - L4),
    ],
)
def test_up_is_gained_and_down_is_lost(
    before: Passage, after: Passage, gained: TrafficSet, lost: TrafficSet
) -> None:
    shift = Shift(before, after)
    assert (shift.gained, shift.lost) == (gained, lost)
    assert (undone(shift).gained, undone(shift).lost) == (lost, gained)


def test_traffic_that_may_pass_is_compared_too_and_what_an_answer_stands_on_is_not() -> None:
    ends = tuple(EndRef("workload", "a", name, "Deployment") for name in ("api", "web"))

    def held(passage: Passage) -> Map:
        place = AddressSet.block("192.0.2.0/24")
        return Map(ends, {0: {passage: BitMap([1])}}, {1: {passage: place}}, {}, {1: passage})

    sure, doubtful = Passage(HTTP), Passage(HTTP, ALT)
    diff = compare(held(sure), held(doubtful))
    assert {(c.kind, str(c.gained), str(c.lost)) for c in diff} == {
        (Kind.CHANGED, "TCP/8080", "none")
    }
    assert diff.counts[Kind.CHANGED] == 3
    assert not compare(held(sure), held(Passage(HTTP, NO_TRAFFIC, (POD_ADDRESS_UNKNOWN,))))


def test_a_new_workload_is_told_as_new() -> None:
    small = "---\n".join(POD.replace("NAME", name) for name in ("api", "web"))
    diff = world(small).diff(world())
    assert [end.name for end in diff.new_ends] == ["ops"]
    assert all(Seen.AFTER in (c.shift.src, c.shift.dst) for c in diff)
    assert {c.kind for c in diff} == {Kind.OPENED}
    assert all(Seen.AFTER in (line.shift.src, line.shift.dst) for line in diff.lines)


def test_a_filter_may_name_what_one_side_only_has() -> None:
    small = "---\n".join(POD.replace("NAME", name) for name in ("api", "web"))
    diff = world(small).diff(world(), MapOptions(focus=("a/ops",), port="80"))
    assert {"ops"} <= {c.src.name for c in diff} | {c.dst.name for c in diff}
    assert {str(c.gained) for c in diff} == {"TCP/80"}
    assert diff.partial
    with pytest.raises(UnknownEndpointError, match="a/opps"):
        world(small).diff(world(), MapOptions(focus=("a/opps",)))
    with pytest.raises(UnknownEndpointError, match="namespace 'b'"):
        world(small).diff(world(), MapOptions(namespace="b"))


def test_policies_without_effect_are_listed_and_change_nothing() -> None:
    deny = "{podSelector: {}}"
    rules = "{podSelector: {}, ingress: [{ports: [{port: 1}, {port: 2}]}, {ports: [{port: 3}]}]}"
    turned = "{podSelector: {}, ingress: [{ports: [{port: 3}]}, {ports: [{port: 2}, {port: 1}]}]}"
    before = world(old=deny, same=rules)
    after = world(new=deny, same=turned, more="{podSelector: {matchLabels: {app: api}}}")
    diff = before.diff(after)
    assert not diff
    assert [(p.kind, p.id.name, p.was and p.was.name) for p in diff.policies] == [
        (PolicyKind.ADDED, "more", None),
        (PolicyKind.RENAMED, "new", "old"),
    ]
