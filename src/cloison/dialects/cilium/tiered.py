"""ClusterNetworkPolicies with nodes as peers: which nodes they are, and where none can be.

Such peers are found as `toNodes` finds them: by labels of the source `node`, among other nodes than
the subject's own. Where nodes have no such labels, the agent refuses the whole policy.

Source: cilium/cilium pkg/k8s/cluster_network_policy.go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cloison.base import Diagnostic
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.labels import OTHER_NODES
from cloison.dialects.cilium.say import refused
from cloison.ir.peers import AllOf, NodesMatch
from cloison.ir.policy import Peer, Policy, Rule

_KIND = "ClusterNetworkPolicy"
_SOURCE = "cilium/cilium pkg/k8s/cluster_network_policy.go"


def with_nodes(policies: Sequence[Policy], cluster: Cluster) -> list[Policy]:
    """Return policies as the agent takes those that name nodes; refused ones have no rules."""
    naming = {policy.id for policy in policies if _named(policy)}
    if not naming:
        return list(policies)
    by_label = cluster.switches.node_selector_labels
    found = []
    for policy in policies:
        if policy.id in naming:
            rules = tuple(_rule(each, cluster) for each in policy.rules) if by_label else ()
            found.append(replace(policy, rules=rules))
        else:
            found.append(policy)
    return found


def without_nodes(policies: Sequence[Policy], cluster: Cluster) -> Iterator[Diagnostic]:
    """Yield which policies the agent refuses because they name nodes."""
    if cluster.switches.node_selector_labels:
        return
    for policy in {policy.id: policy for policy in policies if _named(policy)}.values():
        yield refused(
            "CIL120",
            f"{_KIND} {policy.id.name}",
            policy.span,
            "nodes are selected by label, and `enable-node-selector-labels` is off",
            "turn it on, or name the nodes by their addresses where blocks match nodes",
            source=_SOURCE,
        )


def _named(policy: Policy) -> bool:
    peers = (peer for rule in policy.rules for peer in rule.peers)
    return policy.id.kind == _KIND and any(isinstance(each.match, NodesMatch) for each in peers)


def _rule(rule: Rule, cluster: Cluster) -> Rule:
    return replace(rule, peers=tuple(_peer(each, cluster) for each in rule.peers))


def _peer(peer: Peer, cluster: Cluster) -> Peer:
    match = peer.match
    if not isinstance(match, NodesMatch):
        return peer
    seen = replace(match, nodes=cluster.node_labels.seen(match.nodes))
    return replace(peer, match=AllOf((seen, *OTHER_NODES)))
