"""Whom a rule may be about: pods, addresses, nodes, names, and what is made of these.

Selectors are still selectors; `engine` finds who they are in a world.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from cloison.algebra import EVERYTHING, AddressSet, LabelSelector, family_of
from cloison.ir.fidelity import Caveat
from cloison.ir.names import NamePattern


class Relative(StrEnum):
    """Peers that are defined by their relation to the subject, resolved when asked."""

    SELF = "self"
    OWN_NODE = "own-node"
    OTHER_NODE = "other-node"
    OWN_POD = "own-pod"
    """Seen from a node: a pod that runs on it."""
    LOOPBACK = "loopback"
    """Seen from a node: itself, or what shares its network."""
    RETURNED = "returned"
    """Itself, its traffic led back to it by a Service."""


@dataclass(frozen=True, slots=True)
class PodsMatch:
    """Pods, by namespace and labels.

    Args:
        namespace: Exactly this namespace; None when `namespaces` says.
        namespaces: Selector on namespace labels, used when `namespace` is None; the empty
            selector is every namespace.
        pods: Selector on pod labels; empty is every pod.
        accounts: Selector on the labels of the pod's service account, its name among them
            under `kubernetes.io/service-account.name`; empty is every account.
        nodes: Only pods that run on these nodes; None is every node.
    """

    namespace: str | None = None
    namespaces: LabelSelector = EVERYTHING
    pods: LabelSelector = EVERYTHING
    accounts: LabelSelector = EVERYTHING
    nodes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class BlockMatch:
    """Addresses: a block minus its holes.

    Args:
        addresses: What is matched.
        cidr: The block as written.
        holes: The holes as written.
        whole: Whether the block, holes aside, is a whole address family.
        caveat: What an answer that rests on this block carries, because of how it is written.
    """

    addresses: AddressSet
    cidr: str
    holes: tuple[str, ...] = ()
    whole: bool = False
    caveat: Caveat | None = None

    @property
    def family(self) -> int:
        """The address family it matches, 4 or 6."""
        if self.addresses:
            return family_of(self.addresses.spans[0][0])
        return 6 if ":" in self.cidr else 4


@dataclass(frozen=True, slots=True)
class NodesMatch:
    """Nodes, by the addresses of those whose labels match.

    Args:
        nodes: Selector on their labels.
        names: Those that may be meant at all; None for any.
    """

    nodes: LabelSelector = EVERYTHING
    names: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RelativeMatch:
    """A peer defined by its relation to the subject."""

    relation: Relative


@dataclass(frozen=True, slots=True)
class AnyMatch:
    """Every peer, inside or outside the cluster."""


@dataclass(frozen=True, slots=True)
class UnknownMatch:
    """A peer we cannot resolve: it may be anybody.

    Args:
        reason: What we lack, for people.
        caveat: The caveat an answer that depends on it carries.
    """

    reason: str
    caveat: Caveat


@dataclass(frozen=True, slots=True)
class GroupsMatch:
    """Addresses of the `AddressGroup`s whose labels match: whoever has such an address.

    Args:
        labels: Selector on the groups' labels.
    """

    labels: LabelSelector = EVERYTHING


@dataclass(frozen=True, slots=True)
class NamesMatch:
    """Addresses that DNS names stand for, outside the cluster.

    Args:
        names: Any of these; `ir.names` makes them.
    """

    names: tuple[NamePattern, ...]

    def covers(self, name: str) -> bool:
        """Return whether a name, in lower case without the final dot, is one of these."""
        return any(pattern.covers(name) for pattern in self.names)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Whom any of these matches; empty is nobody."""

    matches: "tuple[PeerMatch, ...]"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Whom all of these match; empty is everybody."""

    matches: "tuple[PeerMatch, ...]"


@dataclass(frozen=True, slots=True)
class NoneOf:
    """Whom none of these matches, inside or outside the cluster; empty is everybody."""

    matches: "tuple[PeerMatch, ...]"


PeerMatch: TypeAlias = (
    PodsMatch
    | BlockMatch
    | GroupsMatch
    | NamesMatch
    | NodesMatch
    | RelativeMatch
    | AnyMatch
    | UnknownMatch
    | AnyOf
    | AllOf
    | NoneOf
)


def plain_matches(match: PeerMatch) -> Iterator[PeerMatch]:
    """Iterate over the matches a peer is made of: itself, or those it combines."""
    if isinstance(match, AnyOf | AllOf | NoneOf):
        for each in match.matches:
            yield from plain_matches(each)
    else:
        yield match
