"""What earlier policies leave of the rules of one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import EVERY_ADDRESS, AddressSet
from cloison.dialects.networkpolicy.ranks import Ranks
from cloison.dialects.networkpolicy.regions import at_home
from cloison.dialects.writing import WriteContext
from cloison.dialects.writing.blocks import cidrs
from cloison.dialects.writing.errors import GROUPS, UnsayableError, within
from cloison.dialects.writing.places import only_groups
from cloison.dialects.writing.shadow import Piece, Taking, common, pieces
from cloison.ir.peers import AnyMatch, BlockMatch, GroupsMatch, PeerMatch, PodsMatch
from cloison.ir.policy import Action, Direction, Peer, Policy, Rule

Left = list[tuple[Rule, list[Piece]]]


@dataclass(frozen=True)
class Remains:
    """Works out what is left of a policy's rules.

    Args:
        policy: The policy.
        ranks: Where it stands among the others.
        context: What is around.
    """

    policy: Policy
    ranks: Ranks
    context: WriteContext

    @property
    def taking(self) -> Taking:
        """How peers are told apart."""
        return Taking(self.context.profile.block_matches_pods)

    def relevant(self, home: PodsMatch, directions: Sequence[Direction]) -> list[Policy]:
        """Return the earlier policies that leave less of it than there is.

        Raises:
            UnsayableError: What they leave cannot be said.
        """
        earlier = [
            each
            for each in self.ranks.earlier(self.policy)
            if any(_acts(each, d) or self._closes(each, d) for d in directions)
            and any(at_home(s, home.namespace or "", self.context) for s in each.subjects)
            and any(list(common(home, s)) for s in self._here(each, home))
        ]
        plain = {d: self.left((), d) for d in directions}
        felt = [
            each for each in earlier if any(self.left((each,), d) != plain[d] for d in directions)
        ]
        passing = [
            each
            for each in earlier
            if felt and any(r.action is Action.PASS for r in each.rules) and each not in felt
        ]
        kept = [*felt, *passing]
        return [each for each in earlier if each in kept]

    def _here(self, policy: Policy, home: PodsMatch) -> Iterator[PodsMatch]:
        for subject in policy.subjects:
            here = at_home(subject, home.namespace or "", self.context)
            if here is not None:
                yield here

    def left(self, active: Sequence[Policy], direction: Direction) -> Left:
        """Return the rules that allow, with what is left of each.

        Args:
            active: The earlier policies that select the same pods, in order.
            direction: Which rules.

        Raises:
            UnsayableError: What is left cannot be said.
        """
        denied: list[Piece] = []
        reached: list[Piece] | None = None
        for tier in self.ranks.tiers_before(self.policy):
            passed: list[Piece] = []
            mine = [each for each in active if each.tier == tier.name]
            for each in mine:
                self._take(each, direction, denied, passed)
            closed = any(direction in each.isolates for each in mine)
            if closed and tier.end is Action.DENY:
                reached = self._both(passed, reached)
        passed = []
        for each in active:
            if each.tier == self.policy.tier:
                self._take(each, direction, denied, passed)
        return list(self._own(direction, denied, passed, reached))

    def _take(
        self, policy: Policy, direction: Direction, denied: list[Piece], passed: list[Piece]
    ) -> None:
        """Note what a policy decides against later ones."""
        for rule in policy.rules_for(direction):
            if rule.action in (Action.ALLOW, Action.LOG):
                continue
            found = self._pieces(rule)
            if rule.action is Action.DENY:
                denied += self.taking.without(found, passed)
            else:
                passed += self.taking.without(found, denied)

    def _own(
        self,
        direction: Direction,
        denied: list[Piece],
        passed: list[Piece],
        reached: list[Piece] | None,
    ) -> Iterator[tuple[Rule, list[Piece]]]:
        opens = self.ranks.last(self.policy, direction)
        rules: Sequence[Rule] = self.policy.rules_for(direction)
        if self.ranks.merged(self.policy):
            rules = sorted(rules, key=lambda rule: rule.action is not Action.DENY)
        for rule in rules:
            if rule.action is Action.LOG:
                continue
            with within(rule.span):
                found = self._pieces(rule)
                if reached is not None:
                    found = self._both(found, reached)
                gone = [*denied, *passed]
                if rule.action is Action.ALLOW or (rule.action is Action.PASS and opens):
                    yield rule, self.taking.without(found, gone)
                elif rule.action is Action.DENY:
                    denied += self.taking.without(found, passed)
                else:
                    passed += self.taking.without(found, denied)

    def _pieces(self, rule: Rule) -> list[Piece]:
        """Return a rule's flows; blocks that together are every address are everybody."""
        if rule.action is not Action.ALLOW and (rule.asks or rule.subjects is not None):
            raise UnsayableError(
                "what it asks for besides peers and ports cannot be taken out of what others allow",
                "http",
                "source",
                "destination",
            )
        if rule.action is not Action.ALLOW and (rule.traffic.excepted or rule.traffic.without):
            raise UnsayableError("ports it leaves out by name cannot be taken out", "notPorts")
        alone = only_groups(rule)
        found = [each for piece in pieces(rule) for each in self._today(piece, alone=alone)]
        if not self.context.profile.block_matches_pods:
            return found
        blocks = [p for p in found if isinstance(p.peer.match, BlockMatch)]
        addresses = AddressSet()
        for piece in blocks:
            if isinstance(piece.peer.match, BlockMatch):
                addresses |= piece.peer.match.addresses
        if addresses == EVERY_ADDRESS and rule.action is not Action.ALLOW:
            return [Piece(Peer(AnyMatch(), rule.span), found[0].traffic, found[0].named)]
        return found

    def _today(self, piece: Piece, *, alone: bool) -> Iterator[Piece]:
        """Yield a piece; address groups as the blocks they are today.

        Args:
            piece: The piece.
            alone: Whether its rule is about address groups only, so that it says something of
                later ones even where there is none today.
        """
        match = piece.peer.match
        if not isinstance(match, GroupsMatch):
            yield piece
            return
        addresses = AddressSet()
        for group in self.context.groups:
            if match.labels.matches(group.labels):
                addresses |= group.addresses
        if (addresses or alone) and not self.context.snapshot:
            raise UnsayableError(*GROUPS, choose=True)
        for cidr in cidrs(addresses):
            block = BlockMatch(AddressSet.block(cidr), cidr)
            yield replace(piece, peer=Peer(block, piece.peer.span))

    def _both(self, found: list[Piece], others: list[Piece] | None) -> list[Piece]:
        if others is None:
            return list(found)
        return [
            Piece(Peer(match, one.peer.span), one.traffic & other.traffic)
            for one in found
            for other in others
            for match in _met(one.peer.match, other.peer.match)
            if _names(one, other) and one.traffic & other.traffic
        ]

    def _closes(self, policy: Policy, direction: Direction) -> bool:
        """Return whether a policy's tier is earlier, and lets only through what is passed on."""
        return (
            policy.tier != self.policy.tier
            and direction in policy.isolates
            and self.ranks.end(policy) is Action.DENY
        )


def _acts(policy: Policy, direction: Direction) -> bool:
    return any(rule.action in (Action.DENY, Action.PASS) for rule in policy.rules_for(direction))


def _names(one: Piece, other: Piece) -> bool:
    """Return whether ports by name are no obstacle to what two pieces share.

    Raises:
        UnsayableError: They are.
    """
    if one.named or other.named:
        raise UnsayableError("what is passed on by port names cannot be followed", "ports")
    return True


def _met(one: PeerMatch, other: PeerMatch) -> Iterator[PeerMatch]:
    """Yield whom two peers both match.

    Raises:
        UnsayableError: There are no words for it.
    """
    match one, other:
        case AnyMatch(), _:
            yield other
        case _, AnyMatch():
            yield one
        case PodsMatch(), PodsMatch():
            yield from common(one, other)
        case BlockMatch(), BlockMatch():
            both = one.addresses & other.addresses
            if both == one.addresses:
                yield one
            elif both == other.addresses:
                yield other
            elif both:
                yield BlockMatch(both, one.cidr, (*one.holes, *other.holes))
        case _:
            raise UnsayableError("pods in a block of addresses cannot be named", "source")
