"""What programs read: JSON against its schema, and every other format against JSON."""

import csv
import io
import json
import re
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

import cloison
from cloison.algebra import ANY, L4, TrafficSet
from cloison.app import Session
from cloison.report import FORMATS, KINDS, formats, render
from cloison.report.documents import diff as changed
from cloison.report.documents import map as published
from cloison.report.documents import streamed
from cloison.report.documents.parts import traffic
from cloison.report.schema import schemas
from tests.support.cli import ROOT
from tests.unit.report.results import (
    CORNERS,
    ORDER,
    PLACES,
    TABLES,
    about,
    example,
    findings,
    results,
)

SCHEMAS = ROOT / "src" / "cloison" / "report" / "schemas"


def _text(kind: str, session: Session, result: object, output: str) -> str:
    return "".join(render(kind, result, about(session), output))


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_schema_is_the_documents(kind: str) -> None:
    """Where this fails, run tools/make_report_schemas.py and note the change for users."""
    shipped = json.loads((SCHEMAS / f"{kind}.json").read_text(encoding="utf-8"))
    assert shipped == schemas()[kind]
    jsonschema.Draft202012Validator.check_schema(shipped)


def test_every_kind_is_tried() -> None:
    assert tuple(kind for kind, _, _ in results()) == ORDER
    assert set(ORDER) == set(KINDS)


@pytest.mark.parametrize("number", PLACES)
def test_json_fits_its_schema(number: int) -> None:
    kind, session, result = results()[number]
    document = json.loads(_text(kind, session, result, "json"))
    schema = json.loads((SCHEMAS / f"{kind}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    # The shipped schema lets unknown keys be, for the sake of versions to come; we do not.
    jsonschema.Draft202012Validator(_closed(schema)).validate(document)


def _closed(part: Any) -> Any:
    if isinstance(part, list):
        return [_closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    closed = {key: _closed(value) for key, value in part.items()}
    return closed | {"additionalProperties": False} if "properties" in part else closed


def test_keys_are_in_camel_case() -> None:
    for schema in schemas().values():
        for part in (schema, *schema["$defs"].values()):
            for key in part.get("properties", {}):
                assert re.fullmatch(r"[a-z][A-Za-z]*", key), (part["title"], key)


@pytest.mark.parametrize("number", PLACES)
def test_the_envelope_comes_first(number: int) -> None:
    kind, session, result = results()[number]
    document = json.loads(_text(kind, session, result, "json"))
    assert list(document)[:4] == ["schemaVersion", "tool", "profile", "diagnostics"]
    assert document["schemaVersion"] == "1"
    assert document["tool"] == {"name": "cloison", "version": cloison.__version__}
    assert document["profile"]["name"] == "generic"
    assert document["profile"]["chosen"] == session.settings.profile_chosen


@pytest.mark.parametrize("number", PLACES)
def test_yaml_is_the_same_document(number: int) -> None:
    kind, session, result = results()[number]
    document = yaml.safe_load(_text(kind, session, result, "yaml"))
    assert document == json.loads(_text(kind, session, result, "json"))


@pytest.mark.parametrize("number", TABLES)
def test_csv_is_a_table(number: int) -> None:
    kind, session, result = results()[number]
    header, *rows = csv.reader(io.StringIO(_text(kind, session, result, "csv")))
    assert rows
    assert all(len(row) == len(header) for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_csv_has_a_row_for_each_edge() -> None:
    for kind, session, result in results():
        if kind in ("map", "exposure"):
            edges = json.loads(_text(kind, session, result, "json"))["edges"]
            rows = _text(kind, session, result, "csv").splitlines()
            assert len(rows) == len(edges) + 1


def test_json_lines_are_the_same_edges() -> None:
    for kind, session, result in results():
        if kind in ("map", "exposure"):
            lines = _text(kind, session, result, "jsonl").splitlines()
            edges = json.loads(_text(kind, session, result, "json"))["edges"]
            assert [json.loads(line) for line in lines] == edges


def test_streamed_edges_are_what_encoding_them_gives() -> None:
    """They are put together from pieces, so hold them against the documents they stand for."""
    for kind, session, result in results():
        if kind == "map":
            whole = published.document(result, about(session)).edges
            pieces = [edge for some in streamed.edges(result) for edge in some]
            assert pieces == [msgspec.json.encode(edge).decode() for edge in whole]


def test_changes_are_the_same_in_every_format() -> None:
    for kind, session, result in results():
        if kind != "diff":
            continue
        document = json.loads(_text(kind, session, result, "json"))
        whole = changed.document(result, about(session))
        assert document == json.loads(msgspec.json.encode(whole))
        sections = ("opened", "closed", "changed")
        lines = [json.loads(line) for line in _text(kind, session, result, "jsonl").splitlines()]
        assert lines == [{"change": s, **edge} for s in sections for edge in document[s]]
        assert all(document[section] for section in sections) or session is example()
        rows = _text(kind, session, result, "csv").splitlines()[1:]
        assert len(rows) == sum(result.counts.values())


def test_a_diff_without_changes_is_whole() -> None:
    session = example()
    document = json.loads(_text("diff", session, session.diff(session), "json"))
    assert [document[s] for s in ("opened", "closed", "changed", "policies", "ends")] == [[]] * 5
    assert _text("diff", session, session.diff(session), "jsonl") == ""


def test_a_map_without_edges_is_whole() -> None:
    session = cloison.load_texts({"empty.yaml": ""})
    document = json.loads(_text("map", session, session.map(), "json"))
    assert document["edges"] == []
    assert yaml.safe_load(_text("map", session, session.map(), "yaml")) == document
    assert _text("map", session, session.map(), "jsonl") == ""


def test_edges_are_sorted() -> None:
    session = example()
    edges = json.loads(_text("map", session, session.map(), "json"))["edges"]
    inside = [
        (e["src"]["namespace"], e["src"]["name"], e["dst"]["namespace"], e["dst"]["name"])
        for e in edges
        if "ip" not in (e["src"]["kind"], e["dst"]["kind"])
    ]
    assert inside == sorted(inside)


@pytest.mark.parametrize("output", sorted(set(FORMATS) - {"html"}))
def test_the_same_input_gives_the_same_bytes(output: str) -> None:
    parts = CORNERS.split("---\n")
    texts = []
    for order in (parts, parts[::-1]):
        # One file each, so that positions stay while the order of reading changes.
        session = cloison.load_texts({f"{CORNERS.index(p):04}.yaml": p for p in order})
        results: dict[str, object] = {
            "why": session.why("any:", "a/one:web"),
            "map": session.map(),
            "grouped": session.map(),
            "matrix": session.map(),
            "effective": session.effective("a/one"),
            "policy": session.describe_policy("a/guard"),
            "validate": findings(session),
        }
        said = {
            kind: _text(kind, session, result, output)
            for kind, result in results.items()
            if output in formats(kind)
        }
        texts.append(said)
    assert texts[0] == texts[1]


def test_traffic_is_written_as_the_interface_says() -> None:
    def said(known: TrafficSet) -> Any:
        return msgspec.to_builtins(traffic(known))

    assert said(ANY) == [{"protocol": "ANY"}]
    assert said(L4) == [{"protocol": p, "from": 1, "to": 65535} for p in ("TCP", "UDP", "SCTP")]
    assert said(TrafficSet.icmp(8, 0) | TrafficSet.icmp(3)) == [
        {"protocol": "ICMP", "type": 3},
        {"protocol": "ICMP", "type": 8, "code": 0},
    ]
    assert said(TrafficSet.icmp()) == [{"protocol": "ICMP"}]
    assert said(TrafficSet.protocol(47)) == [{"protocol": "47"}]
    assert said(TrafficSet()) == []


def test_an_unknown_format_is_refused() -> None:
    session = example()
    with pytest.raises(cloison.QuestionError, match="'xml' is not an output format"):
        list(render("map", session.map(), about(session), "xml"))
    with pytest.raises(cloison.QuestionError, match="why has no jsonl output"):
        list(render("why", session.why("web/case-portal", "any:"), about(session), "jsonl"))
