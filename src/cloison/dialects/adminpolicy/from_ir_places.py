"""Where policies of other languages stand among ClusterNetworkPolicies: tier and priority.

There are two tiers, 1001 priorities in each, and `Pass` leaves the tier. Tiers of the source
that follow one another share one of them where nothing in the earlier ones passes on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Final

from cloison.base import Span
from cloison.dialects.adminpolicy.from_ir_rules import MOST, deny_everything
from cloison.dialects.adminpolicy.from_ir_slots import LAST, Gap, Slot, gaps, kept, spread
from cloison.dialects.writing import Refusals, Statement, Tree, WriteContext
from cloison.dialects.writing.blocks import batched
from cloison.ir.policy import Action, Combine, Policy, TierSpec

ADMIN: Final = "Admin"
BASELINE: Final = "Baseline"
ISOLATION: Final = "isolation"
"""What names of policies end with that say what a tier denies at its end."""
_OWN: Final = {
    "AdminNetworkPolicy": ADMIN,
    "BaselineAdminNetworkPolicy": BASELINE,
    "ClusterNetworkPolicy/Admin": ADMIN,
    "ClusterNetworkPolicy/Baseline": BASELINE,
}
"""Kinds whose tier is one of the two, as keys of `Profile.places`."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy for one subject, without its place.

    Args:
        statement: What it is written from.
        policy: What it means.
        subject: Its subject.
        ingress: Its rules.
        egress: Its rules.
        ends: Whether what no rule allows is denied, on the way out.
    """

    statement: Statement
    policy: Policy
    subject: Tree
    ingress: Sequence[Tree]
    egress: Sequence[Tree]
    ends: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """A ClusterNetworkPolicy to be.

    Args:
        draft: What it is written from.
        tier: Its tier.
        priority: Its priority.
        ingress: Its rules.
        egress: Its rules.
        suffix: What its name ends with, where it is not the first of its draft.
    """

    draft: Draft
    tier: str
    priority: int
    ingress: Sequence[Tree]
    egress: Sequence[Tree]
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """Rules that fit one object."""

    draft: Draft
    ingress: Sequence[Tree]
    egress: Sequence[Tree]
    suffix: str


@dataclass(frozen=True, slots=True)
class _Step:
    """Parts of equal priority.

    Args:
        parts: What stands there.
        wanted: The priority they have in the source, if any.
        ends: Whether they say what a tier denies at its end.
        number: How many steps of the same policies come before.
        order: Where they stand in the source; at its end by default.
    """

    parts: tuple[_Part, ...]
    wanted: float | None = None
    ends: bool = False
    number: int = 0
    order: float = inf


@dataclass(frozen=True, slots=True)
class _Piece:
    """A tier of the source: its steps in order, or the priorities of what stays in it.

    Where what stays has earlier priorities, and later ones, its steps stand `between`.
    """

    tier: TierSpec
    steps: tuple[_Step, ...]
    passes: tuple[Draft, ...]
    standing: tuple[int, ...] = ()
    between: bool = False


def plan(drafts: Sequence[Draft], context: WriteContext, said: Refusals) -> list[Planned]:
    """Return drafts with their places, by statement; says of those that have none why."""
    tiers = [tier for layer in context.layers for tier in layer.tiers]
    found: list[Planned] = []
    homes: dict[str, list[_Piece]] = {ADMIN: [], BASELINE: []}
    for tier in tiers:
        mine = [draft for draft in drafts if draft.policy.tier == tier.name]
        home = _home(tier, tiers, context)
        standing = _standing(tier, context)
        stays = [_Piece(tier, (), (), standing)] if standing else []
        goes = [_piece(tier, mine)] if mine else []
        late = bool(standing) and all(_order(draft) > standing[-1] for draft in mine)
        early = not standing or all(_order(draft) < standing[0] for draft in mine)
        if goes and not late and not early:
            goes = [replace(goes[0], between=True)]
        homes[home] += [*stays, *goes] if late else [*goes, *stays]
    _spread(homes, context)
    for home, pieces in homes.items():
        found += _placed(home, pieces, context, said)
    order = {id(draft): number for number, draft in enumerate(drafts)}
    found.sort(key=lambda each: (order[id(each.draft)], each.priority))
    return found


def _home(tier: TierSpec, tiers: Sequence[TierSpec], context: WriteContext) -> str:
    """Return which of the two tiers takes the place of one."""
    places = context.source.places
    for kind, home in _OWN.items():
        place = places.get(kind)
        if place is not None and place.tier == tier.name:
            return home
    teams = places.get("NetworkPolicy")
    names = [each.name for each in tiers]
    if teams is None or teams.tier not in names:
        return BASELINE
    return ADMIN if names.index(tier.name) < names.index(teams.tier) else BASELINE


def moved(policy: Policy, other: Policy, context: WriteContext) -> bool:
    """Return whether a policy of another tier comes first where it came last, or the reverse."""
    tiers = [tier for layer in context.layers for tier in layer.tiers]
    names = [tier.name for tier in tiers]
    home = _home(tiers[names.index(policy.tier)], tiers, context)
    place = context.source.places.get(f"ClusterNetworkPolicy/{home}")
    if place is None or place.tier not in names or other.tier not in names:
        return False
    if other.tier == place.tier and other.id.kind != "ClusterNetworkPolicy":
        return True
    there = names.index(other.tier)
    return (there < names.index(policy.tier)) != (there < names.index(place.tier))


def _standing(tier: TierSpec, context: WriteContext) -> tuple[int, ...]:
    """Return the priorities of ClusterNetworkPolicies that stay in a tier."""
    return tuple(
        sorted(
            int(policy.order[0])
            for policy in context.standing
            if policy.tier == tier.name
            and policy.id.kind == "ClusterNetworkPolicy"
            and policy.order
            and isinstance(policy.order[0], int | float)
        )
    )


def _order(draft: Draft) -> float:
    """Return what a policy's place in its tier begins with."""
    first = draft.policy.order[0] if draft.policy.order else None
    return first if isinstance(first, int | float) else -1


def _spread(homes: dict[str, list[_Piece]], context: WriteContext) -> None:
    """Move the first of several tiers out of Baseline, where that is free and it helps."""
    teams = any(p.id.kind == "NetworkPolicy" for p in context.standing)
    later = homes[BASELINE]
    if len(later) > 1 and later[0].passes and not homes[ADMIN] and not teams:
        homes[ADMIN] = [later.pop(0)]


def _piece(tier: TierSpec, drafts: Sequence[Draft]) -> _Piece:
    """Return a tier's steps: its bands by order, then what its end denies."""
    steps: list[_Step] = []
    for band, combine in enumerate(tier.bands):
        mine = [draft for draft in drafts if draft.policy.band == band]
        if combine is Combine.FIRST_MATCH:
            mine.sort(key=lambda draft: draft.policy.order)
            for order in dict.fromkeys(draft.policy.order for draft in mine):
                equal = [draft for draft in mine if draft.policy.order == order]
                first = order[0] if order else None
                known = isinstance(first, int | float) and isfinite(first)
                wanted = first if known and isinstance(first, int | float) else None
                steps += _steps(equal, wanted)
        elif mine:
            parts = tuple(part for draft in mine for part in _parts(draft))
            steps.append(_Step(parts, order=_order(mine[0])))
    ends = tuple(
        _Part(draft, (), (deny_everything(),), ISOLATION if _has_rules(draft) else "")
        for draft in drafts
        if draft.ends
    )
    if ends:
        steps.append(_Step(ends, ends=True))
    steps = list(_merged(steps))
    passes = tuple(
        draft for draft in drafts if any(r.action is Action.PASS for r in draft.policy.rules)
    )
    return _Piece(tier, tuple(step for step in steps if step.parts), passes)


def _merged(steps: Iterable[_Step]) -> Iterator[_Step]:
    """Yield steps, those together that only accept, and at the same place: no order can show."""
    last: _Step | None = None
    for step in steps:
        if last is None:
            last = step
        elif _place(last) == _place(step) and _accepts(last) and _accepts(step):
            last = replace(last, parts=(*last.parts, *step.parts))
        else:
            yield last
            last = step
    if last is not None:
        yield last


def _place(step: _Step) -> tuple[float | None, int, float]:
    return step.wanted, step.number, step.order


def _accepts(step: _Step) -> bool:
    """Return whether policies of a step do nothing but accept."""
    return not step.ends and all(
        rule.action in (Action.ALLOW, Action.LOG)
        for part in step.parts
        for rule in part.draft.policy.rules
    )


def _steps(equal: Sequence[Draft], wanted: float | None) -> Iterator[_Step]:
    """Yield the steps of policies of one order: more than one where a policy has many rules."""
    split = [tuple(_parts(draft)) for draft in equal]
    for number in range(max(map(len, split))):
        parts = tuple(parts[number] for parts in split if number < len(parts))
        yield _Step(parts, wanted, number=number, order=_order(equal[0]))


def _has_rules(draft: Draft) -> bool:
    return bool(draft.ingress or draft.egress)


def _parts(draft: Draft) -> Iterator[_Part]:
    ingress = tuple(batched(draft.ingress, MOST)) or ((),)
    egress = tuple(batched(draft.egress, MOST)) or ((),)
    if draft.ends and not _has_rules(draft):
        return
    for number in range(max(len(ingress), len(egress))):
        yield _Part(
            draft,
            ingress[number] if number < len(ingress) else (),
            egress[number] if number < len(egress) else (),
            "" if number == 0 else str(number + 1),
        )


def _placed(
    home: str, pieces: Sequence[_Piece], context: WriteContext, said: Refusals
) -> Iterator[Planned]:
    """Yield what goes into one tier."""
    blocked: set[int] = set()
    for number, piece in enumerate(pieces):
        after = next((p for p in pieces[number:] if p.tier.name != piece.tier.name), None)
        if after is None:
            continue
        for draft in piece.passes:
            blocked.add(id(draft.statement))
            _cannot_pass(draft, piece, after, said)
    steps = [step for piece in pieces for step in piece.steps]
    slots = list(_slots(pieces))
    crowded = next((gap for gap in gaps(slots) if gap.room < gap.steps), None)
    if crowded is not None:
        what, help_ = _no_room(home, crowded, context)
        for draft in {id(p.draft.statement): p.draft for s in steps for p in s.parts}.values():
            said.refuse(draft.statement, draft.policy.span, what, help_, "priority", "order")
        return
    one = len({piece.tier.name for piece in pieces}) == 1
    found = (kept(slots) if one else None) or spread(slots)
    planned = list(_planned(home, zip(found, steps, strict=True), blocked))
    _say_moved(planned, said)
    yield from planned


def _slots(pieces: Sequence[_Piece]) -> Iterator[Slot]:
    """Yield what each step asks for: its priority, and its side of each that stays."""
    fixed = {number for piece in pieces for number in piece.standing}
    stays = next((n for n, piece in enumerate(pieces) if piece.standing), 0)
    for number, piece in enumerate(pieces):
        for step in piece.steps:
            at = step.order if piece.between else -inf if number < stays else inf
            if at in fixed:
                yield Slot(step.wanted, int(at), int(at), tied=True)
            else:
                low = max((each + 1 for each in fixed if each < at), default=0)
                high = min((each - 1 for each in fixed if each > at), default=LAST)
                yield Slot(step.wanted, low, high)


def _no_room(home: str, gap: Gap, context: WriteContext) -> tuple[str, str]:
    """Return why steps have no place in a tier, and what to do."""
    low, high = gap.slot.low, gap.slot.high
    place = context.source.places.get(f"ClusterNetworkPolicy/{home}")
    names: dict[int, str] = {}
    for policy in context.standing:
        first = policy.order[0] if policy.order else None
        mine = place is not None and policy.tier == place.tier
        if mine and policy.id.kind == "ClusterNetworkPolicy" and isinstance(first, int | float):
            names.setdefault(int(first), f"ClusterNetworkPolicy {policy.id} (priority {first:g})")
    if gap.slot.tied:
        what = (
            f"{names.get(low, 'what stays')} stays as it is at the same priority, and "
            f"{gap.steps} objects would have to share its place"
        )
        return what, "give one of the two another priority"
    before, after = names.get(low - 1), names.get(high + 1)
    where = f" in the tier {home}"
    if before and after:
        where = f" between {before} and {after}"
    elif before or after:
        where = f" after {before}" if before else f" before {after}"
    return (
        f"priorities to give: {gap.steps}; free{where}: {gap.room}",
        "make room between the ClusterNetworkPolicies there are, or convert in parts",
    )


def _say_moved(planned: Sequence[Planned], said: Refusals) -> None:
    """Say which policies get other priorities than they have, and which become several."""
    found: dict[int, list[Planned]] = {}
    for each in planned:
        if each.suffix != ISOLATION:
            found.setdefault(id(each.draft.statement), []).append(each)
    for mine in found.values():
        statement = mine[0].draft.statement
        spec = statement.document.root.get("spec")
        node = spec and (spec.get("priority") or spec.get("order"))
        now = sorted({each.priority for each in mine})
        if node and isinstance(node.value, int | float) and node.value != now[0]:
            said.note(
                statement,
                statement.policies[0].span,
                f"{node.value:g} becomes priority {now[0]}",
                "policies stand in the same order as before",
                "priority",
                "order",
            )
        if len(now) > 1:
            said.note(
                statement,
                statement.policies[0].span,
                f"more than {MOST} rules: it becomes several objects, at the priorities "
                f"{', '.join(map(str, now))}",
                "rules stand in the same order as before",
                "spec",
            )


def _cannot_pass(draft: Draft, piece: _Piece, after: _Piece, said: Refusals) -> None:
    within: Span | None = next(
        (r.span for r in draft.policy.rules if r.action is Action.PASS), draft.policy.span
    )
    said.refuse(
        draft.statement,
        within,
        f"`Pass` goes on to the tier {after.tier.name} from {piece.tier.name}, and there is no "
        "tier of ClusterNetworkPolicies left between them",
        "join the two tiers, or write what is passed as rules of its own",
        "action",
    )


def _planned(
    home: str, numbered: Iterable[tuple[int, _Step]], blocked: set[int]
) -> Iterator[Planned]:
    for priority, step in numbered:
        for part in step.parts:
            if id(part.draft.statement) not in blocked:
                yield Planned(part.draft, home, priority, part.ingress, part.egress, part.suffix)
