"""What people read: nothing hostile gets through, everything fits, words carry the meaning."""

from pathlib import Path

import pytest

import cloison
from cloison.algebra import EVERY_ADDRESS, FAMILY, AddressSet
from cloison.analyses.connectivity import EndRef
from cloison.app import Session
from cloison.base import Diagnostic, Severity, Span
from cloison.report import PLAIN, Findings, Look, render
from cloison.report.text.layout import table
from cloison.report.text.map import Words, addresses_text, edge_count
from cloison.report.text.validate import Quotes, message
from tests.unit.report.results import TABLES, about, corners, example, results

COLOURS = Look(color=True)


def _text(kind: str, session: Session, result: object, look: Look = PLAIN) -> str:
    return "".join(render(kind, result, about(session), "text", look))


def _why(session: Session, source: str, destination: str) -> list[str]:
    return _text("why", session, session.why(source, destination)).splitlines()


@pytest.mark.parametrize("number", TABLES)
def test_colours_only_repeat_what_words_say(number: int) -> None:
    kind, session, result = results()[number]
    painted = _text(kind, session, result, COLOURS)
    plain = _text(kind, session, result)
    assert "\x1b" in painted
    assert "\x1b" not in plain
    for code in ("0", "1", "2", "31", "32", "33", "36"):
        painted = painted.replace(f"\x1b[{code}m", "")
    assert painted == plain


def test_a_denial_leads_with_verdict_policy_and_line() -> None:
    lines = _why(example("case-management"), "web/case-portal", "evidence/evidence-api:8080")
    assert lines[0] == "DENIED  web/case-portal -> evidence/evidence-api:8080/TCP"
    deciding = " ".join(lines[2:5])
    assert "leaving web/case-portal by web/case-portal" in deciding
    assert "20-web.yaml:206" in deciding
    assert len(lines) <= 60


def test_the_nearest_miss_is_told_and_far_ones_are_summed_up() -> None:
    lines = _why(example(), "case-management/case-api", "enforcement/enforcement-api:8080")
    text = " ".join(" ".join(lines).split())
    assert (
        "rule 1 allows app=case-api in namespaces labelled name=case-management; namespace "
        "case-management is labelled name=case-mgmt" in text
    )
    assert (
        "farther off: enforcement/allow-metrics-scrape (only metrics), "
        "enforcement/default-deny (no rule)" in text
    )


def test_a_policy_that_misses_its_subject_is_named_first() -> None:
    lines = _why(example(), "web/case-portal", "case-management/case-api-canary:8080")
    text = " ".join(lines)
    assert "case-management/case-api would allow it but does not select" in text


def test_a_mend_is_printed_to_be_pasted() -> None:
    lines = _why(example(), "payments/payments-api", "kube-system/coredns:53/UDP")
    assert any(line.startswith("to allow it: ") for line in lines)
    assert "      - protocol: UDP" in lines


def test_built_in_rules_and_ends_outside_are_said_in_words() -> None:
    small = corners()
    assert "   a built-in rule decides: own node" in _why(small, "node:n1", "a/one:80")
    assert "Neither end is a pod, so no policy applies." in _why(small, "8.8.8.8", "1.1.1.1:443")
    mixed = _why(small, "any:", "a/one:80")
    assert "Shown below: a/many -> a/one" in mixed
    assert "  allowed: a/two -> a/one on TCP/80" in mixed


def test_names_from_files_cannot_drive_the_terminal() -> None:
    hostile = "x\x1b]0;owned\x07\x1b[2Jy\u202ez"
    look = Look(color=True)
    cleaned = look.safe(f"{look.paint('ok', 'red')} {hostile}")
    assert cleaned == "\x1b[31mok\x1b[0m x\\x1b]0;owned\\x07\\x1b[2Jy\\u202ez"
    for each in (Look(), look):
        assert each.safe("\x1b[31mred\x1b[0m") == "\\x1b[31mred\\x1b[0m"
    inside = look.safe(look.paint("a\x1b[0mb", "red"))
    assert inside == "\x1b[31ma\\x1b[0mb\x1b[0m"
    session = cloison.load_texts({f"{hostile}.yaml": "kind: ["})
    found = Findings(session.diagnostics, 1)
    assert found.diagnostics
    assert "\x1b" not in _text("validate", session, found)
    assert "\u202e" not in _text("validate", session, found)


def test_columns_line_up_and_the_last_is_free() -> None:
    rows = [("a", "bb", "c c c"), ("aaa", "b", "d")]
    assert list(table(rows)) == ["a    bb  c c c", "aaa  b   d"]
    assert list(table([])) == []


def _ref(namespace: str, name: str) -> EndRef:
    return EndRef("workload", namespace, name, "Deployment")


def test_sets_of_ends_get_short_names() -> None:
    web, api, shop = _ref("web", "a"), _ref("web", "b"), _ref("shop", "a")
    node = EndRef("node", name="n1")
    words = Words([web, api, shop, node])
    assert words.of([web]) == ["web/a"]
    assert words.of([web, api]) == ["web/*"]
    assert words.of([web, shop]) == ["web/a", "shop/a"]
    assert words.of([web, api, shop]) == ["*"]
    assert words.of([web, api, shop, node]) == ["*", "node:n1"]
    assert words.of([web, node]) == ["web/a", "node:n1"]


@pytest.mark.parametrize(
    ("addresses", "text"),
    [
        (EVERY_ADDRESS, "any address"),
        (FAMILY[4], "any IPv4 address"),
        (AddressSet.block("192.0.2.0/24"), "192.0.2.0/24"),
        (AddressSet.address("2001:db8::1"), "2001:db8::1"),
        (FAMILY[4] - AddressSet.block("10.0.0.0/8"), "any IPv4 but 10.0.0.0/8"),
        (EVERY_ADDRESS - AddressSet.block("10.0.0.0/8"), "any but 10.0.0.0/8"),
    ],
)
def test_addresses_are_said_the_shorter_way(addresses: AddressSet, text: str) -> None:
    assert addresses_text(addresses) == text


def test_edges_are_counted_without_being_spelled_out() -> None:
    for kind, _, result in results():
        if kind == "map":
            spelled = [bool(e.allowed) + bool(e.undetermined) for e in result]
            assert edge_count(result) == sum(spelled)


def test_a_message_quotes_its_line(tmp_path: Path) -> None:
    file = tmp_path / "payments.yaml"
    file.write_text('spec:\n  order: "ten"\n', encoding="utf-8")
    at = Diagnostic(
        "CAL014",
        Severity.ERROR,
        "`order` is not a number",
        Span(str(file), 2, 10),
        "GlobalNetworkPolicy payments-deny",
        "this policy is not loaded",
        "write `order: 10`",
        "Calico API reference",
    )
    assert list(message(at, Look(), Quotes())) == [
        "error[CAL014]: `order` is not a number",
        f"  --> {file}:2:10  GlobalNetworkPolicy payments-deny",
        '    2 |   order: "ten"',
        "      |          ^^^^^",
        "  effect: this policy is not loaded",
        "  help:   write `order: 10`",
        "  source: Calico API reference",
    ]


@pytest.mark.parametrize("span", [Span("<stdin>", 1), Span("gone.yaml", 3), Span("gone.yaml", 0)])
def test_a_line_that_cannot_be_had_is_left_out(span: Span) -> None:
    at = Diagnostic("SRC001", Severity.WARNING, "odd", span)
    assert list(message(at, Look(), Quotes())) == ["warning[SRC001]: odd", f"  --> {span}"]


def test_nothing_to_say_is_said() -> None:
    session = cloison.load_texts({"empty.yaml": ""})
    assert _text("validate", session, Findings((), 0)) == "nothing to report in 0 files\n"
    assert "no workload was read" in _text("map", session, session.map())
