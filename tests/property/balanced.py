"""Load balancers in worlds of the cube: who leads in what, and whether nodes may."""

import random
from dataclasses import replace

from cloison.analyses.ends import End, NodeEnd, PodsEnd
from cloison.analyses.explain import case_outcome, verdict_of
from cloison.analyses.question import cases, parse_traffic
from cloison.analyses.reconcile.seen import NODES
from cloison.app.session import Session
from cloison.engine.related import ON_ONE_NODE, ON_OTHER_NODES, Relations
from cloison.ir.fidelity import Verdict
from tests.oracle.raw import Manifest

NODE = "a node"


def is_block(text: str) -> bool:
    """Return whether an end is an address, or a block of them."""
    return text[0].isdigit()


def balancers(rng: random.Random, objects: list[Manifest]) -> list[Manifest]:
    """Return Services that take in what comes from outside, for some of the pods of a world."""
    found: list[Manifest] = []
    worn = [
        (each["metadata"].get("namespace", "default"), dict([pair]))
        for each in objects
        if each["kind"] == "Pod"
        for pair in sorted((each["metadata"].get("labels") or {}).items())
    ]
    for number in range(rng.randint(1, 3) if worn else 0):
        namespace, selector = rng.choice(worn)
        port, target = rng.choice((80, 443)), rng.choice((80, 8080))
        spec = {
            "type": rng.choice(("LoadBalancer", "LoadBalancer", "NodePort")),
            "selector": selector,
            "ports": [{"name": "p", "port": port, "targetPort": target, "protocol": "TCP"}],
        }
        if rng.random() < 0.3:
            spec["externalTrafficPolicy"] = "Local"
        metadata = {"name": f"balancer-{number}", "namespace": namespace}
        found.append({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    return found


def led_in(session: Session, point: tuple[str, str, str]) -> bool:
    """Return whether nodes lead what comes from outside to a workload's port."""
    if is_block(point[1]):
        return False
    namespace, kind, name = point[1].split("/")
    (workload,) = (
        each
        for known, each in session.world.workloads.items()
        if (known.namespace, known.kind, known.name) == (namespace, kind, name)
    )
    return any(
        service.namespace == namespace
        and service.type in ("LoadBalancer", "NodePort")
        and service.external_traffic_policy != "Local"
        and any(f"{port.target}/TCP" == point[2] for port in service.ports)
        and any(
            not (pod.finished or pod.terminating or pod.pending)
            and (service.selector or {}).items() <= pod.labels.items()
            for pod in workload.endpoints
        )
        for service in session.world.services.values()
    )


def of_nodes(session: Session, destination: End, port: str) -> str:
    """Return whether nodes may call: each that is known, where policies find nodes by address.

    A node may be a pod's own, or another one.
    """
    traffic = parse_traffic(port)
    engine = session.engine
    known = engine.world.nodes.values() if engine.profile.block_matches_nodes else ()
    pods = destination.workload.endpoints if isinstance(destination, PodsEnd) else ()
    homes = {pod.shape.node if pod.shape.node in engine.world.nodes else None for pod in pods}
    asked: list[tuple[End, set[Relations]]] = [(NODES, {ON_ONE_NODE, ON_OTHER_NODES})]
    if known:
        asked = [(NodeEnd(node.name, node), ways(node.name, homes)) for node in known]
    found = {
        verdict_of(case_outcome(engine, replace(case, out_of=way, into=way)), traffic.traffic)
        for source, stands in asked
        for case in cases(engine, source, destination, traffic)
        for way in stands
    }
    if Verdict.UNDETERMINED in found:
        return "unclear"
    passing = found & {Verdict.ALLOWED, Verdict.MIXED}
    if Verdict.DENIED in found:
        return "partly" if passing else "no"
    return "yes" if Verdict.MIXED not in found else "yes, with some requests"


def ways(node: str, homes: set[str | None]) -> set[Relations]:
    """Return how a node may stand to pods that are on some nodes; None is one nobody knows."""
    own = {ON_ONE_NODE} if {node, None} & homes else set()
    return own if homes == {node} else own | {ON_OTHER_NODES}
