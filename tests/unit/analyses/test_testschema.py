"""The JSON Schema of tests files against the reader: both take the same rows, and refuse the same.

Rows are asked of a small world, so what the reader leaves to the question counts, too.
"""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from cloison.analyses.matrix import Status
from cloison.analyses.testfile import MINIMAL, read_tests
from cloison.analyses.testschema import schema
from cloison.base import Diagnostic, Severity
from tests.support.cli import ROOT
from tests.support.documents import document
from tests.unit.analyses.test_verify import one

SHIPPED = ROOT / "src" / "cloison" / "report" / "schemas" / "tests.json"
VALIDATOR = jsonschema.Draft202012Validator(schema())
ENDS = {"from": "web/front", "to": "web/back", "expect": "allow"}
GOOD: tuple[dict[str, Any], ...] = (
    {},
    {"name": "a", "why": "because"},
    {"name": None, "why": None, "port": None, "protocol": None, "http": None},
    {"port": 8080},
    {"port": 65535, "protocol": "udp"},
    {"port": "8080"},
    {"port": "80-90"},
    {"port": "http"},
    {"port": 53, "protocol": 17},
    {"protocol": "ICMP"},
    {"protocol": "icmp/8/0"},
    {"protocol": 47},
    {"protocol": "ICMPv6"},
    {"from": "192.0.2.7", "to": "[2001:db8::1]"},
    {"from": "2001:db8::1"},
    {"to": "svc:web/back", "port": 80},
    {"from": "any:web"},
    {"from": "any:"},
    {"to": "dns:api.example.com", "port": 443, "sni": "api.example.com"},
    {"port": 8080, "http": "GET /pub/x"},
    {"port": 8080, "http": "/pub/x?a=b"},
    {"port": 8080, "http": "GET"},
    {"port": 8080, "http": '{"method": "GET"}'},
    {"port": 8080, "http": {"method": "GET", "path": "/", "host": "x:80", "headers": {"x-a": "b"}}},
    {"port": 8080, "http": {"path": "/a", "method": None}},
    {"port": 8080, "http": {"headers": {"x-role": None}}},
    {"port": 8080, "grpc": "shop.v1.Cart/Add"},
    {"port": 8080, "http": "GET /", "sni": "a.example.com."},
    {"port": 53, "protocol": "UDP", "dns": "api.example.com"},
    {"port": 53, "protocol": "TCP", "dns": "api.example.com"},
)
BAD: tuple[dict[str, Any], ...] = (
    {"form": "web/front"},
    {"from": None},
    {"to": ""},
    {"to": "web/back:8080"},
    {"to": "svc:web/back:80"},
    {"to": "[2001:db8::1]:443"},
    {"from": "web/front:80"},
    {"from": 7},
    {"expect": "yes"},
    {"expect": None},
    {"expect": True},
    {"name": 7},
    {"why": ["a"]},
    {"port": 0},
    {"port": 70000},
    {"port": "70000"},
    {"port": "80/UDP"},
    {"port": "icmp"},
    {"port": "HTTP_"},
    {"port": ""},
    {"port": True},
    {"port": 80.5},
    {"protocol": "TPC"},
    {"protocol": 256},
    {"protocol": "icmp/300"},
    {"protocol": ["TCP"]},
    {"port": 80, "protocol": "ICMP"},
    {"port": 80, "protocol": 47},
    {"http": "GET pub"},
    {"http": "GET /a b"},
    {"http": "GET/"},
    {"http": ""},
    {"http": 7},
    {"http": {}},
    {"http": {"method": None}},
    {"http": {"verb": "GET"}},
    {"http": {"method": 7}},
    {"http": {"path": "pub"}},
    {"http": {"host": "a b"}},
    {"http": {"method": "GET", "headers": {"a b": "c"}}},
    {"http": {"method": "GET", "headers": {"a": 1}}},
    {"http": {"method": "GET", "headers": []}},
    {"http": ["GET"]},
    {"grpc": "Cart"},
    {"grpc": "shop v1/Add"},
    {"grpc": 1},
    {"sni": "a..b"},
    {"sni": "*.example.com"},
    {"sni": 7},
    {"dns": "a b"},
    {"dns": "x" * 64 + ".example.com"},
    {"http": "GET /", "grpc": "shop.Cart/Add"},
    {"dns": "a.b", "http": "GET /"},
    {"dns": "a.b", "grpc": "shop.Cart/Add"},
    {"dns": "a.b", "sni": "a.b"},
    {"http": "GET /", "protocol": "UDP"},
    {"grpc": "shop.Cart/Add", "protocol": "SCTP"},
    {"sni": "a.b", "protocol": 17},
    {"dns": "a.b", "protocol": "SCTP"},
)


def taken_by_schema(row: object) -> bool:
    return bool(VALIDATOR.is_valid({"tests": [row]}))


def taken_by_reader(row: object) -> bool:
    return one(json.dumps(row)).status is not Status.ERROR


def test_the_shipped_schema_is_this() -> None:
    """Where this fails, run tools/make_report_schemas.py and note the change for users."""
    assert json.loads(SHIPPED.read_text("utf-8")) == schema()
    VALIDATOR.check_schema(schema())


@pytest.mark.parametrize("said", GOOD, ids=str)
def test_both_take_a_row_that_is_right(said: dict[str, Any]) -> None:
    row = ENDS | said
    assert taken_by_reader(row)
    VALIDATOR.validate({"tests": [row]})


@pytest.mark.parametrize("said", BAD, ids=str)
def test_both_refuse_a_row_that_is_wrong(said: dict[str, Any]) -> None:
    row = ENDS | said
    assert not taken_by_reader(row)
    assert not taken_by_schema(row)


@pytest.mark.parametrize("row", [None, "row", 7, [], {}, {"from": "web/front", "to": "web/back"}])
def test_both_refuse_what_is_no_row(row: object) -> None:
    assert not taken_by_reader(row)
    assert not taken_by_schema(row)


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL,
        "tests: []",
        "apiVersion: cloison.dev/v1alpha1\nkind: ConnectivityTests\nmetadata: {}\ntests: []",
    ],
)
def test_both_take_a_file_that_is_right(text: str) -> None:
    assert not errors(text)
    VALIDATOR.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "tests: {}",
        "tests: null",
        "apiVersion: v1\ntests: []",
        "kind: Tests\ntests: []",
        "tests: []\nrows: []",
    ],
)
def test_both_refuse_a_file_that_is_wrong(text: str) -> None:
    assert errors(text)
    assert not VALIDATOR.is_valid(yaml.safe_load(text))


def errors(text: str) -> list[Diagnostic]:
    found = read_tests([document(text)])
    return [each for each in found.diagnostics if each.severity is Severity.ERROR]


def test_the_example_fits() -> None:
    found = 0
    for file in sorted((ROOT / "examples").rglob("*.yaml")):
        for each in yaml.safe_load_all(file.read_text("utf-8")):
            if isinstance(each, dict) and each.get("kind") == "ConnectivityTests":
                VALIDATOR.validate(each)
                found += 1
    assert found
