"""Exposure, case by case: what is told, in which words, and what is left open."""

from typing import Any

import pytest

import cloison
from cloison.algebra import LabelSelector, LabelSet, Operator, Requirement
from cloison.analyses.exposure import (
    EVERY_POD,
    Exposure,
    Homes,
    Region,
    asked_of,
    is_open,
    meeting,
)
from cloison.app import Session
from cloison.ir import caveats as known
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Direction
from cloison.report.text.exposure import peer_words
from cloison.resources.objects import ACCOUNT_NAME_LABEL

WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: red}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {team: blue}}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: i, ports: [{name: sql, containerPort: 5432}]}]}
"""
NAME = "kubernetes.io/metadata.name"
NOT = f"{{key: {NAME}, operator: NotIn, values:"
OTHER = "{key: app, operator: NotIn, values: [a, b]}"
HAS, NO = "operator: Exists", "operator: DoesNotExist"


def policy(spec: str, namespace: str = "shop", name: str = "p") -> str:
    head = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    return f"{head}metadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def world(*policies: str) -> Session:
    return cloison.load_texts({"world.yaml": WORLD + "".join(policies)})


def told(session: Session, direction: Direction = Direction.INGRESS) -> list[tuple[str, str, str]]:
    """Return who may reach the database (or be reached by it), with what, and how sure."""
    exposure = session.exposure()
    return [
        (peer_words(o.region, exposure.homes), str(o.traffic), str(o.verdict))
        for e in exposure.exposed
        if e.direction is direction
        for o in e.openings
    ]


def ingress(*peers: str, ports: str = "[{port: 5432}]") -> str:
    return policy(
        f"{{podSelector: {{}}, ingress: [{{from: [{', '.join(peers)}], ports: {ports}}}]}}"
    )


def test_without_policies_everything_is_open_to_anybody() -> None:
    assert told(world()) == [("any pod in any namespace", "any", "allowed")]
    assert told(world(), Direction.EGRESS) == [("any pod in any namespace", "any", "allowed")]


def test_a_default_deny_leaves_nothing() -> None:
    assert told(world(policy("{podSelector: {}}"))) == []


def test_a_narrow_region_tells_only_what_it_has_in_addition() -> None:
    both = (
        "{podSelector: {}, ingress: [{ports: [{port: 80}]}, "
        "{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}, {port: 81}]}]}"
    )
    assert told(world(policy(both))) == [
        ("any pod in any namespace", "TCP/80", "allowed"),
        ("app=web in namespace shop", "TCP/81", "allowed"),
    ]


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        ("{namespaceSelector: {}}", "any pod in any namespace"),
        (
            "{namespaceSelector: {matchLabels: {team: red}}}",
            "any pod in namespaces labelled team=red",
        ),
        (
            "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}",
            "any pod in namespace ops",
        ),
        (
            f"{{namespaceSelector: {{matchExpressions: [{NOT} [shop, ops]}}]}}}}",
            "any pod in any new namespace",
        ),
        (
            f"{{namespaceSelector: {{matchExpressions: [{NOT} [shop]}}]}}}}",
            "any pod in any namespace but shop",
        ),
        (
            f"{{podSelector: {{matchExpressions: [{{key: app, {HAS}}}, {OTHER}]}}}}",
            "app, app notin (a,b) in namespace shop",
        ),
    ],
)
def test_regions_in_words(peer: str, words: str) -> None:
    assert told(world(ingress(peer))) == [(words, "TCP/5432", "allowed")]


@pytest.mark.parametrize(
    "peer",
    [
        f"{{podSelector: {{matchExpressions: [{{key: app, {HAS}}}, {{key: app, {NO}}}]}}}}",
        f"{{namespaceSelector: {{matchExpressions: [{{key: {NAME}, {NO}}}]}}}}",
        "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops, team: red}}}",
        "{ipBlock: {cidr: 192.0.2.0/24}}",
    ],
)
def test_what_no_pod_can_be_is_left_out(peer: str) -> None:
    assert told(world(ingress(peer))) == []


def test_a_namespace_that_denies_its_own_pods_is_left_out() -> None:
    closed = policy("{podSelector: {}, policyTypes: [Egress]}", "ops")
    assert told(world(closed)) == [("any pod in any namespace but ops", "any", "allowed")]


def test_pods_that_the_other_end_lets_out_are_told_by_their_labels() -> None:
    some = policy(
        "{podSelector: {matchLabels: {app: web, tier: front}}, policyTypes: [Egress], "
        "egress: [{ports: [{port: 5432}]}]}",
        "ops",
    )
    assert told(world(some)) == [
        ("any pod in any namespace but ops", "any", "allowed"),
        ("any pod in namespace ops", "TCP/5432", "allowed"),
        ("any pod but app=web, tier=front in namespace ops", "any", "allowed"),
    ]


def test_a_port_by_name_may_be_any_number_on_a_pod_nobody_knows() -> None:
    named = policy("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: sql}]}]}")
    everything = told(world(named), Direction.EGRESS)
    assert everything == [("any pod in any namespace", "TCP", "undetermined")]
    # On the database itself the name has its number.
    here = policy("{podSelector: {}, ingress: [{ports: [{port: sql}]}]}")
    assert told(world(here)) == [("any pod in any namespace", "TCP/5432", "allowed")]


def test_twenty_policies_of_two_labels_are_no_explosion() -> None:
    many = [
        policy(
            f"{{podSelector: {{matchLabels: {{name: n{i}, part: p{i}}}}}, policyTypes: [Egress]}}",
            "ops",
            f"p{i}",
        )
        for i in range(20)
    ]
    assert told(world(*many)) == [
        ("any pod in any namespace but ops", "any", "allowed"),
        ("any pod but those of 20 selectors in namespace ops", "any", "allowed"),
    ]


def test_open_means_that_no_label_is_asked_for() -> None:
    session = world(ingress("{podSelector: {}}", "{namespaceSelector: {}}"))
    (one,) = only(session, destinations=("shop/db",)).exposed
    assert [is_open(o.region) for o in one.openings] == [True]
    (one,) = only(world(ingress("{podSelector: {}}")), destinations=("shop/db",)).exposed
    assert [is_open(o.region) for o in one.openings] == [False]


def only(session: Session, **said: Any) -> Exposure:
    return session.exposure(cloison.MapOptions(**said))


def test_filters_choose_workloads_directions_and_traffic() -> None:
    session = world()
    assert set(only(session, sources=("shop/db",)).asked) == {Direction.EGRESS}
    assert set(only(session, destinations=("shop/db",)).asked) == {Direction.INGRESS}
    assert only(session, namespace="ops").exposed == ()
    (one, _) = only(session, port="80").exposed
    assert [str(o.traffic) for o in one.openings] == ["TCP/80"]
    assert only(session, port="80").partial
    assert not session.exposure().partial
    with pytest.raises(cloison.QuestionError, match="only workloads have an exposure"):
        only(session, focus=("192.0.2.1",))
    with pytest.raises(cloison.UnknownEndpointError, match="no namespace 'shp'"):
        only(session, namespace="shp")


@pytest.mark.parametrize(
    ("selector", "there", "said"),
    [
        ("{matchLabels: {team: red}}", "lost", True),
        ("{matchLabels: {team: red}}", "ops", False),
        (f"{{matchLabels: {{{NAME}: lost}}}}", "lost", False),
        ("{}", "lost", False),
    ],
)
def test_labels_that_nobody_read_are_no_secret(selector: str, there: str, *, said: bool) -> None:
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: THERE}\n"
    pod += "spec: {containers: [{name: c, image: i}]}\n"
    session = world(ingress(f"{{namespaceSelector: {selector}}}"), pod.replace("THERE", there))
    for answer in (session.exposure(), session.map()):
        assert (known.NAMESPACE_LABELS_UNKNOWN in answer.caveats) is said


def test_regions_that_hold_a_region_together() -> None:
    def pods(**labels: str) -> LabelSet:
        return LabelSet.of(LabelSelector.of(labels))

    red, big = pods(team="red"), pods(size="big")
    rest = Region(but=(red & big,))
    assert Homes.covered(EVERY_POD, [rest, Region(pods=red)])
    assert Homes.covered(rest, [rest])
    assert Homes.covered(rest, [Region(but=(red,)), Region(but=(big,))])
    assert not Homes.covered(EVERY_POD, [rest, Region(pods=red, but=(big,))])
    assert not Homes.covered(EVERY_POD, [rest])
    assert not Homes.covered(Region(pods=red), [Region(pods=big)])


def test_past_a_bound_what_passes_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "MOST_PARTS", 1)
    peers = "{podSelector: {matchLabels: {app: a}}}", "{podSelector: {matchLabels: {app: b}}}"
    session = world(ingress(*peers))
    assert told(session) == [("any pod in any namespace", "any TCP, UDP or SCTP", "undetermined")]
    caveats = [o.caveats for e in session.exposure().exposed for o in e.openings if not o.sure]
    assert all(known.PODS_NOT_TOLD_APART in each for each in caveats)


def test_what_else_is_asked_of_a_pod_is_told_with_its_labels() -> None:
    red = LabelSelector.of({"team": "red"})
    name = LabelSelector.of({ACCOUNT_NAME_LABEL: "reader"})
    admin = LabelSelector.of({"role": "admin"})
    said = {
        PodsMatch(pods=red, accounts=name): "@account=reader, team=red in any namespace",
        PodsMatch(accounts=admin): "@account/role=admin in any namespace",
        PodsMatch("shop", nodes=frozenset({"w1"})): "@node=w1 in namespace shop",
    }
    for match, words in said.items():
        region = Region.of(match)
        assert peer_words(region, Homes({})) == words
        assert region.matches(
            {NAME: "shop"}, asked_of({"team": "red"}, {ACCOUNT_NAME_LABEL: "reader", **ADMIN}, "w1")
        )
        assert not region.matches({NAME: "shop"}, asked_of({}, {}, "w2"))


ADMIN = {"role": "admin"}


def test_a_selector_that_looks_into_values_is_sure_of_namespaces_it_knows() -> None:
    starts = Requirement("team", Operator.STARTS_WITH, ("r",))
    homes = Homes({"shop": {NAME: "shop", "team": "red"}, "ops": {NAME: "ops", "team": "blue"}})
    told = list(homes.told(PodsMatch(namespaces=LabelSelector.of({}, [starts]))))
    assert [(peer_words(region, homes), sure) for region, sure in told] == [
        ("any pod in namespace shop", True),
        ("any pod in new namespaces labelled team", False),
    ]
    listed = Requirement("team", Operator.IN, ("blue", "red"))
    both = PodsMatch(namespaces=LabelSelector.of({}, [starts, listed]))
    assert all(sure for _, sure in homes.told(both))
