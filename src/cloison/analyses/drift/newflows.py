"""D3: flows that get through, that nobody means, and that were not there before."""

from collections.abc import Iterator
from typing import Final

from cloison.algebra import AddressSet
from cloison.analyses.drift.edge import BALANCERS, WORLD, Edge
from cloison.analyses.drift.model import Code, Evidence, Key, Sign, Step
from cloison.analyses.drift.scene import Scene
from cloison.analyses.drift.windows import SLOW
from cloison.analyses.ends import AddressEnd, NodeEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.past.link import shown
from cloison.analyses.past.sorts import Sort
from cloison.analyses.reconcile.seen import Outside
from cloison.base import Severity
from cloison.base.words import plural
from cloison.intent import WORLD as OUTSIDE

_ONCE: Final = (Sort.PERSON, Sort.SCAN)
"""Sorts of what was tried once, and is no part of what applications do."""
_METADATA: Final = tuple(map(AddressSet.block, ("169.254.169.254", "fd00:ec2::254")))


def new_flows(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each edge without a record that was not seen while learning."""
    learning = probes = 0
    for edge in scene.edges:
        if edge.meant or not edge.allowed:
            continue
        if _probe(edge):
            probes += 1
            continue
        if known(scene, edge):
            learning += 1
            continue
        yield _sign(scene, edge)
    reason = (
        "it was there in the first hours that were watched, in which everything is new: "
        "accept it, or write it into the contract"
    )
    scene.skip(Code.NEW_FLOW, reason, learning)
    reason = "a node calls a pod, as its kubelet does to see how it is"
    scene.skip(Code.NEW_FLOW, reason, probes)


def _probe(edge: Edge) -> bool:
    """Return whether an edge may be a kubelet's, which asks its own pods at whatever port.

    Records do not tell whose node it is, and policies let a pod's own node through in any case.
    Probes are made by TCP, whatever is spoken by it.
    """
    source, destination = edge.ends
    node = isinstance(source, SomeNodeEnd | NodeEnd)
    return node and isinstance(destination, PodsEnd) and edge.protocol == "TCP"


def known(scene: Scene, edge: Edge) -> bool:
    """Return whether an edge was there while everything was new, and not as a one-off."""
    hours = edge.allowed.hours
    if not hours or str(key_of(edge)) in scene.memory.learned:
        return True
    return hours[0] < scene.learned and (edge.sort not in _ONCE or hours[-1] < scene.learned)


def key_of(edge: Edge) -> Key:
    """Return what a new flow is known by."""
    return Key(Code.NEW_FLOW, edge.source, edge.destination, edge.protocol, edge.port_text)


def learned(scene: Scene) -> frozenset[str]:
    """Return the keys of flows that were there while everything was new, of earlier runs too.

    A store keeps only so much: what it forgot was there all the same.
    """
    here = (
        str(key_of(edge))
        for edge in scene.edges
        if edge.allowed.hours and not edge.meant and edge.sort not in _ONCE and known(scene, edge)
    )
    return scene.memory.learned | frozenset(here)


def _sign(scene: Scene, edge: Edge) -> Sign:
    severity, crossing = severity_of(scene, edge)
    once = edge.why if edge.sort in _ONCE else None
    evidence = [
        Evidence(
            f"{plural(edge.allowed.total, 'connection')} in "
            f"{plural(len(edge.allowed.hours), 'hour')} ({', '.join(edge.adapters)})"
        )
    ]
    if crossing:
        evidence.append(Evidence(crossing))
    return Sign(
        key=key_of(edge),
        severity=severity,
        message=f"{edge.text} is new, gets through, and has no record",
        help="write it into the contract with an owner and a reason, or take away the rule that "
        "lets it through",
        workloads=edge.inside,
        course=edge.allowed,
        pace=SLOW,
        evidence=tuple(evidence),
        asked=scene.question(edge),
        brief=edge.text,
        doubt=once,
        namespaces=edge.namespaces,
        allow=recorded(edge),
    )


def severity_of(scene: Scene, edge: Edge) -> tuple[Severity, str]:
    """Return how bad a flow is that nobody means, and why."""
    source, destination = edge.ends
    if isinstance(destination, Outside):
        address = destination.address
        if isinstance(address, AddressEnd):
            if any(address.addresses <= each for each in _METADATA):
                return Severity.ERROR, "it reaches the metadata of the cloud, and credentials"
            if "apiserver" in {e.destination.entity for link in edge.links for e in link.seen}:
                return Severity.ERROR, "it reaches the API server"
        return Severity.WARNING, "it leaves the cluster"
    if edge.source == BALANCERS:
        return (
            Severity.WARNING,
            "it comes from a cloud's load balancers: requests, or health checks",
        )
    if isinstance(source, Outside) or edge.source == WORLD:
        return Severity.ERROR, "it comes from outside the cluster"
    zones = _zones(scene, edge)
    if zones is not None and scene.contract is not None and OUTSIDE not in zones:
        one, other = zones
        if one != other and not scene.contract.may_cross(one, other):
            return Severity.ERROR, f"it goes from zone {one} to {other}, which may not be"
    return Severity.WARNING, ""


def _zones(scene: Scene, edge: Edge) -> tuple[str, str] | None:
    if scene.placed is None or len(edge.inside) != len(edge.ends):
        return None
    one, other = (scene.placed.zone(each) for each in edge.inside)
    return None if one is None or other is None else (one, other)


def recorded(edge: Edge) -> Step:
    """Return the dependency that would record an edge."""
    port = "" if edge.port < 0 else f"  ports: [{_port(edge)}]\n"
    name = f"{_plain(edge.source)}-to-{_plain(edge.destination)}"
    text = (
        f"- name: {name}\n  from: {_written(edge.source)}\n  to: {_written(edge.destination)}\n"
        f"{port}  owner: ?\n  reason: ?\n"
    )
    return Step("write it into the contract, if somebody owns the reason", text)


def _port(edge: Edge) -> str:
    return str(edge.port) if edge.protocol == "TCP" else f"{edge.port}/{edge.protocol}"


def _written(end: str) -> str:
    return f"zone:{WORLD}" if end in (WORLD, BALANCERS) else shown(end)


def _plain(end: str) -> str:
    text = shown(end).rpartition("/")[2] if "/Deployment/" in end else shown(end)
    return "".join(c if c.isalnum() else "-" for c in text).strip("-").lower()
