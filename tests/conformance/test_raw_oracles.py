"""The cases of the Network Policy API and of Calico against the oracles that walk raw manifests.

Neither was drawn from the other, so where they part, one of them misread its sources. The
oracles take what an API server accepts. They know no HTTP, no Service as the end of a question,
no state of connections, and one profile each.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import pytest

from tests.conformance.cases import Case, Row, cases, read
from tests.conformance.test_oracle import _end, _family
from tests.oracle.raw import Manifest
from tests.oracle.raw_admin import RawAdminOracle
from tests.oracle.raw_hosts import RawHostsOracle

ADMIN = ("adminpolicy", "adminpolicy-v1alpha1")
CALICO = "calico@3.32"
REFUSED = {
    "ap-one-name-for-both-tiers": "the second object of a name takes the place of the first",
    "ap-unknown-version": "no server takes it",
    "ap-unusable-selector": "no operator is called so",
    "ap-old-unusable-selector": "no operator is called so",
    "calico-a-namespace-selector-that-is-none-is-left-out": "no API takes it",
    "calico-a-block-that-is-none-is-refused": "no API takes it",
    "calico-a-rule-selector-that-is-none-takes-the-policy-away": "no API takes it",
}


def _asked(case: Case, row: Row, profile: str) -> bool:
    """Return whether a row is about something the oracles know."""
    plain = row.verdict != "mixed" and row.state == "new"
    ours = row.profile in ("generic", profile) and (not case.under or profile in case.under)
    ends = (row.src, row.dst)
    known = not any(end.startswith(("svc:", "any:")) for end in ends)
    numbered = row.on.split("/")[1:2] != [] and row.on.split("/")[1].isdecimal()
    return plain and ours and known and numbered and not row.staged and case.id not in REFUSED


def _documents(case: Case, row: Row) -> list[Manifest]:
    return [doc for text in case.texts(row.step).values() for doc in read(text)]


def _readable(documents: Sequence[Manifest]) -> bool:
    """Return whether nothing bears on a row that Calico's oracle does not know."""
    specs = [doc.get("spec") or {} for doc in documents]
    rules = [r for spec in specs for side in ("ingress", "egress") for r in spec.get(side) or ()]
    return not any("http" in rule for rule in rules)


ADMIN_ROWS = [
    pytest.param(case, row, id=f"{case.id}-{number}")
    for name in ADMIN
    for case in cases(name)
    for number, row in enumerate(case.rows, start=1)
    if _asked(case, row, "generic")
]
CALICO_ROWS = [
    pytest.param(case, row, id=f"{case.ids[0]}-{number}")
    for case in cases("calico")
    for number, row in enumerate(case.rows, start=1)
    if _asked(case, row, CALICO) and _readable(_documents(case, row))
]


@cache
def _admin(name: str, step: str) -> RawAdminOracle:
    (case,) = [case for file in ADMIN for case in cases(file) if case.id == name]
    documents = [doc for text in case.texts(step).values() for doc in read(text)]
    names: Mapping[str, Sequence[str]] = case.settings.get("names") or {}
    return RawAdminOracle(documents, names)


@pytest.mark.parametrize(("case", "row"), ADMIN_ROWS)
def test_two_readings_of_the_network_policy_api_agree(case: Case, row: Row) -> None:
    oracle = _admin(case.id, row.step)
    protocol, _, port = row.on.partition("/")
    number = int(port) if port.isdecimal() and not protocol.startswith("ICMP") else None
    ends = _end(oracle, row.src), _end(oracle, row.dst)
    assert oracle.verdict(*ends, protocol, number, _family(row)) == row.verdict, case.why


@pytest.mark.parametrize(("case", "row"), CALICO_ROWS)
def test_two_readings_of_calico_agree(case: Case, row: Row) -> None:
    oracle = RawHostsOracle(_documents(case, row))
    protocol, *rest = row.on.split("/")
    number = int(rest[0]) if protocol != "ICMP" else None
    if protocol == "ICMP" and len(rest) > 1:
        oracle.icmp = (int(rest[0]), int(rest[1]))
    ends = _end(oracle, row.src), _end(oracle, row.dst)
    assert oracle.verdict(*ends, protocol, number, _family(row)) == row.verdict, case.why
