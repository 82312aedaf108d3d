"""The cases against the oracle that walks raw manifests: two readings of one specification.

Neither was drawn from the other, so where they part, one of them misread it. The oracle knows
neither CNI profiles, Services, names for ports in questions, nor the state of a connection, nor
loopback, and it takes blocks as Python does.
"""

import ipaddress
from functools import cache

import pytest

from tests.conformance.cases import Case, Row, cases, read
from tests.oracle.raw import RawOracle

PYTHON_REFUSES = {"np-ipv4-mapped-block", "np-leading-zeros-are-decimal"}
ROWS = [
    pytest.param(case, row, id=f"{case.id}-{number}")
    for case in cases("networkpolicy")
    for number, row in enumerate(case.rows, start=1)
    if row.profile == "generic"
    and row.state == "new"
    and row.verdict != "mixed"
    and case.id not in PYTHON_REFUSES
    and row.dst not in {"127.0.0.1", "::1"}
    and not row.dst.startswith("svc:")
    and not (set(row.caveats or ()) & {"SERVICE_NAT", "POD_PENDING", "POD_FINISHED"})
    and row.on.rpartition("/")[2].isdecimal()
]


@cache
def _oracle(name: str, step: str) -> RawOracle:
    (case,) = [case for case in cases("networkpolicy") if case.id == name]
    return RawOracle(doc for text in case.texts(step).values() for doc in read(text))


def _end(oracle: RawOracle, text: str) -> tuple[str, ...]:
    if text.startswith("node:"):
        return ("node", text.removeprefix("node:"))
    namespace, slash, name = text.partition("/")
    if not slash:
        return ("ip", text)
    for key in oracle.templates:
        if (key[0], key[2]) == (namespace, name):
            return ("workload", *key)
    return ("pod", namespace, name)


def _family(row: Row) -> int:
    written = [end for end in (row.src, row.dst) if ":" in end and not end.startswith("node:")]
    return row.family or (ipaddress.ip_address(written[0]).version if written else 4)


@pytest.mark.parametrize(("case", "row"), ROWS)
def test_two_readings_agree(case: Case, row: Row) -> None:
    oracle = _oracle(case.id, row.step)
    protocol, _, port = row.on.partition("/")
    number = int(port) if port.isdecimal() else None
    ends = _end(oracle, row.src), _end(oracle, row.dst)
    assert oracle.verdict(*ends, protocol, number, _family(row)) == row.verdict, case.why
