"""All that was seen of an edge, whatever sources, pods and labels tell of it."""

import pytest

from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.link import LinkKey, shown
from cloison.analyses.reconcile.seen import NODES
from tests.support.past import START, linked, outside, pods, seen


def course(hours: dict[int, int]) -> Course:
    return Course.of((START + hour, count) for hour, count in hours.items())


def test_rows_of_one_edge_are_one_link_and_others_are_others() -> None:
    found = linked(
        seen("web/portal", "shop/api", [1, 2], pod="portal-1"),
        seen("web/portal", "shop/api", [5], pod="portal-2"),
        seen("web/portal", "shop/api", [5], port=9090),
        seen(pods("web/portal", "Job"), "shop/api", [5]),
        seen("web/portal", "shop/api", [6], port=-1),
    )
    assert [str(each.key) for each in found] == [
        "web/portal to shop/api on 8/ICMP",
        "web/portal to shop/api on 8080/TCP",
        "web/portal to shop/api on 9090/TCP",
        "web/portal to shop/api on 8080/TCP",
    ]
    both = found[1]
    assert both.key == LinkKey("web/Deployment/portal", "shop/Deployment/api", "TCP", 8080)
    assert both.allowed == course({1: 1, 2: 1, 5: 1})
    assert both.names == ("web/portal", "shop/api")
    assert (both.first(), both.last()) == ((START + 1) * HOUR, (START + 5) * HOUR)


def test_the_source_that_tells_of_most_counts() -> None:
    (link,) = linked(
        seen("web/portal", "shop/api", {1: 3, 2: 3}),
        seen("web/portal", "shop/api", {1: 4}, adapter="calico"),
        seen("web/portal", "shop/api", {4: 1}, became="denied", adapter="calico"),
    )
    assert link.allowed == course({1: 3, 2: 3})
    assert link.denied == course({4: 1})
    assert link.course() == course({1: 3, 2: 3})
    assert link.adapters == ("calico", "hubble")


def test_what_was_audited_got_through_and_what_was_lost_did_not() -> None:
    (link,) = linked(
        seen("web/portal", "shop/api", [1], became="audited"),
        seen("web/portal", "shop/api", [2], became="error"),
        seen("web/portal", "shop/api", [3], became="unknown"),
    )
    assert link.allowed == course({1: 1})
    assert not link.denied
    assert link.course() == course({1: 1, 2: 1, 3: 1})


def test_nobody_says_when() -> None:
    (link,) = linked(seen("web/portal", "shop/api", []))
    assert (link.first(), link.last()) == (None, None)
    assert not link.allowed


def test_outside_an_end_is_its_name_or_else_its_address() -> None:
    bare, named = linked(
        seen("shop/api", outside("203.0.113.9", "pay.example.com"), [1], port=443),
        seen("shop/api", outside("203.0.113.9"), [1], port=443),
    )
    assert named.key.destination == "dns:pay.example.com"
    assert bare.key.destination == "203.0.113.9"
    (node,) = linked(seen(NODES, "shop/api", [1]))
    assert node.key.source == "a node"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("web/Deployment/portal", "web/portal"),
        ("web/shell", "web/shell"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("reserved:ingress", "reserved:ingress"),
    ],
)
def test_people_are_not_told_the_kind(name: str, said: str) -> None:
    assert shown(name) == said


def test_links_do_not_depend_on_the_order_of_rows() -> None:
    rows = [
        seen("web/portal", "shop/api", [1, 2]),
        seen("shop/api", outside("203.0.113.9"), [1]),
        seen("web/portal", "shop/api", [3], became="denied"),
        seen("web/portal", "shop/api", [9], adapter="calico"),
    ]
    keys = [each.key for each in linked(*rows)]
    assert keys == sorted(keys)
    for each, other in zip(linked(*rows), linked(*reversed(rows)), strict=True):
        assert each.key == other.key
        assert each.allowed == other.allowed
        assert each.denied == other.denied
        assert each.adapters == other.adapters
