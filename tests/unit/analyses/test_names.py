"""DNS names as ends: in questions, in tests, on the map and in differences."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloison.analyses.ask import Explanation, verdict_only
from cloison.analyses.connectivity import MapOptions
from cloison.analyses.ends import NameEnd
from cloison.app import Session, answers
from cloison.app import load as read
from cloison.base import QuestionError
from cloison.cli.main import main
from cloison.ir.fidelity import Verdict

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: c}]}
status: {podIP: 10.0.1.10, phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: free, namespace: ops}
spec: {containers: [{name: c, image: c}]}
status: {podIP: 10.0.1.11, phase: Running}
---
"""
NAMES = """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: names}
spec:
  tier: Admin
  priority: 10
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}
  egress:
  - action: Accept
    to: [{domainNames: [api.example.com, '*.cdn.example.com']}]
    protocols: [{tcp: {destinationPort: {number: 443}}}]
---
"""
CLOSED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress]}
---
"""
BLOCK = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: block, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]
---
"""


class Load:
    def __init__(self, place: Path) -> None:
        self.place = place

    def __call__(self, *parts: str, **settings: Any) -> Session:
        path = self.place / f"{len(list(self.place.iterdir()))}.yaml"
        path.write_text("".join(parts), encoding="utf-8")
        return read(path, **settings)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return Load(tmp_path)


def connection(session: Session, source: str, destination: str, **said: Any) -> Explanation:
    """Return the answer about the connection alone, without the lookup before it."""
    return answers.hop(session, session.question(source, destination, **said))


def test_a_name_is_judged_by_rules_about_it(load: Load) -> None:
    session = load(PODS, NAMES, CLOSED)
    for name, verdict in {
        "api.example.com": Verdict.ALLOWED,
        "API.Example.com.": Verdict.ALLOWED,
        "a.b.cdn.example.com": Verdict.ALLOWED,
        "*.cdn.example.com": Verdict.ALLOWED,
        "cdn.example.com": Verdict.DENIED,
        "other.example.com": Verdict.DENIED,
    }.items():
        answer = connection(session, "shop/web", f"dns:{name}:443")
        assert answer.verdict is verdict, name
        assert [c.id for c in answer.caveats] == ["NAME_ADDRESS_UNKNOWN"]
    assert connection(session, "shop/web", "dns:api.example.com:80").verdict is Verdict.DENIED
    assert connection(session, "ops/free", "dns:api.example.com:80").verdict is Verdict.ALLOWED


def test_a_name_may_be_in_any_block_or_in_none(load: Load) -> None:
    session = load(PODS, BLOCK)
    answer = connection(session, "shop/web", "dns:api.example.com:443")
    assert answer.verdict is Verdict.UNDETERMINED
    assert not answer.mend
    wide = load(PODS, BLOCK.replace("192.0.2.0/24", "0.0.0.0/0"))
    assert connection(wide, "shop/web", "dns:api.example.com:443").verdict is Verdict.ALLOWED
    known = load(PODS, BLOCK, names={"api.example.com": ("192.0.2.7",), "b.test": ("192.0.3.7",)})
    assert connection(known, "shop/web", "dns:api.example.com:443").verdict is Verdict.ALLOWED
    denied = connection(known, "shop/web", "dns:b.test:443")
    assert denied.verdict is Verdict.DENIED
    assert "b.test stands for 192.0.3.7" in denied.notes
    assert "192.0.3.7/32" in denied.mend[0].lines


def test_a_name_nobody_resolved_has_no_address_of_another(load: Load) -> None:
    rest = {"other.test": ("128.0.0.0/1",)}
    half = load(PODS, BLOCK.replace("192.0.2.0/24", "0.0.0.0/1"), names=rest)
    assert connection(half, "shop/web", "dns:api.example.com:443").verdict is Verdict.ALLOWED
    other = load(PODS, BLOCK, names=rest)
    assert connection(other, "shop/web", "dns:api.example.com:443").verdict is Verdict.DENIED


def test_whether_a_name_has_addresses_of_a_family_is_not_known(load: Load) -> None:
    unplaced = PODS.replace("podIP: 10.0.1.10, ", "")
    session = load(unplaced, BLOCK.replace("192.0.2.0/24", "0.0.0.0/0"))
    assert connection(session, "shop/web", "192.0.2.1:443").verdict is Verdict.ALLOWED
    answer = connection(session, "shop/web", "dns:api.example.com:443")
    assert answer.verdict is Verdict.UNDETERMINED
    assert [c.id for c in answer.caveats] == ["NAME_ADDRESS_UNKNOWN"]
    assert verdict_only(session.engine, answer.question) is Verdict.UNDETERMINED


def test_an_answer_about_an_address_says_which_names_it_may_have(load: Load) -> None:
    answer = load(PODS, NAMES, CLOSED).why("shop/web", "198.51.100.7:443")
    assert answer.verdict is Verdict.UNDETERMINED
    said = (
        "198.51.100.7 may be an address of *.cdn.example.com or api.example.com "
        "(ClusterNetworkPolicy names egress rule 1); a DNS table settles it"
    )
    assert answer.notes == (said,)
    known = load(PODS, NAMES, CLOSED, names={"x.test": ("198.51.100.7",)})
    assert connection(known, "shop/web", "198.51.100.7:443").verdict is Verdict.DENIED


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("dns:a b", "not a DNS name"),
        ("dns:", "not a DNS name"),
        ("dns:*.example.com", "no rule about"),
        ("dns:" + "a." * 127 + "a", "not a DNS name"),
    ],
)
def test_what_is_no_name_is_said(load: Load, end: str, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        load(PODS, NAMES).why("shop/web", f"{end}:443")


def test_a_name_no_rule_mentions_is_an_end_too(load: Load) -> None:
    session = load(PODS, CLOSED)
    assert isinstance(session.names.end("dns:api.example.com"), NameEnd)
    assert connection(session, "shop/web", "dns:api.example.com:443").verdict is Verdict.DENIED


def test_the_map_tells_of_names_where_policies_do(load: Load) -> None:
    session = load(PODS, NAMES, CLOSED)
    edges = [e for e in session.map() if e.dst.kind == "external-name"]
    assert [(str(e.src), str(e.dst), str(e.allowed)) for e in edges] == [
        ("shop/web", "dns:*.cdn.example.com", "TCP/443"),
        ("shop/web", "dns:api.example.com", "TCP/443"),
    ]
    only = session.map(MapOptions(destinations=("dns:api.example.com",)))
    assert [str(e.dst) for e in only] == ["dns:api.example.com"]
    with pytest.raises(QuestionError, match="not an end of the map"):
        session.map(MapOptions(destinations=("dns:other.example.com",)))
    assert not [e for e in load(PODS, CLOSED).map() if e.dst.kind == "external-name"]


def test_tests_may_go_to_names(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "world.yaml"
    source.write_text(PODS + NAMES + CLOSED, encoding="utf-8")
    tests = tmp_path / "tests.json"
    rows = [
        {"name": "a", "from": "shop/web", "to": "dns:api.example.com", "port": 443},
        {"name": "b", "from": "shop/web", "to": "dns:x.y.cdn.example.com", "port": 443},
        {"name": "c", "from": "shop/web", "to": "dns:other.test", "port": 443},
        {"name": "d", "from": "shop/web", "to": "dns:and.other.test", "port": 443},
    ]
    for row, expect in zip(rows, ("allow", "allow", "deny", "deny"), strict=True):
        row["expect"] = expect
    tests.write_text(json.dumps({"tests": rows}), encoding="utf-8")
    code = main(["verify", "-f", str(source), "--tests", str(tests)])
    assert code == 0, capsys.readouterr()
    assert "all 4 rows passed" in capsys.readouterr().out


def test_anybody_may_be_asked_about(load: Load) -> None:
    session = load(PODS, NAMES, CLOSED)
    assert connection(session, "any:shop", "dns:api.example.com:443").verdict is Verdict.ALLOWED
    assert connection(session, "any:", "dns:other.test:443").verdict is Verdict.MIXED
    assert connection(session, "any:shop", "dns:other.test:443").verdict is Verdict.DENIED
