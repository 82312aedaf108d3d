"""The cases about Cilium against the oracle over raw manifests: two readings of one sheet.

The oracle says which way a connection fails, so rows are held to the word and not to the verdict.
"""

from functools import cache

import pytest

from tests.conformance.cases import Case, Row, cases, read
from tests.oracle.raw import End
from tests.oracle.raw_cilium import RawCiliumOracle
from tests.oracle.raw_cilium_requests import Asked, name_pattern
from tests.oracle.raw_cilium_valid import judged

FILES = (
    "cilium",
    "cilium-requests",
    "cilium-state",
    "cilium-networkpolicy",
    "cilium-open",
    "published-cilium",
)
CASES = tuple(case for file in FILES for case in cases(file))
ROWS = [
    pytest.param(case, row, id=f"{case.ids[0]}-{number}")
    for case in CASES
    for number, row in enumerate(case.rows, start=1)
]


def version(profile: str) -> tuple[int, int]:
    """Return the version in a profile's name."""
    major, minor = profile.partition("@")[2].split(".")
    return int(major), int(minor)


@cache
def _oracle(name: str, step: str, profile: str) -> RawCiliumOracle:
    (case,) = [case for case in CASES if case.id == name]
    documents = [doc for text in case.texts(step).values() for doc in read(text)]
    (config,) = [doc for doc in documents if doc["kind"] == "ConfigMap"]
    told = case.told(step)
    switches = {**config["data"], **told.get("cilium", {})}
    return RawCiliumOracle(documents, version(profile), switches, told.get("names"))


def _end(text: str) -> End:
    if text.startswith("node:"):
        return ("node", text.removeprefix("node:"))
    if text.startswith("reserved:"):
        name, _, node = text.removeprefix("reserved:").partition("@")
        return ("reserved", name, node)
    kind = "svc" if text.startswith("svc:") else "pod"
    namespace, slash, name = text.removeprefix("svc:").partition("/")
    return (kind, namespace, name) if slash else ("ip", text)


def _request(row: Row) -> Asked | None:
    if row.dns is not None:
        return Asked("dns", name=row.dns)
    if row.http is None and row.host is None and not row.headers:
        return None
    method, _, path = (row.http or "").partition(" ")
    headers = [(name.lower(), value) for name, _, value in (h.partition(": ") for h in row.headers)]
    return Asked("http", method or None, path or None, row.host, tuple(headers))


def answered(case: Case, row: Row) -> str:
    """Return what the oracle says to a row, in the sheet's words."""
    profile = case.under[-1] if row.profile == "generic" else row.profile
    oracle = _oracle(case.id, row.step, profile)
    match row.asks:
        case "object":
            (item,) = [*oracle.own, *oracle.refused]
            return judged(item, oracle.switches)
        case "subject":
            names = {entry.owner for entry in oracle.entries}
            found = any(oracle.selected(name, _end(row.src)) for name in names)
            return "SELECTED" if found else "NOT_SELECTED"
        case "endpoint":
            return "CONFLICT" if oracle.conflicts(_end(row.src)) else "VALID"
        case "pattern":
            pattern = name_pattern((row.src, True), deep=True)
            return "MATCH" if pattern.fullmatch(row.dst) else "NO_MATCH"
    protocol, _, rest = row.on.partition("/")
    family = row.family or (6 if protocol == "ICMPv6" else 4)
    if row.state == "reply":
        # The other direction of a connection that was let through.
        assert row.answer == "ALLOW"
    words = oracle.answers(
        _end(row.src),
        _end(row.dst),
        protocol.upper(),
        int(rest.partition("/")[0]),
        family,
        _request(row),
    )
    return words.pop() if len(words) == 1 else "undetermined"


@pytest.mark.parametrize(("case", "row"), ROWS)
def test_two_readings_agree(case: Case, row: Row) -> None:
    assert answered(case, row) == (row.answer or row.verdict), case.why
