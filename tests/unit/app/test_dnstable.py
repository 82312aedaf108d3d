"""DNS tables, and what answers come to with one."""

import json
from pathlib import Path

import jsonschema
import pytest

from cloison.app import load
from cloison.app.dnstable import DnsTable, read, schema
from cloison.base import QuestionError, SourceError
from cloison.ir.fidelity import Verdict

ROOT = Path(__file__).parents[3]
WORLD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: c, image: c}]}
status: {podIP: 10.0.1.10, phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop}
spec: {containers: [{name: c, image: c}]}
status: {podIP: 10.0.1.11, phase: Running}
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: names}
spec:
  tier: Admin
  priority: 10
  subject: {namespaces: {}}
  egress:
  - {action: Deny, to: [{networks: [203.0.113.64/26]}]}
  - action: Accept
    to: [{domainNames: [api.example.com, '*.cdn.example.com']}]
    protocols: [{tcp: {destinationPort: {number: 443}}}]
  - {action: Deny, to: [{networks: [0.0.0.0/0, '::/0']}]}
"""
TABLE = """
API.example.com.: [203.0.113.9, 203.0.113.70]
a.cdn.example.com: 198.51.100.0/28
inside.cdn.example.com: [10.0.1.11]
other.example.org: [192.0.2.1]
gone.example.org: []
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "dns.yaml"
    path.write_text(TABLE, encoding="utf-8")
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "world.yaml"
    path.write_text(WORLD, encoding="utf-8")
    return path


def verdicts(source: Path, *ends: str, tables: tuple[Path, ...] = ()) -> dict[str, Verdict]:
    session = load(source, dns_tables=tuple(map(str, tables)))
    return {end: session.why("shop/web", f"{end}:443").verdict for end in ends}


def test_a_mapping_of_names_to_addresses(table: Path) -> None:
    found = read(table)
    assert found.names["api.example.com"] == ("203.0.113.9", "203.0.113.70")
    assert found.names["a.cdn.example.com"] == ("198.51.100.0/28",)
    assert found.complete


def test_a_table_may_say_that_it_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "dns.json"
    path.write_text(json.dumps({"complete": False, "names": {"a.example": ["192.0.2.1"]}}))
    assert read(path) == DnsTable({"a.example": ("192.0.2.1",)}, complete=False)


def test_tables_add_up() -> None:
    one = DnsTable({"a": ("192.0.2.1",), "b": ()}, complete=False)
    other = DnsTable({"a": ("192.0.2.1", "192.0.2.2")}, complete=True)
    assert one.join(other) == DnsTable({"a": ("192.0.2.1", "192.0.2.2"), "b": ()}, complete=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "one mapping"),
        ("a.example: [192.0.2.300]", "'192.0.2.300' is not an address"),
        ("'*.example': [192.0.2.1]", "is a pattern"),
        ("a_/b: [192.0.2.1]", "is not a DNS name"),
        ("names: {a.example: 5}", "Expected"),
        ("complete: maybe\nnames: {}", "Expected `bool`"),
        ("kind: DnsTable\nname: {}", "unknown field"),
        ("a: {b: c}", "Expected"),
        ("a: [\n", "dns.yaml"),
        ("", "one mapping"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "dns.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        read(path)
    assert said in caught.value.message
    assert caught.value.help


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot read"):
        read(tmp_path / "missing.yaml")


def test_the_shipped_schema_is_the_types(table: Path) -> None:
    shipped = ROOT / "src" / "cloison" / "app" / "schemas" / "dns-table.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == schema()
    jsonschema.validate({"names": {"a.example": "192.0.2.1"}, "complete": True}, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"complete": True}, schema())


def test_without_a_table_a_name_may_be_anywhere_outside(source: Path) -> None:
    assert verdicts(
        source,
        "dns:api.example.com",
        "dns:b.cdn.example.com",
        "dns:other.example.org",
        "198.51.100.1",
        "203.0.113.70",
    ) == {
        # A block that is denied first may hold it.
        "dns:api.example.com": Verdict.UNDETERMINED,
        "dns:b.cdn.example.com": Verdict.UNDETERMINED,
        "dns:other.example.org": Verdict.DENIED,
        "198.51.100.1": Verdict.UNDETERMINED,
        "203.0.113.70": Verdict.DENIED,
    }


def test_with_a_table_nothing_stays_undetermined(source: Path, table: Path) -> None:
    assert verdicts(
        source,
        "dns:api.example.com",
        "dns:a.cdn.example.com",
        "dns:*.cdn.example.com",
        "dns:inside.cdn.example.com",
        "dns:other.example.org",
        "198.51.100.1",
        "198.51.100.77",
        "203.0.113.9",
        "203.0.113.70",
        tables=(table,),
    ) == {
        # One of its addresses is in the block that is denied first.
        "dns:api.example.com": Verdict.MIXED,
        "dns:a.cdn.example.com": Verdict.ALLOWED,
        # Names never stand for pods, and one of these is a pod's.
        "dns:*.cdn.example.com": Verdict.MIXED,
        "dns:inside.cdn.example.com": Verdict.DENIED,
        "dns:other.example.org": Verdict.DENIED,
        "198.51.100.1": Verdict.ALLOWED,
        "198.51.100.77": Verdict.DENIED,
        "203.0.113.9": Verdict.ALLOWED,
        "203.0.113.70": Verdict.DENIED,
    }


def test_an_answer_says_that_it_takes_the_table_to_be_complete(source: Path, table: Path) -> None:
    session = load(source, dns_tables=(str(table),))
    ids = [c.id for c in session.why("shop/web", "198.51.100.77:443").caveats]
    assert ids == ["NAMES_COMPLETE"]
    assert not session.why("shop/web", "203.0.113.9:443").caveats


def test_a_name_without_an_address_is_answered_by_policy_and_noted(
    source: Path, table: Path
) -> None:
    """The first block that is denied may hold an address of any name."""
    session = load(source, dns_tables=(str(table),))
    only = source.with_name("only.yaml")
    only.write_text("api.example.com: [203.0.113.9]\n", encoding="utf-8")
    alone = load(source, dns_tables=(str(only),))
    for asked, name, note, verdict in (
        (session, "b.cdn.example.com", "is not in the DNS table", Verdict.UNDETERMINED),
        (session, "zzz.example.net", "is not in the DNS table", Verdict.DENIED),
        (session, "gone.example.org", "to stand for no address", Verdict.DENIED),
        (alone, "*.cdn.example.com", "has no address of", Verdict.UNDETERMINED),
    ):
        why = asked.why("shop/web", f"dns:{name}:443")
        assert any(note in each and "nothing to connect to" in each for each in why.notes)
        assert why.verdict is verdict


def test_names_connect_to_nobody(source: Path, table: Path) -> None:
    for tables in ((), (str(table),)):
        session = load(source, dns_tables=tables)
        with pytest.raises(QuestionError, match="a name to connect to"):
            session.why("dns:api.example.com", "shop/web:443")


def test_the_map_has_names_as_ends_of_their_own(source: Path, table: Path) -> None:
    def edges(*tables: str) -> dict[str, str]:
        found = load(source, dns_tables=tables).map()
        return {
            str(e.dst): f"{e.allowed} / {e.undetermined}"
            for e in found
            if e.src.name == "web" and e.dst.kind == "external-name"
        }

    assert edges() == {
        "dns:*.cdn.example.com": "none / TCP/443",
        "dns:api.example.com": "none / TCP/443",
    }
    assert edges(str(table)) == {
        "dns:*.cdn.example.com": "TCP/443 / none",
        "dns:api.example.com": "TCP/443 / none",
    }


def test_a_difference_tells_names_apart_that_nobody_resolved(source: Path) -> None:
    changed = source.with_name("after.yaml")
    changed.write_text(WORLD.replace("api.example.com", "new.example.com"), encoding="utf-8")
    found = load(source).diff(load(changed))
    assert [(str(e.dst), str(e.kind)) for e in found if e.src.name == "web"] == [
        ("dns:api.example.com", "closed"),
        ("dns:new.example.com", "opened"),
    ]
