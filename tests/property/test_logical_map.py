"""A map of calls agrees with `why` about every caller, every Service and each of its ports."""

import random
from collections.abc import Iterator, Sequence

import pytest

from cloison.analyses.connectivity import Edge, EndRef, MapOptions
from cloison.analyses.ends import ServiceEnd
from cloison.analyses.explain import CaseAnswer
from cloison.analyses.fronts import asked_ports
from cloison.analyses.paths.model import HopRole
from cloison.app import Session, load_objects
from cloison.engine import UnitKind
from cloison.ir.fidelity import Verdict
from tests.oracle.raw import Manifest
from tests.support.chances import chance, pick
from tests.support.netpols import LABELS, PORT_NAMES, PORT_NUMBERS
from tests.support.worlds import SHORT, random_world

SEEDS = range(40)
PROFILES = ("generic", "calico@3.32")


@pytest.mark.parametrize("seed", SEEDS)
def test_agrees_with_why(seed: int) -> None:
    rng = random.Random(seed)
    objects = random_world(rng)
    objects += services(rng, objects)
    session = load_objects(objects, profile=pick(rng, [(1, each) for each in PROFILES]))
    found = session.map(MapOptions(logical=True))
    edges = {(edge.src, edge.dst): edge for edge in found}
    callers = [end for end in found.ends if end.kind in ("workload", "pod")]
    fronts = [end for end in found.ends if end.kind == "service"]
    for src in callers:
        for dst in fronts:
            agree(session, src, dst, edges.get((src, dst)))


def agree(session: Session, src: EndRef, dst: EndRef, edge: Edge | None) -> None:
    """Compare an edge with the answers about its ends, port by port."""
    end = session.names.end(str(dst))
    assert isinstance(end, ServiceEnd)
    for dialled in asked_ports(session.engine, end):
        ((entry,),) = ([*dialled.entries()],)
        told = case_verdicts(session, src, dst, entry.low, entry.protocol)
        if told is None:
            continue
        allowed = edge is not None and dialled <= edge.allowed
        unsure = edge is not None and dialled <= edge.undetermined
        said = (allowed, unsure)
        expected = (
            Verdict.ALLOWED in told,
            bool(told) and Verdict.ALLOWED not in told and Verdict.UNDETERMINED in told,
        )
        assert said == expected, (str(src), str(dst), str(dialled), told)


def case_verdicts(
    session: Session, src: EndRef, dst: EndRef, port: int | None, protocol: str
) -> set[Verdict] | None:
    """Return what becomes of a call for each pair of pods; None where the map tells otherwise."""
    name = f"{src.namespace}/{SHORT.get(src.type, 'pod')}/{src.name}"
    answer = session.why(name, str(dst), port=port, protocol=protocol)
    cases: Sequence[CaseAnswer] = answer.cases
    if answer.ways:
        cases = [
            case
            for way in answer.ways
            for hop in way.asked
            if hop.role is HopRole.CALL and hop.answer is not None
            for case in hop.answer.cases
        ]
    if any(apart(session, case) for case in cases):
        return None
    return {case.verdict for case in cases}


def apart(session: Session, answer: CaseAnswer) -> bool:
    """Return whether a map tells on purpose other things than a question about a pair.

    It leaves out own nodes and pairs without a common family, and speaks of both families at once
    where an address is not known.
    """
    table, case = session.engine.table, answer.case
    ends = [table.units[unit] for unit in (case.source.unit, case.destination.unit)]
    one_known = case.family is not None and any(end.family == 0 for end in ends)
    return case.foreign or one_known or any(end.kind is UnitKind.HOST for end in ends)


def services(rng: random.Random, objects: Sequence[Manifest]) -> Iterator[Manifest]:
    """Yield Services of every sort over a random world."""
    spaces = sorted({o["metadata"].get("namespace", "default") for o in objects})
    for number in range(rng.randint(2, 5)):
        space = rng.choice(spaces)
        spec: Manifest = {"ports": list(ports(rng)), "selector": selector(rng)}
        match pick(rng, [(5, "plain"), (2, "headless"), (2, "LoadBalancer"), (1, "alias")]):
            case "headless":
                spec["clusterIP"] = "None"
            case "alias" if number:
                target = f"s{rng.randrange(number)}.{space}.svc.cluster.local"
                spec = {"type": "ExternalName", "externalName": target}
            case "LoadBalancer":
                spec["type"] = "LoadBalancer"
        if chance(rng, 0.2):
            spec["internalTrafficPolicy"] = "Local"
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"s{number}", "namespace": space},
            "spec": spec,
        }


def ports(rng: random.Random) -> Iterator[Manifest]:
    """Yield one or two ports."""
    for number in range(rng.randint(1, 2)):
        target = rng.choice([*PORT_NUMBERS[1:3], *sorted(PORT_NAMES)[:3]])
        protocol = pick(rng, [(4, "TCP"), (1, "UDP")])
        yield {
            "name": f"p{number}",
            "port": 80 + number,
            "targetPort": target,
            "protocol": protocol,
        }


def selector(rng: random.Random) -> dict[str, str]:
    """Return labels of some pods, or of any."""
    key = rng.choice(sorted(LABELS))
    return {key: rng.choice(list(LABELS[key]))}
