"""Reading connectivity tests. What is wrong with a row costs that row and no other.

Family `TST`. The form is part of the interface.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from cloison.analyses.application import Application
from cloison.analyses.matrix import Expect, Row
from cloison.analyses.question import split_port
from cloison.base import Diagnostic, QuestionError, Severity, Span, sort_diagnostics
from cloison.resources.documents import Document, Node
from cloison.resources.names import printable

API_VERSION = "cloison.dev/v1alpha1"
KIND = "ConnectivityTests"

NOT_TESTS = "TST001"
UNKNOWN_FIELD = "TST002"
WRONG_TYPE = "TST003"
MISSING = "TST004"
NOT_EXPECTED = "TST005"
PORT_MISPLACED = "TST006"
NAME_REPEATED = "TST007"
NO_ROWS = "TST008"

_SOURCE = "Cloison interface, JSON: a test file"
_TOP = ("apiVersion", "kind", "metadata", "tests")
_TEXTS = ("name", "from", "to", "protocol", "grpc", "sni", "dns", "expect", "why")
_FIELDS = (*_TEXTS, "port", "http")
_NEEDED = ("from", "to", "expect")
_NOT_ASKED = "this row is not answered; the others are"

MINIMAL = """\
apiVersion: cloison.dev/v1alpha1
kind: ConnectivityTests
tests:
  - name: portal-to-api
    from: web/portal
    to: api/server
    port: 8080
    expect: allow
    why: the portal shows what the API gives it"""
"""The smallest useful tests file, for whoever has none."""


@dataclass(frozen=True, slots=True)
class Tests:
    """What test documents hold.

    Args:
        rows: Every row, in order; one that cannot be asked carries its faults.
        diagnostics: Everything that is wrong with them, sorted.
        documents: How many documents of tests there were.
    """

    rows: tuple[Row, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    documents: int = 0


def is_tests(document: Document) -> bool:
    """Return whether a document of Cloison's own group says that it holds tests."""
    kind = document.root.get("kind")
    return kind is not None and kind.value == KIND


def read_tests(documents: Iterable[Document]) -> Tests:
    """Return the rows of test documents.

    Args:
        documents: Documents that are tests, or were named as such: with or without
            `apiVersion` and `kind`.
    """
    rows: list[Row] = []
    diagnostics: list[Diagnostic] = []
    count = 0
    for document in documents:
        count += 1
        found, said = _document(document, len(rows))
        rows += found
        diagnostics += said
    diagnostics += _repeated(rows)
    diagnostics += [d for row in rows for d in row.faults]
    return Tests(tuple(rows), sort_diagnostics(diagnostics), count)


def _document(document: Document, before: int) -> tuple[list[Row], list[Diagnostic]]:
    found = _fields(document)
    if isinstance(found, Diagnostic):
        return [], [found]
    fields, tests = found
    said = [
        _fault(
            UNKNOWN_FIELD,
            node.key_span(document.file),
            f"a tests file has no field `{name}`",
            _meant(name, _TOP),
            effect="what it was meant to do is not done",
        )
        for name, node in fields.items()
        if name not in _TOP
    ]
    if not tests:
        said.append(
            _fault(
                NO_ROWS,
                fields["tests"].span(document.file),
                "the tests file has no rows",
                "write rows with `from`, `to`, `port` and `expect`",
                effect="nothing is checked",
                severity=Severity.WARNING,
            )
        )
    rows = [_row(document.file, node, before + i) for i, node in enumerate(tests, start=1)]
    return rows, said


def _fields(document: Document) -> tuple[Mapping[str, Node], list[Node]] | Diagnostic:
    """Return what a tests file holds, by field, and its rows; or why it is none."""
    root, file = document.root, document.file
    effect = "none of its rows is answered"
    help_ = f"write apiVersion: {API_VERSION}, kind: {KIND} and a list of `tests`"
    for key, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        node = root.get(key)
        if node is not None and node.value != wanted:
            message = f"`{key}` is {_shown(node)}, not {wanted}"
            return _fault(NOT_TESTS, node.span(file), message, help_, effect=effect)
    tests = root.get("tests")
    if tests is None or not isinstance(root.value, dict):
        message = "there is no `tests` in this document"
        return _fault(NOT_TESTS, root.span(file), message, help_, effect=effect)
    if not isinstance(tests.value, list):
        message = f"`tests` is {_type(tests)}, not a list of rows"
        return _fault(WRONG_TYPE, tests.span(file), message, help_, effect=effect)
    return root.value, tests.value


@dataclass(slots=True)
class _Reader:
    """Collects the fields and faults of one row; lives for one row."""

    file: str
    node: Node
    fields: Mapping[str, Node] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)

    def fault(self, code: str, at: Node, message: str, help_: str | None = None) -> None:
        self.faults.append(_fault(code, at.span(self.file), message, help_))

    def text(self, name: str) -> str | None:
        node = self.fields.get(name)
        if node is None or node.value is None:
            return None
        if isinstance(node.value, str):
            return node.value
        # A protocol may be given by its number.
        if name == "protocol" and type(node.value) is int:
            return str(node.value)
        self.fault(WRONG_TYPE, node, f"`{name}` is {_type(node)}, not text", _quote(node))
        return None

    def port(self) -> str | None:
        node = self.fields.get("port")
        if node is None or node.value is None:
            return None
        value = node.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is int:
            return str(value)
        if not isinstance(value, str) or not value:
            what = _type(node) if not isinstance(value, str) else "empty"
            self.fault(WRONG_TYPE, node, f"`port` is {what}, not a number or a port's name")
            return None
        if "/" in value or value.lower() in ("icmp", "icmpv6"):
            port, _, protocol = value.partition("/")
            better = f"port: {port}, protocol: {protocol}"
            if port.lower() in ("icmp", "icmpv6"):
                better = f"protocol: {value}"
            message = f"`port` is {value!r}, and the protocol has a field of its own"
            self.fault(PORT_MISPLACED, node, message, f"write {better}")
            return None
        return value

    def end(self, name: str) -> str:
        text = self.text(name)
        if text is None:
            return ""
        try:
            end, carried = split_port(text)
        except QuestionError:
            return text
        if carried is None:
            return text.strip("[]") if text.startswith("[") else text
        node = self.fields[name]
        if name == "to":
            message = f"`to` carries a port ({text}), which has a field of its own"
            port, _, protocol = carried.partition("/")
            more = f" and protocol: {protocol}" if protocol else ""
            self.fault(PORT_MISPLACED, node, message, f"write to: {end} with port: {port}{more}")
        else:
            message = f"`from` carries a port ({text}); ports are asked of the destination"
            self.fault(PORT_MISPLACED, node, message, f"write from: {end}")
        return end

    def expect(self) -> Expect | None:
        text = self.text("expect")
        if text is None:
            return None
        if text in tuple(Expect):
            return Expect(text)
        close = "allow" if text.lower().startswith(("allow", "open", "yes", "pass")) else None
        close = "deny" if text.lower().startswith(("den", "close", "no", "block")) else close
        help_ = f"write {close}" if close else "write allow or deny"
        self.fault(
            NOT_EXPECTED, self.fields["expect"], f"{text!r} cannot be expected of a path", help_
        )
        return None


def _row(file: str, node: Node, number: int) -> Row:
    reader = _Reader(file, node)
    if not isinstance(node.value, dict):
        reader.fault(WRONG_TYPE, node, f"a row is {_type(node)}, not `from`, `to` and `expect`")
        return _finished(reader, f"row {number}")
    reader.fields = node.value
    for name, value in node.value.items():
        if name not in _FIELDS:
            message = f"a row has no field `{name}`"
            span = value.key_span(file)
            reader.faults.append(_fault(UNKNOWN_FIELD, span, message, _meant(name, _FIELDS)))
    for name in _NEEDED:
        held = node.value.get(name)
        if held is None or held.value in (None, ""):
            reader.fault(MISSING, held or node, f"the row does not say `{name}`", _EXAMPLE[name])
    return _finished(reader, f"row {number}")


_EXAMPLE = {
    "from": "write who connects, as in from: web/portal",
    "to": "write who listens, as in to: api/server",
    "expect": "write expect: allow or expect: deny",
}


def _finished(reader: _Reader, fallback: str) -> Row:
    source, destination = reader.end("from"), reader.end("to")
    http = reader.fields.get("http")
    name = reader.text("name")
    row = Row(
        name or "",
        source,
        destination,
        reader.expect(),
        reader.port(),
        (reader.text("protocol") or "TCP").upper(),
        reader.text("why"),
        Application(
            None if http is None or http.value is None else _plain(http),
            reader.text("grpc"),
            reader.text("sni"),
            reader.text("dns"),
        ),
        reader.node.span(reader.file),
    )
    if not name:
        row = replace(row, name=str(row) if source and destination else fallback)
    return replace(row, faults=tuple(reader.faults))


def _plain(node: Node) -> str:
    if isinstance(node.value, str):
        return node.value
    return json.dumps(node.plain(), sort_keys=True, ensure_ascii=False, default=str)


def _repeated(rows: Iterable[Row]) -> Iterator[Diagnostic]:
    """Say which names are used twice: reports tell rows apart by name."""
    seen: dict[str, Row] = {}
    for row in rows:
        first = seen.setdefault(row.name, row)
        if first is not row and row.span is not None:
            yield _fault(
                NAME_REPEATED,
                row.span,
                f"another row is called {row.name!r}"
                + (f" already, at {first.span.place}" if first.span else ""),
                "give it a name of its own",
                effect="reports show two rows under one name",
                severity=Severity.WARNING,
            )


def _fault(
    code: str,
    span: Span,
    message: str,
    help_: str | None,
    *,
    effect: str = _NOT_ASKED,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    said, advice = printable(message), printable(help_) if help_ else None
    return Diagnostic(code, severity, said, span, None, effect, advice, _SOURCE)


def _meant(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"its fields are {', '.join(known)}"


def _type(node: Node) -> str:
    value = node.value
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "text" if isinstance(value, str) else "a number"


def _shown(node: Node) -> str:
    return node.value if isinstance(node.value, str) else _type(node)


def _quote(node: Node) -> str | None:
    scalar = not isinstance(node.value, dict | list)
    return "put it in quotes" if scalar else None
