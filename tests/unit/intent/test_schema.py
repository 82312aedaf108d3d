"""The JSON Schema of a contract against the reader: both take and refuse the same entries."""

import json
from typing import Any

import jsonschema
import pytest

from cloison.base import Severity
from cloison.intent.read import MINIMAL
from cloison.intent.schema import schema
from tests.support.cli import ROOT
from tests.support.documents import document
from tests.unit.intent.said import HEAD, entry, of_spec, reading
from tests.unit.intent.test_read import WHOLE

SHIPPED = ROOT / "src" / "cloison" / "report" / "schemas" / "contract.json"
VALIDATOR = jsonschema.Draft202012Validator(schema())

DEPENDENCY: dict[str, Any] = {"from": "web/a", "to": "api/b"}
GUARDRAIL: dict[str, Any] = {"name": "g"}


def each(section: str, *said: object) -> tuple[tuple[str, object], ...]:
    """Return entries with their section."""
    return tuple((section, one) for one in said)


GOOD: tuple[tuple[str, object], ...] = (
    *(
        ("dependencies", DEPENDENCY | said)
        for said in (
            {},
            {"name": "x.y", "owner": None, "ports": None},
            {"ports": 80},
            {"ports": ["80", "80-90/udp", "http", "http/UDP", "icmp", "ICMPv6/128/0", "SCTP"]},
            {"ports": [{"port": 80}, {"port": "http", "protocol": "UDP"}, {"protocol": "TCP"}]},
            {"ports": [{"port": 80, "endPort": 90}]},
            {"http": {"method": "GET", "host": None}},
            {"expires": "2028-02-29", "direction": "egress", "bootstrap": "x"},
            {"from": "any:", "to": "any:web"},
            {"from": "zone:app", "to": "external:mail"},
            {"from": "gw:web/public", "to": "svc:web/route/portal"},
            {"from": "node:n1.example", "to": "dns:*.example.com"},
            {"from": "2001:db8::/32", "to": "[2001:db8::1]"},
            {"from": "192.0.2.1", "to": "10.0.0.0/8"},
            {"from": "web/deploy/portal"},
            {"from": {"namespace": "web"}},
            {"from": {"namespace": "web", "selector": {"app": "x", "a.b/c": ""}}},
            {"from": {"namespaceSelector": {}, "selector": {"matchLabels": {"a": "b"}}}},
            {
                "from": {
                    "namespace": "web",
                    "selector": {
                        "matchExpressions": [
                            {"key": "a", "operator": "In", "values": ["b"]},
                            {"key": "c", "operator": "Exists"},
                        ]
                    },
                }
            },
        )
    ),
    *(
        ("guardrails", GUARDRAIL | said)
        for said in (
            {"deny": {"to": "web/a"}},
            {"deny": {"from": ["web/a", {"namespace": "x"}], "ports": [80]}, "only": None},
            {"only": {"from": "web/a", "to": ["api/b"]}, "except": "zone:app"},
            {"deny": {"to": "web/a"}, "except": [{"from": "web/b"}, {"ports": [1]}, "any:x"]},
            {"deny": {"to": "web/a"}, "except": [], "reason": "x", "owner": "y"},
        )
    ),
    ("zones", {"name": "x", "to": "app", "from": ["world", "data"]}),
    ("workloads", {"match": {"namespace": "a"}, "zone": "app", "class": "stateful"}),
    ("workloads", {"match": {"namespace": "a", "name": "b", "kind": "sts"}, "asset": "x"}),
    ("workloads", {"match": {"namespace": "a", "selector": {}}}),
    ("externals", {"name": "x", "cidrs": "192.0.2.0/24", "review": "2030-01-01"}),
    ("externals", {"name": "x", "ranges": "a/b.json"}),
    ("externals", {"name": "x", "ranges": {"file": "b.json", "keep": {"service": "S3"}}}),
    ("namespaceLabels", {"key": "a.b/c", "values": ["x", ""][:1], "required": True}),
    ("platform", "dns"),
    ("platform", {"id": "metrics", "owner": "x"}),
)
BAD: tuple[tuple[str, object], ...] = (
    *each(
        "dependencies",
        None,
        7,
        [],
        {},
        {"from": "web/a"},
        {"from": None, "to": "a/b"},
        DEPENDENCY | {"owned": "x"},
        DEPENDENCY | {"name": "A b"},
        DEPENDENCY | {"owner": ""},
        DEPENDENCY | {"owner": 7},
        DEPENDENCY | {"owner": ["x"]},
        DEPENDENCY | {"from": "portal"},
        DEPENDENCY | {"from": "web/a:80"},
        DEPENDENCY | {"from": "a/b/c/d"},
        DEPENDENCY | {"from": "pods:x"},
        DEPENDENCY | {"from": "any:Web"},
        DEPENDENCY | {"from": "svc:api"},
        DEPENDENCY | {"from": "svc:web/api:80"},
        DEPENDENCY | {"from": "zone:"},
        DEPENDENCY | {"from": ["web/a"]},
        DEPENDENCY | {"from": {}},
        DEPENDENCY | {"from": {"selector": {"a": "b"}}},
        DEPENDENCY | {"from": {"namespace": "a", "namespaceSelector": {}}},
        DEPENDENCY | {"from": {"namespace": "a", "selector": {"a": 1}}},
        DEPENDENCY | {"from": {"namespace": "a", "selector": {"a b": "c"}}},
        DEPENDENCY | {"from": {"namespace": "a", "selector": {"matchLabels": {}, "a": "b"}}},
        DEPENDENCY | {"ports": 0},
        DEPENDENCY | {"ports": 65536},
        DEPENDENCY | {"ports": "80/ICMP"},
        DEPENDENCY | {"ports": "HTTP"},
        DEPENDENCY | {"ports": True},
        DEPENDENCY | {"ports": [80.5]},
        DEPENDENCY | {"ports": "icmp/256"},
        DEPENDENCY | {"ports": {"prot": "TCP"}},
        DEPENDENCY | {"ports": {"port": 0}},
        DEPENDENCY | {"ports": {"protocol": "tcp"}},
        DEPENDENCY | {"http": "GET /"},
        DEPENDENCY | {"http": {"verb": "GET"}},
        DEPENDENCY | {"expires": "31.1.2027"},
        DEPENDENCY | {"expires": "2027-13-01"},
        DEPENDENCY | {"direction": "out"},
    ),
    *each(
        "guardrails",
        {"deny": {"to": "web/a"}},
        GUARDRAIL,
        GUARDRAIL | {"deny": {"to": "web/a"}, "only": {"from": "a/b", "to": "c/d"}},
        GUARDRAIL | {"deny": {}},
        GUARDRAIL | {"deny": {"ports": [80]}},
        GUARDRAIL | {"deny": {"to": []}},
        GUARDRAIL | {"only": {"to": "web/a"}},
        GUARDRAIL | {"only": {"from": [], "to": "web/a"}},
        GUARDRAIL | {"deny": {"to": "web/a", "form": "x/y"}},
        GUARDRAIL | {"deny": {"to": "web/a"}, "except": [7]},
        GUARDRAIL | {"deny": {"to": "web/a"}, "except": {"from": "x"}},
    ),
    ("zones", {"to": ["app"]}),
    ("zones", {"name": "world"}),
    ("zones", {"name": "x", "to": [7]}),
    ("workloads", {"zone": "app"}),
    ("workloads", {"match": {}}),
    ("workloads", {"match": {"namespace": "A"}}),
    ("workloads", {"match": {"namespace": "a", "kind": "sts"}}),
    ("workloads", {"match": {"namespace": "a", "name": "b", "selector": {}}}),
    ("workloads", {"match": {"namespace": "a"}, "class": "big"}),
    ("externals", {"name": "x"}),
    ("externals", {"name": "x", "cidrs": []}),
    ("externals", {"name": "x", "ranges": {"keep": {}}}),
    ("externals", {"name": "x", "ranges": 7}),
    ("namespaceLabels", {"values": ["x"]}),
    ("namespaceLabels", {"key": "a b"}),
    ("namespaceLabels", {"key": "a", "values": ["-"]}),
    ("namespaceLabels", {"key": "a", "required": "yes"}),
    ("platform", 7),
    ("platform", {"owner": "x"}),
    ("platform", "D N S"),
)


def taken_by_schema(section: str, said: object) -> bool:
    spec = {section: [said]}
    whole = {"apiVersion": "cloison.dev/v1alpha1", "kind": "Contract", "spec": spec}
    return bool(VALIDATOR.is_valid(whole))


def taken_by_reader(section: str, said: object) -> bool:
    return all(d.severity is not Severity.ERROR for d in entry(section, said).diagnostics)


def test_the_shipped_schema_is_this() -> None:
    """Where this fails, run tools/make_report_schemas.py and note the change for users."""
    assert json.loads(SHIPPED.read_text("utf-8")) == schema()
    VALIDATOR.check_schema(schema())


@pytest.mark.parametrize(("section", "said"), GOOD, ids=str)
def test_both_take_an_entry_that_is_right(section: str, said: object) -> None:
    assert not entry(section, said).diagnostics
    assert taken_by_schema(section, said)


@pytest.mark.parametrize(("section", "said"), BAD, ids=str)
def test_both_refuse_an_entry_that_is_wrong(section: str, said: object) -> None:
    assert not taken_by_reader(section, said)
    assert not taken_by_schema(section, said)


@pytest.mark.parametrize("text", [MINIMAL, WHOLE, HEAD + "spec: {}"])
def test_both_take_a_contract_that_is_right(text: str) -> None:
    assert not reading(text).diagnostics
    VALIDATOR.validate(document(text).root.plain())


@pytest.mark.parametrize(
    "spec", [{"zone": []}, {"zones": {}}, {"owner": 7}, {"defaults": {"x": "y"}}]
)
def test_both_refuse_a_spec_that_is_wrong(spec: dict[str, Any]) -> None:
    assert of_spec(spec).diagnostics
    whole = {"apiVersion": "cloison.dev/v1alpha1", "kind": "Contract", "spec": spec}
    assert not VALIDATOR.is_valid(whole)
