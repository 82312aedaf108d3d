"""The map against a loop over pairs: every edge true, every true edge there."""

import random
from collections import defaultdict
from collections.abc import Callable

import pytest

from cloison.algebra import L4, TrafficSet, parse_address
from cloison.analyses.connectivity import Edge, EndRef, MapOptions, expand
from cloison.analyses.ends import AddressEnd, End, NodeEnd, PodsEnd
from cloison.app import Session
from cloison.engine import UnitKind
from cloison.ir.fidelity import Verdict
from cloison.ir.ruleset import Outcome
from tests.support.budget import tries
from tests.support.session import load
from tests.support.worlds import FlowMaker, random_world

WORLDS = tries(240, 2400)
CHUNKS = 8
Sets = tuple[TrafficSet, TrafficSet]


def worlds(chunk: int, start: int = 500_000) -> list[tuple[int, Session]]:
    seeds = range(start + chunk, start + WORLDS, CHUNKS)
    return [(seed, load(random_world(random.Random(seed)))) for seed in seeds]


def trimmed(outcome: Outcome) -> Sets:
    """What the map tells of an outcome: undetermined traffic only where policy speaks."""
    return outcome.allowed, outcome.undetermined & L4


def by_pairs(session: Session) -> dict[tuple[str, str], Sets]:
    """Ask for every pair of pods, and join by workload."""
    engine = session.engine
    table = engine.table
    found: dict[tuple[str, str], list[Sets]] = defaultdict(list)
    for i, one in enumerate(table.endpoints):
        for j, other in enumerate(table.endpoints):
            src, dst = one.workload, other.workload
            if src == dst and src.kind == "Pod":
                continue
            replicas = session.world.workloads[src].endpoints
            if i == j and one.pod is not None and len(replicas) > 1:
                continue  # a pod and itself are no two replicas
            for u in table.by_endpoint[i]:
                for v in table.by_endpoint[j]:
                    families = {table.units[u].family, table.units[v].family} - {0}
                    if len(families) < 2:
                        found[repr(src), repr(dst)].append(trimmed(engine.outcome(u, v)))
    joined = {}
    for pair, sets in found.items():
        allowed, undetermined = TrafficSet(), TrafficSet()
        for passes, may in sets:
            allowed |= passes
            undetermined |= may
        if allowed or undetermined - allowed:
            joined[pair] = (allowed, undetermined - allowed)
    return joined


def name(session: Session, ref: EndRef) -> str:
    kind = ref.type or "Pod"
    return repr(
        next(
            w
            for w in session.world.workloads
            if (w.namespace, w.name, w.kind) == (ref.namespace, ref.name, kind)
        )
    )


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_edges_between_workloads_are_those_of_all_pairs(chunk: int) -> None:
    for seed, session in worlds(chunk):
        told = {
            (name(session, e.src), name(session, e.dst)): (e.allowed, e.undetermined)
            for e in session.map(MapOptions(self_edges=True))
            if "ip" not in (e.src.kind, e.dst.kind)
        }
        assert told == by_pairs(session), f"seed {seed}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_edges_with_the_outside_are_those_of_every_atom(chunk: int) -> None:
    for seed, session in worlds(chunk):
        engine, table = session.engine, session.engine.table
        edges = list(session.map())
        for unit in table.kinds[UnitKind.EXTERNAL]:
            atom = table.units[unit].addresses
            assert atom is not None
            point = atom.spans[0][0]
            for index, endpoint in enumerate(table.endpoints):
                units = [
                    u
                    for u in table.by_endpoint[index]
                    if table.units[u].family in (0, table.units[unit].family)
                ]
                for u in units:
                    for outward in (True, False):
                        ends = (u, unit) if outward else (unit, u)
                        allowed, undetermined = trimmed(engine.outcome(*ends))
                        told = TrafficSet()
                        for edge in edges:
                            near, far = (edge.src, edge.dst) if outward else (edge.dst, edge.src)
                            if far.addresses is None or point not in far.addresses:
                                continue
                            if (near.namespace, near.name, near.type or "Pod") == (
                                endpoint.workload.namespace,
                                endpoint.workload.name,
                                endpoint.workload.kind,
                            ):
                                told |= edge.allowed | edge.undetermined
                        assert allowed | undetermined <= told, f"seed {seed} {endpoint} {atom}"
                        if len(session.world.workloads[endpoint.workload].endpoints) == 1:
                            assert told == allowed | undetermined, f"seed {seed} {endpoint} {atom}"


@pytest.mark.parametrize("options", [MapOptions(), MapOptions(pods=True, self_edges=True)])
def test_lines_expand_to_exactly_the_edges(options: MapOptions) -> None:
    for seed, session in worlds(0):
        found = session.map(options)
        said = sorted(repr(e) for e in expand(found.lines))
        assert said == sorted(repr(e) for e in found.edges), f"seed {seed}"


def test_edges_come_sorted_and_once() -> None:
    for _, session in worlds(1):
        keys = [(e.src.sort_key, e.dst.sort_key) for e in session.map()]
        assert keys == sorted(keys)
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("chunk", range(2))
def test_a_filtered_map_is_the_filter_of_the_map(chunk: int) -> None:
    for seed, session in worlds(chunk, 600_000):
        workloads = [str(w) for w in session.world.workloads]
        rng = random.Random(seed)
        chosen = rng.choice(workloads)
        port = rng.choice(["80", "53/UDP", "8080"])
        whole = list(session.map())

        def is_chosen(ref: EndRef, name: str = chosen) -> bool:
            return f"{ref.namespace}/{ref.name}" == name

        traffic = {"80": ("TCP", 80), "53/UDP": ("UDP", 53), "8080": ("TCP", 8080)}[port]
        limit = TrafficSet.ports(*traffic)

        def has(edge: Edge, namespace: str = chosen.split("/")[0]) -> bool:
            return namespace in (edge.src.namespace, edge.dst.namespace)

        if sum(str(w) == chosen for w in session.world.workloads) > 1:
            continue  # the name would have to say the kind
        checks: list[tuple[MapOptions, Callable[[Edge], bool]]] = [
            (MapOptions(focus=(chosen,)), lambda e: is_chosen(e.src) or is_chosen(e.dst)),
            (MapOptions(sources=(chosen,)), lambda e: is_chosen(e.src)),
            (MapOptions(destinations=(chosen,)), lambda e: is_chosen(e.dst)),
            (MapOptions(namespace=chosen.split("/")[0]), has),
        ]
        for options, keep in checks:
            told = list(session.map(options))
            assert [repr(e) for e in told] == [repr(e) for e in whole if keep(e)], f"seed {seed}"
        told = list(session.map(MapOptions(port=port)))
        assert {(e.src.sort_key[:4], e.dst.sort_key[:4]) for e in told} == {
            (e.src.sort_key[:4], e.dst.sort_key[:4])
            for e in whole
            if (e.allowed | e.undetermined) & limit
        }


def test_own_node_traffic_is_in_the_map_only_when_asked_for() -> None:
    session = load(
        [
            {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n1"}},
            {
                "kind": "Pod",
                "apiVersion": "v1",
                "metadata": {"name": "a", "namespace": "x"},
                "spec": {"nodeName": "n1", "containers": []},
                "status": {"podIP": "10.2.1.1", "hostIP": "10.1.0.1", "phase": "Running"},
            },
            {
                "kind": "NetworkPolicy",
                "apiVersion": "networking.k8s.io/v1",
                "metadata": {"name": "deny", "namespace": "x"},
                "spec": {"policyTypes": ["Ingress", "Egress"]},
            },
        ]
    )
    assert session.map().edges == ()
    (edge,) = session.map(MapOptions(nodes=True)).edges
    assert (edge.src.kind, edge.src.name, edge.dst.name) == ("node", "n1", "a")
    assert parse_address("10.1.0.1") == session.world.nodes["n1"].addresses[0]


@pytest.mark.parametrize("chunk", range(4))
def test_what_a_question_lets_pass_is_in_the_whole_map(chunk: int) -> None:
    passed = 0
    for seed in range(800_000 + chunk, 800_160, 4):
        rng = random.Random(seed)
        objects = random_world(rng)
        session = load(objects)
        edges = list(session.map(MapOptions(nodes=True, self_edges=True)))
        maker = FlowMaker(objects)
        for flow in [maker.flow(rng) for _ in range(12)]:
            src, dst, protocol, port, family = flow.question()
            if protocol not in ("TCP", "UDP", "SCTP") or port is None or flow.src == flow.dst:
                continue
            if flow.src[0] in ("ip", "node") and flow.dst[0] in ("ip", "node"):
                continue
            answer = session.why(src, dst, protocol=protocol, port=port, family=family)
            verdict = answer.verdict
            if verdict not in (Verdict.ALLOWED, Verdict.UNDETERMINED):
                continue
            if any(c.case.foreign for c in answer.cases):
                continue  # no address family in common: nothing to connect
            ends = session.names.end(src), session.names.end(dst)
            if ends[0].text == ends[1].text:
                continue  # a pod, by its address, and itself
            asked = TrafficSet.ports(protocol, port)
            told = TrafficSet()
            for edge in edges:
                if named(edge.src, ends[0]) and named(edge.dst, ends[1]):
                    told |= edge.allowed | edge.undetermined
            assert asked <= told, f"seed {seed}: {flow.question()} is {verdict}"
            passed += 1
    assert passed > 100


def named(ref: EndRef, end: End) -> bool:
    """Whether an edge's end is, or holds, the end of a question."""
    match end:
        case PodsEnd():
            own = end.workload.id
            return (ref.namespace, ref.name, ref.type or "Pod") == (
                own.namespace,
                own.name,
                own.kind,
            )
        case NodeEnd():
            return ref.kind == "node" and ref.name == end.node.name
        case AddressEnd():
            return ref.addresses is not None and end.addresses <= ref.addresses
    return False
