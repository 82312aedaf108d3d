"""Policies compiled from a contract let through what the contract says, and nothing else.

For every pair of pods and every address outside that anybody tells from others, the traffic that
passes with only these policies in force is held against the contract, worked out apart.
"""

import random
from collections.abc import Iterator
from datetime import date
from functools import cache

import pytest

import cloison
from cloison.algebra import L4, AddressSet, TrafficSet
from cloison.algebra.addresses import address_text
from cloison.app import Session
from cloison.app.compile import TARGETS, Compilation, compile_contract
from cloison.engine import UnitKind
from tests.support.budget import tries
from tests.support.compiling import HANDED, SERVER, SERVER_PORT, Case, Load, make, numbers

WORLDS = tries(32, 1200)
CHUNKS = 4
TODAY = date(2026, 11, 1)
_HANDED = AddressSet.block(HANDED).spans[0][0]
DNS = TrafficSet.ports("UDP", 53) | TrafficSet.ports("TCP", 53)


ENFORCERS = {
    "networkpolicy": ("generic", "kube-network-policies", "calico@3.31", "calico@3.32"),
    "clusternetworkpolicy": ("generic", "kube-network-policies"),
    "calico": ("calico@3.31", "calico@3.32"),
    "cilium": ("cilium@1.18", "cilium@1.19", "cilium@1.20"),
}
"""Who may enforce each language, where what it says is all that counts."""


@cache
def session(seed: int, profile: str) -> Session:
    """Return a random cluster."""
    return cloison.load_texts(make(seed).texts(), runtime=True, profile=profile)


def enforcer(seed: int, target: str) -> str:
    """Return who enforces what is written, drawn by chance."""
    return random.Random(f"{seed} {target}").choice(ENFORCERS[target])


def said(
    case: Case, done: Compilation, source: object, to: object
) -> tuple[TrafficSet, TrafficSet]:
    """Return the traffic that the contract lets through, and what it would but for what it lacks.

    Ends are workloads, or addresses outside as text.
    """
    sure, perhaps = TrafficSet(), TrafficSet()
    for each in (
        {**leg, "meant": dependency["to"]}
        for dependency in case.dependencies
        for leg in case.legs(dependency)
    ):
        if each.get("expires") == "2020-01-01":
            continue
        if not (_meant(case, each["from"], source) and _meant(case, each["to"], to)):
            continue
        any_pod = any(isinstance(each[key], str) and "any:" in each[key] for key in ("from", "to"))
        if source == to and len(case.inside(each["from"])) > 1 and not any_pod:
            if each["to"] != each["meant"]:
                perhaps |= L4  # by its own Service
            continue  # many among each other, and none with itself
        for protocol, first, last in numbers(each, to if isinstance(to, Load) else None):
            traffic = TrafficSet.ports(protocol, first, last)
            if each["name"] in done.compiled.refused:
                perhaps |= traffic
            else:
                sure |= traffic
    names = {str(name) for each in done.compiled.sheets for name in each.workloads}
    # Told: they only have what is written for others, whose labels are theirs, too.
    names -= {str(name) for name in done.compiled.shut}
    for one, other in ((source, to), (to, source)) if "apiserver" in case.platform else ():
        if not isinstance(one, Load) or other != SERVER or one.text not in names:
            continue
        if one is source and one.asks:
            sure |= TrafficSet.ports("TCP", SERVER_PORT)
        for hook in (each for each in case.loads if each.hook and one is to):
            if one in case.behind(hook):
                target, protocol = next(iter(hook.doors.values()))
                sure |= TrafficSet.ports(protocol, target)
    return sure, perhaps


def _meant(case: Case, end: object, one: object) -> bool:
    if isinstance(one, Load):
        return one in case.inside(end)
    return isinstance(one, str) and case.holds(end, one)


def _around(done: Compilation, source: object, to: object) -> bool:
    """Return whether it is told that two blocks together may let a pod reach another."""
    if not (isinstance(source, Load) and isinstance(to, Load)):
        return False
    pairs = [
        f": {one} may reach {other} by"
        for one in (source.text, f"any:{source.space}")
        for other in (to.text, f"any:{to.space}")
    ]
    told = [each.message for each in done.result.findings if each.code in ("CON205", "CON209")]
    return any(pair in message for pair in pairs for message in told)


def passing(after: Session, case: Case) -> Iterator[tuple[object, object, TrafficSet]]:
    """Yield all pairs of ends, and what passes between them."""
    engine = after.engine
    table = engine.table
    by_name = {each.text: each for each in case.loads}
    ends: list[tuple[object, int]] = []
    for index, endpoint in enumerate(table.endpoints):
        one: object = by_name.get(str(endpoint.workload), str(endpoint.workload))
        ends += [(one, unit) for unit in table.by_endpoint[index]]
    for unit in table.kinds[UnitKind.EXTERNAL]:
        held = table.units[unit].addresses or AddressSet()
        ends += [(address_text(low), unit) for low, _ in held.spans]
    for source, u in ends:
        for to, v in ends:
            families = {table.units[u].family, table.units[v].family} - {0}
            inside = [each for each in (source, to) if isinstance(each, Load)]
            if inside and len(families) < 2:
                found = engine.outcome(u, v)
                yield source, to, (found.passing | found.open) & L4


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_exactly_the_contract_passes(target: str, chunk: int) -> None:
    told = 0
    for seed in range(chunk, WORLDS, CHUNKS):
        case = make(seed)
        done = compile_contract(session(seed, enforcer(seed, target)), target, today=TODAY)
        after = done.read_back()
        assert not after.read_diagnostics, (seed, after.read_diagnostics)
        wrong = [str(d.message) for d in done.proof.differences]
        assert done.profile.name == enforcer(seed, target)
        assert not wrong, (seed, wrong)
        for source, to, found in passing(after, case):
            hosts = [each for each in (source, to) if isinstance(each, Load) and each.host]
            if hosts or (target == "clusternetworkpolicy" and isinstance(source, str)):
                continue  # told: nothing keeps out, or lets through, what policies are not about
            sure, perhaps = said(case, done, source, to)
            if to == "kube-system/coredns":
                names = {each.workloads for each in done.compiled.sheets}
                written = {str(name) for group in names for name in group}
                if isinstance(source, Load) and source.text in written:
                    sure |= DNS
                # Of every address one may be the resolver's, who answers everybody.
                if any(each["to"] in ("external:e4", "0.0.0.0/0") for each in case.dependencies):
                    perhaps |= DNS
            if _around(done, source, to):
                perhaps |= found
            if case.handed and address_text(_HANDED) in (source, to):
                sure, perhaps = TrafficSet(), perhaps | sure  # pods are there, as a rule
            assert found <= sure | perhaps, (seed, source, to, str(found - sure - perhaps))
            assert sure <= found, (seed, source, to, str(sure - found))
            told += bool(sure)
    assert told > WORLDS // CHUNKS * 3  # closed borders leave less to tell of


def test_the_cases_have_every_form_of_end() -> None:
    cases = [make(seed) for seed in range(WORLDS)]
    ends = [str(d[key]) for case in cases for d in case.dependencies for key in ("from", "to")]
    forms = {each.partition(":")[0] for each in ends if ":" in each and "{" not in each}
    assert {"any", "external", "gw", "svc", "zone"} <= forms
    asked = [case for case in cases if "apiserver" in case.platform]
    assert any(load.asks for case in asked for load in case.loads)
    assert any(load.hook for case in asked for load in case.loads)
