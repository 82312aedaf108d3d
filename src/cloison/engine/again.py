"""A piece of a decision looked at again, for one flow: its family, and how its ends stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from cloison.engine.bind import Binder
from cloison.engine.decide import Decision, Piece
from cloison.engine.fold import Folder
from cloison.engine.related import UNRELATED, Relations
from cloison.engine.sides import Sides
from cloison.engine.units import Unit
from cloison.ir.peers import BlockMatch, GroupsMatch, plain_matches
from cloison.ir.ruleset import BoundRule, Outcome


@dataclass(frozen=True, slots=True)
class Again:
    """Looks again at what a unit alone does not decide.

    Args:
        binder: Binds the rules.
        units: The units, by number.
        folder: Makes outcomes.
        sides: Rules about a pod's own node and about all others.
    """

    binder: Binder
    units: Sequence[Unit]
    folder: Folder
    sides: Sides

    def piece(
        self,
        decision: Decision,
        piece: Piece,
        ends: tuple[int, int],
        relations: Relations,
        family: int | None,
    ) -> Piece:
        """Look again at rules that match because of the flow's family or how its ends stand.

        Args:
            decision: The subject's decision.
            piece: The piece of it that holds the peer.
            ends: The subject and the peer.
            relations: How the peer stands to the subject.
            family: The flow's family; None where the units say as much.
        """
        unsure = {id(policy) for policy in decision.terms.unsure}
        matched = {id(rule): sure for rule, sure in piece.rules}
        for bound in decision.rules:
            related = bound.relations and relations is not UNRELATED
            if not related and (family is None or not self._floats(bound, *ends)):
                continue
            sure = self.binder.matches(bound, *ends, relations, family)
            if sure is None:
                matched.pop(id(bound), None)
            else:
                matched[id(bound)] = sure and id(bound.policy) not in unsure
        if relations.sides is not None:
            open_ = [
                bound
                for bound in decision.rules
                if bound.relations
                and matched.get(id(bound)) is False
                and id(bound.policy) not in unsure
            ]
            known = self.sides.of(
                decision.direction,
                open_,
                relations.sides,
                lambda bound, side: self.binder.matches(bound, *ends, side, family),
            )
            for bound, sure in known:
                if sure is None:
                    del matched[id(bound)]
                else:
                    matched[id(bound)] = sure
        rules = tuple((r, matched[id(r)]) for r in decision.rules if id(r) in matched)
        if rules == piece.rules and relations is UNRELATED:
            return piece
        outcome = self.folder.outcome(decision.terms, rules, relations)
        if relations.sides is not None and outcome.undetermined:
            found = (self._on(side, decision, matched, ends, family) for side in relations.sides)
            either = reduce(Outcome.either, found)
            # What comes of it on the own node and on all others alike is certain.
            if outcome.undetermined - either.undetermined:
                outcome = either
        return Piece(piece.peers, rules, outcome)

    def _on(
        self,
        side: Relations,
        decision: Decision,
        matched: Mapping[int, bool],
        ends: tuple[int, int],
        family: int | None,
    ) -> Outcome:
        """Return what comes of a piece where it is known how its ends stand."""
        unsure = {id(policy) for policy in decision.terms.unsure}
        rules: list[tuple[BoundRule, bool]] = []
        for bound in decision.rules:
            sure = matched.get(id(bound))
            if bound.relations:
                sure = self.binder.matches(bound, *ends, side, family)
                sure = None if sure is None else sure and id(bound.policy) not in unsure
            if sure is not None:
                rules.append((bound, sure))
        return self.folder.outcome(decision.terms, tuple(rules), side)

    def _floats(self, bound: BoundRule, subject: int, peer: int) -> bool:
        """Whether a rule may match by an address that nobody knows."""
        units = self.units
        if bound.blocks is not None and peer in bound.blocks and units[peer].family == 0:
            return True
        return (
            units[subject].family == 0
            and bound.rule.subjects is not None
            and any(
                isinstance(match, BlockMatch | GroupsMatch)
                for each in bound.rule.subjects
                for match in plain_matches(each)
            )
        )
