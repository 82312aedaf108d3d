"""What two sessions allow differently, where both say."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from cloison.algebra import ANY, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import MapOptions
from cloison.app.session import Session
from cloison.ir.policy import Combine

if TYPE_CHECKING:
    from cloison.analyses.diff import Diff
    from cloison.analyses.diff.shifts import Outer, Row, Shift


@dataclass(frozen=True)
class Compared:
    """Two sessions held against each other, pod by pod.

    Args:
        before: The first.
        after: The second.
    """

    before: Session
    after: Session

    @cached_property
    def scope(self) -> TrafficSet:
        """Traffic of which both say what becomes of it; nothing else is compared."""
        return defined(self.before) & defined(self.after)

    @cached_property
    def different(self) -> "Diff":
        """What passes before and not after, or the other way round.

        What the first leaves open may come out either way in the second.
        """

        def differs(shift: "Shift") -> bool:
            before, after = shift.before, shift.after
            lost = before.allowed - after.allowed
            gained = (after.allowed | after.undetermined) - (before.allowed | before.undetermined)
            return bool((lost | gained) & self.scope)

        return _only(self._found, differs, self._inside)

    @cached_property
    def settled(self) -> "Diff":
        """What policies of equal priority leave open before, and what is decided after.

        Other things that are left open are the enforcer's to say, and it is known after who
        that is; which of two policies comes first is the policies' own.
        """
        told_apart = _told_apart(self.before)
        if told_apart is None:
            return replace(self._found, rows={}, outward={}, inward={}, itself={}, policies=())
        ties = self.before.diff(told_apart, MapOptions(pods=True))

        def settles(shift: "Shift") -> bool:
            return bool((shift.before.undetermined - shift.after.undetermined) & self.scope)

        disputed = _only(ties, settles, self._inside)
        return _both(_only(self._found, settles, self._inside), disputed)

    @cached_property
    def _found(self) -> "Diff":
        return self.before.diff(self.after, MapOptions(pods=True))

    @cached_property
    def _inside(self) -> AddressSet:
        return _known(self.before)


def differences(before: Session, after: Session) -> "Diff":
    """Return what two sessions allow differently, pod by pod; see `Compared.different`."""
    return Compared(before, after).different


def outsiders_only(found: "Diff", session: Session) -> "Diff":
    """Return a difference in which nobody outside is anybody inside: see `_known`.

    Which policies differ is left out.
    """
    return _only(found, lambda _: True, _known(session))


def _known(session: Session) -> AddressSet:
    """Return the addresses of pods and nodes: who has one is not outside."""
    pods = (e.addresses for w in session.world.workloads.values() for e in w.endpoints)
    nodes = (node.addresses for node in session.world.nodes.values())
    return AddressSet.points(tuple(point for held in (*pods, *nodes) for point in held))


def defined(session: Session) -> TrafficSet:
    """Return the traffic of which the tiers that hold policies say what becomes of it."""
    held = {policy.tier for policy in session.policies.policies}
    found = ANY
    for layer in session.policies.layers:
        for tier in layer.tiers:
            found = found & tier.end_scope if tier.name in held else found
    return found


def _only(found: "Diff", wanted: "Callable[[Shift], bool]", inside: AddressSet) -> "Diff":
    """Return some changes of a difference, and of those outside nobody who is inside."""

    def outer(held: "Mapping[int, Outer]") -> "dict[int, Outer]":
        kept = {
            place: {
                shift: outside
                for shift, ends in each.items()
                if wanted(shift) and (outside := ends - inside)
            }
            for place, each in held.items()
        }
        return {place: each for place, each in kept.items() if each}

    rows = {
        place: {shift: ends for shift, ends in row.items() if wanted(shift)}
        for place, row in found.rows.items()
    }
    return replace(
        found,
        rows={place: row for place, row in rows.items() if row},
        outward=outer(found.outward),
        inward=outer(found.inward),
        itself={place: shift for place, shift in found.itself.items() if wanted(shift)},
        policies=(),
    )


def _both(found: "Diff", other: "Diff") -> "Diff":
    """Return the changes of a difference that are about the same edges as those of another."""
    rows: dict[int, Row] = {}
    for place, row in found.rows.items():
        also = BitMap()
        for ends in other.rows.get(place, {}).values():
            also |= ends
        kept = {shift: ends & also for shift, ends in row.items()}
        rows[place] = {shift: ends for shift, ends in kept.items() if ends}
    return replace(
        found,
        rows={place: row for place, row in rows.items() if row},
        outward=_both_outside(found.outward, other.outward),
        inward=_both_outside(found.inward, other.inward),
        itself={place: shift for place, shift in found.itself.items() if place in other.itself},
    )


def _both_outside(found: "Mapping[int, Outer]", other: "Mapping[int, Outer]") -> "dict[int, Outer]":
    kept: dict[int, Outer] = {}
    for place, each in found.items():
        also = AddressSet()
        for addresses in other.get(place, {}).values():
            also |= addresses
        here = {shift: ends & also for shift, ends in each.items()}
        kept[place] = {shift: ends for shift, ends in here.items() if ends}
    return {place: each for place, each in kept.items() if each}


def _told_apart(session: Session) -> Session | None:
    """Return a session whose policies of equal priority come one after another, by name.

    None where none are equal.
    """
    held = session.policies
    ordered = {
        (tier.name, band)
        for layer in held.layers
        for tier in layer.tiers
        for band, combine in enumerate(tier.bands)
        if combine is Combine.FIRST_MATCH
    }
    stands = Counter((p.tier, p.band, p.order) for p in held.policies if p.order)
    if not any(many > 1 and (tier, band) in ordered for (tier, band, _), many in stands.items()):
        return None
    policies = tuple(
        replace(p, order=(*p.order, str(p.id)))
        if (p.tier, p.band) in ordered and stands[p.tier, p.band, p.order] > 1
        else p
        for p in held.policies
    )
    return replace(session, policies=replace(held, policies=policies))
