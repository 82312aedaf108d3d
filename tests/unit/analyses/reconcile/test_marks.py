"""Sources that the path model assumes in the example, held against a few flows."""

from pathlib import Path

import pytest

import cloison
from cloison.analyses.reconcile.marks import Mark, Status
from cloison.analyses.reconcile.seen import Seen, SeenEnd
from cloison.analyses.reconcile.sources import Sort
from cloison.app.contract import agreed
from cloison.app.reconcile import put
from cloison.app.session import Session
from tests.support.cli import ROOT
from tests.unit.report.reconciledresults import API, OUTSIDE, PORTAL, pod, seen


@pytest.fixture(scope="module")
def example() -> Session:
    """Return the example."""
    path = str(ROOT / "examples" / "case-management")
    return cloison.load(path, settings=cloison.Settings().but(runtime=True))


def marks(session: Session, *edges: Seen) -> dict[tuple[Sort, str], Mark]:
    found = put(session, agreed(session), edges, None, (None, None))
    return {(mark.assumed.sort, mark.assumed.of): mark for mark in found.marks}


PROXIED = (Sort.PROXY, "HTTPS_PROXY of case-management/case-api")
BEHIND = (Sort.GATEWAY, "Gateway platform-ingress/public")


def test_who_goes_by_the_proxy_confirms_it(example: Session) -> None:
    found = marks(example, seen(API, pod("egress-system/egress-proxy"), 3128))
    assert found[PROXIED].status is Status.CONFIRMED
    assert found[PROXIED].evidence.allowed == 7


def test_who_goes_past_the_proxy_refutes_it(example: Session) -> None:
    found = marks(example, seen(API, OUTSIDE, 443))
    assert found[PROXIED].status is Status.REFUTED
    assert found[PROXIED].called == ("198.51.100.7",)
    others = [mark.status for key, mark in found.items() if key[0] is Sort.PROXY and key != PROXIED]
    assert others == [Status.UNSEEN, Status.UNSEEN]


def test_who_reaches_what_is_behind_a_gateway_without_it_refutes_it(example: Session) -> None:
    assert marks(example)[BEHIND].status is Status.UNSEEN
    assert marks(example, seen(API, PORTAL, 8080))[BEHIND].status is Status.UNSEEN
    assert marks(example, seen(OUTSIDE, PORTAL, 8080))[BEHIND].status is Status.REFUTED
    own = seen(pod("platform-ingress/public-gateway"), PORTAL, 8080)
    found = marks(example, own, seen(OUTSIDE, PORTAL, 8080))[BEHIND]
    assert found.status is Status.CONFIRMED
    assert found.instead.allowed == 7


ENTRIES = """
apiVersion: cloison.dev/v1alpha1
kind: Contract
metadata: {name: ends}
spec:
  dependencies:
    - {name: door, from: 198.51.100.0/24, to: 'gw:platform-ingress/public', ports: [443]}
    - {name: onward, from: 'gw:platform-ingress/public', to: web/case-portal, ports: [8080]}
    - {name: all, from: 'any:web', to: 'svc:audit/audit-writer'}
    - {name: away, from: 10.0.0.0/8, to: 11.0.0.0/8}
"""


def test_gateways_are_who_serves_them_and_any_is_who_is_there(
    example: Session, tmp_path: Path
) -> None:
    (tmp_path / "ends.yaml").write_text(ENTRIES, encoding="utf-8")
    both = agreed(example, (str(tmp_path / "ends.yaml"),))
    names = {"door", "onward", "all", "away"}
    found = put(example, both, (), None, (None, None)).cube
    told = {
        (because.name, cell.names, str(cell.traffic))
        for cell in found.cells
        for because in cell.intended
        if because.name in names
    }
    gateway = "platform-ingress/public-gateway"
    assert told == {
        ("door", ("198.51.100.0/24", gateway), "TCP/8443"),
        ("onward", (gateway, "web/case-portal"), "TCP/8080"),
        ("all", ("web/case-portal", "audit/audit-writer"), "TCP/8080"),
    }
    assert [each.entry.name for each in found.unmet] == ["away"]


LEAVING = """
apiVersion: cilium.io/v2
kind: CiliumEgressGatewayPolicy
metadata: {name: cases}
spec:
  selectors: [{podSelector: {matchLabels: {io.kubernetes.pod.namespace: case-management}}}]
  destinationCIDRs: [198.51.100.0/24]
  egressGateway: {nodeSelector: {matchLabels: {role: exit}}, egressIP: 192.0.2.50}
---
apiVersion: v1
kind: Node
metadata: {name: exit, labels: {role: exit}}
status: {addresses: [{type: InternalIP, address: 192.0.2.21}]}
---
apiVersion: v1
kind: Node
metadata: {name: plain}
status: {addresses: [{type: InternalIP, address: 192.0.2.22}]}
"""
CASES = (Sort.EGRESS, "CiliumEgressGatewayPolicy cases")
SNAT = (Sort.NAT, "address translation")
BY_EXIT = SeenEnd("world", ip="192.0.2.50")
BY_NODE = SeenEnd("host", ip="192.0.2.22")


@pytest.fixture(scope="module")
def leaving(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Return the example with an egress gateway."""
    more = tmp_path_factory.mktemp("leaving") / "more.yaml"
    more.write_text(LEAVING, encoding="utf-8")
    paths = (str(ROOT / "examples" / "case-management"), str(more))
    return cloison.load(*paths, settings=cloison.Settings().but(runtime=True))


def test_an_egress_gateway_is_confirmed_by_the_address_it_puts_on(leaving: Session) -> None:
    call = seen(API, OUTSIDE, 443)
    assert marks(leaving, call)[CASES].status is Status.UNSEEN
    # What nobody it is about has called, it did not pass on.
    assert marks(leaving, seen(BY_EXIT, OUTSIDE, 443))[CASES].status is Status.UNSEEN
    found = marks(leaving, call, seen(BY_EXIT, OUTSIDE, 443), seen(BY_NODE, OUTSIDE, 443))[CASES]
    assert found.status is Status.CONFIRMED
    assert found.instead.allowed == 7
    past = marks(leaving, call, seen(BY_NODE, OUTSIDE, 443))[CASES]
    assert past.status is Status.REFUTED
    assert past.called == ("192.0.2.22",)
    others = marks(leaving, seen(PORTAL, OUTSIDE, 443), seen(BY_NODE, OUTSIDE, 443))
    assert others[CASES].status is Status.UNSEEN


def test_translation_is_confirmed_by_nodes_that_go_where_pods_went(leaving: Session) -> None:
    call = seen(PORTAL, OUTSIDE, 443)
    found = put(leaving, agreed(leaving), (call, seen(BY_NODE, OUTSIDE, 443)), None, (None, None))
    status = {(mark.assumed.sort, mark.assumed.of): mark.status for mark in found.marks}
    assert status[SNAT] is Status.CONFIRMED
    # The second half of a call is nothing of its own.
    legs = [cell for cell in found.cube.cells if cell.names[0] == "a node" and cell.evidence]
    assert [[each.name for each in cell.intended] for cell in legs] == [["address translation"]]
    assert marks(leaving, call)[SNAT].status is Status.UNSEEN
    elsewhere = seen(SeenEnd("world", ip="192.0.2.99"), OUTSIDE, 443)
    assert marks(leaving, call, elsewhere)[SNAT].status is Status.REFUTED
