"""Names and patterns of names as Cilium's unit tests have them.

Source: cilium/cilium pkg/fqdn/matchpattern/matchpattern_test.go, pkg/policy/api/fqdn_test.go, at
v1.19.4.
"""

from typing import Any

import pytest

from cloison.algebra import host_names
from cloison.base import Severity
from cloison.dialects.cilium.decode import decode
from cloison.ir.names import names_within
from cloison.resources.options import ReadOptions
from tests.conformance.test_cilium_reading import CNP, document

_SUBS = "anysub.cilium.io. anysub.ci.io. anysub.ciliumandmore.io."
_DEEP = "test.cilium.io. test.app.cilium.io. test.app.new.cilium.io."
_ANY = "io. cilium.io. svc.cluster.local. service.namespace.svc.cluster.local."
MEETS = (
    ("cilium.io.", "cilium.io.", _SUBS),
    ("*.cilium.io.", "anysub.cilium.io.", "cilium.io. anysub.ci.io. anysub.ciliumandmore.io."),
    ("*.ci*.io.", _SUBS, "cilium.io."),
    ("*.ci**.io.", _SUBS, "cilium.io."),
    ("*", f"{_ANY} _foobar._tcp.cilium.io.", ""),
    ("**", f"{_ANY} _foobar._tcp.cilium.io.", ""),
    ("***.", _ANY, ""),
    ("_foobar._tcp.cilium.io.", "_foobar._tcp.cilium.io.", "_tcp.cilium.io. cilium.io."),
    ("*.*.cilium.io.", "_foobar._tcp.cilium.io.", "cilium.io."),
    ("test.*.cilium.io.", "test.a.cilium.io.", "test.cilium.io. test.a.b.cilium.io."),
    ("test.**.cilium.io.", "test.a.cilium.io.", "test.cilium.io. test.a.b.cilium.io."),
    ("**.cilium.io.", _DEEP, "cilium.io. anysub.ci.io. anysub.ciliumandmore.io."),
    ("***.cilium.io.", _DEEP, "cilium.io. anysub.ci.io. anysub.ciliumandmore.io."),
    (
        "**.*.cilium.io.",
        "_foobar._tcp.cilium.io. _foo._bar._tcp.cilium.io.",
        "cilium.io. foo.cilium.io.",
    ),
    (
        "**.ci*.io.",
        "foo.bar.cilium.io. anysub.cilium.io. anysub.ci.io. _foo._bar.ciliumandmore.io.",
        "cilium.io. test.calium.io.",
    ),
)
"""Patterns, names that they meet, and names that they do not."""


@pytest.mark.parametrize(("pattern", "meets", "misses"), MEETS)
def test_patterns_meet_names(pattern: str, meets: str, misses: str) -> None:
    """The dot of the root at the end is no part of a name here."""
    found, written = host_names(pattern), names_within(pattern)
    for name in (each.removesuffix(".") for each in meets.split()):
        assert (name in found, written.covers(name)) == (True, True), name
    for name in (each.removesuffix(".") for each in misses.split()):
        assert (name in found, written.covers(name)) == (False, False), name


TAKEN: tuple[dict[str, str], ...] = (
    *({"matchName": name} for name in ("cilium.io.", "get-cilium.io.", "foo.cilium.io.")),
    *({"matchName": name} for name in ("cilium.io", "_cilium.io")),
    *({"matchPattern": text} for text in ("*.cilium.io", "*._cilium.io", "*cilium.io")),
    {"matchPattern": "cilium.io"},
)
REFUSED: tuple[dict[str, str], ...] = (
    {"matchName": "a{1,2}.cilium.io."},
    {"matchPattern": "[a-z]*.cilium.io."},
    {"matchName": "a{1,2}.cilium.io.", "matchPattern": "[a-z]*.cilium.io."},
)


def _errors(element: dict[str, Any]) -> list[str]:
    spec = {"endpointSelector": {}, "egress": [element]}
    _, said = decode(document(CNP, {"spec": spec}), ReadOptions())
    return [each.code for each in said if each.severity is Severity.ERROR]


def _asked(name: dict[str, str]) -> dict[str, Any]:
    return {"toPorts": [{"ports": [{"port": "53"}], "rules": {"dns": [name]}}]}


@pytest.mark.parametrize("name", TAKEN)
def test_names_are_taken(name: dict[str, str]) -> None:
    assert _errors({"toFQDNs": [name]}) == _errors(_asked(name)) == []


@pytest.mark.parametrize("name", [*REFUSED, {"matchName": "cilium.io", "matchPattern": "*"}])
def test_names_are_refused(name: dict[str, str]) -> None:
    assert set(_errors({"toFQDNs": [name]})) == set(_errors(_asked(name))) == {"CIL016"}
