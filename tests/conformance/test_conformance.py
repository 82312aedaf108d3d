"""Cloison's answers against the cases."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from cloison.app import Session, load_texts
from cloison.base import Severity
from cloison.ir.profile import Profile
from cloison.platform import profile
from tests.conformance.cases import BASE, Case, Probe, Row, cases, identity, read

FILES = ("networkpolicy", "adminpolicy")
_READ = (*FILES, "adminpolicy-v1alpha1")
ROWS = [
    pytest.param(
        case,
        row,
        id=f"{case.id}-{number}",
    )
    for file in _READ
    for case in cases(file)
    for number, row in enumerate(case.rows, start=1)
]
PROBES = [
    pytest.param(case, probe, id=f"{case.id}-{number}")
    for file in FILES
    for case in cases(f"{file}-validation")
    for number, probe in enumerate(case.judged, start=1)
]


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def _profile(case: Case, name: str) -> Profile:
    """Return a profile by name; one that a case makes up is another with facts replaced."""
    if name not in case.profiles:
        return profile(name)
    facts: dict[str, Any] = dict(case.profiles[name])
    return replace(profile(facts.pop("base")), name=name, **facts)


@cache
def _session(name: str, step: str, profile_name: str) -> Session:
    (case,) = [case for file in _READ for case in cases(file) if case.id == name]
    return load_texts(
        case.texts(step),
        profile=_profile(case, profile_name),
        kubernetes=_version(case.kubernetes),
        field_validation="warn",
        **case.settings,
    )


def _traffic(on: str) -> dict[str, Any]:
    """Return `TCP/80`, `TCP/http`, `ICMP/8/0` or `47` as the question's port and protocol."""
    protocol, _, rest = on.partition("/")
    if not rest:
        return {"protocol": protocol}
    if protocol == "ICMP":
        return {"port": on.lower()}
    return {"protocol": protocol, "port": int(rest) if rest.isdecimal() else rest}


@pytest.mark.parametrize(("case", "row"), ROWS)
def test_row(case: Case, row: Row) -> None:
    session = _session(case.id, row.step, row.profile)
    answer = session.why(row.src, row.dst, **_traffic(row.on), state=row.state, family=row.family)
    carried = {caveat.id for caveat in answer.caveats}
    assert str(answer.verdict) == row.verdict, case.why
    if row.caveats is not None:
        assert set(row.caveats) <= carried
    if row.caveats == ():
        assert carried == set(), "the specification fixes this answer"
    assert set(row.by) <= set(answer.decided_by)


@pytest.mark.parametrize(("case", "probe"), PROBES)
def test_object_is_judged_as_the_server_would(case: Case, probe: Probe) -> None:
    """A refused policy is an error and absent; an accepted one isolates x/a."""
    session = load_texts(
        case.texts(policies=probe.policies),
        profile="generic",
        kubernetes=_version(probe.kubernetes),
        field_validation=probe.field_validation,
        policy_channel=probe.policy_channel,
    )
    kind, namespace, name = identity(read(probe.policies)[0])
    place = f"{namespace}/{name}" if namespace else name
    refusals = [
        diagnostic
        for diagnostic in session.diagnostics
        if diagnostic.severity is Severity.ERROR
        and diagnostic.object == f"{kind} {place}"
        and "absent" in (diagnostic.effect or "")
    ]
    answer = session.why("y/a", "x/a", protocol="TCP", port=4444)
    if probe.verdict == "reject":
        assert refusals, case.why
        assert str(answer.verdict) == "allowed"
    else:
        assert refusals == [], case.why
        assert str(answer.verdict) == "denied"
    if probe.says:
        found = {diagnostic.code for diagnostic in (*session.diagnostics, *session.suspicions)}
        assert set(probe.says) <= found


@pytest.mark.parametrize(
    "case", [case for file in _READ for case in cases(file) if case.diagnostics], ids=lambda c: c.id
)
def test_what_is_said_of_the_policies(case: Case) -> None:
    session = _session(case.id, BASE, "generic")
    assert set(case.diagnostics) <= {diagnostic.code for diagnostic in session.diagnostics}
