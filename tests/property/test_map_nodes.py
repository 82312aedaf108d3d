"""What a map says of pods and nodes, against questions about each pair of them.

The engine's rectangles do not know whether a node is a pod's own, and rules may ask for that; so
this part of a map is made apart, and held against what `why` says. Seeds are fixed.
"""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import product

import pytest

from cloison.algebra import TrafficSet, family_of
from cloison.analyses.connectivity import Edge, EndRef, MapOptions
from cloison.app import Session, load_objects
from cloison.engine import UnitKind
from cloison.ir.fidelity import Verdict
from tests.property.test_hosts_calico import samples
from tests.support.ciliumpolicies import cilium_world
from tests.support.worlds import random_world

WORLDS, CHUNKS = 30, 3
PORTS = (80, 8080)


def sessions(chunk: int) -> Iterator[tuple[str, Session]]:
    """Yield worlds in which it counts which node somebody is on."""
    for seed in range(chunk, WORLDS, CHUNKS):
        rng = random.Random(seed)
        world = cilium_world(rng, random_world(rng), 3)
        version = ".".join(map(str, world.version))
        told = load_objects(world.objects, profile=f"cilium@{version}", cilium=world.switches)
        yield f"cilium {seed}", told
        objects, _, profile = samples(seed)
        yield f"calico {seed}", load_objects(objects, profile=profile)


def pairs(session: Session) -> Iterator[tuple[EndRef, EndRef, tuple[int, ...]]]:
    """Yield pods with nodes, either way, and the address families that both have."""
    table = session.engine.table
    for index, end in enumerate(table.endpoints):
        units = table.by_endpoint[index]
        if end.pod is None or end.pending or table.units[units[0]].kind is UnitKind.HOST:
            continue
        pod = EndRef("pod", end.namespace, end.pod)
        for name, node in session.world.nodes.items():
            theirs = {family_of(point) for point in node.addresses}
            mine = {table.units[unit].family for unit in units}
            shared = tuple(sorted(f for f in theirs if f in mine or 0 in mine))
            if shared:
                yield pod, EndRef("node", name=name), shared
                yield EndRef("node", name=name), pod, shared


def text(ref: EndRef) -> str:
    return f"node:{ref.name}" if ref.kind == "node" else f"{ref.namespace}/pod/{ref.name}"


def asked(session: Session, src: EndRef, dst: EndRef, port: int, families: tuple[int, ...]) -> str:
    found = {session.verdict(text(src), text(dst), "TCP", port, f) for f in families}
    if Verdict.MIXED in found:
        return ""  # requests decide
    order = (Verdict.ALLOWED, Verdict.UNDETERMINED, Verdict.DENIED)
    return str(min(found, key=order.index))


def said(edge: Edge | None, port: int) -> str:
    traffic = TrafficSet.ports("TCP", port)
    if edge is None or not traffic & (edge.allowed | edge.undetermined):
        return "denied"
    if any(traffic & each.traffic for each in edge.passage.when):
        return ""
    return "allowed" if traffic & edge.allowed else "undetermined"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_map_says_of_pods_and_nodes_what_questions_say(chunk: int) -> None:
    seen: Counter[str] = Counter()
    for name, session in sessions(chunk):
        edges = {(e.src, e.dst): e for e in session.map(MapOptions(nodes=True, pods=True))}
        for (src, dst, families), port in product(pairs(session), PORTS):
            told = said(edges.get((src, dst)), port)
            answer = asked(session, src, dst, port, families)
            if told and answer:
                assert told == answer, f"{name}: {text(src)} -> {text(dst)}:{port}"
                seen[answer] += 1
    assert min(seen[each] for each in ("allowed", "denied", "undetermined")) > len(PORTS)
