"""Whom a proposed rule would let in or out besides the one it is meant for."""

from collections.abc import Iterable

from cloison.analyses.parties import Party
from cloison.engine import Engine
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Peer


def others_matched(engine: Engine, peers: tuple[Peer, ...], peer: Party) -> tuple[str, ...]:
    """Return endpoints other than the peer that the new rule names too."""
    found = set()
    for each in peers:
        match = each.match
        if not isinstance(match, PodsMatch):
            continue
        homes: Iterable[str] = () if match.namespace is None else (match.namespace,)
        if match.namespace is None:
            spaces = engine.world.namespaces.values()
            homes = (home.name for home in spaces if match.namespaces.matches(home.labels))
        for home in homes:
            for endpoint in engine.table.living_in(home):
                if not endpoint.shape.host_network and match.pods.matches(endpoint.labels):
                    found.add(str(endpoint.workload))
    if peer.endpoint is not None:
        found.discard(str(peer.endpoint.workload))
    return tuple(sorted(found))
