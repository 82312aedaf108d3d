"""Whether a match of a rule holds of an end, for the oracle over the IR."""

import re
from typing import TYPE_CHECKING

from cloison.algebra import (
    FAMILY,
    NO_ADDRESSES,
    AddressSet,
    family_of,
)
from cloison.ir.names import NamePattern, Stars
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NodesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
)
from cloison.resources.world import PodEndpoint
from tests.oracle.ir_ways import OPPOSITE, End, Match

if TYPE_CHECKING:
    from tests.oracle.ir import IROracle

SOME_NAMES = [
    f"{host}.{domain}.{top}"
    for host in ("a", "ab", "api", "b", "db", "www", "x", "a.b", "api.a", "x.y.z")
    for domain in ("example", "a", "other")
    for top in ("com", "net", "org")
]
"""Enough names to tell the patterns of tests apart."""

_OF_OTHERS = {True: Relative.OWN_NODE, False: Relative.LOOPBACK}
"""What is none of a subject's relations, by whether it is on a node's network."""


class Ends:
    """Two ends of a flow, and what matches either.

    Args:
        oracle: What is known of the world.
        subject: The end that is asked.
        peer: The other one.
        family: The address family of the flow.
    """

    def __init__(self, oracle: "IROracle", subject: End, peer: End, family: int) -> None:
        self.oracle = oracle
        self.profile = oracle.profile
        self.subject = subject
        self.peer = peer
        self.family = family
        self.same: bool | None = None
        """Whether both are on one node, where that is looked at either way."""

    def apart(self) -> bool:
        """Return whether the peer is on a node, and nobody knows whether on the subject's own."""
        _, own = self.oracle.node_of(self.subject)
        if isinstance(self.subject, PodEndpoint):
            own = self.subject.shape.node
        on_node, name = self.oracle.node_of(self.peer)
        return on_node and None in (own, name)

    def match(self, match: PeerMatch, end: End) -> Match:
        """Return whether a match holds of an end: the peer, or the subject itself."""
        combined = match.matches if isinstance(match, AnyOf | AllOf | NoneOf) else ()
        parts = [self.match(part, end) for part in combined]
        match match:
            case AnyOf():
                return max(parts, default=Match.NO)
            case AllOf():
                return min(parts, default=Match.MUST)
            case NoneOf():
                return OPPOSITE[max(parts, default=Match.NO)]
            case BlockMatch() | GroupsMatch() | NamesMatch():
                return self._by_address(match, end)
            case PodsMatch():
                return self.oracle.selects(match, end)
            case NodesMatch():
                return self._nodes(match, end)
            case RelativeMatch():
                return self._relative(match.relation)
        return Match.MUST if isinstance(match, AnyMatch) else Match.MAY

    def _by_address(self, match: BlockMatch | GroupsMatch | NamesMatch, end: End) -> Match:
        if isinstance(match, NamesMatch):
            return self._names(match, end)
        if isinstance(match, GroupsMatch):
            return self._groups(match, end)
        whole = match.whole and match.family == self.family
        return self._inside(match.addresses, end, whole=whole)

    def _groups(self, match: GroupsMatch, end: End) -> Match:
        addresses = NO_ADDRESSES
        for group in self.oracle.groups:
            if match.labels.matches(group.labels):
                addresses |= group.addresses
        return self._inside(addresses, end, whole=FAMILY[self.family] <= addresses)

    def _names(self, match: NamesMatch, end: End) -> Match:
        known = self.oracle.names
        if isinstance(end, NamePattern):
            # A name that nobody resolved is at no address of another one.
            said = (p.text for p in (*match.names, end) if "*" not in p.text)
            meant = [name for name in (*SOME_NAMES, *said) if _covers(end, name)]
            open_ = [p for p in match.names if not (p.stars is Stars.NONE and p.text in known)]
            if any(all(_covers(p, name) for name in meant) for p in open_):
                return Match.MUST
            return Match.MAY if any(_covers(p, n) for p in open_ for n in meant) else Match.NO
        if not isinstance(end, int):
            return Match.NO
        for name, addresses in known.items():
            if end in addresses and any(_covers(pattern, name) for pattern in match.names):
                return Match.MUST
        if any(end in addresses for addresses in known.values()):
            return Match.NO
        if self.oracle.complete:
            return Match.NO
        sure = all(each.stars is Stars.NONE and each.text in known for each in match.names)
        return Match.NO if sure else Match.MAY

    def _inside(self, addresses: AddressSet, end: End, *, whole: bool) -> Match:
        """Return whether an end has addresses of the flow's family among some.

        Args:
            addresses: The addresses.
            end: The end.
            whole: Whether these are every address of the flow's family, holes aside.
        """
        if isinstance(end, NamePattern):
            called = [a for a in self.oracle.names.values() if a]
            place = FAMILY[self.family]
            for each in called:
                place -= each
            if place.isdisjoint(addresses):
                return Match.NO
            return Match.MUST if place <= addresses else Match.MAY
        on_node, _ = self.oracle.node_of(end)
        seen = self.profile.block_matches_nodes if on_node else self.profile.block_matches_pods
        if not seen and not isinstance(end, int):
            return Match.NO
        known = self.oracle.addresses(end)
        if not known:
            return Match.MUST if whole else Match.NO
        inside = {a in addresses for a in known if family_of(a) == self.family}
        if inside == {True}:
            return Match.MUST
        return Match.MAY if True in inside else Match.NO

    def _nodes(self, match: NodesMatch, end: End) -> Match:
        on_node, name = self.oracle.node_of(end)
        if not on_node:
            return Match.NO
        if match.names is not None and name is not None and name not in match.names:
            return Match.NO
        node = self.oracle.world.nodes.get(name or "")
        if node is None or node.span is None:
            by_name = match.names is not None and name is None
            return Match.MAY if match.nodes or by_name else Match.MUST
        return Match.MUST if match.nodes.matches(node.labels) else Match.NO

    def _relative(self, relation: Relative) -> Match:
        if relation is Relative.SELF:
            same = isinstance(self.peer, PodEndpoint) and self.peer.pod is not None
            return Match.MUST if same and self.peer == self.subject else Match.NO
        if relation is Relative.RETURNED:
            return Match.NO
        hosted, own = self.oracle.node_of(self.subject)
        if isinstance(self.subject, PodEndpoint):
            own = self.subject.shape.node
        on_node, name = self.oracle.node_of(self.peer)
        if relation is Relative.OWN_POD:
            if not hosted or not isinstance(self.peer, PodEndpoint) or on_node:
                return Match.NO
            name = self.peer.shape.node
        elif not on_node or (relation is _OF_OTHERS[hosted]):
            return Match.NO
        if relation is not Relative.OWN_POD and self.same is not None:
            return Match.MUST if self.same is (relation is not Relative.OTHER_NODE) else Match.NO
        if name is None or own is None:
            return Match.MAY
        return Match.MUST if (name == own) is (relation is not Relative.OTHER_NODE) else Match.NO


def _covers(pattern: NamePattern, name: str) -> bool:
    """Return whether a name is one that a pattern stands for."""
    text, label = pattern.text, "[-a-zA-Z0-9_]"
    if pattern.stars is Stars.NONE:
        return text == name
    if pattern.stars is Stars.LABELS:
        labels, wanted = name.split("."), text.split(".")[1:]
        return len(labels) > len(wanted) and labels[-len(wanted) :] == wanted
    if text in ("*", "**"):
        return True
    several = pattern.stars is Stars.PARTS_OR_LABELS and text.startswith("**.")
    start, rest = (f"({label}+[.])+", text[3:]) if several else ("", text)
    return re.fullmatch(start + re.escape(rest).replace(r"\*", f"{label}*"), name) is not None
