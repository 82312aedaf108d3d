"""Whom the source or the destination of a rule matches.

Everything an entity says must hold, so what it says becomes parts of which each is a choice.

Source: projectcalico/calico libcalico-go/lib/backend/syncersv1/updateprocessors/rules.go and
felix/calc/rule_scanner.go.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cloison.algebra.expressions import Expression, Not
from cloison.dialects.calico import labels
from cloison.dialects.calico.blocks import BOTH, WHOLE, blocks
from cloison.dialects.calico.model import EntityRule, Selector
from cloison.ir.peers import AllOf, AnyMatch, AnyOf, NoneOf, PeerMatch

_CALL = r"[ \t(]*{}\([ \t]*\)[ \t)]*"
_ALL = re.compile(_CALL.format("all"))
_GLOBAL = re.compile(_CALL.format("global"))

Choice = tuple[PeerMatch, ...]
"""Any of these; empty is nobody."""

ANYBODY: Choice = (AnyMatch(),)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an entity's selectors are read with.

    Args:
        namespace: The policy's; None for a policy of the cluster.
        known: Keys that labels of address groups have; None when there are no groups.
    """

    namespace: str | None
    known: frozenset[str] | None


def match(entity: EntityRule, scope: Scope, present: frozenset[int] = BOTH) -> Choice:
    """Return whom an entity matches, its Service aside.

    Args:
        entity: The source or destination.
        scope: Whose rule it is.
        present: Address families the rule is there for.
    """
    parts: list[Choice] = []
    chosen = _expressions(entity, scope.namespace)
    without = entity.not_selector.expression if entity.not_selector else None
    if chosen:
        if without is not None:
            chosen.append(Not(without))
        parts.append(labels.selected(labels.all_of(chosen), scope.known))
    elif without is not None:
        parts.append((NoneOf(labels.selected(without, scope.known)),))
    addresses = blocks(entity, present)
    if addresses is not None:
        parts.append(addresses)
    return together(parts)


def of_families(choice: Choice, present: frozenset[int]) -> Choice:
    """Return those of a choice that are of certain address families."""
    if present == BOTH:
        return choice
    return together([*([] if choice == ANYBODY else [choice]), tuple(WHOLE[f] for f in present)])


def together(parts: Sequence[Choice]) -> Choice:
    """Return whom every part matches."""
    if not parts:
        return ANYBODY
    if len(parts) == 1:
        return parts[0]
    if not all(parts):
        return ()
    return (AllOf(tuple(one(part) for part in parts)),)


def one(choice: Choice) -> PeerMatch:
    """Return a choice as one match."""
    return choice[0] if len(choice) == 1 else AnyOf(choice)


def positive(entity: EntityRule, scope: Scope) -> Expression | None:
    """Return what labels must satisfy, exceptions aside; None when nothing is asked of them."""
    chosen = _expressions(entity, scope.namespace)
    return labels.all_of(chosen) if chosen else None


def _expressions(entity: EntityRule, namespace: str | None) -> list[Expression]:
    """Return what an entity asks of labels, exceptions aside."""
    if not entity.selects:
        return []
    found = []
    place = _place(entity.namespace_selector, namespace)
    if place is not None:
        found.append(place)
    if entity.selector is not None and entity.selector.expression is not None:
        found.append(entity.selector.expression)
    accounts = entity.service_accounts
    if accounts is not None:
        if accounts.names:
            found.append(labels.with_account(accounts.names))
        if accounts.selector is not None and accounts.selector.expression is not None:
            found.append(labels.prefixed(accounts.selector.expression, labels.OF_ACCOUNT))
    return found


def _place(selector: Selector | None, namespace: str | None) -> Expression | None:
    """Return what an entity asks of the namespace. Only the bare calls ask that there is one."""
    if selector is None:
        return labels.in_namespace(namespace) if namespace is not None else None
    if _GLOBAL.fullmatch(selector.text):
        return labels.IN_NO_NAMESPACE
    if _ALL.fullmatch(selector.text) or not selector.text.strip(" \t"):
        return labels.IN_A_NAMESPACE
    if selector.expression is None:
        return None
    return labels.prefixed(selector.expression, labels.OF_NAMESPACE)
