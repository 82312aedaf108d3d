"""Callers that are no application's: nodes that probe their pods, and load balancers of clouds."""

from dataclasses import replace

import pytest

from cloison.analyses.reconcile.seen import Seen
from cloison.base import Severity
from tests.support.drifting import BASE, DAY, WEEK, allow, contract, flow, keys, look, past

USED = flow("shop/web", "shop/api", range(14 * DAY))
LATE = range(WEEK + 50, WEEK + 60)
GATEWAY = "  workloads:\n    - {match: {namespace: shop, name: web}, class: gateway, owner: o}\n"


def _node(destination: str, protocol: str = "TCP") -> Seen:
    seen = flow("192.0.2.1", destination, LATE, 9999)
    return replace(seen, source=replace(seen.source, entity="host"), protocol=protocol)


def test_a_kubelet_asks_at_ports_that_nobody_declared() -> None:
    """A pod's own node always gets through, and records do not tell whose it is."""
    found = look((*BASE, contract()), past(USED, _node("shop/api")), "D3")
    assert not (*found.findings, *found.suspects)
    assert [(each.count, "kubelet" in each.reason) for each in found.unjudged] == [(1, True)]


@pytest.mark.parametrize(
    "seen",
    [
        _node("shop/api", protocol="UDP"),
        _node("198.51.100.7"),
        flow("shop/web", "shop/api", LATE, 9999),
        flow("198.51.100.7", "shop/api", LATE, 9999),
    ],
)
def test_other_flows_to_such_ports_are_new(seen: Seen) -> None:
    """Kubelets probe pods, and by TCP; nobody else does."""
    found = look((*BASE, contract()), past(USED, seen), "D3")
    assert [each.key.code for each in found.findings] == ["D3"]


@pytest.mark.parametrize("outside", ["8.8.8.8", "198.51.100.7"])
def test_load_balancers_hide_nobody(outside: str) -> None:
    """Whoever else comes past the gateway is told of, in whatever order they are seen."""
    asked = flow("35.191.0.7", "shop/api", LATE, 80)
    come = flow(outside, "shop/api", LATE, 80)
    found = look((*BASE, contract(more=GATEWAY)), past(USED, asked, come), "D10")
    assert keys(found.findings) == ["D10|world|shop/Deployment/api|TCP|80"]
    (one,) = found.findings
    assert one.sign.course.total == len(LATE)


def test_a_new_load_balancer_is_a_new_flow() -> None:
    """It leads to the workload from now on, and passes on whatever asks for it."""
    opened = allow("shop", "lb", "api", "from", "{ipBlock: {cidr: 0.0.0.0/0}}")
    known = past(USED, flow("35.191.0.7", "shop/api", LATE, 80))
    found = look((*BASE, opened, contract()), known, "D3")
    (one,) = found.findings
    assert str(one.key) == "D3|load-balancers|shop/Deployment/api|TCP|80"
    assert one.sign.severity is Severity.WARNING
    assert one.sign.allow is not None
    assert "from: zone:world" in one.sign.allow.manifest
