"""How the peer of a flow stands to its subject, which is in no unit."""

from dataclasses import dataclass

from cloison.engine.units import UnitKind
from cloison.ir.peers import Relative


@dataclass(frozen=True, slots=True)
class Relations:
    """How the peer stands to the subject.

    Args:
        sure: Relations that certainly hold.
        maybe: Relations nobody can exclude.
    """

    sure: frozenset[Relative] = frozenset()
    maybe: frozenset[Relative] = frozenset()

    def holds(self, relation: Relative) -> bool | None:
        """Return whether a relation certainly (True) or possibly (False) holds."""
        if relation in self.sure:
            return True
        return False if relation in self.maybe else None

    @property
    def sides(self) -> "tuple[Relations, Relations] | None":
        """The peer on the subject's own node, and on another; None where there is no such doubt."""
        own = self.maybe & _OWN
        if not own or Relative.OTHER_NODE not in self.maybe:
            return None
        return Relations(self.sure | own), Relations(self.sure | {Relative.OTHER_NODE})

    def between(self, subject: UnitKind, peer: UnitKind) -> "Relations":
        """Leave out what cannot hold between ends of these kinds.

        Who says that both ends are on one node says so for either point of view.
        """
        able = {Relative.SELF, Relative.RETURNED}
        if peer in HOSTS:
            own = Relative.LOOPBACK if subject in HOSTS else Relative.OWN_NODE
            able |= {own, Relative.OTHER_NODE}
        elif peer is UnitKind.POD and subject in HOSTS:
            able.add(Relative.OWN_POD)
        elif peer is UnitKind.EXTERNAL and subject is UnitKind.POD:
            # Addresses that the pod's node has besides its own: of a cache for names.
            able.add(Relative.OWN_NODE)
        sure, maybe = self.sure & able, self.maybe & able
        return Relations(sure, maybe) if sure or maybe else UNRELATED


_OWN = frozenset((Relative.OWN_NODE, Relative.LOOPBACK))
HOSTS = frozenset((UnitKind.HOST, UnitKind.NODE))
"""What is on a node's network."""

UNRELATED = Relations()
ON_ONE_NODE = Relations(frozenset({Relative.OWN_NODE, Relative.OWN_POD, Relative.LOOPBACK}))
"""A node, or a pod on its network, and what runs on it, whichever is the subject."""
ON_OTHER_NODES = Relations(frozenset({Relative.OTHER_NODE}))
ON_UNKNOWN_NODES = Relations(
    maybe=frozenset({Relative.OWN_NODE, Relative.OTHER_NODE, Relative.OWN_POD, Relative.LOOPBACK})
)
"""Where the node of either is not known."""
