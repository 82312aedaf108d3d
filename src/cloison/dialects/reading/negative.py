"""Peers that only say which labels are not there, as an enforcer takes them to whom all are labels.

Whoever has no labels meets such a peer: nodes, and what is outside the cluster. Source: cilium
issue 46949; cilium/cilium pkg/k8s/network_policy.go, cluster_network_policy.go.
"""

from collections.abc import Iterator

from cloison.ir.peers import (
    AllOf,
    NoneOf,
    PeerMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
    UnknownMatch,
)
from cloison.ir.profile import Quirk, Reading

NO_PODS: tuple[PeerMatch, PeerMatch] = (NoneOf((PodsMatch(),)), RelativeMatch(Relative.OTHER_NODE))
"""Whoever is no pod; of those, nodes that are not the subject's own."""


def perhaps(match: PeerMatch, quirk: Quirk) -> PeerMatch:
    """Return whom somebody matches besides, if that is so at all."""
    if quirk.reason is None:
        return match
    return AllOf((match, UnknownMatch(quirk.reason, quirk.caveat)))


def beyond(match: PodsMatch, reading: Reading, *, clustered: bool = True) -> Iterator[PeerMatch]:
    """Yield who is no pod and yet meets a peer that only says what is not there.

    Args:
        match: The peer.
        reading: What the enforcer makes of it.
        clustered: Whether the enforcer demands the cluster of such a peer, where it does at all.
    """
    if (reading.beyond_pods or reading.beyond_nodes) is None or not only_negative(match):
        return
    if not clustered or not reading.beyond_key or reading.beyond_key in match.pods.keys:
        if reading.beyond_pods is not None:
            yield perhaps(NO_PODS[0], reading.beyond_pods)
    elif reading.beyond_nodes is not None:
        yield perhaps(NO_PODS[1], reading.beyond_nodes)


def only_negative(match: PodsMatch) -> bool:
    """Return whether a selector of namespaces says something, and having no labels meets all."""
    if match.namespace is not None or not match.namespaces:
        return False
    return match.namespaces.matches({}) and match.pods.matches({})
