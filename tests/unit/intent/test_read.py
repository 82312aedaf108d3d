"""What is wrong with a contract is said where it stands, and costs its entry only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloison.base import Severity
from cloison.intent import Contract, EndForm, Port
from cloison.intent.ends import parse_end, parse_port
from cloison.intent.read import MINIMAL, SECTIONS, read_contract
from cloison.intent.write import write
from cloison.resources.documents import Document, plain_node
from tests.unit.intent.said import HEAD, faults, reading

WHOLE = (
    HEAD
    + """\
spec:
  owner: team-shop
  defaults: {direction: both, observability: flow logs}
  zones:
    - {name: edge, to: [app], from: [world]}
    - {name: app, to: [app, data]}
    - name: data
  workloads:
    - match: {namespace: web}
      zone: edge
    - match: {namespace: api, name: server, kind: deploy}
      zone: app
      class: service
      asset: orders
    - match: {namespace: api, selector: {matchExpressions: [{key: db, operator: Exists}]}}
      zone: data
      owner: team-data
  dependencies:
    - from: web/portal
      to: svc:api/server
      ports: [80, 53/UDP, http, 9000-9010, {port: 1, endPort: 5, protocol: SCTP}, icmp/8]
      http: {method: GET, path: /v1}
      reason: it shows what the API gives it
      expires: 2027-01-31
    - name: everybody
      from: {namespaceSelector: {}, selector: {tier: web}}
      to: ["192.0.2.0/24"]
  guardrails:
    - name: database
      only: {from: [api/server, "any:api"], to: zone:data, ports: 5432}
      except: [web/portal, {to: external:mail, ports: [25]}]
    - name: outside
      deny: {from: zone:world}
      reason: nobody comes in
  externals:
    - {name: mail, names: [Mail.Example.com.], cidrs: [203.0.113.0/24], review: 2027-01-01}
    - {name: cloud, ranges: {file: ranges.json, keep: {service: S3}}}
  namespaceLabels:
    - {key: zone, values: [edge, app], changedBy: [team-platform], required: true, except: [x]}
  platform: [dns, {id: metrics, owner: team-platform}]
"""
).replace('to: ["192.0.2.0/24"]', "to: 192.0.2.0/24")


def test_everything_is_read() -> None:
    found = reading(WHOLE)
    assert found.diagnostics == ()
    contract = found.contract
    assert contract.names == ("test",)
    assert [zone.name for zone in contract.zones] == ["edge", "app", "data"]
    assert contract.zones[0].from_ == ("world",)
    first, second = contract.dependencies
    assert first.name == "web-portal-to-svc-api-server-80-53-udp-http-9000-9010-1-5-sctp-icmp-8"
    assert [p.text for p in first.ports] == [
        "80",
        "53/UDP",
        "http",
        "9000-9010",
        "1-5/SCTP",
        "icmp/8",
    ]
    assert (first.owner, first.direction, first.observability) == (
        "team-shop",
        "both",
        "flow logs",
    )
    assert str(first.expires) == "2027-01-31"
    assert second.source.form is EndForm.PODS
    assert second.destination.form is EndForm.ADDRESS
    database, outside = contract.guardrails
    assert database.only
    assert [e.form for e in database.sources] == [EndForm.NAME, EndForm.ANY]
    assert [len(e.sources) for e in database.exempt] == [1, 0]
    assert not outside.only
    assert contract.externals[0].hosts == ("mail.example.com",)
    assert contract.externals[1].ranges is not None
    assert contract.externals[1].ranges.keep == (("service", "S3"),)
    assert contract.workloads[2].owner == "team-data"
    assert contract.namespace_labels[0].exempt == ("x",)
    assert [each.owner for each in contract.platform] == [None, "team-platform"]


def test_what_is_written_reads_back_the_same() -> None:
    contract = reading(WHOLE).contract
    remarks = {("dependencies", "everybody"): ("seen: a\nb",), ("", ""): ("drafted",)}
    text = write(contract, remarks)
    again = reading(text)
    assert again.diagnostics == ()
    assert again.contract == contract
    assert write(again.contract, remarks) == text
    assert text.startswith("# drafted\napiVersion:")
    assert "  # seen: a b\n  - name: everybody\n" in text


def test_the_smallest_contract_is_right() -> None:
    found = reading(MINIMAL)
    assert found.diagnostics == ()
    assert len(found.contract.dependencies) == len(found.contract.guardrails) == 1


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("  zones: {}\n", [("CON003", 5, 10)]),
        ("  zone: []\n", [("CON002", 5, 3)]),
        ("  dependencies:\n    - from: web/a\n", [("CON004", 6, 7)]),
        ("  dependencies:\n    - {from: web/a, to: api/b, owned: x}\n", [("CON002", 6, 32)]),
        ("  dependencies:\n    - {from: a, to: api/b}\n", [("CON005", 6, 14)]),
        ("  dependencies:\n    - {from: any-thing:x, to: api/b}\n", [("CON005", 6, 14)]),
        ("  dependencies:\n    - {from: web/a, to: api/b, ports: [0]}\n", [("CON006", 6, 40)]),
        ("  dependencies:\n    - {from: web/a, to: api/b, expires: soon}\n", [("CON009", 6, 41)]),
        ("  dependencies:\n    - {from: web/a, to: api/b, reason: 7}\n", [("CON003", 6, 40)]),
        ("  dependencies:\n    - {from: web/a, to: zone:x}\n", [("CON010", 6, 25)]),
        ("  guardrails:\n    - name: a\n", [("CON004", 6, 7)]),
        ("  guardrails:\n    - {name: a, only: {to: web/a}}\n", [("CON004", 6, 23)]),
        ("  guardrails:\n    - {name: a, deny: {}}\n", [("CON004", 6, 23)]),
        ("  guardrails:\n    - {name: A b, deny: {to: web/a}}\n", [("CON012", 6, 14)]),
        ("  externals:\n    - name: mail\n", [("CON004", 6, 7)]),
        ("  externals:\n    - {name: mail, cidrs: [192.0.2.0/33]}\n", [("CON012", 6, 27)]),
        ("  namespaceLabels:\n    - {key: zone, required: maybe}\n", [("CON003", 6, 29)]),
        ("  workloads:\n    - match: {name: x}\n", [("CON004", 6, 14)]),
        ("  workloads:\n    - {match: {namespace: a}, class: big}\n", [("CON008", 6, 38)]),
        ("  workloads:\n    - {match: {namespace: a}, zone: x}\n", [("CON010", 6, 37)]),
        ("  zones:\n    - {name: world}\n", [("CON012", 6, 7)]),
        ("  zones:\n    - {name: a, to: [b]}\n", [("CON010", 6, 22)]),
        ("  platform: [7]\n", [("CON003", 5, 14)]),
        ("  defaults: {direction: up}\n", [("CON008", 5, 25)]),
    ],
)
def test_a_fault_is_said_where_it_stands(spec: str, expected: list[tuple[str, int, int]]) -> None:
    found = reading(HEAD + "spec:\n" + spec)
    assert faults(found) == expected
    assert all(d.effect and d.source for d in found.diagnostics)


def test_a_faulty_entry_costs_only_itself() -> None:
    good = "  dependencies:\n    - {from: web/a, to: api/b}\n"
    found = reading(HEAD + "spec:\n" + good + "    - {from: web/a, too: api/c}\n    - 7\n")
    assert [d.destination.text for d in found.contract.dependencies] == ["api/b"]
    assert [d.code for d in found.diagnostics] == ["CON004", "CON002", "CON003"]
    assert "did you mean `to`?" in {d.help for d in found.diagnostics}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("apiVersion: cloison.dev/v1\nkind: Contract\nspec: {}\n", (1, 13)),
        ("apiVersion: cloison.dev/v1alpha1\nkind: Contracts\nspec: {}\n", (2, 7)),
        ("kind: Contract\nspec: {}\n", (1, 1)),
        (HEAD + "spec: []\n", (4, 7)),
        (HEAD, (1, 1)),
    ],
)
def test_what_is_no_contract_is_said_so(text: str, where: tuple[int, int]) -> None:
    found = reading(text)
    assert faults(found) == [("CON001", *where)]
    assert found.contract == Contract()


def test_documents_add_up_whatever_their_order() -> None:
    one = HEAD + "spec:\n  zones: [{name: a}]\n"
    two = HEAD.replace("test", "more") + "spec:\n  zones: [{name: b, to: [a]}]\n"
    first = reading(f"{one}---\n{two}").contract
    assert first.names == ("more", "test")
    assert [z.name for z in first.zones] == ["a", "b"]
    assert first.may_cross("b", "a")
    assert not first.may_cross("a", "b")


def test_a_name_that_is_used_twice_counts_once() -> None:
    spec = "spec:\n  guardrails:\n    - {name: a, deny: {to: web/x}}\n"
    found = reading(f"{HEAD}{spec}---\n{HEAD}{spec}")
    assert faults(found) == [("CON007", 13, 7)]
    assert "contract.yaml:6:7" in found.diagnostics[0].message
    assert len(found.contract.guardrails) == 1


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("  externals:\n    - {name: mail, cidrs: [192.0.2.7/24]}\n", (6, 27)),
        ("  dependencies:\n    - {from: web/a, to: 192.0.2.7/24}\n", (6, 25)),
    ],
)
def test_a_block_with_bits_beyond_its_prefix_is_a_warning(
    entry: str, place: tuple[int, int]
) -> None:
    found = reading(HEAD + "spec:\n" + entry)
    assert faults(found) == [("CON015", *place)]
    (said,) = found.diagnostics
    assert said.severity is Severity.WARNING
    assert "192.0.2.0/24" in (said.effect or "")
    assert "192.0.2.7" in (said.help or "")
    assert found.contract.externals or found.contract.dependencies


def test_two_entries_about_the_same_workloads_are_a_warning() -> None:
    spec = "spec:\n  zones: [{name: a}]\n  workloads:\n"
    both = "    - {match: {namespace: x}, zone: a}\n    - {match: {namespace: x}, owner: o}\n"
    found = reading(HEAD + spec + both)
    assert [(d.code, d.severity) for d in found.diagnostics] == [("CON011", Severity.WARNING)]


KEYS = st.sampled_from(
    ("name", "from", "to", "ports", "deny", "only", "except", "match", "namespace", "selector")
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(SECTIONS)), st.lists(ANYTHING, max_size=3))
def test_no_entry_breaks_the_reading(section: str, items: list[object]) -> None:
    root = plain_node(
        {
            "apiVersion": "cloison.dev/v1alpha1",
            "kind": "Contract",
            "spec": {section: items},
        },
        1,
    )
    found = read_contract([Document("random.yaml", root)])
    again = write(found.contract)
    assert reading(again).contract == found.contract


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_ends_and_ports(text: str) -> None:
    end, port = parse_end(text), parse_port(text)
    assert isinstance(end, str) or isinstance(end[0], EndForm)
    assert not isinstance(port, Port) or parse_port(port.text) == port
