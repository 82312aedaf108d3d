"""Whether pods admit nodes, whose addresses stand for clients outside and for host-network pods."""

from cloison.algebra import NO_ADDRESSES
from cloison.analyses.ask import Explanation
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.served import Number, admitted, of_nodes, tunnels
from cloison.analyses.ends import AddressEnd, SomeNodeEnd
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Direction
from cloison.resources.world import WorkloadId

Gap = tuple[Explanation, bool]
"""What stops traffic from nodes; and whether only that with addresses of an overlay is."""


def gap(clinic: Clinic, name: WorkloadId, number: Number) -> Gap | None:
    """Return what stops connections from other nodes to pods; None where they pass, or may.

    Rules may list the addresses of nodes; where nobody told of the nodes, any block may be theirs.

    Args:
        clinic: The clinic.
        name: Whose pods.
        number: The port on the pod.
    """
    engine = clinic.engine
    answer = clinic.reach(SomeNodeEnd("a node"), clinic.pods(name), on(*number))
    if answer.verdict is Verdict.ALLOWED:
        return _overlay(clinic, name, number)
    if answer.verdict not in (Verdict.DENIED, Verdict.MIXED):
        return None
    if _admits_hosts(engine, name):
        return None
    blocks = admitted(engine, name, number) if engine.profile.block_matches_nodes else []
    listed = NO_ADDRESSES
    for each in blocks:
        listed |= each.addresses
    nodes = of_nodes(engine)
    if not nodes:
        return None if blocks else (answer, False)
    if not nodes & listed:
        return answer, False
    return (answer, True) if tunnels(engine) - listed else None


def _overlay(clinic: Clinic, name: WorkloadId, number: Number) -> Gap | None:
    """Return what stops nodes that come by an overlay, where they are let in by their address."""
    engine = clinic.engine
    listed = NO_ADDRESSES
    for each in admitted(engine, name, number) if engine.profile.block_matches_nodes else ():
        listed |= each.addresses
    left = tunnels(engine) - listed
    if not left or not of_nodes(engine) & listed:
        return None
    by_tunnel = AddressEnd("nodes on an overlay", left)
    answer = clinic.reach(by_tunnel, clinic.pods(name), on(*number))
    return (answer, True) if answer.verdict in (Verdict.DENIED, Verdict.MIXED) else None


def _admits_hosts(engine: Engine, name: WorkloadId) -> bool:
    """Return whether a rule names the namespace that stands for nodes, where there is one."""
    labels = dict(engine.profile.reading.host_labels)
    if engine.profile.reading.host_namespace is None:
        return False
    return any(
        isinstance(peer.match, PodsMatch)
        and peer.match.namespace is None
        and bool(peer.match.namespaces)
        and peer.match.namespaces.matches(labels)
        for unit in engine.table.workload_units(name)
        for policy in engine.decision(unit, Direction.INGRESS).terms.policies
        for rule in policy.rules_for(Direction.INGRESS)
        for peer in rule.peers
    )
