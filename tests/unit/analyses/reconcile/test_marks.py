"""Sources that the path model assumes in the example, held against a few flows."""

from pathlib import Path

import pytest

import cloison
from cloison.analyses.reconcile.marks import Mark, Status
from cloison.analyses.reconcile.seen import Seen
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
