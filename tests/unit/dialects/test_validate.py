"""What the API server refuses, and where and how we say so."""

import re
from pathlib import Path

import pytest

from cloison.base import Diagnostic, Severity
from cloison.dialects.networkpolicy import model
from cloison.dialects.networkpolicy.decode import decode
from cloison.dialects.networkpolicy.validate import validate
from tests.support.documents import document
from tests.unit.dialects.helpers import block, errors, options, peer, policy, port, read

LONG = "a" * 64

# id, spec, version, error codes; none means accepted.
CASES: list[tuple[str, str, str, list[str]]] = [
    ("V1", "{ingress: [{from: [{}]}]}", "1.35", ["NPL006"]),
    ("V1 null item", "{ingress: [{from: [null]}]}", "1.35", ["NPL006"]),
    ("V1 null fields", peer("{podSelector: null, ipBlock: null}"), "1.35", ["NPL006"]),
    ("empty selectors count as set", peer("{podSelector: {}}"), "1.35", []),
    ("V2", peer("{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}"), "1.35", ["NPL007"]),
    ("V2 ns", peer("{ipBlock: {cidr: 10.0.0.0/8}, namespaceSelector: {}}"), "1.35", ["NPL007"]),
    ("V3 no port", port("{endPort: 90}"), "1.35", ["NPL016"]),
    ("V3 named", port("{port: http, endPort: 90}"), "1.35", ["NPL017"]),
    ("V3 smaller", port("{port: 90, endPort: 80}"), "1.35", ["NPL018"]),
    ("endPort equal", port("{port: 80, endPort: 80}"), "1.35", []),
    ("endPort too large", port("{port: 80, endPort: 65536}"), "1.35", ["NPL019"]),
    ("endPort zero", port("{port: 80, endPort: 0}"), "1.35", ["NPL018", "NPL019"]),
    ("V4 zero", port("{port: 0}"), "1.35", ["NPL014"]),
    ("V4 65536", port("{port: 65536}"), "1.35", ["NPL014"]),
    ("V4 negative", port("{port: -1}"), "1.35", ["NPL014"]),
    ("V5 quoted", port('{port: "80"}'), "1.35", ["NPL015"]),
    ("V5 upper", port('{port: "HTTP"}'), "1.35", ["NPL015"]),
    ("V5 hyphens", port('{port: "a--b"}'), "1.35", ["NPL015"]),
    ("V5 long", port('{port: "abcdefghijklmnop"}'), "1.35", ["NPL015"]),
    ("V5 hyphen at an end", port('{port: "a-"}'), "1.35", ["NPL015"]),
    ("V5 empty", port('{port: ""}'), "1.35", ["NPL015"]),
    ("V6 http", port("{port: http}"), "1.35", []),
    ("V6 web-1", port('{port: "web-1"}'), "1.35", []),
    ("V6 fifteen", port('{port: "abcdefghijklmno"}'), "1.35", []),
    ("V7 tcp", port("{protocol: tcp}"), "1.35", ["NPL013"]),
    ("V7 ICMP", port("{protocol: ICMP}"), "1.35", ["NPL013"]),
    ("V7 empty", port('{protocol: ""}'), "1.35", ["NPL013"]),
    ("V7 SCTP", port("{protocol: SCTP}"), "1.35", []),
    ("V8 three", "{policyTypes: [Ingress, Egress, Ingress]}", "1.35", ["NPL004"]),
    ("V8 three wrong", "{policyTypes: [u, v, w]}", "1.35", ["NPL004"]),
    ("V8 case", "{policyTypes: [ingress]}", "1.35", ["NPL005"]),
    ("V8 null", "{policyTypes: [null]}", "1.35", ["NPL005"]),
    ("V9", "{policyTypes: [Ingress, Ingress]}", "1.35", []),
    ("V10 equal", block("10.0.0.0/8", "10.0.0.0/8"), "1.35", ["NPL011"]),
    ("V10 outside", block("10.0.0.0/8", "11.0.0.0/16"), "1.35", ["NPL011"]),
    ("V10 family", block("10.0.0.0/8", "fd00::/64"), "1.35", ["NPL011"]),
    ("except no block", block("10.0.0.0/8", "10.1.2.3"), "1.35", ["NPL010"]),
    ("except empty", block("10.0.0.0/8", ""), "1.35", ["NPL010"]),
    ("except twice", block("10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16"), "1.35", []),
    ("V11 empty", block(""), "1.35", ["NPL008"]),
    ("V11 missing", peer("{ipBlock: {}}"), "1.35", ["NPL008"]),
    ("V11 empty hides except", block("", "nonsense"), "1.35", ["NPL008"]),
    ("V11 address", block("10.0.0.1"), "1.35", ["NPL009"]),
    ("V11 prefix", block("10.0.0.0/33"), "1.35", ["NPL009"]),
    *(
        (f"V12 {cidr} on {version}", block(cidr), version, codes)
        for cidr in ("10.1.2.3/8", "010.0.0.0/8", "::ffff:10.0.0.0/104")
        for version, codes in (
            ("1.29", []),
            ("1.35", []),
            ("1.36", ["NPL012"]),
            ("1.40", ["NPL012"]),
        )
    ),
    ("V12 except", block("10.0.0.0/8", "10.1.2.3/16"), "1.36", ["NPL012"]),
    ("V14 In", "{podSelector: {matchExpressions: [{key: a, operator: In}]}}", "1.35", ["NPL023"]),
    (
        "V14 NotIn",
        "{podSelector: {matchExpressions: [{key: a, operator: NotIn, values: []}]}}",
        "1.35",
        ["NPL023"],
    ),
    (
        "V14 Exists",
        peer("{namespaceSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}"),
        "1.35",
        ["NPL024"],
    ),
    (
        "V14 operator",
        peer("{podSelector: {matchExpressions: [{key: a, operator: notIn, values: [b]}]}}"),
        "1.35",
        ["NPL022"],
    ),
    ("V15 key", "{podSelector: {matchLabels: {-bad: a}}}", "1.35", ["NPL020"]),
    ("V15 value", f"{{podSelector: {{matchLabels: {{a: {LONG}}}}}}}", "1.35", ["NPL021"]),
    ("key prefix", "{podSelector: {matchLabels: {Bad/a: a}}}", "1.35", ["NPL020"]),
    ("empty value", '{podSelector: {matchLabels: {a: ""}}}', "1.35", []),
    (
        "expression key and value",
        '{podSelector: {matchExpressions: [{key: "", operator: In, values: ["a b"]}]}}',
        "1.35",
        ["NPL020", "NPL025"],
    ),
    ("V16", "{}", "1.35", []),
    ("V16 null", "null", "1.35", []),
]


@pytest.mark.parametrize(
    ("spec", "version", "codes"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_refusals(spec: str, version: str, codes: list[str]) -> None:
    found, diagnostics = read(spec, options(version))
    assert errors(diagnostics) == codes
    assert (found is None) == bool(codes)
    for each in diagnostics:
        assert each.span is not None
        assert each.object == "NetworkPolicy x/p"
        assert each.effect
        assert each.help
        assert each.source
        if each.severity is Severity.ERROR:
            assert "refuses this object, so it is treated as absent" in each.effect


def test_v17_an_unknown_field_is_refused_only_under_strict_validation() -> None:
    spec = peer("{namespaceSelctor: {}, podSelector: {}}")
    refused, diagnostics = read(spec, options(strict=True))
    assert refused is None
    assert errors(diagnostics)
    accepted, diagnostics = read(spec, options())
    assert accepted is not None
    assert accepted.ingress is not None
    assert accepted.ingress[0].peers == (model.NetworkPolicyPeer(model.LabelSelector()),)
    assert diagnostics


class TestUpdates:
    """What may stay because it was there."""

    def test_v13_old_blocks_anywhere_in_the_object_stay(self) -> None:
        old, _ = read("{egress: [{to: [{ipBlock: {cidr: 10.1.2.3/8, except: [010.1.0.0/16]}}]}]}")
        kept = block("10.1.2.3/8", "010.1.0.0/16")
        found, diagnostics = read(kept, options("1.36"), old)
        assert found is not None
        assert errors(diagnostics) == []
        assert errors(read(kept, options("1.36"))[1]) == ["NPL012", "NPL012"]
        assert errors(read(block("10.1.2.4/8"), options("1.36"), old)[1]) == ["NPL012"]

    def test_an_old_except_must_still_be_inside(self) -> None:
        old, _ = read(block("10.1.2.3/8", "10.1.2.3/16"))
        _, diagnostics = read(block("192.168.0.0/16", "10.1.2.3/16"), options("1.36"), old)
        assert errors(diagnostics) == ["NPL011"]

    def test_bad_values_stay_only_if_the_old_subject_was_already_bad(self) -> None:
        bad = '{{matchExpressions: [{{key: a, operator: In, values: ["a b"]}}]}}'.format()
        spec = f"{{podSelector: {bad}, ingress: [{{from: [{{podSelector: {bad}}}]}}]}}"
        selector = model.LabelSelector(
            match_expressions=(model.LabelSelectorRequirement("a", "In", ("a b",)),)
        )
        was_bad = model.NetworkPolicy("x", "p", selector)
        was_good = model.NetworkPolicy("x", "p")
        assert errors(read(spec, old=was_bad)[1]) == []
        assert errors(read(spec, old=was_good)[1]) == ["NPL025", "NPL025"]

    def test_match_labels_are_never_relaxed(self) -> None:
        selector = model.LabelSelector(
            match_expressions=(model.LabelSelectorRequirement("a", "In", ("a b",)),)
        )
        old = model.NetworkPolicy("x", "p", selector)
        assert errors(read('{podSelector: {matchLabels: {a: "b c"}}}', old=old)[1]) == ["NPL021"]


@pytest.mark.parametrize(
    ("metadata", "refused"),
    [
        ("{name: a.b-c, namespace: x}", False),
        ("{name: A, namespace: x}", True),
        ("{{name: {}, namespace: x}}".format(".".join(["a" * 60] * 5)), True),
        ("{namespace: x}", True),
        ("{generateName: a-, namespace: x}", False),
        ("{generateName: A-, namespace: x}", True),
        ("{name: a, namespace: x.y}", True),
    ],
)
def test_names(metadata: str, *, refused: bool) -> None:
    text = f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {metadata}\n"
    found, diagnostics = decode(document(text), options())
    assert (found is None) == refused, diagnostics


def test_every_problem_is_collected_with_its_place() -> None:
    text = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: p
  namespace: x
spec:
  podSelector:
    matchLabels:
      app: "not a value"
  policyTypes: [Egres]
  egress:
  - to:
    - ipBlock:
        cidr: 10.0.0.0/8
        except:
        - 10.1.0.0/16
        - 192.168.0.0/16
    ports:
    - protocol: udp
      port: "53"
"""
    found, diagnostics = decode(document(text, "deny.yaml"), options())
    assert found is None
    places = [(d.code, d.span.line, d.span.column) for d in diagnostics if d.span]
    assert places == [
        ("NPL021", 9, 12),
        ("NPL013", 19, 17),
        ("NPL015", 20, 13),
        ("NPL011", 17, 11),
        ("NPL005", 10, 17),
    ]
    assert "spec.egress[0].to[0].ipBlock.except[1]" in diagnostics[3].message


def _only(diagnostics: list[Diagnostic]) -> Diagnostic:
    (one,) = diagnostics
    return one


@pytest.mark.parametrize(
    ("spec", "help_"),
    [
        (port('{port: "80"}'), "`port: 80`, without quotes"),
        (port('{port: "HTTP"}'), "`http`"),
        (port("{protocol: tcp}"), "`TCP`"),
        (port("{protocol: ICMP}"), "remove the entry"),
        (port("{port: 90, endPort: 80}"), "`port: 80` and `endPort: 90`"),
        (block("10.0.0.1"), "`10.0.0.1/32`"),
        (block("fd00::1"), "`fd00::1/128`"),
        ("{policyTypes: [ingress]}", "`Ingress`"),
        (
            peer("{podSelector: {matchExpressions: [{key: a, operator: notIn, values: [b]}]}}"),
            "`NotIn`",
        ),
    ],
)
def test_help_says_what_to_write(spec: str, help_: str) -> None:
    assert help_ in (_only(read(spec)[1]).help or "")


@pytest.mark.parametrize("cidr", ["10.1.2.3/8", "010.0.0.0/8", "::ffff:10.0.0.0/104"])
def test_sloppy_blocks_are_warned_about_before_they_are_refused(cidr: str) -> None:
    warning = _only(read(block(cidr), options("1.35"))[1])
    assert warning.severity is Severity.WARNING
    assert "`10.0.0.0/8`" in (warning.help or "")
    assert "1.36" in (warning.effect or "")


def test_unusual_ipv6_text_is_only_information() -> None:
    note = _only(read(block("FD00:0::/64"), options("1.36"))[1])
    assert note.severity is Severity.INFO
    assert "`fd00::/64`" in (note.help or "")


def test_without_a_document_positions_are_those_of_the_model() -> None:
    good = policy("{ingress: [{from: [{ipBlock: {cidr: 10.1.2.3/8}}]}]}")
    (problem,) = validate(good, options("1.36"))
    assert good.ingress is not None
    assert good.ingress[0].peers is not None
    assert problem.span == good.ingress[0].peers[0].span


def test_long_values_are_cut_in_messages() -> None:
    message = _only(read(port('{port: "%s"}' % ("x" * 5000)))[1]).message
    assert len(message) < 300


SHEET = Path(__file__).resolve().parents[3] / ".." / "shared" / "semantics" / "kubernetes.md"


@pytest.mark.skipif(not SHEET.exists(), reason="the sheet of facts is not here")
def test_every_validation_row_has_a_case() -> None:
    wanted = set(re.findall(r"^\| (V\d+) \|", SHEET.read_text(encoding="utf-8"), re.MULTILINE))
    have = {case[0].split()[0] for case in CASES} | {"V13", "V17"}
    assert wanted <= have
