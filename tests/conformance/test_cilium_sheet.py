"""Our cases against the project's fact sheet of Cilium's semantics, where it is at hand.

The sheet is not part of this repository. Its catalogue is a table: each row must be a case of ours,
with an item for each of its items, about the same ends, port, request and variant, and with the
same verdict. What is given is told in prose there and spelled out in ours.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.cases import Case, Row, cases, read
from tests.conformance.test_cilium_oracle import CASES

SHEET = Path(__file__).parents[2].parent / "shared" / "semantics" / "cilium.md"
VERDICTS = {
    "ALLOW",
    "DENY",
    "DENY_RULE",
    "L7_DENY",
    "AUDIT",
    "INVALID",
    "VALID",
    "NOT_IN_SCHEMA",
    "SELECTED",
    "NOT_SELECTED",
    "CONFLICT",
    "MATCH",
    "NO_MATCH",
}
ENDS: Mapping[str, str] = {
    "web": "shop/web",
    "api": "shop/api",
    "api2": "shop/api2",
    "a": "shop/a",
    "b": "shop/b",
    "db": "shop/db",
    "probe": "ops/probe",
    "ext": "203.0.113.9",
    "n1": "node:n1",
    "n2": "node:n2",
    "remote node": "node:n1",
    "local host": "node:n2",
    "kubelet on n2": "node:n2",
    "hostNetwork pod": "kube-system/agent",
    "hostNetwork pod on n1": "kube-system/agent",
    "any pod carrying it": "shop/hashed",
    "west/shop/web": "shop/web-west",
    "external kube-apiserver": "198.51.100.6",
    "health endpoint": "reserved:health@n2",
    "Ingress": "reserved:ingress",
    "init endpoint": "shop/fresh",
    "svc api": "svc:shop/api",
    "own ClusterIP→api": "svc:shop/api",
    "kube-dns": "kube-system/kube-dns",
    "kube-dns VIP": "svc:kube-system/kube-dns",
    "resolved IP": "198.51.100.20",
    "other IP": "198.51.100.99",
    "pod IP": "shop/api",
}
"""Ends as the sheet writes them, in the fixture."""
STATES = {
    "api→web reply packets of web→api:8080": ("web→api:8080", "reply"),
    "web→api next forward packet": ("web→api", "established"),
}
FLOW = re.compile(
    r"(?P<src>[^→]+)→(?P<dst>[^:]+?)"
    r"(:(?P<port>\d+|<any>))?(/(?P<protocol>TCP|UDP|SCTP|ICMPv6|ICMP))?"
    r"( (?P<request>(GET|POST|Host:|X-Role:|query) .*))?"
)


@dataclass(frozen=True)
class Listed:
    """A row of the catalogue."""

    id: str
    given: str
    items: tuple[str, ...]
    verdicts: tuple[str, ...]


def _rows() -> Iterator[Listed]:
    if not SHEET.is_file():
        return
    text = SHEET.read_text(encoding="utf-8")
    section = text[text.index("\n## 6. ") : text.index("\n## 7. ")]
    for line in section.splitlines():
        if re.match(r"\| C[1-9][0-9]* \|", line):
            name, given, traffic, verdict, _why = (each.strip() for each in line[1:-1].split("|"))
            yield Listed(name, given, tuple(traffic.split("; ")), tuple(verdict.split("; ")))


LISTED = tuple(_rows())
needs_sheet = pytest.mark.skipif(not LISTED, reason="the fact sheet is not at hand")
each_row = pytest.mark.parametrize("listed", LISTED, ids=lambda listed: listed.id)


def _case(name: str) -> Case:
    (case,) = [case for case in CASES if name in case.ids]
    return case


@needs_sheet
def test_the_catalogue_is_read_whole_and_every_id_has_one_case() -> None:
    expected = [f"C{number}" for number in range(1, 97)]
    assert [listed.id for listed in LISTED] == expected
    named = [name for case in CASES for name in case.ids]
    assert [name for name in named if name.startswith("C")] == expected
    assert all(len(listed.items) == len(listed.verdicts) for listed in LISTED)
    assert {word for listed in LISTED for word in listed.verdicts} == VERDICTS


@needs_sheet
@each_row
def test_every_item_is_there_with_its_verdict(listed: Listed) -> None:
    case = _case(listed.id)
    assert tuple(row.answer for row in case.expect) == listed.verdicts
    for row, item in zip(case.expect, listed.items, strict=True):
        asked, _, when = item.partition(" @ ")
        assert row.when == when
        _check(row, asked)


def _check(row: Row, asked: str) -> None:
    """Compare what is asked with a row of ours."""
    if "~" in asked:
        pattern, _, name = asked.partition("~")
        assert (row.asks, row.src, row.dst) == ("pattern", pattern.strip("`"), name)
    elif asked.startswith("object"):
        assert row.asks == "object"
    elif asked == "endpoint policy":
        assert (row.asks, row.src) == ("endpoint", "shop/api")
    elif asked.startswith("subject "):
        end = asked.removeprefix("subject ")
        assert (row.asks, row.src) == ("subject", ENDS.get(end, end))
    else:
        text, state = STATES.get(asked, (asked, "new"))
        assert (row.asks, row.state) == ("traffic", state)
        _check_flow(row, text)


def _check_flow(row: Row, text: str) -> None:
    told = FLOW.fullmatch(text)
    assert told, text
    dst = told["dst"]
    assert row.src == ENDS.get(told["src"], told["src"])
    assert row.dst == ENDS.get(dst, dst)
    protocol, _, rest = row.on.partition("/")
    if told["protocol"]:
        assert protocol == told["protocol"]
    if told["port"] and told["port"] != "<any>":
        assert rest == told["port"]
    if protocol.startswith("ICMP"):
        assert rest in ("8/0", "128/0"), "echo requests"
    assert _request(row) == _told_request(told["request"])


def _request(row: Row) -> tuple[str | None, str | None, tuple[str, ...], str | None]:
    return row.http, row.host, row.headers, row.dns


def _told_request(
    text: str | None,
) -> tuple[str | None, str | None, tuple[str, ...], str | None]:
    kind, _, rest = (text or "").partition(" ")
    match kind:
        case "Host:":
            return None, rest, (), None
        case "X-Role:":
            return None, None, (f"X-Role: {rest}".replace("<any>", "guest"),), None
        case "query":
            return None, None, (), rest
        case "GET" | "POST":
            plain, _, wrong = (text or "").partition(" with ")
            return plain, None, ("X-Role: guest",) if wrong else (), None
    return None, None, (), None


@needs_sheet
@each_row
def test_what_is_given_is_spelled_out(listed: Listed) -> None:
    case = _case(listed.id)
    said = re.sub(r"#C\d+|\bC\d+\b", "", listed.given)
    written = "\n".join(text for step in ("", *case.steps) for text in case.texts(step).values())
    for block in re.findall(r"\b\d+\.\d+\.\d+\.\d+/\d+", said):
        assert block in written
    for word in re.findall(r"`([a-z-]+(?:[./][a-z-]+)+)`", said):
        assert word in written


def test_rows_say_what_they_may() -> None:
    rows = [row for case in CASES for row in case.rows]
    assert {row.answer for row in rows} <= {*VERDICTS, ""}
    assert all(row.verdict for row in rows if row.asks == "traffic")
    assert all(case.under and case.why.endswith(".") and case.source for case in CASES)
    named = {(case.id, row.step) for case in CASES for row in case.rows if row.step}
    assert named == {(case.id, step) for case in CASES for step in case.steps}
    assert all(read(text) is not None for case in cases("cilium") for text in case.texts().values())
